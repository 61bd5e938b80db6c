//! The MLP of a block: each position by itself, through a wider layer and back.

use anyhow::Result;
use mlx_rs::Array;

use super::compute::Compute;
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
    /// Who computes the activation.
    pub compute: Compute,
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
        let post = self.compute.silu_times(&gate, &up)?; // [pos, d_mlp]
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
    /// Who computes the activation.
    pub compute: Compute,
}

impl GeluMlp {
    /// What the MLP adds to the residual stream, for `x`, `[pos, d_model]`.
    ///
    /// # Errors
    /// If MLX cannot build the graph, or the probe stops the pass.
    pub fn forward(&self, x: &Array, probe: &mut BlockProbe<'_>) -> Result<Array> {
        let pre = probe.at(BlockHook::Pre, self.c_fc.forward(x)?)?; // [pos, d_mlp]
        let post = probe.at(BlockHook::Post, self.compute.gelu_tanh(&pre)?)?; // [pos, d_mlp]
        probe.at(BlockHook::MlpOut, self.c_proj.forward(&post)?) // [pos, d_model]
    }
}
