//! Going back.

use anyhow::{Context as _, Result, bail};

use super::{Next, Run};
use crate::engine::message::CancelToken;
use crate::trace::{Hook, Stage};

impl Run {
    /// Undoes the latest step: one hook inside a stage, else a stage, a draw or a token. Returns
    /// whether there was one.
    ///
    /// # Errors
    /// If a cache that cannot be trimmed has to be rebuilt and MLX fails.
    pub fn back(&mut self, cancel: &CancelToken) -> Result<bool> {
        if let Some(cursor) = self.cursor {
            self.stand_before(cursor.hook, cancel)?;
            return Ok(true);
        }
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
                let drawn = self.pass_mut()?.draw.take();
                let drawn = drawn.context("no token was drawn")?;
                self.sampler = drawn.sampler_before;
                self.next = Next::Sample;
            }
            Next::Ended => self.next = Next::Append,
        }
        Ok(true)
    }

    /// Undoes one hook: from the end of a stage back into it, to the last hook but one. Returns
    /// whether there was something to undo.
    ///
    /// # Errors
    /// As [`Run::back`].
    pub fn back_into(&mut self, cancel: &CancelToken) -> Result<bool> {
        let was_inside = self.cursor.is_some();
        if !self.back(cancel)? {
            return Ok(false);
        }
        if let (false, Next::Stage(stage)) = (was_inside, self.next)
            && let Some(last) = self.hooks_of(stage).last()
        {
            self.stand_before(*last, cancel)?;
        }
        Ok(true)
    }

    /// Goes back until `stage` of pass `pass` comes next.
    ///
    /// # Errors
    /// As [`Run::back`], and if the run has not come so far: then it stays where it is.
    pub fn rewind(&mut self, pass: usize, stage: Stage, cancel: &CancelToken) -> Result<()> {
        self.rewind_to(pass, Next::Stage(stage), cancel)
    }

    /// Goes back until `next` comes next in pass `pass`.
    ///
    /// # Errors
    /// As [`Run::rewind`].
    pub fn rewind_to(&mut self, pass: usize, next: Next, cancel: &CancelToken) -> Result<()> {
        if !self.has_passed(pass, next) {
            bail!(
                "the run has not come to {next} of pass {pass} yet: there is nothing to go back to"
            );
        }
        self.cursor = None;
        while self.passes.len() > pass + 1 || self.next != next {
            if !self.back(cancel)? {
                bail!("the run has not come to {next} of pass {pass}");
            }
        }
        Ok(())
    }

    /// Goes back until `hook` of pass `pass` is the next value to be computed.
    ///
    /// # Errors
    /// As [`Run::rewind`].
    pub fn rewind_to_hook(&mut self, pass: usize, hook: Hook, cancel: &CancelToken) -> Result<()> {
        let is_here = pass == self.newest() && self.next == Next::Stage(hook.stage());
        if is_here && self.cursor.is_none_or(|cursor| cursor.hook < hook) {
            bail!(
                "the run has not come to {hook} of pass {pass} yet: there is nothing to go back to"
            );
        }
        self.rewind(pass, hook.stage(), cancel)?;
        self.stand_before(hook, cancel)
    }

    /// Whether the run stands at this place or beyond it.
    pub(super) fn has_passed(&self, pass: usize, next: Next) -> bool {
        let place = |next: Next| match next {
            Next::Stage(stage) => self.index_of(stage),
            Next::Sample => usize::MAX - 2,
            Next::Append => usize::MAX - 1,
            Next::Ended => usize::MAX,
        };
        (pass, place(next)) <= (self.newest(), place(self.next))
    }

    /// Puts the cursor before `hook` of the next stage.
    fn stand_before(&mut self, hook: Hook, cancel: &CancelToken) -> Result<()> {
        let hooks = self.hooks_of(hook.stage());
        let at = hooks.iter().position(|known| *known == hook);
        let at = at.with_context(|| format!("this model has no {hook}"))?;
        match at.checked_sub(1).and_then(|at| hooks.get(at)) {
            Some(previous) => self.execute_to(*previous, cancel),
            None => {
                self.cursor = None;
                Ok(())
            }
        }
    }

    /// Puts the newest pass back before `stage`, as if it and what follows had never run.
    pub(super) fn restore_before(&mut self, stage: Stage, cancel: &CancelToken) -> Result<()> {
        let (index, number) = (self.index_of(stage), self.newest());
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
        pass.cache = self.context.size();
        pass.recorded.retain(|hook, _| {
            let stages = Stage::of_pass(self.loaded.model.n_layers());
            stages.take(index).any(|executed| executed == hook.stage())
        });
        for (number, chunk) in pass.chunks.iter_mut().enumerate() {
            let kept = index.checked_sub(1);
            let kept = kept.and_then(|before| pass.kept.get(before));
            chunk.rewind(stage, kept.and_then(|kept| kept.get(number).cloned()));
        }
        self.next = Next::Stage(stage);
        self.cursor = None;
        Ok(())
    }
}
