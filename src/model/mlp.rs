//! The MLP of a block: each position by itself, through a wider layer and back.

use std::f32::consts::PI;

use anyhow::Result;
use mlx_rs::{Array, ops};

use super::linear::{Linear, forward_all};
use super::probe::BlockProbe;
use crate::trace::BlockHook;

/// The gated MLP of the Llama line (SwiGLU): `down(silu(gate(x)) * up(x))`.
#[derive(Debug, Clone)]
pub struct GatedMlp {
    /// `[d_mlp, d_model]`.
    pub gate_proj: Linear,
    /// `[d_mlp, d_model]`.
    pub up_proj: Linear,
    /// `[d_model, d_mlp]`.
    pub down_proj: Linear,
}

impl GatedMlp {
    /// What the MLP adds to the residual stream, for `x`, `[pos, d_model]`.
    ///
    /// # Errors
    /// If MLX cannot build the graph, or the probe stops the pass.
    pub fn forward(&self, x: &Array, probe: &mut BlockProbe<'_>) -> Result<Array> {
        let [gate, up] = forward_all([&self.gate_proj, &self.up_proj], x)?; // [pos, d_mlp]
        let gate = probe.at(BlockHook::Pre, gate)?;
        let up = probe.at(BlockHook::PreLinear, up)?;
        let post = silu(&gate)?.multiply(up)?; // [pos, d_mlp]
        let post = probe.at(BlockHook::Post, post)?;
        probe.at(BlockHook::MlpOut, self.down_proj.forward(&post)?) // [pos, d_model]
    }
}

/// GPT-2's MLP: `c_proj(gelu(c_fc(x)))`.
#[derive(Debug, Clone)]
pub struct GeluMlp {
    /// `[d_mlp, d_model]`.
    pub c_fc: Linear,
    /// `[d_model, d_mlp]`.
    pub c_proj: Linear,
}

impl GeluMlp {
    /// What the MLP adds to the residual stream, for `x`, `[pos, d_model]`.
    ///
    /// # Errors
    /// If MLX cannot build the graph, or the probe stops the pass.
    pub fn forward(&self, x: &Array, probe: &mut BlockProbe<'_>) -> Result<Array> {
        let pre = probe.at(BlockHook::Pre, self.c_fc.forward(x)?)?; // [pos, d_mlp]
        let post = probe.at(BlockHook::Post, gelu_tanh(&pre)?)?; // [pos, d_mlp]
        probe.at(BlockHook::MlpOut, self.c_proj.forward(&post)?) // [pos, d_model]
    }
}

// Both activations are written out: mlx-rs' own are compiled functions, and on a CPU MLX compiles
// with the system's C++ compiler at run time, which a user's machine need not have.

/// `x * sigmoid(x)`.
fn silu(x: &Array) -> Result<Array> {
    Ok(x.multiply(ops::sigmoid(x)?)?)
}

/// The tanh form of GELU, which GPT-2 was trained with (mlx-lm models/gpt2.py: `gelu_approx`).
fn gelu_tanh(x: &Array) -> Result<Array> {
    let cubed = x.square()?.multiply(x)?;
    let inner = x.add(cubed.multiply(Array::from_f32(0.044_715))?)?;
    let inner = inner.multiply(Array::from_f32((2.0 / PI).sqrt()))?;
    let gate = ops::tanh(inner)?.add(Array::from_f32(1.0))?;
    Ok(x.multiply(gate)?.multiply(Array::from_f32(0.5))?)
}
