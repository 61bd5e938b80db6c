//! RoPE at one position: how each pair of a query or key turns.
//!
//! A head's values are taken two by two; pair `i` is a point on a plane and turns by
//! `position · frequency_i`, counter-clockwise. Pairs are the two halves of a head
//! (`i` and `i + head_dim / 2`), or neighbours where the family says so. The dot product of a query
//! and a key that have turned depends on how far apart they stand, not on where.

use serde::{Deserialize, Serialize};

use crate::trace::BlockHook;

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

/// The frequencies of a model's RoPE.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RopeFigures {
    /// Radians per position, one for each pair, `[head_dim / 2]`.
    pub frequencies: Vec<f32>,
    /// What positions are multiplied with before: a context that was stretched evenly turns slower.
    pub scale: f32,
    /// Whether pairs are neighbours; else they are the two halves of a head.
    pub is_traditional: bool,
}

impl RopeFigures {
    /// Every pair of one head's vector at `position`, from its values `before` and `after` it
    /// turned, `[head_dim]` each; `None` where a vector is too short.
    #[must_use]
    pub fn pairs(&self, position: usize, before: &[f32], after: &[f32]) -> Option<Vec<RopePair>> {
        let half = self.frequencies.len();
        let pair = |(pair, frequency): (usize, &f32)| {
            let places = match self.is_traditional {
                true => [2 * pair, 2 * pair + 1],
                false => [pair, pair + half],
            };
            let [first, second] = places;
            let both = |values: &[f32]| Some([*values.get(first)?, *values.get(second)?]);
            Some(RopePair {
                places,
                frequency: *frequency,
                angle: position as f32 * self.scale * frequency,
                before: both(before)?,
                after: both(after)?,
            })
        };
        self.frequencies.iter().enumerate().map(pair).collect()
    }
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

impl Turned {
    /// The hooks of the vectors before they turn, the last form first, and of those that turned.
    #[must_use]
    pub fn hooks(self) -> ([BlockHook; 2], BlockHook) {
        match self {
            Self::Queries => ([BlockHook::QNorm, BlockHook::Q], BlockHook::RotQ),
            Self::Keys => ([BlockHook::KNorm, BlockHook::K], BlockHook::RotK),
        }
    }
}

impl RopePair {
    /// Positions for one whole turn.
    #[must_use]
    pub fn period(&self) -> f64 {
        std::f64::consts::TAU / f64::from(self.frequency)
    }
}
