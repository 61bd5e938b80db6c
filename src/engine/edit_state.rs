//! Edits at work: which act at a hook, what they copy from, and what they remember.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use mlx_rs::Array;

use super::watch::{Rows, to_host};
use crate::trace::edit::{Action, Change, Edit, LogitChange, Place, Select, Source, ValueEdit};
use crate::trace::{Axis, Hook, HostTensor};

/// What edits remember from pass to pass, and what they copy from.
#[derive(Debug, Clone, Default)]
pub struct EditState {
    /// The edits that act, in order.
    acting: Vec<Edit>,
    /// What they do to values, and in which pass (`None`: in every one).
    values: Vec<(Option<usize>, ValueEdit)>,
    /// For mean ablation: the mean over the prompt's positions, taken in the first pass.
    means: HashMap<Hook, Vec<f32>>,
    /// For copies from another position: the values of that position, before any change.
    rows: HashMap<(Hook, usize), Vec<f32>>,
    /// Values to copy from, by run and hook.
    sources: HashMap<(String, Hook), HostTensor>,
}

impl EditState {
    /// Edits in order; those that are off do not act.
    #[must_use]
    pub fn new(edits: &[Edit]) -> Self {
        let acting: Vec<Edit> = edits.iter().filter(|edit| edit.is_on).cloned().collect();
        Self {
            values: acting
                .iter()
                .filter_map(|edit| value_edit(&edit.action))
                .collect(),
            acting,
            ..Self::default()
        }
    }

    /// The edits that act, in order.
    #[must_use]
    pub fn acting(&self) -> &[Edit] {
        &self.acting
    }

    /// A value to copy from, under the name of the run that it comes from.
    pub fn provide(&mut self, run: &str, hook: Hook, value: HostTensor) {
        self.sources.insert((run.to_owned(), hook), value);
    }

    /// Whether there is something to copy from at `hook` of the run called `run`.
    #[must_use]
    pub fn has_source(&self, run: &str, hook: Hook) -> bool {
        self.sources.contains_key(&(run.to_owned(), hook))
    }

    /// Takes what `other` copies from.
    pub fn take_sources_of(&mut self, other: &Self) {
        self.sources.clone_from(&other.sources);
    }

    /// Forgets every value to copy from but these.
    pub fn keep_sources(&mut self, used: &[(String, Hook)]) {
        self.sources.retain(|source, _| used.contains(source));
    }

    /// Forgets what is copied from the run called `run`.
    pub fn forget_source(&mut self, run: &str) {
        self.sources.retain(|(name, _), _| name != run);
    }

    /// Takes other edits; keeps the sources, and what was remembered at hooks that `still_holds`.
    pub fn replace(&mut self, edits: &[Edit], still_holds: impl Fn(Hook) -> bool) {
        let new = Self::new(edits);
        (self.acting, self.values) = (new.acting, new.values);
        self.means.retain(|hook, _| still_holds(*hook));
        self.rows.retain(|(hook, _), _| still_holds(*hook));
    }

    /// Forgets what was remembered from the passes that ran.
    pub fn forget(&mut self) {
        self.means.clear();
        self.rows.clear();
    }

    /// Whether any edit acts at `hook` of pass `pass`.
    #[must_use]
    pub fn acts_at(&self, hook: Hook, pass: usize) -> bool {
        self.at(hook, pass).next().is_some()
    }

    /// The token that pass `pass` is made to draw, if any.
    #[must_use]
    pub fn forced(&self, pass: usize) -> Option<u32> {
        self.acting.iter().rev().find_map(|edit| match edit.action {
            Action::Force { pass: at, token } if at == pass => Some(token),
            _ => None,
        })
    }

    /// Hooks whose edits need the values of all positions at once: a mean, or another position.
    pub(super) fn hooks_that_need_all_positions(&self) -> Vec<Hook> {
        let needs =
            |edit: &ValueEdit| matches!(edit.change, Change::Mean | Change::PatchPosition(_));
        let mut hooks: Vec<Hook> = self
            .values
            .iter()
            .map(|(_, edit)| edit)
            .filter(|edit| needs(edit))
            .map(|edit| edit.hook)
            .collect();
        hooks.sort();
        hooks.dedup();
        hooks
    }

    /// The same without what acts at `hook` and after it.
    pub(super) fn before(&self, hook: Hook) -> Self {
        let mut earlier = self.clone();
        earlier.values.retain(|(_, edit)| edit.hook < hook);
        earlier
    }

    /// Remembers what edits at `hook` need of `value`, whose first row stands at `start`.
    pub(super) fn remember(&mut self, hook: Hook, start: usize, value: &HostTensor) {
        for (_, edit) in self.values.iter().filter(|(_, edit)| edit.hook == hook) {
            match edit.change {
                Change::Mean => {
                    let mean = self.means.entry(hook);
                    mean.or_insert_with(|| mean_over_positions(hook, value));
                }
                Change::PatchPosition(position) => {
                    let at = position.checked_sub(start);
                    let row = at_position(hook, value.shape(), value.values(), at);
                    if let Some(row) = row {
                        self.rows.entry((hook, position)).or_insert(row);
                    }
                }
                _ => {}
            }
        }
    }

    /// `value` at `hook` of these rows, changed.
    pub(super) fn apply(&mut self, hook: Hook, rows: Rows, value: &Array) -> Result<Array> {
        let host = to_host(value)?;
        self.remember(hook, rows.start, &host);
        let mut values = host.values().to_vec();
        for edit in self.at(hook, rows.pass) {
            let source = match &edit.change {
                Change::Mean => self.means.get(&hook).map(|mean| Source::Row(mean)),
                Change::PatchPosition(position) => {
                    let row = self.rows.get(&(hook, *position));
                    row.map(|row| Source::Row(row))
                }
                Change::PatchRun(run) => {
                    let source = self.sources.get(&(run.clone(), hook));
                    source.map(Source::Run)
                }
                _ => None,
            };
            let place = Place {
                start: rows.start,
                shape: host.shape(),
                source,
            };
            edit.apply(&mut values, place)
                .with_context(|| format!("cannot change {hook}"))?;
        }
        let shape: Vec<i32> = host.shape().iter().map(|dim| *dim as i32).collect();
        Ok(Array::from_slice(&values, &shape).as_dtype(value.dtype())?)
    }

    fn at(&self, hook: Hook, pass: usize) -> impl Iterator<Item = &ValueEdit> {
        let here = self
            .values
            .iter()
            .filter(move |(only, edit)| edit.hook == hook && only.is_none_or(|only| only == pass));
        here.map(|(_, edit)| edit)
    }
}

/// What an action does to values; `None` where it does not change any.
fn value_edit(action: &Action) -> Option<(Option<usize>, ValueEdit)> {
    match action {
        Action::Value(edit) => Some((None, edit.clone())),
        Action::Force { .. } => None,
        Action::Logit {
            pass,
            token,
            change,
        } => {
            let change = match *change {
                LogitChange::Ban => Change::Block,
                LogitChange::Add(number) => Change::Add(vec![number]),
                LogitChange::Set(number) => Change::Set(number),
            };
            let edit = ValueEdit {
                hook: Hook::Logits,
                select: vec![Select::All, Select::One(*token as usize)],
                change,
            };
            Some((*pass, edit))
        }
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
