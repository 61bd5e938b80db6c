//! What a load and a pass need, by formulas that are written out beside each figure.

use thiserror::Error;

use crate::model::cache::{CHUNK, CacheOptions};
use crate::model::config::ModelConfig;
use crate::model::loader::Compute;
use crate::model::weights::{Checkpoint, Dtype, TensorInfo};
use crate::trace::units;

/// Memory that some work will take beyond what is in use now, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryNeed {
    /// The weights as they will be held.
    pub weights: u64,
    /// The growth of the KV cache.
    pub cache: u64,
    /// What a pass, or the load itself, holds for a moment.
    pub activations: u64,
}

/// The work will not fit.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "there is not enough memory: {} would be needed (weights {}, KV cache {}, computing {}), but {} are free. {}",
    units::bytes(.need.total()), units::bytes(.need.weights), units::bytes(.need.cache),
    units::bytes(.need.activations), units::bytes(*.available), .need.advice()
)]
pub struct NotEnough {
    /// What it would take.
    pub need: MemoryNeed,
    /// What there is.
    pub available: u64,
}

/// The size of one pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassSize {
    /// Positions the cache holds before the pass.
    pub n_before: usize,
    /// Tokens of the pass.
    pub n_new: usize,
    /// Positions that get logits.
    pub n_logit_rows: usize,
}

impl MemoryNeed {
    /// What it takes to load a model and run one token through it.
    ///
    /// While it loads, the largest tensor is there twice: as bytes of the file and as an array.
    pub fn of_load(checkpoint: &Checkpoint, config: &ModelConfig, compute: Compute) -> Self {
        let one_token = PassSize {
            n_before: 0,
            n_new: 1,
            n_logit_rows: 1,
        };
        let pass = Self::of_pass(config, &CacheOptions::default(), one_token, compute);
        let largest = checkpoint
            .infos()
            .map(|info| info.n_bytes as u64)
            .max()
            .unwrap_or(0);
        Self {
            weights: weight_bytes(checkpoint.infos(), compute),
            activations: pass.activations.max(largest),
            ..pass
        }
    }

    /// What a pass takes over what the model and its cache hold before it.
    pub fn of_pass(
        config: &ModelConfig,
        cache: &CacheOptions,
        pass: PassSize,
        compute: Compute,
    ) -> Self {
        let held = cache_bytes(config, cache, pass.n_before, compute);
        let after = cache_bytes(
            config,
            cache,
            pass.n_before.saturating_add(pass.n_new),
            compute,
        );
        Self {
            weights: 0,
            cache: after.saturating_sub(held),
            activations: activation_bytes(config, cache, pass, compute),
        }
    }

    /// All of it.
    pub fn total(&self) -> u64 {
        self.weights
            .saturating_add(self.cache)
            .saturating_add(self.activations)
    }

    /// Compares with the bytes that are free, of which a twentieth is left to the rest of the machine.
    ///
    /// # Errors
    /// If it will not fit, with the figures and what would help.
    pub fn check(&self, available: u64) -> Result<(), NotEnough> {
        if self.total() <= available - available / 20 {
            return Ok(());
        }
        Err(NotEnough {
            need: *self,
            available,
        })
    }

    /// What helps depends on what is large.
    fn advice(&self) -> &'static str {
        if self.weights >= self.cache.max(self.activations) {
            "Choose a smaller model or one with fewer bits per weight, or close other programs."
        } else if self.cache >= self.activations {
            "Keep fewer positions with --max-kv-size, keep them in fewer bits with --kv-bits 4, or give a shorter prompt."
        } else {
            "Give a shorter prompt, keep fewer positions with --max-kv-size, or choose a smaller model."
        }
    }
}

/// Bytes of the weights as they will be held.
///
/// On a GPU that is what is in the file. On a CPU, scales, biases and norms become float32 (4 bytes a number);
/// packed words stay; matrices of 16-bit numbers stay too where our kernels multiply, and become float32 for MLX's.
pub fn weight_bytes<'a>(infos: impl Iterator<Item = &'a TensorInfo>, compute: Compute) -> u64 {
    infos
        .map(|info| tensor_bytes(info, compute))
        .fold(0, u64::saturating_add)
}

fn tensor_bytes(info: &TensorInfo, compute: Compute) -> u64 {
    let is_half = matches!(info.dtype, Dtype::F16 | Dtype::BF16);
    let is_packing = info.name.ends_with(".scales") || info.name.ends_with(".biases");
    let is_small = is_packing || info.shape.len() < 2;
    let widens = !compute.on_gpu && is_half && (is_small || !compute.own_kernels);
    info.n_bytes as u64 * if widens { 2 } else { 1 }
}

/// Bytes allocated for the keys and values of `n_positions`.
///
/// `2 · n_layers · n_kv_heads · head_dim · T · bytes per value`, where `T` is the number of positions, rounded up to
/// a whole chunk of [`CHUNK`] and limited by `max_size`. A value takes 4 bytes on a CPU, where everything is
/// computed in float32, and the checkpoint's 2 (or 4) on a GPU; in a quantized cache it takes `bits / 8` and its
/// share of one scale and one bias per group.
pub fn cache_bytes(
    config: &ModelConfig,
    options: &CacheOptions,
    n_positions: usize,
    compute: Compute,
) -> u64 {
    let held = options
        .max_size
        .map_or(n_positions, |max| max.min(n_positions));
    let slots = held.checked_next_multiple_of(CHUNK).unwrap_or(usize::MAX);
    let n_values = product(&[
        2,
        config.num_hidden_layers,
        config.num_key_value_heads,
        config.head_dim,
        slots,
    ]);
    let whole = value_bytes(config, compute);
    match options.bits.and_then(|bits| u64::try_from(bits).ok()) {
        None => n_values.saturating_mul(whole),
        Some(bits) => {
            // The cache groups by 64 where that divides a head, else by 32.
            let group = if config.head_dim.is_multiple_of(64) {
                64
            } else {
                32
            };
            n_values.saturating_mul(bits) / 8 + (n_values / group).saturating_mul(2 * whole)
        }
    }
}

/// Bytes a pass holds for a moment: the residual stream and its norm, and the largest of three stages.
///
/// In numbers, with `n` tokens and `T` positions in the cache:
/// - always: `3 · n · d_model`;
/// - attention: `n · (2 · n_heads + 2 · n_kv_heads) · head_dim` for q, k, v and z, two copies of one layer's keys and
///   values (an array that grows, or is expanded from bits, is copied), and on a CPU, where MLX's attention is not
///   fused, two maps of `n_heads · n · T`;
/// - MLP: `3 · n · d_mlp`;
/// - output head: two copies of `rows · vocab`, the logits and what the sampler sorts.
///
/// On a CPU the panel of weights being expanded is added: 4 MB, or 16 rows of the widest matrix.
pub fn activation_bytes(
    config: &ModelConfig,
    options: &CacheOptions,
    pass: PassSize,
    compute: Compute,
) -> u64 {
    let n = pass.n_new;
    let n_positions = pass.n_before.saturating_add(n);
    let (heads, kv_heads, head_dim) = (
        config.num_attention_heads,
        config.num_key_value_heads,
        config.head_dim,
    );
    let held = options
        .max_size
        .map_or(n_positions, |max| max.saturating_add(n).min(n_positions));
    let layer_cache = product(&[4, kv_heads, head_dim, held]);
    let maps = if compute.on_gpu {
        0
    } else {
        product(&[2, heads, n, held])
    };
    let projections = product(&[n, 2 * (heads + kv_heads), head_dim]);
    let attention = projections.saturating_add(layer_cache).saturating_add(maps);
    let mlp = product(&[3, n, config.intermediate_size]);
    let head = product(&[2, pass.n_logit_rows, config.vocab_size]);
    let stage = attention.max(mlp).max(head);
    let panel = match compute.own_kernels {
        true => product(&[16, config.intermediate_size.max(config.hidden_size)]).max(1 << 20),
        false => 0,
    };
    let numbers = product(&[3, n, config.hidden_size]).saturating_add(stage);
    numbers
        .saturating_mul(value_bytes(config, compute))
        .saturating_add(panel.saturating_mul(4))
}

/// Bytes of one number while computing.
fn value_bytes(config: &ModelConfig, compute: Compute) -> u64 {
    let is_half = config
        .torch_dtype
        .as_deref()
        .is_some_and(|name| name.ends_with("16"));
    if compute.on_gpu && is_half { 2 } else { 4 }
}

/// A product that stops at the largest number instead of wrapping around.
fn product(factors: &[usize]) -> u64 {
    factors
        .iter()
        .fold(1, |product, factor| product.saturating_mul(*factor as u64))
}
