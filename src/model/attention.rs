//! Scaled dot-product attention over a KV cache, fused for speed and spelled out for watchers.

use std::ops::Range;

use anyhow::{Result, ensure};
use mlx_rs::fast::{self, ScaledDotProductAttentionMask};
use mlx_rs::ops;
use mlx_rs::ops::indexing::take_axis;
use mlx_rs::transforms::eval;
use mlx_rs::{Array, Dtype};

use super::cache::{KvCache, KvView};
use super::compute::{Compute, on_host, with_output};
use super::kernels::{AttentionInput, AttentionSize, Visible, attend};
use super::linear::Linear;
use super::probe::{AttentionPart, BlockProbe};
use crate::trace::BlockHook;

/// How one family's heads attend.
#[derive(Debug, Clone)]
pub struct Attention {
    /// Query heads.
    pub n_heads: i32,
    /// Key/value heads; each is shared by `n_heads / n_kv_heads` query heads (GQA).
    pub n_kv_heads: i32,
    /// Values per head.
    pub head_dim: i32,
    /// Sliding window: a query reads itself and the `window - 1` positions before it.
    pub window: Option<usize>,
    /// Who computes it.
    pub compute: Compute,
}

/// Queries, keys and values of one pass, `[1, head or kv_head, pos, head_dim]`.
#[derive(Debug)]
pub struct Qkv {
    /// After RoPE, where the family has it.
    pub queries: Array,
    /// After RoPE, where the family has it.
    pub keys: Array,
    /// As projected.
    pub values: Array,
}

impl Attention {
    /// `[pos, head * head_dim]` to `[pos, head, head_dim]`, the shape of hooks and norms.
    ///
    /// # Errors
    /// If `x` is not `n_heads` heads wide.
    pub fn split(&self, x: &Array, n_heads: i32) -> Result<Array> {
        let shape = [x.dim(0), n_heads, self.head_dim];
        self.compute.reshape(x, &shape) // [pos, head, head_dim]
    }

    /// `[pos, head, head_dim]`, the shape of hooks, to `[1, head, pos, head_dim]`, that of kernels.
    ///
    /// # Errors
    /// If MLX cannot build the graph.
    pub fn to_heads(&self, x: &Array) -> Result<Array> {
        match *x.shape() {
            [1, n_heads, head_dim] => self.compute.reshape(x, &[1, n_heads, 1, head_dim]),
            _ => to_heads(x),
        }
    }

    /// `[1, head, pos, head_dim]`, the shape of kernels, to `[pos, head, head_dim]`, that of hooks.
    fn heads_last(&self, x: &Array) -> Result<Array> {
        match *x.shape() {
            [1, n_heads, 1, head_dim] => self.compute.reshape(x, &[1, n_heads, head_dim]),
            _ => from_heads(x),
        }
    }

    /// Appends keys and values to the cache, attends, and writes back through `o_proj`.
    ///
    /// Returns what attention adds to the residual stream, `[pos, d_model]`. The spelled-out
    /// scores and pattern are computed beside the fused kernel, for watchers only: the output
    /// depends on them only where a probe edits them.
    ///
    /// # Errors
    /// If MLX cannot build the graph, or the probe stops the pass.
    pub fn forward(
        &self,
        qkv: &Qkv,
        o_proj: &Linear,
        cache: &mut KvCache,
        probe: &mut BlockProbe<'_>,
    ) -> Result<Array> {
        let n_pos = qkv.queries.dim(2);
        let start = cache.next_position();
        let view = cache.append(&qkv.keys, &qkv.values)?;
        let mask = self.mask(start..start + n_pos as usize, cache)?;

        let edited = self.watched(qkv, &view, &mask, probe)?;
        let z = match edited {
            Some(pattern) => self.mix(&pattern, &view.values)?,
            None => match self.on_cpu(qkv, cache, &mask)? {
                Some(z) => z,
                None => self.fused(qkv, &view, &mask)?,
            },
        }; // [1, head, pos, head_dim]
        let z = self.heads_last(&z)?; // [pos, head, head_dim]
        let z = probe.at(BlockHook::Z, z)?;
        if probe.wants(BlockHook::ResultNorm) {
            probe.at(BlockHook::ResultNorm, self.result_norm(&z, o_proj)?)?;
        }
        let width = self.n_heads * self.head_dim;
        let z = self.compute.reshape(&z, &[n_pos, width])?; // [pos, head * head_dim]
        probe.at(BlockHook::AttnOut, o_proj.forward(&z)?) // [pos, d_model]
    }

    fn scale(&self) -> f32 {
        (self.head_dim as f32).sqrt().recip()
    }

    /// Attention by our own kernel, where it is to compute and the cache holds plain values.
    fn on_cpu(&self, qkv: &Qkv, cache: &KvCache, mask: &Mask) -> Result<Option<Array>> {
        let Some((keys, values)) = cache.plain().filter(|_| self.compute.own_kernels) else {
            return Ok(None);
        };
        let queries = on_host(&qkv.queries)?;
        // Together: MLX's thread is waited for once.
        eval([keys, values])?;
        let input = AttentionInput {
            queries: queries.try_as_slice()?,
            keys: keys.try_as_slice()?,
            values: values.try_as_slice()?,
            visible: match mask {
                Mask::None | Mask::Causal => Visible::Causal,
                Mask::Visible(marks) => Visible::Marked(marks),
            },
        };
        let size = AttentionSize {
            n_pos: queries.dim(2) as usize,
            n_keys: cache.positions().len(),
            capacity: keys.dim(2) as usize,
            n_heads: self.n_heads as usize,
            n_kv_heads: self.n_kv_heads as usize,
            head_dim: self.head_dim as usize,
        };
        let mut fits = false;
        let z = with_output(queries.shape(), |out| fits = attend(size, input, out))?;
        ensure!(fits, "keys and values do not fit the queries: {size:?}");
        Ok(Some(z)) // [1, head, pos, head_dim]
    }

    fn fused(&self, qkv: &Qkv, view: &KvView, mask: &Mask) -> Result<Array> {
        let visible;
        let mask = match mask {
            Mask::None => None,
            Mask::Causal => Some(ScaledDotProductAttentionMask::Causal),
            Mask::Visible(_) => {
                visible = mask.array(qkv.queries.dim(2), view.keys.dim(2));
                Some(ScaledDotProductAttentionMask::Array(&visible))
            }
        };
        let (queries, keys, values) = (&qkv.queries, &view.keys, &view.values);
        let scale = self.scale();
        Ok(match mask {
            Some(mask) => {
                fast::scaled_dot_product_attention(queries, keys, values, scale, Some(mask), None)?
            }
            None => fast::scaled_dot_product_attention(queries, keys, values, scale, None, None)?,
        })
    }

    /// Shows scores and pattern to whoever wants them; the pattern to go on with if it is edited.
    fn watched(
        &self,
        qkv: &Qkv,
        view: &KvView,
        mask: &Mask,
        probe: &mut BlockProbe<'_>,
    ) -> Result<Option<Array>> {
        if !probe.wants(BlockHook::Scores) && !probe.wants(BlockHook::Pattern) {
            return Ok(None);
        }
        let is_edited = probe.edits(BlockHook::Scores) || probe.edits(BlockHook::Pattern);
        let part = probe.attention_part();
        let scores = match is_edited || part.is_whole() {
            true => self.scores(&qkv.queries, &view.keys, mask)?,
            false => self.part_of_scores(qkv, view, mask, &part)?,
        };
        let scores = probe.at(BlockHook::Scores, scores)?;
        let pattern = self.compute.softmax(&scores)?; // [head, query_pos, key_pos]
        let pattern = probe.at(BlockHook::Pattern, pattern)?;
        // Whoever came for the map alone need not wait for what it mixes.
        probe.check()?;
        Ok(is_edited.then_some(pattern))
    }

    /// Some heads and rows of the scores, `[head, query_pos, key_pos]`.
    fn part_of_scores(
        &self,
        qkv: &Qkv,
        view: &KvView,
        mask: &Mask,
        part: &AttentionPart,
    ) -> Result<Array> {
        let pick = |x: &Array, places: &[usize], axis: i32| {
            let places: Vec<i32> = places.iter().map(|place| *place as i32).collect();
            take_axis(x, Array::from_slice(&places, &[places.len() as i32]), axis)
        };
        let (mut queries, mut keys) = (qkv.queries.clone(), view.keys.clone());
        if let Some(head) = part.head {
            let n_heads = self.n_heads;
            ensure!(
                (head as i32) < n_heads,
                "there is no head {head}: a block has {n_heads}"
            );
            let kv_head = head / (self.n_heads / self.n_kv_heads) as usize;
            queries = pick(&queries, &[head], 1)?; // [1, 1, pos, head_dim]
            keys = pick(&keys, &[kv_head], 1)?; // [1, 1, slot, head_dim]
        }
        let (n_pos, n_keys) = (queries.dim(2), keys.dim(2));
        let Some(rows) = &part.rows else {
            return self.scores(&queries, &keys, mask);
        };
        let mask = match mask {
            Mask::None => Mask::None,
            _ => Mask::Visible(mask.rows(n_pos, n_keys, rows)),
        };
        self.scores(&pick(&queries, rows, 2)?, &keys, &mask)
    }

    /// `q · k / sqrt(head_dim)`, masked, `[head, query_pos, key_pos]`.
    fn scores(&self, queries: &Array, keys: &Array, mask: &Mask) -> Result<Array> {
        let (n_heads, n_pos, n_keys) = (queries.dim(1), queries.dim(2), keys.dim(2));
        let group = n_heads / keys.dim(1).max(1);
        let grouped = queries.reshape(&[keys.dim(1), group, n_pos, self.head_dim])?; // [kv_head, group, pos, head_dim]
        let keys = keys.transpose_axes(&[1, 0, 3, 2])?; // [kv_head, 1, head_dim, key_pos]
        let scaled = grouped.multiply(Array::from_f32(self.scale()))?;
        let scores = scaled.as_dtype(Dtype::Float32)?;
        let scores = scores.matmul(keys.as_dtype(Dtype::Float32)?)?;
        let scores = scores.reshape(&[n_heads, n_pos, n_keys])?; // [head, query_pos, key_pos]
        let visible = match mask {
            Mask::None => return Ok(scores),
            Mask::Causal | Mask::Visible(_) => mask.array(n_pos, n_keys),
        };
        Ok(ops::select(
            visible,
            scores,
            Array::from_f32(f32::NEG_INFINITY),
        )?)
    }

    /// `pattern @ v` with query heads grouped over the KV head they share.
    fn mix(&self, pattern: &Array, values: &Array) -> Result<Array> {
        let (n_pos, n_keys) = (pattern.dim(1), pattern.dim(2));
        let group = self.n_heads / self.n_kv_heads;
        let grouped = pattern.reshape(&[self.n_kv_heads, group, n_pos, n_keys])?; // [kv_head, group, pos, key_pos]
        let values = values.transpose_axes(&[1, 0, 2, 3])?; // [kv_head, 1, key_pos, head_dim]
        let z = grouped.as_dtype(values.dtype())?.matmul(&values)?;
        Ok(z.reshape(&[1, self.n_heads, n_pos, self.head_dim])?) // [1, head, pos, head_dim]
    }

    /// Size of what each head writes through its columns of `o_proj`, `[pos, head]`.
    fn result_norm(&self, z: &Array, o_proj: &Linear) -> Result<Array> {
        let weight = o_proj.weight.to_dense()?; // [d_model, head * head_dim]
        let columns = weight.reshape(&[-1, self.n_heads, self.head_dim])?;
        let columns = columns.transpose_axes(&[1, 2, 0])?; // [head, head_dim, d_model]
        let heads = z.transpose_axes(&[1, 0, 2])?; // [head, pos, head_dim]
        let written = heads
            .as_dtype(Dtype::Float32)?
            .matmul(columns.as_dtype(Dtype::Float32)?)?; // [head, pos, d_model]
        let norms = self.compute.lengths(&written)?; // [head, pos]
        Ok(norms.t()) // [pos, head]
    }

    /// Which keys the queries at `positions` may read.
    fn mask(&self, positions: Range<usize>, cache: &KvCache) -> Result<Mask> {
        let keys = cache.positions();
        let in_window =
            |query: usize, key: usize| self.window.is_none_or(|window| key + window > query);
        let sees = |query: usize, key: usize| {
            key <= query && in_window(query, key) && cache.reaches(query, key)
        };
        // The last query sees the fewest of the old keys; the first one the fewest of the new.
        let last = positions.end.saturating_sub(1);
        if keys.iter().all(|key| sees(last, *key)) && !cache.has_dropped() {
            let is_single = positions.len() == 1;
            return Ok(if is_single { Mask::None } else { Mask::Causal });
        }
        if positions.len() == 1 && keys.iter().all(|key| sees(last, *key)) {
            return Ok(Mask::None);
        }
        let mut visible = Vec::with_capacity(positions.len() * keys.len());
        for query in positions.clone() {
            visible.extend(keys.iter().map(|key| sees(query, *key)));
        }
        Ok(Mask::Visible(visible))
    }
}

/// Which keys each query may read.
#[derive(Debug)]
enum Mask {
    /// All of them.
    None,
    /// Those at or before it; the last query stands at the last key.
    Causal,
    /// Those marked, `[query_pos, key_pos]`.
    Visible(Vec<bool>),
}

impl Mask {
    /// The marks of some rows, `[row, key_pos]`.
    fn rows(&self, n_pos: i32, n_keys: i32, rows: &[usize]) -> Vec<bool> {
        let before = (n_keys - n_pos) as usize;
        let row = |row: &usize| {
            let (row, n_keys) = (*row, n_keys as usize);
            (0..n_keys).map(move |key| match self {
                Self::None => true,
                Self::Causal => key <= row + before,
                Self::Visible(marks) => marks.get(row * n_keys + key).copied().unwrap_or(false),
            })
        };
        rows.iter().flat_map(row).collect()
    }

    /// True where a query may read a key, `[query_pos, key_pos]`.
    fn array(&self, n_pos: i32, n_keys: i32) -> Array {
        let before = n_keys - n_pos;
        let marks = match self {
            Self::Visible(marks) => marks.clone(),
            Self::None | Self::Causal => (0..n_pos)
                .flat_map(|query| (0..n_keys).map(move |key| key <= query + before))
                .collect(),
        };
        Array::from_slice(&marks, &[n_pos, n_keys])
    }
}

/// `[pos, head, head_dim]`, the shape of hooks, to `[1, head, pos, head_dim]`, that of kernels.
///
/// # Errors
/// If MLX cannot build the graph.
pub fn to_heads(x: &Array) -> Result<Array> {
    Ok(x.transpose_axes(&[1, 0, 2])?.expand_dims(0)?)
}

/// `[1, head, pos, head_dim]`, the shape of kernels, to `[pos, head, head_dim]`, that of hooks.
///
/// # Errors
/// If MLX cannot build the graph.
pub fn from_heads(x: &Array) -> Result<Array> {
    Ok(x.squeeze_axes(&[0])?.transpose_axes(&[1, 0, 2])?)
}
