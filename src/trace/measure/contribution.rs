//! Direct contributions: how much each part of the model adds to a token's logit.
//!
//! The last residual stream is a sum of what was written to it: embedding, every head, every MLP,
//! and biases. A logit is linear in it once the final norm's scale is held at the value it really
//! had at this position, so the logit falls apart into one term per writer:
//!
//! ```text
//! RMSNorm:    term = write · (gain ⊙ u) / √(mean(x²) + eps)
//! LayerNorm:  term = (write − mean(write)) · (gain ⊙ u) / √(variance(x) + eps),  and offset · u
//! ```
//!
//! with `x` the last residual stream and `u` the token's row of the output head (for the difference
//! of two tokens, the difference of their rows). The terms add up to the logit. This is the direct
//! way only: what a head writes is also read by later blocks, and that share of its effect stands
//! in their terms ("direct logit attribution", Elhage and others, 2021).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{At, NamedToken};

/// Who wrote to the residual stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Writer {
    /// The token's own row.
    Embedding,
    /// The position's own row, where positions are learned.
    Position,
    /// One attention head, through its columns of the output projection.
    Head {
        /// Block.
        layer: usize,
        /// Query head.
        head: usize,
    },
    /// The bias of a block's attention output.
    AttentionBias {
        /// Block.
        layer: usize,
    },
    /// A block's MLP, without the bias of its last layer.
    Mlp {
        /// Block.
        layer: usize,
    },
    /// That bias.
    MlpBias {
        /// Block.
        layer: usize,
    },
    /// The final norm's offset: it does not depend on the text.
    NormOffset,
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedding => f.write_str("token embedding"),
            Self::Position => f.write_str("position embedding"),
            Self::Head { layer, head } => write!(f, "block {layer}, head {head}"),
            Self::AttentionBias { layer } => write!(f, "block {layer}, attention bias"),
            Self::Mlp { layer } => write!(f, "block {layer}, MLP"),
            Self::MlpBias { layer } => write!(f, "block {layer}, MLP bias"),
            Self::NormOffset => f.write_str("offset of the final norm"),
        }
    }
}

/// One term of a logit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Contribution {
    /// Who wrote it.
    pub writer: Writer,
    /// What it adds to the logit, in logits (natural logarithm).
    pub value: f64,
}

/// A logit, or the difference of two, as a sum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contributions {
    /// Where.
    pub at: At,
    /// Whose logit.
    pub token: NamedToken,
    /// The token whose logit is taken away, if any.
    pub against: Option<NamedToken>,
    /// One term per writer, in order of execution.
    pub terms: Vec<Contribution>,
    /// What the final norm divides by at this position.
    pub norm_scale: f64,
    /// The logit (or difference) that the model gives.
    pub logit: f64,
}

impl Contributions {
    /// The sum of the terms.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.terms.iter().map(|term| term.value).sum()
    }

    /// What the terms leave unexplained: rounding, and what an edit put into the residual stream
    /// past the writers.
    #[must_use]
    pub fn left_over(&self) -> f64 {
        self.logit - self.sum()
    }

    /// The terms by size, the largest first, whatever their sign.
    #[must_use]
    pub fn largest(&self) -> Vec<Contribution> {
        let mut terms = self.terms.clone();
        terms.sort_by(|a, b| b.value.abs().total_cmp(&a.value.abs()));
        terms
    }
}
