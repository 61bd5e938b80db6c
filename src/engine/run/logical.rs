//! A pass as one looks at it: whatever pieces it ran in, one pass.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mlx_rs::Array;

use crate::engine::pass::Pass;
use crate::engine::sampler::{Draw, Sampler, SamplingParams};
use crate::model::cache::KvCache;
use crate::trace::answer::CacheSize;
use crate::trace::debug::DrawKind;
use crate::trace::{Hook, HostTensor, Stage};

/// A pass as one sees it: over the whole prompt, or over one new token.
#[derive(Debug, Clone)]
pub struct LogicalPass {
    pub(super) start: usize,
    pub(super) chunks: Vec<Pass>,
    /// The hidden state after each executed stage, chunk by chunk.
    pub(super) kept: Vec<Vec<Array>>,
    pub(super) recorded: BTreeMap<Hook, HostTensor>,
    pub(super) logits: Option<Arc<[f32]>>,
    pub(super) draw: Option<Drawn>,
    pub(super) times: Vec<(Stage, Duration)>,
    /// The KV cache after it.
    pub(super) cache: CacheSize,
    /// The caches before the pass, where they could not be trimmed back.
    pub(super) before: Option<Vec<KvCache>>,
}

/// A draw, and what is needed to take it back.
#[derive(Debug, Clone)]
pub(super) struct Drawn {
    pub draw: Draw,
    pub kind: DrawKind,
    /// The settings it was made with.
    pub params: SamplingParams,
    pub sampler_before: Sampler,
}

impl LogicalPass {
    pub(super) fn new(start: usize, chunks: Vec<Pass>, before: Option<Vec<KvCache>>) -> Self {
        Self {
            start,
            chunks,
            kept: Vec::new(),
            recorded: BTreeMap::new(),
            logits: None,
            draw: None,
            times: Vec::new(),
            cache: CacheSize::default(),
            before,
        }
    }

    /// Keeps what `stage` has just made. Logits are kept once, as numbers of the last row: a
    /// vocabulary is wide, and no stage reads them.
    pub(super) fn keep_states(&mut self, stage: Stage) {
        let is_last = stage == Stage::Logits;
        let states = self.chunks.iter().filter(|_| !is_last);
        let states = states.filter_map(|chunk| chunk.hidden().cloned());
        self.kept.push(states.collect());
        if is_last {
            self.chunks.iter_mut().for_each(Pass::let_go);
        }
    }

    /// Position of its first token.
    #[must_use]
    pub fn start(&self) -> usize {
        self.start
    }

    /// Tokens it runs over.
    #[must_use]
    pub fn n_pos(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.ids().len()).sum()
    }

    /// The sizes of the pieces it runs in.
    pub fn boundaries(&self) -> impl Iterator<Item = usize> {
        self.chunks.iter().map(|chunk| chunk.ids().len())
    }

    /// What was recorded of it, by hook.
    #[must_use]
    pub fn recorded(&self) -> &BTreeMap<Hook, HostTensor> {
        &self.recorded
    }

    /// Logits of its last position, `[vocab]`, once they are computed.
    #[must_use]
    pub fn logits(&self) -> Option<&[f32]> {
        self.logits.as_deref()
    }

    /// The draw of the token that follows it.
    #[must_use]
    pub fn draw(&self) -> Option<&Draw> {
        self.draw.as_ref().map(|drawn| &drawn.draw)
    }

    /// How the token that follows it was chosen.
    #[must_use]
    pub fn draw_kind(&self) -> Option<DrawKind> {
        self.draw.as_ref().map(|drawn| drawn.kind)
    }

    /// The settings that the draw was made with.
    #[must_use]
    pub fn drawn_with(&self) -> Option<&SamplingParams> {
        self.draw.as_ref().map(|drawn| &drawn.params)
    }

    /// The KV cache after its blocks have run.
    #[must_use]
    pub fn cache(&self) -> CacheSize {
        self.cache
    }

    /// How long each executed stage took.
    #[must_use]
    pub fn times(&self) -> &[(Stage, Duration)] {
        &self.times
    }

    /// Bytes of the hidden states that are kept.
    #[must_use]
    pub fn hidden_bytes(&self) -> usize {
        self.kept.iter().flatten().map(Array::nbytes).sum()
    }

    /// Bytes of its recordings.
    #[must_use]
    pub fn recorded_bytes(&self) -> usize {
        self.recorded.values().map(HostTensor::n_bytes).sum()
    }
}
