//! Questions about logits and draws. The sampler needs no model: its arithmetic is done again on
//! the recorded logits.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};

use super::{NEEDS_MODEL, Player};
use crate::engine::question::{
    Draw, Filtered, Question, SamplingChoice, SamplingParams, SamplingView, Told,
};
use crate::engine::sampler::{self, Sampler};
use crate::trace::Hook;
use crate::trace::measure::distribution::Distribution;
use crate::trace::measure::histogram::Histogram;
use crate::trace::measure::logits::{LogitsView, Redrawn, Redraws};
use crate::trace::measure::{At, TokenShare};

/// Bins of the histogram over the vocabulary, as the engine has them.
const N_BINS: usize = 64;
/// Most draws of one request.
const MOST_DRAWS: usize = 100_000;
/// How many tokens that could have come are listed though they did not.
const N_LISTED: usize = 32;

impl Player {
    pub(super) fn of_logits(&mut self, question: Question) -> Result<Told> {
        use Question as Ask;
        Ok(match question {
            Ask::Logits { at, k, tokens } => Told::Logits(self.logits_view(at, k, &tokens)?),
            Ask::Sampling {
                pass,
                settings,
                limit,
            } => Told::Sampling(self.sampling_view(pass, settings.as_ref(), limit)?),
            Ask::Redraw {
                pass,
                settings,
                n,
                seed,
            } => {
                let params = self.settings(pass, settings.as_ref())?;
                Told::Redraws(self.redraw(pass, &params, n, seed)?)
            }
            _ => bail!(NEEDS_MODEL),
        })
    }

    fn logits_view(&mut self, at: At, k: usize, tokens: &[u32]) -> Result<LogitsView> {
        let logits = self.values.row(at, Hook::Logits)?;
        let row = Distribution::new(&logits);
        let share = |id: u32| TokenShare {
            token: self.meta().companion.named(id),
            probability: row.probability(id),
            rank: row.rank(id),
        };
        Ok(LogitsView {
            at,
            top: row.top(k).into_iter().map(share).collect(),
            chosen: tokens.iter().map(|id| share(*id)).collect(),
            entropy_bits: row.entropy_bits(),
            log_total: row.log_total(),
            histogram: Histogram::of(&logits, N_BINS),
            row: logits.into(),
        })
    }

    /// The settings of a pass' draw, or others in their place.
    fn settings(&self, pass: usize, chosen: Option<&SamplingChoice>) -> Result<SamplingParams> {
        let own = self
            .draw(pass)
            .map_or_else(|| self.params(), |draw| draw.settings);
        let params = chosen.map_or_else(|| own.clone(), |chosen| chosen.onto(&own));
        params.validate()?;
        Ok(params)
    }

    fn sampling_view(
        &mut self,
        pass: usize,
        chosen: Option<&SamplingChoice>,
        limit: usize,
    ) -> Result<SamplingView> {
        let settings = self.settings(pass, chosen)?;
        let (filtered, draw) = self.filtered(pass, &settings, limit)?;
        let companion = &self.meta().companion;
        let candidates = filtered.candidates.iter();
        Ok(SamplingView {
            texts: candidates
                .map(|one| companion.named(one.token).text)
                .collect(),
            drawn: draw.as_ref().map(|draw| companion.named(draw.token)),
            settings,
            filtered,
            draw,
        })
    }

    fn filtered(
        &mut self,
        pass: usize,
        settings: &SamplingParams,
        limit: usize,
    ) -> Result<(Filtered, Option<Draw>)> {
        let made = self.draw(pass);
        let is_own = made.as_ref().is_some_and(|made| made.settings == *settings);
        let (logits, history) = match (self.drawn_from(pass), &made) {
            (Ok(found), _) => found,
            // Without the logits there is still what was told of the draw.
            (Err(_), Some(made)) if is_own => {
                let mut filtered = made.filtered.clone();
                filtered.candidates.truncate(limit);
                return Ok((filtered, Some(made.draw.clone())));
            }
            (Err(why), _) => return Err(why),
        };
        let draw = match made {
            Some(made) if is_own => Some(made.draw),
            Some(made) => sampler::replay(settings, &logits, &history, &made.draw).ok(),
            None => None,
        };
        let filtered = sampler::filtered(settings, &logits, &history, draw.as_ref(), limit)?;
        Ok((filtered, draw))
    }

    fn redraw(
        &mut self,
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
            let drawn = sampler.sample(&logits, &history)?.token;
            *counts.entry(drawn).or_default() += 1;
        }
        let everything = sampler::filtered(params, &logits, &history, None, logits.len())?;
        let companion = &self.meta().companion;
        let candidates = everything.candidates.iter().enumerate();
        let listed = candidates.filter(|(rank, candidate)| {
            let could = *rank < N_LISTED && candidate.share > 0.0;
            could || counts.contains_key(&candidate.token)
        });
        let mut tokens: Vec<Redrawn> = listed
            .map(|(_, candidate)| Redrawn {
                token: companion.named(candidate.token),
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

    /// The logits of a pass and the ids before them, as the sampler got them.
    fn drawn_from(&mut self, pass: usize) -> Result<(Vec<f32>, Vec<u32>)> {
        let (start, n_pos) = self.values.span(pass)?;
        let row = n_pos.saturating_sub(1);
        let logits = self.values.row(At { pass, row }, Hook::Logits)?;
        let history = self.meta().tokens.get(..start + n_pos);
        let history = history.context("the text is too short")?;
        Ok((logits, history.iter().map(|token| token.id).collect()))
    }
}
