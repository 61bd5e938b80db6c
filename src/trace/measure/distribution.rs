//! Logits as a distribution: probabilities, ranks, entropy, and how far two of them lie apart.
//!
//! Everything is over the full vocabulary at temperature 1, added up in float64.

use super::vector::top_by;
use super::{NamedToken, TokenShare};

/// Logits, `[vocab]`, with what their softmax needs.
#[derive(Debug, Clone, Copy)]
pub struct Distribution<'a> {
    logits: &'a [f32],
    /// ln Σ e^logit.
    log_total: f64,
}

impl<'a> Distribution<'a> {
    /// The softmax of `logits`. Minus infinity is a token that cannot be drawn.
    #[must_use]
    pub fn new(logits: &'a [f32]) -> Self {
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let max = if max.is_finite() { f64::from(max) } else { 0.0 };
        let total: f64 = logits
            .iter()
            .map(|logit| (f64::from(*logit) - max).exp())
            .sum();
        Self {
            logits,
            log_total: max + total.ln(),
        }
    }

    /// The logits.
    #[must_use]
    pub fn logits(&self) -> &'a [f32] {
        self.logits
    }

    /// Whether there is anything to draw from: no logit is NaN or plus infinity, and not every token
    /// is ruled out.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.log_total.is_finite()
    }

    /// `ln Σ e^logit`: ln p of a token is its logit less this.
    #[must_use]
    pub fn log_total(&self) -> f64 {
        self.log_total
    }

    /// ln p of a token; minus infinity beyond the vocabulary.
    #[must_use]
    pub fn logprob(&self, token: u32) -> f64 {
        let logit = self.logits.get(token as usize).copied();
        logit.map_or(f64::NEG_INFINITY, |logit| f64::from(logit) - self.log_total)
    }

    /// p of a token, 0 to 1; 0 beyond the vocabulary.
    #[must_use]
    pub fn probability(&self, token: u32) -> f64 {
        self.logprob(token).exp()
    }

    /// A token's place, the likeliest first, counted from 1; equal ones by id.
    #[must_use]
    pub fn rank(&self, token: u32) -> usize {
        let own = self
            .logits
            .get(token as usize)
            .copied()
            .unwrap_or(f32::NEG_INFINITY);
        let before = self.logits.iter().enumerate().filter(|(id, logit)| {
            **logit > own || (**logit == own && (*id as u64) < u64::from(token))
        });
        before.count() + 1
    }

    /// What falls to `token`.
    #[must_use]
    pub fn share(&self, token: NamedToken) -> TokenShare {
        TokenShare {
            probability: self.probability(token.id),
            rank: self.rank(token.id),
            token,
        }
    }

    /// The ids of the `k` likeliest tokens, the likeliest first.
    #[must_use]
    pub fn top(&self, k: usize) -> Vec<u32> {
        let places = top_by(self.logits, k, |logit| f64::from(*logit));
        places.into_iter().map(|place| place as u32).collect()
    }

    /// `−Σ p log₂ p`: how open the next token is, in bits. 0 if one token has all, `log₂ vocab` if
    /// all are alike; `2^bits` is the number of equally likely tokens that would be as open.
    #[must_use]
    pub fn entropy_bits(&self) -> f64 {
        let terms = self.logits.iter().map(|logit| {
            let logprob = f64::from(*logit) - self.log_total;
            let p = logprob.exp();
            if p > 0.0 { -p * logprob } else { 0.0 }
        });
        terms.sum::<f64>() / std::f64::consts::LN_2
    }

    /// `Σ p log₂(p / q)` with `p` this distribution and `q` the other: the bits lost on average by
    /// who expects `q` where `p` holds (Kullback and Leibler). 0 if they are equal; infinite where
    /// `q` rules out what `p` allows.
    #[must_use]
    pub fn kl_bits(&self, other: &Distribution<'_>) -> f64 {
        let pairs = self.logits.iter().zip(other.logits);
        let terms = pairs.map(|(p, q)| {
            let log_p = f64::from(*p) - self.log_total;
            let log_q = f64::from(*q) - other.log_total;
            let p = log_p.exp();
            if p > 0.0 { p * (log_p - log_q) } else { 0.0 }
        });
        (terms.sum::<f64>() / std::f64::consts::LN_2).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-6, "{a} is not {b}"); // logits are float32
    }

    #[test]
    fn entropy_counts_bits() {
        close(Distribution::new(&[0.0; 8]).entropy_bits(), 3.0);
        close(
            Distribution::new(&[0.0, f32::NEG_INFINITY]).entropy_bits(),
            0.0,
        );
        let large = [1e4, 1e4];
        close(Distribution::new(&large).entropy_bits(), 1.0);
    }

    #[test]
    fn ranks_count_from_one_and_equal_tokens_by_id() {
        let logits = [0.0, 2.0, 1.0, 2.0];
        let row = Distribution::new(&logits);
        assert_eq!([0, 1, 2, 3].map(|id| row.rank(id)), [4, 1, 3, 2]);
        assert_eq!(row.top(3), [1, 3, 2]);
        assert_eq!(row.probability(99), 0.0);
    }

    #[test]
    fn divergence_is_zero_only_between_equals() {
        let (fair, biased) = ([0.0, 0.0], [3.0_f32.ln(), 0.0]);
        let (fair, biased) = (Distribution::new(&fair), Distribution::new(&biased));
        close(fair.kl_bits(&fair), 0.0);
        // ½ log₂(½ / ¾) + ½ log₂(½ / ¼)
        close(fair.kl_bits(&biased), 0.5 * (2.0_f64 / 3.0).log2() + 0.5);
        let never = [0.0, f32::NEG_INFINITY];
        assert!(fair.kl_bits(&Distribution::new(&never)).is_infinite());
    }
}
