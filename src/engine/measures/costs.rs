//! What passes cost: see [`crate::trace::measure::costs`].

use anyhow::Result;

use super::Looking;
use crate::model::Model;
use crate::trace::Stage;
use crate::trace::measure::costs::{PassCost, StageWeights};

/// The weights that each stage of a pass reads.
#[must_use]
pub fn stage_weights(model: &Model) -> Vec<StageWeights> {
    let parts = model.parts();
    let of_stage = |stage| {
        let mut weights = StageWeights {
            stage,
            fixed_bytes: 0,
            bytes_per_token: 0,
            formats: Vec::new(),
        };
        for part in parts.iter().filter(|part| part.stage == stage) {
            let n_bytes = part.weight.n_bytes() as u64;
            match part.reads {
                Some(_) => weights.fixed_bytes += n_bytes,
                None => weights.bytes_per_token += n_bytes / part.weight.n_out().max(1) as u64,
            }
            let format = part.weight.format();
            if !weights.formats.contains(&format) {
                weights.formats.push(format);
            }
        }
        weights
    };
    Stage::of_pass(model.n_layers()).map(of_stage).collect()
}

/// Bytes of weights that a decode step reads: what sets the ceiling of tokens per second.
#[must_use]
pub fn weight_bytes_per_token(model: &Model) -> u64 {
    let stages = stage_weights(model);
    stages
        .iter()
        .map(|stage| stage.fixed_bytes + stage.bytes_per_token)
        .sum()
}

impl Looking<'_> {
    /// What pass `pass` cost, as far as it has run.
    ///
    /// # Errors
    /// If there is no such pass.
    pub fn cost(&self, pass: usize) -> Result<PassCost> {
        let seen = self.run.pass(pass)?;
        let (n_pos, n_chunks) = (seen.n_pos(), seen.boundaries().count());
        let weights = stage_weights(&self.loaded().model);
        let stages = seen.times().iter().filter_map(|(stage, time)| {
            let weights = weights.iter().find(|weights| weights.stage == *stage)?;
            Some(weights.cost(*time, n_pos, n_chunks))
        });
        Ok(PassCost {
            pass,
            n_pos,
            n_chunks,
            stages: stages.collect(),
        })
    }
}
