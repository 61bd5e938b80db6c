//! A recorded run behind the engine's messages: whoever asks the engine can ask this instead, and
//! no model is needed.
//!
//! A thread of its own reads the file, so that a large one never holds up a frame. It answers from
//! what was recorded; what was not is refused in one sentence that says so. The run can be stepped
//! through, back and forth, as far as it was recorded; it cannot be changed.

mod answers;
mod attention;
mod logits;
mod residual;
mod stand;
mod state;
mod values;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use anyhow::{Context as _, Result, bail, ensure};

use self::stand::Stand;
use self::values::Values;
use crate::engine::message::{Action, Envelope, Event, Request};
use crate::trace::debug::DebugCommand;
use crate::trace::file::{Trace, TraceFile, TraceMeta};
use crate::trace::measure::family::FamilyView;
use crate::trace::{Address, Hook, HostTensor, Place};

/// Refused because it would change the run.
const UNCHANGEABLE: &str = "this run was recorded: it can be looked at and stepped through, but \
                            not changed. Open its prompt with a model to try that";
/// Refused because it takes weights.
const NEEDS_MODEL: &str = "this takes the model's weights, and the recording holds only what the \
                           run computed";
/// Refused because it takes the vocabulary.
const NEEDS_TOKENIZER: &str = "this takes the model's tokenizer, and the recording holds the texts of \
                               the tokens it speaks of alone";

/// The thread that reads a trace file.
#[derive(Debug)]
pub struct RecordedRun {
    requests: Sender<Request>,
}

impl RecordedRun {
    /// Starts the thread; the file is read when the run is opened.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(path: &Path) -> Result<Self> {
        let (requests, inbox) = channel();
        let path = path.to_owned();
        let thread = thread::Builder::new().name("recorded-run".to_owned());
        thread
            .spawn(move || serve(&path, &inbox))
            .context("cannot start a thread for the recorded run")?;
        Ok(Self { requests })
    }

    /// Hands over a request, as to an engine.
    ///
    /// # Errors
    /// If the thread has ended.
    pub fn send(&self, request: Request) -> Result<()> {
        let sent = self.requests.send(request);
        sent.ok()
            .context("the thread of the recorded run has ended")
    }
}

/// What a trace says of its run, after it was checked.
///
/// # Errors
/// If it cannot be read, is no trace, or cannot be shown.
pub fn peek(path: &Path) -> Result<TraceMeta> {
    Ok(Player::open(path)?.values.meta)
}

/// The value at `address` in a trace file.
///
/// # Errors
/// If it cannot be read, or does not hold that value.
pub fn value(path: &Path, address: &Address) -> Result<HostTensor> {
    Player::open(path)?.values.look(address)
}

fn serve(path: &Path, inbox: &Receiver<Request>) {
    let mut player: Option<Player> = None;
    for request in inbox {
        if request.cancel.is_cancelled() {
            tell(&request, Event::Cancelled);
            continue;
        }
        let event = match (&request.action, &mut player) {
            (Action::Open(_), player) => Player::open(path).map(|opened| {
                let player = player.insert(opened);
                Event::Run(Box::new(player.state()))
            }),
            (Action::Clear, _) => Ok(Event::Done),
            (Action::Debug(command), Some(player)) => player.obey(command),
            (Action::Ask(question), Some(player)) => {
                let told = player.answer((**question).clone());
                told.map(|told| Event::Told(Box::new(told)))
            }
            (_, None) => Err(anyhow::anyhow!("the recorded run is not open")),
            _ => Err(anyhow::anyhow!(NEEDS_MODEL)),
        };
        let event = event.unwrap_or_else(|why| Event::Failed(format!("{why:#}")));
        tell(&request, event);
    }
}

fn tell(request: &Request, event: Event) {
    // Nobody listening is no error: the window was closed.
    let _ = request.events.send(Envelope {
        id: request.id,
        event,
    });
}

/// A recorded run, and where one stands in it.
struct Player {
    values: Values,
    family: FamilyView,
    stand: Stand,
    path: PathBuf,
}

impl Player {
    fn open(path: &Path) -> Result<Self> {
        let file = TraceFile::open(path)?;
        let family = check(&file.meta)
            .with_context(|| format!("the trace {} cannot be shown", path.display()))?;
        let hooks: Vec<Hook> = file
            .meta
            .model
            .hooks
            .iter()
            .filter_map(|hook| hook.parse().ok())
            .collect();
        Ok(Self {
            stand: Stand::at_end(&file.meta, hooks),
            values: Values::new(file, &family),
            family,
            path: path.to_owned(),
        })
    }

    fn meta(&self) -> &TraceMeta {
        &self.values.meta
    }

    fn obey(&mut self, command: &DebugCommand) -> Result<Event> {
        match command {
            DebugCommand::Look(address) => {
                return Ok(Event::Looked(Box::new(self.values.look(address)?)));
            }
            DebugCommand::Trace { hooks } => {
                let mut trace = Trace::open(&self.path)?;
                if let Some(hooks) = hooks {
                    trace.tensors.retain(|name, _| is_one_of(name, hooks));
                }
                return Ok(Event::Traced(Box::new(trace)));
            }
            DebugCommand::Breakpoints(list) if list.is_empty() => {}
            DebugCommand::State | DebugCommand::Watch { .. } => {}
            DebugCommand::Steps(_)
            | DebugCommand::Into(_)
            | DebugCommand::Layer
            | DebugCommand::Tokens(_)
            | DebugCommand::End { .. }
            | DebugCommand::To(_)
            | DebugCommand::Back
            | DebugCommand::BackInto
            | DebugCommand::Rewind(_)
            | DebugCommand::Stand(_) => self.stand.go(command, &self.values.meta)?,
            _ => bail!(UNCHANGEABLE),
        }
        Ok(Event::Run(Box::new(self.state())))
    }
}

/// Whether a tensor is the value at one of `hooks`, in whichever pass.
fn is_one_of(name: &str, hooks: &[Hook]) -> bool {
    let address: Result<Address, _> = name.parse();
    matches!(address, Ok(Address { place: Place::Hook(hook), .. }) if hooks.contains(&hook))
}

/// Refuses a description that contradicts itself, so that no picture has to; gives the model's
/// shape.
fn check(meta: &TraceMeta) -> Result<FamilyView> {
    let family = meta.companion.family.clone();
    let family = family.context(
        "it lacks the model's shape, because an earlier version wrote it: write it again with \
         vitrine trace",
    )?;
    ensure!(!meta.passes.is_empty(), "it holds no pass");
    let mut end = 0_usize;
    for (number, pass) in meta.passes.iter().enumerate() {
        let n_pos = pass
            .boundaries
            .iter()
            .try_fold(0_usize, |n, piece| n.checked_add(*piece));
        let n_pos = n_pos.filter(|n| *n > 0 && pass.start == end);
        let reached = n_pos.and_then(|n| end.checked_add(n));
        let reached = reached.filter(|reached| *reached <= meta.tokens.len());
        end = reached.with_context(|| {
            format!("it is damaged: pass {number} does not follow from the text before it")
        })?;
    }
    ensure!(
        meta.companion.prompt_len <= end,
        "it is damaged: its prompt is longer than its text"
    );
    Ok(family)
}
