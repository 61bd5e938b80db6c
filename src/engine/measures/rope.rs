//! RoPE at a position: see [`crate::trace::measure::rope`].

use anyhow::{Context as _, Result, ensure};

use super::Looking;
use crate::model::rope::Rope;
use crate::trace::Hook;
use crate::trace::measure::At;
use crate::trace::measure::rope::{Rotation, Turned};

impl Looking<'_> {
    /// How every pair of one head turns at one position.
    ///
    /// # Errors
    /// If the family has no RoPE, the block has not run, there is no such row or head, or MLX fails.
    pub fn rotation(&mut self, at: At, layer: usize, of: Turned, head: usize) -> Result<Rotation> {
        let (before, after) = of.hooks();
        let has_rope = self.loaded().model.block_hooks().contains(&after);
        ensure!(
            has_rope,
            "this family has no RoPE: it adds a learned row for each position to the embedding"
        );
        let before = self.first_of(&before)?;
        let before = self.head_row(at, Hook::Block(layer, before), head)?; // [head_dim]
        let after = self.head_row(at, Hook::Block(layer, after), head)?; // [head_dim]
        let position = self.span(at.pass)?.0 + at.row;
        let model = &self.loaded().model;
        let figures = Rope::new(model.config(), model.compute()).figures();
        let pairs = figures.pairs(position, &before, &after);
        Ok(Rotation {
            layer,
            of,
            head,
            position,
            pairs: pairs.context("a head has not all its pairs")?,
        })
    }

    /// One head's vector at one position, `[head_dim]`.
    fn head_row(&mut self, at: At, hook: Hook, head: usize) -> Result<Vec<f32>> {
        let value = self.value(at.pass, hook)?; // [pos, head, head_dim]
        let found = value.at(&[at.row, head]).map(<[f32]>::to_vec);
        found.with_context(|| {
            format!(
                "{hook} has the shape {:?}: there is no row {} with a head {head} in it",
                value.shape(),
                at.row
            )
        })
    }
}
