//! What the KV cache saves: see [`CacheCost`].

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::engine::context::Context;
use crate::engine::message::CancelToken;
use crate::engine::pass::{LogitRows, Pass};
use crate::engine::run::Run;
use crate::engine::watch::{EditState, Rows, Watch, Watcher};
use crate::model::Model;
use crate::model::cache::CacheOptions;
use crate::trace::measure::ledger::CacheCost;

/// Times the newest token of `run` after the cached text before it, and the whole text again, both
/// with nobody watching and no edits, each with a plain cache.
///
/// # Errors
/// If the text is a single token, MLX fails, or it was cancelled.
pub fn cache_cost(run: &Run, cancel: &CancelToken) -> Result<CacheCost> {
    let model = &run.loaded().model;
    let ids = run.ids();
    let (last, before) = ids.split_last().context("the text is empty")?;
    ensure!(
        !before.is_empty(),
        "a text of one token has nothing to cache"
    );
    // The text before the newest token fills a cache of its own: the run's may be edited, or rotate.
    let mut cached = fresh(model);
    prefill(model, before, &mut cached, LogitRows::None, cancel)?;
    let mut steps = Vec::with_capacity(CacheCost::N_STEPS);
    for _ in 0..CacheCost::N_STEPS {
        let started = Instant::now();
        read(model, &[*last], &mut cached, LogitRows::Last, cancel)?;
        steps.push(started.elapsed().as_secs_f64());
        ensure!(cached.trim(before.len()), "the cache cannot go back");
    }
    steps.sort_by(f64::total_cmp);
    let started = Instant::now();
    prefill(model, ids, &mut fresh(model), LogitRows::Last, cancel)?;
    Ok(CacheCost {
        positions: ids.len(),
        with_cache_s: steps.get(steps.len() / 2).copied().unwrap_or_default(),
        without_cache_s: started.elapsed().as_secs_f64(),
    })
}

fn fresh(model: &Model) -> Context {
    Context::new(model.n_layers(), CacheOptions::default())
}

/// Runs a text in pieces, as a prompt runs.
fn prefill(
    model: &Model,
    ids: &[u32],
    context: &mut Context,
    rows: LogitRows,
    cancel: &CancelToken,
) -> Result<()> {
    let pieces: Vec<&[u32]> = ids.chunks(model.prefill_chunk()).collect();
    let n_pieces = pieces.len();
    for (number, piece) in pieces.into_iter().enumerate() {
        let rows = if number + 1 == n_pieces {
            rows
        } else {
            LogitRows::None
        };
        read(model, piece, context, rows, cancel)?;
    }
    Ok(())
}

fn read(
    model: &Model,
    ids: &[u32],
    context: &mut Context,
    rows: LogitRows,
    cancel: &CancelToken,
) -> Result<()> {
    let start = context.len();
    let mut pass = Pass::new(model, start, ids.to_vec(), rows);
    let mut edits = EditState::default();
    let mut watcher = Watcher::new(&Watch::Nothing, &mut edits, cancel, Rows { pass: 0, start });
    while pass.step(model, context, &mut watcher)?.is_some() {}
    Ok(())
}
