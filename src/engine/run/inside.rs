//! Stepping into a stage: it is executed up to a hook, and nothing beyond that.
//!
//! The run itself stays before the stage: what was executed is executed on a copy of the caches,
//! so that finishing the stage gives the same bits as if nobody had stopped inside.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};

use super::join::joined;
use super::{Next, Run};
use crate::engine::message::CancelToken;
use crate::engine::watch::{EditState, Enough, Rows, Watch, Watcher};
use crate::trace::debug::{Cursor, next_inside};
use crate::trace::{BlockHook, Hook, HostTensor, Stage};

/// What to execute of a stage once more, and what to keep of it.
pub(super) struct Wanted<'a> {
    /// Hooks of one stage.
    pub hooks: &'a [Hook],
    /// Only this head of scores and patterns.
    pub head: Option<usize>,
    /// Whether the values are to be copied to the host, or only computed.
    pub is_shown: bool,
}

impl Run {
    /// The hooks of a stage, in order of execution.
    #[must_use]
    pub fn hooks_of(&self, stage: Stage) -> Vec<Hook> {
        let mut hooks = self.loaded.model.hooks();
        hooks.retain(|hook| hook.stage() == stage);
        hooks
    }

    /// What [`Run::step_into`] computes: the first hook of the next stage, or the one after the
    /// cursor. `None` where the next thing is no stage.
    #[must_use]
    pub fn next_hook(&self) -> Option<Hook> {
        let Next::Stage(stage) = self.next else {
            return None;
        };
        let hooks = self.hooks_of(stage);
        match self.cursor {
            None => hooks.first().copied(),
            Some(cursor) => next_inside(&hooks, cursor.hook),
        }
    }

    /// Computes the next hook; at the last one of a stage the stage is executed to its end. Where
    /// the next thing is no stage, as [`Run::step`].
    ///
    /// # Errors
    /// As [`Run::step`].
    pub fn step_into(&mut self, cancel: &CancelToken) -> Result<()> {
        match self.next_hook() {
            Some(hook) => self.run_to_hook(hook, cancel),
            None => self.step(cancel),
        }
    }

    /// Executes the next stage up to `hook`, one of its hooks beyond the cursor; at its last hook,
    /// to its end.
    ///
    /// # Errors
    /// As [`Run::step`], and if the next stage has no such hook.
    pub fn run_to_hook(&mut self, hook: Hook, cancel: &CancelToken) -> Result<()> {
        let hooks = self.hooks_of(hook.stage());
        ensure!(
            self.next == Next::Stage(hook.stage()) && hooks.contains(&hook),
            "{hook} does not come next"
        );
        if hooks.last() == Some(&hook) {
            return self.step(cancel);
        }
        self.execute_to(hook, cancel)
    }

    /// Puts the cursor at `hook`, by executing the stage up to there.
    pub(super) fn execute_to(&mut self, hook: Hook, cancel: &CancelToken) -> Result<()> {
        self.prepare_edits(hook.stage(), cancel)?;
        let started = Instant::now();
        let wanted = Wanted {
            hooks: &[hook],
            head: None,
            is_shown: false,
        };
        self.rerun(self.newest(), &wanted, cancel)?;
        self.cursor = Some(Cursor {
            hook,
            seconds: started.elapsed().as_secs_f64(),
        });
        Ok(())
    }

    /// Executes a stage of pass `number` from the state before it, up to the last of the wanted
    /// hooks, and returns their values.
    pub(super) fn rerun(
        &mut self,
        number: usize,
        wanted: &Wanted<'_>,
        cancel: &CancelToken,
    ) -> Result<BTreeMap<Hook, HostTensor>> {
        let mut edits = std::mem::take(&mut self.edits);
        let values = self.rerun_with(number, wanted, &mut edits, cancel);
        self.edits = edits;
        values
    }

    fn rerun_with(
        &mut self,
        number: usize,
        wanted: &Wanted<'_>,
        edits: &mut EditState,
        cancel: &CancelToken,
    ) -> Result<BTreeMap<Hook, HostTensor>> {
        let until = wanted.hooks.iter().max().copied();
        let until = until.context("nothing was asked for")?;
        let mut cache = match until.stage() {
            Stage::Block(layer) => Some(self.cache_before(number, layer, cancel)?),
            _ => None,
        };
        let loaded = Rc::clone(&self.loaded);
        let (model, index) = (&loaded.model, self.index_of(until.stage()));
        let watch = Watch::Hooks(wanted.hooks.to_vec());
        let pass = self.pass(number)?;
        let before = |n: usize| index.checked_sub(n).and_then(|index| pass.kept.get(index));
        let mut seen = Vec::with_capacity(pass.chunks.len());
        for (place, chunk) in pass.chunks.iter().enumerate() {
            let hidden = before(1).and_then(|kept| kept.get(place));
            let rows = Rows {
                pass: number,
                start: chunk.start(),
            };
            let is_last = place + 1 == pass.chunks.len();
            let mut watcher = Watcher::new(&watch, edits, cancel, rows)
                .only_head(wanted.head)
                .until(if is_last {
                    until
                } else {
                    reaching_the_cache(until)
                });
            let result = match (until.stage(), hidden, cache.as_mut()) {
                (Stage::Embed, _, _) => model.embed(chunk.ids(), chunk.start(), &mut watcher),
                (Stage::Block(layer), Some(hidden), Some(cache)) => {
                    model.block(layer, hidden, cache, &mut watcher)
                }
                (Stage::FinalNorm, Some(hidden), _) => model.final_norm(hidden, &mut watcher),
                (Stage::Logits, _, _) => {
                    // Every row, also those that the pass did not ask for.
                    let kept = before(2).and_then(|kept| kept.get(place));
                    let hidden = kept.context("the state before the final norm is missing")?;
                    let normed = model.final_norm(hidden, &mut watcher)?;
                    model.unembed(&normed, &mut watcher)
                }
                _ => bail!("the state before {until} was not kept"),
            };
            if let Err(error) = result
                && !error.is::<Enough>()
            {
                return Err(error);
            }
            if wanted.is_shown {
                seen.push(watcher.into_tensors()?);
            } else {
                watcher.evaluate()?;
            }
        }
        joined(seen)
    }

    /// Takes what edits of `stage` need of the whole pass, where it runs in pieces: a mean over all
    /// positions, or a position of another piece.
    pub(super) fn prepare_edits(&mut self, stage: Stage, cancel: &CancelToken) -> Result<()> {
        let number = self.newest();
        let in_pieces = self
            .passes
            .get(number)
            .is_some_and(|pass| pass.chunks.len() > 1);
        // The last stages read one row only: there are no other positions.
        let is_whole =
            self.options.all_logits || !matches!(stage, Stage::FinalNorm | Stage::Logits);
        if !in_pieces || !is_whole {
            return Ok(());
        }
        for hook in self.edits.hooks_that_need_all_positions() {
            if hook.stage() != stage {
                continue;
            }
            let mut earlier = self.edits.before(hook);
            let wanted = Wanted {
                hooks: &[hook],
                head: None,
                is_shown: true,
            };
            let mut values = self.rerun_with(number, &wanted, &mut earlier, cancel)?;
            let start = self.passes.get(number).map_or(0, |pass| pass.start);
            if let Some(value) = values.remove(&hook) {
                self.edits.remember(hook, start, &value);
            }
        }
        Ok(())
    }
}

/// How far a piece of a pass must run that later pieces read: until its keys and values are in the
/// cache. The scores are the first thing after that; nobody evaluates them here.
fn reaching_the_cache(until: Hook) -> Hook {
    match until {
        Hook::Block(layer, _) => until.max(Hook::Block(layer, BlockHook::Scores)),
        _ => until,
    }
}
