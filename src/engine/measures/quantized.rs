//! Packed rows: see [`crate::trace::measure::quantized`].

use std::ops::Range;

use anyhow::{Context as _, Result, ensure};
use mlx_rs::Array;
use mlx_rs::ops::indexing::take_axis;

use super::contribution::weight_row;
use crate::engine::loaded::LoadedModel;
use crate::engine::watch::to_host;
use crate::model::linear::{Matrix, Quantized};
use crate::trace::measure::quantized::{
    PackedGroup, PackedRow, Reference, error, errors, groups_of, unpack,
};

/// The 16-bit copy of an embedded model, by its name.
#[must_use]
pub fn twin_of(model: &str) -> Option<&'static str> {
    (model == "classroom").then_some("classroom-16bit")
}

/// Row `row` of the quantized layer called `path`: the groups that `columns` touch (`None`: all),
/// and what rounding costs them, measured against `twin` where there is one.
///
/// # Errors
/// If there is no such layer, row or column, the layer is not quantized, or MLX fails.
pub fn quantized_row(
    loaded: &LoadedModel,
    path: &str,
    row: usize,
    columns: Option<Range<usize>>,
    twin: Option<&LoadedModel>,
) -> Result<PackedRow> {
    let part = loaded.model.part(path)?;
    let path = part.path.as_str();
    let Matrix::Quantized(matrix) = part.weight else {
        anyhow::bail!(
            "{path} is not quantized: its weights are {}",
            part.weight.format()
        );
    };
    let (n_rows, n_columns) = (part.weight.n_out(), part.weight.n_in());
    ensure!(
        row < n_rows,
        "{path} has {n_rows} rows, there is no row {row}"
    );
    let columns = columns.unwrap_or(0..n_columns);
    let fits = columns.start < columns.end && columns.end <= n_columns;
    ensure!(
        fits,
        "{path} has {n_columns} columns; {columns:?} does not lie within them"
    );
    let group_size = matrix.group_size as usize;
    let wanted = groups_of(&columns, group_size);
    let groups = groups(matrix, row, wanted.clone())?;
    let stored: Vec<f32> = groups
        .iter()
        .flat_map(|group| group.weights.clone())
        .collect();
    let bits = matrix.bits as usize;
    let of_twin = twin.and_then(|twin| Some((twin, twin.model.part(path).ok()?)));
    let (against, reference) = match of_twin {
        Some((twin, copy)) => {
            let whole = weight_row(copy.weight, row as u32)?;
            let span = wanted.start * group_size..(wanted.end * group_size).min(n_columns);
            let same = whole
                .get(span)
                .context("the 16-bit copy has other shapes")?
                .to_vec();
            (Reference::Twin(twin.label.clone()), same)
        }
        None => (Reference::Itself, stored.clone()),
    };
    Ok(PackedRow {
        path: path.to_owned(),
        row,
        bits,
        group_size,
        n_columns,
        stored: (against != Reference::Itself).then(|| error(bits, &stored, &reference)),
        errors: errors(&reference, group_size),
        groups,
        against,
    })
}

fn groups(matrix: &Quantized, row: usize, wanted: Range<usize>) -> Result<Vec<PackedGroup>> {
    let index = Array::from_slice(&[row as i32], &[1]);
    let words = take_axis(&matrix.words, &index, 0)?.to_vec_exact::<u32>()?; // [1, in * bits / 32]
    let scales = to_host(&take_axis(&matrix.scales, &index, 0)?)?; // [1, in / group_size]
    let biases = to_host(&take_axis(&matrix.biases, &index, 0)?)?; // [1, in / group_size]
    let (bits, group_size) = (matrix.bits as usize, matrix.group_size as usize);
    let words_per_group = group_size * bits / 32;
    let group = |number: usize| {
        let scale = *scales.values().get(number)?;
        let bias = *biases.values().get(number)?;
        let words = words
            .get(number * words_per_group..(number + 1) * words_per_group)?
            .to_vec();
        let numbers = unpack(&words, bits, group_size);
        Some(PackedGroup {
            first_column: number * group_size,
            scale,
            bias,
            words,
            weights: numbers
                .iter()
                .map(|q| scale * f32::from(*q) + bias)
                .collect(),
            numbers,
        })
    };
    let groups = wanted.map(group).collect::<Option<Vec<_>>>();
    groups.context("the packed words do not fill the row")
}
