//! RoPE: the pairs of every head turned by the angles of its position.

use super::instructions::{InstructionSet, Kernel, run};
use super::lanes::Lanes;
use super::rows::by_rows;

/// The angles of RoPE for a stretch of positions.
#[derive(Debug, Clone, PartialEq)]
pub struct Angles {
    /// Cosines, `[pos, head_dim / 2]`.
    pub cos: Vec<f32>,
    /// Sines, `[pos, head_dim / 2]`.
    pub sin: Vec<f32>,
    /// `head_dim / 2`.
    pub half: usize,
    /// The pairs are neighbours, rather than half a head apart.
    pub is_traditional: bool,
}

/// Turns the pairs of every head of `x`, `[pos, head, head_dim]`, by the angles of its position.
pub fn rotate(x: &[f32], n_heads: usize, angles: &Angles, out: &mut [f32]) {
    let width = n_heads * angles.half * 2;
    by_rows(out, width, |values, out| {
        let first = values.start / width;
        let x = &x[values];
        let turn = Rotate {
            x,
            n_heads,
            angles,
            first,
            out,
        };
        run(InstructionSet::best(), turn);
    });
}

struct Rotate<'a> {
    x: &'a [f32],
    n_heads: usize,
    angles: &'a Angles,
    /// Which of the positions the first row is.
    first: usize,
    out: &'a mut [f32],
}

impl Kernel for Rotate<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let half = self.angles.half;
        let heads = self
            .x
            .chunks_exact(2 * half)
            .zip(self.out.chunks_exact_mut(2 * half));
        for (head, (x, out)) in heads.enumerate() {
            let position = self.first + head / self.n_heads;
            let angles = position * half..(position + 1) * half;
            let (cos, sin) = (&self.angles.cos[angles.clone()], &self.angles.sin[angles]);
            if self.angles.is_traditional {
                let pairs = x.chunks_exact(2).zip(out.chunks_exact_mut(2));
                for ((x, out), (cos, sin)) in pairs.zip(cos.iter().zip(sin)) {
                    out[0] = x[0] * cos - x[1] * sin;
                    out[1] = x[0] * sin + x[1] * cos;
                }
            } else {
                let ((a, b), (out_a, out_b)) = (x.split_at(half), out.split_at_mut(half));
                for i in 0..half {
                    out_a[i] = a[i] * cos[i] - b[i] * sin[i];
                    out_b[i] = a[i] * sin[i] + b[i] * cos[i];
                }
            }
        }
    }
}
