//! Guests: those who ask the engine beside the explorer, e.g. the chat. Each has a session of its
//! own, and gets the events of its requests as they came.

use std::collections::BTreeMap;

use super::{Link, Purpose};
use crate::engine::message::{Action, CancelToken, Envelope, Event, RequestId, SessionId};
use crate::engine::question::Question;

/// Events that wait to be fetched.
#[derive(Debug, Default)]
pub(super) struct Guests {
    waiting: BTreeMap<SessionId, Vec<Envelope>>,
}

impl Link {
    /// Sends a request of a guest; `what` names it where it fails: "answer". Returns `None` where
    /// the engine has ended, which is told as news.
    pub fn request(
        &mut self,
        session: SessionId,
        what: &'static str,
        action: Action,
    ) -> Option<(RequestId, CancelToken)> {
        self.send(Purpose::Guest { session, what }, action)
    }

    /// What happened to the requests of a guest since this was last called, in order. Each request
    /// ends in exactly one event that ends it.
    pub fn events(&mut self, session: SessionId) -> Vec<Envelope> {
        self.guests.waiting.remove(&session).unwrap_or_default()
    }

    /// Keeps an event for its guest. Returns whether it was the last one of its request.
    pub(super) fn keep_for(&mut self, session: SessionId, id: RequestId, event: Event) -> bool {
        let is_last = event.is_last();
        let waiting = self.guests.waiting.entry(session).or_default();
        waiting.push(Envelope { id, event });
        if is_last {
            // What is in memory has changed.
            self.answers
                .renew(|question| matches!(question, Question::Memory));
        }
        is_last
    }

    /// The engine has ended: every request of a guest fails.
    pub(super) fn fail_guests(&mut self) {
        let pending = self.pending.iter();
        let of_guests: Vec<_> = pending
            .filter_map(|(id, pending)| match pending.purpose {
                Purpose::Guest { session, .. } => Some((session, *id)),
                _ => None,
            })
            .collect();
        for (session, id) in of_guests {
            let why = "the engine stopped, and was started again: ask once more";
            self.keep_for(session, id, Event::Failed(why.to_owned()));
        }
    }
}
