//! Rows of logits, and draws from them: see [`crate::trace::measure::logits`].

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};

use super::Looking;
use crate::engine::sampler::{self, Draw, Filtered, Sampler, SamplingParams};
use crate::model::probe::Cancelled;
use crate::trace::measure::At;
use crate::trace::measure::distribution::Distribution;
use crate::trace::measure::histogram::Histogram;
use crate::trace::measure::logits::{LogitsView, Redrawn, Redraws};

/// Bins of the histogram over the vocabulary.
const N_BINS: usize = 64;

/// Most draws of one request: enough for shares of a thousandth.
const MOST_DRAWS: usize = 100_000;

/// How many tokens that could have come are listed though they did not.
const N_LISTED: usize = 32;

impl Looking<'_> {
    /// The logits at a position: the `k` likeliest tokens, `tokens`, and the whole row. At the last
    /// row of a pass they are those that the pass draws from, edits included.
    ///
    /// # Errors
    /// If the pass has not come so far, there is no such row, or MLX fails.
    pub fn logits_view(&mut self, at: At, k: usize, tokens: &[u32]) -> Result<LogitsView> {
        let seen = self
            .run
            .passes()
            .get(at.pass)
            .context("there is no such pass yet")?;
        let is_last = at.row + 1 == seen.n_pos();
        let logits = match seen.logits().filter(|_| is_last) {
            Some(logits) => logits.to_vec(),
            None => self.logits_at(at)?,
        };
        let row = Distribution::new(&logits);
        let ids = row.top(k);
        Ok(LogitsView {
            at,
            top: ids.into_iter().map(|id| self.share(&row, id)).collect(),
            chosen: tokens.iter().map(|id| self.share(&row, *id)).collect(),
            entropy_bits: row.entropy_bits(),
            log_total: row.log_total(),
            histogram: Histogram::of(&logits, N_BINS),
            row: logits.into(),
        })
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
        ensure!(
            n <= MOST_DRAWS,
            "{n} draws are too many: ask for at most {MOST_DRAWS}"
        );
        let (logits, history) = self.drawn_from(pass)?;
        let mut sampler = Sampler::new(params.clone(), seed)?;
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        for _ in 0..n {
            if self.cancel.is_cancelled() {
                return Err(Cancelled.into());
            }
            *counts
                .entry(sampler.sample(logits, history)?.token)
                .or_default() += 1;
        }
        let everything = sampler::filtered(params, logits, history, None, logits.len())?;
        let candidates = everything.candidates.iter().enumerate();
        let listed = candidates.filter(|(rank, candidate)| {
            let could = *rank < N_LISTED && candidate.share > 0.0;
            could || counts.contains_key(&candidate.token)
        });
        let mut tokens: Vec<Redrawn> = listed
            .map(|(_, candidate)| Redrawn {
                token: self.named(candidate.token),
                count: counts.get(&candidate.token).copied().unwrap_or_default(),
                share: candidate.share,
            })
            .collect();
        tokens.sort_by(|a, b| b.share.total_cmp(&a.share));
        Ok(Redraws {
            pass,
            n,
            seed,
            tokens,
        })
    }

    /// The logits of a pass and the text before them, as the sampler gets them.
    fn drawn_from(&self, pass: usize) -> Result<(&[f32], &[u32])> {
        let seen = self
            .run
            .passes()
            .get(pass)
            .context("there is no such pass yet")?;
        let logits = seen.logits();
        let logits =
            logits.with_context(|| format!("pass {pass} has not come to its logits yet"))?;
        let history = self.run.ids().get(..seen.start() + seen.n_pos());
        Ok((logits, history.unwrap_or_default()))
    }
}
