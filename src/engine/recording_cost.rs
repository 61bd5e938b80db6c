//! What recording every hook costs, against a plain pass over the same tokens.

use std::rc::Rc;
use std::time::Instant;

use anyhow::Result;
use serde::Serialize;

use super::context::Context;
use super::loaded::LoadedModel;
use super::message::CancelToken;
use super::pass::{LogitRows, Pass};
use super::run::{Run, RunOptions};
use super::watch::Watch;
use crate::model::cache::CacheOptions;
use crate::model::probe::Unwatched;

/// How often each of the two is timed.
const N_TIMES: usize = 9;

/// A plain pass and a recorded one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RecordingCost {
    /// Tokens of the prompt.
    pub n_tokens: usize,
    /// Seconds of a pass that nobody watches: the median of several.
    pub plain_s: f64,
    /// Seconds of a pass of which every hook is recorded: the median of several.
    pub recorded_s: f64,
    /// Bytes that were recorded.
    pub recorded_bytes: usize,
}

impl RecordingCost {
    /// How many times as long the recorded pass takes.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        match self.plain_s > 0.0 {
            true => self.recorded_s / self.plain_s,
            false => 0.0,
        }
    }
}

/// Times both over `ids`, in turns, so that what else the machine does hits both alike.
///
/// # Errors
/// If MLX fails, or it was cancelled.
pub fn recording_cost(
    loaded: &Rc<LoadedModel>,
    ids: &[u32],
    cancel: &CancelToken,
) -> Result<RecordingCost> {
    let (mut plain, mut recorded, mut recorded_bytes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..N_TIMES {
        let started = Instant::now();
        run_plain(loaded, ids)?;
        plain.push(started.elapsed().as_secs_f64());
        let started = Instant::now();
        let options = RunOptions {
            watch: Watch::Everything,
            ..RunOptions::default()
        };
        let mut run = Run::new(Rc::clone(loaded), ids.to_vec(), &[], options)?;
        run.finish_pass(cancel)?;
        recorded.push(started.elapsed().as_secs_f64());
        recorded_bytes = run.passes().iter().map(|pass| pass.recorded_bytes()).sum();
    }
    Ok(RecordingCost {
        n_tokens: ids.len(),
        plain_s: median(plain),
        recorded_s: median(recorded),
        recorded_bytes,
    })
}

/// As chat runs a prompt.
fn run_plain(loaded: &LoadedModel, ids: &[u32]) -> Result<()> {
    let model = &loaded.model;
    let mut context = Context::new(model.n_layers(), CacheOptions::default());
    let pieces = ids.chunks(model.prefill_chunk());
    let n_pieces = pieces.len();
    for (number, piece) in pieces.enumerate() {
        let rows = match number + 1 == n_pieces {
            true => LogitRows::Last,
            false => LogitRows::None,
        };
        let mut pass = Pass::new(model, context.len(), piece.to_vec(), rows);
        while pass.step(model, &mut context, &mut Unwatched)?.is_some() {}
    }
    Ok(())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}
