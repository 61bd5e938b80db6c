//! A product of a few rows with a matrix whose rows lie across the axis that is summed over, such as `pattern @ v`.

use super::blas::Product;
use super::instructions::Kernel;
use super::lanes::Lanes;

/// Columns `first..first + n` of a product, as sums of scaled rows of `b`.
pub(super) struct RowSums<'a> {
    pub product: &'a Product,
    pub first: usize,
    pub n: usize,
}

impl Kernel for RowSums<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        for i in 0..self.product.m {
            let mut j = self.first;
            let end = self.first + self.n;
            // SAFETY: columns below `end` exist.
            unsafe {
                while j + 4 * L::WIDTH <= end {
                    self.strip::<L, 4>(i, j, L::WIDTH);
                    j += 4 * L::WIDTH;
                }
                while j < end {
                    let n = L::WIDTH.min(end - j);
                    self.strip::<L, 1>(i, j, n);
                    j += n;
                }
            }
        }
    }
}

impl RowSums<'_> {
    /// Row `i`, columns from `j`: `R` registers, of which the last has `last` columns.
    #[inline(always)]
    unsafe fn strip<L: Lanes, const R: usize>(&self, i: usize, j: usize, last: usize) {
        let Product { k, a, b, .. } = *self.product;
        // SAFETY: row `i` of `a` and these columns of `b` exist; a register that is not full is read and written by value.
        unsafe {
            let mut sums = [L::splat(0.0); R];
            let (mut x, mut row) = (
                a.start.offset(i as isize * a.row),
                b.start.offset(j as isize * b.column),
            );
            for _ in 0..k {
                let factor = L::splat(*x);
                for (r, sum) in sums.iter_mut().enumerate() {
                    let from = row.add(r * L::WIDTH);
                    let values = if last == L::WIDTH {
                        L::load(from)
                    } else {
                        L::load_tail(from, last)
                    };
                    *sum = values.mul_add(factor, *sum);
                }
                x = x.wrapping_offset(a.column);
                row = row.wrapping_offset(b.row);
            }
            for (r, sum) in sums.into_iter().enumerate() {
                let mut values = [0.0; 16];
                sum.store(values.as_mut_ptr());
                for (lane, value) in values.iter().take(last).enumerate() {
                    self.product.write(i, j + r * L::WIDTH + lane, *value);
                }
            }
        }
    }
}
