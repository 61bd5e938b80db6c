//! The door to the engine: requests go out through it, and where it is found shut another engine is started.

use std::time::Instant;

use anyhow::Result;

use super::changes::n_steps;
use super::other::OtherSide;
use super::{Link, News, Pending, Purpose};
use crate::engine::message::{Action, CancelToken, Request, RequestId};
use crate::trace::debug::DebugCommand;

/// A way to an engine.
pub trait Door {
    /// Hands over a request.
    ///
    /// # Errors
    /// If the engine has ended.
    fn send(&self, request: Request) -> Result<()>;
}

/// Starts an engine.
pub type OpenDoor = Box<dyn Fn() -> Result<Box<dyn Door>>>;

impl Link {
    /// Sends a request, through a new door if the old one is shut.
    pub(super) fn send(
        &mut self,
        purpose: Purpose,
        action: Action,
    ) -> Option<(RequestId, CancelToken)> {
        self.next_id += 1;
        let id = RequestId(self.next_id);
        let cancel = CancelToken::default();
        let request = Request {
            id,
            session: self.session(purpose),
            action,
            cancel: cancel.clone(),
            events: self.events.clone(),
        };
        if let Err(error) = self.through_door(request) {
            self.lost(purpose, &error);
            return None;
        }
        let pending = Pending {
            purpose,
            cancel: cancel.clone(),
            since: Instant::now(),
            progress: None,
        };
        self.pending.insert(id, pending);
        Some((id, cancel))
    }

    fn through_door(&mut self, request: Request) -> Result<()> {
        if self.sessions.contains(&request.session)
            && let Some(recorded) = &self.recorded
        {
            return recorded.send(request);
        }
        let door = match self.door.take() {
            Some(door) => door,
            None => (self.open_door)()?,
        };
        self.door.insert(door).send(request)
    }

    /// The engine has ended: nothing that was asked will be answered. Another one is started, and
    /// brought to where the run stood.
    fn lost(&mut self, purpose: Purpose, error: &anyhow::Error) {
        let is_guest = matches!(purpose, Purpose::Guest { .. });
        if !is_guest && self.recorded.take().is_some() {
            // The reader of the recorded run has ended; the engine has not.
            self.forget_run();
            self.news.push(News::NotOpened(format!("{error:#}")));
            return;
        }
        self.door = None;
        self.fail_guests();
        self.pending.clear();
        self.answers.forget(|_| true);
        self.other = OtherSide::default();
        if purpose == Purpose::Open || self.opened.is_none() {
            self.news.push(News::NotOpened(format!("{error:#}")));
            return;
        }
        let text =
            "The engine stopped, and was started again. The run goes back to where it stood.";
        self.news.push(News::Notice(text.to_owned()));
        self.reopen();
    }

    /// Asks where the run stands.
    pub(super) fn resume(&mut self) {
        self.send(Purpose::Resume, Action::Debug(DebugCommand::State));
    }

    /// Opens the run once more, and steps it to where it stood.
    pub(super) fn reopen(&mut self) {
        let (Some(request), Some(run)) = (self.opened.clone(), self.run.clone()) else {
            return;
        };
        self.send(Purpose::Open, Action::Open(Box::new(request)));
        let n_steps = n_steps(&run);
        if n_steps > 0 {
            self.tell(DebugCommand::Steps(n_steps));
        }
    }
}
