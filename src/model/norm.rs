//! Norms: bring every position to the same size before a layer reads it.

use anyhow::Result;
use mlx_rs::Array;

use super::compute::Compute;

/// `x / sqrt(mean(x²) + eps) * weight`, over the last axis.
#[derive(Debug, Clone)]
pub struct RmsNorm {
    /// The learned gain, `[dim]`.
    pub weight: Array,
    /// Keeps the division finite where a position is all zeros.
    pub eps: f32,
    /// Who computes it.
    pub compute: Compute,
}

impl RmsNorm {
    /// Normalises the last axis of `x`; the shape stays.
    ///
    /// # Errors
    /// If the last axis is not as long as `weight`.
    pub fn forward(&self, x: &Array) -> Result<Array> {
        self.compute.rms_norm(x, &self.weight, self.eps)
    }
}

/// `(x - mean) / sqrt(variance + eps) * weight + bias`, over the last axis.
#[derive(Debug, Clone)]
pub struct LayerNorm {
    /// The learned gain, `[dim]`.
    pub weight: Array,
    /// The learned offset, `[dim]`.
    pub bias: Array,
    /// Keeps the division finite where a position is constant.
    pub eps: f32,
    /// Who computes it.
    pub compute: Compute,
}

impl LayerNorm {
    /// Normalises the last axis of `x`; the shape stays.
    ///
    /// # Errors
    /// If the last axis is not as long as `weight`.
    pub fn forward(&self, x: &Array) -> Result<Array> {
        self.compute
            .layer_norm(x, &self.weight, &self.bias, self.eps)
    }
}
