//! What a network is made of, layer by layer: for watchers, never for a pass.

use anyhow::{Context, Result};
use mlx_rs::{Array, Dtype};

use super::linear::{Linear, Matrix};
use super::norm::{LayerNorm, RmsNorm};
use crate::trace::{Hook, Stage};

/// A layer that multiplies by a matrix, with its place in the checkpoint and in a pass.
#[derive(Debug)]
pub struct Part<'a> {
    /// Its name in the checkpoint, without `.weight`: `model.layers.0.self_attn.q_proj`.
    pub path: String,
    /// `[out, in]`; of an embedding, one row per token or position.
    pub weight: &'a Matrix,
    /// `[out]`, where the layer has one.
    pub bias: Option<&'a Array>,
    /// The stage that reads it.
    pub stage: Stage,
    /// The value it multiplies; `None` for an embedding, which is looked up.
    pub reads: Option<Hook>,
    /// The values it gives, one after the other along its output (GPT-2's q, k and v come from one
    /// layer).
    pub writes: Vec<Hook>,
}

impl<'a> Part<'a> {
    /// A linear layer.
    #[must_use]
    pub fn linear(path: String, layer: &'a Linear, reads: Hook, writes: Vec<Hook>) -> Self {
        Self {
            path,
            weight: &layer.weight,
            bias: layer.bias.as_ref(),
            stage: reads.stage(),
            reads: Some(reads),
            writes,
        }
    }

    /// A matrix whose rows are looked up.
    #[must_use]
    pub fn embedding(path: &str, weight: &'a Matrix, hook: Hook) -> Self {
        Self {
            path: path.to_owned(),
            weight,
            bias: None,
            stage: Stage::Embed,
            reads: None,
            writes: vec![hook],
        }
    }

    /// The output head: it may be the token embedding again.
    #[must_use]
    pub fn head(path: &str, weight: &'a Matrix) -> Self {
        Self {
            path: path.to_owned(),
            weight,
            bias: None,
            stage: Stage::Logits,
            reads: Some(Hook::FinalNorm),
            writes: vec![Hook::Logits],
        }
    }
}

/// A norm's learned numbers.
#[derive(Debug, Clone, Copy)]
pub enum Norm<'a> {
    /// Divides by the root of the mean square.
    Rms(&'a RmsNorm),
    /// Takes the mean away, and divides by the standard deviation.
    Layer(&'a LayerNorm),
}

impl Norm<'_> {
    /// The learned gain, `[dim]`.
    ///
    /// # Errors
    /// If MLX cannot evaluate it.
    pub fn gain(&self) -> Result<Vec<f32>> {
        match self {
            Self::Rms(norm) => to_vec(&norm.weight),
            Self::Layer(norm) => to_vec(&norm.weight),
        }
    }

    /// The learned offset, `[dim]`, where the norm has one.
    ///
    /// # Errors
    /// If MLX cannot evaluate it.
    pub fn offset(&self) -> Result<Option<Vec<f32>>> {
        match self {
            Self::Rms(_) => Ok(None),
            Self::Layer(norm) => to_vec(&norm.bias).map(Some),
        }
    }

    /// Whether the mean is taken away first.
    #[must_use]
    pub fn centres(&self) -> bool {
        matches!(self, Self::Layer(_))
    }

    /// What it adds below the root.
    #[must_use]
    pub fn eps(&self) -> f32 {
        match self {
            Self::Rms(norm) => norm.eps,
            Self::Layer(norm) => norm.eps,
        }
    }
}

fn to_vec(array: &Array) -> Result<Vec<f32>> {
    let array = array.as_dtype(Dtype::Float32)?;
    array
        .to_vec_exact::<f32>()
        .context("cannot read a norm's weights")
}

impl Matrix {
    /// Input values: columns of the matrix.
    #[must_use]
    pub fn n_in(&self) -> usize {
        let columns = match self {
            Self::Dense(weight) | Self::Half(weight) => weight.dim(1),
            Self::Quantized(quantized) => quantized.words.dim(1) * 32 / quantized.bits.max(1),
        };
        columns as usize
    }

    /// How its numbers are held: `float32`, `bfloat16`, `4-bit in groups of 64 (float32 scales)`.
    #[must_use]
    pub fn format(&self) -> String {
        match self {
            Self::Dense(weight) | Self::Half(weight) => dtype_name(weight.dtype()),
            Self::Quantized(q) => {
                let (bits, group_size, scales) =
                    (q.bits, q.group_size, dtype_name(q.scales.dtype()));
                format!("{bits}-bit in groups of {group_size} ({scales} scales)")
            }
        }
    }
}

fn dtype_name(dtype: Dtype) -> String {
    format!("{dtype:?}").to_lowercase()
}
