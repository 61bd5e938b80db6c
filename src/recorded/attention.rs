//! Questions about attention: the arithmetic of the definitions in [`crate::trace::measure`], on
//! recorded queries, keys, scores and patterns.

use std::ops::Range;

use anyhow::{Context as _, Result, bail, ensure};

use super::{NEEDS_MODEL, Player};
use crate::engine::question::{Question, Told};
use crate::trace::measure::attention::{KEYS, QUERIES, ScoreParts, ScorePlace};
use crate::trace::measure::maps::{Miniature, ScoreMaps, pool};
use crate::trace::measure::rope::{Rotation, Turned};
use crate::trace::measure::vector::dot;
use crate::trace::{BlockHook, Hook, HostTensor};

/// Most values of one map: as the engine's own limit.
const LARGEST_MAP: usize = 64 << 20;

/// One head of one block in one pass.
#[derive(Debug, Clone, Copy)]
struct Head {
    pass: usize,
    layer: usize,
    head: usize,
}

impl Player {
    pub(super) fn of_attention(&mut self, question: Question) -> Result<Told> {
        use Question as Ask;
        Ok(match question {
            Ask::ScoreParts {
                pass,
                layer,
                head,
                row,
                key,
            } => Told::ScoreParts(self.score_parts(Head { pass, layer, head }, row, key)?),
            Ask::ScoreMaps { pass, layer, head } => {
                Told::ScoreMaps(self.score_maps(Head { pass, layer, head })?)
            }
            Ask::Patterns { pass, layers, size } => {
                let all: Vec<usize> = (0..self.family.n_layers)
                    .filter(|layer| {
                        let hook = Hook::Block(*layer, BlockHook::Pattern);
                        layers.is_empty() && self.values.has(pass, hook)
                    })
                    .collect();
                let layers = if layers.is_empty() { all } else { layers };
                let mut miniatures = Vec::new();
                for layer in layers {
                    miniatures.extend(self.miniatures(pass, layer, size)?);
                }
                Told::Patterns(miniatures)
            }
            Ask::Rope {
                pass,
                layer,
                of,
                head,
                rows,
            } => {
                let (_, n_pos) = self.values.span(pass)?;
                let last = n_pos.saturating_sub(1);
                let rows = if rows.is_empty() { vec![last] } else { rows };
                let head = Head { pass, layer, head };
                let turn = |row| self.rotation(head, of, row);
                Told::Rotations(rows.into_iter().map(turn).collect::<Result<_>>()?)
            }
            _ => bail!(NEEDS_MODEL),
        })
    }

    fn score_parts(&mut self, at: Head, row: usize, key: usize) -> Result<ScoreParts> {
        let (start, _) = self.values.span(at.pass)?;
        let kv_head = self.kv_head(at.head)?;
        let scores = self.map(at, BlockHook::Scores)?;
        let shares = self.map(at, BlockHook::Pattern)?;
        let no_row = || format!("pass {} has no row {row}", at.pass);
        let scores = scores.at(&[row]).with_context(no_row)?;
        let shares = shares.at(&[row]).unwrap_or_default();
        let no_key = || format!("there is no key {key}");
        ensure!(key < scores.len(), no_key());
        let queries = self.vectors(at, &QUERIES, at.head, 0..0)?;
        let q = queries.get(row).with_context(no_row)?;
        let keys = self.vectors(at, &KEYS, kv_head, 0..at.pass)?;
        let k = keys.get(key).with_context(no_key)?;
        let place = ScorePlace {
            layer: at.layer,
            head: at.head,
            kv_head,
            query: start + row,
            key,
        };
        ScoreParts::of(place, q.clone(), k.clone(), scores, shares).with_context(no_key)
    }

    /// The map of a head as far as it was recorded: its shares, and each state before them whose
    /// values are in the file.
    fn score_maps(&mut self, at: Head) -> Result<ScoreMaps> {
        let (start, n_pos) = self.values.span(at.pass)?;
        let kv_head = self.kv_head(at.head)?;
        let n_keys = start + n_pos;
        ensure!(
            n_pos.saturating_mul(n_keys) <= LARGEST_MAP,
            "a map of {n_pos} by {n_keys} is too large to be shown"
        );
        let size = [n_pos, n_keys];
        let pattern = self.map(at, BlockHook::Pattern)?;
        ensure!(
            pattern.shape() == size,
            "the cache of this run has dropped positions, so its keys cannot be told by position"
        );
        let masked = self.map(at, BlockHook::Scores);
        let masked = masked.ok().filter(|masked| masked.shape() == size);
        let scale = (self.family.head_dim as f64).sqrt().recip();
        let products = self.products(at, kv_head).unwrap_or_default();
        let times = |factor: f64| {
            let values: Vec<f32> = products.iter().map(|x| (x * factor) as f32).collect();
            HostTensor::new(size.to_vec(), values)
        };
        let or_nothing = |map: Option<HostTensor>| {
            let nothing = || HostTensor::new(vec![0, 0], Vec::new());
            map.or_else(nothing).context("a map lost its shape")
        };
        Ok(ScoreMaps {
            layer: at.layer,
            head: at.head,
            kv_head,
            start,
            scale,
            dot: or_nothing(times(1.0))?,
            scaled: or_nothing(times(scale))?,
            masked: or_nothing(masked)?,
            pattern,
        })
    }

    /// The product of each query with each key, row by row, if both were recorded.
    fn products(&mut self, at: Head, kv_head: usize) -> Result<Vec<f64>> {
        let q = self.vectors(at, &QUERIES, at.head, 0..0)?;
        let k = self.vectors(at, &KEYS, kv_head, 0..at.pass)?;
        let rows = q.iter().flat_map(|q| k.iter().map(move |k| dot(q, k)));
        Ok(rows.collect())
    }

    fn miniatures(&mut self, pass: usize, layer: usize, size: usize) -> Result<Vec<Miniature>> {
        let whole = self
            .values
            .get(pass, Hook::Block(layer, BlockHook::Pattern))?;
        let n_columns = whole.shape().last().copied().unwrap_or_default();
        let of_head = |head: usize| {
            let map = whole.at(&[head]).context("there is no such head")?;
            let (max, mean) = pool(map, n_columns, size).context("the map has no keys")?;
            Ok(Miniature {
                layer,
                head,
                max,
                mean,
            })
        };
        (0..self.family.n_heads).map(of_head).collect()
    }

    fn rotation(&mut self, at: Head, of: Turned, row: usize) -> Result<Rotation> {
        let (before, after) = of.hooks();
        let figures = self.meta().companion.rope.clone();
        let figures = figures.context("this model has no RoPE, or its file does not tell of it")?;
        let (start, _) = self.values.span(at.pass)?;
        let before = self.values.first_of(at.pass, at.layer, &before)?;
        let after = self.values.get(at.pass, Hook::Block(at.layer, after))?;
        let no_row = || format!("there is no row {row} with a head {}", at.head);
        let before = before.at(&[row, at.head]).with_context(no_row)?;
        let after = after.at(&[row, at.head]).with_context(no_row)?;
        let pairs = figures.pairs(start + row, before, after);
        Ok(Rotation {
            layer: at.layer,
            of,
            head: at.head,
            position: start + row,
            pairs: pairs.context("a head has not all its pairs")?,
        })
    }

    /// One head of scores or patterns, `[query_pos, key_pos]`.
    fn map(&mut self, at: Head, hook: BlockHook) -> Result<HostTensor> {
        let whole = self.values.get(at.pass, Hook::Block(at.layer, hook))?; // [head, query_pos, key_pos]
        let map = whole.at(&[at.head]);
        let map = map.with_context(|| format!("there is no head {}", at.head))?;
        let shape = whole.shape().get(1..).unwrap_or_default().to_vec();
        HostTensor::new(shape, map.to_vec()).context("a map lost its shape")
    }

    /// One head's vector at each position of the passes `earlier` and of the head's own pass.
    fn vectors(
        &mut self,
        at: Head,
        hooks: &[BlockHook],
        head: usize,
        earlier: Range<usize>,
    ) -> Result<Vec<Vec<f32>>> {
        let mut vectors = Vec::new();
        for pass in earlier.chain([at.pass]) {
            let value = self.values.first_of(pass, at.layer, hooks)?; // [pos, head, head_dim]
            let n_rows = value.shape().first().copied().unwrap_or_default();
            for row in 0..n_rows {
                let vector = value.at(&[row, head]).context("there is no such head")?;
                vectors.push(vector.to_vec());
            }
        }
        Ok(vectors)
    }

    /// The KV head that a query head reads.
    fn kv_head(&self, head: usize) -> Result<usize> {
        let n_heads = self.family.n_heads;
        ensure!(
            head < n_heads,
            "a block has {n_heads} heads, there is no head {head}"
        );
        Ok(head / (n_heads / self.family.n_kv_heads.max(1)).max(1))
    }
}
