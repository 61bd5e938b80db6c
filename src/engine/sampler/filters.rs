//! The filters, in mlx-lm's order: top-p, min-p, XTC, top-k.
//!
//! Each looks at probabilities at temperature 1 and hands on fewer tokens; the temperature comes
//! after all of them.

use serde::{Deserialize, Serialize};

use super::SamplingParams;
use super::ranking::Ranking;

/// What can keep a token from being drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// The most probable tokens that together hold a share of probability ("nucleus").
    TopP,
    /// Tokens not much less probable than the most probable one.
    MinP,
    /// Without the top choices, now and then ("exclude top choices").
    Xtc,
    /// A fixed number of tokens.
    TopK,
}

/// What one filter did to the ranking.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    pub(super) filter: Filter,
    /// Ranks from here on are out.
    pub(super) n_ranks: usize,
    /// Ranks before it that are out too (XTC), ascending.
    pub(super) emptied: Vec<usize>,
}

impl Cut {
    /// Whether the token at `rank` did not pass.
    pub(super) fn excludes(&self, rank: usize) -> bool {
        rank >= self.n_ranks || self.emptied.binary_search(&rank).is_ok()
    }
}

/// Applies every filter that is set and says what each did.
///
/// `xtc_coin` is XTC's own random number. At least one token stays.
pub(super) fn apply(
    ranking: &mut Ranking,
    params: &SamplingParams,
    xtc_coin: Option<f64>,
) -> Vec<Cut> {
    let mut cuts: Vec<Cut> = Vec::new();
    if 0.0 < params.top_p && params.top_p < 1.0 {
        cuts.push(top_p(ranking, params.top_p));
    }
    if params.min_p > 0.0 {
        cuts.push(min_p(ranking, params.min_p, params.min_tokens_to_keep));
    }
    let strikes = |coin: f64| coin <= f64::from(params.xtc_probability);
    if params.xtc_probability > 0.0 && xtc_coin.is_some_and(strikes) {
        cuts.push(xtc(ranking, params));
    }
    if params.top_k > 0 {
        cuts.push(top_k(ranking, params.top_k));
    }
    cuts
}

/// Keeps a token while those before it hold less than `share` of the probability; tokens exactly as
/// probable as the last one kept stay too.
fn top_p(ranking: &mut Ranking, share: f32) -> Cut {
    let masses = ranking.masses(1.0);
    let enough = f64::from(share) * masses.iter().sum::<f64>();
    let last = ranking.first(&masses, 1.0, |cumulative| cumulative >= enough);
    let last = ranking.at(last.unwrap_or(usize::MAX));
    let n_ranks = ranking.n_at_least(last.logit);
    cut(ranking, Filter::TopP, n_ranks)
}

/// Keeps a token that is at least `ratio` times as probable as the most probable one.
fn min_p(ranking: &mut Ranking, ratio: f32, min_tokens_to_keep: usize) -> Cut {
    let floor = ranking.at(0).logit + ratio.ln();
    let n_ranks = ranking.n_at_least(floor).max(min_tokens_to_keep);
    cut(ranking, Filter::MinP, n_ranks)
}

/// Of the tokens above the threshold only the least probable stays, and the special ones.
fn xtc(ranking: &mut Ranking, params: &SamplingParams) -> Cut {
    // Probability of what the filters before have left, made to sum to 1 again.
    let enough = f64::from(params.xtc_threshold) * ranking.masses(1.0).iter().sum::<f64>();
    let is_above = |ranking: &mut Ranking, rank: usize| {
        let logit = ranking.at(rank).logit;
        f64::from(ranking.weight(logit, 1.0)) > enough
    };
    let mut n_above = 0;
    while n_above < ranking.len() && is_above(ranking, n_above) {
        n_above += 1;
    }
    let mut emptied = Vec::new();
    if n_above > 1 {
        let least = ranking.at(n_above - 1).logit;
        let is_removed = |rank: &usize| {
            let entry = ranking.at(*rank);
            entry.logit > least && !params.xtc_special_tokens.contains(&entry.token)
        };
        emptied = (0..n_above).filter(is_removed).collect();
    }
    ranking.empty(emptied.clone());
    Cut {
        filter: Filter::Xtc,
        n_ranks: ranking.len(),
        emptied,
    }
}

/// Keeps the first `k`; where XTC emptied ranks, more ranks hold as many tokens.
fn top_k(ranking: &mut Ranking, k: usize) -> Cut {
    let mut n_ranks = k;
    for &rank in ranking.emptied() {
        if rank < n_ranks {
            n_ranks += 1;
        }
    }
    cut(ranking, Filter::TopK, n_ranks)
}

fn cut(ranking: &mut Ranking, filter: Filter, n_ranks: usize) -> Cut {
    ranking.truncate(n_ranks);
    Cut {
        filter,
        n_ranks: ranking.len(),
        emptied: Vec::new(),
    }
}
