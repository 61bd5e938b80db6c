//! What edits did to the next token: see [`crate::trace::measure::verdict`].

use anyhow::Result;

use super::{Looking, named};
use crate::engine::run::Run;
use crate::trace::measure::distribution::Distribution;
use crate::trace::measure::verdict::Verdict;
use crate::trace::measure::{At, TokenShare};

impl Looking<'_> {
    /// Compares the logits of this run's pass `pass` with those of `edited`, the same pass with
    /// edits.
    ///
    /// # Errors
    /// If one of the two has not come to its logits.
    pub fn verdict(&self, pass: usize, edited: &Run) -> Result<Verdict> {
        let (before, after) = (self.run.logits(pass)?, edited.logits(pass)?);
        Ok(self.verdict_on(before, after))
    }

    /// Compares two rows of logits, `[vocab]` each.
    #[must_use]
    pub fn verdict_on(&self, before: &[f32], after: &[f32]) -> Verdict {
        Verdict::of(before, after, |id| named(self.loaded(), id))
    }

    /// The logits at a position, `[vocab]`: computed for this row alone, so they are there for
    /// positions that the pass did not ask for. Edits of the final norm and of the logits
    /// themselves do not act here.
    ///
    /// # Errors
    /// If the pass has not come to its last block, or MLX fails.
    pub fn logits_at(&mut self, at: At) -> Result<Vec<f32>> {
        let state = self.last_state(at)?;
        Ok(self.logits_of(&[state])?.values().to_vec())
    }

    /// The likeliest `k` tokens of a row of logits, and any others that are asked for.
    #[must_use]
    pub fn shares(&self, logits: &[f32], k: usize, others: &[u32]) -> Vec<TokenShare> {
        let row = Distribution::new(logits);
        let ids = row.top(k).into_iter().chain(others.iter().copied());
        ids.map(|id| self.share(&row, id)).collect()
    }
}
