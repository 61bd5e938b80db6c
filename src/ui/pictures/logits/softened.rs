//! What a temperature makes of a row of logits.

use std::sync::Arc;

/// What a temperature makes of a row of logits.
#[derive(Debug, Clone)]
pub(super) struct Softened {
    pub(super) row: Arc<[f32]>,
    pub(super) temperature: f32,
    /// The highest logit.
    pub(super) max: f64,
    /// `Σ e^((logit − max) / temperature)`.
    pub(super) total: f64,
    pub(super) entropy_bits: f64,
}

impl Softened {
    /// Over the whole vocabulary: a softmax over a part would be another one.
    pub(super) fn new(row: &Arc<[f32]>, temperature: f32) -> Self {
        let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let max = f64::from(max);
        let heat = f64::from(temperature.max(0.01));
        let (mut total, mut weighted) = (0.0, 0.0);
        for logit in row.iter().filter(|logit| logit.is_finite()) {
            let level = (f64::from(*logit) - max) / heat;
            let weight = level.exp();
            total += weight;
            weighted += weight * level;
        }
        // −Σ p ln p with p = e^level / total.
        let nats = total.ln() - weighted / total;
        Self {
            row: Arc::clone(row),
            temperature,
            max,
            total,
            entropy_bits: nats / std::f64::consts::LN_2,
        }
    }

    pub(super) fn probability(&self, token: u32) -> f64 {
        let logit = self.logit(token);
        let heat = f64::from(self.temperature.max(0.01));
        ((logit - self.max) / heat).exp() / self.total
    }

    pub(super) fn logit(&self, token: u32) -> f64 {
        let logit = self.row.get(token as usize).copied();
        f64::from(logit.unwrap_or(f32::NEG_INFINITY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::measure::distribution::Distribution;

    #[test]
    fn a_temperature_of_one_is_the_models_own_distribution() {
        let row: Arc<[f32]> = vec![2.0, -1.0, 0.5, f32::NEG_INFINITY].into();
        let (soft, own) = (Softened::new(&row, 1.0), Distribution::new(&row));
        for token in 0..4 {
            assert!((soft.probability(token) - own.probability(token)).abs() < 1e-12);
        }
        assert!((soft.entropy_bits - own.entropy_bits()).abs() < 1e-9);
    }

    #[test]
    fn heat_levels_and_cold_sharpens() {
        let row: Arc<[f32]> = vec![2.0, 1.0].into();
        let p = |heat| Softened::new(&row, heat).probability(0);
        assert!(p(0.5) > p(1.0) && p(1.0) > p(2.0) && p(2.0) > 0.5);
        let sum: f64 = (0..2)
            .map(|id| Softened::new(&row, 2.0).probability(id))
            .sum();
        assert!((sum - 1.0).abs() < 1e-12);
    }
}
