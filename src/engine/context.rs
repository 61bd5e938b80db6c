//! A context: the tokens a session has read, and the KV cache that holds them.

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::model::cache::{CacheOptions, KvCache};
use crate::trace::answer::CacheSize;

/// The KV cache of every layer, and which tokens it holds.
#[derive(Debug, Clone)]
pub struct Context {
    options: CacheOptions,
    layers: Vec<KvCache>,
    /// The tokens read so far, from position 0.
    ids: Vec<u32>,
    /// The sizes of the pieces they were read in.
    pieces: Vec<usize>,
}

/// How much of a prompt was in the cache already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reuse {
    /// Positions taken from the cache.
    pub reused: usize,
    /// Why it was not more.
    pub why_not_more: WhyNotMore,
}

/// Why a prompt could not take more positions from the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyNotMore {
    /// Nothing had been read before.
    CacheEmpty,
    /// Everything the cache holds was used; the rest of the prompt is new.
    RestIsNew,
    /// The whole prompt was there; its last token runs again, since its logits are needed.
    LogitsNeeded,
    /// The prompt goes another way from here on.
    TokensDiffer,
    /// A rotating cache had dropped positions and cannot go back.
    PositionsDropped,
}

impl WhyNotMore {
    /// The reason in words.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::CacheEmpty => "nothing had been read before",
            Self::RestIsNew => "the rest of the prompt is new",
            Self::LogitsNeeded => "the last token runs again, because its logits are needed",
            Self::TokensDiffer => "the prompt differs from what was read before from there on",
            Self::PositionsDropped => "the rotating cache had dropped positions it would need",
        }
    }
}

impl Context {
    /// An empty context for `n_layers` blocks.
    #[must_use]
    pub fn new(n_layers: usize, options: CacheOptions) -> Self {
        Self {
            layers: vec![KvCache::new(&options); n_layers],
            options,
            ids: Vec::new(),
            pieces: Vec::new(),
        }
    }

    /// A context put together from a prompt cache file, read in pieces of these sizes; a file that
    /// does not tell them counts as one piece.
    #[must_use]
    pub fn restored(
        options: CacheOptions,
        layers: Vec<KvCache>,
        ids: Vec<u32>,
        mut pieces: Vec<usize>,
    ) -> Self {
        if pieces.iter().copied().fold(0, usize::saturating_add) != ids.len() {
            pieces = vec![ids.len()];
        }
        Self {
            options,
            layers,
            ids,
            pieces,
        }
    }

    /// How keys and values are kept.
    #[must_use]
    pub fn options(&self) -> &CacheOptions {
        &self.options
    }

    /// Tokens read so far: the position of the next one.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether nothing has been read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The tokens read so far.
    #[must_use]
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// The sizes of the pieces that the tokens were read in: each piece was one pass. A piece of
    /// which the end was forgotten counts with what is left of it.
    #[must_use]
    pub fn pieces(&self) -> &[usize] {
        &self.pieces
    }

    /// The caches, layer by layer.
    #[must_use]
    pub fn layers(&self) -> &[KvCache] {
        &self.layers
    }

    /// # Errors
    /// If the model has no such layer.
    pub fn layer(&self, layer: usize) -> Result<&KvCache> {
        let found = self.layers.get(layer);
        found.with_context(|| format!("there is no cache for layer {layer}"))
    }

    /// # Errors
    /// If the model has no such layer.
    pub fn layer_mut(&mut self, layer: usize) -> Result<&mut KvCache> {
        let found = self.layers.get_mut(layer);
        found.with_context(|| format!("there is no cache for layer {layer}"))
    }

    /// Notes that every layer has taken in `ids`.
    pub fn note(&mut self, ids: &[u32]) {
        self.ids.extend_from_slice(ids);
        self.pieces.push(ids.len());
    }

    /// How full the caches of all layers are together.
    #[must_use]
    pub fn size(&self) -> CacheSize {
        CacheSize {
            positions: self.len(),
            used_bytes: self.layers.iter().map(KvCache::used_bytes).sum(),
            allocated_bytes: self.layers.iter().map(KvCache::allocated_bytes).sum(),
        }
    }

    /// Takes back the notes of [`Context::note`] from position `len` on; the caches are the
    /// caller's.
    pub fn forget_from(&mut self, len: usize) {
        self.ids.truncate(len);
        self.pieces = first_pieces(&self.pieces, len);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::new(self.layers.len(), self.options);
    }

    /// How many tokens from position `start` on were read one by one; `None` where no pass ended
    /// right before it.
    #[must_use]
    pub fn n_single_from(&self, start: usize) -> Option<usize> {
        let mut end = 0;
        let mut pieces = self.pieces.iter();
        while end < start {
            end += pieces.next()?;
        }
        (end == start).then(|| pieces.take_while(|piece| **piece == 1).count())
    }

    /// Keeps the longest prefix that this context shares with `prompt`, and forgets the rest. At
    /// least the prompt's last token is left to run.
    pub fn reuse(&mut self, prompt: &[u32]) -> Reuse {
        let pairs = self.ids.iter().zip(prompt);
        let shared = pairs.take_while(|(held, asked)| held == asked).count();
        let kept = shared.min(prompt.len().saturating_sub(1));
        let why_not_more = if self.is_empty() {
            WhyNotMore::CacheEmpty
        } else if kept < shared {
            WhyNotMore::LogitsNeeded
        } else if shared < self.len() {
            WhyNotMore::TokensDiffer
        } else {
            WhyNotMore::RestIsNew
        };
        if !self.trim(kept) {
            self.clear();
            return Reuse {
                reused: 0,
                why_not_more: WhyNotMore::PositionsDropped,
            };
        }
        Reuse {
            reused: kept,
            why_not_more,
        }
    }

    /// Forgets every position from `len` on. Returns whether that was possible (see
    /// [`KvCache::trim`]); if not, the context must be cleared.
    pub fn trim(&mut self, len: usize) -> bool {
        let trimmed = self.layers.iter_mut().all(|layer| layer.trim(len));
        if trimmed {
            self.forget_from(len);
        }
        trimmed
    }

    /// Puts every layer back to what [`Context::ids`] says, after a pass was stopped between two
    /// layers.
    pub fn settle(&mut self) {
        if !self.trim(self.len()) {
            self.clear();
        }
    }
}

/// The pieces that make up the first `len` tokens, the last one cut where they end.
#[must_use]
pub fn first_pieces(pieces: &[usize], len: usize) -> Vec<usize> {
    let mut left = len;
    let mut first = Vec::new();
    for piece in pieces {
        if left == 0 {
            break;
        }
        first.push(left.min(*piece));
        left = left.saturating_sub(*piece);
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(ids: &[u32]) -> Context {
        let mut context = Context::new(0, CacheOptions::default());
        context.note(ids);
        context
    }

    #[test]
    fn the_longest_common_prefix_is_reused_and_the_rest_forgotten() {
        let mut context = read(&[1, 2, 3, 4]);
        let reuse = context.reuse(&[1, 2, 9, 9]);
        assert_eq!(reuse.reused, 2);
        assert_eq!(reuse.why_not_more, WhyNotMore::TokensDiffer);
        assert_eq!(context.ids(), [1, 2]);
    }

    #[test]
    fn the_pieces_are_those_that_were_read() {
        let mut context = read(&[1, 2, 3, 4]);
        context.note(&[5]);
        context.note(&[6, 7]);
        assert_eq!(context.pieces(), [4, 1, 2]);
        assert_eq!(first_pieces(context.pieces(), 6), [4, 1, 1]);
        context.trim(3);
        assert_eq!(context.pieces(), [3]);
    }

    #[test]
    fn tokens_that_were_read_one_by_one_are_told_from_others() {
        let mut context = read(&[1, 2, 3]);
        context.note(&[4]);
        context.note(&[5]);
        context.note(&[6, 7]);
        assert_eq!(context.n_single_from(3), Some(2));
        assert_eq!(context.n_single_from(5), Some(0));
        assert_eq!(context.n_single_from(2), None);
        assert_eq!(context.n_single_from(9), None);
    }

    #[test]
    fn the_last_token_of_a_known_prompt_runs_again() {
        let mut context = read(&[1, 2, 3]);
        let reuse = context.reuse(&[1, 2, 3]);
        assert_eq!(reuse.reused, 2);
        assert_eq!(reuse.why_not_more, WhyNotMore::LogitsNeeded);
    }
}
