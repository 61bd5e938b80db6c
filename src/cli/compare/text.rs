//! One side: what can be read of a trace, in a file or in memory, by name.

use anyhow::{Context as _, Result};

use crate::trace::file::{PassMeta, TokenMeta, Trace, TraceFile, TraceMeta, key};
use crate::trace::measure::compare::Side;
use crate::trace::measure::{NamedToken, Point, TokenShare};
use crate::trace::{BlockHook, Hook, HostTensor};

/// One side: what can be read of it by name.
pub(super) enum Text {
    File(Box<TraceFile>),
    Memory(Box<Trace>),
}

impl Text {
    fn meta(&self) -> &TraceMeta {
        match self {
            Self::File(file) => &file.meta,
            Self::Memory(trace) => &trace.meta,
        }
    }

    fn read(&mut self, name: &str) -> Result<Option<HostTensor>> {
        match self {
            Self::Memory(trace) => Ok(trace.tensors.get(name).cloned()),
            Self::File(file) if file.shape(name).is_none() => Ok(None),
            Self::File(file) => file.read(name).map(Some),
        }
    }

    pub(super) fn n_layers(&self) -> usize {
        let hooks = self.meta().model.hooks.iter();
        let layers = hooks.filter_map(|hook| match hook.parse() {
            Ok(Hook::Block(layer, _)) => Some(layer + 1),
            _ => None,
        });
        layers.max().unwrap_or_default()
    }

    pub(super) fn ids(&self) -> Vec<u32> {
        self.meta().tokens.iter().map(|token| token.id).collect()
    }

    /// The tokens before each of the next tokens that are told, pass by pass.
    pub(super) fn ends(&self) -> Result<Vec<usize>> {
        let passes = self.meta().passes.iter().take(self.next_tokens()?.len());
        Ok(passes.map(end).collect())
    }

    /// The likeliest next tokens after each pass that came to its logits.
    fn next_tokens(&self) -> Result<Vec<Vec<TokenShare>>> {
        let next = self.meta().measures.get("next_tokens");
        let next = next.map(|next| serde_json::from_value(next.clone()));
        let next = next.transpose();
        let next = next.context("the trace's list of next tokens is damaged")?;
        Ok(next.unwrap_or_default())
    }

    /// The pass that ends before position `end`.
    fn pass_before(&self, end_of_pass: usize) -> Option<usize> {
        let mut passes = self.meta().passes.iter();
        passes.position(|pass| end(pass) == end_of_pass)
    }

    pub(super) fn side(&self, name: String, end: Option<usize>) -> Result<Side> {
        let meta = self.meta();
        let token = |token: &TokenMeta| NamedToken {
            id: token.id,
            text: token.text.clone(),
        };
        let pass = end.and_then(|end| self.pass_before(end));
        let mut next = self.next_tokens()?.into_iter();
        Ok(Side {
            name,
            model: meta.model.name.clone(),
            tokens: meta.tokens.iter().map(token).collect(),
            next: pass.and_then(|pass| next.nth(pass)).unwrap_or_default(),
            after: end.and_then(|end| end.checked_sub(1)),
        })
    }

    /// The residual stream at `point` of every position, over all passes, as far as it was kept.
    pub(super) fn states_at(&mut self, point: Point) -> Result<Option<HostTensor>> {
        let hook = match point {
            // With learned positions `hook_embed` is not all that the first block reads.
            Point::Embed => Hook::Block(0, BlockHook::ResidPre),
            Point::AfterAttention(layer) => Hook::Block(layer, BlockHook::ResidMid),
            Point::AfterMlp(layer) => Hook::Block(layer, BlockHook::ResidPost),
        };
        let mut parts = Vec::new();
        for pass in 0..self.meta().passes.len() {
            match self.read(&key(pass, hook))? {
                Some(value) => parts.push(value),
                None => break,
            }
        }
        Ok(HostTensor::join(&parts, 0))
    }

    /// The logits after the position before `end`, if the trace keeps them.
    pub(super) fn logits_at(&mut self, end: Option<usize>) -> Result<Option<Vec<f32>>> {
        let Some(pass) = end.and_then(|end| self.pass_before(end)) else {
            return Ok(None);
        };
        let Some(logits) = self.read(&key(pass, Hook::Logits))? else {
            return Ok(None);
        };
        let n_rows = logits.shape().first().copied().unwrap_or_default();
        Ok(logits.at(&[n_rows.saturating_sub(1)]).map(<[f32]>::to_vec))
    }
}

/// The tokens before the end of a pass.
fn end(pass: &PassMeta) -> usize {
    let pieces = pass.boundaries.iter();
    pieces.fold(pass.start, |end, piece| end.saturating_add(*piece))
}
