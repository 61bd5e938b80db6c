//! Rotary position embedding: pairs of a query or key turn by an angle that grows with position.

use std::f64::consts::TAU;

use anyhow::Result;
use mlx_rs::{Array, fast};

use super::attention::{from_heads, to_heads};
use super::compute::{Compute, rotate};
use super::config::{ModelConfig, RopeScaling};
use super::kernels::Angles;
use crate::trace::measure::rope::RopeFigures;

/// RoPE for one head size.
#[derive(Debug, Clone)]
pub struct Rope {
    head_dim: i32,
    /// Pairs are neighbours (`true`) or lie half a head apart (`false`, Hugging Face's layout).
    traditional: bool,
    speed: Speed,
    compute: Compute,
}

/// How fast the pairs turn.
#[derive(Debug, Clone)]
enum Speed {
    /// Pair `i` turns by `position * scale / base^(2i / head_dim)`.
    Plain { base: f64, scale: f64 },
    /// Pair `i` turns by `position / periods[i]`, `[head_dim / 2]`.
    Periods(Vec<f32>),
}

impl Rope {
    /// RoPE as `config.json` describes it.
    #[must_use]
    pub fn new(config: &ModelConfig, compute: Compute) -> Self {
        let (head_dim, base) = (config.head_dim, config.rope_theta);
        let speed = match &config.rope_scaling {
            None => Speed::Plain { base, scale: 1.0 },
            Some(RopeScaling::Linear { factor }) => Speed::Plain {
                base,
                scale: 1.0 / factor,
            },
            Some(scaling @ RopeScaling::Llama3 { .. }) => {
                let periods: Vec<f32> = plain_periods(head_dim, base)
                    .map(|period| stretched(period, scaling) as f32)
                    .collect();
                Speed::Periods(periods)
            }
        };
        Self {
            head_dim: head_dim as i32,
            traditional: config.rope_traditional,
            speed,
            compute,
        }
    }

    /// Turns `x`, `[pos, head, head_dim]`, whose first row stands at position `start`.
    ///
    /// # Errors
    /// If MLX cannot build the graph, e.g. when the last axis is not `head_dim`.
    pub fn forward(&self, x: &Array, start: usize) -> Result<Array> {
        if self.compute.own_kernels {
            return rotate(x, &self.angles(start, x.dim(0) as usize));
        }
        let periods = match &self.speed {
            Speed::Periods(periods) => Some(Array::from_slice(periods, &[periods.len() as i32])),
            Speed::Plain { .. } => None,
        };
        let (base, scale) = match &self.speed {
            Speed::Plain { base, scale } => (Some(*base as f32), *scale as f32),
            Speed::Periods(_) => (None, 1.0),
        };
        let (dims, start) = (self.head_dim, start as i32);
        let x = to_heads(x)?; // [1, head, pos, head_dim]
        let turned = fast::rope(
            x,
            dims,
            self.traditional,
            base,
            scale,
            start,
            periods.as_ref(),
        )?;
        from_heads(&turned) // [pos, head, head_dim]
    }

    /// How its pairs turn.
    #[must_use]
    pub fn figures(&self) -> RopeFigures {
        let (frequencies, scale) = self.frequencies();
        RopeFigures {
            frequencies,
            scale,
            is_traditional: self.traditional,
        }
    }

    /// Radians per position of each pair, `[head_dim / 2]`, and what a position is multiplied by
    /// before.
    fn frequencies(&self) -> (Vec<f32>, f32) {
        let half = self.head_dim as usize / 2;
        match &self.speed {
            Speed::Periods(periods) => (periods.iter().map(|period| 1.0 / period).collect(), 1.0),
            Speed::Plain { base, scale } => {
                let step = (*base as f32).ln() / half as f32;
                let frequency = |pair| (-(pair as f32) * step).exp();
                ((0..half).map(frequency).collect(), *scale as f32)
            }
        }
    }

    /// The angles of `n_pos` positions from `start` on.
    ///
    /// In float32 and in this order, as MLX computes them: far positions turn by thousands of
    /// radians, where the last bit of a frequency is seen.
    fn angles(&self, start: usize, n_pos: usize) -> Angles {
        let half = self.head_dim as usize / 2;
        let (frequencies, scale) = self.frequencies();
        let positions = (start..start + n_pos).map(|position| position as f32 * scale);
        let angles = positions.flat_map(|position| frequencies.iter().map(move |f| position * f));
        let (cos, sin) = angles.map(|angle| (angle.cos(), angle.sin())).unzip();
        Angles {
            cos,
            sin,
            half,
            is_traditional: self.traditional,
        }
    }
}

/// The positions it takes each pair to turn by one radian, without scaling.
fn plain_periods(head_dim: usize, base: f64) -> impl Iterator<Item = f64> {
    (0..head_dim / 2).map(move |pair| base.powf(2.0 * pair as f64 / head_dim as f64))
}

/// Llama 3.1's stretch: slow pairs turn `factor` times slower, fast ones as before, those between
/// are blended by how many turns they make within the original context (mlx-lm rope_utils.py).
fn stretched(period: f64, scaling: &RopeScaling) -> f64 {
    let RopeScaling::Llama3 {
        factor,
        low_freq_factor,
        high_freq_factor,
        original_max_position_embeddings,
    } = scaling
    else {
        return period;
    };
    let n_turns = *original_max_position_embeddings as f64 / (TAU * period);
    if n_turns < *low_freq_factor {
        return period * factor;
    }
    if n_turns > *high_freq_factor {
        return period;
    }
    let smooth = (n_turns - low_freq_factor) / (high_freq_factor - low_freq_factor);
    period / ((1.0 - smooth) / factor + smooth)
}
