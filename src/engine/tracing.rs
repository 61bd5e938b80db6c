//! From a run to a trace: the tensors that were asked for, and what is needed to read them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::Value;

use super::answering::{ParityCheck, family_of};
use super::debugger::Debugger;
use super::measures::Looking;
use super::message::CancelToken;
use super::sampler;
use super::watch::Watch;
use crate::model::rope::Rope;
use crate::tokenizer::Word;
use crate::trace::file::{
    Companion, ModelMeta, PassMeta, TokenMeta, Trace, TraceMeta, VERSION, WordMeta, key,
};
use crate::trace::measure::NamedToken;
use crate::trace::measure::distribution::Distribution;
use crate::trace::measure::parity::Parity;
use crate::trace::{BlockHook, Hook, HostTensor, Stage};

/// How many of the likeliest tokens after each pass a trace has the texts of.
const N_NAMED: usize = 200;
/// How many candidates of each draw a trace keeps, with what excluded them.
const N_CANDIDATES: usize = 40;

/// What `debugger` has run so far, as a trace: every watched hook. With a budget for recordings it
/// holds what was recorded, and names the rest.
///
/// # Errors
/// If a value cannot be recomputed.
pub fn trace_of(debugger: &mut Debugger, watch: &Watch, cancel: &CancelToken) -> Result<Trace> {
    let mut tensors = BTreeMap::new();
    let hooks = debugger.run().loaded().model.hooks();
    let is_limited = debugger.request().budget_bytes.is_some();
    let mut left_out = Vec::new();
    let passes = debugger.run().passes().iter();
    let executed: Vec<Vec<Stage>> = passes
        .map(|pass| pass.times().iter().map(|(stage, _)| *stage).collect())
        .collect();
    for (pass, stages) in executed.iter().enumerate() {
        let is_kept = |hook: &&Hook| watch.has(**hook) && stages.contains(&hook.stage());
        for hook in hooks.iter().filter(is_kept) {
            let seen = debugger.run().passes().get(pass);
            let value = match seen.and_then(|seen| seen.recorded().get(hook)).cloned() {
                Some(value) => value,
                None if is_limited => {
                    left_out.push(key(pass, *hook));
                    continue;
                }
                None => value_of(debugger, pass, *hook, cancel)?,
            };
            tensors.insert(key(pass, *hook), value);
        }
    }
    let mut meta = meta_of(debugger)?;
    meta.measures = Looking::new(debugger.run_mut(), cancel).summary()?;
    meta.companion = companion_of(debugger, &meta);
    if !left_out.is_empty() {
        let names = serde_json::to_value(left_out)?;
        meta.measures.insert("left_out".to_owned(), names);
    }
    let parities = parities(debugger, cancel)?;
    if !parities.is_empty() {
        let parities = serde_json::to_value(parities)?;
        meta.measures.insert("parity".to_owned(), parities);
    }
    Ok(Trace { meta, tensors })
}

/// A value that was not kept, computed again: as a pass does, of the final norm and the logits the
/// last position alone, unless the run asks for all.
fn value_of(
    debugger: &mut Debugger,
    pass: usize,
    hook: Hook,
    cancel: &CancelToken,
) -> Result<HostTensor> {
    let is_short = matches!(hook, Hook::FinalNorm | Hook::Logits);
    let wants_all = debugger.request().all_logits;
    let run = debugger.run_mut();
    let last = run
        .passes()
        .get(pass)
        .map_or(0, |pass| pass.n_pos().saturating_sub(1));
    match is_short && !wants_all {
        true => run.look_at_row(pass, hook, last, cancel),
        false => run.look(pass, hook, None, cancel),
    }
}

/// The checks of the prompt's pass and of the newest one.
fn parities(debugger: &mut Debugger, cancel: &CancelToken) -> Result<Vec<Parity>> {
    let version = debugger.version();
    let run = debugger.run_mut();
    let finished: Vec<usize> = (0..run.passes().len())
        .filter(|pass| {
            run.passes()
                .get(*pass)
                .is_some_and(|seen| seen.logits().is_some())
        })
        .collect();
    let mut ends: Vec<usize> = finished
        .first()
        .into_iter()
        .chain(finished.last())
        .copied()
        .collect();
    ends.dedup();
    let check = |pass| ParityCheck::of_pass(run, pass, version)?.finish(run, cancel);
    ends.into_iter().map(check).collect()
}

fn meta_of(debugger: &Debugger) -> Result<TraceMeta> {
    let (run, tokenizer) = (debugger.run(), debugger.tokenizer());
    let loaded = run.loaded();
    let pieces = match debugger.prompt_text() {
        Some(text) => tokenizer.encode(text, false)?,
        None => Vec::new(),
    };
    // A begin token that was added around the text covers none of it.
    let n_added = debugger.prompt_len().saturating_sub(pieces.len());
    let tokens = run.ids().iter().enumerate().map(|(at, id)| TokenMeta {
        id: *id,
        text: tokenizer.token_text(*id).unwrap_or_default(),
        bytes: at
            .checked_sub(n_added)
            .and_then(|at| pieces.get(at))
            .filter(|piece| piece.id == *id)
            .map(|piece| (piece.bytes.start, piece.bytes.end)),
    });
    let config = loaded.raw_config()?;
    Ok(TraceMeta {
        version: VERSION,
        model: ModelMeta {
            name: loaded.label.clone(),
            config,
            weight_bytes: loaded.weight_bytes,
            hooks: loaded
                .model
                .hooks()
                .iter()
                .map(ToString::to_string)
                .collect(),
        },
        prompt: debugger.prompt_text().map(str::to_owned),
        tokens: tokens.collect(),
        merges: merges_of(debugger),
        passes: passes_of(debugger)?,
        sampling: serde_json::to_value(run.sampling())?,
        seed: run.seed(),
        edits: debugger.edits().edits().to_vec(),
        measures: BTreeMap::new(),
        companion: Companion::default(),
    })
}

/// What a window shows the run with: of the vocabulary, the tokens that stand high somewhere.
fn companion_of(debugger: &Debugger, meta: &TraceMeta) -> Companion {
    let (run, tokenizer) = (debugger.run(), debugger.tokenizer());
    let loaded = run.loaded();
    let text = |id: u32| tokenizer.token_text(id).unwrap_or_default();
    let mut ids: BTreeSet<u32> = run.ids().iter().copied().collect();
    for logits in run.passes().iter().filter_map(|pass| pass.logits()) {
        ids.extend(Distribution::new(logits).top(N_NAMED));
    }
    for measure in meta.measures.values() {
        token_ids(measure, &mut ids);
    }
    let end_tokens = run.options().end_tokens.iter().map(|id| NamedToken {
        id: *id,
        text: text(*id),
    });
    let has_rope = loaded.model.block_hooks().contains(&BlockHook::RotQ);
    Companion {
        prompt_len: run.prompt_len(),
        family: family_of(&debugger.request().model.name).ok(),
        end_tokens: end_tokens.collect(),
        texts: ids.into_iter().map(|id| (id, text(id))).collect(),
        rope: has_rope.then(|| Rope::new(loaded.model.config(), loaded.model.compute()).figures()),
        draw_kinds: run.passes().iter().map(|pass| pass.draw_kind()).collect(),
    }
}

/// The ids of the tokens that a measure names.
fn token_ids(measure: &Value, ids: &mut BTreeSet<u32>) {
    match measure {
        Value::Array(values) => values.iter().for_each(|value| token_ids(value, ids)),
        Value::Object(fields) => {
            let id = fields.get("id").and_then(Value::as_u64);
            ids.extend(id.and_then(|id| u32::try_from(id).ok()));
            fields.values().for_each(|value| token_ids(value, ids));
        }
        _ => {}
    }
}

/// A tokenizer that does not merge has none to tell.
fn merges_of(debugger: &Debugger) -> Vec<WordMeta> {
    let Some(text) = debugger.prompt_text() else {
        return Vec::new();
    };
    let words = debugger.tokenizer().merges(text).unwrap_or_default();
    let to_meta = |word: Word| {
        let symbols = word.symbols.into_iter().map(|symbol| symbol.text);
        let merges = word
            .steps
            .into_iter()
            .map(|step| (step.rank, step.left.text, step.right.text));
        WordMeta {
            symbols: symbols.collect(),
            merges: merges.collect(),
        }
    };
    words.into_iter().map(to_meta).collect()
}

fn passes_of(debugger: &Debugger) -> Result<Vec<PassMeta>> {
    let run = debugger.run();
    let mut passes = Vec::new();
    for pass in run.passes() {
        let seconds = pass
            .times()
            .iter()
            .map(|(stage, time)| (stage.to_string(), time.as_secs_f64()));
        let history = run
            .ids()
            .get(..pass.start() + pass.n_pos())
            .unwrap_or_default();
        let draw = match (pass.draw(), pass.logits()) {
            (Some(draw), Some(logits)) => {
                let params = pass.drawn_with().unwrap_or(run.sampling());
                let view = sampler::filtered(params, logits, history, Some(draw), N_CANDIDATES)?;
                Some(serde_json::json!({ "draw": draw, "filtered": view, "settings": params }))
            }
            _ => None,
        };
        passes.push(PassMeta {
            start: pass.start(),
            boundaries: pass.boundaries().collect(),
            times: seconds.collect(),
            draw,
            cache: pass.cache(),
        });
    }
    Ok(passes)
}
