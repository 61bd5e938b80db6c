//! The KV cache in figures: what it holds, what it takes, what it would take otherwise.
//!
//! ```text
//! bytes = 2 · n_layers · n_kv_heads · head_dim · bytes per value · positions
//! ```
//!
//! The 2 is for keys and values. Without grouped-query attention every query head would have keys
//! and values of its own: `n_heads` in place of `n_kv_heads`. A cache is allocated in chunks, so
//! more is taken than is used.

use serde::{Deserialize, Serialize};

/// The KV cache after a pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// 0 is the prefill, then one per generated token.
    pub pass: usize,
    /// Positions of the text at its end.
    pub positions: usize,
    /// Layer by layer.
    pub layers: Vec<LayerLedger>,
    /// Key and value heads per layer.
    pub n_kv_heads: usize,
    /// Query heads per layer.
    pub n_heads: usize,
    /// Values of a head.
    pub head_dim: usize,
    /// Bytes of one value; with a quantized cache its scales and biases are shared out among values.
    pub bytes_per_value: f64,
    /// What the formula gives for the positions that are held.
    pub formula_bytes: u64,
    /// The same with keys and values for every query head.
    pub without_gqa_bytes: u64,
    /// Bits per value where the cache is quantized.
    pub bits: Option<i32>,
    /// Most positions it may hold, where it rotates.
    pub max_size: Option<usize>,
    /// Whether positions have been overwritten or left out.
    pub has_dropped: bool,
}

/// The cache of one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerLedger {
    /// Block.
    pub layer: usize,
    /// Positions it holds.
    pub positions: usize,
    /// Bytes of these.
    pub used_bytes: usize,
    /// Bytes allocated.
    pub allocated_bytes: usize,
}

impl Ledger {
    /// Bytes of the positions held, all layers.
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        self.layers.iter().map(|layer| layer.used_bytes).sum()
    }

    /// Bytes allocated, all layers.
    #[must_use]
    pub fn allocated_bytes(&self) -> usize {
        self.layers.iter().map(|layer| layer.allocated_bytes).sum()
    }
}

/// What the KV cache saves, measured by doing without it.
///
/// With it, a decode step reads one token; without it, the whole text has to run again for every
/// new token. Both times are real: the same last token, once after the cached rest, once with all
/// before it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CacheCost {
    /// Positions of the text, the new token included.
    pub positions: usize,
    /// Seconds of the step with the cache: the median of [`CacheCost::N_STEPS`].
    pub with_cache_s: f64,
    /// Seconds of the whole text again, measured once.
    pub without_cache_s: f64,
}

impl CacheCost {
    /// How often the step with the cache is timed.
    pub const N_STEPS: usize = 5;

    /// How many times as long a token takes without the cache.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        match self.with_cache_s > 0.0 {
            true => self.without_cache_s / self.with_cache_s,
            false => 0.0,
        }
    }
}

/// What the process holds in memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryUse {
    /// Every loaded model with the bytes of its weight files.
    pub weights: Vec<(String, u64)>,
    /// The KV cache of the session's run: bytes used.
    pub cache_used_bytes: u64,
    /// The same: bytes allocated.
    pub cache_allocated_bytes: u64,
    /// Values recorded by the session's run.
    pub recorded_bytes: u64,
    /// Hidden states that it keeps to go back and to recompute from.
    pub hidden_bytes: u64,
    /// Bytes that recordings may take; `None`: as many as there are.
    pub budget_bytes: Option<u64>,
    /// Bytes of MLX's arrays.
    pub mlx_active_bytes: u64,
    /// Bytes that MLX keeps to use again.
    pub mlx_cache_bytes: u64,
    /// Most bytes MLX's arrays have taken.
    pub mlx_peak_bytes: u64,
    /// The whole process now; `None` where the system does not say.
    pub process_bytes: Option<u64>,
    /// The whole process at its largest.
    pub process_peak_bytes: Option<u64>,
    /// What the machine has left; `None` where the system does not say.
    pub available_bytes: Option<u64>,
}
