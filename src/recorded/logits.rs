//! Questions about logits and draws. The sampler needs no model: its arithmetic is done again on
//! the recorded logits.

use anyhow::{Context as _, Result, bail};

use super::{NEEDS_MODEL, Player};
use crate::engine::question::{
    Draw, Filtered, Question, SamplingChoice, SamplingParams, SamplingView, Told,
};
use crate::engine::sampler::{self, Sampler, draw_again};
use crate::trace::Hook;
use crate::trace::measure::At;
use crate::trace::measure::logits::{LogitsView, Redraws};

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
        let companion = &self.meta().companion;
        let named = |id| companion.named(id);
        Ok(LogitsView::of(at, logits, k, tokens, named))
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
        let named = |id| companion.named(id);
        Ok(SamplingView::of(settings, filtered, draw, named))
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
        let (logits, history) = self.drawn_from(pass)?;
        let sampler = Sampler::new(params.clone(), seed)?;
        let companion = &self.meta().companion;
        let named = |id| companion.named(id);
        let tokens = draw_again(sampler, &logits, &history, n, || Ok(()), named)?;
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
