//! The recordings of a pass' chunks as one.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use crate::trace::{Axis, BlockHook, Hook, HostTensor};

/// Joins what each chunk recorded along the position axis.
///
/// # Errors
/// If the chunks do not fit together.
pub(super) fn joined(
    chunks: Vec<BTreeMap<Hook, HostTensor>>,
) -> Result<BTreeMap<Hook, HostTensor>> {
    let mut parts: BTreeMap<Hook, Vec<HostTensor>> = BTreeMap::new();
    for chunk in chunks {
        for (hook, value) in chunk {
            parts.entry(hook).or_default().push(value);
        }
    }
    let mut whole = BTreeMap::new();
    for (hook, mut parts) in parts {
        let axes = hook.axes().iter();
        let axis = axes
            .clone()
            .position(|axis| matches!(axis, Axis::Pos | Axis::QueryPos));
        if parts.len() > 1 && axes.clone().any(|axis| *axis == Axis::KeyPos) {
            parts = with_all_keys(hook, parts)?;
        }
        let value = match parts.len() {
            1 => parts.pop(),
            _ => HostTensor::join(&parts, axis.context("this hook has no positions")?),
        };
        let value = value.with_context(|| format!("the chunks of {hook} do not fit together"))?;
        whole.insert(hook, value);
    }
    Ok(whole)
}

/// An early chunk saw fewer keys than the last one: those it could not see are masked.
fn with_all_keys(hook: Hook, parts: Vec<HostTensor>) -> Result<Vec<HostTensor>> {
    let masked = match hook {
        Hook::Block(_, BlockHook::Scores) => f32::NEG_INFINITY,
        _ => 0.0,
    };
    let n_keys = parts
        .iter()
        .filter_map(|part| part.shape().last())
        .max()
        .copied()
        .unwrap_or(0);
    let widen = |part: HostTensor| {
        let mut shape = part.shape().to_vec();
        let has = shape
            .last()
            .copied()
            .filter(|has| *has > 0)
            .context("no keys were seen")?;
        let mut values = Vec::with_capacity(part.values().len() / has * n_keys);
        for row in part.values().chunks_exact(has) {
            values.extend_from_slice(row);
            values.resize(values.len() + n_keys - has, masked);
        }
        if let Some(last) = shape.last_mut() {
            *last = n_keys;
        }
        HostTensor::new(shape, values).context("the chunks do not fit together")
    };
    parts.into_iter().map(widen).collect()
}
