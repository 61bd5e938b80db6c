//! A 16-bit matrix, read as it lies in the checkpoint.

use std::ops::Range;

use super::error::{KernelError, check_length, check_row};
use super::instructions::{InstructionSet, Kernel, run};
use super::lanes::Lanes;
use super::multiply::{Matrix, multiply_many};
use super::one_row::OneRow;

/// Which 16 bits a weight is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HalfFormat {
    /// IEEE half precision: 5 bits of exponent, 10 of fraction.
    F16,
    /// The upper half of a float32: 8 bits of exponent, 7 of fraction.
    Bf16,
}

/// A matrix `[n_out, n_in]` of 16-bit floats, given by their bits.
#[derive(Debug, Clone, Copy)]
pub struct HalfMatrix<'a> {
    weights: &'a [u16],
    format: HalfFormat,
    n_out: usize,
    n_in: usize,
}

impl<'a> HalfMatrix<'a> {
    /// Looks at `weights` `[n_out, n_in]` as a matrix.
    ///
    /// # Errors
    /// If the slice's length does not fit the shape.
    pub fn new(
        weights: &'a [u16],
        format: HalfFormat,
        n_out: usize,
        n_in: usize,
    ) -> Result<Self, KernelError> {
        check_length("16-bit weights", weights.len(), n_out.checked_mul(n_in))?;
        Ok(Self {
            weights,
            format,
            n_out,
            n_in,
        })
    }

    /// Rows: outputs of the layer.
    pub fn n_out(&self) -> usize {
        self.n_out
    }

    /// Weights in a row: inputs of the layer.
    pub fn n_in(&self) -> usize {
        self.n_in
    }

    /// Expands one row to float32, `out` `[n_in]`: an embedding look-up. The values are exact.
    ///
    /// # Errors
    /// If there is no such row, or `out` has another length.
    pub fn expand_row(&self, row: usize, out: &mut [f32]) -> Result<(), KernelError> {
        check_row(row, self.n_out)?;
        check_length("expanded row", out.len(), Some(self.n_in))?;
        self.expand_rows(InstructionSet::best(), row..row + 1, out);
        Ok(())
    }

    /// `out = x @ W^T`, `x` `[n_x, n_in]`, `out` `[n_x, n_out]`, on all cores; see [`multiply_many`].
    ///
    /// # Errors
    /// If the length of `x` is no multiple of `n_in`, or that of `out` does not fit.
    pub fn multiply(&self, x: &[f32], out: &mut [f32]) -> Result<(), KernelError> {
        multiply_many(&mut [(Matrix::Half(*self), out)], x)
    }

    /// Expands `rows` to float32, `out` `[rows, n_in]`.
    pub(super) fn expand_rows(&self, set: InstructionSet, rows: Range<usize>, out: &mut [f32]) {
        // Rows follow each other without gaps: together they are one long row.
        let weights = &self.weights[rows.start * self.n_in..rows.end * self.n_in];
        assert!(
            out.len() == weights.len(),
            "sizes are checked by the caller"
        );
        match self.format {
            HalfFormat::F16 => run(set, Expand::<false> { weights, out }),
            HalfFormat::Bf16 => run(set, Expand::<true> { weights, out }),
        }
    }

    /// The products of `rows` with one input row, `out` `[rows]`.
    pub(super) fn dot_rows(
        &self,
        set: InstructionSet,
        rows: Range<usize>,
        x: &OneRow<'_>,
        out: &mut [f32],
    ) {
        let weights = &self.weights[rows.start * self.n_in..rows.end * self.n_in];
        let x = x.values;
        assert!(
            x.len() == self.n_in && out.len() == rows.len(),
            "sizes are checked by the caller"
        );
        match self.format {
            HalfFormat::F16 => run(set, DotRows::<false> { weights, x, out }),
            HalfFormat::Bf16 => run(set, DotRows::<true> { weights, x, out }),
        }
    }
}

/// One register of weights.
#[inline(always)]
unsafe fn load<L: Lanes, const IS_BF16: bool>(from: *const u16) -> L {
    // SAFETY: the caller has the instructions, and vouches for a register's width of values.
    unsafe {
        if IS_BF16 {
            L::load_bf16(from)
        } else {
            L::load_f16(from)
        }
    }
}

/// The last weights of a row, fewer than a register holds, and zeros.
#[inline(always)]
unsafe fn load_tail<L: Lanes, const IS_BF16: bool>(weights: &[u16]) -> L {
    let mut padded = [0; 16];
    for (to, from) in padded.iter_mut().zip(weights) {
        *to = *from;
    }
    // SAFETY: sixteen values are enough for every width.
    unsafe { load::<L, IS_BF16>(padded.as_ptr()) }
}

/// Weights to float32.
struct Expand<'a, const IS_BF16: bool> {
    weights: &'a [u16],
    out: &'a mut [f32],
}

impl<const IS_BF16: bool> Kernel for Expand<'_, IS_BF16> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let mut from = self.weights.chunks_exact(L::WIDTH);
        let mut to = self.out.chunks_exact_mut(L::WIDTH);
        for (from, to) in (&mut from).zip(&mut to) {
            // SAFETY: both chunks are a register wide.
            unsafe { load::<L, IS_BF16>(from.as_ptr()).store(to.as_mut_ptr()) };
        }
        let mut values = [0.0; 16];
        // SAFETY: sixteen values are enough for every width.
        unsafe { load_tail::<L, IS_BF16>(from.remainder()).store(values.as_mut_ptr()) };
        for (to, value) in to.into_remainder().iter_mut().zip(values) {
            *to = value;
        }
    }
}

/// Rows times one input row.
struct DotRows<'a, const IS_BF16: bool> {
    weights: &'a [u16],
    x: &'a [f32],
    out: &'a mut [f32],
}

impl<const IS_BF16: bool> Kernel for DotRows<'_, IS_BF16> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        /// Registers of partial sums: a processor can multiply again long before it has added.
        const CHAINS: usize = 4;
        let n_in = self.x.len();
        let x = self.x.as_ptr();
        for (row, out) in self.out.iter_mut().enumerate() {
            let weights = &self.weights[row * n_in..][..n_in];
            // SAFETY: `weights` and `x` both hold `n_in` values.
            unsafe {
                let mut sums = [L::splat(0.0); CHAINS];
                let mut at = 0;
                while at + CHAINS * L::WIDTH <= n_in {
                    for sum in &mut sums {
                        let w = load::<L, IS_BF16>(weights.as_ptr().add(at));
                        *sum = w.mul_add(L::load(x.add(at)), *sum);
                        at += L::WIDTH;
                    }
                }
                let one = L::splat(1.0);
                let [a, b, c, d] = sums;
                let mut sum = a.mul_add(one, b).mul_add(one, c.mul_add(one, d));
                while at < n_in {
                    let n = L::WIDTH.min(n_in - at);
                    let w = load_tail::<L, IS_BF16>(&weights[at..at + n]);
                    sum = w.mul_add(L::load_tail(x.add(at), n), sum);
                    at += n;
                }
                *out = sum.sum();
            }
        }
    }
}
