//! Parity under way: one block of one pass per turn. See [`crate::trace::measure::parity`] for what
//! is compared.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use mlx_rs::Array;
use mlx_rs::ops::indexing::TryIndexOp;

use super::attention_parity::{AttentionCase, compare};
use crate::engine::message::CancelToken;
use crate::engine::run::Run;
use crate::engine::watch::{EditState, Rows, Watch, Watcher, to_host};
use crate::model::Model;
use crate::model::cache::KvCache;
use crate::model::parts::Part;
use crate::trace::measure::parity::{Apart, MOST_ROWS, Parity};
use crate::trace::{BlockHook, Hook, HostTensor};

/// Relative differences up to these are rounding: in float32, and in 16 bits.
const TOLERANCE_32: f64 = 2e-4;
const TOLERANCE_16: f64 = 3e-2;

/// The checks of one pass.
pub struct ParityCheck {
    version: u64,
    layer: usize,
    edits: EditState,
    /// Hidden states with nobody watching, chunk by chunk.
    plain: Vec<Array>,
    /// The same with every hook recorded.
    recorded: Vec<Array>,
    parity: Parity,
    spent: f64,
}

type Values = BTreeMap<Hook, HostTensor>;

impl ParityCheck {
    /// Prepares the checks of the newest pass that has its logits.
    ///
    /// # Errors
    /// If there is none yet.
    pub fn new(run: &Run, version: u64) -> Result<Self> {
        let passes = run.passes();
        let pass = passes.iter().rposition(|pass| pass.logits().is_some());
        let pass = pass.context("no pass has come to its logits yet: run the prompt first")?;
        Self::of_pass(run, pass, version)
    }

    /// Prepares the checks of pass `pass`.
    ///
    /// # Errors
    /// If it has not come to its logits.
    pub fn of_pass(run: &Run, pass: usize, version: u64) -> Result<Self> {
        let seen = run.pass(pass)?;
        run.logits(pass)?; // else there is nothing to check
        let states = run.states_before(pass, 0)?;
        let is_16_bit = states.iter().any(|state| state.item_size() < 4);
        Ok(Self {
            version,
            layer: 0,
            edits: run.edits().clone(),
            plain: states.clone(),
            recorded: states,
            spent: 0.0,
            parity: Parity {
                pass,
                n_positions: seen.start() + seen.n_pos(),
                recording: Apart::default(),
                same_argmax: true,
                fused: None,
                float64: None,
                kernels: None,
                farthest_kernel: None,
                n_rows: 0,
                blocks_left_out: Vec::new(),
                tolerance: if is_16_bit {
                    TOLERANCE_16
                } else {
                    TOLERANCE_32
                },
                seconds: 0.0,
            },
        })
    }

    /// Whether this is about what `run` still is: its newest pass with logits, in this version.
    #[must_use]
    pub fn is_current(&self, run: &Run, version: u64) -> bool {
        let newest = run
            .passes()
            .iter()
            .rposition(|pass| pass.logits().is_some());
        self.version == version && newest == Some(self.parity.pass)
    }

    /// Checks the next block, or at the end the logits; the result once all is done.
    ///
    /// # Errors
    /// If MLX fails, or it was cancelled: then the block can be checked again.
    pub fn advance(&mut self, run: &mut Run, cancel: &CancelToken) -> Result<Option<Parity>> {
        let started = Instant::now();
        let is_done = self.layer >= run.loaded().model.n_layers();
        if is_done {
            self.check_logits(run, cancel)?;
        } else {
            self.check_block(run, cancel)?;
            self.layer += 1;
        }
        self.spent += started.elapsed().as_secs_f64();
        self.parity.seconds = self.spent;
        Ok(is_done.then(|| self.parity.clone()))
    }

    /// Runs all checks, in one go.
    ///
    /// # Errors
    /// As [`ParityCheck::advance`].
    pub fn finish(mut self, run: &mut Run, cancel: &CancelToken) -> Result<Parity> {
        loop {
            if let Some(parity) = self.advance(run, cancel)? {
                return Ok(parity);
            }
        }
    }

    fn check_block(&mut self, run: &mut Run, cancel: &CancelToken) -> Result<()> {
        let (pass, layer) = (self.parity.pass, self.layer);
        let before = run.cache_before(pass, layer, cancel)?;
        let (mut plain_cache, mut cache) = (before.clone(), before);
        let starts = run.chunk_starts(pass)?;
        let loaded = Rc::clone(run.loaded());
        let model = &loaded.model;
        let hook = |hook| Hook::Block(layer, hook);
        let is_edited = [BlockHook::Scores, BlockHook::Pattern, BlockHook::Z]
            .iter()
            .any(|at| self.edits.acts_at(hook(*at), pass));
        let rows_per_chunk = (MOST_ROWS / starts.len().max(1)).max(1);
        // Nothing is taken over before all of it is done: a block that was stopped is done again.
        let (mut plain, mut recorded) = (self.plain.clone(), self.recorded.clone());
        let mut next = self.parity.clone();
        next.n_rows = 0;
        for (place, start) in starts.iter().enumerate() {
            let (Some(x), Some(watched)) = (plain.get_mut(place), recorded.get_mut(place)) else {
                break;
            };
            let rows = Rows {
                pass,
                start: *start,
            };
            let mut edits = self.edits.clone();
            let mut watcher = Watcher::new(&Watch::Nothing, &mut edits, cancel, rows);
            *x = model.block(layer, x, &mut plain_cache, &mut watcher)?;
            let chosen = spread(watched.dim(0) as usize, rows_per_chunk);
            next.n_rows += chosen.len();
            let mut edits = self.edits.clone();
            let watcher = Watcher::new(&Watch::Everything, &mut edits, cancel, rows);
            let mut watcher = watcher.only_rows(chosen.clone());
            *watched = model.block(layer, watched, &mut cache, &mut watcher)?;
            mlx_rs::transforms::eval([&*x, &*watched])?;
            let values = watcher.into_tensors()?;
            if !is_edited {
                self.check_attention(model, &values, &chosen, &cache, cancel, &mut next)?;
            }
            if place + 1 == starts.len() {
                check_kernels(
                    model,
                    model.parts().iter(),
                    &values,
                    layer,
                    cancel,
                    &mut next,
                )?;
            }
        }
        if is_edited {
            next.blocks_left_out.push(layer);
        }
        (self.plain, self.recorded, self.parity) = (plain, recorded, next);
        Ok(())
    }

    fn check_attention(
        &self,
        model: &Model,
        values: &Values,
        rows: &[usize],
        cache: &KvCache,
        cancel: &CancelToken,
        parity: &mut Parity,
    ) -> Result<()> {
        let get = |hook: BlockHook| values.get(&Hook::Block(self.layer, hook));
        let queries = get(BlockHook::RotQ)
            .or(get(BlockHook::QNorm))
            .or(get(BlockHook::Q));
        let seen = queries
            .zip(get(BlockHook::Scores))
            .zip(get(BlockHook::Pattern))
            .zip(get(BlockHook::Z));
        let (((queries, scores), pattern), z) = seen.context("this family shows no attention")?;
        let view = cache.view()?;
        let found = compare(&AttentionCase {
            queries,
            scores,
            pattern,
            z,
            rows,
            n_kv_heads: model.config().num_key_value_heads,
            keys: &view.keys,
            values: &view.values,
            cancel,
        })?;
        parity.fused = Apart::larger_of(parity.fused, found.fused);
        parity.float64 = Apart::larger_of(parity.float64, found.float64);
        Ok(())
    }

    /// Compares the logits of both ways with each other, and with those that are shown.
    fn check_logits(&mut self, run: &Run, cancel: &CancelToken) -> Result<()> {
        let pass = self.parity.pass;
        let shown = run
            .pass(pass)?
            .logits()
            .context("the pass has lost its logits")?
            .to_vec();
        let loaded = Rc::clone(run.loaded());
        let model = &loaded.model;
        let start = self.parity.n_positions.saturating_sub(1);
        let logits_of = |states: &[Array], watch: &Watch| {
            let last = states.last().context("the pass is empty")?;
            let row = last.try_index(last.dim(0) - 1..)?; // [1, d_model]
            let mut edits = self.edits.clone();
            let rows = Rows { pass, start };
            let mut watcher = Watcher::new(watch, &mut edits, cancel, rows);
            let normed = model.final_norm(&row, &mut watcher)?;
            let logits = to_host(&model.unembed(&normed, &mut watcher)?)?;
            Ok::<_, anyhow::Error>((logits.values().to_vec(), normed))
        };
        let (plain, _) = logits_of(&self.plain, &Watch::Nothing)?;
        let (recorded, normed) = logits_of(&self.recorded, &Watch::Everything)?;
        let apart = Apart::of(&recorded, &plain).or_larger(Apart::of(&shown, &plain));
        self.parity.recording = apart;
        let best =
            |logits: &[f32]| crate::trace::measure::vector::top_by(logits, 1, |x| f64::from(*x));
        self.parity.same_argmax = best(&shown) == best(&plain) && best(&recorded) == best(&plain);
        if model.compute().own_kernels {
            let head = model.part_writing(Hook::Logits)?;
            compare_kernels(&head, &normed, &mut self.parity)?;
        }
        Ok(())
    }
}

/// Up to `n` of `n_rows` rows, evenly spread, the last one among them.
fn spread(n_rows: usize, n: usize) -> Vec<usize> {
    let n = n.min(n_rows);
    (1..=n).map(|place| place * n_rows / n - 1).collect()
}

/// Our kernels against MLX's, on what each layer of a block reads at its last position.
fn check_kernels<'a>(
    model: &Model,
    parts: impl Iterator<Item = &'a Part<'a>>,
    values: &Values,
    layer: usize,
    cancel: &CancelToken,
    parity: &mut Parity,
) -> Result<()> {
    if !model.compute().own_kernels {
        return Ok(());
    }
    for part in parts {
        let reads = part
            .reads
            .filter(|hook| hook.stage() == crate::trace::Stage::Block(layer));
        let Some(input) = reads.and_then(|hook| values.get(&hook)) else {
            continue;
        };
        if cancel.is_cancelled() {
            return Err(crate::model::probe::Cancelled.into());
        }
        let width = part.weight.n_in();
        let last = input.values().len().checked_sub(width);
        let last = last.and_then(|start| input.values().get(start..));
        let x = last.with_context(|| format!("{} reads something else", part.path))?;
        compare_kernels(part, &Array::from_slice(x, &[1, width as i32]), parity)?;
    }
    Ok(())
}

fn compare_kernels(part: &Part<'_>, x: &Array, parity: &mut Parity) -> Result<()> {
    let (ours, theirs) = (part.weight.project(x)?, part.weight.project_with_mlx(x)?);
    let apart = Apart::of(to_host(&ours)?.values(), to_host(&theirs)?.values());
    let is_farthest = parity
        .kernels
        .is_none_or(|before| apart.relative > before.relative);
    if is_farthest {
        parity.farthest_kernel = Some(part.path.clone());
    }
    parity.kernels = Apart::larger_of(parity.kernels, apart);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn rows_are_spread_and_the_last_is_among_them() {
        assert_eq!(spread(5, 64), [0, 1, 2, 3, 4]);
        assert_eq!(spread(100, 4), [24, 49, 74, 99]);
        assert_eq!(spread(32, 1), [31]);
    }
}
