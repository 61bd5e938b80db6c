//! What changes the logits before any token is filtered out: bias and penalties.

use std::borrow::Cow;
use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::SamplingParams;

/// The logits after bias and penalties, `[vocab]`: the model's own where none is set.
///
/// `history` is the prompt and what has been generated so far. Each step sees what the one before
/// left: bias, repetition, presence, frequency (mlx-lm `make_logits_processors`).
///
/// # Errors
/// If a logit bias is for a token that this vocabulary does not have.
pub(super) fn adjusted<'a>(
    logits: &'a [f32],
    params: &SamplingParams,
    history: &[u32],
) -> Result<Cow<'a, [f32]>> {
    let mut logits = Cow::Borrowed(logits);
    for (&token, &bias) in &params.logit_bias {
        let n_vocab = logits.len();
        let Some(logit) = logits.to_mut().get_mut(token as usize) else {
            bail!(
                "--logit-bias {token}:{bias} is for a token that this model does not have: \
                 its ids end at {}.",
                n_vocab.saturating_sub(1)
            );
        };
        *logit += bias;
    }
    let is_penalized = ![0.0, 1.0].contains(&params.repetition_penalty)
        || params.presence_penalty != 0.0
        || params.frequency_penalty != 0.0;
    if is_penalized {
        penalize(logits.to_mut(), params, history);
    }
    Ok(logits)
}

fn penalize(logits: &mut [f32], params: &SamplingParams, history: &[u32]) {
    for (token, count) in recent(params, history) {
        let Some(logit) = logits.get_mut(token as usize) else {
            continue; // an id beyond the logits cannot be drawn either
        };
        let repetition = params.repetition_penalty;
        if repetition != 0.0 {
            // Dividing a negative logit would make its token more probable.
            *logit = if *logit < 0.0 {
                *logit * repetition
            } else {
                *logit / repetition
            };
        }
        *logit -= params.presence_penalty;
        *logit -= params.frequency_penalty * count as f32;
    }
}

/// The recent tokens and how often each occurs.
fn recent(params: &SamplingParams, history: &[u32]) -> BTreeMap<u32, usize> {
    let first = match params.penalty_context {
        0 => 0,
        n => history.len().saturating_sub(n),
    };
    let mut counts = BTreeMap::new();
    for &token in history.get(first..).unwrap_or_default() {
        *counts.entry(token).or_insert(0) += 1;
    }
    counts
}
