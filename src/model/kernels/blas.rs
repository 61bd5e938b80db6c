//! `cblas_sgemm` for MLX on Linux, in front of the slow one that its library brings.
//!
//! MLX's Linux library calls `cblas_sgemm` for its float32 products and leaves it to a reference BLAS (1 to 4 GFLOP/s). The dynamic
//! linker looks into the executable first, and the linker exports this symbol because a linked library refers to it: so a definition
//! here is enough, for the program and for its tests. [`sgemm_calls`] shows that it is really called.
//!
//! Three ways, as in `multiply`: rows of dot products where one side has few rows and both lie along the axis that is summed over;
//! sums of rows where one side has few rows and the other lies across it (`pattern @ v`); the `gemm` crate for everything else.

use std::os::raw::c_int;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::crew;
use super::instructions::{InstructionSet, run};
use super::multiply::max_several;
use super::row_sums::RowSums;
use super::tile::{DotTiles, Rows};

/// What multiplies float32 matrices here, for `bench`.
pub const BLAS_NAME: &str = "Vitrine (gemm 0.19)";

/// `CblasRowMajor` and `CblasNoTrans` of the C interface.
const ROW_MAJOR: c_int = 101;
const NO_TRANS: c_int = 111;

/// Up to this many rows of `a`, rows of `b` are summed without packing first.
const FEW_SUMS: usize = 2;
/// Multiplications that are done sooner on one thread than on several, whose threads may be asleep.
const ONE_THREAD: usize = 1 << 18;

static CALLS: AtomicU64 = AtomicU64::new(0);

/// How often MLX (or anyone) has called this `cblas_sgemm` since the program started.
pub fn sgemm_calls() -> u64 {
    CALLS.load(Relaxed)
}

/// A matrix in memory by the distances between neighbours, in values.
#[derive(Clone, Copy)]
pub(super) struct View<P> {
    pub start: P,
    /// From a row to the next.
    pub row: isize,
    /// From a column to the next.
    pub column: isize,
}

impl<P> View<P> {
    fn new(start: P, is_stored_by_rows: bool, leading: c_int) -> Self {
        let leading = leading as isize;
        let (row, column) = if is_stored_by_rows {
            (leading, 1)
        } else {
            (1, leading)
        };
        Self { start, row, column }
    }

    fn transposed(self) -> Self {
        Self {
            start: self.start,
            row: self.column,
            column: self.row,
        }
    }
}

/// `c = alpha * a @ b + beta * c`, `a` `[m, k]`, `b` `[k, n]`, `c` `[m, n]`.
#[derive(Clone, Copy)]
pub(super) struct Product {
    pub m: usize,
    n: usize,
    pub k: usize,
    alpha: f32,
    pub a: View<*const f32>,
    pub b: View<*const f32>,
    beta: f32,
    c: View<*mut f32>,
}

// SAFETY: the pointers are the C caller's; threads write to columns of their own.
unsafe impl Send for Product {}
// SAFETY: as above.
unsafe impl Sync for Product {}

/// The C interface's single-precision product, `C = alpha * op(A) @ op(B) + beta * C`.
///
/// With `beta` 0, `C` is not read. A negative size does nothing.
///
/// # Safety
/// As for every BLAS: the pointers are valid for matrices of these sizes and leading dimensions, and `C` overlaps neither input.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "the C interface has them")]
pub unsafe extern "C" fn cblas_sgemm(
    layout: c_int,
    trans_a: c_int,
    trans_b: c_int,
    m: c_int,
    n: c_int,
    k: c_int,
    alpha: f32,
    a: *const f32,
    lda: c_int,
    b: *const f32,
    ldb: c_int,
    beta: f32,
    c: *mut f32,
    ldc: c_int,
) {
    CALLS.fetch_add(1, Relaxed);
    let (Ok(m), Ok(n), Ok(k)) = (usize::try_from(m), usize::try_from(n), usize::try_from(k)) else {
        return;
    };
    let by_rows = layout == ROW_MAJOR;
    let product = Product {
        m,
        n,
        k,
        alpha,
        a: View::new(a, by_rows == (trans_a == NO_TRANS), lda),
        b: View::new(b, by_rows == (trans_b == NO_TRANS), ldb),
        beta,
        c: View::new(c, by_rows, ldc),
    };
    // SAFETY: the caller vouches for the matrices.
    unsafe { product.compute(InstructionSet::best()) }
}

impl Product {
    /// The same product seen from the other side: `c^T = b^T @ a^T`.
    fn transposed(self) -> Self {
        Self {
            m: self.n,
            n: self.m,
            a: self.b.transposed(),
            b: self.a.transposed(),
            c: self.c.transposed(),
            ..self
        }
    }

    unsafe fn compute(self, set: InstructionSet) {
        if self.m == 0 || self.n == 0 {
            return;
        }
        let few = if self.m <= self.n {
            self
        } else {
            self.transposed()
        };
        // Where rows are short, the sum over the lanes at the end of each costs too much.
        let few_dots = max_several(set).min(self.k / 4).max(1);
        // A lone value along an axis may be given any distance to the next.
        let a_runs_along_k = few.a.column == 1 || few.k == 1;
        let b_runs_along_k = few.b.row == 1 || few.k == 1;
        let b_runs_along_n = few.b.column == 1 || few.n == 1;
        // SAFETY: the caller vouches for the matrices; each way needs what its condition says.
        unsafe {
            if self.k == 0 || self.alpha == 0.0 {
                self.only_beta();
            } else if few.m <= few_dots && a_runs_along_k && b_runs_along_k {
                few.by_dots(set);
            } else if few.m <= FEW_SUMS && b_runs_along_n {
                few.by_sums(set);
            } else {
                few.by_gemm();
            }
        }
    }

    /// `alpha * sum + beta * c` for one value.
    #[inline(always)]
    pub unsafe fn write(&self, i: usize, j: usize, sum: f32) {
        // SAFETY: `i < m` and `j < n`.
        unsafe {
            let c = self
                .c
                .start
                .offset(i as isize * self.c.row + j as isize * self.c.column);
            // By the rules of BLAS a C full of NaN must vanish under beta = 0.
            *c = if self.beta == 0.0 {
                self.alpha * sum
            } else {
                self.alpha * sum + self.beta * *c
            };
        }
    }

    unsafe fn only_beta(&self) {
        for i in 0..self.m {
            for j in 0..self.n {
                // SAFETY: inside the matrix.
                unsafe { self.write(i, j, 0.0) };
            }
        }
    }

    /// Shares the columns out among threads, in runs of at least `least`, a multiple of a cache line: `work(first, n)`.
    fn over_columns(&self, least: usize, work: impl Fn(usize, usize) + Sync) {
        let total = self.m * self.n * self.k;
        if total <= ONE_THREAD {
            return work(0, self.n);
        }
        let n_tasks = (2 * total / ONE_THREAD).min(4 * crew::n_threads());
        let width = self.n.div_ceil(n_tasks).next_multiple_of(least);
        crew::run(self.n.div_ceil(width), &|task| {
            let first = task * width;
            work(first, width.min(self.n - first));
        });
    }

    /// Few rows of `a` with the columns of `b`, both contiguous along `k`.
    unsafe fn by_dots(self, set: InstructionSet) {
        self.over_columns(32, |first, n| {
            let tiles = DotTiles {
                weights: Rows {
                    start: self.b.start.wrapping_offset(first as isize * self.b.column),
                    stride: self.b.column,
                    count: n,
                },
                inputs: Rows {
                    start: self.a.start,
                    stride: self.a.row,
                    count: self.m,
                },
                len: self.k,
                // SAFETY: inside the matrix, and no other task has these columns.
                emit: |j, i, sum| unsafe { self.write(i, first + j, sum) },
            };
            run(set, tiles);
        });
    }

    /// Few rows of `a`: rows of `b`, contiguous along `n`, are scaled and summed.
    unsafe fn by_sums(self, set: InstructionSet) {
        self.over_columns(32, |first, n| {
            run(
                set,
                RowSums {
                    product: &self,
                    first,
                    n,
                },
            )
        });
    }

    /// Whatever is left, by the `gemm` crate: each thread takes columns of its own.
    unsafe fn by_gemm(self) {
        // Every thread packs all of `a`; with few columns that would not pay.
        // SAFETY: the columns exist.
        self.over_columns(64, |first, n| unsafe { self.gemm_columns(first, n) });
    }

    /// Columns `first..first + n`, on this thread.
    unsafe fn gemm_columns(&self, first: usize, n: usize) {
        let Self {
            m,
            k,
            alpha,
            a,
            b,
            beta,
            c,
            ..
        } = *self;
        let (first_b, first_c) = (first as isize * b.column, first as isize * c.column);
        // In `gemm`'s words alpha belongs to the destination and beta to the product.
        // SAFETY: the caller vouches for the matrices, and no other task has these columns.
        unsafe {
            gemm::gemm(
                m,
                n,
                k,
                c.start.offset(first_c),
                c.column,
                c.row,
                beta != 0.0,
                a.start,
                a.column,
                a.row,
                b.start.offset(first_b),
                b.column,
                b.row,
                beta,
                alpha,
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
    }
}
