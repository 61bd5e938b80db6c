//! Watching a pass: which hooks are kept, and the probe that keeps and edits them.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context as _, Result};
use mlx_rs::{Array, Dtype};

use super::message::CancelToken;
use crate::model::probe::{AttentionPart, Cancelled, Probe};
use crate::trace::edit::{Action, Change, Edit, Place, ValueEdit};
use crate::trace::{Axis, BlockHook, Hook, HostTensor};

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
    let array = array.as_dtype(Dtype::Float32)?.contiguous()?;
    let shape = array.shape().iter().map(|dim| *dim as usize).collect();
    let values = array.to_vec_exact::<f32>()?;
    HostTensor::new(shape, values).context("MLX's shape does not fit its values")
}

/// What edits remember from pass to pass, and what they copy from.
#[derive(Debug, Clone, Default)]
pub struct EditState {
    /// The edits that act, in order.
    pub edits: Vec<Edit>,
    /// For mean ablation: the mean over the prompt's positions, taken in the first pass.
    means: HashMap<Hook, Vec<f32>>,
    /// Values to copy from, by run and hook.
    pub sources: HashMap<(String, Hook), HostTensor>,
}

impl EditState {
    /// Edits in order; those that are off do not act.
    #[must_use]
    pub fn new(edits: &[Edit]) -> Self {
        Self {
            edits: edits.iter().filter(|edit| edit.is_on).cloned().collect(),
            ..Self::default()
        }
    }

    /// Forgets what was remembered from the passes that ran.
    pub fn forget(&mut self) {
        self.means.clear();
    }

    fn at(&self, hook: Hook) -> impl Iterator<Item = &ValueEdit> {
        self.edits
            .iter()
            .filter_map(move |edit| match &edit.action {
                Action::Value(value) if value.hook == hook => Some(value),
                _ => None,
            })
    }

    /// The token that pass `pass` is made to draw, if any.
    #[must_use]
    pub fn forced(&self, pass: usize) -> Option<u32> {
        self.edits.iter().rev().find_map(|edit| match edit.action {
            Action::Force { pass: at, token } if at == pass => Some(token),
            _ => None,
        })
    }

    /// `value` at `hook` of a pass that begins at `start`, changed.
    fn apply(&mut self, hook: Hook, start: usize, value: &Array) -> Result<Array> {
        let host = to_host(value)?;
        if self.at(hook).any(|edit| edit.change == Change::Mean) {
            self.means
                .entry(hook)
                .or_insert_with(|| mean_over_positions(hook, &host));
        }
        let mut values = host.values().to_vec();
        for edit in self.at(hook) {
            let before = values.clone();
            let row;
            let source = match &edit.change {
                Change::Mean => self.means.get(&hook).map(Vec::as_slice),
                Change::PatchRun(run) => {
                    let source = self.sources.get(&(run.clone(), hook));
                    source.map(HostTensor::values)
                }
                Change::PatchPosition(position) => {
                    row = at_position(hook, host.shape(), &before, position.checked_sub(start));
                    row.as_deref()
                }
                _ => None,
            };
            let place = Place {
                start,
                shape: host.shape(),
                source,
            };
            edit.apply(&mut values, place)
                .with_context(|| format!("cannot change {hook}"))?;
        }
        let shape: Vec<i32> = host.shape().iter().map(|dim| *dim as i32).collect();
        Ok(Array::from_slice(&values, &shape).as_dtype(value.dtype())?)
    }
}

/// The axis that counts positions of the pass.
fn position_axis(hook: Hook) -> Option<usize> {
    let axes = hook.axes().iter();
    axes.clone()
        .position(|axis| matches!(axis, Axis::Pos | Axis::QueryPos))
}

fn mean_over_positions(hook: Hook, value: &HostTensor) -> Vec<f32> {
    let n_pos = position_axis(hook)
        .and_then(|axis| value.shape().get(axis))
        .copied()
        .unwrap_or(1);
    let mut mean: Vec<f32> = Vec::new();
    for position in 0..n_pos {
        let row = at_position(hook, value.shape(), value.values(), Some(position));
        let row = row.unwrap_or_default();
        mean.resize(row.len(), 0.0);
        for (sum, x) in mean.iter_mut().zip(row) {
            *sum += x / n_pos as f32;
        }
    }
    mean
}

/// The values of one position, the other axes in order.
fn at_position(
    hook: Hook,
    shape: &[usize],
    values: &[f32],
    position: Option<usize>,
) -> Option<Vec<f32>> {
    let (axis, position) = (position_axis(hook)?, position?);
    let n_pos = *shape.get(axis)?;
    let inner: usize = shape.get(axis + 1..)?.iter().product();
    if position >= n_pos {
        return None;
    }
    let outer = values.chunks_exact(n_pos * inner);
    let rows = outer.map(|outer| outer.get(position * inner..(position + 1) * inner));
    Some(rows.collect::<Option<Vec<_>>>()?.concat())
}

/// The probe of a watched or edited pass.
pub struct Watcher<'a> {
    watch: &'a Watch,
    edits: &'a mut EditState,
    cancel: &'a CancelToken,
    /// Position of the pass' first row.
    start: usize,
    /// Keep only this part of scores and patterns.
    part: AttentionPart,
    /// How many wanted hooks are still to come; at 0 the pass may stop.
    left: Option<usize>,
    seen: Vec<(Hook, Array)>,
}

/// Everything that was asked for has been seen; what is left of the stage is not needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("everything that was asked for has been seen")]
pub struct Enough;

impl<'a> Watcher<'a> {
    /// A probe for a pass whose first row stands at `start`.
    pub fn new(
        watch: &'a Watch,
        edits: &'a mut EditState,
        cancel: &'a CancelToken,
        start: usize,
    ) -> Self {
        Self {
            watch,
            edits,
            cancel,
            start,
            part: AttentionPart::default(),
            left: None,
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

    /// Stops the pass with [`Enough`] once `n` wanted hooks were seen.
    #[must_use]
    pub fn stop_after(mut self, n: usize) -> Self {
        self.left = Some(n);
        self
    }

    /// What was seen, evaluated and copied to the host.
    ///
    /// # Errors
    /// If MLX cannot evaluate it.
    pub fn into_tensors(self) -> Result<BTreeMap<Hook, HostTensor>> {
        mlx_rs::transforms::eval(self.seen.iter().map(|(_, array)| array))?;
        self.seen
            .iter()
            .map(|(hook, array)| Ok((*hook, to_host(array)?)))
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
        self.watch.has(hook) || self.edits(hook)
    }

    fn edits(&self, hook: Hook) -> bool {
        self.edits.at(hook).next().is_some()
    }

    fn attention_part(&self) -> AttentionPart {
        self.part.clone()
    }

    fn see(&mut self, hook: Hook, value: &Array) -> Result<Option<Array>> {
        let edited = match self.edits(hook) {
            true => Some(self.edits.apply(hook, self.start, value)?),
            false => None,
        };
        if self.watch.has(hook) {
            let shown = edited.as_ref().unwrap_or(value);
            let shown = self.wanted_part(hook, shown)?;
            self.seen.push((hook, shown));
            self.left = self.left.map(|left| left.saturating_sub(1));
        }
        Ok(edited)
    }

    fn check(&self) -> Result<()> {
        if self.cancel.is_cancelled() {
            return Err(Cancelled.into());
        }
        if self.left == Some(0) {
            return Err(Enough.into());
        }
        Ok(())
    }
}
