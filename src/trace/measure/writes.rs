//! How much each part writes to the residual stream, and what a share of attention carries.
//!
//! The size of a write is its Euclidean norm; its relative size is that divided by the size of the
//! residual stream that the block read (`hook_resid_pre`) or, for the MLP, that it found
//! (`hook_resid_mid`). A large write need not matter for the answer, and two writes may cancel.
//!
//! Value-weighted attention multiplies each share of attention by the size of what it carries:
//! `share · ‖v · W_O‖`, with `v` the key position's value vector and `W_O` the head's columns of the
//! output projection (Kobayashi and others, "Attention is Not Only a Weight", 2020). A head that
//! rests on a token whose value is nearly zero carries nothing from there.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::row_of;
use super::vector::size;
use crate::trace::HostTensor;

/// What one block writes at one position.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockWrites {
    /// Block.
    pub layer: usize,
    /// The pass' own row.
    pub row: usize,
    /// Size of the residual stream as the block reads it.
    pub resid_pre: f64,
    /// Size of what each head writes, before the output projection's bias.
    pub heads: Vec<f64>,
    /// Size of what attention writes as a whole: heads may cancel or add up.
    pub attention: f64,
    /// Size of the residual stream between attention and MLP.
    pub resid_mid: f64,
    /// Size of what the MLP writes.
    pub mlp: f64,
}

/// The values of one block that its [`BlockWrites`] are measured on.
#[derive(Debug, Clone)]
pub struct BlockStreams {
    /// `hook_resid_pre`, `[pos, d_model]`.
    pub resid_pre: HostTensor,
    /// Sizes of what heads write, `[pos, head]`.
    pub heads: HostTensor,
    /// `hook_attn_out`, `[pos, d_model]`.
    pub attention: HostTensor,
    /// `hook_resid_mid`, `[pos, d_model]`.
    pub resid_mid: HostTensor,
    /// `hook_mlp_out`, `[pos, d_model]`.
    pub mlp: HostTensor,
}

impl BlockStreams {
    /// What block `layer`, whose values these are, writes at `row`.
    ///
    /// # Errors
    /// If the pass has no such row.
    pub fn writes(&self, layer: usize, row: usize) -> Result<BlockWrites> {
        let size_of = |value| row_of(value, row).map(|row| size(&row));
        let heads = row_of(&self.heads, row)?;
        Ok(BlockWrites {
            layer,
            row,
            resid_pre: size_of(&self.resid_pre)?,
            heads: heads.into_iter().map(f64::from).collect(),
            attention: size_of(&self.attention)?,
            resid_mid: size_of(&self.resid_mid)?,
            mlp: size_of(&self.mlp)?,
        })
    }
}

impl BlockWrites {
    /// What attention writes, relative to the stream it was added to.
    #[must_use]
    pub fn relative_attention(&self) -> f64 {
        ratio(self.attention, self.resid_pre)
    }

    /// What the MLP writes, relative to the stream it was added to.
    #[must_use]
    pub fn relative_mlp(&self) -> f64 {
        ratio(self.mlp, self.resid_mid)
    }

    /// What a head writes, relative to the stream it was added to.
    #[must_use]
    pub fn relative_head(&self, head: usize) -> f64 {
        self.heads
            .get(head)
            .map_or(0.0, |size| ratio(*size, self.resid_pre))
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// One head's attention, weighted by what it carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeightedAttention {
    /// Block.
    pub layer: usize,
    /// Query head.
    pub head: usize,
    /// `‖v · W_O‖` of each key position.
    pub value_sizes: Vec<f32>,
    /// `share · ‖v · W_O‖`, one row per query position.
    pub weighted: Vec<Vec<f32>>,
}
