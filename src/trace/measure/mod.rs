//! Measures: what can be told from the values of a pass, as plain data.
//!
//! Each file holds one measure: its definition, its result, and the arithmetic that needs no
//! weights. The engine's `measures` fetch the values and multiply where weights are needed.

pub mod attention;
pub mod cell;
pub mod compare;
pub mod contribution;
pub mod costs;
pub mod distribution;
pub mod family;
pub mod heads;
pub mod histogram;
pub mod ledger;
pub mod lens;
pub mod logits;
pub mod maps;
pub mod neurons;
pub mod parity;
pub mod pca;
pub mod quantized;
pub mod rope;
pub mod space;
pub mod state;
pub mod sweep;
pub mod vector;
pub mod verdict;
pub mod writes;

use std::fmt;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::trace::HostTensor;

/// One position of one pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct At {
    /// 0 is the prefill, then one per generated token.
    pub pass: usize,
    /// The pass' own row, counted from 0: in a prefill the position, in a decode pass 0.
    pub row: usize,
}

/// A place on the way of the residual stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Point {
    /// Before the first block.
    Embed,
    /// In this block, after attention has written: `hook_resid_mid`.
    AfterAttention(usize),
    /// At the end of this block, after the MLP has written: `hook_resid_post`.
    AfterMlp(usize),
}

impl Point {
    /// Every point of a pass over `n_layers` blocks, in order.
    pub fn all(n_layers: usize) -> impl Iterator<Item = Self> {
        let blocks = (0..n_layers).flat_map(|at| [Self::AfterAttention(at), Self::AfterMlp(at)]);
        std::iter::once(Self::Embed).chain(blocks)
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embed => f.write_str("embedding"),
            Self::AfterAttention(layer) => write!(f, "block {layer}, after attention"),
            Self::AfterMlp(layer) => write!(f, "block {layer}, after the MLP"),
        }
    }
}

/// A token, as people read it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NamedToken {
    /// Row in the vocabulary.
    pub id: u32,
    /// Its text; `#17` where the model has no tokenizer.
    pub text: String,
}

impl NamedToken {
    /// A token and its text; `#17` where nobody knows the text.
    #[must_use]
    pub fn new(id: u32, text: Option<String>) -> Self {
        Self {
            id,
            text: text.unwrap_or_else(|| format!("#{id}")),
        }
    }
}

/// A token and its share of a distribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TokenShare {
    /// Which.
    pub token: NamedToken,
    /// Its probability, 0 to 1, over the full vocabulary at temperature 1.
    pub probability: f64,
    /// Its place in the full vocabulary, the likeliest first, counted from 1.
    pub rank: usize,
}

/// A row of a pass' value whose first axis is the position.
///
/// # Errors
/// If the pass has no such row.
pub fn row_of(value: &HostTensor, row: usize) -> Result<Vec<f32>> {
    let n_rows = value.shape().first().copied().unwrap_or_default();
    let found = value.at(&[row]).map(<[f32]>::to_vec);
    found.with_context(|| format!("the pass has {n_rows} positions, there is no row {row} in it"))
}

/// A stage in a file is its name.
mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<T: Display, S: Serializer>(value: &T, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(value)
    }

    pub fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}
