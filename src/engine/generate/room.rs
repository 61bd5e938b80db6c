//! Room for an answer: in memory, and in the context.

use anyhow::Result;

use super::super::context::Context;
use super::super::memory::{self, MemoryNeed, PassSize};
use super::Generation;
use crate::model::cache::CHUNK;

impl Generation {
    /// Refuses what will not fit, before the system kills the program.
    pub(super) fn check_memory(&self, context: &Context) -> Result<()> {
        let Some(available) = memory::available() else {
            return Ok(());
        };
        let (config, compute) = (self.loaded.model.config(), self.loaded.model.compute());
        let left = self.prompt.len().saturating_sub(context.len()).max(CHUNK);
        let chunk = left.min(self.loaded.model.prefill_chunk());
        let of_pass = |n_before, n_new| {
            let n_logit_rows = 1;
            let size = PassSize {
                n_before,
                n_new,
                n_logit_rows,
            };
            MemoryNeed::of_pass(config, context.options(), size, compute)
        };
        let need = MemoryNeed {
            cache: of_pass(context.len(), left).cache,
            ..of_pass(context.len() + left - chunk, chunk)
        };
        Ok(need.check(available)?)
    }
}

/// How many tokens the context leaves for an answer; a rotating cache makes room as it goes, but
/// an answer that fills a whole context is no answer any more.
pub(super) fn room(trained: usize, n_prompt: usize, max_size: Option<usize>) -> usize {
    match max_size {
        Some(_) => trained,
        None => trained.saturating_sub(n_prompt),
    }
}
