//! Answers that take long: they are worked on in small turns, so that others are served between.

use anyhow::Result;

use super::parity::ParityCheck;
use super::sweep::Sweep;
use crate::engine::debugger::Debugger;
use crate::engine::message::{CancelToken, Event};
use crate::engine::question::{Question, Told};
use crate::engine::task::{Outbox, Turn};

/// An answer under way.
pub enum LongAnswer {
    /// A table that fills cell by cell.
    Sweep(Box<Sweep>),
    /// Checks that are made while nothing else is to do.
    Parity(Box<ParityCheck>),
}

impl LongAnswer {
    /// Begins the answer to `question`, if it is one that takes long.
    ///
    /// # Errors
    /// If the run has not come so far, or what is asked for does not fit it.
    pub fn begin(
        question: &Question,
        debugger: &mut Debugger,
        cancel: &CancelToken,
    ) -> Result<Option<Self>> {
        Ok(match question {
            Question::Sweep(plan) => {
                let sweep = Sweep::new(plan.clone(), debugger, cancel)?;
                Some(Self::Sweep(Box::new(sweep)))
            }
            Question::Parity => {
                let check = ParityCheck::new(debugger.run(), debugger.version())?;
                Some(Self::Parity(Box::new(check)))
            }
            _ => None,
        })
    }

    /// Whether it waits for everything else.
    #[must_use]
    pub fn is_background(&self) -> bool {
        matches!(self, Self::Parity(_))
    }

    /// One turn of work. `put_off` is set when a request arrives: background work then stops where
    /// it is, and that piece of it is done again.
    ///
    /// # Errors
    /// If MLX fails, the run no longer has what was asked about, or it was cancelled.
    pub fn advance(
        &mut self,
        debugger: &mut Debugger,
        cancel: &CancelToken,
        put_off: &CancelToken,
        out: &Outbox,
    ) -> Result<Turn> {
        let told = match self {
            Self::Sweep(sweep) => {
                let table = sweep.advance(debugger.run_mut(), cancel)?;
                let (done, total) = sweep.progress();
                out.send(Event::Progress { done, total });
                table.map(Told::Sweep)
            }
            Self::Parity(check) => {
                let version = debugger.version();
                if !check.is_current(debugger.run(), version) {
                    **check = ParityCheck::new(debugger.run(), version)?;
                }
                match check.advance(debugger.run_mut(), put_off) {
                    Err(_) if put_off.is_cancelled() => None,
                    parity => parity?.map(Told::Parity),
                }
            }
        };
        let Some(told) = told else {
            return Ok(Turn::More);
        };
        out.send(Event::Told(Box::new(told)));
        Ok(Turn::Ended)
    }
}
