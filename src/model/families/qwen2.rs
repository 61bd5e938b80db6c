//! Qwen2 and Qwen2.5: biases on queries, keys and values.

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
        qkv_bias: true, // mlx-lm models/qwen2.py
        o_bias: false,
        mlp_bias: false,
        qk_norm: false,
    };
    Ok(Box::new(RmsDecoder::load(config, loader, has)?))
}
