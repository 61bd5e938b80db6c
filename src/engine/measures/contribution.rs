//! Direct contributions to a logit: see [`crate::trace::measure::contribution`].

use anyhow::{Result, ensure};
use mlx_rs::Array;

use super::{Looking, row_of};
use crate::engine::watch::to_host;
use crate::model::linear::Matrix;
use crate::trace::measure::At;
use crate::trace::measure::contribution::{Contribution, Contributions, Writer};
use crate::trace::measure::vector::dot;
use crate::trace::{BlockHook, Hook};

/// How a vector in the residual stream moves the logit.
struct Direction {
    /// `[d_model]`: a write adds its dot product with this.
    weights: Vec<f32>,
    /// What the norm's offset adds, whatever was written.
    offset: Option<f64>,
    /// What the norm divides by.
    scale: f64,
}

impl Looking<'_> {
    /// How much each writer adds to the logit of `token` at `at`, or to that logit less the one of
    /// `against`.
    ///
    /// # Errors
    /// If the pass has not come to its last block, a token is beyond the vocabulary, or MLX fails.
    pub fn contributions(
        &mut self,
        at: At,
        token: u32,
        against: Option<u32>,
    ) -> Result<Contributions> {
        let state = self.last_state(at)?;
        let direction = self.direction(&state, token, against)?;
        let mut terms = Vec::new();
        self.embedding_terms(at, &direction, &mut terms)?;
        for layer in 0..self.loaded().model.n_layers() {
            self.attention_terms(at, layer, &direction, &mut terms)?;
            self.mlp_terms(at, layer, &direction, &mut terms)?;
        }
        if let Some(value) = direction.offset {
            terms.push(Contribution {
                writer: Writer::NormOffset,
                value,
            });
        }
        let logits = row_of(&self.logits_of(&[state])?, 0)?;
        let logit_of = |id: u32| logits.get(id as usize).copied().map_or(0.0, f64::from);
        Ok(Contributions {
            at,
            token: self.named(token),
            against: against.map(|id| self.named(id)),
            terms,
            norm_scale: direction.scale,
            logit: logit_of(token) - against.map_or(0.0, logit_of),
        })
    }

    /// The direction of the logit, through the final norm as it acts on `state`, `[d_model]`.
    fn direction(&self, state: &[f32], token: u32, against: Option<u32>) -> Result<Direction> {
        let model = &self.loaded().model;
        let head = model.part_writing(Hook::Logits)?;
        let mut row = weight_row(head.weight, token)?; // [d_model]
        if let Some(against) = against {
            let other = weight_row(head.weight, against)?;
            row.iter_mut().zip(&other).for_each(|(a, b)| *a -= b);
        }
        let norm = model.last_norm();
        let n = state.len().max(1) as f64;
        let mean = match norm.centres() {
            true => state.iter().map(|x| f64::from(*x)).sum::<f64>() / n,
            false => 0.0,
        };
        let squares = state
            .iter()
            .map(|x| (f64::from(*x) - mean).powi(2))
            .sum::<f64>();
        let scale = (squares / n + f64::from(norm.eps())).sqrt();
        let gain = norm.gain()?;
        let weighted = gain
            .iter()
            .zip(&row)
            .map(|(gain, u)| f64::from(*gain) * f64::from(*u));
        let weighted: Vec<f64> = weighted.collect();
        // Taking the mean away from a write is the same as taking it away from the direction.
        let centre = match norm.centres() {
            true => weighted.iter().sum::<f64>() / n,
            false => 0.0,
        };
        Ok(Direction {
            weights: weighted
                .iter()
                .map(|x| ((x - centre) / scale) as f32)
                .collect(),
            offset: norm.offset()?.map(|offset| dot(&offset, &row)),
            scale,
        })
    }

    fn embedding_terms(
        &mut self,
        at: At,
        direction: &Direction,
        terms: &mut Vec<Contribution>,
    ) -> Result<()> {
        let hooks = self.loaded().model.hooks();
        for (hook, writer) in [
            (Hook::Embed, Writer::Embedding),
            (Hook::PosEmbed, Writer::Position),
        ] {
            if hooks.contains(&hook) {
                let value = dot(&self.row(at, hook)?, &direction.weights);
                terms.push(Contribution { writer, value });
            }
        }
        Ok(())
    }

    /// One term per head, through its columns of the output projection, and one for its bias.
    fn attention_terms(
        &mut self,
        at: At,
        layer: usize,
        direction: &Direction,
        terms: &mut Vec<Contribution>,
    ) -> Result<()> {
        let z = self.row(at, Hook::Block(layer, BlockHook::Z))?; // [head * head_dim]
        let head_dim = self.loaded().model.config().head_dim;
        let (pulled, bias) = {
            let part = self
                .loaded()
                .model
                .part_writing(Hook::Block(layer, BlockHook::AttnOut))?;
            (
                pull_back(part.weight, &direction.weights)?,
                part.bias.map(to_host).transpose()?,
            )
        };
        ensure!(
            pulled.len() == z.len(),
            "the heads do not fill the output projection"
        );
        let heads = z
            .chunks(head_dim.max(1))
            .zip(pulled.chunks(head_dim.max(1)));
        terms.extend(heads.enumerate().map(|(head, (z, pulled))| Contribution {
            writer: Writer::Head { layer, head },
            value: dot(z, pulled),
        }));
        if let Some(bias) = bias {
            terms.push(Contribution {
                writer: Writer::AttentionBias { layer },
                value: dot(bias.values(), &direction.weights),
            });
        }
        Ok(())
    }

    fn mlp_terms(
        &mut self,
        at: At,
        layer: usize,
        direction: &Direction,
        terms: &mut Vec<Contribution>,
    ) -> Result<()> {
        let hook = Hook::Block(layer, BlockHook::MlpOut);
        let written = dot(&self.row(at, hook)?, &direction.weights);
        let bias = self
            .loaded()
            .model
            .part_writing(hook)?
            .bias
            .map(to_host)
            .transpose()?;
        let of_bias = bias.map(|bias| dot(bias.values(), &direction.weights));
        terms.push(Contribution {
            writer: Writer::Mlp { layer },
            value: written - of_bias.unwrap_or_default(),
        });
        if let Some(value) = of_bias {
            terms.push(Contribution {
                writer: Writer::MlpBias { layer },
                value,
            });
        }
        Ok(())
    }
}

/// One row of a matrix as floats, `[in]`.
pub(super) fn weight_row(weight: &Matrix, row: u32) -> Result<Vec<f32>> {
    Ok(to_host(&weight.rows(&[row])?)?.values().to_vec())
}

/// `W^T @ direction`: what each input of a layer adds along `direction`, `[out]` to `[in]`.
fn pull_back(weight: &Matrix, direction: &[f32]) -> Result<Vec<f32>> {
    let direction = Array::from_slice(direction, &[1, direction.len() as i32]); // [1, out]
    let pulled = direction.matmul(weight.to_dense()?)?; // [1, in]
    Ok(to_host(&pulled)?.values().to_vec())
}
