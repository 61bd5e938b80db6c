//! Attention as maps: see [`crate::trace::measure::maps`].

use anyhow::{Context as _, Result, ensure};
use mlx_rs::Array;

use super::Looking;
use super::heads::{DROPPED, MANY_VALUES, head_of};
use crate::engine::watch::to_host;
use crate::trace::measure::attention::{KEYS, QUERIES};
use crate::trace::measure::maps::{Miniature, ScoreMaps, pool};
use crate::trace::{BlockHook, Hook, HostTensor};

/// Most values of one map that are handed over: 8,192 queries by 8,192 keys.
const LARGEST_MAP: usize = 64 << 20;

impl Looking<'_> {
    /// One head's map as q·k, scaled, masked and after softmax.
    ///
    /// # Errors
    /// If the block has not run, there is no such head, the map is too large, the cache has dropped
    /// positions, or MLX fails.
    pub fn score_maps(&mut self, pass: usize, layer: usize, head: usize) -> Result<ScoreMaps> {
        let kv_head = self.kv_head_of(layer, head)?;
        let (start, n_pos) = self.span(pass)?;
        let n_keys = start + n_pos;
        ensure!(
            n_pos * n_keys <= LARGEST_MAP,
            "a map of {n_pos} by {n_keys} is too large: look at a shorter text, or at single scores"
        );
        let masked = self.head_map(pass, layer, head, BlockHook::Scores)?;
        let pattern = self.head_map(pass, layer, head, BlockHook::Pattern)?;
        ensure!(masked.shape() == [n_pos, n_keys], DROPPED);
        let head_dim = self.loaded().model.config().head_dim;
        let q = self.vectors(pass, layer, head, &QUERIES)?; // [pos, head_dim]
        let mut k = Vec::with_capacity(n_keys * head_dim);
        for earlier in 0..=pass {
            k.extend(self.vectors(earlier, layer, kv_head, &KEYS)?); // [pos, head_dim]
        }
        let width = head_dim as i32;
        let q = Array::from_slice(&q, &[n_pos as i32, width]);
        let k = Array::from_slice(&k, &[n_keys as i32, width]);
        let dot = to_host(&q.matmul(k.t())?)?; // [query_pos, key_pos]
        let scale = (head_dim as f64).sqrt().recip();
        let scaled: Vec<f32> = dot
            .values()
            .iter()
            .map(|x| (f64::from(*x) * scale) as f32)
            .collect();
        let scaled = HostTensor::new(dot.shape().to_vec(), scaled);
        Ok(ScoreMaps {
            layer,
            head,
            kv_head,
            start,
            scale,
            scaled: scaled.context("a map lost its shape")?,
            dot,
            masked,
            pattern,
        })
    }

    /// The patterns of every head of `layer`, at most `size` by `size` each.
    ///
    /// # Errors
    /// If the block has not run, or MLX fails.
    pub fn miniatures(&mut self, pass: usize, layer: usize, size: usize) -> Result<Vec<Miniature>> {
        let n_heads = self.loaded().model.config().num_attention_heads;
        let (start, n_pos) = self.span(pass)?;
        let hook = Hook::Block(layer, BlockHook::Pattern);
        let at_once = n_heads * n_pos * (start + n_pos) <= MANY_VALUES;
        let whole = if at_once {
            Some(self.value(pass, hook)?)
        } else {
            None
        };
        let mut miniatures = Vec::with_capacity(n_heads);
        for head in 0..n_heads {
            let one;
            let (map, place) = match &whole {
                Some(whole) => (whole, head),
                None => {
                    one = self.run.look(pass, hook, Some(head), self.cancel)?;
                    (&one, 0)
                }
            };
            let n_columns = map.shape().last().copied().unwrap_or_default();
            let pooled = pool(head_of(map, place)?, n_columns, size);
            let (max, mean) = pooled.context("the map has no keys")?;
            miniatures.push(Miniature {
                layer,
                head,
                max,
                mean,
            });
        }
        Ok(miniatures)
    }

    /// One head of scores or patterns, `[query_pos, key_pos]`.
    fn head_map(
        &mut self,
        pass: usize,
        layer: usize,
        head: usize,
        hook: BlockHook,
    ) -> Result<HostTensor> {
        let hook = Hook::Block(layer, hook);
        let map = self.run.look(pass, hook, Some(head), self.cancel)?; // [1, query_pos, key_pos]
        let shape = map.shape().get(1..).unwrap_or_default().to_vec();
        HostTensor::new(shape, map.values().to_vec()).context("a map lost its shape")
    }

    /// Every position's vector of one head, from the last of `hooks` that the family has,
    /// `[pos, head_dim]`.
    fn vectors(
        &mut self,
        pass: usize,
        layer: usize,
        head: usize,
        hooks: &[BlockHook],
    ) -> Result<Vec<f32>> {
        let hook = self.first_of(hooks)?;
        let value = self.in_block(pass, layer, hook)?; // [pos, head, head_dim]
        let n_pos = value.shape().first().copied().unwrap_or_default();
        let rows = (0..n_pos).map(|row| value.at(&[row, head]));
        let rows = rows.collect::<Option<Vec<_>>>();
        Ok(rows
            .with_context(|| format!("there is no head {head}"))?
            .concat())
    }

    /// The first of `hooks` that the family has.
    pub(super) fn first_of(&self, hooks: &[BlockHook]) -> Result<BlockHook> {
        let has = self.loaded().model.block_hooks();
        let found = hooks.iter().copied().find(|hook| has.contains(hook));
        found.context("this family shows no queries and keys")
    }

    /// The KV head that a query head reads.
    pub(super) fn kv_head_of(&self, layer: usize, head: usize) -> Result<usize> {
        let config = self.loaded().model.config();
        let (n_heads, n_kv_heads) = (config.num_attention_heads, config.num_key_value_heads);
        ensure!(
            head < n_heads,
            "block {layer} has {n_heads} heads, there is no head {head}"
        );
        Ok(head / (n_heads / n_kv_heads.max(1)).max(1))
    }

    /// Position of a pass' first row, and how many it has.
    pub(super) fn span(&self, pass: usize) -> Result<(usize, usize)> {
        let seen = self.run.pass(pass)?;
        Ok((seen.start(), seen.n_pos()))
    }
}
