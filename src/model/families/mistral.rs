//! Mistral: Llama without biases, each position reading a sliding window of the ones before it.
//!
//! mlx-lm runs Mistral as Llama and leaves the window out; transformers' `MistralModel`, which
//! this follows, lets a position read itself and the `sliding_window - 1` before it.

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
        qkv_bias: config.attention_bias,
        o_bias: config.attention_bias,
        mlp_bias: config.mlp_bias,
        qk_norm: false,
    };
    Ok(Box::new(RmsDecoder::load(config, loader, has)?))
}
