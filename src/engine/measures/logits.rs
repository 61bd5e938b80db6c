//! Rows of logits, and draws from them: see [`crate::trace::measure::logits`].

use anyhow::Result;

use super::Looking;
use crate::engine::sampler::{self, Draw, Filtered, Sampler, SamplingParams, draw_again};
use crate::model::probe::Cancelled;
use crate::trace::measure::At;
use crate::trace::measure::logits::{LogitsView, Redraws};

impl Looking<'_> {
    /// The logits at a position: the `k` likeliest tokens, `tokens`, and the whole row. At the last
    /// row of a pass they are those that the pass draws from, edits included.
    ///
    /// # Errors
    /// If the pass has not come so far, there is no such row, or MLX fails.
    pub fn logits_view(&mut self, at: At, k: usize, tokens: &[u32]) -> Result<LogitsView> {
        let seen = self.run.pass(at.pass)?;
        let is_last = at.row + 1 == seen.n_pos();
        let logits = match seen.logits().filter(|_| is_last) {
            Some(logits) => logits.to_vec(),
            None => self.logits_at(at)?,
        };
        Ok(LogitsView::of(at, logits, k, tokens, |id| self.named(id)))
    }

    /// What the sampler does with the logits of pass `pass` under `params`: the `limit` likeliest
    /// tokens on their way, and the draw. With the run's own settings it is the draw that was made;
    /// with others it is what the same random number gives, if there was one.
    ///
    /// # Errors
    /// If the pass has no logits yet, or a setting is out of range.
    pub fn sampling(
        &self,
        pass: usize,
        params: &SamplingParams,
        limit: usize,
    ) -> Result<(Filtered, Option<Draw>)> {
        let (logits, history) = self.drawn_from(pass)?;
        let made = self.run.passes().get(pass).and_then(|pass| pass.draw());
        let draw = match made {
            Some(draw) if params == self.settings_of(pass) => Some(draw.clone()),
            // A draw without a random number (greedy, or forced) has none to repeat.
            Some(draw) => sampler::replay(params, logits, history, draw).ok(),
            None => None,
        };
        let filtered = sampler::filtered(params, logits, history, draw.as_ref(), limit)?;
        Ok((filtered, draw))
    }

    /// The settings that the token after pass `pass` was or will be drawn with.
    #[must_use]
    pub fn settings_of(&self, pass: usize) -> &SamplingParams {
        let seen = self.run.passes().get(pass);
        let drawn_with = seen.and_then(|seen| seen.drawn_with());
        drawn_with.unwrap_or(self.run.sampling())
    }

    /// Draws `n` times from the logits of pass `pass` under `params`.
    ///
    /// # Errors
    /// If the pass has no logits yet, a setting is out of range, `n` is too large, or it was
    /// cancelled.
    pub fn redraw(
        &self,
        pass: usize,
        params: &SamplingParams,
        n: usize,
        seed: u64,
    ) -> Result<Redraws> {
        let (logits, history) = self.drawn_from(pass)?;
        let sampler = Sampler::new(params.clone(), seed)?;
        let check = || match self.cancel.is_cancelled() {
            true => Err(Cancelled.into()),
            false => Ok(()),
        };
        let tokens = draw_again(sampler, logits, history, n, check, |id| self.named(id))?;
        Ok(Redraws {
            pass,
            n,
            seed,
            tokens,
        })
    }

    /// The logits of a pass and the text before them, as the sampler gets them.
    fn drawn_from(&self, pass: usize) -> Result<(&[f32], &[u32])> {
        let (seen, logits) = (self.run.pass(pass)?, self.run.logits(pass)?);
        let history = self.run.ids().get(..seen.start() + seen.n_pos());
        Ok((logits, history.unwrap_or_default()))
    }
}
