//! A score taken apart: see [`crate::trace::measure::attention`].

use anyhow::{Context as _, Result, ensure};

use super::Looking;
use super::heads::DROPPED;
use crate::trace::measure::attention::{KEYS, QUERIES, ScoreParts, ScorePlace};
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
        let kv_head = self.kv_head_of(layer, head)?;
        let (start, n_pos) = self.span(pass)?;
        let scores = self.score_row(pass, layer, head, row, BlockHook::Scores)?;
        let shares = self.score_row(pass, layer, head, row, BlockHook::Pattern)?;
        ensure!(scores.len() == start + n_pos, DROPPED);
        let n_keys = scores.len();
        let no_key = || format!("the text has {n_keys} positions, there is no key {key}");
        ensure!(key < n_keys, no_key());
        let query = start + row;
        let q = self.vector_at(pass, layer, query, head, &QUERIES)?;
        let k = self.vector_at(pass, layer, key, kv_head, &KEYS)?;
        let place = ScorePlace {
            layer,
            head,
            kv_head,
            query,
            key,
        };
        ScoreParts::of(place, q, k, &scores, &shares).with_context(no_key)
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
        let hook = self.first_of(hooks)?;
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
