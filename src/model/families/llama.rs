//! Llama 2 and 3, Code Llama, SmolLM: biases only where `config.json` asks for them; Llama 3.1's
//! longer context comes from slower RoPE periods (`rope_scaling`).

use anyhow::Result;

use super::rms_decoder::{RmsDecoder, Traits};
use crate::model::config::ModelConfig;
use crate::model::decoder::Decoder;
use crate::model::loader::Loader;

/// Builds the network from `loader`'s weights.
///
/// # Errors
/// If a tensor is missing or has another shape than `config` says.
pub fn load(config: &ModelConfig, loader: &mut Loader<'_>) -> Result<Box<dyn Decoder>> {
    let has = Traits {
        qkv_bias: config.attention_bias, // mlx-lm models/llama.py
        o_bias: config.attention_bias,
        mlp_bias: config.mlp_bias,
        qk_norm: false,
    };
    Ok(Box::new(RmsDecoder::load(config, loader, has)?))
}
