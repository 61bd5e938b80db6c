//! Parts of a weight matrix, as the floats that are multiplied.

use std::ops::Range;

use anyhow::{Context as _, Result, ensure};

use crate::engine::loaded::LoadedModel;
use crate::engine::watch::to_host;
use crate::model::linear::Matrix;
use crate::trace::HostTensor;
use crate::trace::measure::histogram::{Counter, Histogram, range_of};

/// Most values of one slice: 4 million are 16 MB.
const MOST_VALUES: usize = 4 << 20;

/// Rows that are turned into floats at once.
const ROWS_AT_ONCE: usize = 2048;

/// `rows` by `columns` of the matrix called `path`, `[row, column]`; `None` takes all of them.
///
/// # Errors
/// If there is no such matrix, the ranges do not lie within it, the slice is too large, or MLX
/// fails.
pub fn matrix_slice(
    loaded: &LoadedModel,
    path: &str,
    rows: Option<Range<usize>>,
    columns: Option<Range<usize>>,
) -> Result<HostTensor> {
    let part = loaded.model.part(path)?;
    let (n_out, n_in) = (part.weight.n_out(), part.weight.n_in());
    let (rows, columns) = (rows.unwrap_or(0..n_out), columns.unwrap_or(0..n_in));
    for (asked, size, what) in [(&rows, n_out, "rows"), (&columns, n_in, "columns")] {
        let fits = asked.start < asked.end && asked.end <= size;
        ensure!(
            fits,
            "{path} has {size} {what}: {asked:?} does not lie within them"
        );
    }
    let n_values = rows.len() * columns.len();
    ensure!(
        n_values <= MOST_VALUES,
        "{} by {} values are too many at once: ask for at most {MOST_VALUES}",
        rows.len(),
        columns.len()
    );
    let shape = vec![rows.len(), columns.len()];
    let mut values = Vec::with_capacity(n_values);
    each_row(part.weight, rows, |row| {
        values.extend_from_slice(row.get(columns.clone()).unwrap_or_default());
    })?;
    HostTensor::new(shape, values).context("the rows do not fill the slice")
}

/// The values of the whole matrix called `path`, counted in `n_bins` bins.
///
/// # Errors
/// If there is no such matrix, or MLX fails.
pub fn matrix_histogram(loaded: &LoadedModel, path: &str, n_bins: usize) -> Result<Histogram> {
    let part = loaded.model.part(path)?;
    let all = 0..part.weight.n_out();
    let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
    each_row(part.weight, all.clone(), |row| {
        let range = range_of(row);
        (low, high) = (low.min(range.0), high.max(range.1));
    })?;
    let mut counter = Counter::new(low, high, n_bins);
    each_row(part.weight, all, |row| counter.add(row))?;
    Ok(counter.finish())
}

/// Shows `rows` of a matrix one by one, a few of them as floats at a time.
fn each_row(matrix: &Matrix, rows: Range<usize>, mut show: impl FnMut(&[f32])) -> Result<()> {
    let ids: Vec<u32> = (rows.start as u32..rows.end as u32).collect();
    for ids in ids.chunks(ROWS_AT_ONCE) {
        let floats = to_host(&matrix.rows(ids)?)?; // [row, in]
        let width = matrix.n_in().max(1);
        floats.values().chunks_exact(width).for_each(&mut show);
    }
    Ok(())
}
