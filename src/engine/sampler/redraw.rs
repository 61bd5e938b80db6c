//! Drawing from the same logits again and again: see [`Redraws`](crate::trace::measure::logits::Redraws).

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use super::{Sampler, filtered};
use crate::trace::measure::NamedToken;
use crate::trace::measure::logits::Redrawn;

/// Most draws of one request: enough for shares of a thousandth.
const MOST_DRAWS: usize = 100_000;
/// How many tokens that could have come are listed though they did not.
const N_LISTED: usize = 32;

/// Draws `n` times from `logits`, `[vocab]`, after the text `history`: how often each token came,
/// the largest share first. `check` is asked before each draw and may end it; `name` gives a
/// token's text.
///
/// # Errors
/// If `n` is too large, the logits cannot be drawn from, or `check` fails.
pub fn draw_again(
    mut sampler: Sampler,
    logits: &[f32],
    history: &[u32],
    n: usize,
    check: impl Fn() -> Result<()>,
    name: impl Fn(u32) -> NamedToken,
) -> Result<Vec<Redrawn>> {
    ensure!(
        n <= MOST_DRAWS,
        "{n} draws are too many: ask for at most {MOST_DRAWS}"
    );
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for _ in 0..n {
        check()?;
        let drawn = sampler.sample(logits, history)?.token;
        *counts.entry(drawn).or_default() += 1;
    }
    let everything = filtered(sampler.params(), logits, history, None, logits.len())?;
    let candidates = everything.candidates.iter().enumerate();
    let listed = candidates.filter(|(rank, candidate)| {
        let could = *rank < N_LISTED && candidate.share > 0.0;
        could || counts.contains_key(&candidate.token)
    });
    let mut tokens: Vec<Redrawn> = listed
        .map(|(_, candidate)| Redrawn {
            token: name(candidate.token),
            count: counts.get(&candidate.token).copied().unwrap_or_default(),
            share: candidate.share,
        })
        .collect();
    tokens.sort_by(|a, b| b.share.total_cmp(&a.share));
    Ok(tokens)
}
