//! Looking into what has run.

use std::collections::BTreeMap;
use std::rc::Rc;

use anyhow::{Context as _, Result, ensure};
use mlx_rs::ops::indexing::TryIndexOp;

use super::inside::Wanted;
use super::{Next, Run};
use crate::engine::message::CancelToken;
use crate::engine::watch::{EditState, Rows, Watch, Watcher, to_host};
use crate::trace::{Hook, HostTensor, Stage};

/// Logits of every position are refused beyond this many bytes: one position is asked for instead.
const MOST_LOGIT_BYTES: usize = 256 << 20;

impl Run {
    /// The value at `hook` of pass `pass`: as recorded, else recomputed from the state before its
    /// stage. `head` keeps one head of scores and patterns, `[1, query_pos, key_pos]`.
    ///
    /// # Errors
    /// If it has not been computed yet, or the family has no such hook.
    pub fn look(
        &mut self,
        pass: usize,
        hook: Hook,
        head: Option<usize>,
        cancel: &CancelToken,
    ) -> Result<HostTensor> {
        let mut values = self.look_all(pass, &[hook], head, cancel)?;
        values
            .remove(&hook)
            .with_context(|| format!("this model has no {hook}"))
    }

    /// The values at several hooks of one stage, with one recomputation for all that were not
    /// recorded. `head` as in [`Run::look`].
    ///
    /// # Errors
    /// As [`Run::look`], and if the hooks belong to several stages.
    pub fn look_all(
        &mut self,
        pass: usize,
        hooks: &[Hook],
        head: Option<usize>,
        cancel: &CancelToken,
    ) -> Result<BTreeMap<Hook, HostTensor>> {
        let (mut values, mut missing) = (BTreeMap::new(), Vec::new());
        let stage = hooks.first().map(|hook| hook.stage());
        for hook in hooks {
            self.check_computed(pass, *hook)?;
            ensure!(
                Some(hook.stage()) == stage,
                "{hook} belongs to another stage than the others"
            );
            match self.recorded(pass, *hook).filter(|_| head.is_none()) {
                Some(value) => drop(values.insert(*hook, value)),
                None => missing.push(*hook),
            }
        }
        if missing.is_empty() {
            return Ok(values);
        }
        self.check_size(pass, &missing)?;
        if let Some(head) = head {
            let n_heads = self.loaded.model.config().num_attention_heads;
            ensure!(
                head < n_heads,
                "there is no head {head}: the model has {n_heads}"
            );
        }
        let wanted = Wanted {
            hooks: &missing,
            head,
            is_shown: true,
        };
        values.extend(self.rerun(pass, &wanted, cancel)?);
        Ok(values)
    }

    /// The value at the final norm or the logits for one row of pass `pass`, `[1, d_model]` or
    /// `[1, vocab]`, computed for that row alone.
    ///
    /// # Errors
    /// As [`Run::look`], and if the pass has no such row.
    pub fn look_at_row(
        &mut self,
        pass: usize,
        hook: Hook,
        row: usize,
        cancel: &CancelToken,
    ) -> Result<HostTensor> {
        ensure!(
            matches!(hook, Hook::FinalNorm | Hook::Logits),
            "{hook} is not computed row by row"
        );
        self.check_computed(pass, hook)?;
        let index = self.loaded.model.n_layers();
        let loaded = Rc::clone(&self.loaded);
        let seen = self.pass(pass)?;
        let n_rows = seen.n_pos();
        let no_row = || format!("pass {pass} has {n_rows} positions, there is no row {row} in it");
        let mut left = row;
        let states = seen
            .kept
            .get(index)
            .context("the state before it was not kept")?;
        let state = states.iter().find(|state| {
            let n = state.dim(0) as usize;
            let is_here = left < n;
            if !is_here {
                left -= n;
            }
            is_here
        });
        let state = state
            .with_context(no_row)?
            .try_index(left as i32..left as i32 + 1)?; // [1, d_model]
        let watch = Watch::Hooks(vec![hook]);
        let rows = Rows {
            pass,
            start: seen.start + row,
        };
        let mut watcher = Watcher::new(&watch, &mut self.edits, cancel, rows);
        let normed = loaded.model.final_norm(&state, &mut watcher)?;
        if hook == Hook::Logits {
            loaded.model.unembed(&normed, &mut watcher)?;
        }
        let value = watcher.into_tensors()?.remove(&hook);
        value.with_context(|| format!("this model has no {hook}"))
    }

    /// The hidden state after `stage` of pass `pass`, `[pos, d_model]`; after the last stage the
    /// logits of the last position, `[1, vocab]`.
    ///
    /// # Errors
    /// If that stage has not been executed.
    pub fn hidden_after(&self, pass: usize, stage: Stage) -> Result<HostTensor> {
        if stage == Stage::Logits {
            let logits = self.passes.get(pass).and_then(|pass| pass.logits.clone());
            let logits =
                logits.with_context(|| format!("{stage} of pass {pass} has not run yet"))?;
            let shape = vec![1, logits.len()];
            return HostTensor::new(shape, logits).context("the logits do not fit their shape");
        }
        let kept = self.passes.get(pass);
        let kept = kept.and_then(|pass| pass.kept.get(self.index_of(stage)));
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
        let seen = self.pass(pass)?;
        ensure!(
            seen.logits.is_some(),
            "pass {pass} has not come to its logits yet"
        );
        let hidden = seen.kept.get(layer).cloned();
        let mut hidden = hidden.context("there is no such layer")?;
        let starts = self.chunk_starts(pass)?;
        for layer in layer..n_layers {
            let mut cache = self.cache_before(pass, layer, cancel)?;
            for (hidden, start) in hidden.iter_mut().zip(&starts) {
                let rows = Rows {
                    pass,
                    start: *start,
                };
                let mut watcher = Watcher::new(&Watch::Nothing, edits, cancel, rows);
                *hidden = model.model.block(layer, hidden, &mut cache, &mut watcher)?;
            }
        }
        let last = hidden.last().zip(starts.last());
        let (last, start) = last.context("the pass is empty")?;
        let row = last.try_index(last.dim(0) - 1..)?; // [1, d_model]
        let start = start + last.dim(0) as usize - 1;
        let rows = Rows { pass, start };
        let mut watcher = Watcher::new(&Watch::Nothing, edits, cancel, rows);
        let normed = model.model.final_norm(&row, &mut watcher)?;
        let logits = to_host(&model.model.unembed(&normed, &mut watcher)?)?;
        Ok(logits.values().to_vec())
    }

    /// Refuses what has not been computed: nothing beyond the cursor is ever shown.
    fn check_computed(&self, pass: usize, hook: Hook) -> Result<()> {
        let seen = self.pass(pass)?;
        let has_hook = self.loaded.model.hooks().contains(&hook);
        ensure!(has_hook, "this model has no {hook}");
        let is_done = self.index_of(hook.stage()) < seen.kept.len();
        let is_newest = pass == self.newest() && self.next == Next::Stage(hook.stage());
        let is_inside = is_newest && self.cursor.is_some_and(|cursor| hook <= cursor.hook);
        ensure!(
            is_done || is_inside,
            "{hook} of pass {pass} has not been computed yet"
        );
        Ok(())
    }

    /// What was recorded at `hook`, unless the pass computed one row of it only.
    fn recorded(&self, pass: usize, hook: Hook) -> Option<HostTensor> {
        let is_short = matches!(hook, Hook::FinalNorm | Hook::Logits) && !self.options.all_logits;
        let seen = self.passes.get(pass)?;
        let recorded = seen.recorded.get(&hook);
        recorded.filter(|_| !is_short).cloned()
    }

    /// Refuses logits of a whole long prompt: a vocabulary is wide.
    fn check_size(&self, pass: usize, hooks: &[Hook]) -> Result<()> {
        if !hooks.contains(&Hook::Logits) {
            return Ok(());
        }
        let n_pos = self.passes.get(pass).map_or(0, super::LogicalPass::n_pos);
        let n_bytes = n_pos * self.loaded.model.config().vocab_size * size_of::<f32>();
        ensure!(
            n_bytes <= MOST_LOGIT_BYTES,
            "the logits of all {n_pos} positions would fill {} MB: look at one position, as in \
             unembed.hook_out[{}]",
            n_bytes >> 20,
            n_pos - 1
        );
        Ok(())
    }
}
