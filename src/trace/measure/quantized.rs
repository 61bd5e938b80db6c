//! Weights at work: how a quantized row is packed, and what rounding costs it.
//!
//! MLX's affine scheme. A row is cut into groups; each group has a scale and a bias, and each
//! weight is a whole number `q` of `bits` bits:
//!
//! ```text
//! w = scale · q + bias,   q from 0 to 2^bits − 1
//! ```
//!
//! The numbers lie one after the other in 32-bit words, lowest bits first: with 4 bits a word holds
//! eight, the first one in its last hexadecimal digit. With 3 and 6 bits a number may reach from
//! one word into the next. These biases are no linear layer's `bias`.
//!
//! Rounding to `bits` as MLX does it: the end of the group's range that is larger in size becomes
//! the bias, the scale is the range divided by `2^bits − 1` (its sign points away from that end),
//! and is then changed a little so that 0 is exactly one of the steps.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// The widths that rows are rounded to for comparison.
pub const WIDTHS: [usize; 5] = [2, 3, 4, 6, 8];

/// A row of a quantized matrix, or the groups of it that someone looks at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PackedRow {
    /// The layer, as the checkpoint calls it.
    pub path: String,
    /// Row of the matrix: one output of the layer, or one token of an embedding.
    pub row: usize,
    /// Bits per weight.
    pub bits: usize,
    /// Weights that share a scale and a bias.
    pub group_size: usize,
    /// Columns of the matrix.
    pub n_columns: usize,
    /// The groups, in order.
    pub groups: Vec<PackedGroup>,
    /// What the errors below are measured against.
    pub against: Reference,
    /// Error of the weights as they are stored; `None` where the reference is these weights.
    pub stored: Option<RoundingError>,
    /// Error after rounding the reference to each of [`WIDTHS`], with float32 scales and biases.
    pub errors: Vec<RoundingError>,
}

/// One group of a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PackedGroup {
    /// Column of its first weight.
    pub first_column: usize,
    /// One step.
    pub scale: f32,
    /// The weight that `q = 0` stands for.
    pub bias: f32,
    /// The packed words.
    pub words: Vec<u32>,
    /// The whole numbers in the words, in order.
    pub numbers: Vec<u8>,
    /// The weights that come out.
    pub weights: Vec<f32>,
}

/// What rounding is measured against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// The same row in a 16-bit copy of the model, called so.
    Twin(String),
    /// The quantized values themselves: there is no copy before rounding, so the real error is
    /// larger, and at the stored width it is 0.
    Itself,
}

/// How far rounded weights are off.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RoundingError {
    /// Bits per weight.
    pub bits: usize,
    /// Largest difference of a weight.
    pub max: f64,
    /// Root of the mean square of the differences.
    pub rms: f64,
    /// `rms` divided by that of the reference: 0.1 is a tenth of a typical weight.
    pub relative: f64,
}

/// The whole numbers in `words`, lowest bits first, `n` of them.
#[must_use]
pub fn unpack(words: &[u32], bits: usize, n: usize) -> Vec<u8> {
    let mask = (1_u64 << bits) - 1;
    let word = |at: usize| words.get(at).copied().map_or(0, u64::from);
    let number = |place: usize| {
        let (first, shift) = (place * bits / 32, place * bits % 32);
        let two_words = word(first) | word(first + 1) << 32;
        (two_words >> shift & mask) as u8
    };
    (0..n).map(number).collect()
}

/// A group rounded to `bits`, as float32 again.
#[must_use]
pub fn rounded(group: &[f32], bits: usize) -> Vec<f32> {
    const SMALLEST_SCALE: f32 = 1e-7;
    let n_steps = ((1_u32 << bits) - 1) as f32;
    let low = group.iter().copied().fold(f32::INFINITY, f32::min);
    let high = group.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let range = ((high - low) / n_steps).max(SMALLEST_SCALE);
    let (edge, scale) = if low.abs() > high.abs() {
        (low, range)
    } else {
        (high, -range)
    };
    let steps_to_zero = (edge / scale).round_ties_even();
    let (scale, bias) = match steps_to_zero {
        0.0 => (scale, 0.0),
        steps => (edge / steps, edge),
    };
    let round = |weight: &f32| {
        let number = ((weight - bias) / scale)
            .round_ties_even()
            .clamp(0.0, n_steps);
        scale * number + bias
    };
    group.iter().map(round).collect()
}

/// The error of `weights` against `reference`.
#[must_use]
pub fn error(bits: usize, weights: &[f32], reference: &[f32]) -> RoundingError {
    let pairs = weights.iter().zip(reference);
    let differences: Vec<f64> = pairs.map(|(a, b)| f64::from(*a) - f64::from(*b)).collect();
    let n = differences.len().max(1) as f64;
    let rms = (differences.iter().map(|x| x * x).sum::<f64>() / n).sqrt();
    let own = (reference.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / n).sqrt();
    RoundingError {
        bits,
        max: differences.iter().fold(0.0, |max, x| x.abs().max(max)),
        rms,
        relative: if own > 0.0 { rms / own } else { 0.0 },
    }
}

/// The errors of `reference` rounded to each of [`WIDTHS`] in groups of `group_size`.
#[must_use]
pub fn errors(reference: &[f32], group_size: usize) -> Vec<RoundingError> {
    let of_width = |bits: usize| {
        let groups = reference.chunks(group_size.max(1));
        let weights: Vec<f32> = groups.flat_map(|group| rounded(group, bits)).collect();
        error(bits, &weights, reference)
    };
    WIDTHS.into_iter().map(of_width).collect()
}

/// The groups that `columns` touch.
#[must_use]
pub fn groups_of(columns: &Range<usize>, group_size: usize) -> Range<usize> {
    let group_size = group_size.max(1);
    columns.start / group_size..columns.end.div_ceil(group_size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lie_lowest_bits_first() {
        assert_eq!(unpack(&[0x8765_4321], 4, 8), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(unpack(&[0x0403_0201], 8, 4), [1, 2, 3, 4]);
        // Number 10 of three bits each begins at bit 30: two bits in the first word, one in the next.
        assert_eq!(unpack(&[0xC000_0000, 0x0000_0001], 3, 12)[10], 7);
    }

    #[test]
    fn rounding_keeps_zero_and_the_larger_end() {
        let group = [-1.0, -0.4, 0.0, 0.3, 0.5];
        for bits in WIDTHS {
            let rounded = rounded(&group, bits);
            assert_eq!(rounded[0], -1.0);
            assert_eq!(rounded[2], 0.0);
        }
        assert_eq!(rounded(&[0.0; 4], 4), [0.0; 4]);
    }

    #[test]
    fn more_bits_lose_less() {
        let row: Vec<f32> = (0..128)
            .map(|x| ((x * 37 % 101) as f32 - 50.0) / 40.0)
            .collect();
        let errors = errors(&row, 64);
        for pair in errors.windows(2) {
            assert!(pair[0].rms > pair[1].rms, "{pair:?}");
        }
        assert!(errors[4].relative < 0.01);
    }
}
