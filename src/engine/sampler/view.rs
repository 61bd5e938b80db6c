//! The sampler with its lid off: what became of each token, for whoever looks at a draw.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::filters::{self, Cut, Filter};
use super::penalties;
use super::ranking::{Entry, Ranking};
use super::softmax::{Extent, log_sum_exp};
use super::{Draw, SamplingParams};

/// The most probable tokens and what each step of the sampler did to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Filtered {
    /// From the highest logit (after bias and penalties) to the lowest, equal ones by id.
    pub candidates: Vec<Candidate>,
    /// The filters that acted, in order.
    pub stages: Vec<Stage>,
    /// How many tokens the model chooses from.
    pub n_vocab: usize,
    /// How many of them could be drawn.
    pub n_kept: usize,
}

/// One token on its way through the sampler.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The token's id.
    pub token: u32,
    /// The model's logit.
    pub logit: f32,
    /// The logit after bias and penalties.
    pub adjusted: f32,
    /// The model's probability: full vocabulary, temperature 1, nothing adjusted.
    pub probability: f64,
    /// Probability among what is left after each stage, `[stage]`: 0 once the token is out.
    pub probabilities: Vec<f64>,
    /// Which filter took it out, and why; none if it could be drawn.
    pub excluded: Option<Exclusion>,
    /// Its share of the curve: after the temperature, among what is left.
    pub share: f64,
    /// The curve after this token; a random number from here less `share` up to here draws it.
    pub cumulative: f64,
}

/// Why a token could not be drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exclusion {
    /// The filter that took it out.
    pub filter: Filter,
    /// A sentence with the figures.
    pub reason: String,
}

/// What one filter left.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// The filter.
    pub filter: Filter,
    /// How many tokens it left.
    pub n_kept: usize,
    /// How much of the probability these hold, at temperature 1 after bias and penalties.
    pub mass: f64,
}

/// Follows the `limit` most probable tokens through every step.
///
/// `draw` supplies XTC's coin; without it XTC is shown as if it did not strike. At temperature 0
/// there are no stages, and the first candidate has all of the curve.
///
/// # Errors
/// As [`super::Sampler::sample`].
pub fn filtered(
    params: &SamplingParams,
    logits: &[f32],
    history: &[u32],
    draw: Option<&Draw>,
    limit: usize,
) -> Result<Filtered> {
    params.validate()?;
    let log_total = log_sum_exp(logits, Extent::of(logits)?.max);
    let adjusted = penalties::adjusted(logits, params, history)?;
    let ranking = Ranking::new(&adjusted, &Extent::of(&adjusted)?);
    let mut trail = Trail::new(params, ranking, draw.and_then(|draw| draw.xtc_coin));

    let mut cumulative = 0.0;
    let mut candidates = Vec::new();
    for (rank, entry) in trail.all.top(limit).into_iter().enumerate() {
        let logit = logits.get(entry.token as usize).copied();
        let logit = logit.unwrap_or(f32::NAN); // never: the entries are made from these logits
        let share = trail.share(rank, entry);
        cumulative += share;
        candidates.push(Candidate {
            token: entry.token,
            logit,
            adjusted: entry.logit,
            probability: (f64::from(logit) - log_total).exp(),
            probabilities: trail.probabilities(rank, entry),
            excluded: trail.exclusion(rank, entry),
            share,
            cumulative,
        });
    }
    Ok(Filtered {
        candidates,
        n_vocab: logits.len(),
        n_kept: trail.left.n_left(),
        stages: trail.stages,
    })
}

/// The ranking before and after the filters, and what each of them did.
struct Trail<'a> {
    params: &'a SamplingParams,
    /// Before any filter.
    all: Ranking,
    /// The sum of all e^(logit - highest logit).
    everything: f64,
    cuts: Vec<Cut>,
    stages: Vec<Stage>,
    /// After all filters.
    left: Ranking,
    /// The sum of the weights left, at the temperature of the draw.
    total: f64,
}

impl<'a> Trail<'a> {
    fn new(params: &'a SamplingParams, all: Ranking, xtc_coin: Option<f64>) -> Self {
        let mut left = all.clone();
        let cuts = if params.is_greedy() {
            left.truncate(1);
            Vec::new()
        } else {
            filters::apply(&mut left, params, xtc_coin)
        };
        let everything = all.masses(1.0).iter().sum();
        let mut after = all.clone();
        let stages = cuts.iter().map(|cut| {
            after.truncate(cut.n_ranks);
            if cut.filter == Filter::Xtc {
                after.empty(cut.emptied.clone());
            }
            Stage {
                filter: cut.filter,
                n_kept: after.n_left(),
                mass: sum_below(&after, all.max()) / everything,
            }
        });
        Self {
            stages: stages.collect(),
            total: left.masses(divisor(params)).iter().sum(),
            params,
            all,
            everything,
            cuts,
            left,
        }
    }

    /// Probability at temperature 1, after bias and penalties, before any filter.
    fn probability(&self, entry: Entry) -> f64 {
        f64::from(entry.logit - self.all.max()).exp() / self.everything
    }

    /// Which cut took a rank out.
    fn cut_of(&self, rank: usize) -> Option<usize> {
        self.cuts.iter().position(|cut| cut.excludes(rank))
    }

    fn probabilities(&self, rank: usize, entry: Entry) -> Vec<f64> {
        let n_passed = self.cut_of(rank).unwrap_or(self.cuts.len());
        let after = |(i, stage): (usize, &Stage)| {
            if i < n_passed {
                self.probability(entry) / stage.mass
            } else {
                0.0
            }
        };
        self.stages.iter().enumerate().map(after).collect()
    }

    fn share(&self, rank: usize, entry: Entry) -> f64 {
        if rank >= self.left.len() || self.cut_of(rank).is_some() {
            return 0.0;
        }
        f64::from(self.left.weight(entry.logit, divisor(self.params))) / self.total
    }

    fn exclusion(&mut self, rank: usize, entry: Entry) -> Option<Exclusion> {
        let out = self.cut_of(rank)?;
        let before = out.checked_sub(1).and_then(|i| self.stages.get(i));
        let (n_before, mass_before) =
            before.map_or((self.all.len(), 1.0), |stage| (stage.n_kept, stage.mass));
        let (stage, params) = (self.stages.get(out)?, self.params);
        let (n_kept, mass_kept) = (stage.n_kept, percent(stage.mass / mass_before));
        let p = percent(self.probability(entry) / mass_before);
        let filter = stage.filter;
        let best = self.all.at(0);
        let best = percent(self.probability(best) / mass_before);
        let reason = match filter {
            Filter::TopP => format!(
                "Top-p {}: the {n_kept} more probable tokens hold {mass_kept} already.",
                params.top_p
            ),
            Filter::MinP => format!(
                "Min-p {}: {p} is less than {} times the {best} of the most probable token.",
                params.min_p, params.min_p
            ),
            Filter::Xtc => format!(
                "XTC: {p} is above the threshold of {}, and so is a less probable token.",
                percent(f64::from(params.xtc_threshold))
            ),
            Filter::TopK => format!(
                "Top-k {}: {n_kept} of the {n_before} tokens left before are more probable.",
                params.top_k
            ),
        };
        Some(Exclusion { filter, reason })
    }
}

/// The sum of e^(logit - max) over what is left, for a `max` that need not be left.
fn sum_below(left: &Ranking, max: f32) -> f64 {
    let below = f64::from(left.max() - max).exp();
    left.masses(1.0).iter().sum::<f64>() * below
}

/// What the logits are divided by; at temperature 0 only one token is left, so anything does.
fn divisor(params: &SamplingParams) -> f32 {
    if params.is_greedy() {
        1.0
    } else {
        params.temperature
    }
}

/// A probability as people read it: three digits, as "0.00123 %".
fn percent(p: f64) -> String {
    let percent = 100.0 * p;
    let n_decimals = match percent {
        p if p >= 10.0 => 1,
        p if p >= 1.0 => 2,
        p if p >= 0.1 => 3,
        _ => 5,
    };
    format!("{percent:.n_decimals$} %")
}
