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
    n_in: usize,
    /// `[chunk, run_len, lane]`.
    values: Vec<f32>,
    /// Sum of each run, `[chunk, lane]`.
    sums: Vec<f32>,
}

impl Woven {
    /// Whether it was woven from a row of so many values.
    pub fn is_for(&self, n_in: usize) -> bool {
        self.n_in == n_in
    }
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
        Woven {
            n_in: self.x.len(),
            values,
            sums,
        }
    }
}

/// Rows times one woven input row.
///
/// Per group, `Σ (scale * q + bias) * x` is `scale * Σ q * x + bias * Σ x`. The kernel has `f = 1 + q / 2^bits` in place of `q`:
/// it begins every sum of products with `-Σ x` to take the 1 away, and multiplies by `2^bits`, which is exact, at the end.
///
/// Whoever makes one has checked that the rows exist, that `out` is as long, and that the input is as wide as the matrix.
pub(super) struct DotRows<'a> {
    pub matrix: &'a PackedMatrix<'a>,
    pub rows: Range<usize>,
    pub x: &'a Woven,
    /// Sums of the input's groups, followed by zeros up to a multiple of 16.
    pub group_sums: &'a [f32],
    pub out: &'a mut [f32],
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

// Loops and no closures: a closure would be a function without the instructions of `L`.
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

    /// A row from each part of the rows at a time: they share the loads of the input, and the processor's look-ahead follows each
    /// part from end to end.
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
        const PARTS: usize = 2;
        let (start, stride) = (self.rows.start, self.out.len() / PARTS);
        // SAFETY: the rows exist.
        unsafe {
            for i in 0..stride {
                let rows = [start + i, start + stride + i];
                let sums = self.dot::<L, BITS, BYTES, RUN, GROUP, PARTS>(rows);
                [self.out[i], self.out[stride + i]] = sums;
            }
            for i in PARTS * stride..self.out.len() {
                [self.out[i]] = self.dot::<L, BITS, BYTES, RUN, GROUP, 1>([start + i]);
            }
        }
    }

    #[inline(always)]
    unsafe fn dot<
        L: Lanes,
        const BITS: usize,
        const BYTES: usize,
        const RUN: usize,
        const GROUP: usize,
        const R: usize,
    >(
        &self,
        rows: [usize; R],
    ) -> [f32; R] {
        let n_runs = self.matrix.n_in() / RUN;
        let (n_chunks, rest) = (n_runs / L::WIDTH, n_runs % L::WIDTH);
        let mut out = [0.0; R];
        // SAFETY: the rows exist, and the input is as wide as they are.
        unsafe {
            let mut sums = [L::splat(0.0); R];
            for at in 0..n_chunks {
                self.chunk::<L, BITS, BYTES, RUN, GROUP, R>(rows, at, L::WIDTH, &mut sums);
            }
            if rest > 0 {
                self.chunk::<L, BITS, BYTES, RUN, GROUP, R>(rows, n_chunks, rest, &mut sums);
            }
            for ((out, row), sum) in out.iter_mut().zip(rows).zip(sums) {
                let offset = self.offset::<L>(row, self.matrix.n_in() / GROUP);
                *out = sum.mul_add(L::splat((1_u32 << BITS) as f32), offset).sum();
            }
        }
        out
    }

    /// `scale * Σ q * x / 2^bits` of a chunk of each row, whose first `n_lanes` lanes hold runs, added to `sums`.
    #[inline(always)]
    unsafe fn chunk<
        L: Lanes,
        const BITS: usize,
        const BYTES: usize,
        const RUN: usize,
        const GROUP: usize,
        const R: usize,
    >(
        &self,
        rows: [usize; R],
        at: usize,
        n_lanes: usize,
        sums: &mut [L; R],
    ) {
        let x = self.x.values.as_ptr().wrapping_add(at * RUN * L::WIDTH);
        // A group is part of a chunk, or a chunk part of a group.
        let (group, lanes_each) = (at * RUN * L::WIDTH / GROUP, GROUP / RUN);
        // SAFETY: the chunk lies in the rows and in the input.
        unsafe {
            let of_runs = L::load(self.x.sums.as_ptr().add(at * L::WIDTH));
            let minus = of_runs.mul_add(L::splat(-1.0), L::splat(0.0));
            for (row, sum) in rows.into_iter().zip(sums) {
                let (words, scales, _) = self.matrix.row(row);
                let runs = L::load_runs::<BYTES>(words.add(at * L::WIDTH * BYTES), n_lanes);
                let mut products = minus;
                for i in 0..RUN {
                    let x = L::load(x.add(i * L::WIDTH));
                    products = L::fraction::<BITS>(runs, i).mul_add(x, products);
                }
                let scale = L::spread(scales.add(group), n_lanes.div_ceil(lanes_each), lanes_each);
                *sum = products.mul_add(scale, *sum);
            }
        }
    }

    /// `bias * Σ x` of every group of a row, to be summed over the lanes.
    #[inline(always)]
    unsafe fn offset<L: Lanes>(&self, row: usize, n_groups: usize) -> L {
        let mut first = 0;
        // SAFETY: the row has `n_groups` biases, and the sums go on with zeros.
        unsafe {
            let mut offset = L::splat(0.0);
            while first < n_groups {
                let (_, _, biases) = self.matrix.row(row);
                let biases = L::load_tail(biases.add(first), (n_groups - first).min(L::WIDTH));
                offset = biases.mul_add(L::load(self.group_sums.as_ptr().add(first)), offset);
                first += L::WIDTH;
            }
            offset
        }
    }
}
