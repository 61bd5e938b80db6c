//! From logits to the next token.
//!
//! Everything happens in this order, which is mlx-lm's (`sample_utils.py`):
//!
//! 1. logit bias, repetition penalty, presence penalty, frequency penalty change logits;
//! 2. top-p, min-p, XTC, top-k take tokens out, each looking at what the one before has left,
//!    by probability at temperature 1;
//! 3. the temperature divides the logits of those left, and softmax makes them shares of 1;
//! 4. the shares are laid end to end, the most probable token first and equal ones by id, and one
//!    random number between 0 and 1 points at a token on this *cumulative curve*.
//!
//! At temperature 0 steps 2 to 4 fall away: the highest logit wins, the lowest id among equals.
//!
//! The random number is kept with the token ([`Draw`]), so that the draw can be shown and
//! repeated. XTC tosses a coin of its own before, which is kept too.
//!
//! Where mlx-lm differs: its draw compares random numbers for all tokens at once (Gumbel), so the
//! same seed gives another text there, with the same distribution; and it refuses a top-k as large
//! as the vocabulary, which here changes nothing.

mod filters;
mod params;
mod penalties;
mod random;
mod ranking;
mod redraw;
mod softmax;
#[cfg(test)]
mod tests;
mod view;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

pub use filters::Filter;
pub use params::SamplingParams;
pub use random::fresh_seed;
pub use redraw::draw_again;
pub use softmax::{TokenLogprob, logprob_of, top_logprobs};
pub use view::{Candidate, Exclusion, Filtered, Stage, filtered};

pub(in crate::engine) use random::Random;
use ranking::Ranking;
use softmax::{Extent, log_sum_exp};

/// One token and how it was chosen: all that is needed to choose it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Draw {
    /// The token's id.
    pub token: u32,
    /// The one random number, `0.0..1.0`, that pointed at it; none at temperature 0.
    pub random: Option<f64>,
    /// XTC's own random number; none where XTC is off. XTC struck if it is at most
    /// [`SamplingParams::xtc_probability`].
    pub xtc_coin: Option<f64>,
    /// ln p of the token in the model's own words: full vocabulary, temperature 1, before bias,
    /// penalties and filters.
    pub logprob: f32,
    /// The token's share of the curve it was drawn from: after all settings. 1 at temperature 0.
    pub share: f64,
    /// How many tokens could have been drawn.
    pub n_candidates: usize,
}

/// Chooses tokens: settings and a sequence of random numbers that belongs to a seed.
#[derive(Clone, Debug)]
pub struct Sampler {
    params: SamplingParams,
    seed: u64,
    random: Random,
}

impl Sampler {
    /// A sampler at the start of the sequence of `seed`; [`fresh_seed`] makes one up.
    ///
    /// # Errors
    /// If a setting is out of its range, see [`SamplingParams::validate`].
    pub fn new(params: SamplingParams, seed: u64) -> Result<Self> {
        params.validate()?;
        Ok(Self {
            params,
            seed,
            random: Random::new(seed),
        })
    }

    /// The settings.
    #[must_use]
    pub fn params(&self) -> &SamplingParams {
        &self.params
    }

    /// The seed the sequence began with.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The same sequence of random numbers, or the one of `seed`, with other settings.
    ///
    /// # Errors
    /// As [`Sampler::new`].
    pub fn changed(&self, params: SamplingParams, seed: Option<u64>) -> Result<Self> {
        params.validate()?;
        Ok(Self {
            params,
            seed: seed.unwrap_or(self.seed),
            random: seed.map_or_else(|| self.random.clone(), Random::new),
        })
    }

    /// Passes over the random numbers of `n` draws.
    pub fn skip(&mut self, n: usize) {
        for _ in 0..n {
            self.next_numbers();
        }
    }

    /// The random numbers of one draw: the one that points at the token, and XTC's coin.
    fn next_numbers(&mut self) -> (Option<f64>, Option<f64>) {
        let is_random = !self.params.is_greedy();
        let tosses = is_random && self.params.xtc_probability > 0.0;
        let xtc_coin = tosses.then(|| self.random.uniform());
        let random = is_random.then(|| self.random.uniform());
        (random, xtc_coin)
    }

    /// Chooses the next token from `logits`, `[vocab]`.
    ///
    /// `history` is the prompt and everything generated since, for the penalties. A draw takes one
    /// random number from the sequence, one more for XTC where it is on, none at temperature 0.
    ///
    /// # Errors
    /// If `logits` is empty or holds a NaN or an infinity, or if a logit bias is for a token that
    /// it does not reach.
    pub fn sample(&mut self, logits: &[f32], history: &[u32]) -> Result<Draw> {
        let (random, xtc_coin) = self.next_numbers();
        choose(&self.params, logits, history, random, xtc_coin)
    }
}

/// Chooses again with the recorded random numbers: the same settings, logits and history give the
/// same draw; others show what that number would have chosen.
///
/// # Errors
/// As [`Sampler::sample`], and if `draw` was made at temperature 0 and `params` are not.
pub fn replay(
    params: &SamplingParams,
    logits: &[f32],
    history: &[u32],
    draw: &Draw,
) -> Result<Draw> {
    params.validate()?;
    let random = if params.is_greedy() {
        None
    } else {
        draw.random
    };
    if !params.is_greedy() && random.is_none() {
        bail!(
            "This token was chosen at temperature 0, without a random number: \
             there is none to repeat the draw with at temperature {}.",
            params.temperature
        );
    }
    choose(params, logits, history, random, draw.xtc_coin)
}

/// The draw of a token that somebody has chosen: with its share of the curve, 0 where the settings
/// rule it out.
///
/// # Errors
/// As [`Sampler::sample`], and if `logits` do not reach `token`.
pub fn forced(
    params: &SamplingParams,
    logits: &[f32],
    history: &[u32],
    token: u32,
    xtc_coin: Option<f64>,
) -> Result<Draw> {
    let logprob = logprob_of(logits, token)?;
    let adjusted = penalties::adjusted(logits, params, history)?;
    let extent = Extent::of(&adjusted)?;
    let (share, n_candidates) = match params.is_greedy() {
        true => (f64::from(u8::from(highest(&adjusted, &extent) == token)), 1),
        false => {
            let mut ranking = Ranking::new(&adjusted, &extent);
            filters::apply(&mut ranking, params, xtc_coin);
            let share = ranking.share_of(token, params.temperature);
            (share, ranking.n_left())
        }
    };
    Ok(Draw {
        token,
        random: None,
        xtc_coin,
        logprob,
        share,
        n_candidates,
    })
}

/// The whole of the sampler as a function; greedy where there is no random number.
fn choose(
    params: &SamplingParams,
    logits: &[f32],
    history: &[u32],
    random: Option<f64>,
    xtc_coin: Option<f64>,
) -> Result<Draw> {
    let mut extent = Extent::of(logits)?;
    let log_total = log_sum_exp(logits, extent.max);
    let adjusted = penalties::adjusted(logits, params, history)?;
    if let std::borrow::Cow::Owned(adjusted) = &adjusted {
        extent = Extent::of(adjusted)?;
    }
    let (token, share, n_candidates) = match random {
        None => (highest(&adjusted, &extent), 1.0, 1),
        Some(random) => {
            let mut ranking = Ranking::new(&adjusted, &extent);
            filters::apply(&mut ranking, params, xtc_coin);
            let (token, share) = draw(&mut ranking, params.temperature, random);
            (token, share, ranking.n_left())
        }
    };
    let logit = logits.get(token as usize).copied().unwrap_or(f32::NAN);
    Ok(Draw {
        token,
        random,
        xtc_coin,
        logprob: (f64::from(logit) - log_total) as f32,
        share,
        n_candidates,
    })
}

/// The token with the highest logit, the lowest id among equals.
fn highest(logits: &[f32], extent: &Extent) -> u32 {
    let token = logits.iter().position(|&logit| logit == extent.max);
    token.unwrap_or_default() as u32
}

/// The token that `random` points at on the cumulative curve, and its share of the curve.
fn draw(ranking: &mut Ranking, temperature: f32, random: f64) -> (u32, f64) {
    let masses = ranking.masses(temperature);
    let total: f64 = masses.iter().sum();
    let target = random * total;
    // Adding in another order could end a hair below the total; then it is the last with a share.
    let rank = ranking.first(&masses, temperature, |cumulative| cumulative > target);
    let rank = rank.unwrap_or_else(|| ranking.last_with_weight(temperature));
    let entry = ranking.at(rank);
    let share = f64::from(ranking.weight(entry.logit, temperature)) / total;
    (entry.token, share)
}
