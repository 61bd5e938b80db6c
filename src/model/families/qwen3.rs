//! Qwen3: queries and keys are normed per head before RoPE, and a head's size is stated, not derived.

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
        qkv_bias: config.attention_bias, // transformers' Qwen3Config; false in every published model
        o_bias: config.attention_bias,
        mlp_bias: false,
        qk_norm: true, // mlx-lm models/qwen3.py
    };
    Ok(Box::new(RmsDecoder::load(config, loader, has)?))
}
