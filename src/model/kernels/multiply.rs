//! `x @ W^T` for matrices that stay packed: one row, several rows, many rows.
//!
//! Three ways, because what costs differs:
//! - **one row** (a decode step): reading the weights from memory costs all; they are multiplied straight from their packed form.
//! - **several rows** (2 to [`max_several`]): a few weight rows at a time are expanded into the first-level cache, and used for
//!   every input row.
//! - **many rows** (a prefill): panels of weight rows are expanded into the cache, and the `gemm` crate multiplies.
//!
//! Each way adds in another order, so their results differ in the last bits (by less than 1e-5 of the largest output). Among one
//! and among several rows, a row's result depends on that row and the matrix alone, not on the rows or matrices that come with it;
//! among many, `gemm` may choose other block sizes for another number of rows. The same call on the same kind of processor gives the
//! same bits always, whatever the threads do.

use std::cell::RefCell;
use std::ops::Range;

use super::error::{KernelError, check_length};
use super::half::HalfMatrix;
use super::instructions::{InstructionSet, run};
use super::one_row::OneRow;
use super::packed::PackedMatrix;
use super::tasks::{Shared, panels, run_tasks, tasks};
use super::tile::{DotTiles, Rows};

/// Float32 values in a cache line.
const LINE: usize = 16;

/// The most input rows for which weights are expanded a few rows at a time instead of in panels.
///
/// Measured with 4864 x 896 and 896 x 4864 matrices. Beyond it the input rows no longer stay in the second-level cache.
pub const fn max_several(set: InstructionSet) -> usize {
    match set {
        InstructionSet::Avx512Vnni | InstructionSet::Avx512 => 64,
        InstructionSet::Avx2 => 32,
        InstructionSet::Portable => 8,
    }
}

thread_local! {
    /// Room for expanded rows, kept from call to call.
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// A weight matrix in one of the forms that the kernels read.
#[derive(Debug, Clone, Copy)]
pub enum Matrix<'a> {
    /// 2 to 8 bits per weight, with scales and biases.
    Packed(PackedMatrix<'a>),
    /// 16-bit floats.
    Half(HalfMatrix<'a>),
}

impl Matrix<'_> {
    /// Rows: outputs of the layer.
    pub fn n_out(&self) -> usize {
        match self {
            Self::Packed(matrix) => matrix.n_out(),
            Self::Half(matrix) => matrix.n_out(),
        }
    }

    /// Weights in a row: inputs of the layer.
    pub fn n_in(&self) -> usize {
        match self {
            Self::Packed(matrix) => matrix.n_in(),
            Self::Half(matrix) => matrix.n_in(),
        }
    }

    fn expand_rows(&self, set: InstructionSet, rows: Range<usize>, out: &mut [f32]) {
        match self {
            Self::Packed(matrix) => matrix.expand_rows(set, rows, out),
            Self::Half(matrix) => matrix.expand_rows(set, rows, out),
        }
    }

    fn dot_rows(&self, set: InstructionSet, rows: Range<usize>, x: &OneRow<'_>, out: &mut [f32]) {
        match self {
            Self::Packed(matrix) => matrix.dot_rows(rows, x, out),
            Self::Half(matrix) => matrix.dot_rows(set, rows, x, out),
        }
    }
}

/// Several products with the same input, in one go: each `out = x @ W^T`, `x` `[n_x, n_in]`, `out` `[n_x, n_out]`.
///
/// For the queries, keys and values of a layer, or gate and up: the threads are called together once instead of two or three times.
///
/// # Errors
/// If the matrices differ in width, the length of `x` is no multiple of it, or the length of an `out` does not fit.
pub fn multiply_many(parts: &mut [(Matrix<'_>, &mut [f32])], x: &[f32]) -> Result<(), KernelError> {
    multiply_with(InstructionSet::best(), parts, x)
}

/// [`multiply_many`] with given instructions.
pub(super) fn multiply_with(
    set: InstructionSet,
    parts: &mut [(Matrix<'_>, &mut [f32])],
    x: &[f32],
) -> Result<(), KernelError> {
    let Some(n_in) = parts.first().map(|(matrix, _)| matrix.n_in()) else {
        return Ok(());
    };
    let n_x = x.len().checked_div(n_in).unwrap_or(0);
    check_length("input", x.len(), n_x.checked_mul(n_in))?;
    for (matrix, out) in &*parts {
        if matrix.n_in() != n_in {
            return Err(KernelError::Width {
                expected: n_in,
                found: matrix.n_in(),
            });
        }
        check_length("output", out.len(), n_x.checked_mul(matrix.n_out()))?;
    }
    match n_x {
        0 => {}
        1 => one_row(set, parts, x),
        2.. if n_x <= max_several(set) => several_rows(set, parts, x, n_in),
        _ => many_rows(set, parts, x, n_in),
    }
    Ok(())
}

fn one_row(set: InstructionSet, parts: &mut [(Matrix<'_>, &mut [f32])], x: &[f32]) {
    let x = OneRow::new(set, x, parts);
    let n_matrices = parts.len();
    run_tasks(&tasks(parts, 1), n_matrices, &|task| {
        // SAFETY: `out` has a value for each row of the matrix, and no other task has these rows.
        let out = unsafe {
            std::slice::from_raw_parts_mut(task.out.at(task.rows.start), task.rows.len())
        };
        task.matrix.dot_rows(set, task.rows.clone(), &x, out);
    });
}

fn several_rows(
    set: InstructionSet,
    parts: &mut [(Matrix<'_>, &mut [f32])],
    x: &[f32],
    n_in: usize,
) {
    /// Weight rows that are expanded at a time: the tallest tile of any instruction set.
    const HEIGHT: usize = 4;
    let n_x = x.len() / n_in;
    let inputs = Shared::new(x.as_ptr().cast_mut()); // only read
    let n_matrices = parts.len();
    run_tasks(&tasks(parts, n_x), n_matrices, &|task| {
        with_scratch(HEIGHT * n_in, |scratch| {
            for start in task.rows.clone().step_by(HEIGHT) {
                let rows = start..(start + HEIGHT).min(task.rows.end);
                let expanded = &mut scratch[..rows.len() * n_in];
                task.matrix.expand_rows(set, rows.clone(), expanded);
                let n_out = task.matrix.n_out();
                let stride = n_in as isize;
                let tiles = DotTiles {
                    weights: Rows {
                        start: expanded.as_ptr(),
                        stride,
                        count: rows.len(),
                    },
                    inputs: Rows {
                        start: inputs.at(0),
                        stride,
                        count: n_x,
                    },
                    len: n_in,
                    // SAFETY: `out` is `[n_x, n_out]`, and no other task has these rows.
                    emit: |row, i, value| unsafe { *task.out.at(i * n_out + start + row) = value },
                };
                run(set, tiles);
            }
        });
    });
}

fn many_rows(set: InstructionSet, parts: &mut [(Matrix<'_>, &mut [f32])], x: &[f32], n_in: usize) {
    let n_x = x.len() / n_in;
    let inputs = Shared::new(x.as_ptr().cast_mut()); // only read
    let n_matrices = parts.len();
    run_tasks(&panels(parts), n_matrices, &|task| {
        with_scratch(task.rows.len() * n_in, |panel| {
            task.matrix.expand_rows(set, task.rows.clone(), panel);
            let sizes = [n_x, task.rows.len(), n_in];
            let columns = task.out.at(task.rows.start);
            // SAFETY: `x` is `[n_x, n_in]`, the panel `[rows, n_in]`, `out` `[n_x, n_out]`, and no other task has these columns.
            unsafe {
                multiply_floats(
                    sizes,
                    inputs.at(0),
                    panel.as_ptr(),
                    columns,
                    task.matrix.n_out(),
                    gemm::Parallelism::None,
                );
            }
        });
    });
}

/// `out = x @ w^T` on float32, `x` `[n_x, n_in]`, `w` `[n_w, n_in]`; a row of `out` begins every `stride` values.
///
/// # Safety
/// The pointers are valid for matrices of these sizes.
pub(super) unsafe fn multiply_floats(
    [n_x, n_w, n_in]: [usize; 3],
    x: *const f32,
    w: *const f32,
    out: *mut f32,
    stride: usize,
    threads: gemm::Parallelism,
) {
    let (across, along) = (n_in as isize, 1);
    // SAFETY: by this function's own contract.
    unsafe {
        gemm::gemm(
            n_x,
            n_w,
            n_in,
            out,
            1,
            stride as isize,
            false,
            x,
            along,
            across,
            w,
            across,
            along,
            0.0,
            1.0,
            false,
            false,
            false,
            threads,
        );
    }
}

/// Lends this thread's scratch memory, `len` values that begin with a cache line.
fn with_scratch(len: usize, work: impl FnOnce(&mut [f32])) {
    // Taken out, not borrowed: a nested call gets memory of its own instead of an error.
    let mut scratch = SCRATCH.take();
    if scratch.len() < len + LINE {
        scratch.resize(len + LINE, 0.0);
    }
    // Loads that straddle two cache lines take twice as long.
    let skipped = scratch
        .as_ptr()
        .align_offset(LINE * size_of::<f32>())
        .min(LINE);
    work(&mut scratch[skipped..skipped + len]);
    SCRATCH.set(scratch);
}
