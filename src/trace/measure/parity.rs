//! Parity: what is shown is what is computed.
//!
//! Looking must not change a pass, and what is drawn must be what the model multiplies by. Four
//! checks hold that together, each on the numbers of a pass that was looked at:
//!
//! | check | one side | the other |
//! |---|---|---|
//! | recording | the logits of the pass as it is shown, and of its blocks with every hook recorded | the same blocks with nobody watching |
//! | attention | `pattern @ v` from the pattern that is shown | MLX's fused attention kernel |
//! | float64 | `pattern @ v`, and the `z` that the pass went on with | softmax(q·k) · v in a plain loop in float64 |
//! | kernels | every matrix product of our own CPU kernels, at the last position | MLX's kernel on the same input |
//!
//! Attention is compared at up to [`MOST_ROWS`] rows of every block and head, the last row among
//! them; where an edit changes scores or patterns, that block is left out: there the pass is meant
//! to differ.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Rows of a pass whose attention is compared.
pub const MOST_ROWS: usize = 64;

/// The result of the checks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parity {
    /// Which pass was checked.
    pub pass: usize,
    /// Positions of the text at its end: a text that has grown has another pass to check.
    pub n_positions: usize,
    /// Recorded against plain.
    pub recording: Apart,
    /// Whether the likeliest token is the same with and without recording.
    pub same_argmax: bool,
    /// `pattern @ v` against the fused kernel; `None` where every block was left out.
    pub fused: Option<Apart>,
    /// `pattern @ v` and `z` against float64.
    pub float64: Option<Apart>,
    /// Our kernels against MLX's; `None` where MLX multiplies anyway.
    pub kernels: Option<Apart>,
    /// The layer in which our kernels are farthest from MLX's.
    pub farthest_kernel: Option<String>,
    /// Rows per block and head whose attention was compared.
    pub n_rows: usize,
    /// Blocks whose attention was left out, because an edit changes it.
    pub blocks_left_out: Vec<usize>,
    /// Largest relative difference that counts as rounding, for the type the model computes in.
    pub tolerance: f64,
    /// How long the checks took, in seconds.
    pub seconds: f64,
}

/// How far two sets of numbers lie apart.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Apart {
    /// Largest difference of two numbers.
    pub max: f64,
    /// That difference divided by the largest number it was found among.
    pub relative: f64,
}

impl Apart {
    /// How far `a` and `b` lie apart. Infinities are apart only where the other has none.
    #[must_use]
    pub fn of(a: &[f32], b: &[f32]) -> Self {
        let (mut max, mut largest) = (0.0_f64, 0.0_f64);
        for (a, b) in a.iter().zip(b) {
            if a == b {
                if a.is_finite() {
                    largest = largest.max(f64::from(a.abs()));
                }
                continue;
            }
            let difference = (f64::from(*a) - f64::from(*b)).abs();
            // A NaN on one side must not pass for no difference.
            max = if difference.is_nan() {
                f64::INFINITY
            } else {
                max.max(difference)
            };
            largest = largest.max(f64::from(a.abs())).max(f64::from(b.abs()));
        }
        if a.len() != b.len() {
            max = f64::INFINITY;
        }
        let relative = if max > 0.0 {
            max / largest.max(f64::MIN_POSITIVE)
        } else {
            0.0
        };
        Self { max, relative }
    }

    /// The larger one of each figure.
    #[must_use]
    pub fn or_larger(self, other: Self) -> Self {
        Self {
            max: self.max.max(other.max),
            relative: self.relative.max(other.relative),
        }
    }

    /// The larger one of each figure, where there is one already.
    #[must_use]
    pub fn larger_of(before: Option<Self>, new: Self) -> Option<Self> {
        Some(before.map_or(new, |before| before.or_larger(new)))
    }
}

impl Parity {
    /// Whether every check found rounding only.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let others = [self.fused, self.float64, self.kernels];
        let mut all = others.iter().flatten().chain([&self.recording]);
        self.same_argmax && all.all(|apart| apart.relative <= self.tolerance)
    }
}

impl fmt::Display for Parity {
    /// `parity ✓: recorded against plain 0; pattern @ v against the fused kernel 1.2e-7, …`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.is_good() { '✓' } else { '✗' };
        write!(
            f,
            "parity {mark}: recorded against plain {}",
            figure(self.recording.max)
        )?;
        if !self.same_argmax {
            f.write_str(", another likeliest token")?;
        }
        if let Some(apart) = self.fused {
            write!(
                f,
                "; pattern @ v against the fused kernel {}",
                figure(apart.max)
            )?;
        }
        if let Some(apart) = self.float64 {
            write!(f, ", against float64 {}", figure(apart.max))?;
        }
        if let Some(apart) = self.kernels {
            write!(f, "; our kernels against MLX's {}", figure(apart.max))?;
        }
        Ok(())
    }
}

fn figure(value: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else {
        format!("{value:.1e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_never_close() {
        assert_eq!(
            Apart::of(&[1.0, f32::NEG_INFINITY], &[1.0, f32::NEG_INFINITY]).max,
            0.0
        );
        assert_eq!(Apart::of(&[1.0], &[f32::NAN]).max, f64::INFINITY);
        assert_eq!(Apart::of(&[f32::NAN], &[f32::NAN]).max, f64::INFINITY);
        assert_eq!(Apart::of(&[1.0], &[f32::NEG_INFINITY]).max, f64::INFINITY);
        assert_eq!(Apart::of(&[1.0], &[1.0, 2.0]).max, f64::INFINITY);
        assert_eq!(
            Apart::of(&[4.0, 1.0], &[4.0, 3.0]),
            Apart {
                max: 2.0,
                relative: 0.5
            }
        );
    }

    #[test]
    fn a_large_difference_or_another_answer_is_no_parity() {
        let mut parity = Parity {
            pass: 0,
            n_positions: 5,
            recording: Apart::default(),
            same_argmax: true,
            fused: Some(Apart {
                max: 1e-6,
                relative: 1e-7,
            }),
            float64: None,
            kernels: None,
            farthest_kernel: None,
            n_rows: 5,
            blocks_left_out: Vec::new(),
            tolerance: 1e-4,
            seconds: 0.1,
        };
        assert!(parity.is_good());
        assert_eq!(
            parity.to_string(),
            "parity ✓: recorded against plain 0; pattern @ v against the fused kernel 1.0e-6"
        );
        parity.same_argmax = false;
        assert!(!parity.is_good());
        parity.same_argmax = true;
        parity.fused = Some(Apart {
            max: 0.1,
            relative: 0.1,
        });
        assert!(!parity.is_good());
    }
}
