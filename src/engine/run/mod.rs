//! A run: passes over a growing text that can be stepped, looked into, rewound and changed.
//!
//! What makes going back cheap: the hidden state after every stage is kept, `[pos, d_model]` each,
//! so a run goes back by forgetting the latest states and trimming the caches. Everything else
//! inside a stage is recomputed on demand from the state before it, by the same operations on the
//! same shapes, so it comes out bit for bit as it was.
//!
//! `stages` goes forward, `back` goes back, `inside` stops inside a stage, `looking` shows
//! values, `changing` takes other edits, other tokens and other settings, `caches` knows the
//! caches as they were before any pass.

mod back;
mod caches;
mod changing;
mod inside;
mod join;
mod logical;
mod looking;
mod stages;

use std::collections::BTreeMap;
use std::rc::Rc;

use anyhow::{Context as _, Result, ensure};

use super::context::Context;
use super::loaded::LoadedModel;
use super::pass::{LogitRows, Pass};
use super::sampler::{Sampler, SamplingParams};
use super::watch::{EditState, Watch};
use crate::model::cache::CacheOptions;
use crate::trace::Stage;
use crate::trace::debug::Cursor;
use crate::trace::edit::Edit;

pub use crate::trace::debug::Next;
pub use changing::{Departure, Standing, StoredDraw};
pub use logical::LogicalPass;

/// How a run runs.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// How tokens are chosen.
    pub sampling: SamplingParams,
    /// Start of the random numbers.
    pub seed: u64,
    /// How keys and values are kept.
    pub cache: CacheOptions,
    /// What is kept of every stage besides the hidden states.
    pub watch: Watch,
    /// Most bytes of recordings; what comes later is recomputed on demand.
    pub budget_bytes: Option<usize>,
    /// Sizes of the pieces the prompt runs in; empty: as [`crate::model::Model::prefill_chunk`].
    pub chunks: Vec<usize>,
    /// Give every position of the prompt logits, not the last one only.
    pub all_logits: bool,
    /// Tokens that end the run.
    pub end_tokens: Vec<u32>,
    /// The draws of a stored text, which the run follows.
    pub script: Vec<StoredDraw>,
}

/// Passes over a text, and where they stand.
#[derive(Clone)]
pub struct Run {
    loaded: Rc<LoadedModel>,
    options: RunOptions,
    context: Context,
    edits: EditState,
    sampler: Sampler,
    ids: Vec<u32>,
    prompt_len: usize,
    passes: Vec<LogicalPass>,
    next: Next,
    cursor: Option<Cursor>,
    /// Where the text goes another way than the sampler says, by pass.
    departures: BTreeMap<usize, Departure>,
    n_left_out: usize,
}

/// How many of the latest passes keep a copy of a rotating cache; earlier ones are replayed.
const N_SNAPSHOTS: usize = 32;

impl Run {
    /// A run over `prompt`, before its first stage.
    ///
    /// # Errors
    /// If the prompt is empty, its chunks do not add up, or a setting is out of range.
    pub fn new(
        loaded: Rc<LoadedModel>,
        prompt: Vec<u32>,
        edits: &[Edit],
        options: RunOptions,
    ) -> Result<Self> {
        ensure!(
            !prompt.is_empty(),
            "the prompt is empty: there is nothing to run"
        );
        let context = Context::new(loaded.model.n_layers(), options.cache);
        let sampler = Sampler::new(options.sampling.clone(), options.seed)?;
        let mut run = Self {
            loaded,
            context,
            edits: EditState::new(edits),
            sampler,
            prompt_len: prompt.len(),
            ids: prompt,
            passes: Vec::new(),
            next: Next::Stage(Stage::Embed),
            cursor: None,
            departures: BTreeMap::new(),
            n_left_out: 0,
            options,
        };
        run.begin_prompt()?;
        Ok(run)
    }

    /// The model that runs.
    #[must_use]
    pub fn loaded(&self) -> &Rc<LoadedModel> {
        &self.loaded
    }

    /// The text so far, as ids.
    #[must_use]
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// The passes so far; the last one is under way.
    #[must_use]
    pub fn passes(&self) -> &[LogicalPass] {
        &self.passes
    }

    /// Pass `number`; 0 is the prefill.
    ///
    /// # Errors
    /// If it has not begun.
    pub fn pass(&self, number: usize) -> Result<&LogicalPass> {
        self.passes.get(number).context("there is no such pass yet")
    }

    /// The logits that pass `number` draws from, `[vocab]`.
    ///
    /// # Errors
    /// If it has not come to them.
    pub fn logits(&self, number: usize) -> Result<&[f32]> {
        let logits = self.pass(number)?.logits();
        logits.with_context(|| format!("pass {number} has not come to its logits yet"))
    }

    /// What [`Run::step`] does next.
    #[must_use]
    pub fn next(&self) -> Next {
        self.next
    }

    /// Where inside the next stage the run stands, if it was stepped into.
    #[must_use]
    pub fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// How many tokens the prompt has.
    #[must_use]
    pub fn prompt_len(&self) -> usize {
        self.prompt_len
    }

    /// The settings that the next draw is made with.
    #[must_use]
    pub fn sampling(&self) -> &SamplingParams {
        self.sampler.params()
    }

    /// Start of the random numbers.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.sampler.seed()
    }

    /// Keeps these values of every stage that is executed from now on, within the budget.
    pub fn watch(&mut self, watch: Watch, budget_bytes: Option<usize>) {
        self.options.watch = watch;
        self.options.budget_bytes = budget_bytes;
    }

    /// How the run runs.
    #[must_use]
    pub fn options(&self) -> &RunOptions {
        &self.options
    }

    /// The edits and what they copy from.
    #[must_use]
    pub fn edits(&self) -> &EditState {
        &self.edits
    }

    /// How many recordings did not fit into the budget.
    #[must_use]
    pub fn n_left_out(&self) -> usize {
        self.n_left_out
    }

    /// The KV cache.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    fn begin_prompt(&mut self) -> Result<()> {
        let sizes = match self.options.chunks.as_slice() {
            [] => {
                let size = self.loaded.model.prefill_chunk();
                self.ids.chunks(size).map(<[u32]>::len).collect()
            }
            sizes => sizes.to_vec(),
        };
        let fits = sizes.iter().sum::<usize>() == self.ids.len() && !sizes.contains(&0);
        ensure!(fits, "the chunks do not add up to the prompt");
        self.begin_pass(0, &sizes);
        Ok(())
    }

    /// Begins a pass over the ids from `start` on.
    fn begin_pass(&mut self, start: usize, sizes: &[usize]) {
        let mut chunks = Vec::with_capacity(sizes.len());
        let mut at = start;
        for (number, size) in sizes.iter().enumerate() {
            let ids = self.ids.get(at..at + size).unwrap_or_default().to_vec();
            let is_last = number + 1 == sizes.len();
            let rows = match (self.options.all_logits, is_last) {
                (true, _) => LogitRows::All,
                (false, true) => LogitRows::Last,
                (false, false) => LogitRows::None,
            };
            chunks.push(Pass::new(&self.loaded.model, at, ids, rows));
            at += size;
        }
        let rotates = self.options.cache.max_size.is_some();
        let before = rotates.then(|| self.context.layers().to_vec());
        let too_old = self.passes.len().checked_sub(N_SNAPSHOTS);
        if let Some(old) = too_old.and_then(|old| self.passes.get_mut(old)) {
            old.before = None;
        }
        self.passes.push(LogicalPass::new(start, chunks, before));
        self.next = Next::Stage(Stage::Embed);
    }

    fn pass_mut(&mut self) -> Result<&mut LogicalPass> {
        self.passes.last_mut().context("the run has no pass")
    }

    /// Place of a stage in the order of execution, counted from 0.
    fn index_of(&self, stage: Stage) -> usize {
        let n_layers = self.loaded.model.n_layers();
        match stage {
            Stage::Embed => 0,
            Stage::Block(layer) => layer + 1,
            Stage::FinalNorm => n_layers + 1,
            Stage::Logits => n_layers + 2,
        }
    }

    fn stage_at(&self, index: usize) -> Result<Stage> {
        let stage = Stage::of_pass(self.loaded.model.n_layers()).nth(index);
        stage.context("a pass has no such stage")
    }
}
