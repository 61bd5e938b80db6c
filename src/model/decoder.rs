//! What every family is: a sequence of stages whose only carried state is the hidden state and
//! the KV cache.

use anyhow::Result;
use mlx_rs::Array;

use super::cache::KvCache;
use super::parts::{Norm, Part};
use super::probe::Probe;

/// A network that can be run one stage at a time.
///
/// There is one forward pass: chat calls the stages one after the other, a debugger stops between.
pub trait Decoder {
    /// Number of blocks.
    fn n_layers(&self) -> usize;

    /// How many positions the model can tell apart; `None` where nothing but quality limits it.
    fn position_limit(&self) -> Option<usize> {
        None
    }

    /// Looks up the rows of `ids`, the first of which stands at position `start`: `[pos, d_model]`.
    ///
    /// # Errors
    /// If an id is beyond the vocabulary, or a position beyond the learned ones.
    fn embed(&self, ids: &[u32], start: usize, probe: &mut dyn Probe) -> Result<Array>;

    /// Runs block `layer` on `hidden`, `[pos, d_model]`, appending to its `cache`.
    ///
    /// # Errors
    /// If MLX cannot build the graph, or the probe stops the pass.
    fn block(
        &self,
        layer: usize,
        hidden: &Array,
        cache: &mut KvCache,
        probe: &mut dyn Probe,
    ) -> Result<Array>;

    /// The norm after the last block, `[pos, d_model]`.
    ///
    /// # Errors
    /// If MLX cannot build the graph, or the probe stops the pass.
    fn final_norm(&self, hidden: &Array, probe: &mut dyn Probe) -> Result<Array>;

    /// Logits for every position of `normed`: `[pos, vocab]`.
    ///
    /// # Errors
    /// If MLX cannot build the graph, or the probe stops the pass.
    fn unembed(&self, normed: &Array, probe: &mut dyn Probe) -> Result<Array>;

    /// Every matrix, in order of execution: what is looked up first, the output head last. A tied
    /// head is the embedding again.
    fn parts(&self) -> Vec<Part<'_>>;

    /// The norm after the last block.
    fn last_norm(&self) -> Norm<'_>;
}
