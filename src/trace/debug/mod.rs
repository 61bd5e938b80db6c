//! What a debugger is told and what it shows: plain data.

mod breakpoint;
mod edit_list;
mod state;

pub use breakpoint::{Breakpoint, Condition, NoBreakpoint};
pub use edit_list::{EditChange, EditList, NoEditChange};
pub use state::{
    BranchState, Cursor, DrawKind, DrawState, LayerCache, Next, PassState, RunMemory, RunState,
    RunVerdict, SourceState,
};

use super::sampling::SamplingChoice;
use super::{Address, Hook};

/// What a debugger is told to do. Each command ends in a [`RunState`], unless it says otherwise.
///
/// Commands that move the run work in turns of one stage, and can be cancelled between and inside
/// stages: then the run stands where the last finished stage left it.
#[derive(Debug, Clone, PartialEq)]
pub enum DebugCommand {
    /// Nothing: tell where the run stands.
    State,
    /// So many steps over: a stage, a draw or an appended token each. A cursor inside a stage
    /// first goes to the end of that stage.
    Steps(usize),
    /// So many steps into: a hook each, where the next thing is a stage, else as a step over.
    Into(usize),
    /// To the end of the block under way, or of the next one; after the last block, to the logits.
    Layer,
    /// Until so many more tokens have their logits.
    Tokens(usize),
    /// To the end of the text, but at most so many more tokens.
    End {
        /// Most tokens to draw.
        max_tokens: usize,
    },
    /// Until this has been computed: a stage, a hook (inside a block the cursor stops at it), or
    /// `sample`.
    To(Address),
    /// Undo the latest step: inside a stage one hook, else a whole stage, a draw, or a token.
    Back,
    /// Undo one hook: from the end of a stage back into it.
    BackInto,
    /// Back until this is what comes next: a stage, a hook inside a block, or `sample`.
    Rewind(Address),
    /// Stand at this position of the text, with its logits computed and its successor to be drawn.
    ///
    /// At the last token of the prompt and later ones this rewinds. At an earlier token of the
    /// prompt it opens a branch whose prompt ends there, and runs it to its logits: the numbers are
    /// those of that shorter prompt.
    Stand(usize),
    /// Keep the full values at these hooks from now on (others are recomputed when looked at).
    Watch {
        /// Which.
        hooks: Vec<Hook>,
        /// Most bytes to keep; what comes later is recomputed too. `None`: no limit.
        budget_bytes: Option<usize>,
    },
    /// Stop at these from now on.
    Breakpoints(Vec<Breakpoint>),
    /// Show a value; ends in the value.
    Look(Address),
    /// Change the list of edits: the run goes back to before the first stage that it affects.
    Edit {
        /// What changes.
        change: EditChange,
        /// Whether to run forward again to where the run stood.
        catch_up: bool,
    },
    /// A prompt that `patch(NAME)` copies from; one of the same name is replaced.
    Source {
        /// Its name.
        name: String,
        /// The prompt.
        prompt: SourcePrompt,
    },
    /// Run the text without edits too, and compare the newest logits.
    Verdict,
    /// From a token on, go another way; the run as it was stays as a branch.
    Branch {
        /// The position whose token is drawn anew; `None`: the next one.
        position: Option<usize>,
        /// Which way.
        way: Way,
    },
    /// Go on with another branch.
    Switch(usize),
    /// Forget a branch that is not under way and that no other parts from.
    Drop(usize),
    /// Put what was seen into a trace; ends in the trace.
    Trace {
        /// Which hooks; `None`: those that are watched.
        hooks: Option<Vec<Hook>>,
    },
}

/// The prompt of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourcePrompt {
    /// Text as it is, with the model's own begin token.
    Raw(String),
    /// A question, put into the chat template.
    Chat(String),
    /// Token ids.
    Ids(Vec<u32>),
}

/// Which way a branch goes.
#[derive(Debug, Clone, PartialEq)]
pub enum Way {
    /// This token instead of a drawn one.
    Token(u32),
    /// Other settings of the sampler from here on, with other random numbers if a seed is given.
    Sampling {
        /// What changes; what is `None` stays.
        sampling: Box<SamplingChoice>,
        /// Start of new random numbers.
        seed: Option<u64>,
    },
}

/// The hook after `hook` among `hooks`, which are in order of execution, within the same stage.
#[must_use]
pub fn next_inside(hooks: &[Hook], hook: Hook) -> Option<Hook> {
    let at = hooks.iter().position(|known| *known == hook)?;
    let next = hooks.get(at + 1).copied();
    next.filter(|next| next.stage() == hook.stage())
}
