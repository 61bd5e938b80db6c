//! A run: passes over a growing text that can be stepped, looked into, rewound and changed.
//!
//! What makes going back cheap: the hidden state after every stage is kept, `[pos, d_model]` each,
//! so a run goes back by forgetting the latest states and trimming the caches. Everything else
//! inside a stage is recomputed on demand from the state before it, by the same operations on the
//! same shapes, so it comes out bit for bit as it was.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use mlx_rs::Array;

use super::context::Context;
use super::generate;
use super::loaded::LoadedModel;
use super::message::CancelToken;
use super::pass::{LogitRows, Pass};
use super::sampler::{Draw, Sampler, SamplingParams};
use super::watch::{EditState, Enough, Watch, Watcher, to_host};
use crate::model::cache::{CacheOptions, KvCache};
use crate::model::probe::Unwatched;
use crate::trace::answer::CacheSize;
use crate::trace::edit::Edit;
use crate::trace::{Axis, BlockHook, Hook, HostTensor, Stage};

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
}

/// What a run does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// A stage of the newest pass.
    Stage(Stage),
    /// Draw a token from the logits.
    Sample,
    /// Append the drawn token to the text, and begin its pass.
    Append,
    /// Nothing: the drawn token ends the text.
    Ended,
}

/// A pass as one sees it: over the whole prompt, or over one new token.
#[derive(Debug)]
pub struct LogicalPass {
    start: usize,
    chunks: Vec<Pass>,
    /// The hidden state after each executed stage, chunk by chunk.
    kept: Vec<Vec<Array>>,
    recorded: BTreeMap<Hook, HostTensor>,
    logits: Option<Vec<f32>>,
    draw: Option<Draw>,
    sampler_before: Option<Sampler>,
    times: Vec<(Stage, Duration)>,
    /// The KV cache after it.
    cache: CacheSize,
    /// The caches before the pass, where they could not be trimmed back.
    before: Option<Vec<KvCache>>,
}

impl LogicalPass {
    /// Position of its first token.
    #[must_use]
    pub fn start(&self) -> usize {
        self.start
    }

    /// Tokens it runs over.
    #[must_use]
    pub fn n_pos(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.ids().len()).sum()
    }

    /// The sizes of the pieces it runs in.
    pub fn boundaries(&self) -> impl Iterator<Item = usize> {
        self.chunks.iter().map(|chunk| chunk.ids().len())
    }

    /// What was recorded of it, by hook.
    #[must_use]
    pub fn recorded(&self) -> &BTreeMap<Hook, HostTensor> {
        &self.recorded
    }

    /// Bytes of the hidden states that it keeps.
    #[must_use]
    pub fn hidden_bytes(&self) -> usize {
        self.kept.iter().flatten().map(Array::nbytes).sum()
    }

    /// Logits of its last position, `[vocab]`, once they are computed.
    #[must_use]
    pub fn logits(&self) -> Option<&[f32]> {
        self.logits.as_deref()
    }

    /// The draw of the token that follows it.
    #[must_use]
    pub fn draw(&self) -> Option<&Draw> {
        self.draw.as_ref()
    }

    /// The KV cache after its blocks have run.
    #[must_use]
    pub fn cache(&self) -> CacheSize {
        self.cache
    }

    /// How long each executed stage took.
    #[must_use]
    pub fn times(&self) -> &[(Stage, Duration)] {
        &self.times
    }
}

/// Passes over a text, and where they stand.
pub struct Run {
    loaded: Rc<LoadedModel>,
    options: RunOptions,
    context: Context,
    edits: EditState,
    sampler: Sampler,
    ids: Vec<u32>,
    passes: Vec<LogicalPass>,
    next: Next,
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
            ids: prompt,
            passes: Vec::new(),
            next: Next::Stage(Stage::Embed),
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

    /// What [`Run::step`] does next.
    #[must_use]
    pub fn next(&self) -> Next {
        self.next
    }

    /// The sampler's settings.
    #[must_use]
    pub fn sampling(&self) -> &SamplingParams {
        &self.options.sampling
    }

    /// Start of the random numbers.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.options.seed
    }

    /// The KV cache.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Values that patches copy from, under the name of the run they come from.
    pub fn provide(&mut self, run: &str, hook: Hook, value: HostTensor) {
        self.edits.sources.insert((run.to_owned(), hook), value);
    }

    /// Does the next thing, and only that: a stage, a draw, or appending a token.
    ///
    /// # Errors
    /// If MLX fails, an edit does not fit, or `cancel` was asked for: then the run stands where
    /// it stood before.
    pub fn step(&mut self, cancel: &CancelToken) -> Result<()> {
        match self.next {
            Next::Stage(stage) => {
                let stepped = self.step_stage(stage, cancel);
                if stepped.is_err() {
                    self.restore_before(stage, cancel)?;
                }
                stepped
            }
            Next::Sample => self.sample(),
            Next::Append => self.append(),
            Next::Ended => Ok(()),
        }
    }

    /// Steps until the newest pass has its logits.
    ///
    /// # Errors
    /// As [`Run::step`].
    pub fn finish_pass(&mut self, cancel: &CancelToken) -> Result<()> {
        while matches!(self.next, Next::Stage(_)) {
            self.step(cancel)?;
        }
        Ok(())
    }

    /// Steps until `n` tokens were drawn, or the text ends.
    ///
    /// # Errors
    /// As [`Run::step`].
    pub fn generate(&mut self, n: usize, cancel: &CancelToken) -> Result<()> {
        for _ in 0..n {
            self.finish_pass(cancel)?;
            while matches!(self.next, Next::Sample | Next::Append) {
                self.step(cancel)?;
            }
        }
        Ok(())
    }

    /// Undoes the latest step. Returns whether there was one.
    ///
    /// # Errors
    /// If a cache that cannot be trimmed has to be rebuilt and MLX fails.
    pub fn back(&mut self, cancel: &CancelToken) -> Result<bool> {
        match self.next {
            Next::Stage(Stage::Embed) if self.passes.len() <= 1 => return Ok(false),
            Next::Stage(Stage::Embed) => {
                self.passes.pop();
                self.ids.pop();
                self.next = Next::Append;
            }
            Next::Stage(stage) => {
                let previous = self.stage_at(self.index_of(stage) - 1)?;
                self.restore_before(previous, cancel)?;
            }
            Next::Sample => self.restore_before(Stage::Logits, cancel)?,
            Next::Append => {
                let pass = self.pass_mut()?;
                let sampler = pass.sampler_before.take();
                pass.draw = None;
                self.sampler = sampler.unwrap_or_else(|| self.sampler.clone());
                self.next = Next::Sample;
            }
            Next::Ended => self.next = Next::Append,
        }
        Ok(true)
    }

    /// Goes back until `pass` stands before `stage`.
    ///
    /// # Errors
    /// As [`Run::back`], and if the run has not come so far.
    pub fn rewind(&mut self, pass: usize, stage: Stage, cancel: &CancelToken) -> Result<()> {
        let target = Next::Stage(stage);
        while self.passes.len() > pass + 1 || self.next != target {
            if !self.back(cancel)? {
                bail!("the run has not come to {stage} of pass {pass}");
            }
        }
        Ok(())
    }

    /// The value at `hook` of pass `pass`: as recorded, else recomputed from the state before its
    /// stage. `head` keeps one head of scores and patterns, `[1, query_pos, key_pos]`.
    ///
    /// # Errors
    /// If that stage has not been executed, or the family has no such hook.
    pub fn look(
        &mut self,
        pass: usize,
        hook: Hook,
        head: Option<usize>,
        cancel: &CancelToken,
    ) -> Result<HostTensor> {
        let seen = self.passes.get(pass).context("there is no such pass yet")?;
        let is_short = matches!(hook, Hook::FinalNorm | Hook::Logits) && !self.options.all_logits;
        if let Some(recorded) = seen
            .recorded
            .get(&hook)
            .filter(|_| head.is_none() && !is_short)
        {
            return Ok(recorded.clone());
        }
        let has_hook = self.loaded.model.hooks().contains(&hook);
        ensure!(has_hook, "this model has no {hook}");
        let index = self.index_of(hook.stage());
        ensure!(
            index < seen.kept.len(),
            "{hook} of pass {pass} has not been computed yet"
        );
        self.recompute(pass, hook, head, cancel)
    }

    /// The hidden state after `stage` of pass `pass`, `[pos, d_model]`.
    ///
    /// # Errors
    /// If that stage has not been executed.
    pub fn hidden_after(&self, pass: usize, stage: Stage) -> Result<HostTensor> {
        let kept = self
            .passes
            .get(pass)
            .and_then(|pass| pass.kept.get(self.index_of(stage)));
        let kept = kept.with_context(|| format!("{stage} of pass {pass} has not run yet"))?;
        let parts = kept.iter().map(to_host).collect::<Result<Vec<_>>>()?;
        HostTensor::join(&parts, 0).context("the chunks of a pass do not fit together")
    }

    /// Logits of the last position of pass `pass`, `[vocab]`, as they would be with `edits` acting
    /// from block `layer` on. The run itself stays as it is.
    ///
    /// # Errors
    /// If the pass has not come to its logits, or an edit does not fit.
    pub fn logits_with(
        &mut self,
        pass: usize,
        layer: usize,
        edits: &mut EditState,
        cancel: &CancelToken,
    ) -> Result<Vec<f32>> {
        let n_layers = self.loaded.model.n_layers();
        let model = Rc::clone(&self.loaded);
        let mut hidden = {
            let seen = self.passes.get(pass).context("there is no such pass yet")?;
            ensure!(
                seen.logits.is_some(),
                "pass {pass} has not come to its logits yet"
            );
            seen.kept
                .get(layer)
                .cloned()
                .context("there is no such layer")?
        };
        let starts = self.chunk_starts(pass)?;
        for layer in layer..n_layers {
            let mut cache = self.cache_before(pass, layer, cancel)?;
            for (hidden, start) in hidden.iter_mut().zip(&starts) {
                let mut watcher = Watcher::new(&Watch::Nothing, edits, cancel, *start);
                *hidden = model.model.block(layer, hidden, &mut cache, &mut watcher)?;
            }
        }
        let (last, start) = hidden
            .last()
            .zip(starts.last())
            .context("the pass is empty")?;
        let row = mlx_rs::ops::indexing::TryIndexOp::try_index(last, last.dim(0) - 1..)?;
        let start = start + last.dim(0) as usize - 1;
        let mut watcher = Watcher::new(&Watch::Nothing, edits, cancel, start);
        let normed = model.model.final_norm(&row, &mut watcher)?;
        let logits = to_host(&model.model.unembed(&normed, &mut watcher)?)?;
        Ok(logits.values().to_vec())
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
        self.passes.push(LogicalPass {
            start,
            chunks,
            kept: Vec::new(),
            recorded: BTreeMap::new(),
            logits: None,
            draw: None,
            sampler_before: None,
            times: Vec::new(),
            cache: CacheSize::default(),
            before,
        });
        self.next = Next::Stage(Stage::Embed);
    }

    fn step_stage(&mut self, stage: Stage, cancel: &CancelToken) -> Result<()> {
        let started = Instant::now();
        let model = &self.loaded.model;
        let left = self.budget_left();
        let pass = self.passes.last_mut().context("the run has no pass")?;
        let mut seen = Vec::with_capacity(pass.chunks.len());
        for chunk in &mut pass.chunks {
            let start = chunk.start();
            let watch = &self.options.watch;
            let mut watcher = Watcher::new(watch, &mut self.edits, cancel, start);
            let stepped = chunk.step(model, &mut self.context, &mut watcher)?;
            if stepped.is_some() {
                seen.push(watcher.into_tensors()?);
            }
        }
        let states = pass
            .chunks
            .iter()
            .filter_map(|chunk| chunk.hidden().cloned());
        pass.kept.push(states.collect());
        pass.cache = self.context.size();
        pass.times.push((stage, started.elapsed()));
        let recorded = joined(seen)?;
        let n_bytes: usize = recorded.values().map(HostTensor::n_bytes).sum();
        if left.is_none_or(|left| n_bytes <= left) {
            pass.recorded.extend(recorded);
        }
        self.next = match stage.next(self.loaded.model.n_layers()) {
            Some(stage) => Next::Stage(stage),
            None => {
                let logits = pass.chunks.last().context("the pass is empty")?;
                pass.logits = Some(last_row(logits)?);
                Next::Sample
            }
        };
        Ok(())
    }

    fn budget_left(&self) -> Option<usize> {
        let recorded = self.passes.iter().flat_map(|pass| pass.recorded.values());
        let used: usize = recorded.map(HostTensor::n_bytes).sum();
        self.options
            .budget_bytes
            .map(|budget| budget.saturating_sub(used))
    }

    fn sample(&mut self) -> Result<()> {
        let number = self.passes.len() - 1;
        let before = self.sampler.clone();
        let pass = self.passes.last_mut().context("the run has no pass")?;
        let logits = pass
            .logits
            .as_deref()
            .context("there are no logits to draw from")?;
        let mut draw = self.sampler.sample(logits, &self.ids)?;
        if let Some(token) = self.edits.forced(number) {
            draw.logprob = super::sampler::logprob_of(logits, token)?;
            draw.token = token;
            draw.random = None;
        }
        pass.draw = Some(draw);
        pass.sampler_before = Some(before);
        self.next = Next::Append;
        Ok(())
    }

    fn append(&mut self) -> Result<()> {
        let draw = self
            .pass_mut()?
            .draw
            .as_ref()
            .context("no token was drawn")?;
        let token = draw.token;
        let limit = self.loaded.model.position_limit();
        let is_full = limit.is_some_and(|limit| self.ids.len() >= limit);
        if self.options.end_tokens.contains(&token) || is_full {
            self.next = Next::Ended;
            return Ok(());
        }
        self.ids.push(token);
        self.begin_pass(self.ids.len() - 1, &[1]);
        Ok(())
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

    /// Puts the newest pass back before `stage`, as if it and what follows had never run.
    fn restore_before(&mut self, stage: Stage, cancel: &CancelToken) -> Result<()> {
        let (index, number) = (self.index_of(stage), self.passes.len() - 1);
        for layer in index.saturating_sub(1)..self.loaded.model.n_layers() {
            let cache = self.cache_before(number, layer, cancel)?;
            *self.context.layer_mut(layer)? = cache;
        }
        let pass = self.passes.last_mut().context("the run has no pass")?;
        if index <= self.loaded.model.n_layers() {
            self.context.forget_from(pass.start);
        }
        pass.kept.truncate(index);
        pass.times.truncate(index);
        pass.logits = None;
        pass.recorded.retain(|hook, _| {
            let stages = Stage::of_pass(self.loaded.model.n_layers());
            stages.take(index).any(|executed| executed == hook.stage())
        });
        for (number, chunk) in pass.chunks.iter_mut().enumerate() {
            let kept = index
                .checked_sub(1)
                .and_then(|before| pass.kept.get(before));
            chunk.rewind(stage, kept.and_then(|kept| kept.get(number).cloned()));
        }
        self.next = Next::Stage(stage);
        Ok(())
    }

    /// The cache of `layer` as it was before pass `pass`.
    fn cache_before(&mut self, pass: usize, layer: usize, cancel: &CancelToken) -> Result<KvCache> {
        let seen = self.passes.get(pass).context("there is no such pass yet")?;
        let mut cache = self.context.layer(layer)?.clone();
        if cache.trim(seen.start) {
            return Ok(cache);
        }
        if seen.before.is_none() {
            let replayed = self.replay(pass, cancel)?;
            if let Some(seen) = self.passes.get_mut(pass) {
                seen.before = Some(replayed);
            }
        }
        let before = self.passes.get(pass).and_then(|seen| seen.before.as_ref());
        before
            .and_then(|before| before.get(layer))
            .cloned()
            .context("there is no such layer")
    }

    /// The caches before pass `pass`, by running everything before it again.
    fn replay(&mut self, pass: usize, cancel: &CancelToken) -> Result<Vec<KvCache>> {
        let mut context = Context::new(self.loaded.model.n_layers(), self.options.cache);
        let mut edits = self.edits.clone();
        edits.forget();
        for seen in self.passes.iter().take(pass) {
            for chunk in &seen.chunks {
                let (start, ids) = (chunk.start(), chunk.ids().to_vec());
                let mut again = Pass::new(&self.loaded.model, start, ids, LogitRows::None);
                let mut watcher = Watcher::new(&Watch::Nothing, &mut edits, cancel, start);
                again.run(&self.loaded.model, &mut context, &mut watcher)?;
            }
        }
        Ok(context.layers().to_vec())
    }

    fn chunk_starts(&self, pass: usize) -> Result<Vec<usize>> {
        let seen = self.passes.get(pass).context("there is no such pass yet")?;
        Ok(seen.chunks.iter().map(Pass::start).collect())
    }

    /// Runs the stage of `hook` again on the kept state before it, up to that hook.
    fn recompute(
        &mut self,
        pass: usize,
        hook: Hook,
        head: Option<usize>,
        cancel: &CancelToken,
    ) -> Result<HostTensor> {
        let mut cache = match hook.stage() {
            Stage::Block(layer) => Some(self.cache_before(pass, layer, cancel)?),
            _ => None,
        };
        let loaded = Rc::clone(&self.loaded);
        let model = &loaded.model;
        let index = self.index_of(hook.stage());
        let watch = Watch::Hooks(vec![hook]);
        let mut seen = Vec::new();
        let n_chunks = self.chunk_starts(pass)?.len();
        for number in 0..n_chunks {
            let pass = self.passes.get(pass).context("there is no such pass yet")?;
            let chunk = pass.chunks.get(number).context("there is no such chunk")?;
            let before = index
                .checked_sub(1)
                .and_then(|before| pass.kept.get(before));
            let hidden = before.and_then(|kept| kept.get(number));
            let mut watcher = Watcher::new(&watch, &mut self.edits, cancel, chunk.start());
            watcher = watcher.only_head(head);
            // Chunks before the last one must reach the cache, which later ones read.
            if number + 1 == n_chunks {
                watcher = watcher.stop_after(1);
            }
            let result = match (hook.stage(), hidden, cache.as_mut()) {
                (Stage::Embed, _, _) => model.embed(chunk.ids(), chunk.start(), &mut watcher),
                (Stage::Block(layer), Some(hidden), Some(cache)) => {
                    model.block(layer, hidden, cache, &mut watcher)
                }
                (Stage::FinalNorm, Some(hidden), _) => model.final_norm(hidden, &mut watcher),
                (Stage::Logits, _, _) => {
                    // Every row, also those that the pass did not ask for.
                    let kept = pass.kept.get(index - 2).and_then(|kept| kept.get(number));
                    let hidden = kept.context("the state before the final norm is missing")?;
                    let normed = model.final_norm(hidden, &mut Unwatched)?;
                    model.unembed(&normed, &mut watcher)
                }
                _ => bail!("the state before {hook} was not kept"),
            };
            if let Err(error) = result
                && !error.is::<Enough>()
            {
                return Err(error);
            }
            seen.push(watcher.into_tensors()?);
        }
        let mut joined = joined(seen)?;
        joined
            .remove(&hook)
            .with_context(|| format!("this model has no {hook}"))
    }
}

/// The last row of a pass' logits, `[vocab]`.
fn last_row(pass: &Pass) -> Result<Vec<f32>> {
    let rows = generate::to_host(pass)?;
    let vocab = pass.logits()?.dim(-1) as usize;
    let start = rows
        .len()
        .checked_sub(vocab)
        .context("there are no logits")?;
    Ok(rows.get(start..).unwrap_or_default().to_vec())
}

/// The recordings of a pass' chunks as one.
fn joined(chunks: Vec<BTreeMap<Hook, HostTensor>>) -> Result<BTreeMap<Hook, HostTensor>> {
    let mut parts: BTreeMap<Hook, Vec<HostTensor>> = BTreeMap::new();
    for chunk in chunks {
        for (hook, value) in chunk {
            parts.entry(hook).or_default().push(value);
        }
    }
    let mut whole = BTreeMap::new();
    for (hook, mut parts) in parts {
        let axes = hook.axes().iter();
        let axis = axes
            .clone()
            .position(|axis| matches!(axis, Axis::Pos | Axis::QueryPos));
        if parts.len() > 1 && axes.clone().any(|axis| *axis == Axis::KeyPos) {
            parts = with_all_keys(hook, parts)?;
        }
        let value = match parts.len() {
            1 => parts.pop(),
            _ => HostTensor::join(&parts, axis.context("this hook has no positions")?),
        };
        let value = value.with_context(|| format!("the chunks of {hook} do not fit together"))?;
        whole.insert(hook, value);
    }
    Ok(whole)
}

/// An early chunk saw fewer keys than the last one: those it could not see are masked.
fn with_all_keys(hook: Hook, parts: Vec<HostTensor>) -> Result<Vec<HostTensor>> {
    let masked = match hook {
        Hook::Block(_, BlockHook::Scores) => f32::NEG_INFINITY,
        _ => 0.0,
    };
    let n_keys = parts
        .iter()
        .filter_map(|part| part.shape().last())
        .max()
        .copied()
        .unwrap_or(0);
    let widen = |part: HostTensor| {
        let mut shape = part.shape().to_vec();
        let has = shape
            .last()
            .copied()
            .filter(|has| *has > 0)
            .context("no keys were seen")?;
        let mut values = Vec::with_capacity(part.values().len() / has * n_keys);
        for row in part.values().chunks_exact(has) {
            values.extend_from_slice(row);
            values.resize(values.len() + n_keys - has, masked);
        }
        if let Some(last) = shape.last_mut() {
            *last = n_keys;
        }
        HostTensor::new(shape, values).context("the chunks do not fit together")
    };
    parts.into_iter().map(widen).collect()
}
