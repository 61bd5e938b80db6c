//! Questions about the residual stream, the norms and the MLP.

use anyhow::{Context as _, Result, bail, ensure};

use super::{NEEDS_MODEL, Player};
use crate::engine::question::{Question, Told};
use crate::trace::measure::lens::{LensRequest, LensView};
use crate::trace::measure::neurons::{Neurons, NormEffect, most_active};
use crate::trace::measure::state::Path;
use crate::trace::measure::vector::size;
use crate::trace::measure::writes::BlockWrites;
use crate::trace::measure::{At, Point};
use crate::trace::{BlockHook, Hook, HostTensor};

impl Player {
    pub(super) fn of_residual(&mut self, question: Question) -> Result<Told> {
        use Question as Ask;
        Ok(match question {
            Ask::Lens(request) => Told::Lens(self.lens(&request)?),
            Ask::Paths { pass, rows } => {
                let (_, n_pos) = self.values.span(pass)?;
                let rows = if rows.is_empty() {
                    (0..n_pos).collect()
                } else {
                    rows
                };
                Told::Paths(self.paths(pass, &rows)?)
            }
            Ask::Norms { at } => Told::Norms(self.norms(at)?),
            Ask::Neurons { at, layer, k } => Told::Neurons(self.neurons(at, layer, k)?),
            Ask::Writes { pass, rows } => {
                let (_, n_pos) = self.values.span(pass)?;
                let last = n_pos.saturating_sub(1);
                let rows = if rows.is_empty() { vec![last] } else { rows };
                let mut all = Vec::new();
                for layer in 0..self.family.n_layers {
                    all.extend(self.writes(pass, layer, &rows)?);
                }
                Told::Writes(all)
            }
            _ => bail!(NEEDS_MODEL),
        })
    }

    /// The logit lens as it was measured: it takes the output head, which is not in the file.
    fn lens(&self, request: &LensRequest) -> Result<Vec<LensView>> {
        let recorded: Vec<LensView> = self.measure("logit_lens").unwrap_or_default();
        let all: Vec<Point> = Point::all(self.family.n_layers).collect();
        let points = if request.points.is_empty() {
            &all
        } else {
            &request.points
        };
        let mut views = Vec::with_capacity(points.len() * request.rows.len());
        for point in points {
            for at in &request.rows {
                let view = recorded
                    .iter()
                    .find(|view| view.at == *at && view.point == *point);
                let view = view.context(
                    "the logit lens was not recorded at this position: it takes the model's \
                     output head",
                )?;
                views.push(asked_for(view, request)?);
            }
        }
        Ok(views)
    }

    fn paths(&mut self, pass: usize, rows: &[usize]) -> Result<Vec<Path>> {
        let as_path = |row: &usize| Path {
            at: At { pass, row: *row },
            states: Vec::new(),
        };
        let mut paths: Vec<Path> = rows.iter().map(as_path).collect();
        for point in Point::all(self.family.n_layers) {
            let residual = self.values.residual(pass, point)?;
            for path in &mut paths {
                path.states.push((point, row_of(&residual, path.at.row)?));
            }
        }
        Ok(paths)
    }

    fn norms(&mut self, at: At) -> Result<Vec<NormEffect>> {
        let mut effects = Vec::new();
        let mut reads = Point::Embed;
        for layer in 0..self.family.n_layers {
            let hooks = [
                (BlockHook::Ln1, Point::AfterAttention(layer)),
                (BlockHook::Ln2, Point::AfterMlp(layer)),
            ];
            for (after, next) in hooks {
                let before = row_of(&self.values.residual(at.pass, reads)?, at.row)?;
                let after = self.values.row(at, Hook::Block(layer, after))?;
                effects.push(NormEffect::of(reads, &before, &after));
                reads = next;
            }
        }
        let before = row_of(&self.values.residual(at.pass, reads)?, at.row)?;
        // A recording may hold the final norm of the last position alone.
        if let Ok(after) = self.values.row(at, Hook::FinalNorm) {
            effects.push(NormEffect::of(reads, &before, &after));
        }
        Ok(effects)
    }

    fn neurons(&mut self, at: At, layer: usize, k: usize) -> Result<Neurons> {
        let post = self.values.row(at, Hook::Block(layer, BlockHook::Post))?;
        let pre = self.values.row(at, Hook::Block(layer, BlockHook::Pre))?;
        let linear = Hook::Block(layer, BlockHook::PreLinear);
        let pre_linear = match self.values.has(at.pass, linear) {
            true => Some(self.values.row(at, linear)?),
            false => None,
        };
        let (top, n_near_zero) = most_active(&post, &pre, pre_linear.as_deref(), k);
        Ok(Neurons {
            layer,
            at,
            n_neurons: post.len(),
            n_near_zero,
            top,
        })
    }

    fn writes(&mut self, pass: usize, layer: usize, rows: &[usize]) -> Result<Vec<BlockWrites>> {
        let before = match layer.checked_sub(1) {
            None => Point::Embed,
            Some(before) => Point::AfterMlp(before),
        };
        let resid_pre = self.values.residual(pass, before)?;
        let resid_mid = self.values.residual(pass, Point::AfterAttention(layer))?;
        let heads = self
            .values
            .get(pass, Hook::Block(layer, BlockHook::ResultNorm))?;
        let attention = self
            .values
            .get(pass, Hook::Block(layer, BlockHook::AttnOut))?;
        let mlp = self
            .values
            .get(pass, Hook::Block(layer, BlockHook::MlpOut))?;
        let of_row = |row: &usize| {
            let size_of = |value| Ok::<_, anyhow::Error>(size(&row_of(value, *row)?));
            Ok(BlockWrites {
                layer,
                row: *row,
                resid_pre: size_of(&resid_pre)?,
                heads: row_of(&heads, *row)?.into_iter().map(f64::from).collect(),
                attention: size_of(&attention)?,
                resid_mid: size_of(&resid_mid)?,
                mlp: size_of(&mlp)?,
            })
        };
        rows.iter().map(of_row).collect()
    }
}

/// Of what was recorded at one point, what `request` asks for.
fn asked_for(view: &LensView, request: &LensRequest) -> Result<LensView> {
    let known = || view.top.iter().chain(&view.chosen);
    let chosen = request.tokens.iter().map(|token| {
        let share = known().find(|share| share.token.id == *token).cloned();
        share.context("the rank of this token was not recorded: it takes the model's output head")
    });
    let chosen = chosen.collect::<Result<Vec<_>>>()?;
    ensure!(
        !view.top.is_empty(),
        "the logit lens was recorded without tokens"
    );
    Ok(LensView {
        top: view.top.iter().take(request.top_k).cloned().collect(),
        chosen,
        ..view.clone()
    })
}

fn row_of(value: &HostTensor, row: usize) -> Result<Vec<f32>> {
    let found = value.at(&[row]).map(<[f32]>::to_vec);
    found.with_context(|| format!("there is no row {row} in it"))
}
