//! One pass over the network as a state machine: the only forward pass there is.
//!
//! Chat runs it to the end, a debugger stops wherever it likes; both call the same stages.

use anyhow::{Context as _, Result};
use mlx_rs::Array;
use mlx_rs::ops::indexing::TryIndexOp;
use mlx_rs::transforms::eval;

use super::context::Context;
use crate::model::Model;
use crate::model::probe::Probe;
use crate::trace::Stage;

/// Which positions get logits. The head is the largest matrix of most models, and a prompt needs
/// it for its last position only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogitRows {
    /// None: a chunk of a prompt that goes on.
    None,
    /// The last position.
    Last,
    /// Every position.
    All,
}

/// A pass over some tokens that stand after what a cache holds.
///
/// Nothing after the current stage has been computed.
#[derive(Debug, Clone)]
pub struct Pass {
    start: usize,
    ids: Vec<u32>,
    rows: LogitRows,
    n_layers: usize,
    next: Option<Stage>,
    /// What the next stage reads: `[pos, d_model]`, and `[row, vocab]` after the last stage.
    hidden: Option<Array>,
}

impl Pass {
    /// A pass over `ids`, the first of which stands at position `start`, before its first stage.
    #[must_use]
    pub fn new(model: &Model, start: usize, ids: Vec<u32>, rows: LogitRows) -> Self {
        Self {
            start,
            ids,
            rows,
            n_layers: model.n_layers(),
            next: Some(Stage::Embed),
            hidden: None,
        }
    }

    /// Position of its first token.
    #[must_use]
    pub fn start(&self) -> usize {
        self.start
    }

    /// Position of the first row that `stage` reads: the head is asked about the last one, where
    /// nobody wants more.
    #[must_use]
    pub fn first_row(&self, stage: Stage) -> usize {
        match (self.rows, stage) {
            (LogitRows::Last, Stage::FinalNorm | Stage::Logits) => {
                (self.start + self.ids.len()).saturating_sub(1)
            }
            _ => self.start,
        }
    }

    /// The tokens this pass runs over.
    #[must_use]
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// The stage that [`Pass::step`] executes next; `None` at the end.
    #[must_use]
    pub fn next_stage(&self) -> Option<Stage> {
        self.next
    }

    /// What the executed stages have made of the tokens: `[pos, d_model]`, and at the end of a
    /// pass that asked for logits, `[row, vocab]`.
    #[must_use]
    pub fn hidden(&self) -> Option<&Array> {
        self.hidden.as_ref()
    }

    /// Puts the pass back before `stage`, with what that stage reads. The caller trims the caches.
    pub fn rewind(&mut self, stage: Stage, hidden: Option<Array>) {
        let is_over =
            self.rows == LogitRows::None && matches!(stage, Stage::FinalNorm | Stage::Logits);
        self.next = (!is_over).then_some(stage);
        self.hidden = hidden;
    }

    /// Lets go of what the last stage has made.
    pub fn let_go(&mut self) {
        self.hidden = None;
    }

    /// Executes exactly one stage and waits for its result. Returns the stage, or `None` if the
    /// pass was at its end.
    ///
    /// # Errors
    /// If a token is beyond the vocabulary, MLX fails, or the probe stops the pass.
    pub fn step(
        &mut self,
        model: &Model,
        context: &mut Context,
        probe: &mut dyn Probe,
    ) -> Result<Option<Stage>> {
        let stage = self.build(model, context, probe)?;
        if let Some(stage) = stage {
            let cache = match stage {
                Stage::Block(layer) => context.layer(layer)?.arrays().collect(),
                _ => Vec::new(),
            };
            eval(self.hidden.iter().chain(cache))?;
        }
        Ok(stage)
    }

    /// Builds what is left of the pass as one graph, without waiting for it.
    ///
    /// # Errors
    /// As [`Pass::step`].
    pub fn run(
        &mut self,
        model: &Model,
        context: &mut Context,
        probe: &mut dyn Probe,
    ) -> Result<()> {
        while self.build(model, context, probe)?.is_some() {}
        Ok(())
    }

    /// The logits, `[row, vocab]`, of a pass that has ended and asked for them.
    ///
    /// # Errors
    /// If the pass has not ended.
    pub fn logits(&self) -> Result<&Array> {
        let ended = self.next.is_none() && self.rows != LogitRows::None;
        let logits = self.hidden.as_ref().filter(|_| ended);
        logits.context("the pass has not come to its logits")
    }

    /// Builds the graph of one stage.
    fn build(
        &mut self,
        model: &Model,
        context: &mut Context,
        probe: &mut dyn Probe,
    ) -> Result<Option<Stage>> {
        let Some(stage) = self.next else {
            return Ok(None);
        };
        let hidden = || self.hidden.as_ref().context("no stage has run yet");
        let result = match stage {
            Stage::Embed => model.embed(&self.ids, self.start, probe)?,
            Stage::Block(layer) => {
                model.block(layer, hidden()?, context.layer_mut(layer)?, probe)?
            }
            Stage::FinalNorm => model.final_norm(&self.kept_rows(hidden()?)?, probe)?,
            Stage::Logits => model.unembed(hidden()?, probe)?,
        };
        self.hidden = Some(result);
        self.next = stage.next(self.n_layers);
        let last_block = stage == Stage::Block(self.n_layers.saturating_sub(1));
        if last_block {
            context.note(&self.ids);
            if self.rows == LogitRows::None {
                self.next = None;
            }
        }
        Ok(Some(stage))
    }

    /// The rows that the head is asked about.
    fn kept_rows(&self, hidden: &Array) -> Result<Array> {
        Ok(match self.rows {
            LogitRows::Last => hidden.try_index(hidden.dim(0) - 1..)?, // [1, d_model]
            LogitRows::All | LogitRows::None => hidden.clone(),
        })
    }
}
