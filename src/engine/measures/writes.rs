//! Sizes of writes: see [`crate::trace::measure::writes`].

use anyhow::{Context as _, Result, ensure};

use super::Looking;
use super::heads::DROPPED;
use crate::engine::watch::to_host;
use crate::trace::measure::vector::dot;
use crate::trace::measure::writes::{BlockStreams, BlockWrites, WeightedAttention};
use crate::trace::{BlockHook, Hook};

impl Looking<'_> {
    /// What block `layer` writes at each of `rows`.
    ///
    /// # Errors
    /// If the block has not run, there is no such row, or MLX fails.
    pub fn writes(
        &mut self,
        pass: usize,
        layer: usize,
        rows: &[usize],
    ) -> Result<Vec<BlockWrites>> {
        let streams = BlockStreams {
            resid_pre: self.in_block(pass, layer, BlockHook::ResidPre)?,
            heads: self.in_block(pass, layer, BlockHook::ResultNorm)?,
            attention: self.in_block(pass, layer, BlockHook::AttnOut)?,
            resid_mid: self.in_block(pass, layer, BlockHook::ResidMid)?,
            mlp: self.in_block(pass, layer, BlockHook::MlpOut)?,
        };
        rows.iter().map(|row| streams.writes(layer, *row)).collect()
    }

    /// One head's map in pass `pass`, each share multiplied by the size of what it carries.
    ///
    /// # Errors
    /// If the block has not run, there is no such head, the cache has dropped positions, or MLX
    /// fails.
    pub fn weighted_attention(
        &mut self,
        pass: usize,
        layer: usize,
        head: usize,
    ) -> Result<WeightedAttention> {
        let value_sizes = self.value_sizes(pass, layer, head)?; // [key_pos]
        let hook = Hook::Block(layer, BlockHook::Pattern);
        let pattern = self.run.look(pass, hook, Some(head), self.cancel)?; // [1, query_pos, key_pos]
        ensure!(pattern.shape().last() == Some(&value_sizes.len()), DROPPED);
        let rows = pattern.values().chunks_exact(value_sizes.len().max(1));
        let weigh = |row: &[f32]| row.iter().zip(&value_sizes).map(|(a, b)| a * b).collect();
        Ok(WeightedAttention {
            layer,
            head,
            weighted: rows.map(weigh).collect(),
            value_sizes,
        })
    }

    /// `‖v · W_O‖` of every position that pass `pass` can read.
    fn value_sizes(&mut self, pass: usize, layer: usize, head: usize) -> Result<Vec<f32>> {
        let kv_head = self.kv_head_of(layer, head)?;
        let (n_heads, head_dim) = {
            let config = self.loaded().model.config();
            (config.num_attention_heads, config.head_dim)
        };
        let output = {
            let hook = Hook::Block(layer, BlockHook::AttnOut);
            to_host(&self.loaded().model.part_writing(hook)?.weight.to_dense()?)?
        }; // [d_model, head * head_dim]
        let columns = |row: &[f32]| {
            row.get(head * head_dim..(head + 1) * head_dim)
                .map(<[f32]>::to_vec)
        };
        let rows = output
            .values()
            .chunks_exact(n_heads * head_dim)
            .map(columns);
        let rows: Vec<Vec<f32>> = rows
            .collect::<Option<_>>()
            .context("the head has no columns")?;
        let mut sizes = Vec::new();
        for earlier in 0..=pass {
            let values = self.in_block(earlier, layer, BlockHook::V)?; // [pos, kv_head, head_dim]
            let n_pos = values.shape().first().copied().unwrap_or_default();
            for row in 0..n_pos {
                let value = values
                    .at(&[row, kv_head])
                    .context("there is no such value")?;
                let squares = rows.iter().map(|row| dot(row, value).powi(2));
                sizes.push(squares.sum::<f64>().sqrt() as f32);
            }
        }
        Ok(sizes)
    }
}
