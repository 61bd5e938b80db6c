//! What the window is told of the engine: news, the work under way, and how soon it is to be seen.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::message::Event;
use crate::trace::debug::RunState;
use crate::trace::file::Trace;

/// What the window should know of, in order.
#[derive(Debug)]
pub enum News {
    /// A run was opened: everything before it is gone.
    Opened(Arc<RunState>),
    /// Where the run stands now.
    Run(Arc<RunState>),
    /// What the run has seen, as [`Link::record`](super::Link::record) asked.
    Traced(Box<Trace>),
    /// It could not be put into a trace, and why.
    NotTraced(String),
    /// Something to tell, and nothing else.
    Notice(String),
    /// No run was opened: the one before, if there is one, is still there.
    NotOpened(String),
    /// What was asked for did not work.
    Failed {
        /// What was asked for: "open the run".
        what: &'static str,
        /// Why, and what to do.
        why: String,
    },
}

/// Work under way that one may want to stop.
#[derive(Debug, Clone)]
pub struct Activity {
    /// What it is: "open the run".
    pub what: &'static str,
    /// Since when.
    pub since: Duration,
    /// Done and to do, where it is known.
    pub progress: Option<(usize, usize)>,
}

/// How soon an event wants a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// At once.
    Now,
    /// With others: tokens come faster than anyone reads.
    Soon,
}

impl Urgency {
    pub(super) fn of(event: &Event) -> Self {
        match event {
            Event::Token { .. } | Event::Prefill { .. } | Event::Progress { .. } => Self::Soon,
            _ => Self::Now,
        }
    }
}
