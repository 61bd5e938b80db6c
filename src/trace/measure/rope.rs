//! RoPE at one position: how each pair of a query or key turns.
//!
//! A head's values are taken two by two; pair `i` is a point on a plane and turns by
//! `position · frequency_i`, counter-clockwise. Pairs are the two halves of a head
//! (`i` and `i + head_dim / 2`), or neighbours where the family says so. The dot product of a query
//! and a key that have turned depends on how far apart they stand, not on where.

use serde::{Deserialize, Serialize};

/// Which vectors turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turned {
    /// Queries, by query head.
    Queries,
    /// Keys, by KV head.
    Keys,
}

/// One head's vector at one position, before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rotation {
    /// Block.
    pub layer: usize,
    /// Query or key.
    pub of: Turned,
    /// Its head: a query head, or a KV head.
    pub head: usize,
    /// Position in the text.
    pub position: usize,
    /// Every pair, the fastest first.
    pub pairs: Vec<RopePair>,
}

/// One pair of values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RopePair {
    /// Places of its two values in the head.
    pub places: [usize; 2],
    /// Radians per position.
    pub frequency: f32,
    /// Radians at this position: position times frequency (and the context's scale).
    pub angle: f32,
    /// Before it turns (after QK-norm, where the family has it).
    pub before: [f32; 2],
    /// After, as the pass has it.
    pub after: [f32; 2],
}

impl RopePair {
    /// Positions for one whole turn.
    #[must_use]
    pub fn period(&self) -> f64 {
        std::f64::consts::TAU / f64::from(self.frequency)
    }
}
