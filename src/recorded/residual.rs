//! Questions about the residual stream, the norms and the MLP.

use anyhow::{Context as _, Result, bail, ensure};

use super::state::RecordedDraw;
use super::{NEEDS_MODEL, Player};
use crate::engine::question::{Question, Told};
use crate::trace::measure::distribution::Distribution;
use crate::trace::measure::lens::{LensRequest, LensView};
use crate::trace::measure::neurons::{Neurons, NormEffect};
use crate::trace::measure::state::Path;
use crate::trace::measure::writes::{BlockStreams, BlockWrites};
use crate::trace::measure::{At, Point, TokenShare, row_of};
use crate::trace::{BlockHook, Hook};

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
    fn lens(&mut self, request: &LensRequest) -> Result<Vec<LensView>> {
        let recorded: Vec<LensView> = self.measure("logit_lens").unwrap_or_default();
        let points = request.points_of(self.family.n_layers);
        let mut views = Vec::with_capacity(points.len() * request.rows.len());
        for point in &points {
            for at in &request.rows {
                let is_it = |view: &&LensView| view.at == *at && view.point == *point;
                let view = recorded.iter().find(is_it);
                let known = view.context(
                    "the logit lens was not recorded at this position: it takes the model's \
                     output head",
                );
                let known = known.and_then(|view| asked_for(view, request));
                let known = match known {
                    Err(why) if *point == self.last_point() => {
                        self.answer_at(*at, view, request).ok_or(why)
                    }
                    known => known,
                };
                views.push(known?);
            }
        }
        Ok(views)
    }

    /// Where the lens shows the model's own answer.
    fn last_point(&self) -> Point {
        Point::AfterMlp(self.family.n_layers.saturating_sub(1))
    }

    /// The model's own answer at a position, from its logits; else what was told of its draw.
    fn answer_at(
        &mut self,
        at: At,
        view: Option<&LensView>,
        request: &LensRequest,
    ) -> Option<LensView> {
        let point = self.last_point();
        if let Ok(logits) = self.values.row(at, Hook::Logits) {
            let row = Distribution::new(&logits);
            let share = |id: u32| TokenShare {
                token: self.meta().companion.named(id),
                probability: row.probability(id),
                rank: row.rank(id),
            };
            return Some(LensView {
                point,
                at,
                top: row.top(request.top_k).into_iter().map(share).collect(),
                chosen: request.tokens.iter().map(|id| share(*id)).collect(),
                entropy_bits: row.entropy_bits(),
            });
        }
        let (_, n_pos) = self.values.span(at.pass).ok()?;
        let drawn = self.draw(at.pass).filter(|_| at.row + 1 == n_pos)?;
        let drawn = self.drawn_share(&drawn)?;
        let mut view = view?.clone();
        view.chosen.push(drawn);
        asked_for(&view, request).ok()
    }

    /// The drawn token's probability and rank, where it is among the candidates that were told of:
    /// they begin with the likeliest.
    fn drawn_share(&self, drawn: &RecordedDraw) -> Option<TokenShare> {
        let id = drawn.draw.token;
        let candidates = &drawn.filtered.candidates;
        let own = candidates.iter().find(|one| one.token == id)?;
        let before = candidates
            .iter()
            .filter(|one| one.probability > own.probability);
        Some(TokenShare {
            token: self.meta().companion.named(id),
            probability: own.probability,
            rank: before.count() + 1,
        })
    }

    fn paths(&mut self, pass: usize, rows: &[usize]) -> Result<Vec<Path>> {
        let n_layers = self.family.n_layers;
        Path::through(pass, rows, n_layers, |at| self.values.residual(pass, at))
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
        let linear = pre_linear.as_deref();
        Ok(Neurons::of(layer, at, &post, &pre, linear, k))
    }

    fn writes(&mut self, pass: usize, layer: usize, rows: &[usize]) -> Result<Vec<BlockWrites>> {
        let before = match layer.checked_sub(1) {
            None => Point::Embed,
            Some(before) => Point::AfterMlp(before),
        };
        let mut in_block = |hook| self.values.get(pass, Hook::Block(layer, hook));
        let (heads, attention, mlp) = (
            in_block(BlockHook::ResultNorm)?,
            in_block(BlockHook::AttnOut)?,
            in_block(BlockHook::MlpOut)?,
        );
        let streams = BlockStreams {
            resid_pre: self.values.residual(pass, before)?,
            resid_mid: self.values.residual(pass, Point::AfterAttention(layer))?,
            heads,
            attention,
            mlp,
        };
        rows.iter().map(|row| streams.writes(layer, *row)).collect()
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
