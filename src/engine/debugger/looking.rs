//! Values at addresses.

use anyhow::{Context as _, Result};

use super::Debugger;
use crate::engine::message::CancelToken;
use crate::trace::{Address, Axis, BlockHook, Hook, HostTensor, Place};

impl Debugger {
    /// The value at an address that names a hook, or the state after a stage. An index picks a
    /// part of it, along the hook's own axes.
    ///
    /// # Errors
    /// If it has not been computed yet, the address names a view, or the index lies outside.
    pub fn look(&mut self, address: &Address, cancel: &CancelToken) -> Result<HostTensor> {
        let pass = address.pass.unwrap_or(0);
        let hook = match address.place {
            Place::Hook(hook) => hook,
            Place::Stage(stage) => {
                let state = self.run.hidden_after(pass, stage)?;
                return self.part_at(&state, &address.index, address);
            }
            Place::View(view) => anyhow::bail!("{} is a view, not a value", view.name()),
        };
        let mut index = address.index.clone();
        let first = index.first().copied();
        let value = match (hook, first) {
            (Hook::Block(_, BlockHook::Scores | BlockHook::Pattern), Some(head)) => {
                let value = self.run.look(pass, hook, Some(head), cancel)?;
                index.splice(..1, [0]);
                value
            }
            // One row of the logits is all that is computed for one row.
            (Hook::FinalNorm | Hook::Logits, Some(row)) if !self.run.options().all_logits => {
                let value = self.run.look_at_row(pass, hook, row, cancel)?;
                index.splice(..1, [0]);
                value
            }
            _ => self.run.look(pass, hook, None, cancel)?,
        };
        self.part_at(&value, &index, address)
    }

    /// What stands at `index` along the first axes.
    fn part_at(
        &self,
        value: &HostTensor,
        index: &[usize],
        address: &Address,
    ) -> Result<HostTensor> {
        if index.is_empty() {
            return Ok(value.clone());
        }
        let part = value.at(index);
        let part = part.with_context(|| self.outside(value, address))?;
        let shape = value.shape().get(index.len()..).unwrap_or_default();
        HostTensor::new(shape.to_vec(), part.to_vec()).context("the part does not fit its shape")
    }

    /// The sentence about an index that the value does not have: its axes, and where a later pass
    /// has few rows, where the others are.
    fn outside(&self, value: &HostTensor, address: &Address) -> String {
        let axes: &[Axis] = match address.place {
            Place::Hook(hook) => hook.axes(),
            Place::Stage(_) | Place::View(_) => &[Axis::Pos, Axis::DModel],
        };
        let n_heads = self.run.loaded().model.config().num_attention_heads;
        let sizes = axes
            .iter()
            .zip(value.shape())
            .map(|(axis, size)| match axis {
                Axis::Head => format!("{n_heads} {}", axis.name()), // one of them may have been read
                _ => format!("{size} {}", axis.name()),
            });
        let sizes: Vec<String> = sizes.collect();
        let mut text = format!(
            "{address} lies outside the value, which is [{}], counted from 0",
            sizes.join(", ")
        );
        let pass = address.pass.unwrap_or(0);
        if pass > 0 {
            text.push_str(&format!(
                "; pass {pass} runs over one token: pass.0. before the name reaches the prompt's rows"
            ));
        }
        text
    }
}
