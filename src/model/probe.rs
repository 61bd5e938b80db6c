//! Probes: who looks into a pass, and where.

use anyhow::Result;
use mlx_rs::Array;

use crate::trace::{BlockHook, Hook};

/// Someone who watches a pass, may change it, and may stop it.
///
/// The network hands every value to the probe by its hook, in the hook's documented shape. What
/// nobody wants is not computed: an unwatched pass uses MLX's fused attention.
pub trait Probe {
    /// Whether the value at `hook` is to be shown.
    fn wants(&self, hook: Hook) -> bool;

    /// Whether the value at `hook` may come back changed. Implies [`Probe::wants`].
    fn edits(&self, _hook: Hook) -> bool {
        false
    }

    /// Which part of scores and patterns is wanted. Only that part is computed and shown, unless an
    /// edit needs all of it.
    fn attention_part(&self) -> AttentionPart {
        AttentionPart::default()
    }

    /// Sees the (not yet evaluated) value at `hook`; `Some` replaces it for the rest of the pass.
    ///
    /// # Errors
    /// Whatever the watcher fails on; the pass ends with it.
    fn see(&mut self, hook: Hook, value: &Array) -> Result<Option<Array>>;

    /// Asked at every hook, wanted or not: an error stops the pass there.
    ///
    /// # Errors
    /// [`Cancelled`] if nobody waits for this pass any more.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// A part of an attention map: a long prompt has too many heads and rows to compute them all for
/// someone who looks at one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttentionPart {
    /// This query head only.
    pub head: Option<usize>,
    /// These rows only, counted within the values that pass through.
    pub rows: Option<Vec<usize>>,
}

impl AttentionPart {
    /// Whether nothing is left out.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.head.is_none() && self.rows.is_none()
    }
}

/// The pass was stopped because its result is not wanted any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

/// Nobody looks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Probe for Unwatched {
    fn wants(&self, _hook: Hook) -> bool {
        false
    }

    fn see(&mut self, _hook: Hook, _value: &Array) -> Result<Option<Array>> {
        Ok(None)
    }
}

impl dyn Probe + '_ {
    /// Hands `value` to the probe if it wants it; returns what the pass goes on with.
    ///
    /// # Errors
    /// As [`Probe::see`] and [`Probe::check`].
    pub fn at(&mut self, hook: Hook, value: Array) -> Result<Array> {
        self.check()?;
        if !self.wants(hook) {
            return Ok(value);
        }
        Ok(self.see(hook, &value)?.unwrap_or(value))
    }
}

/// A probe inside one block.
pub struct BlockProbe<'a> {
    probe: &'a mut dyn Probe,
    layer: usize,
}

impl<'a> BlockProbe<'a> {
    /// The probe as block `layer` sees it.
    pub fn new(probe: &'a mut dyn Probe, layer: usize) -> Self {
        Self { probe, layer }
    }

    /// Hands `value` to the probe if it wants it; returns what the block goes on with.
    ///
    /// # Errors
    /// As [`Probe::see`] and [`Probe::check`].
    pub fn at(&mut self, hook: BlockHook, value: Array) -> Result<Array> {
        self.probe.at(Hook::Block(self.layer, hook), value)
    }

    /// Which part of scores and patterns is wanted.
    #[must_use]
    pub fn attention_part(&self) -> AttentionPart {
        self.probe.attention_part()
    }

    /// Stops the block here if nobody waits for the rest of it.
    ///
    /// # Errors
    /// As [`Probe::check`].
    pub fn check(&self) -> Result<()> {
        self.probe.check()
    }

    /// Whether someone wants to see `hook` of this block.
    #[must_use]
    pub fn wants(&self, hook: BlockHook) -> bool {
        self.probe.wants(Hook::Block(self.layer, hook))
    }

    /// Whether someone may change `hook` of this block.
    #[must_use]
    pub fn edits(&self, hook: BlockHook) -> bool {
        self.probe.edits(Hook::Block(self.layer, hook))
    }
}
