//! Rotary position embedding: pairs of a query or key turn by an angle that grows with position.

use std::f64::consts::TAU;

use anyhow::Result;
use mlx_rs::{Array, fast};

use super::config::{ModelConfig, RopeScaling};

/// RoPE for one head size.
#[derive(Debug, Clone)]
pub struct Rope {
    head_dim: i32,
    /// Pairs are neighbours (`true`) or lie half a head apart (`false`, Hugging Face's layout).
    traditional: bool,
    angles: Angles,
}

/// How fast the pairs turn.
#[derive(Debug, Clone)]
enum Angles {
    /// Pair `i` turns by `position * scale / base^(2i / head_dim)`.
    Plain { base: f64, scale: f64 },
    /// Pair `i` turns by `position / periods[i]`, `[head_dim / 2]`.
    Periods(Array),
}

impl Rope {
    /// RoPE as `config.json` describes it.
    #[must_use]
    pub fn new(config: &ModelConfig) -> Self {
        let (head_dim, base) = (config.head_dim, config.rope_theta);
        let angles = match &config.rope_scaling {
            None => Angles::Plain { base, scale: 1.0 },
            Some(RopeScaling::Linear { factor }) => Angles::Plain {
                base,
                scale: 1.0 / factor,
            },
            Some(scaling @ RopeScaling::Llama3 { .. }) => {
                let periods: Vec<f32> = plain_periods(head_dim, base)
                    .map(|period| stretched(period, scaling) as f32)
                    .collect();
                Angles::Periods(Array::from_slice(&periods, &[periods.len() as i32]))
            }
        };
        Self {
            head_dim: head_dim as i32,
            traditional: config.rope_traditional,
            angles,
        }
    }

    /// Turns `x`, `[1, head, pos, head_dim]`, whose first row stands at position `start`.
    ///
    /// # Errors
    /// If MLX cannot build the graph, e.g. when the last axis is not `head_dim`.
    pub fn forward(&self, x: &Array, start: usize) -> Result<Array> {
        let (base, scale, periods) = match &self.angles {
            Angles::Plain { base, scale } => (Some(*base as f32), *scale as f32, None),
            Angles::Periods(periods) => (None, 1.0, Some(periods)),
        };
        let (dims, start) = (self.head_dim, start as i32);
        Ok(fast::rope(x, dims, self.traditional, base, scale, start, periods)?)
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
