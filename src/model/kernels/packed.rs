//! A quantized matrix, read as it lies in the checkpoint.

use std::ops::Range;

use super::error::{KernelError, check_length, check_row};
use super::instructions::{InstructionSet, Kernel, run};
use super::lanes::{BLOCK, Lanes};
use super::multiply::{Matrix, multiply_many};
use super::one_row::OneRow;

/// A matrix `[n_out, n_in]` in MLX's affine quantization: `w = scale * q + bias`, one scale and bias per group along a row.
///
/// `q` has 2, 3, 4, 6 or 8 bits. The weights of a row follow each other without gaps, lowest bits first, through little-endian 32-bit
/// words (`mx.quantize`); so 32 weights always fill a whole number of words, as many as a weight has bits.
#[derive(Debug, Clone, Copy)]
pub struct PackedMatrix<'a> {
    words: &'a [u32],
    scales: &'a [f32],
    biases: &'a [f32],
    n_out: usize,
    n_in: usize,
    bits: usize,
    group_size: usize,
}

/// The shape of a [`PackedMatrix`], before packing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackedShape {
    /// Rows: outputs of the layer.
    pub n_out: usize,
    /// Weights in a row: inputs of the layer.
    pub n_in: usize,
    /// Bits per weight: 2, 3, 4, 6 or 8.
    pub bits: usize,
    /// Weights that share a scale and a bias: 32, 64 or 128.
    pub group_size: usize,
}

impl<'a> PackedMatrix<'a> {
    /// Looks at `words` `[n_out, n_in * bits / 32]`, `scales` and `biases` `[n_out, n_in / group_size]` as a matrix.
    ///
    /// # Errors
    /// If the bits or the group size are not supported, a row does not divide into groups, or a slice's length does not fit.
    pub fn new(
        words: &'a [u32],
        scales: &'a [f32],
        biases: &'a [f32],
        shape: PackedShape,
    ) -> Result<Self, KernelError> {
        let PackedShape {
            n_out,
            n_in,
            bits,
            group_size,
        } = shape;
        if !matches!(bits, 2 | 3 | 4 | 6 | 8) {
            return Err(KernelError::Bits(bits));
        }
        if !matches!(group_size, 32 | 64 | 128) {
            return Err(KernelError::GroupSize(group_size));
        }
        if !n_in.is_multiple_of(group_size) {
            return Err(KernelError::Ragged { n_in, group_size });
        }
        let n_groups = n_out.checked_mul(n_in / group_size);
        let n_words = n_out
            .checked_mul(n_in / BLOCK)
            .and_then(|blocks| blocks.checked_mul(bits));
        check_length("packed words", words.len(), n_words)?;
        check_length("scales", scales.len(), n_groups)?;
        check_length("biases", biases.len(), n_groups)?;
        Ok(Self {
            words,
            scales,
            biases,
            n_out,
            n_in,
            bits,
            group_size,
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

    /// Bits per weight.
    pub(super) fn bits(&self) -> usize {
        self.bits
    }

    /// Weights that share a scale and a bias.
    pub(super) fn group_size(&self) -> usize {
        self.group_size
    }

    /// Expands one row to float32, `out` `[n_in]`: an embedding look-up.
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
        multiply_many(&mut [(Matrix::Packed(*self), out)], x)
    }

    /// Expands `rows` to float32, `out` `[rows, n_in]`.
    pub(super) fn expand_rows(&self, set: InstructionSet, rows: Range<usize>, out: &mut [f32]) {
        assert!(
            rows.end <= self.n_out && out.len() == rows.len() * self.n_in,
            "sizes are checked by the caller"
        );
        run(
            set,
            ExpandRows {
                matrix: self,
                rows,
                out,
            },
        );
    }

    /// The products of `rows` with one input row, `out` `[rows]`.
    pub(super) fn dot_rows(&self, rows: Range<usize>, x: &OneRow<'_>, out: &mut [f32]) {
        assert!(
            rows.end <= self.n_out && out.len() == rows.len(),
            "sizes are checked by the caller"
        );
        if let Some(prepared) = x
            .prepared(self.bits)
            .filter(|_| x.values.len() == self.n_in)
        {
            prepared.dot_rows(self, rows, out);
        }
    }

    /// Where a row's packed bytes begin, and its scales and biases.
    #[inline(always)]
    pub(super) unsafe fn row(&self, row: usize) -> (*const u8, *const f32, *const f32) {
        let n_groups = self.n_in / self.group_size;
        // SAFETY: the caller asks for a row that exists; the lengths were checked when the matrix was made.
        unsafe {
            (
                self.words
                    .as_ptr()
                    .add(row * (self.n_in / BLOCK) * self.bits)
                    .cast(),
                self.scales.as_ptr().add(row * n_groups),
                self.biases.as_ptr().add(row * n_groups),
            )
        }
    }
}

/// Rows to float32.
struct ExpandRows<'a> {
    matrix: &'a PackedMatrix<'a>,
    rows: Range<usize>,
    out: &'a mut [f32],
}

impl Kernel for ExpandRows<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        // SAFETY: the matrix has these bits, and the processor these instructions.
        unsafe {
            match self.matrix.bits {
                2 => self.with_bits::<L, 2>(),
                3 => self.with_bits::<L, 3>(),
                4 => self.with_bits::<L, 4>(),
                6 => self.with_bits::<L, 6>(),
                _ => self.with_bits::<L, 8>(),
            }
        }
    }
}

impl ExpandRows<'_> {
    #[inline(always)]
    unsafe fn with_bits<L: Lanes, const BITS: usize>(self) {
        let (n_in, group_size) = (self.matrix.n_in, self.matrix.group_size);
        let mut to = self.out.as_mut_ptr();
        for row in self.rows {
            // SAFETY: the row exists, and `out` has room for it: both were checked before the kernel was made.
            unsafe {
                let (mut block, scales, biases) = self.matrix.row(row);
                for group in 0..n_in / group_size {
                    let scale = L::splat(*scales.add(group));
                    let bias = L::splat(*biases.add(group));
                    for _ in 0..group_size / BLOCK {
                        for part in 0..BLOCK / L::WIDTH {
                            L::unpack::<BITS>(block, part)
                                .mul_add(scale, bias)
                                .store(to);
                            to = to.add(L::WIDTH);
                        }
                        block = block.add(BITS * 4);
                    }
                }
            }
        }
    }
}
