//! The engine as the window sees it: requests go out, events are taken in once a frame, and no
//! frame ever waits.
//!
//! A picture asks the same question every frame and gets what is known so far; the question goes
//! out once. If the engine thread ends, another one is started and brought to where the run stood.
//!
//! | file | holds |
//! |---|---|
//! | `door.rs` | the way out: requests are sent, an engine that ended is started again |
//! | `pending.rs` | requests that have not ended, and what each is for |
//! | `arriving.rs`, `changes.rs` | the way in: what an event changes, and which answers grow old |
//! | `news.rs` | what the window is told |
//! | `asking.rs` | questions and their answers |
//! | `other.rs`, `guests.rs` | the other side of a comparison; who asks beside the explorer |

mod arriving;
mod asking;
mod changes;
mod door;
mod guests;
mod news;
mod other;
mod pending;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use anyhow::{Context as _, Result};

use self::changes::{is_about_the_run, undoes};
use self::pending::{Pending, Purpose};
use super::answers::Answers;
use crate::engine::message::{Action, Envelope, ModelChoice, OpenRequest, RequestId, SessionId};
use crate::engine::question::{Question, Told};
use crate::trace::Hook;
use crate::trace::debug::{DebugCommand, RunState};

pub use door::{Door, OpenDoor};
pub use news::{Activity, News, Urgency};
pub use other::Other;

/// The engine behind channels.
pub struct Link {
    open_door: OpenDoor,
    door: Option<Box<dyn Door>>,
    events: Sender<Envelope>,
    inbox: Receiver<Envelope>,
    next_id: u64,
    pending: BTreeMap<RequestId, Pending>,
    answers: Answers<Question, Told>,
    news: Vec<News>,
    /// What the run was opened with.
    opened: Option<OpenRequest>,
    /// What is being opened.
    opening: Option<OpenRequest>,
    run: Option<Arc<RunState>>,
    other: other::OtherSide,
    /// The session of the run, and that of its other side.
    sessions: [SessionId; 2],
    guests: guests::Guests,
    /// Where the run is recorded, its requests go here.
    recorded: Option<Box<dyn Door>>,
    /// Why the last question without an answer has none.
    refused: Option<Arc<str>>,
}

/// The session of the explorer, and that of what it is compared with.
const EXPLORER: [SessionId; 2] = [SessionId(0), SessionId(1)];
/// The session of the chat, a guest.
pub const CHAT: SessionId = SessionId(8);

impl Link {
    /// A link to an engine that is started when first needed; `wake` asks for a frame.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn new(open_door: OpenDoor, wake: impl Fn(Urgency) + Send + 'static) -> Result<Self> {
        let (events, arriving) = channel::<Envelope>();
        let (forward, inbox) = channel();
        let pass_on = move || {
            for envelope in arriving {
                let urgency = Urgency::of(&envelope.event);
                if forward.send(envelope).is_err() {
                    return;
                }
                wake(urgency);
            }
        };
        let thread = thread::Builder::new().name("events".to_owned());
        thread
            .spawn(pass_on)
            .context("cannot start a thread for the engine's events")?;
        Ok(Self {
            open_door,
            door: None,
            events,
            inbox,
            next_id: 0,
            pending: BTreeMap::new(),
            answers: Answers::default(),
            news: Vec::new(),
            opened: None,
            opening: None,
            run: None,
            other: other::OtherSide::default(),
            sessions: EXPLORER,
            guests: guests::Guests::default(),
            recorded: None,
            refused: None,
        })
    }

    /// The same link for another run and its other side, which have sessions of their own.
    #[must_use]
    pub fn in_sessions(mut self, sessions: [SessionId; 2]) -> Self {
        self.sessions = sessions;
        self
    }

    /// The session of the other side.
    #[must_use]
    pub fn other_session(&self) -> SessionId {
        let [_, other] = self.sessions;
        other
    }

    fn session(&self, purpose: Purpose) -> SessionId {
        let [own, other] = self.sessions;
        match purpose {
            Purpose::Guest { session, .. } => session,
            _ if purpose.is_of_other() => other,
            _ => own,
        }
    }

    /// Opens a run; it takes the place of the one before.
    pub fn open(&mut self, request: OpenRequest) {
        self.cancel();
        self.close_other();
        self.answers.forget(is_about_the_run);
        self.opening = Some(request.clone());
        self.send(Purpose::Open, Action::Open(Box::new(request)));
    }

    /// Lets a model go that is not used any more; who still uses it keeps it.
    pub fn unload(&mut self, model: ModelChoice) {
        self.send(Purpose::Unload, Action::Unload(model));
    }

    /// From now on the run is a recorded one, behind `door`; with `None` the engine runs it again.
    /// Open a run next: the one before is gone.
    pub fn read_through(&mut self, door: Option<Box<dyn Door>>) {
        if door.is_none() && self.recorded.is_none() {
            return;
        }
        self.close_other();
        self.forget_run();
        self.recorded = door;
    }

    /// Forgets the run and all that was asked about it; guests stay.
    fn forget_run(&mut self) {
        let is_guest = |pending: &Pending| matches!(pending.purpose, Purpose::Guest { .. });
        for pending in self.pending.values().filter(|pending| !is_guest(pending)) {
            pending.cancel.cancel();
        }
        let is_recorded = |pending: &Pending| pending.purpose == Purpose::Record;
        if self.pending.values().any(is_recorded) {
            let why = "another run was opened before it was put together".to_owned();
            self.news.push(News::NotTraced(why));
        }
        // What it still tells belongs to nobody.
        self.pending.retain(|_, pending| is_guest(pending));
        self.answers.forget(|_| true);
        self.other = other::OtherSide::default();
        (self.opened, self.opening, self.run) = (None, None, None);
    }

    /// Puts what the run has seen at `hooks` into a trace, which comes as [`News::Traced`].
    pub fn record(&mut self, hooks: Vec<Hook>) {
        let hooks = Some(hooks);
        self.send(
            Purpose::Record,
            Action::Debug(DebugCommand::Trace { hooks }),
        );
    }

    /// Tells the run something.
    pub fn tell(&mut self, command: DebugCommand) {
        let undoes = undoes(&command);
        if undoes {
            self.answers.forget(is_about_the_run);
        }
        self.send(Purpose::Command { undoes }, Action::Debug(command));
    }

    /// Stops commands under way; questions go on.
    pub fn cancel(&mut self) {
        for pending in self.pending.values() {
            if pending.purpose.is_command() {
                pending.cancel.cancel();
            }
        }
    }

    /// Cancels everything that was asked for and has not ended.
    pub fn cancel_all(&self) {
        for pending in self.pending.values() {
            pending.cancel.cancel();
        }
    }

    /// Whether a command is under way.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.commands().next().is_some()
    }

    /// Whether nothing is under way and no answer is awaited.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.pending.is_empty()
    }

    /// The command under way for longest.
    #[must_use]
    pub fn activity(&self) -> Option<Activity> {
        let pending = self.commands().next()?;
        Some(Activity {
            what: pending.purpose.what(),
            since: pending.since.elapsed(),
            progress: pending.progress,
        })
    }

    /// Takes in what the engine has told.
    pub fn receive(&mut self) {
        while let Ok(Envelope { id, event }) = self.inbox.try_recv() {
            self.take(id, event);
        }
    }

    /// Begins a frame: takes in what the engine has told.
    pub fn begin_frame(&mut self) -> Vec<News> {
        self.receive();
        self.answers.begin_frame();
        self.other.begin_frame();
        std::mem::take(&mut self.news)
    }

    fn commands(&self) -> impl Iterator<Item = &Pending> {
        let pending = self.pending.values();
        pending.filter(|pending| pending.purpose.is_command())
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.cancel_all();
    }
}

#[cfg(test)]
mod tests;
