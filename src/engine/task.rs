//! Work in small pieces: what lets several sessions share one thread.

use std::sync::mpsc::{Sender, channel};

use super::message::{Envelope, Event, RequestId};

/// What a piece of work leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// There is more to do.
    More,
    /// The last event was sent.
    Ended,
}

/// Where the events of one request go. Nobody listening is no error: a closed window must not
/// disturb the others.
#[derive(Debug, Clone)]
pub struct Outbox {
    id: RequestId,
    events: Sender<Envelope>,
}

impl Outbox {
    /// The outbox of request `id`.
    #[must_use]
    pub fn new(id: RequestId, events: Sender<Envelope>) -> Self {
        Self { id, events }
    }

    /// An outbox that nobody reads.
    #[must_use]
    pub fn nowhere() -> Self {
        Self::new(RequestId(0), channel().0)
    }

    /// Sends an event.
    pub fn send(&self, event: Event) {
        let _ = self.events.send(Envelope { id: self.id, event });
    }
}
