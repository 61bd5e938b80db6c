//! An answer that has begun: tokens that stand, from an earlier answer or chosen by hand.

use std::collections::VecDeque;

use anyhow::Result;

use super::super::context::{Context, Reuse};
use super::super::sampler::{Draw, logprob_of};
use super::super::stops::Ends;
use crate::trace::answer::GeneratedToken;

/// The tokens that stand and have not run yet.
///
/// They run one by one, as they did when they were drawn: so the whole answer can be replayed from
/// its prompt's pieces and its draws alone, and comes out with the same bits.
pub(super) struct Begun {
    waiting: VecDeque<GeneratedToken>,
    ends_there: bool,
}

impl Begun {
    /// What stands of `tokens`: those before an end token.
    pub(super) fn new(mut tokens: Vec<GeneratedToken>, ends: &Ends) -> Self {
        let end = tokens.iter().position(|token| ends.contains(token.id));
        tokens.truncate(end.unwrap_or(tokens.len()));
        Self {
            waiting: tokens.into(),
            ends_there: end.is_some(),
        }
    }

    /// Keeps what `context` holds of the prompt and of these tokens. Of the tokens only those count
    /// that were read one by one, right after the prompt.
    pub(super) fn reuse(&self, context: &mut Context, prompt: &[u32]) -> Reuse {
        let n_single = context.n_single_from(prompt.len());
        let n_usable = n_single.map_or(0, |n_single| n_single + 1);
        let standing = self.waiting.iter().take(n_usable).map(|token| token.id);
        let ids: Vec<u32> = prompt.iter().copied().chain(standing).collect();
        context.reuse(&ids)
    }

    /// The next token to run.
    pub(super) fn next(&mut self) -> Option<GeneratedToken> {
        self.waiting.pop_front()
    }

    /// How many tokens are still to run.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether an end token follows them.
    pub(super) fn ends_there(&self) -> bool {
        self.ends_there
    }
}

/// The draw of a token that stands, with its probability in `logits`, `[vocab]`.
///
/// # Errors
/// If the vocabulary has no such token.
pub(super) fn draw_of(token: &GeneratedToken, logits: &[f32]) -> Result<Draw> {
    Ok(Draw {
        token: token.id,
        random: token.random,
        xtc_coin: token.xtc_coin,
        logprob: logprob_of(logits, token.id)?,
        share: 1.0,
        n_candidates: 1,
    })
}
