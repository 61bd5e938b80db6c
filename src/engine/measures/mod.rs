//! Measures on a run: fetches values by hook, multiplies by weights where a measure needs them.
//!
//! What each measure is, and what it gives, is written in [`crate::trace::measure`]. All of them
//! compute on the engine's own data: values that a pass recorded or that are recomputed from its
//! hidden states, and the matrices that the pass multiplies by.

mod attention;
mod cache_cost;
mod cell;
mod contribution;
mod costs;
mod heads;
mod ledger;
mod lens;
mod logits;
mod maps;
mod matrix;
mod neurons;
mod quantized;
mod rope;
mod space;
mod state;
mod summary;
mod verdict;
mod writes;

use std::rc::Rc;

use anyhow::{Context as _, Result, ensure};
use mlx_rs::Array;

use super::loaded::LoadedModel;
use super::message::CancelToken;
use super::run::Run;
use super::watch::to_host;
use crate::model::probe::Unwatched;
use crate::trace::measure::distribution::Distribution;
use crate::trace::measure::{At, NamedToken, Point, TokenShare, row_of};
use crate::trace::{BlockHook, Hook, HostTensor, Stage};

pub use cache_cost::cache_cost;
pub use costs::{stage_weights, weight_bytes_per_token};
pub use heads::probe_heads;
pub use matrix::{matrix_histogram, matrix_slice};
pub use quantized::{quantized_row, twin_of};
pub use space::EmbeddingSpace;

/// A run that is being looked into.
pub struct Looking<'a> {
    run: &'a mut Run,
    cancel: &'a CancelToken,
}

impl<'a> Looking<'a> {
    /// Looks into `run` until `cancel` is asked for.
    pub fn new(run: &'a mut Run, cancel: &'a CancelToken) -> Self {
        Self { run, cancel }
    }

    fn loaded(&self) -> &Rc<LoadedModel> {
        self.run.loaded()
    }

    /// How many blocks of pass `pass` have run.
    ///
    /// # Errors
    /// If there is no such pass.
    pub fn n_blocks_run(&self, pass: usize) -> Result<usize> {
        let seen = self.run.pass(pass)?;
        let n_layers = self.loaded().model.n_layers();
        Ok(seen.times().len().saturating_sub(1).min(n_layers))
    }

    /// The residual stream of one position at `point`, `[d_model]`.
    ///
    /// # Errors
    /// If it has not been computed yet, or there is no such row.
    pub fn state(&mut self, at: At, point: Point) -> Result<Vec<f32>> {
        row_of(&self.residual(at.pass, point)?, at.row)
    }

    /// The value at `hook` of a pass.
    fn value(&mut self, pass: usize, hook: Hook) -> Result<HostTensor> {
        self.run.look(pass, hook, None, self.cancel)
    }

    /// The value at a hook inside a block.
    fn in_block(&mut self, pass: usize, layer: usize, hook: BlockHook) -> Result<HostTensor> {
        self.value(pass, Hook::Block(layer, hook))
    }

    /// One row of the value at `hook`, whose first axis is the position.
    fn row(&mut self, at: At, hook: Hook) -> Result<Vec<f32>> {
        row_of(&self.value(at.pass, hook)?, at.row)
    }

    /// The residual stream of every position of a pass at `point`, `[pos, d_model]`.
    fn residual(&mut self, pass: usize, point: Point) -> Result<HostTensor> {
        match point {
            Point::Embed => self.run.hidden_after(pass, Stage::Embed),
            Point::AfterAttention(layer) => self.in_block(pass, layer, BlockHook::ResidMid),
            Point::AfterMlp(layer) => self.run.hidden_after(pass, Stage::Block(layer)),
        }
    }

    /// The residual stream of one position after the last block, `[d_model]`: what the final norm
    /// reads.
    fn last_state(&mut self, at: At) -> Result<Vec<f32>> {
        let last = self
            .loaded()
            .model
            .n_layers()
            .checked_sub(1)
            .context("the model has no block")?;
        row_of(&self.residual(at.pass, Point::AfterMlp(last))?, at.row)
    }

    /// Logits of `states`, `[row, d_model]`, each put through the final norm and the output head:
    /// `[row, vocab]`.
    fn logits_of(&self, states: &[Vec<f32>]) -> Result<HostTensor> {
        let model = &self.loaded().model;
        let d_model = model.config().hidden_size;
        let values = states.concat();
        ensure!(
            values.len() == states.len() * d_model,
            "the states are not d_model wide"
        );
        let states = Array::from_slice(&values, &[states.len() as i32, d_model as i32]); // [row, d_model]
        let normed = model.final_norm(&states, &mut Unwatched)?; // [row, d_model]
        to_host(&model.unembed(&normed, &mut Unwatched)?) // [row, vocab]
    }

    /// A token and its text.
    #[must_use]
    pub fn named(&self, id: u32) -> NamedToken {
        named(self.loaded(), id)
    }

    fn share(&self, row: &Distribution<'_>, id: u32) -> TokenShare {
        row.share(self.named(id))
    }
}

/// A token and its text; `#17` where the model has no tokenizer or no such token.
#[must_use]
pub fn named(loaded: &LoadedModel, id: u32) -> NamedToken {
    let text = loaded
        .tokenizer()
        .ok()
        .and_then(|tokenizer| tokenizer.token_text(id));
    NamedToken::new(id, text)
}
