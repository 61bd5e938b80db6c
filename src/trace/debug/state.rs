//! Where a run stands, as plain data: all that a window or a terminal shows of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Breakpoint, EditList};
use crate::trace::answer::{CacheSize, TopToken};
use crate::trace::measure::NamedToken;
use crate::trace::measure::verdict::Verdict;
use crate::trace::sampling::SamplingChoice;
use crate::trace::{Hook, Stage};

/// What a run does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// A stage of the newest pass.
    Stage(Stage),
    /// Draw a token from the logits.
    Sample,
    /// Append the drawn token to the text, and begin its pass.
    Append,
    /// Nothing: the drawn token ends the text.
    Ended,
}

impl Default for Next {
    fn default() -> Self {
        Self::Stage(Stage::Embed)
    }
}

impl fmt::Display for Next {
    /// A stage, `sample`, `append` or `ended`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stage(stage) => stage.fmt(f),
            Self::Sample => f.write_str("sample"),
            Self::Append => f.write_str("append"),
            Self::Ended => f.write_str("ended"),
        }
    }
}

/// A place inside the stage that comes next: it has been executed up to and including this hook,
/// and nothing beyond it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cursor {
    /// The newest value there is.
    pub hook: Hook,
    /// Seconds from the beginning of the stage to this value, as last executed.
    pub seconds: f64,
}

/// Where a run stands. The default is a run over nothing, for a window without one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunState {
    /// The model's name.
    pub model: String,
    /// Grows whenever numbers that were computed may have become others (edits, another branch, a
    /// new source). While it stays, what was once looked at is still true: going back and stepping
    /// again gives the same bits.
    pub version: u64,
    /// The text so far.
    pub ids: Vec<u32>,
    /// The text of each token.
    pub texts: Vec<String>,
    /// How many of them are the prompt.
    pub prompt_len: usize,
    /// Blocks of the model.
    pub n_layers: usize,
    /// The next thing to do.
    pub next: Next,
    /// Where inside the next stage the run stands, if it was stepped into.
    pub cursor: Option<Cursor>,
    /// What a step into would compute: the first hook of the next stage, or the one after the
    /// cursor. `None` before a draw or an appended token.
    pub next_hook: Option<Hook>,
    /// The passes; the last one is under way.
    pub passes: Vec<PassState>,
    /// The likeliest next tokens, once the newest pass has its logits.
    pub likeliest: Vec<TopToken>,
    /// The KV cache of all layers together.
    pub cache: CacheSize,
    /// The KV cache layer by layer.
    pub layers: Vec<LayerCache>,
    /// The sampler's settings from here on, all of them given.
    pub sampling: SamplingChoice,
    /// Start of the random numbers.
    pub seed: u64,
    /// The tokens that end the text.
    pub end_tokens: Vec<NamedToken>,
    /// The changes to the run.
    pub edits: EditList,
    /// The prompts that patches can copy from.
    pub sources: Vec<SourceState>,
    /// What the edits did to the newest logits, once both runs have them.
    pub verdict: Option<RunVerdict>,
    /// The tree of branches; the first is the trunk.
    pub branches: Vec<BranchState>,
    /// Id of the branch under way.
    pub branch: usize,
    /// Where it stops.
    pub breakpoints: Vec<Breakpoint>,
    /// The breakpoint that stopped it, if one did.
    pub stopped_by: Option<String>,
    /// Memory that looking costs.
    pub memory: RunMemory,
}

impl RunState {
    /// Whether the value at `hook` of pass `pass` has been computed, and can be looked at.
    #[must_use]
    pub fn has(&self, pass: usize, hook: Hook) -> bool {
        let is_newest = pass + 1 == self.passes.len();
        let reached = |cursor: Cursor| {
            is_newest && cursor.hook.stage() == hook.stage() && hook <= cursor.hook
        };
        self.has_stage(pass, hook.stage()) || self.cursor.is_some_and(reached)
    }

    /// Whether `stage` of pass `pass` has been executed to its end.
    #[must_use]
    pub fn has_stage(&self, pass: usize, stage: Stage) -> bool {
        let seen = self.passes.get(pass);
        seen.is_some_and(|seen| seen.executed.iter().any(|(executed, _)| *executed == stage))
    }
}

/// A pass of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct PassState {
    /// Position of its first token.
    pub start: usize,
    /// Tokens it runs over.
    pub n_pos: usize,
    /// The sizes of the pieces it runs in.
    pub boundaries: Vec<usize>,
    /// The stages that have been executed, and the seconds each took.
    pub executed: Vec<(Stage, f64)>,
    /// The hooks whose values were kept in full; every other one is recomputed when looked at.
    pub recorded: Vec<Hook>,
    /// The KV cache after it, as far as it has run.
    pub cache: CacheSize,
    /// The draw that follows it.
    pub draw: Option<DrawState>,
}

/// A drawn token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DrawState {
    /// Its id.
    pub token: u32,
    /// Its text.
    pub text: String,
    /// ln p over the full vocabulary at temperature 1.
    pub logprob: f32,
    /// How it was chosen.
    pub kind: DrawKind,
    /// The random number that pointed at it.
    pub random: Option<f64>,
    /// XTC's own random number.
    pub xtc_coin: Option<f64>,
    /// Its share of the curve it was drawn from.
    pub share: f64,
    /// How many tokens could have been drawn.
    pub n_candidates: usize,
}

/// How a token was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DrawKind {
    /// The highest logit.
    Greedy,
    /// By a random number on the cumulative curve.
    Random,
    /// Somebody said so: an edit, a branch, or the text of a stored answer.
    Forced,
}

/// The KV cache of one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerCache {
    /// Positions it holds.
    pub held: usize,
    /// Positions it has taken in; more than it holds where a rotating cache has dropped some.
    pub taken_in: usize,
    /// Bytes of the positions held.
    pub used_bytes: usize,
    /// Bytes allocated, in whole chunks.
    pub allocated_bytes: usize,
}

/// A prompt that patches can copy from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceState {
    /// What `patch(NAME)` calls it.
    pub name: String,
    /// Its tokens.
    pub texts: Vec<String>,
}

/// A verdict and where it was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunVerdict {
    /// The pass whose last logits were compared.
    pub pass: usize,
    /// What changed. [`crate::trace::measure::verdict::REMINDER`] stands below it.
    pub verdict: Verdict,
}

/// One way the text went.
#[derive(Debug, Clone, PartialEq)]
pub struct BranchState {
    /// Its number, which it keeps.
    pub id: usize,
    /// The branch that it parted from.
    pub parent: Option<usize>,
    /// The position of its first token that is its own.
    pub parts_at: usize,
    /// How it differs: `start`, `token ' Rome'`, `temperature=1.2`, `the prompt ends here`.
    pub label: String,
    /// Its tokens from `parts_at` on.
    pub texts: Vec<String>,
    /// Whether its states and caches are kept; if not, switching to it runs it again.
    pub is_kept: bool,
}

/// Memory that a run holds beside the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RunMemory {
    /// Hidden states after each stage, which going back and looking need.
    pub state_bytes: usize,
    /// Recordings of watched hooks.
    pub recorded_bytes: usize,
    /// Most bytes of recordings; `None`: no limit was set.
    pub budget_bytes: Option<usize>,
    /// Recordings that did not fit, and are recomputed when looked at.
    pub n_left_out: usize,
    /// States of other branches and of the run without edits, where they are not shared.
    pub branch_bytes: usize,
}
