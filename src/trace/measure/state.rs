//! How a position's state turns on its way through the layers, and where two runs part.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::vector::{cosine, size};
use super::{At, Point, row_of};
use crate::trace::HostTensor;

/// The residual stream of one position at every point of a pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Path {
    /// Of which position.
    pub at: At,
    /// The states in order, `[d_model]` each.
    pub states: Vec<(Point, Vec<f32>)>,
}

/// A state beside the others of its path.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// Where.
    pub point: Point,
    /// Euclidean size of the state.
    pub size: f64,
    /// Cosine with the state at the point before; 1 for the first.
    pub to_previous: f64,
    /// Cosine with the first state, the embedding.
    pub to_first: f64,
    /// Cosine with the last state, which the final norm reads.
    pub to_last: f64,
}

/// How far two states at the same point lie apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// Where.
    pub point: Point,
    /// Cosine of the two.
    pub cosine: f64,
    /// Largest difference of a single value; exactly 0 where the states are bit-equal.
    pub largest: f32,
    /// Size of the difference, divided by the size of the first state.
    pub relative: f64,
}

impl Path {
    /// The paths of `rows` of a pass through its first `n_blocks` blocks. Each point's residual
    /// stream, `[pos, d_model]`, is fetched once for all of them.
    ///
    /// # Errors
    /// If `residual` fails, or the pass has no such row.
    pub fn through(
        pass: usize,
        rows: &[usize],
        n_blocks: usize,
        mut residual: impl FnMut(Point) -> Result<HostTensor>,
    ) -> Result<Vec<Self>> {
        let as_path = |row: &usize| Self {
            at: At { pass, row: *row },
            states: Vec::new(),
        };
        let mut paths: Vec<Self> = rows.iter().map(as_path).collect();
        for point in Point::all(n_blocks) {
            let residual = residual(point)?;
            for path in &mut paths {
                path.states.push((point, row_of(&residual, path.at.row)?));
            }
        }
        Ok(paths)
    }

    /// Cosine similarity along the path.
    #[must_use]
    pub fn turns(&self) -> Vec<Turn> {
        let first = self.states.first().map_or(&[][..], |(_, state)| state);
        let last = self.states.last().map_or(&[][..], |(_, state)| state);
        let mut previous = first;
        let mut turns = Vec::with_capacity(self.states.len());
        for (point, state) in &self.states {
            turns.push(Turn {
                point: *point,
                size: size(state),
                to_previous: cosine(state, previous),
                to_first: cosine(state, first),
                to_last: cosine(state, last),
            });
            previous = state;
        }
        turns
    }

    /// The gap to another path, point by point, as far as both go.
    #[must_use]
    pub fn gaps(&self, other: &Self) -> Vec<Gap> {
        let pairs = self.states.iter().zip(&other.states);
        pairs
            .map(|((point, a), (_, b))| gap(*point, a, b))
            .collect()
    }

    /// The first point where a value of the two paths differs by more than `tolerance`; 0 asks for
    /// equal bits.
    #[must_use]
    pub fn first_difference(&self, other: &Self, tolerance: f32) -> Option<Gap> {
        self.gaps(other)
            .into_iter()
            .find(|gap| gap.largest > tolerance)
    }
}

/// How far two states at `point` lie apart, `[d_model]` each.
pub(super) fn gap(point: Point, a: &[f32], b: &[f32]) -> Gap {
    let difference: Vec<f32> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let (apart, own) = (size(&difference), size(a));
    let pairs = a.iter().zip(b);
    let largest = pairs.map(|(a, b)| apart_by(*a, *b)).fold(0.0, f32::max);
    Gap {
        point,
        // Rounding would tell equal states apart by a last digit.
        cosine: if largest == 0.0 { 1.0 } else { cosine(a, b) },
        largest,
        relative: if own > 0.0 { apart / own } else { apart },
    }
}

/// How far two values lie apart; what is no number on one side alone is as far as can be.
fn apart_by(a: f32, b: f32) -> f32 {
    let apart = (a - b).abs();
    match a.to_bits() == b.to_bits() {
        true => 0.0,
        false if apart.is_finite() => apart,
        false => f32::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_states_have_no_gap_at_all() {
        let state: Vec<f32> = (0..192).map(|at| (at as f32 * 0.37).sin()).collect();
        let gap = gap(Point::Embed, &state, &state);
        assert_eq!((gap.cosine, gap.largest, gap.relative), (1.0, 0.0, 0.0));
    }

    fn path(states: [[f32; 2]; 3]) -> Path {
        let points = Point::all(1);
        Path {
            at: At { pass: 0, row: 0 },
            states: points.zip(states.map(Vec::from)).collect(),
        }
    }

    #[test]
    fn a_path_knows_how_it_turns() {
        let turns = path([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]]).turns();
        assert_eq!(turns[1].to_previous, 1.0);
        assert_eq!(turns[2].to_first, 0.0);
        assert_eq!([turns[0].to_last, turns[2].to_last], [0.0, 1.0]);
        assert_eq!(turns[2].size, 3.0);
    }

    #[test]
    fn the_first_point_that_differs_is_named() {
        let a = path([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]]);
        let b = path([[1.0, 0.0], [2.0, 0.5], [0.0, 9.0]]);
        let gap = a.first_difference(&b, 0.0).unwrap();
        assert_eq!((gap.point, gap.largest), (Point::AfterAttention(0), 0.5));
        assert_eq!(
            a.first_difference(&b, 1.0).unwrap().point,
            Point::AfterMlp(0)
        );
        assert_eq!(a.first_difference(&a, 0.0), None);
    }
}
