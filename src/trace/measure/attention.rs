//! One attention score, taken apart.
//!
//! ```text
//! q·k      the products q₀k₀ + q₁k₁ + …, query and key after RoPE (and QK-norm), where the family has them
//! score    q·k · scale, with scale = 1 / √head_dim; −∞ where the key is masked
//! share    e^(score − largest) / Σ e^(score − largest) over the keys of this query: the softmax
//! ```
//!
//! Taking the largest score away changes no share; it keeps e^x within range.

use serde::{Deserialize, Serialize};

/// How one query reads one key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreParts {
    /// Block.
    pub layer: usize,
    /// Query head.
    pub head: usize,
    /// The KV head that it shares with others (GQA).
    pub kv_head: usize,
    /// Position of the query.
    pub query: usize,
    /// Position of the key.
    pub key: usize,
    /// The query as it is multiplied, `[head_dim]`.
    pub q: Vec<f32>,
    /// The key as it is multiplied, `[head_dim]`.
    pub k: Vec<f32>,
    /// `q_i · k_i`, `[head_dim]`.
    pub products: Vec<f32>,
    /// Their sum.
    pub dot: f64,
    /// What the sum is multiplied by.
    pub scale: f64,
    /// Sum times scale, before the mask.
    pub score: f64,
    /// Whether the query may not read this key.
    pub is_masked: bool,
    /// The largest score of this query; edits of scores are in it.
    pub largest: f64,
    /// `Σ e^(score − largest)` over the keys that this query reads.
    pub total: f64,
    /// The share, 0 to 1, from these parts.
    pub share: f64,
    /// The share that the pass computed.
    pub pattern: f32,
}
