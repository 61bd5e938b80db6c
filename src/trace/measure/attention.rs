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

use super::vector::dot;
use crate::trace::BlockHook;

/// Queries as they are multiplied: the last form that a family has.
pub const QUERIES: [BlockHook; 3] = [BlockHook::RotQ, BlockHook::QNorm, BlockHook::Q];
/// Keys as they are multiplied: the last form that a family has.
pub const KEYS: [BlockHook; 3] = [BlockHook::RotK, BlockHook::KNorm, BlockHook::K];

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

/// Which score: the places that [`ScoreParts`] tells.
#[derive(Debug, Clone, Copy)]
pub struct ScorePlace {
    /// Block.
    pub layer: usize,
    /// Query head.
    pub head: usize,
    /// The KV head that it reads.
    pub kv_head: usize,
    /// Position of the query.
    pub query: usize,
    /// Position of the key.
    pub key: usize,
}

impl ScoreParts {
    /// Takes the score at `place` apart: the query and the key that make it, `[head_dim]` each,
    /// among the query's row of `scores` and shares, `[key_pos]` each; `None` where the rows do not
    /// reach the key.
    #[must_use]
    pub fn of(
        place: ScorePlace,
        q: Vec<f32>,
        k: Vec<f32>,
        scores: &[f32],
        shares: &[f32],
    ) -> Option<Self> {
        let masked = *scores.get(place.key)?;
        let scale = (q.len() as f64).sqrt().recip();
        let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let weight = |score: f32| (f64::from(score) - f64::from(largest)).exp();
        let total: f64 = scores.iter().map(|score| weight(*score)).sum();
        let sum = dot(&q, &k);
        Some(Self {
            layer: place.layer,
            head: place.head,
            kv_head: place.kv_head,
            query: place.query,
            key: place.key,
            products: q.iter().zip(&k).map(|(q, k)| q * k).collect(),
            dot: sum,
            scale,
            score: sum * scale,
            is_masked: masked == f32::NEG_INFINITY,
            largest: f64::from(largest),
            total,
            share: weight(masked) / total,
            pattern: shares.get(place.key).copied().unwrap_or_default(),
            q,
            k,
        })
    }
}
