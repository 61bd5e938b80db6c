//! Watching a pass: which hooks are kept, and the probe that keeps and edits them.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use mlx_rs::{Array, Dtype};

use super::message::CancelToken;
use crate::model::probe::{AttentionPart, Cancelled, Probe};
use crate::trace::{BlockHook, Hook, HostTensor};

pub use super::edit_state::EditState;

/// Which hooks to keep.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Watch {
    /// None.
    #[default]
    Nothing,
    /// Every hook the family has.
    Everything,
    /// These.
    Hooks(Vec<Hook>),
}

impl Watch {
    /// Whether `hook` is to be kept.
    #[must_use]
    pub fn has(&self, hook: Hook) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Hooks(hooks) => hooks.contains(&hook),
        }
    }
}

/// An array on the host, evaluated, in float32 and row by row.
///
/// # Errors
/// If MLX cannot evaluate it.
pub fn to_host(array: &Array) -> Result<HostTensor> {
    let array = ready_to_copy(array)?;
    mlx_rs::transforms::eval([&array])?;
    copied(&array)
}

/// The same values in float32 and row by row, still to be evaluated.
fn ready_to_copy(array: &Array) -> Result<Array> {
    Ok(array.as_dtype(Dtype::Float32)?.contiguous()?)
}

/// The values of an array that is ready and evaluated.
fn copied(array: &Array) -> Result<HostTensor> {
    let shape = array.shape().iter().map(|dim| *dim as usize).collect();
    let values: Arc<[f32]> = array.try_as_slice::<f32>()?.into();
    HostTensor::new(shape, values).context("MLX's shape does not fit its values")
}

/// Where the rows of a value stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rows {
    /// Which pass: 0 is the prefill.
    pub pass: usize,
    /// Position of the first row in the text.
    pub start: usize,
}

/// The probe of a watched or edited pass.
pub struct Watcher<'a> {
    watch: &'a Watch,
    edits: &'a mut EditState,
    cancel: &'a CancelToken,
    rows: Rows,
    /// Keep only this part of scores and patterns.
    part: AttentionPart,
    /// Stop once this hook was seen.
    until: Option<Hook>,
    seen: Vec<(Hook, Array)>,
}

/// Everything that was asked for has been seen; what is left of the stage is not needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("everything that was asked for has been seen")]
pub struct Enough;

impl<'a> Watcher<'a> {
    /// A probe for a pass over `rows`.
    pub fn new(
        watch: &'a Watch,
        edits: &'a mut EditState,
        cancel: &'a CancelToken,
        rows: Rows,
    ) -> Self {
        Self {
            watch,
            edits,
            cancel,
            rows,
            part: AttentionPart::default(),
            until: None,
            seen: Vec::new(),
        }
    }

    /// Keeps only `head` of scores and patterns: the others are not computed.
    #[must_use]
    pub fn only_head(mut self, head: Option<usize>) -> Self {
        self.part.head = head;
        self
    }

    /// Keeps only these rows of scores and patterns, counted within the pass.
    #[must_use]
    pub fn only_rows(mut self, rows: Vec<usize>) -> Self {
        self.part.rows = Some(rows);
        self
    }

    /// The wanted part of a value: of scores and patterns that an edit needed as a whole, the heads
    /// and rows that were asked for.
    fn wanted_part(&self, hook: Hook, value: &Array) -> Result<Array> {
        let mut part = value.clone();
        if !matches!(hook, Hook::Block(_, BlockHook::Scores | BlockHook::Pattern)) {
            return Ok(part);
        }
        if let Some(head) = self.part.head
            && part.dim(0) > 1
        {
            part = take(&part, &[head], 0)?; // [1, query_pos, key_pos]
        }
        if let Some(rows) = &self.part.rows
            && part.dim(1) as usize != rows.len()
        {
            part = take(&part, rows, 1)?; // [head, row, key_pos]
        }
        Ok(part)
    }

    /// Stops the pass with [`Enough`] as soon as `hook` was seen: nothing beyond it is computed.
    #[must_use]
    pub fn until(mut self, hook: Hook) -> Self {
        self.until = Some(hook);
        self
    }

    /// Waits until what was seen has been computed.
    ///
    /// # Errors
    /// If MLX cannot evaluate it.
    pub fn evaluate(&self) -> Result<()> {
        Ok(mlx_rs::transforms::eval(
            self.seen.iter().map(|(_, array)| array),
        )?)
    }

    /// What was seen, evaluated and copied to the host.
    ///
    /// # Errors
    /// If MLX cannot evaluate it.
    pub fn into_tensors(self) -> Result<BTreeMap<Hook, HostTensor>> {
        let ready = self.seen.iter();
        let ready = ready.map(|(hook, array)| Ok((*hook, ready_to_copy(array)?)));
        let ready = ready.collect::<Result<Vec<_>>>()?;
        // All at once: MLX's thread is waited for once, not once for every value.
        mlx_rs::transforms::eval(ready.iter().map(|(_, array)| array))?;
        ready
            .iter()
            .map(|(hook, array)| Ok((*hook, copied(array)?)))
            .collect()
    }
}

fn take(value: &Array, places: &[usize], axis: i32) -> Result<Array> {
    let places: Vec<i32> = places.iter().map(|place| *place as i32).collect();
    let index = Array::from_slice(&places, &[places.len() as i32]);
    Ok(mlx_rs::ops::indexing::take_axis(value, index, axis)?)
}

impl Probe for Watcher<'_> {
    fn wants(&self, hook: Hook) -> bool {
        self.watch.has(hook) || self.edits(hook) || self.until == Some(hook)
    }

    fn edits(&self, hook: Hook) -> bool {
        self.edits.acts_at(hook, self.rows.pass)
    }

    fn attention_part(&self) -> AttentionPart {
        self.part.clone()
    }

    fn see(&mut self, hook: Hook, value: &Array) -> Result<Option<Array>> {
        let edited = match self.edits(hook) {
            true => Some(self.edits.apply(hook, self.rows, value)?),
            false => None,
        };
        if self.watch.has(hook) {
            let shown = edited.as_ref().unwrap_or(value);
            let shown = self.wanted_part(hook, shown)?;
            self.seen.push((hook, shown));
        }
        if self.until == Some(hook) {
            return Err(Enough.into());
        }
        Ok(edited)
    }

    fn check(&self) -> Result<()> {
        if self.cancel.is_cancelled() {
            return Err(Cancelled.into());
        }
        Ok(())
    }
}
