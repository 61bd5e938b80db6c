//! Answering questions: each is one piece of work on the engine thread, between stages.
//!
//! What a question means is said in [`super::question`]; here it is handed to the measure that
//! knows. One file per subject: the run, weights and embeddings, texts and tokens.

mod attention_parity;
mod compare;
mod long;
mod of_run;
mod of_text;
mod of_weights;
mod parity;
mod sweep;

use std::rc::Rc;

use anyhow::{Context as _, Result};

use super::debugger::Debugger;
use super::loaded::{LoadedModel, Models};
use super::measures::{Looking, probe_heads};
use super::message::{CancelToken, Event, ModelChoice};
use super::question::{MachineSpeed, Question, Told};
use super::task::Outbox;
use crate::model::kernels::Machine;

pub use long::LongAnswer;
pub use of_text::family_of;
pub use parity::ParityCheck;
pub use sweep::parse_change;

/// What an answer may draw on.
pub struct Answering<'a> {
    models: &'a mut Models,
    debugger: Option<&'a mut Debugger>,
    /// The run of the session that this one is compared with.
    other: Option<&'a mut Debugger>,
    cancel: &'a CancelToken,
    out: &'a Outbox,
}

impl<'a> Answering<'a> {
    /// Answers from the loaded models and the run of a session.
    pub fn new(
        models: &'a mut Models,
        debugger: Option<&'a mut Debugger>,
        cancel: &'a CancelToken,
        out: &'a Outbox,
    ) -> Self {
        Self {
            models,
            debugger,
            other: None,
            cancel,
            out,
        }
    }

    /// Compares with this run, where the question asks for a comparison.
    #[must_use]
    pub fn beside(mut self, other: Option<&'a mut Debugger>) -> Self {
        self.other = other;
        self
    }

    /// The answer to `question`.
    ///
    /// # Errors
    /// If there is no run or model to ask, what is asked for has not been computed or does not
    /// exist, MLX fails, or it was cancelled.
    pub fn answer(&mut self, question: Question) -> Result<Told> {
        use Question as Ask;
        match question {
            Ask::Row { .. }
            | Ask::Slice { .. }
            | Ask::WeightHistogram { .. }
            | Ask::Nearest { .. }
            | Ask::Arithmetic { .. }
            | Ask::Axes { .. }
            | Ask::Plane { .. }
            | Ask::Similarity { .. } => self.of_weights(question),
            Ask::Tokens { .. }
            | Ask::CountTokens { .. }
            | Ask::Variants { .. }
            | Ask::Vocabulary { .. }
            | Ask::SearchVocabulary { .. }
            | Ask::Template { .. }
            | Ask::Inspect { .. }
            | Ask::Family { .. } => self.of_text(question),
            Ask::ProbeHeads { model, text } => {
                let loaded = self.loaded(model.as_ref())?;
                probe_heads(&loaded, text, &[], self.cancel).map(Told::Heads)
            }
            Ask::Memory => self.memory(),
            Ask::Compare { tolerance, .. } => self.compare(tolerance),
            Ask::Machine => Ok(Told::Machine(machine_speed())),
            question => self.of_run(question),
        }
    }

    /// The session's run.
    fn debugger(&mut self) -> Result<&mut Debugger> {
        let debugger = self.debugger.as_deref_mut();
        debugger.context("there is no run to ask about yet: open one first")
    }

    fn looking(&mut self) -> Result<Looking<'_>> {
        let cancel = self.cancel;
        Ok(Looking::new(self.debugger()?.run_mut(), cancel))
    }

    /// The model of `choice`, loaded if it is not there; that of the session's run where nobody
    /// chose one.
    fn loaded(&mut self, choice: Option<&ModelChoice>) -> Result<Rc<LoadedModel>> {
        match choice {
            None => Ok(Rc::clone(self.debugger()?.run().loaded())),
            Some(choice) => {
                let (loaded, warnings) = self.models.get(choice)?;
                for warning in warnings {
                    self.out.send(Event::Notice(warning));
                }
                Ok(loaded)
            }
        }
    }
}

/// This machine's limits, measured anew.
fn machine_speed() -> MachineSpeed {
    let machine = Machine::measure();
    MachineSpeed {
        bytes_per_second: machine.bandwidth.map(|gigabytes| gigabytes * 1e9),
        flops_per_second: machine.gflops * 1e9,
        n_threads: machine.n_threads,
    }
}
