//! Dot products of a few rows with a few rows: the common core of everything with more than one input row.
//!
//! Both sides lie in memory along the axis that is summed over, so nothing has to be rearranged. Each pair of rows has one register
//! of partial sums, and adds in the same order whatever the shape of the tile: the result of a pair depends on nothing but the pair.

use super::instructions::Kernel;
use super::lanes::Lanes;

/// Rows of float32 in memory, each contiguous.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    /// First value of the first row.
    pub start: *const f32,
    /// Values from one row's start to the next one's.
    pub stride: isize,
    /// How many rows.
    pub count: usize,
}

impl Rows {
    #[inline(always)]
    unsafe fn several<const N: usize>(self, first: usize) -> [*const f32; N] {
        // SAFETY: the caller asks for rows that exist.
        std::array::from_fn(|i| unsafe { self.start.offset((first + i) as isize * self.stride) })
    }
}

/// Every row of `weights` with every row of `inputs`; `emit(weight_row, input_row, dot product)`.
///
/// Whoever makes one vouches that all rows can be read for `len` values.
pub(super) struct DotTiles<E> {
    pub weights: Rows,
    pub inputs: Rows,
    /// Length of every row.
    pub len: usize,
    pub emit: E,
}

impl<E: FnMut(usize, usize, f32)> Kernel for DotTiles<E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(mut self) {
        let mut first = 0;
        while first < self.weights.count {
            // SAFETY: `first` plus the tile's height stays within the rows.
            unsafe {
                match (self.weights.count - first).min(L::TILE_WEIGHTS) {
                    4.. => {
                        self.across_inputs::<L, 4>(first);
                        first += 4;
                    }
                    2.. => {
                        self.across_inputs::<L, 2>(first);
                        first += 2;
                    }
                    _ => {
                        self.across_inputs::<L, 1>(first);
                        first += 1;
                    }
                }
            }
        }
    }
}

impl<E: FnMut(usize, usize, f32)> DotTiles<E> {
    /// `R` weight rows with all input rows, in tiles of about equal width.
    #[inline(always)]
    unsafe fn across_inputs<L: Lanes, const R: usize>(&mut self, weight: usize) {
        let n_tiles = self.inputs.count.div_ceil(L::TILE_INPUTS);
        let mut first = 0;
        for tile in 0..n_tiles {
            let n = (self.inputs.count - first).div_ceil(n_tiles - tile);
            // SAFETY: `first + n` stays within the rows; `n` is at most 6.
            unsafe {
                match n {
                    1 => self.tile::<L, R, 1>(weight, first),
                    2 => self.tile::<L, R, 2>(weight, first),
                    3 => self.tile::<L, R, 3>(weight, first),
                    4 => self.tile::<L, R, 4>(weight, first),
                    5 => self.tile::<L, R, 5>(weight, first),
                    _ => self.tile::<L, R, 6>(weight, first),
                }
            }
            first += n;
        }
    }

    /// `R` weight rows with `N` input rows.
    #[inline(always)]
    unsafe fn tile<L: Lanes, const R: usize, const N: usize>(
        &mut self,
        weight: usize,
        input: usize,
    ) {
        // SAFETY: the rows exist and hold `len` values, by the promise of whoever made `self`.
        unsafe {
            let weights = self.weights.several::<R>(weight);
            let inputs = self.inputs.several::<N>(input);
            let mut sums = [[L::splat(0.0); N]; R];
            let mut at = 0;
            while at + L::WIDTH <= self.len {
                step(&mut sums, &weights, &inputs, at, L::WIDTH);
                at += L::WIDTH;
            }
            if at < self.len {
                step(&mut sums, &weights, &inputs, at, self.len - at);
            }
            for (r, row) in sums.into_iter().enumerate() {
                for (n, sum) in row.into_iter().enumerate() {
                    (self.emit)(weight + r, input + n, sum.sum());
                }
            }
        }
    }
}

/// The `n` values at `at` of every row, a register's width or fewer: `R * N` multiplications for `R + N` loads.
// Loops and no closures: a closure would be a function without the instructions of `L`.
#[inline(always)]
unsafe fn step<L: Lanes, const R: usize, const N: usize>(
    sums: &mut [[L; N]; R],
    weights: &[*const f32; R],
    inputs: &[*const f32; N],
    at: usize,
    n: usize,
) {
    // SAFETY: every row has `n` values at `at`.
    unsafe {
        let mut w = [L::splat(0.0); R];
        for (w, row) in w.iter_mut().zip(weights) {
            *w = load(row.add(at), n);
        }
        for (i, row) in inputs.iter().enumerate() {
            let x = load(row.add(at), n);
            for (sums, w) in sums.iter_mut().zip(w) {
                sums[i] = w.mul_add(x, sums[i]);
            }
        }
    }
}

/// `n` values, and zeros where they do not fill the register.
#[inline(always)]
unsafe fn load<L: Lanes>(from: *const f32, n: usize) -> L {
    // SAFETY: the caller vouches for `n` values.
    unsafe {
        if n == L::WIDTH {
            L::load(from)
        } else {
            L::load_tail(from, n)
        }
    }
}
