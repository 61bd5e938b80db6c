//! A run as one HTML page: everything it shows lies in it, nothing is fetched.
//!
//! The page steps through the stages as the window does: tokens, the embedding, the attention of
//! every block, the logit lens, logits, the draw, the KV cache. Its script draws from the same
//! numbers that the trace holds, bit by bit.

use anyhow::{Result, ensure};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::json::{escaped, in_script, tensor};
use crate::trace::file::{PassMeta, Trace, TraceMeta, key};
use crate::trace::measure::distribution::Distribution;
use crate::trace::measure::lens::LensView;
use crate::trace::measure::{Point, TokenShare};
use crate::trace::{BlockHook, Hook, units};

const FRAME: &str = include_str!("../../assets/page/page.html");
const STYLE: &str = include_str!("../../assets/page/page.css");
const SCRIPT: &str = include_str!("../../assets/page/page.js");

/// A page that is larger is no pleasure to open.
const LARGEST: usize = 64 << 20;
/// Tokens that are listed of each row of logits.
const N_LOGITS: usize = 24;
/// Tokens that are listed at each point of the lens.
const N_LENS: usize = 3;
/// Candidates that are listed of each draw.
const N_DRAWN: usize = 16;

/// The hooks of a model whose values a page shows.
#[must_use]
pub fn page_hooks(hooks: &[Hook]) -> Vec<Hook> {
    let is_shown = |hook: &Hook| {
        let is_map = matches!(hook, Hook::Block(_, BlockHook::Pattern));
        is_map || matches!(hook, Hook::Embed | Hook::Logits)
    };
    hooks.iter().copied().filter(is_shown).collect()
}

/// The page of a run. What the trace does not hold is marked on it.
///
/// # Errors
/// If it would be too large.
pub fn page(trace: &Trace) -> Result<String> {
    let hooks: Vec<Hook> = known_hooks(&trace.meta);
    let shown = page_hooks(&hooks);
    let n_values = |hook: &Hook, pass: usize| match hook {
        Hook::Logits => 0, // listed, not drawn whole
        hook => trace
            .tensor(pass, *hook)
            .map_or(0, |value| value.values().len()),
    };
    let passes = 0..trace.meta.passes.len();
    let n_values: usize = passes
        .flat_map(|pass| shown.iter().map(move |hook| n_values(hook, pass)))
        .sum();
    let n_bytes = n_values * 16 / 3; // float32 in base64
    ensure!(
        n_bytes <= LARGEST,
        "the page would be {}: save a shorter text, or the run as a file",
        units::bytes(n_bytes as u64)
    );
    let data = data_of(trace, &shown);
    let title = title_of(&trace.meta);
    // The data last: it may contain any text, the marks of the others too.
    let page = FRAME
        .replace("{{title}}", &escaped(&title))
        .replace("{{style}}", STYLE)
        .replace("{{script}}", SCRIPT)
        .replace("{{data}}", &in_script(&data));
    Ok(page)
}

fn title_of(meta: &TraceMeta) -> String {
    let texts: String = meta
        .tokens
        .iter()
        .map(|token| token.text.as_str())
        .collect();
    let mut start: String = texts.split_whitespace().collect::<Vec<_>>().join(" ");
    if start.chars().count() > 60 {
        start = start.chars().take(60).collect::<String>() + " …";
    }
    format!("{start} · {}", meta.model.name)
}

fn known_hooks(meta: &TraceMeta) -> Vec<Hook> {
    let hooks = meta.model.hooks.iter();
    hooks.filter_map(|hook| hook.parse().ok()).collect()
}

fn data_of(trace: &Trace, shown: &[Hook]) -> Value {
    let meta = &trace.meta;
    let mut tensors = Map::new();
    for pass in 0..meta.passes.len() {
        for hook in shown.iter().filter(|hook| **hook != Hook::Logits) {
            if let Some(value) = trace.tensor(pass, *hook) {
                tensors.insert(key(pass, *hook), tensor(value));
            }
        }
    }
    let family = meta.companion.family.as_ref();
    let tokens = meta.tokens.iter();
    let passes = meta.passes.iter().enumerate();
    json!({
        "model": {
            "name": meta.model.name,
            "weight_bytes": meta.model.weight_bytes,
            "n_layers": n_layers(meta),
            "n_heads": family.map(|family| family.n_heads),
            "n_kv_heads": family.map(|family| family.n_kv_heads),
            "d_model": family.map(|family| family.d_model),
            "head_dim": family.map(|family| family.head_dim),
            "vocab_size": family.map(|family| family.vocab_size),
        },
        "prompt": meta.prompt,
        "prompt_len": meta.companion.prompt_len,
        "tokens": tokens.map(|token| json!([token.id, token.text])).collect::<Vec<_>>(),
        "passes": passes.map(|(number, pass)| pass_of(trace, number, pass)).collect::<Vec<_>>(),
        "lens": lens_of(meta),
        "ledgers": meta.measures.get("kv_ledgers"),
        "sampling": meta.sampling,
        "edits": edits_of(meta),
        "parity": meta.measures.get("parity"),
        "tensors": tensors,
    })
}

/// The edits that acted, as they are written.
fn edits_of(meta: &TraceMeta) -> Vec<String> {
    let on = meta.edits.iter().filter(|edit| edit.is_on);
    on.map(|edit| edit.action.to_string()).collect()
}

/// Blocks of the model: from its shape, else from its hooks.
fn n_layers(meta: &TraceMeta) -> usize {
    let of_hooks = || {
        let layers = known_hooks(meta).into_iter().filter_map(|hook| match hook {
            Hook::Block(layer, _) => Some(layer + 1),
            _ => None,
        });
        layers.max().unwrap_or(0)
    };
    let family = meta.companion.family.as_ref();
    family.map_or_else(of_hooks, |family| family.n_layers)
}

fn pass_of(trace: &Trace, number: usize, pass: &PassMeta) -> Value {
    json!({
        "start": pass.start,
        "n_pos": pass.boundaries.iter().fold(0_usize, |n, piece| n.saturating_add(*piece)),
        "times": pass.times,
        "cache": pass.cache,
        "logits": logits_of(trace, number),
        "draw": pass.draw.as_ref().map(|draw| draw_of(trace, draw)),
    })
}

/// The likeliest tokens after a pass: `[id, text, logit, probability]`, from the logits themselves
/// where they were recorded; else as they were measured, without logits.
fn logits_of(trace: &Trace, pass: usize) -> Value {
    let row = trace.tensor(pass, Hook::Logits).and_then(|logits| {
        let width = *logits.shape().last()?;
        let start = logits.values().len().checked_sub(width)?;
        logits.values().get(start..)
    });
    if let Some(row) = row {
        let all = Distribution::new(row);
        let listed = all.top(N_LOGITS).into_iter().map(|id| {
            let logit = row.get(id as usize);
            json!([
                id,
                trace.meta.companion.named(id).text,
                logit,
                all.probability(id)
            ])
        });
        return json!({
            "top": listed.collect::<Vec<_>>(),
            "entropy_bits": all.entropy_bits(),
            "n": row.len(),
        });
    }
    let next: Option<Vec<Vec<TokenShare>>> = measure(&trace.meta, "next_tokens");
    let shares = next.and_then(|next| next.into_iter().nth(pass));
    let listed = shares.unwrap_or_default().into_iter();
    let listed =
        listed.map(|share| json!([share.token.id, share.token.text, null, share.probability]));
    json!({ "top": listed.collect::<Vec<_>>() })
}

/// The draw after a pass: what the filters did, and where the random number fell.
fn draw_of(trace: &Trace, draw: &Value) -> Value {
    let text = |id: &Value| {
        let id = id.as_u64().and_then(|id| u32::try_from(id).ok());
        id.map(|id| trace.meta.companion.named(id).text)
    };
    let of = |name: &str| draw.get(name).unwrap_or(&Value::Null);
    let filtered = of("filtered");
    let candidates = filtered.get("candidates").and_then(Value::as_array);
    let candidates = candidates.map(Vec::as_slice).unwrap_or_default().iter();
    let listed = candidates.take(N_DRAWN).map(|one| {
        let field = |name: &str| one.get(name).cloned().unwrap_or_default();
        let reason = one.pointer("/excluded/reason").cloned().unwrap_or_default();
        let id = field("token");
        json!([text(&id), id, field("probability"), field("share"), reason])
    });
    let drawn = of("draw").get("token").cloned().unwrap_or_default();
    json!({
        "token": drawn,
        "text": text(&drawn),
        "random": of("draw").get("random"),
        "share": of("draw").get("share"),
        "settings": of("settings"),
        "n_kept": filtered.get("n_kept"),
        "n_vocab": filtered.get("n_vocab"),
        "candidates": listed.collect::<Vec<_>>(),
    })
}

/// The logit lens, small: `{"pass.row": [[point, [[text, probability], …]], …]}`.
fn lens_of(meta: &TraceMeta) -> Value {
    let views: Vec<LensView> = measure(meta, "logit_lens").unwrap_or_default();
    let mut places = Map::new();
    for view in views {
        let top = view.top.iter().take(N_LENS);
        let top = top.map(|share| json!([share.token.text, share.probability]));
        let point = json!([point_name(view.point), top.collect::<Vec<_>>()]);
        let place = places
            .entry(format!("{}.{}", view.at.pass, view.at.row))
            .or_insert_with(|| json!([]));
        if let Some(points) = place.as_array_mut() {
            points.push(point);
        }
    }
    Value::Object(places)
}

fn point_name(point: Point) -> String {
    match point {
        Point::Embed => "embedding".to_owned(),
        Point::AfterAttention(layer) => format!("block {layer}, attention"),
        Point::AfterMlp(layer) => format!("block {layer}, MLP"),
    }
}

fn measure<T: DeserializeOwned>(meta: &TraceMeta, name: &str) -> Option<T> {
    T::deserialize(meta.measures.get(name)?).ok()
}
