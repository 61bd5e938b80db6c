//! The caches as they were before a pass.

use anyhow::{Context as _, Result};
use mlx_rs::Array;

use super::Run;
use crate::engine::context::Context;
use crate::engine::message::CancelToken;
use crate::engine::pass::{LogitRows, Pass};
use crate::engine::watch::{Rows, Watch, Watcher};
use crate::model::cache::KvCache;

impl Run {
    /// The cache of `layer` as it was before pass `pass`.
    pub(in crate::engine) fn cache_before(
        &mut self,
        pass: usize,
        layer: usize,
        cancel: &CancelToken,
    ) -> Result<KvCache> {
        let seen = self.pass(pass)?;
        let mut cache = self.context.layer(layer)?.clone();
        if cache.trim(seen.start) {
            return Ok(cache);
        }
        if seen.before.is_none() {
            let replayed = self.replay(pass, cancel)?;
            if let Some(seen) = self.passes.get_mut(pass) {
                seen.before = Some(replayed);
            }
        }
        let before = self.passes.get(pass).and_then(|seen| seen.before.as_ref());
        let before = before.and_then(|before| before.get(layer)).cloned();
        before.context("there is no such layer")
    }

    /// The caches before pass `pass`, by running everything before it again.
    fn replay(&mut self, pass: usize, cancel: &CancelToken) -> Result<Vec<KvCache>> {
        let mut context = Context::new(self.loaded.model.n_layers(), self.options.cache);
        let mut edits = self.edits.clone();
        for (number, seen) in self.passes.iter().take(pass).enumerate() {
            for chunk in &seen.chunks {
                let (start, ids) = (chunk.start(), chunk.ids().to_vec());
                let rows = Rows {
                    pass: number,
                    start,
                };
                let mut again = Pass::new(&self.loaded.model, start, ids, LogitRows::None);
                let mut watcher = Watcher::new(&Watch::Nothing, &mut edits, cancel, rows);
                again.run(&self.loaded.model, &mut context, &mut watcher)?;
            }
        }
        Ok(context.layers().to_vec())
    }

    /// The hidden states that block `layer` of pass `pass` reads, chunk by chunk.
    pub(in crate::engine) fn states_before(&self, pass: usize, layer: usize) -> Result<Vec<Array>> {
        let seen = self.pass(pass)?;
        let kept = seen.kept.get(layer).cloned();
        kept.with_context(|| format!("block {layer} of pass {pass} has not been reached yet"))
    }

    /// The chunks of a pass begin at these positions.
    pub(in crate::engine) fn chunk_starts(&self, pass: usize) -> Result<Vec<usize>> {
        let seen = self.pass(pass)?;
        Ok(seen.chunks.iter().map(Pass::start).collect())
    }
}
