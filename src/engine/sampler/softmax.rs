//! Softmax over the whole vocabulary: highest logit, log-probabilities, e^x.

#![allow(
    clippy::indexing_slicing,
    reason = "the lanes have a fixed size, and a check per token would cost the speed"
)]

use anyhow::{Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::ranking::Ranking;

/// A token and the natural logarithm of its probability, at temperature 1 over the full vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenLogprob {
    /// The token's id.
    pub token: u32,
    /// ln p, never above 0.
    pub logprob: f32,
}

/// The `k` most probable tokens, most probable first; equal ones by id.
///
/// Fewer than `k` where the vocabulary is smaller.
///
/// # Errors
/// If `logits` is empty or holds a NaN or an infinity.
pub fn top_logprobs(logits: &[f32], k: usize) -> Result<Vec<TokenLogprob>> {
    let extent = Extent::of(logits)?;
    let log_total = log_sum_exp(logits, extent.max);
    let mut ranking = Ranking::new(logits, &extent);
    let top = ranking.top(k).into_iter().map(|entry| TokenLogprob {
        token: entry.token,
        logprob: (f64::from(entry.logit) - log_total) as f32,
    });
    Ok(top.collect())
}

/// Log-probability of one token at temperature 1 over the full vocabulary.
///
/// # Errors
/// If `logits` is empty, holds a NaN or an infinity, or does not reach `token`.
pub fn logprob_of(logits: &[f32], token: u32) -> Result<f32> {
    let extent = Extent::of(logits)?;
    let Some(&logit) = logits.get(token as usize) else {
        bail!(
            "Token {token} is not in this model's vocabulary of {}.",
            logits.len()
        );
    };
    Ok((f64::from(logit) - log_sum_exp(logits, extent.max)) as f32)
}

/// ln Σ e^x over the whole vocabulary; a log-probability is a logit less this.
pub(super) fn log_sum_exp(logits: &[f32], max: f32) -> f64 {
    f64::from(max) + weight_sum(logits, max, 1.0).ln()
}

/// A token's weight, e^((logit - highest logit) / temperature): 1 for the most probable.
/// Divided by the sum of all weights it is the token's probability.
#[inline(always)]
pub(super) fn weight(logit: f32, max: f32, temperature: f32) -> f32 {
    exp((logit - max) / temperature)
}

/// The sum of the weights of these logits.
///
/// Added in float64, so that the error stays that of float32 however large the vocabulary.
#[inline]
pub(super) fn weight_sum(logits: &[f32], max: f32, temperature: f32) -> f64 {
    // First the weights, then their sum: the compiler makes vector instructions of each loop.
    let mut weights = [0.0_f32; 64];
    let mut strands = [0.0_f64; 4];
    for run in logits.chunks(weights.len()) {
        weights[run.len()..].fill(0.0);
        for (place, &logit) in weights.iter_mut().zip(run) {
            *place = weight(logit, max, temperature);
        }
        for four in weights.as_chunks::<4>().0 {
            for (strand, &weight) in strands.iter_mut().zip(four) {
                *strand += f64::from(weight);
            }
        }
    }
    strands.into_iter().sum()
}

/// e^x for x at most 0, to seven digits; 0 below -87, where float32 ends.
///
/// The standard library's is a call for each number; this is arithmetic alone, which the compiler
/// turns into vector instructions, and which gives the same bits on every platform.
/// e^x = 2^n · e^r with n the nearest whole number to x / ln 2, so that |r| < 0.35.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    // Adding 1.5 · 2^23 leaves no room for a fraction: the sum's last bits are n.
    const SHIFT: f32 = 12_582_912.0;
    // ln 2 in two parts, the first short enough that n times it is exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let shifted = x * std::f32::consts::LOG2_E + SHIFT;
    let n = shifted - SHIFT;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    // The Taylor series of e^r, from the inside out.
    let mut e_r = 1.0 / 720.0;
    for coefficient in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        e_r = e_r * r + coefficient;
    }
    // The exponent field of a float32 begins at bit 23, and 1.0 has 127 there.
    let two_to_n = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    if x < -87.0 { 0.0 } else { e_r * two_to_n }
}

/// The smallest and the largest logit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub(super) min: f32,
    pub(super) max: f32,
}

impl Extent {
    /// One look at every logit, which also finds what cannot be sampled from.
    pub(super) fn of(logits: &[f32]) -> Result<Self> {
        ensure!(
            !logits.is_empty(),
            "The model gave no logits, so no token can be drawn."
        );
        const LANES: usize = 16;
        let mut min = [f32::INFINITY; LANES];
        let mut max = [f32::NEG_INFINITY; LANES];
        let mut nothing = [0.0_f32; LANES];
        let mut look = |lane: usize, x: f32| {
            min[lane] = if x < min[lane] { x } else { min[lane] };
            max[lane] = if x > max[lane] { x } else { max[lane] };
            // 0 for every finite number, NaN for infinities and NaN.
            nothing[lane] += x * 0.0;
        };
        let (parts, rest) = logits.as_chunks::<LANES>();
        for part in parts {
            part.iter().enumerate().for_each(|(lane, &x)| look(lane, x));
        }
        rest.iter().enumerate().for_each(|(lane, &x)| look(lane, x));
        if nothing.iter().any(|x| x.is_nan()) {
            return Self::of_the_rest(logits);
        }
        Ok(Self {
            min: min.into_iter().fold(f32::INFINITY, f32::min),
            max: max.into_iter().fold(f32::NEG_INFINITY, f32::max),
        })
    }
}

impl Extent {
    /// The same where some tokens are ruled out: their logit is minus infinity.
    fn of_the_rest(logits: &[f32]) -> Result<Self> {
        let rest = logits.iter().copied().filter(|x| *x != f32::NEG_INFINITY);
        let (min, max) = rest
            .clone()
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(min, max), x| {
                (min.min(x), max.max(x))
            });
        if !max.is_finite() || rest.clone().any(|x| !x.is_finite()) {
            return Err(not_finite(logits));
        }
        Ok(Self { min, max })
    }
}

/// The sentence about the first logit that is no number.
fn not_finite(logits: &[f32]) -> anyhow::Error {
    let bad = logits.iter().enumerate().find(|(_, x)| !x.is_finite());
    let (token, value) = bad.map_or((0, f32::NAN), |(token, &value)| (token, value));
    anyhow::anyhow!(
        "The logit of token {token} is {value}, so no token can be drawn: \
         the model's weights are damaged, or its numbers overflowed."
    )
}
