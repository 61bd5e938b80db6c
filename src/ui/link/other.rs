//! The other side of a comparison: a run in a session of its own, beside the explorer's.

use std::sync::Arc;

use super::{Link, Purpose};
use crate::engine::message::{Action, Event, OpenRequest, RequestId};
use crate::engine::question::{Question, Told};
use crate::trace::debug::{DebugCommand, RunState};
use crate::ui::answers::{Answers, Asked, Known};

/// What is known of the other side.
#[derive(Debug, Clone, Default)]
pub enum Other {
    /// There is none.
    #[default]
    Closed,
    /// It is being read.
    Opening,
    /// It stands at its logits.
    Ready(Arc<RunState>),
    /// It cannot be read, and why.
    Failed(Arc<str>),
}

/// The other side, and what was told of it.
#[derive(Debug, Default)]
pub(super) struct OtherSide {
    known: Other,
    answers: Answers<Question, Told>,
    /// Requests that have not ended.
    n_awaited: usize,
}

impl Link {
    /// Opens another run beside the explorer's: what was opened there, changed by `change`; then
    /// tells it `then`. It takes the place of the other side before.
    pub fn open_other(&mut self, change: impl FnOnce(&mut OpenRequest), then: DebugCommand) {
        let Some(mut request) = self.opened.clone() else {
            return;
        };
        change(&mut request);
        self.close_other();
        self.other.known = Other::Opening;
        self.other.n_awaited = 2;
        self.send(Purpose::Other, Action::Open(Box::new(request)));
        self.send(Purpose::Other, Action::Debug(then));
    }

    /// Tells the other side something.
    pub fn tell_other(&mut self, command: DebugCommand) {
        self.other.n_awaited += 1;
        self.send(Purpose::Other, Action::Debug(command));
    }

    /// What is known of the other side.
    #[must_use]
    pub fn other(&self) -> Other {
        self.other.known.clone()
    }

    /// The answer of the other side to `question`; as [`Link::ask`].
    pub fn ask_other(&mut self, question: &Question) -> Asked<Told> {
        if let Some(Known {
            answer,
            is_old: false,
        }) = self.other.answers.get(question)
        {
            return answer;
        }
        let ask = Action::Ask(Box::new(question.clone()));
        if let Some((id, cancel)) = self.send(Purpose::OtherQuestion, ask) {
            self.other.answers.asked(question.clone(), id, cancel);
        }
        Asked::Waiting
    }

    /// Lets the other side go.
    pub fn close_other(&mut self) {
        if matches!(self.other.known, Other::Closed) {
            return;
        }
        self.other.answers.forget(|_| true);
        let is_other = |purpose| matches!(purpose, Purpose::Other | Purpose::OtherQuestion);
        for pending in self
            .pending
            .values()
            .filter(|pending| is_other(pending.purpose))
        {
            pending.cancel.cancel();
        }
        // What it still tells belongs to nobody.
        self.pending.retain(|_, pending| !is_other(pending.purpose));
        self.other = OtherSide::default();
        self.send(Purpose::Other, Action::Clear);
    }
}

impl OtherSide {
    pub(super) fn begin_frame(&mut self) {
        self.answers.begin_frame();
    }

    /// Takes in the last event of a request of the other side.
    pub(super) fn end(&mut self, id: RequestId, purpose: Purpose, event: Event) {
        if purpose == Purpose::OtherQuestion {
            match event {
                Event::Told(told) => {
                    let n_bytes = crate::ui::weigh::n_bytes(&told);
                    self.answers.told(id, Ok(*told), n_bytes);
                }
                Event::Failed(why) => {
                    self.answers.told(id, Err(why), 0);
                }
                _ => self.answers.drop_request(id),
            }
            return;
        }
        self.n_awaited = self.n_awaited.saturating_sub(1);
        match event {
            Event::Run(state) if self.n_awaited == 0 => {
                self.answers.forget(|_| true);
                self.known = Other::Ready(Arc::new(*state));
            }
            Event::Failed(why) if matches!(self.known, Other::Opening) => {
                self.known = Other::Failed(why.into());
            }
            _ => {}
        }
    }
}
