//! Sweeps: one change tried in many places, and what each does to the next token.
//!
//! Each cell is one run with one change, everything else as it was: switching head 3 of block 2
//! off, or copying the residual stream of one position and layer from another prompt ("activation
//! patching"). The outcome is measured at the last position of a pass. A cell with a large effect is a
//! place to look at more closely, not yet an explanation: see
//! [`REMINDER`](super::verdict::REMINDER).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::NamedToken;
use super::distribution::Distribution;
use super::vector::top_by;
use crate::trace::debug::SourcePrompt;
use crate::trace::edit::Change;

/// Where a change is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Over {
    /// At `hook_z` of every head: a row per block, a column per head.
    Heads,
    /// At `hook_resid_pre` of every block and position: a row per block, a column per position.
    LayersXPositions,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A token's logit.
    Logit(u32),
    /// One token's logit less another's.
    Difference(u32, u32),
    /// A token's probability, 0 to 1.
    Probability(u32),
    /// How far the whole distribution moves: `Σ p log₂(p / q)`, in bits, `p` without the change.
    KlBits,
}

impl Outcome {
    /// The outcome of `logits`, `[vocab]`, where nothing was changed they were `before`. A token
    /// beyond the vocabulary has the logit −∞.
    #[must_use]
    pub fn of(self, before: &[f32], logits: &[f32]) -> f64 {
        let logit = |id: u32| {
            let logit = logits.get(id as usize).copied();
            f64::from(logit.unwrap_or(f32::NEG_INFINITY))
        };
        match self {
            Self::Logit(token) => logit(token),
            Self::Difference(a, b) => logit(a) - logit(b),
            Self::Probability(token) => Distribution::new(logits).probability(token),
            Self::KlBits => Distribution::new(before).kl_bits(&Distribution::new(logits)),
        }
    }

    /// The tokens it is about.
    #[must_use]
    pub fn tokens(self) -> Vec<u32> {
        match self {
            Self::Logit(token) | Self::Probability(token) => vec![token],
            Self::Difference(a, b) => vec![a, b],
            Self::KlBits => Vec::new(),
        }
    }
}

/// A sweep to make.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepPlan {
    /// The pass whose last logits are measured.
    pub pass: usize,
    /// Where the change is tried.
    pub over: Over,
    /// The change; what it is where `other` is given does not matter.
    pub change: Change,
    /// A prompt of the same length, from which the same place is copied.
    pub other: Option<SourcePrompt>,
    /// What is measured.
    pub outcome: Outcome,
}

/// The result of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepTable {
    /// Where the change was tried.
    pub over: Over,
    /// The change, in its text form: `zero`, `patch(other)`.
    pub change: String,
    /// What was measured.
    pub outcome: Outcome,
    /// The tokens it is about.
    pub tokens: Vec<NamedToken>,
    /// What the rows are: `block 0` …
    pub rows: Vec<String>,
    /// What the columns are: `head 0` …, or the token at each position.
    pub columns: Vec<String>,
    /// Position of the first column, where columns are positions.
    pub first_position: usize,
    /// The outcome without any change.
    pub before: f64,
    /// The outcome of each cell, row by row.
    pub values: Vec<Vec<f64>>,
}

/// One cell of a [`SweepTable`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SweepCell {
    /// Its row.
    pub row: usize,
    /// Its column.
    pub column: usize,
    /// The outcome there.
    pub value: f64,
    /// The outcome there less that without the change.
    pub effect: f64,
}

impl SweepTable {
    /// The `n` cells with the largest effects, whatever their sign, the largest first.
    #[must_use]
    pub fn strongest(&self, n: usize) -> Vec<SweepCell> {
        let cells = self.values.iter().enumerate().flat_map(|(row, values)| {
            values
                .iter()
                .enumerate()
                .map(move |(column, value)| SweepCell {
                    row,
                    column,
                    value: *value,
                    effect: *value - self.before,
                })
        });
        let cells: Vec<SweepCell> = cells.collect();
        let places = top_by(&cells, n, |cell| cell.effect.abs());
        places
            .into_iter()
            .filter_map(|place| cells.get(place).copied())
            .collect()
    }

    /// What was measured, for people: `logit of ' Paris'`.
    #[must_use]
    pub fn what(&self) -> String {
        let text = |place: usize| {
            self.tokens
                .get(place)
                .map_or("", |token| token.text.as_str())
        };
        match self.outcome {
            Outcome::Logit(_) => format!("logit of '{}'", text(0)),
            Outcome::Difference(..) => format!("logit of '{}' less that of '{}'", text(0), text(1)),
            Outcome::Probability(_) => format!("probability of '{}'", text(0)),
            Outcome::KlBits => "divergence from the unchanged run, in bits".to_owned(),
        }
    }
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Heads => "heads",
            Self::LayersXPositions => "layers-x-positions",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_cells_come_first_whatever_their_sign() {
        let table = SweepTable {
            over: Over::Heads,
            change: "zero".into(),
            outcome: Outcome::Logit(3),
            tokens: Vec::new(),
            rows: vec!["block 0".into()],
            columns: Vec::new(),
            first_position: 0,
            before: 2.0,
            values: vec![vec![2.0, 2.5], vec![-1.0, 2.1]],
        };
        let strongest = table.strongest(2);
        assert_eq!(
            (strongest[0].row, strongest[0].column, strongest[0].effect),
            (1, 0, -3.0)
        );
        assert_eq!((strongest[1].row, strongest[1].column), (0, 1));
    }

    #[test]
    fn outcomes_are_those_of_the_logits() {
        let (before, after) = ([0.0, 1.0], [1.0, 1.0]);
        assert_eq!(Outcome::Logit(1).of(&before, &after), 1.0);
        assert_eq!(Outcome::Difference(1, 0).of(&before, &after), 0.0);
        assert!((Outcome::Probability(0).of(&before, &after) - 0.5).abs() < 1e-12);
        assert_eq!(Outcome::KlBits.of(&before, &before), 0.0);
        assert!(Outcome::KlBits.of(&before, &after) > 0.05);
        assert_eq!(Outcome::Logit(9).of(&before, &after), f64::NEG_INFINITY);
    }
}
