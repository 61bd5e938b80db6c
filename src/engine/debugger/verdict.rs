//! The run without edits, and what the edits did to the newest logits.
//!
//! The baseline reads the same text in the same pieces. It is a copy of the run without its edits:
//! what comes before the first stage that they affect is shared, not computed again.

use anyhow::{Context as _, Result, ensure};

use super::Debugger;
use super::goal::Goal;
use crate::engine::measures::named;
use crate::engine::message::CancelToken;
use crate::engine::run::{Next, Run, StoredDraw};
use crate::trace::debug::RunVerdict;
use crate::trace::measure::verdict::Verdict;

/// A verdict is given by itself where the run without edits is at most so many passes behind.
const MOST_PASSES_BEHIND: usize = 2;

impl Debugger {
    /// Before the first edit acts, the run as it stands is the baseline.
    pub(super) fn keep_baseline(&mut self) {
        if self.run.edits().acting().is_empty() {
            self.baseline = Some(self.run.fork());
        }
    }

    /// Asks for a verdict.
    pub(super) fn aim_at_verdict(&mut self) -> Result<()> {
        ensure!(
            !self.run.edits().acting().is_empty(),
            "no edit is on: there is nothing to compare"
        );
        ensure!(
            self.has_logits(),
            "the pass has not come to its logits yet: go on to them first"
        );
        self.aim(Goal::Verdict);
        Ok(())
    }

    /// Whether a verdict should follow by itself: logits are there, edits act, and the run without
    /// them is not far behind.
    pub(super) fn wants_verdict(&self) -> bool {
        let n_done = self.baseline.as_ref().map_or(0, |run| run.passes().len());
        let behind = self.run.passes().len().saturating_sub(n_done);
        let is_near = behind <= MOST_PASSES_BEHIND;
        let acts = !self.run.edits().acting().is_empty();
        acts && is_near && self.has_logits() && !self.has_current_verdict()
    }

    pub(super) fn has_current_verdict(&self) -> bool {
        let pass = self.run.newest();
        self.verdict
            .as_ref()
            .is_some_and(|verdict| verdict.pass == pass)
    }

    /// A verdict on logits that are not the newest any more is no longer told.
    pub(super) fn drop_stale_verdict(&mut self) {
        if !self.has_current_verdict() || !self.has_logits() {
            self.verdict = None;
        }
    }

    /// One step of the run without edits; at the end, the verdict.
    pub(super) fn move_baseline(&mut self, cancel: &CancelToken) -> Result<()> {
        let mut baseline = match self.baseline.take() {
            Some(baseline) => baseline,
            None => {
                let mut fork = self.run.fork();
                fork.set_edits(&[], cancel)?;
                fork
            }
        };
        let moved = follow(&mut baseline, &self.run, cancel);
        self.baseline = Some(baseline);
        if moved? {
            self.verdict = Some(self.compare()?);
        }
        Ok(())
    }

    fn compare(&self) -> Result<RunVerdict> {
        let pass = self.run.newest();
        let logits = |run: &Run| {
            run.passes()
                .get(pass)
                .and_then(|pass| pass.logits().map(<[f32]>::to_vec))
        };
        let before = self.baseline.as_ref().and_then(logits);
        let before = before.context("the run without edits has no logits yet")?;
        let after = logits(&self.run).context("the pass has not come to its logits yet")?;
        let name = |id| named(self.run.loaded(), id);
        Ok(RunVerdict {
            pass,
            verdict: Verdict::of(&before, &after, name),
        })
    }

    pub(super) fn has_logits(&self) -> bool {
        !matches!(self.run.next(), Next::Stage(_))
    }
}

/// One step of `baseline` towards the newest logits of `run`, on the text of `run`. Returns whether
/// it is there.
fn follow(baseline: &mut Run, run: &Run, cancel: &CancelToken) -> Result<bool> {
    let draws: Vec<StoredDraw> = run.stored_draws();
    let same = baseline
        .ids()
        .iter()
        .zip(run.ids())
        .take_while(|(a, b)| a == b)
        .count();
    // The last common pass: its draw is the first that may differ.
    let common = same.saturating_sub(run.prompt_len());
    let parts = same < baseline.ids().len() && baseline.newest() > common;
    baseline.follow(
        draws
            .iter()
            .map(|draw| StoredDraw {
                is_forced: true,
                ..*draw
            })
            .collect(),
    );
    if parts || baseline.newest() > run.newest() {
        baseline.rewind_to(common.min(run.newest()), Next::Sample, cancel)?;
    }
    let redraws =
        baseline.newest() < run.newest() && matches!(baseline.next(), Next::Append | Next::Ended);
    if redraws {
        // What it drew by itself is not what the text goes on with.
        baseline.rewind_to(baseline.newest(), Next::Sample, cancel)?;
    }
    let has_logits = |baseline: &Run| {
        baseline.newest() == run.newest() && !matches!(baseline.next(), Next::Stage(_))
    };
    if !has_logits(baseline) {
        baseline.step(cancel)?;
        while baseline.newest() < run.newest() && baseline.next() == Next::Append {
            baseline.step(cancel)?;
        }
    }
    Ok(has_logits(baseline))
}
