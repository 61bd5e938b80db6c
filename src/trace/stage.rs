//! Stages: the units a pass executes and a debugger steps over.

use std::fmt;
use std::str::FromStr;

/// One unit of a pass over the network, in order of execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Look up a row per token (and per position, where positions are learned).
    Embed,
    /// Attention and MLP of one block, counted from 0.
    Block(usize),
    /// The norm after the last block.
    FinalNorm,
    /// The output head: a logit for every token of the vocabulary.
    Logits,
}

impl Stage {
    /// The stages of a pass over `n_layers` blocks.
    pub fn of_pass(n_layers: usize) -> impl Iterator<Item = Self> {
        std::iter::once(Self::Embed)
            .chain((0..n_layers).map(Self::Block))
            .chain([Self::FinalNorm, Self::Logits])
    }

    /// The stage after this one, or `None` after the logits.
    #[must_use]
    pub fn next(self, n_layers: usize) -> Option<Self> {
        match self {
            Self::Embed if n_layers > 0 => Some(Self::Block(0)),
            Self::Block(layer) if layer + 1 < n_layers => Some(Self::Block(layer + 1)),
            Self::Embed | Self::Block(_) => Some(Self::FinalNorm),
            Self::FinalNorm => Some(Self::Logits),
            Self::Logits => None,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embed => f.write_str("embed"),
            Self::Block(layer) => write!(f, "blocks.{layer}"),
            Self::FinalNorm => f.write_str("ln_final"),
            Self::Logits => f.write_str("unembed"),
        }
    }
}

impl FromStr for Stage {
    type Err = UnknownStage;

    fn from_str(text: &str) -> Result<Self, UnknownStage> {
        let unknown = || UnknownStage(text.to_owned());
        Ok(match text {
            "embed" => Self::Embed,
            "ln_final" => Self::FinalNorm,
            "unembed" => Self::Logits,
            _ => {
                let layer = text.strip_prefix("blocks.").ok_or_else(unknown)?;
                Self::Block(layer.parse().map_err(|_| unknown())?)
            }
        })
    }
}

/// A text that names no stage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a stage; stages are embed, blocks.0 …, ln_final and unembed")]
pub struct UnknownStage(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_walks_the_stages_in_order() {
        let stages: Vec<Stage> = Stage::of_pass(3).collect();
        for pair in stages.windows(2) {
            assert_eq!(pair[0].next(3), Some(pair[1]));
        }
        assert_eq!(stages.last().unwrap().next(3), None);
    }
}
