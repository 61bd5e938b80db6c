//! Attention three times over: as it is shown, by MLX's fused kernel, and by a plain loop in float64.

use anyhow::{Context as _, Result, ensure};
use mlx_rs::fast::{ScaledDotProductAttentionMask as MaskOf, scaled_dot_product_attention};
use mlx_rs::{Array, Dtype};

use crate::engine::message::CancelToken;
use crate::engine::watch::to_host;
use crate::model::probe::Cancelled;
use crate::trace::HostTensor;
use crate::trace::measure::parity::Apart;
use crate::trace::measure::vector::dot;

/// Some rows of one block's attention, as a pass recorded them.
pub(super) struct AttentionCase<'a> {
    /// As they are multiplied, `[pos, head, head_dim]`.
    pub queries: &'a HostTensor,
    /// Of the chosen rows, `[head, row, slot]`: −∞ where the row may not read.
    pub scores: &'a HostTensor,
    /// Of the chosen rows, `[head, row, slot]`.
    pub pattern: &'a HostTensor,
    /// What the pass went on with, `[pos, head, head_dim]`.
    pub z: &'a HostTensor,
    /// The chosen rows of the pass.
    pub rows: &'a [usize],
    /// Heads that keys and values have.
    pub n_kv_heads: usize,
    /// `[1, kv_head, slot, head_dim]`.
    pub keys: &'a Array,
    /// `[1, kv_head, slot, head_dim]`.
    pub values: &'a Array,
    pub cancel: &'a CancelToken,
}

/// How far the ways lie apart.
pub(super) struct AttentionApart {
    /// `pattern @ v` from the fused kernel.
    pub fused: Apart,
    /// `pattern @ v` and `z` from float64.
    pub float64: Apart,
}

/// Compares the three.
///
/// # Errors
/// If the values do not fit together, MLX fails, or it was cancelled.
pub(super) fn compare(case: &AttentionCase<'_>) -> Result<AttentionApart> {
    let &[_, n_heads, head_dim] = case.queries.shape() else {
        anyhow::bail!("queries are not [pos, head, head_dim]");
    };
    let fused = by_the_fused_kernel(case, n_heads, head_dim)?; // [head, row, head_dim]
    let (keys, values) = (to_host(case.keys)?, to_host(case.values)?);
    let group = (n_heads / case.n_kv_heads.max(1)).max(1);
    let (mut from_pattern, mut exact, mut used) = (Vec::new(), Vec::new(), Vec::new());
    for head in 0..n_heads {
        if case.cancel.is_cancelled() {
            return Err(Cancelled.into());
        }
        let of_head = |cache: &'_ HostTensor| cache.at(&[0, head / group]).map(<[f32]>::to_vec);
        let keys = of_head(&keys).context("there is no such KV head")?; // [slot, head_dim]
        let values = of_head(&values).context("there is no such KV head")?; // [slot, head_dim]
        for (place, row) in case.rows.iter().enumerate() {
            let fits = "the recorded attention has other rows";
            let query = case.queries.at(&[*row, head]).context(fits)?;
            let scores = case.scores.at(&[head, place]).context(fits)?;
            let pattern = case.pattern.at(&[head, place]).context(fits)?;
            from_pattern.extend(mixed(
                pattern.iter().map(|p| f64::from(*p)),
                &values,
                head_dim,
            ));
            let shares = softmax(query, &keys, scores, head_dim);
            exact.extend(mixed(shares.into_iter(), &values, head_dim));
            used.extend_from_slice(case.z.at(&[*row, head]).context(fits)?);
        }
    }
    ensure!(
        fused.values().len() == from_pattern.len(),
        "the fused kernel gave another shape"
    );
    Ok(AttentionApart {
        fused: Apart::of(&from_pattern, fused.values()),
        float64: Apart::of(&from_pattern, &exact).or_larger(Apart::of(&used, &exact)),
    })
}

/// The chosen rows by MLX's kernel, `[head, row, head_dim]`. Which slots they may read is taken from
/// the recorded mask.
fn by_the_fused_kernel(
    case: &AttentionCase<'_>,
    n_heads: usize,
    head_dim: usize,
) -> Result<HostTensor> {
    let mut queries = Vec::with_capacity(n_heads * case.rows.len() * head_dim);
    for head in 0..n_heads {
        for row in case.rows {
            let query = case.queries.at(&[*row, head]);
            queries.extend_from_slice(query.context("there is no such query")?);
        }
    }
    let n_rows = case.rows.len() as i32;
    let shape = [1, n_heads as i32, n_rows, head_dim as i32];
    let queries = Array::from_slice(&queries, &shape).as_dtype(case.keys.dtype())?;
    let first_head = case.scores.at(&[0]).context("there is no head")?;
    let visible: Vec<bool> = first_head
        .iter()
        .map(|score| *score > f32::NEG_INFINITY)
        .collect();
    let mask = Array::from_slice(&visible, &[n_rows, case.keys.dim(2)]);
    let scale = (head_dim as f32).sqrt().recip();
    let mask = Some(MaskOf::Array(&mask));
    let z = scaled_dot_product_attention(&queries, case.keys, case.values, scale, mask, None)?;
    to_host(&z.as_dtype(Dtype::Float32)?)
}

/// Shares of one query in float64; what `scores` masks gets none.
fn softmax(query: &[f32], keys: &[f32], scores: &[f32], head_dim: usize) -> Vec<f64> {
    let scale = (head_dim as f64).sqrt().recip();
    let keys = keys.chunks_exact(head_dim.max(1));
    let exact = keys
        .zip(scores)
        .map(|(key, score)| match *score > f32::NEG_INFINITY {
            true => dot(query, key) * scale,
            false => f64::NEG_INFINITY,
        });
    let exact: Vec<f64> = exact.collect();
    let largest = exact.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = exact.iter().map(|score| (score - largest).exp()).collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}

/// `Σ share · value`, added up in float64, `[head_dim]`.
fn mixed(shares: impl Iterator<Item = f64>, values: &[f32], head_dim: usize) -> Vec<f32> {
    let mut sum = vec![0.0_f64; head_dim];
    for (share, value) in shares.zip(values.chunks_exact(head_dim.max(1))) {
        for (sum, x) in sum.iter_mut().zip(value) {
            *sum += share * f64::from(*x);
        }
    }
    sum.into_iter().map(|x| x as f32).collect()
}
