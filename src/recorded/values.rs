//! The recorded values: read from the file when someone looks, and held to the shape that their
//! hook has.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};

use super::state::n_pos;
use crate::trace::file::{TraceFile, TraceMeta, key};
use crate::trace::measure::family::FamilyView;
use crate::trace::measure::{At, Point};
use crate::trace::{Address, Axis, BlockHook, Hook, HostTensor, Place, Stage};

/// Most bytes of values that are kept once they were read.
const MOST_KEPT: usize = 256 << 20;

/// The values of a trace file.
pub(super) struct Values {
    /// Everything but the tensors.
    pub(super) meta: TraceMeta,
    file: TraceFile,
    sizes: BTreeMap<&'static str, usize>,
    kept: BTreeMap<String, HostTensor>,
    kept_bytes: usize,
}

impl Values {
    pub(super) fn new(file: TraceFile, family: &FamilyView) -> Self {
        let sizes = [
            (Axis::Head, family.n_heads),
            (Axis::KvHead, family.n_kv_heads),
            (Axis::HeadDim, family.head_dim),
            (Axis::DModel, family.d_model),
            (Axis::DMlp, family.d_mlp),
            (Axis::Vocab, family.vocab_size),
        ];
        Self {
            meta: file.meta.clone(),
            file,
            sizes: sizes.map(|(axis, size)| (axis.name(), size)).into(),
            kept: BTreeMap::new(),
            kept_bytes: 0,
        }
    }

    /// First position of a pass, and how many it runs over.
    pub(super) fn span(&self, pass: usize) -> Result<(usize, usize)> {
        let seen = self.meta.passes.get(pass);
        let seen = seen.with_context(|| format!("the recording has no pass {pass}"))?;
        Ok((seen.start, n_pos(seen)))
    }

    /// Whether the value at `hook` of `pass` was recorded.
    pub(super) fn has(&self, pass: usize, hook: Hook) -> bool {
        self.file.shape(&key(pass, hook)).is_some()
    }

    /// The value at `hook` of `pass`.
    pub(super) fn get(&mut self, pass: usize, hook: Hook) -> Result<HostTensor> {
        let name = key(pass, hook);
        if let Some(value) = self.kept.get(&name) {
            return Ok(value.clone());
        }
        let is_known = self
            .meta
            .model
            .hooks
            .iter()
            .any(|known| *known == hook.to_string());
        ensure!(is_known, "this model has no {hook}");
        let Some(shape) = self.file.shape(&name) else {
            bail!("{name} was not recorded: this file keeps other values of the run");
        };
        ensure!(
            self.fits(pass, hook, shape)?,
            "{name} is damaged: its shape is {shape:?}"
        );
        let value = self.file.read(&name)?;
        if self.kept_bytes + value.n_bytes() > MOST_KEPT {
            self.kept.clear();
            self.kept_bytes = 0;
        }
        self.kept_bytes += value.n_bytes();
        self.kept.insert(name, value.clone());
        Ok(value)
    }

    fn fits(&self, pass: usize, hook: Hook, shape: &[usize]) -> Result<bool> {
        let (start, n_pos) = self.span(pass)?;
        let axes = hook.axes();
        // The final norm and the logits may have been computed for the last position alone.
        let may_be_short = matches!(hook, Hook::FinalNorm | Hook::Logits);
        let fits = |(axis, size): (&Axis, &usize)| match axis {
            Axis::Pos if may_be_short => *size == n_pos || *size == 1,
            Axis::Pos | Axis::QueryPos => *size == n_pos,
            // A rotating cache holds fewer positions than the text has.
            Axis::KeyPos => *size <= start + n_pos && *size > 0,
            axis => self.sizes.get(axis.name()) == Some(size),
        };
        Ok(axes.len() == shape.len() && axes.iter().zip(shape).all(fits))
    }

    /// The first of `hooks` that was recorded in block `layer`, else why the first was not.
    pub(super) fn first_of(
        &mut self,
        pass: usize,
        layer: usize,
        hooks: &[BlockHook],
    ) -> Result<HostTensor> {
        let known = |hook: &&BlockHook| {
            let name = Hook::Block(layer, **hook).to_string();
            self.meta.model.hooks.contains(&name)
        };
        let hook = hooks.iter().find(known).copied();
        let hook = hook.context("this model computes no such value")?;
        self.get(pass, Hook::Block(layer, hook))
    }

    /// One row of a value whose first axis is the position; of the final norm and the logits the
    /// last row may be all there is.
    pub(super) fn row(&mut self, at: At, hook: Hook) -> Result<Vec<f32>> {
        let value = self.get(at.pass, hook)?;
        let (_, n_pos) = self.span(at.pass)?;
        let n_rows = value.shape().first().copied().unwrap_or_default();
        let row = match n_rows == n_pos {
            true => Some(at.row),
            false => Some(0).filter(|_| at.row + 1 == n_pos),
        };
        let Some(row) = row else {
            bail!("{hook} was recorded for the last position of the pass alone");
        };
        let found = value.at(&[row]).map(<[f32]>::to_vec);
        found.with_context(|| format!("pass {} has no row {row}", at.pass))
    }

    /// The residual stream at `point`, `[pos, d_model]`.
    pub(super) fn residual(&mut self, pass: usize, point: Point) -> Result<HostTensor> {
        // What a block writes is what the next one reads.
        let hooks = match point {
            Point::Embed => [Hook::Block(0, BlockHook::ResidPre), Hook::Embed],
            Point::AfterAttention(layer) => [Hook::Block(layer, BlockHook::ResidMid); 2],
            Point::AfterMlp(layer) => [
                Hook::Block(layer, BlockHook::ResidPost),
                Hook::Block(layer + 1, BlockHook::ResidPre),
            ],
        };
        let recorded = hooks.into_iter().find(|hook| self.has(pass, *hook));
        self.get(
            pass,
            recorded.or(hooks.first().copied()).unwrap_or(Hook::Embed),
        )
    }

    /// The value at an address, as the engine would show it.
    pub(super) fn look(&mut self, address: &Address) -> Result<HostTensor> {
        let pass = address.pass.unwrap_or(0);
        let value = match address.place {
            Place::Hook(hook @ (Hook::FinalNorm | Hook::Logits)) => {
                if let [row] = address.index.as_slice() {
                    let values = self.row(At { pass, row: *row }, hook)?;
                    return HostTensor::new(vec![values.len()], values).context("an empty row");
                }
                self.get(pass, hook)?
            }
            Place::Hook(hook) => self.get(pass, hook)?,
            Place::Stage(Stage::Embed) => self.residual(pass, Point::Embed)?,
            Place::Stage(Stage::Block(layer)) => self.residual(pass, Point::AfterMlp(layer))?,
            Place::Stage(Stage::FinalNorm) => self.get(pass, Hook::FinalNorm)?,
            Place::Stage(Stage::Logits) => {
                let (_, n_pos) = self.span(pass)?;
                let at = At {
                    pass,
                    row: n_pos - 1,
                };
                let values = self.row(at, Hook::Logits)?;
                HostTensor::new(vec![1, values.len()], values).context("an empty row")?
            }
            Place::View(view) => bail!("{} is a view, not a value", view.name()),
        };
        if address.index.is_empty() {
            return Ok(value);
        }
        let part = value.at(&address.index).map(<[f32]>::to_vec);
        let part = part.with_context(|| format!("{address} lies outside the value"))?;
        let shape = value.shape().get(address.index.len()..).unwrap_or_default();
        HostTensor::new(shape.to_vec(), part).context("the part does not fit its shape")
    }
}
