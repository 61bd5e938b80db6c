//! The engine as a headless command uses it: ask, then follow the events to their end.

use std::sync::mpsc::{Receiver, channel};

use anyhow::Result;

use super::Engine;
use super::message::{Action, CancelToken, Envelope, Event, Request, RequestId, SessionId};

/// An engine of one's own, asked one thing at a time.
#[derive(Debug)]
pub struct Client {
    engine: Engine,
    next_id: u64,
}

impl Client {
    /// Starts an engine.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start() -> Result<Self> {
        Ok(Self {
            engine: Engine::start()?,
            next_id: 0,
        })
    }

    /// Asks for `action`; its events arrive through the returned [`Events`].
    ///
    /// # Errors
    /// If the engine has ended.
    pub fn ask(
        &mut self,
        session: SessionId,
        action: Action,
        cancel: &CancelToken,
    ) -> Result<Events> {
        let (events, inbox) = channel();
        self.next_id += 1;
        self.engine.send(Request {
            id: RequestId(self.next_id),
            session,
            action,
            cancel: cancel.clone(),
            events,
        })?;
        Ok(Events { inbox })
    }
}

/// The events of one request, in order; ends after the last one.
#[derive(Debug)]
pub struct Events {
    inbox: Receiver<Envelope>,
}

impl Iterator for Events {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        Some(self.inbox.recv().ok()?.event)
    }
}
