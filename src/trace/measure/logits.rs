//! The logits of one position: the likeliest tokens, chosen ones with their ranks, how open the
//! next token is, and the whole vocabulary.

use std::sync::Arc;

use serde::Serialize;

use super::distribution::Distribution;
use super::histogram::Histogram;
use super::{At, NamedToken, TokenShare};

/// A row of logits, and what can be read from it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogitsView {
    /// Of which position.
    pub at: At,
    /// The likeliest tokens, the likeliest first.
    pub top: Vec<TokenShare>,
    /// The tokens that were asked for, in the order they were asked.
    pub chosen: Vec<TokenShare>,
    /// How open the next token is, in bits: see
    /// [`Distribution::entropy_bits`](super::distribution::Distribution::entropy_bits).
    pub entropy_bits: f64,
    /// `ln Σ e^logit`: a token's ln p is its logit less this.
    pub log_total: f64,
    /// The logits of the whole vocabulary, counted.
    pub histogram: Histogram,
    /// Every logit, `[vocab]`; row number is token id. Not written to JSON: it is large.
    #[serde(skip)]
    pub row: Arc<[f32]>,
}

impl LogitsView {
    /// Bins of the histogram over the vocabulary.
    const N_BINS: usize = 64;

    /// What can be read from `logits`, `[vocab]`: the `k` likeliest tokens, `tokens`, and the whole
    /// row; `name` gives a token's text.
    #[must_use]
    pub fn of(
        at: At,
        logits: Vec<f32>,
        k: usize,
        tokens: &[u32],
        name: impl Fn(u32) -> NamedToken,
    ) -> Self {
        let row = Distribution::new(&logits);
        let share = |id: u32| row.share(name(id));
        Self {
            at,
            top: row.top(k).into_iter().map(share).collect(),
            chosen: tokens.iter().copied().map(share).collect(),
            entropy_bits: row.entropy_bits(),
            log_total: row.log_total(),
            histogram: Histogram::of(&logits, Self::N_BINS),
            row: logits.into(),
        }
    }
}

/// How often each token came when the same logits were drawn from again and again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Redraws {
    /// The pass whose logits these are.
    pub pass: usize,
    /// Draws that were made.
    pub n: usize,
    /// Start of the random numbers.
    pub seed: u64,
    /// Tokens that came, and the likeliest of those that could have: the largest share first.
    pub tokens: Vec<Redrawn>,
}

/// One token of [`Redraws`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Redrawn {
    /// Which.
    pub token: NamedToken,
    /// How often it came.
    pub count: usize,
    /// Its share of the curve, 0 to 1: `count / n` comes near to it.
    pub share: f64,
}
