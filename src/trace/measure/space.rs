//! The space of embeddings: neighbours, axes made of word pairs, arithmetic.
//!
//! All of it works with directions: every embedding row is first brought to length 1, since the
//! length of a row tells more about how often a token occurs than about what it means.
//!
//! - Nearness is the cosine of the angle, −1 to 1.
//! - An axis is the mean of `a − b` over pairs such as (hot, cold), brought to length 1; its zero lies
//!   in the middle of the pairs. A word's place on it is the dot product of its distance from there
//!   with the axis: above 0 towards the first words of the pairs (Bolukbasi and others, 2016).
//! - Arithmetic is `a − b + c`, and the tokens nearest to it, those of the sum left out (Mikolov and
//!   others, 2013). Leaving them out matters: often `a` itself is nearest.

use serde::{Deserialize, Serialize};

use super::NamedToken;
use super::vector::{dot, size};

/// A token and its nearness to a vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Neighbour {
    /// Which.
    pub token: NamedToken,
    /// Cosine with the vector.
    pub cosine: f64,
}

/// A direction made of word pairs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// Length 1, `[d_model]`.
    pub direction: Vec<f32>,
    /// Where its zero is, `[d_model]`.
    pub middle: Vec<f32>,
}

impl Axis {
    /// The axis through `pairs` of vectors, from the second to the first; `None` if there are none,
    /// or their differences cancel out.
    #[must_use]
    pub fn through(pairs: &[(Vec<f32>, Vec<f32>)]) -> Option<Self> {
        let n = pairs.len() as f32;
        let mut direction = vec![0.0; pairs.first()?.0.len()];
        let mut middle = direction.clone();
        for (a, b) in pairs {
            let sums = direction.iter_mut().zip(&mut middle);
            for ((difference, mean), (a, b)) in sums.zip(a.iter().zip(b)) {
                *difference += (a - b) / n;
                *mean += (a + b) / (2.0 * n);
            }
        }
        let direction = unit(&direction)?;
        Some(Self { direction, middle })
    }

    /// Where a vector stands on the axis.
    #[must_use]
    pub fn place(&self, vector: &[f32]) -> f64 {
        dot(vector, &self.direction) - dot(&self.middle, &self.direction)
    }
}

/// A token and its place on an axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// Which.
    pub token: NamedToken,
    /// Above 0: towards the first words of the pairs.
    pub place: f64,
}

/// The vector with length 1; `None` where it is all zeros.
#[must_use]
pub fn unit(vector: &[f32]) -> Option<Vec<f32>> {
    let size = size(vector);
    (size > 0.0).then(|| {
        vector
            .iter()
            .map(|x| (f64::from(*x) / size) as f32)
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_points_from_the_second_words_to_the_first() {
        let pair = |x: f32, other: f32| (vec![x, other], vec![-x, other]);
        let axis = Axis::through(&[pair(1.0, 0.3), pair(2.0, -0.1)]).unwrap();
        assert_eq!(axis.direction, [1.0, 0.0]);
        assert!(axis.place(&[0.5, 9.0]) > 0.0 && axis.place(&[-0.5, 9.0]) < 0.0);
        let same = (vec![1.0, 1.0], vec![1.0, 1.0]);
        assert_eq!(Axis::through(&[same]), None);
        assert_eq!(Axis::through(&[]), None);
    }
}
