//! Going forward: a stage, a draw, a token.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use super::join::joined;
use super::logical::Drawn;
use super::{Departure, Next, Run};
use crate::engine::generate;
use crate::engine::message::CancelToken;
use crate::engine::pass::Pass;
use crate::engine::sampler::{self, Draw};
use crate::engine::watch::{Rows, Watcher};
use crate::trace::debug::DrawKind;
use crate::trace::measure::distribution::Distribution;
use crate::trace::{HostTensor, Stage};

impl Run {
    /// Does the next thing, and only that: a stage, a draw, or appending a token. A stage that was
    /// stepped into is finished.
    ///
    /// # Errors
    /// If MLX fails, an edit does not fit, or `cancel` was asked for: then the run stands where
    /// it stood before.
    pub fn step(&mut self, cancel: &CancelToken) -> Result<()> {
        match self.next {
            Next::Stage(stage) => {
                let stepped = self.step_stage(stage, cancel);
                if stepped.is_err() {
                    let cursor = self.cursor;
                    self.restore_before(stage, cancel)?;
                    self.cursor = cursor;
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

    fn step_stage(&mut self, stage: Stage, cancel: &CancelToken) -> Result<()> {
        let started = Instant::now();
        self.prepare_edits(stage, cancel)?;
        let number = self.newest();
        let left = self.budget_left();
        let model = &self.loaded.model;
        let pass = self.passes.last_mut().context("the run has no pass")?;
        let mut seen = Vec::with_capacity(pass.chunks.len());
        for chunk in &mut pass.chunks {
            let rows = Rows {
                pass: number,
                start: chunk.first_row(stage),
            };
            let watch = &self.options.watch;
            let mut watcher = Watcher::new(watch, &mut self.edits, cancel, rows);
            let stepped = chunk.step(model, &mut self.context, &mut watcher)?;
            if stepped.is_some() {
                seen.push(watcher.into_tensors()?);
            }
        }
        let recorded = joined(seen)?;
        let logits = match stage {
            Stage::Logits => {
                let last = pass.chunks.last().context("the pass is empty")?;
                Some(last_row(last)?.into())
            }
            _ => None,
        };
        pass.keep_states(stage);
        pass.cache = self.context.size();
        pass.logits = logits;
        pass.times.push((stage, started.elapsed()));
        let n_bytes: usize = recorded.values().map(HostTensor::n_bytes).sum();
        if left.is_none_or(|left| n_bytes <= left) {
            pass.recorded.extend(recorded);
        } else {
            self.n_left_out += recorded.len();
        }
        self.cursor = None;
        let following = stage.next(self.loaded.model.n_layers());
        self.next = following.map_or(Next::Sample, Next::Stage);
        Ok(())
    }

    fn budget_left(&self) -> Option<usize> {
        let used: usize = self.passes.iter().map(|pass| pass.recorded_bytes()).sum();
        let budget = self.options.budget_bytes;
        budget.map(|budget| budget.saturating_sub(used))
    }

    fn sample(&mut self) -> Result<()> {
        let number = self.newest();
        let sampler_before = self.sampler.clone();
        if let Some(Departure::Sampling { params, seed }) = self.departures.get(&number) {
            self.sampler = self.sampler.changed(params.clone(), *seed)?;
        }
        let drawn = self.draw(number);
        if drawn.is_err() {
            self.sampler = sampler_before;
            drawn?;
            return Ok(());
        }
        let (draw, kind) = drawn?;
        let params = self.sampler.params().clone();
        self.pass_mut()?.draw = Some(Drawn {
            draw,
            kind,
            params,
            sampler_before,
        });
        self.next = Next::Append;
        Ok(())
    }

    /// The draw that follows pass `number`. The sampler's random numbers advance, whether or not
    /// the token is a forced one: what follows draws with the same numbers in both cases.
    fn draw(&mut self, number: usize) -> Result<(Draw, DrawKind)> {
        let pass = self.passes.get(number).context("the run has no pass")?;
        let logits = pass.logits.as_deref();
        let logits = logits.context("there are no logits to draw from")?;
        let acts = !self.edits.acting().is_empty();
        ensure!(
            !acts || Distribution::new(logits).is_sound(),
            "the edits left logits that are no numbers (NaN or infinite), so no token can be drawn: \
             take them back (undo), switch them off or remove them"
        );
        let mut draw = self.sampler.sample(logits, &self.ids)?;
        let params = self.sampler.params();
        let mut forced = None;
        if let Some(kept) = self.options.script.get(number) {
            if kept.random.is_some() && !params.is_greedy() {
                let stored = Draw {
                    random: kept.random,
                    xtc_coin: kept.xtc_coin,
                    ..draw
                };
                draw = sampler::replay(params, logits, &self.ids, &stored)?;
            }
            // Edits may lead elsewhere, by the same random numbers; else the text is what it was.
            let is_lost = kept.token != draw.token && self.edits.acting().is_empty();
            forced = (kept.is_forced || is_lost).then_some(kept.token);
        }
        if let Some(Departure::Token(token)) = self.departures.get(&number) {
            forced = Some(*token);
        }
        forced = self.edits.forced(number).or(forced);
        match forced {
            Some(token) => {
                let coin = draw.xtc_coin;
                let draw = sampler::forced(params, logits, &self.ids, token, coin)?;
                Ok((draw, DrawKind::Forced))
            }
            None if draw.random.is_some() => Ok((draw, DrawKind::Random)),
            None => Ok((draw, DrawKind::Greedy)),
        }
    }

    fn append(&mut self) -> Result<()> {
        let draw = self.pass_mut()?.draw.as_ref();
        let token = draw.context("no token was drawn")?.draw.token;
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
}

/// The last row of a pass' logits, `[vocab]`.
fn last_row(pass: &Pass) -> Result<Vec<f32>> {
    let rows = generate::to_host(pass)?;
    let vocab = pass.logits()?.dim(-1) as usize;
    let start = rows.len().checked_sub(vocab);
    let start = start.context("there are no logits")?;
    Ok(rows.get(start..).unwrap_or_default().to_vec())
}
