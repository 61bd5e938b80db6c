//! The numbers of a trace that sizes are made of, held against its tensors, against each other and
//! against what models have: whoever draws or counts by them needs to ask no more.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use safetensors::tensor::TensorInfo;
use serde_json::Value;

use super::TraceMeta;
use crate::trace::measure::family::FamilyView;
use crate::trace::units::count;
use crate::trace::{Address, Axis, Hook, Place};

/// Most blocks of a model; the deepest that are known have some 130.
const MOST_LAYERS: usize = 4096;
/// Most heads of all blocks together; the largest models have some 16,000.
const MOST_HEADS: usize = 1 << 18;
/// No count of a run is larger: bytes, positions, reads.
const MOST: u64 = 1 << 48;
/// No stage takes longer: thirty years, in seconds.
const LONGEST: f64 = 1e9;

/// Refuses a description whose numbers cannot be those of a run over `tensors`; a time that is none
/// becomes the nearest one.
///
/// # Errors
/// One sentence that names the number.
pub(super) fn check(tensors: &BTreeMap<String, TensorInfo>, meta: &mut TraceMeta) -> Result<()> {
    if let Some(family) = &meta.companion.family {
        check_family(family)?;
        check_layers(family, &meta.model.hooks)?;
        check_tensors(family, tensors)?;
    }
    for (name, measure) in &mut meta.measures {
        check_counts(measure, name, name)?;
    }
    for (number, pass) in meta.passes.iter_mut().enumerate() {
        let cache = pass.cache;
        for n in [cache.positions, cache.used_bytes, cache.allocated_bytes] {
            check_count(n as u64, "the cache", &format!("pass {number}"))?;
        }
        if let Some(draw) = &mut pass.draw {
            check_counts(draw, "a number", &format!("the draw of pass {number}"))?;
        }
        for (_, seconds) in &mut pass.times {
            *seconds = time(*seconds);
        }
    }
    check_count(meta.companion.prompt_len as u64, "the length", "the prompt")?;
    check_count(meta.model.weight_bytes, "the size", "the weights")?;
    if let Some(rope) = &meta.companion.rope {
        let half = meta.companion.family.as_ref().map(|it| it.head_dim / 2);
        ensure!(
            half.is_none_or(|half| rope.frequencies.len() <= half),
            "RoPE turns more pairs than a head has"
        );
    }
    Ok(())
}

/// What the sizes of a model are called, how large each is here, and how large it can be.
fn sizes(family: &FamilyView) -> [(Axis, &'static str, usize, usize); 6] {
    [
        (Axis::Head, "heads per block", family.n_heads, 1 << 12),
        (
            Axis::KvHead,
            "KV heads per block",
            family.n_kv_heads,
            1 << 12,
        ),
        (Axis::HeadDim, "values per head", family.head_dim, 1 << 14),
        (
            Axis::DModel,
            "values in its residual stream",
            family.d_model,
            1 << 18,
        ),
        (Axis::DMlp, "neurons per block", family.d_mlp, 1 << 20),
        (
            Axis::Vocab,
            "tokens in its vocabulary",
            family.vocab_size,
            1 << 22,
        ),
    ]
}

fn check_family(family: &FamilyView) -> Result<()> {
    let no_model = |n: usize, what: &str| {
        let n = count(n as u64);
        format!("it says that the model has {n} {what}, which no model has")
    };
    for (_, what, n, most) in sizes(family) {
        ensure!((1..=most).contains(&n), no_model(n, what));
    }
    let layers = family.n_layers;
    ensure!(
        (1..=MOST_LAYERS).contains(&layers),
        no_model(layers, "blocks")
    );
    let heads = layers * family.n_heads;
    ensure!(heads <= MOST_HEADS, no_model(heads, "heads"));
    ensure!(
        family.n_heads.is_multiple_of(family.n_kv_heads),
        "it says that {} heads share {} KV heads, which does not come out even",
        family.n_heads,
        family.n_kv_heads
    );
    Ok(())
}

/// The hooks of a pass name every block, and no other.
fn check_layers(family: &FamilyView, hooks: &[String]) -> Result<()> {
    let layers = hooks.iter().filter_map(|hook| match hook.parse() {
        Ok(Hook::Block(layer, _)) => Some(layer),
        _ => None,
    });
    if let Some(last) = layers.max() {
        ensure!(
            last.checked_add(1) == Some(family.n_layers),
            "it says that the model has {} blocks, and names the values of block {last} as the last",
            family.n_layers
        );
    }
    Ok(())
}

/// Every recorded value has the sizes that the description gives.
fn check_tensors(family: &FamilyView, tensors: &BTreeMap<String, TensorInfo>) -> Result<()> {
    let sizes = sizes(family);
    for (name, info) in tensors {
        let Ok(Address {
            place: Place::Hook(hook),
            ..
        }) = name.parse()
        else {
            continue;
        };
        for (axis, dim) in hook.axes().iter().zip(&info.shape) {
            let told = sizes.iter().find(|(of, ..)| of == axis);
            if let Some((_, what, n, _)) = told {
                ensure!(
                    n == dim,
                    "it says that the model has {} {what}, and {name} has {}",
                    count(*n as u64),
                    count(*dim as u64)
                );
            }
        }
    }
    Ok(())
}

/// Refuses whole numbers that count nothing, anywhere in `value`, the field `field` of `whole`.
fn check_counts(value: &mut Value, field: &str, whole: &str) -> Result<()> {
    match value {
        Value::Number(number) => match number.as_u64() {
            Some(n) => check_count(n, field, whole),
            None => Ok(()),
        },
        Value::Array(values) => {
            let mut values = values.iter_mut();
            values.try_for_each(|value| check_counts(value, field, whole))
        }
        Value::Object(fields) => fields.iter_mut().try_for_each(|(field, value)| {
            // Any number starts a generator, and a time has its own limits.
            match field.as_str() {
                "seed" => {}
                "seconds" => *value = value.as_f64().map_or(Value::Null, |at| time(at).into()),
                _ => check_counts(value, field, whole)?,
            }
            Ok(())
        }),
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

fn check_count(n: u64, field: &str, whole: &str) -> Result<()> {
    ensure!(n <= MOST, "{field} of {whole} cannot be {}", count(n));
    Ok(())
}

/// The time that a stage can have taken.
fn time(seconds: f64) -> f64 {
    match seconds.is_nan() {
        true => 0.0,
        false => seconds.clamp(0.0, LONGEST),
    }
}
