//! Rows of a packed matrix times one input row, straight from the packed words: the heart of a decode step.
//!
//! Weights must become floats in as few instructions as possible. A register is filled with whole *runs* of packed weights, one per
//! lane: eight 2-, 3- or 4-bit weights (2, 3 or 4 bytes), or four 6- or 8-bit ones (3 or 4 bytes). Then the first weight of
//! every run is shifted to where a float32 has its fraction, multiplied, then the second of every run, and so on. A lane thus meets
//! weights that lie a run apart; so the input is *woven* into that order, once for all rows.

use std::ops::Range;

use super::instructions::Kernel;
use super::lanes::Lanes;
use super::packed::PackedMatrix;

/// Weights in a run, for a bit width.
pub(super) const fn run_len(bits: usize) -> usize {
    if bits <= 4 { 8 } else { 4 }
}

/// An input row in the order in which the kernel meets its values, for runs of one length and registers of one width.
///
/// A *chunk* is a register full of runs. The last one may have fewer; zeros stand in for the rest.
pub(super) struct Woven {
    /// `[chunk, run_len, lane]`.
    values: Vec<f32>,
    /// Sum of each run, `[chunk, lane]`.
    sums: Vec<f32>,
}

/// Weaves an input row; see [`Woven`].
pub(super) struct Weave<'a> {
    pub x: &'a [f32],
    /// Weights in a run.
    pub run_len: usize,
}

impl Kernel for Weave<'_> {
    type Output = Woven;

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) -> Woven {
        match self.run_len {
            4 => self.with_run_len::<L, 4>(),
            _ => self.with_run_len::<L, 8>(),
        }
    }
}

impl Weave<'_> {
    #[inline(always)]
    fn with_run_len<L: Lanes, const RUN: usize>(self) -> Woven {
        let n_chunks = self.x.len().div_ceil(RUN * L::WIDTH);
        let mut values = vec![0.0; n_chunks * RUN * L::WIDTH];
        let mut sums = vec![0.0; n_chunks * L::WIDTH];
        let chunks = self
            .x
            .chunks(RUN * L::WIDTH)
            .zip(values.chunks_exact_mut(RUN * L::WIDTH));
        for ((from, to), sums) in chunks.zip(sums.chunks_exact_mut(L::WIDTH)) {
            for (lane, (run, sum)) in from.as_chunks::<RUN>().0.iter().zip(sums).enumerate() {
                for (i, &value) in run.iter().enumerate() {
                    to[i * L::WIDTH + lane] = value;
                    *sum += value;
                }
            }
        }
        Woven { values, sums }
    }
}

/// Rows times one woven input row.
///
/// Per group, `Σ (scale * q + bias) * x` is `scale * Σ q * x + bias * Σ x`. The kernel has `f = 1 + q / 2^bits` in place of `q`:
/// it begins every sum of products with `-Σ x` to take the 1 away, and multiplies by `2^bits`, which is exact, at the end.
pub(super) struct DotRows<'a> {
    matrix: PackedMatrix<'a>,
    rows: Range<usize>,
    x: &'a Woven,
    out: &'a mut [f32],
}

impl<'a> DotRows<'a> {
    /// The caller has checked that the rows exist, that `out` is as long, and that `x` was woven from a row as wide as the matrix,
    /// for its run length and for the instructions that the kernel will run on.
    pub fn new(
        matrix: PackedMatrix<'a>,
        rows: Range<usize>,
        x: &'a Woven,
        out: &'a mut [f32],
    ) -> Self {
        Self {
            matrix,
            rows,
            x,
            out,
        }
    }
}

impl Kernel for DotRows<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        // SAFETY: the matrix has these bits, and the processor these instructions.
        unsafe {
            match self.matrix.bits() {
                2 => self.with_bits::<L, 2, 2, 8>(),
                3 => self.with_bits::<L, 3, 3, 8>(),
                4 => self.with_bits::<L, 4, 4, 8>(),
                6 => self.with_bits::<L, 6, 3, 4>(),
                _ => self.with_bits::<L, 8, 4, 4>(),
            }
        }
    }
}

impl DotRows<'_> {
    #[inline(always)]
    unsafe fn with_bits<L: Lanes, const BITS: usize, const BYTES: usize, const RUN: usize>(self) {
        // SAFETY: the matrix has this group size.
        unsafe {
            match self.matrix.group_size() {
                32 => self.with_group::<L, BITS, BYTES, RUN, 32>(),
                64 => self.with_group::<L, BITS, BYTES, RUN, 64>(),
                _ => self.with_group::<L, BITS, BYTES, RUN, 128>(),
            }
        }
    }

    /// Two rows at a time: they share the loads of the input, and their sums do not wait for one another.
    #[inline(always)]
    unsafe fn with_group<
        L,
        const BITS: usize,
        const BYTES: usize,
        const RUN: usize,
        const GROUP: usize,
    >(
        self,
    ) where
        L: Lanes,
    {
        const R: usize = 2;
        let start = self.rows.start;
        let stride = self.out.len() / R;
        // SAFETY: sizes were checked before the kernel was made.
        unsafe {
            for i in 0..stride {
                let sums = Row::<L, BITS, BYTES, RUN, GROUP>::dot::<R>(
                    &self.matrix,
                    start + i,
                    stride,
                    self.x,
                );
                for (r, sum) in sums.into_iter().enumerate() {
                    self.out[r * stride + i] = sum;
                }
            }
            for i in R * stride..self.out.len() {
                [self.out[i]] =
                    Row::<L, BITS, BYTES, RUN, GROUP>::dot(&self.matrix, start + i, 0, self.x);
            }
        }
    }
}

/// A row under way: `RUN` weights in a run, which is `BYTES` bytes.
#[derive(Clone, Copy)]
struct Row<L, const BITS: usize, const BYTES: usize, const RUN: usize, const GROUP: usize> {
    words: *const u8,
    scales: *const f32,
    biases: *const f32,
    /// `scale * Σ q * x`, divided by `2^bits`.
    scaled: L,
    /// `bias * Σ x`.
    offset: L,
}

// Loops and no closures: a closure would be a function without the instructions of `L`.
impl<L, const BITS: usize, const BYTES: usize, const RUN: usize, const GROUP: usize>
    Row<L, BITS, BYTES, RUN, GROUP>
where
    L: Lanes,
{
    /// Weights in a register full of runs.
    const CHUNK: usize = L::WIDTH * RUN;

    #[inline(always)]
    unsafe fn new(matrix: &PackedMatrix<'_>, row: usize) -> Self {
        // SAFETY: the row exists.
        unsafe {
            let (words, scales, biases) = matrix.row(row);
            Self {
                words,
                scales,
                biases,
                scaled: L::splat(0.0),
                offset: L::splat(0.0),
            }
        }
    }

    /// The products of `R` rows, from `row`, with the input.
    #[inline(always)]
    unsafe fn dot<const R: usize>(
        matrix: &PackedMatrix<'_>,
        row: usize,
        stride: usize,
        x: &Woven,
    ) -> [f32; R] {
        // SAFETY: the rows exist, and `x` is as wide as they are.
        unsafe {
            let mut rows = [Self::new(matrix, row); R];
            for (r, of_row) in rows.iter_mut().enumerate() {
                *of_row = Self::new(matrix, row + r * stride);
            }
            let n_runs = matrix.n_in() / RUN;
            let (n_chunks, rest) = (n_runs / L::WIDTH, n_runs % L::WIDTH);
            for at in 0..n_chunks {
                Self::chunk(&mut rows, x, at, L::WIDTH);
            }
            if rest > 0 {
                Self::chunk(&mut rows, x, n_chunks, rest);
            }
            let mut out = [0.0; R];
            for (out, row) in out.iter_mut().zip(rows) {
                *out = row
                    .scaled
                    .mul_add(L::splat((1_u32 << BITS) as f32), row.offset)
                    .sum();
            }
            out
        }
    }

    /// Chunk number `at`, whose first `n_lanes` lanes hold runs.
    #[inline(always)]
    unsafe fn chunk<const R: usize>(rows: &mut [Self; R], x: &Woven, at: usize, n_lanes: usize) {
        // SAFETY: the chunk lies in the rows and in the input.
        unsafe {
            let sums = L::load(x.sums.as_ptr().add(at * L::WIDTH));
            let mut runs = [rows[0].runs(at, n_lanes); R];
            for (runs, row) in runs.iter_mut().zip(&*rows) {
                *runs = row.runs(at, n_lanes);
            }
            let mut products = [sums.mul_add(L::splat(-1.0), L::splat(0.0)); R];
            for i in 0..RUN {
                let value = L::load(x.values.as_ptr().add(at * Self::CHUNK + i * L::WIDTH));
                for (products, &runs) in products.iter_mut().zip(&runs) {
                    *products = L::fraction::<BITS>(runs, i).mul_add(value, *products);
                }
            }
            // A group is part of a chunk, or a chunk part of a group.
            let (group, lanes_each) = (at * Self::CHUNK / GROUP, GROUP / RUN);
            let n_groups = n_lanes.div_ceil(lanes_each);
            for (row, products) in rows.iter_mut().zip(products) {
                let scale = L::spread(row.scales.add(group), n_groups, lanes_each);
                let bias = L::spread(row.biases.add(group), n_groups, lanes_each);
                row.scaled = products.mul_add(scale, row.scaled);
                row.offset = sums.mul_add(bias, row.offset);
            }
        }
    }

    /// The runs of chunk number `at`.
    #[inline(always)]
    unsafe fn runs(&self, at: usize, n_lanes: usize) -> L::Runs {
        // SAFETY: the chunk lies in the row.
        unsafe {
            let words = self.words.add(at * L::WIDTH * BYTES);
            L::load_runs::<BYTES>(words, n_lanes)
        }
    }
}
