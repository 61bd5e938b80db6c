//! Neurons and norms: see [`crate::trace::measure::neurons`].

use anyhow::Result;

use super::Looking;
use crate::trace::measure::neurons::{Neurons, NormEffect};
use crate::trace::measure::{At, Point};
use crate::trace::{BlockHook, Hook};

impl Looking<'_> {
    /// The `k` most active neurons of block `layer` at one position.
    ///
    /// # Errors
    /// If the block has not run, there is no such position, or MLX fails.
    pub fn neurons(&mut self, at: At, layer: usize, k: usize) -> Result<Neurons> {
        let post = self.row(at, Hook::Block(layer, BlockHook::Post))?;
        let pre = self.row(at, Hook::Block(layer, BlockHook::Pre))?;
        let is_gated = self
            .loaded()
            .model
            .block_hooks()
            .contains(&BlockHook::PreLinear);
        let pre_linear = match is_gated {
            true => Some(self.row(at, Hook::Block(layer, BlockHook::PreLinear))?),
            false => None,
        };
        let linear = pre_linear.as_deref();
        Ok(Neurons::of(layer, at, &post, &pre, linear, k))
    }

    /// What each norm does to one position, in order of execution: two per block, and the last.
    ///
    /// # Errors
    /// If the pass has not come to its final norm, there is no such position, or MLX fails.
    pub fn norms(&mut self, at: At) -> Result<Vec<NormEffect>> {
        let n_layers = self.loaded().model.n_layers();
        let mut effects = Vec::with_capacity(2 * n_layers + 1);
        let mut reads = Point::Embed;
        for layer in 0..n_layers {
            let hooks = [
                (
                    BlockHook::ResidPre,
                    BlockHook::Ln1,
                    Point::AfterAttention(layer),
                ),
                (BlockHook::ResidMid, BlockHook::Ln2, Point::AfterMlp(layer)),
            ];
            for (before, after, next) in hooks {
                let before = self.row(at, Hook::Block(layer, before))?;
                let after = self.row(at, Hook::Block(layer, after))?;
                effects.push(NormEffect::of(reads, &before, &after));
                reads = next;
            }
        }
        let before = self.last_state(at)?;
        let after = self.row(at, Hook::FinalNorm)?;
        effects.push(NormEffect::of(reads, &before, &after));
        Ok(effects)
    }
}
