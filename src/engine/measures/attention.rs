//! A score taken apart: see [`crate::trace::measure::attention`].

use anyhow::{Context as _, Result, ensure};

use super::Looking;
use super::heads::DROPPED;
use crate::trace::measure::attention::ScoreParts;
use crate::trace::measure::vector::dot;
use crate::trace::{BlockHook, Hook};

impl Looking<'_> {
    /// How the query at row `row` of pass `pass` reads the key at position `key`, in one head.
    ///
    /// # Errors
    /// If the block has not run, there is no such head, row or key, or the cache has dropped
    /// positions.
    pub fn score_parts(
        &mut self,
        pass: usize,
        layer: usize,
        head: usize,
        row: usize,
        key: usize,
    ) -> Result<ScoreParts> {
        let (n_heads, n_kv_heads, head_dim) = {
            let config = self.loaded().model.config();
            (
                config.num_attention_heads,
                config.num_key_value_heads,
                config.head_dim,
            )
        };
        ensure!(
            head < n_heads,
            "block {layer} has {n_heads} heads, there is no head {head}"
        );
        let kv_head = head / (n_heads / n_kv_heads.max(1)).max(1);
        let seen = self
            .run
            .passes()
            .get(pass)
            .context("there is no such pass yet")?;
        let (start, n_pos) = (seen.start(), seen.n_pos());
        let scores = self.score_row(pass, layer, head, row, BlockHook::Scores)?;
        let shares = self.score_row(pass, layer, head, row, BlockHook::Pattern)?;
        ensure!(scores.len() == start + n_pos, DROPPED);
        let masked_score = scores.get(key).copied().with_context(|| {
            format!(
                "the text has {} positions, there is no key {key}",
                scores.len()
            )
        })?;
        let q = self.vector_at(
            pass,
            layer,
            start + row,
            head,
            &[BlockHook::RotQ, BlockHook::QNorm, BlockHook::Q],
        )?;
        let k = self.vector_at(
            pass,
            layer,
            key,
            kv_head,
            &[BlockHook::RotK, BlockHook::KNorm, BlockHook::K],
        )?;
        let scale = (head_dim as f64).sqrt().recip();
        let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let weight = |score: f32| (f64::from(score) - f64::from(largest)).exp();
        let total: f64 = scores.iter().map(|score| weight(*score)).sum();
        Ok(ScoreParts {
            layer,
            head,
            kv_head,
            query: start + row,
            key,
            products: q.iter().zip(&k).map(|(q, k)| q * k).collect(),
            dot: dot(&q, &k),
            scale,
            score: dot(&q, &k) * scale,
            is_masked: masked_score == f32::NEG_INFINITY,
            largest: f64::from(largest),
            total,
            share: weight(masked_score) / total,
            pattern: shares.get(key).copied().unwrap_or_default(),
            q,
            k,
        })
    }

    /// One query's row of scores or shares in one head, `[key_pos]`.
    fn score_row(
        &mut self,
        pass: usize,
        layer: usize,
        head: usize,
        row: usize,
        hook: BlockHook,
    ) -> Result<Vec<f32>> {
        let map = self
            .run
            .look(pass, Hook::Block(layer, hook), Some(head), self.cancel)?;
        let found = map.at(&[0, row]).map(<[f32]>::to_vec); // [1, query_pos, key_pos]
        found.with_context(|| format!("pass {pass} has no row {row}"))
    }

    /// A head's vector at a position of the text, from the last of `hooks` that the family has:
    /// looked up in the pass that computed it.
    fn vector_at(
        &mut self,
        pass: usize,
        layer: usize,
        position: usize,
        head: usize,
        hooks: &[BlockHook],
    ) -> Result<Vec<f32>> {
        let has = self.loaded().model.block_hooks();
        let hook = hooks.iter().copied().find(|hook| has.contains(hook));
        let hook = hook.context("this family shows no queries and keys")?;
        let passes = self.run.passes().iter().take(pass + 1);
        let starts: Vec<usize> = passes.map(|pass| pass.start()).collect();
        let owner = starts.iter().rposition(|start| *start <= position);
        let owner = owner.context("there is no such position")?;
        let row = position - starts.get(owner).copied().unwrap_or_default();
        let vectors = self.in_block(owner, layer, hook)?; // [pos, head, head_dim]
        let found = vectors.at(&[row, head]).map(<[f32]>::to_vec);
        found.with_context(|| format!("there is no position {position}"))
    }
}
