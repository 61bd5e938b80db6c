//! Which neurons of an MLP are at work, and what the norms do.
//!
//! A neuron's activation is what the last layer of the MLP reads (`mlp.hook_post`). It counts as
//! near zero when its size is below a hundredth ([`NEAR_ZERO`]) of the largest at that position:
//! the last layer then hardly hears it.

use serde::{Deserialize, Serialize};

use super::vector::{size, top_by};
use super::{At, Point};

/// Share of the largest activation below which a neuron is near zero.
pub const NEAR_ZERO: f32 = 0.01;

/// The MLP of a block at one position.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Neurons {
    /// Block.
    pub layer: usize,
    /// Where.
    pub at: At,
    /// Neurons of the MLP.
    pub n_neurons: usize,
    /// How many of them are near zero.
    pub n_near_zero: usize,
    /// The most active by size, the most active first.
    pub top: Vec<Neuron>,
}

/// One neuron.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Neuron {
    /// Place in the MLP.
    pub neuron: usize,
    /// Before the activation (`gate`).
    pub pre: f32,
    /// What the activation is multiplied by (`up`), where the family has it.
    pub pre_linear: Option<f32>,
    /// What the last layer reads.
    pub post: f32,
}

impl Neurons {
    /// The `k` most active neurons of block `layer`, from what the last layer of the MLP reads,
    /// what the activation reads, and what it is multiplied by where the family has it: `[d_mlp]`
    /// each.
    #[must_use]
    pub fn of(
        layer: usize,
        at: At,
        post: &[f32],
        pre: &[f32],
        pre_linear: Option<&[f32]>,
        k: usize,
    ) -> Self {
        let largest = post.iter().fold(0.0_f32, |largest, x| x.abs().max(largest));
        let is_near_zero = |x: &&f32| x.abs() <= largest * NEAR_ZERO;
        let at_place =
            |values: &[f32], place: usize| values.get(place).copied().unwrap_or_default();
        let neuron = |place: usize| Neuron {
            neuron: place,
            pre: at_place(pre, place),
            pre_linear: pre_linear.map(|values| at_place(values, place)),
            post: at_place(post, place),
        };
        let top = top_by(post, k, |x| f64::from(x.abs()));
        Self {
            layer,
            at,
            n_neurons: post.len(),
            n_near_zero: post.iter().filter(is_near_zero).count(),
            top: top.into_iter().map(neuron).collect(),
        }
    }
}

/// What a norm does to one position.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NormEffect {
    /// The point of the residual stream that it reads.
    pub reads: Point,
    /// Euclidean size of what it reads.
    pub size_before: f64,
    /// Root of the mean square of what it reads: what RMSNorm divides by (`eps` aside).
    pub rms_before: f64,
    /// Mean of what it reads: what LayerNorm takes away.
    pub mean_before: f64,
    /// Euclidean size of what it gives.
    pub size_after: f64,
    /// Root of the mean square of what it gives: 1 if the gains were all 1.
    pub rms_after: f64,
}

impl NormEffect {
    /// The effect of a norm that makes `after` of `before`, `[d_model]` each.
    #[must_use]
    pub fn of(reads: Point, before: &[f32], after: &[f32]) -> Self {
        let root = |values: &[f32]| (values.len().max(1) as f64).sqrt();
        let sum: f64 = before.iter().map(|x| f64::from(*x)).sum();
        Self {
            reads,
            size_before: size(before),
            rms_before: size(before) / root(before),
            mean_before: sum / before.len().max(1) as f64,
            size_after: size(after),
            rms_after: size(after) / root(after),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_active_come_first_and_quiet_ones_are_counted() {
        let post = [0.001, -4.0, 0.0, 2.0, 0.5];
        let at = At { pass: 0, row: 0 };
        let neurons = Neurons::of(0, at, &post, &post, None, 2);
        let top = neurons.top.iter().map(|neuron| neuron.neuron);
        assert_eq!(top.collect::<Vec<_>>(), [1, 3]);
        assert_eq!(neurons.n_near_zero, 2);
    }

    #[test]
    fn a_norm_effect_measures_both_sides() {
        let effect = NormEffect::of(Point::Embed, &[3.0, 4.0], &[1.0, 1.0]);
        assert_eq!(
            (effect.size_before, effect.mean_before, effect.rms_after),
            (5.0, 3.5, 1.0)
        );
    }
}
