//! Requests that have not ended, and what each is for.

use std::time::Instant;

use crate::engine::message::{CancelToken, SessionId};

pub(super) struct Pending {
    pub(super) purpose: Purpose,
    pub(super) cancel: CancelToken,
    pub(super) since: Instant,
    pub(super) progress: Option<(usize, usize)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Open,
    /// Changes the run, or goes on with it.
    Command {
        undoes: bool,
    },
    /// Where it stands after something went wrong.
    Resume,
    Question,
    /// Lets a model go.
    Unload,
    /// Puts what the run has seen into a trace.
    Record,
    /// Opens or moves the other side of a comparison.
    Other,
    /// Asks it something.
    OtherQuestion,
    /// Of a guest, who follows the events himself.
    Guest {
        session: SessionId,
        what: &'static str,
    },
}

impl Purpose {
    pub(super) fn what(self) -> &'static str {
        match self {
            Self::Open => "open the run",
            Self::Command { .. } => "run",
            Self::Record => "put the run into a file",
            Self::Resume => "find where the run stands",
            Self::Question | Self::OtherQuestion => "answer a question",
            Self::Other => "read the other side",
            Self::Guest { what, .. } => what,
            Self::Unload => "let a model go",
        }
    }

    /// Whether it is work that one sees, and may want to stop.
    pub(super) fn is_command(self) -> bool {
        matches!(self, Self::Open | Self::Command { .. } | Self::Record)
    }

    pub(super) fn is_of_other(self) -> bool {
        matches!(self, Self::Other | Self::OtherQuestion)
    }
}
