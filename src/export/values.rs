//! Values for other programs: CSV for tables, npy for NumPy.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::trace::{HostTensor, Part};

/// Writes `part` of what stands at its address, `whole`, as the ending of `path` says: `.csv` or `.npy`.
///
/// # Errors
/// If it is another ending, the part lies outside, or the file cannot be written.
pub fn write_values(path: &Path, whole: &HostTensor, part: &Part) -> Result<()> {
    let value = part.cut(whole);
    let outside = || {
        format!(
            "{part} lies outside the value, whose shape is {:?}",
            whole.shape()
        )
    };
    let value = &value.with_context(outside)?;
    let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
    if ending == "npy" {
        return super::write(path, &npy(value));
    }
    if ending == "csv" {
        return super::write(path, csv(value, part).as_bytes());
    }
    bail!("values are saved as .csv or .npy, so give the file one of these endings")
}

/// One line per value of the last axis' rows: the index along the other axes, then the row.
///
/// The first line names the axes, and the places of the last one: `head,query_pos,0,1,2`. Numbers
/// are written so that reading them gives the same bits; a masked score is `-inf`.
#[must_use]
pub fn csv(value: &HostTensor, part: &Part) -> String {
    let shape = value.shape();
    let axes = part.axes();
    let first = |axis: usize| axes.get(axis).map_or(0, |axis| axis.first);
    let width = shape.last().copied().unwrap_or(1).max(1);
    let outer = shape.split_last().map_or(&[][..], |(_, outer)| outer);
    let mut text = String::new();
    for at in 0..outer.len() {
        let name = axes.get(at).map_or("axis", |axis| axis.name);
        let _ = write!(text, "{name},");
    }
    let columns = (0..width).map(|column| (first(outer.len()) + column).to_string());
    text.push_str(&columns.collect::<Vec<_>>().join(","));
    text.push('\n');
    for (row, values) in value.values().chunks(width).enumerate() {
        for (axis, place) in index_of(row, outer).into_iter().enumerate() {
            let _ = write!(text, "{},", first(axis) + place);
        }
        let numbers: Vec<String> = values.iter().map(|x| x.to_string()).collect();
        text.push_str(&numbers.join(","));
        text.push('\n');
    }
    text
}

/// Where row `row` stands along `outer`.
fn index_of(row: usize, outer: &[usize]) -> Vec<usize> {
    let mut left = row;
    let mut index: Vec<usize> = outer
        .iter()
        .rev()
        .map(|size| {
            let at = left % (*size).max(1);
            left /= (*size).max(1);
            at
        })
        .collect();
    index.reverse();
    index
}

/// NumPy's own format, version 1.0: a header padded to 64 bytes, then float32 in little-endian
/// order (numpy.lib.format).
#[must_use]
pub fn npy(value: &HostTensor) -> Vec<u8> {
    let sizes: Vec<String> = value.shape().iter().map(usize::to_string).collect();
    // A tuple of one needs its comma.
    let comma = if sizes.len() == 1 { "," } else { "" };
    let shape = format!("({}{comma})", sizes.join(", "));
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    const BEFORE: usize = 10; // the magic string, the version, the header's length
    while !(BEFORE + header.len() + 1).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(value.values().iter().flat_map(|x| x.to_le_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(shape: &[usize]) -> HostTensor {
        let n: usize = shape.iter().product();
        let values: Vec<f32> = (0..n).map(|x| x as f32 / 4.0).collect();
        HostTensor::new(shape.to_vec(), values).unwrap()
    }

    #[test]
    fn a_table_names_its_axes() {
        let part = "blocks.0.attn.hook_pattern[1]".parse().unwrap();
        let text = csv(&tensor(&[2, 3]), &part);
        assert_eq!(text, "query_pos,0,1,2\n0,0,0.25,0.5\n1,0.75,1,1.25\n");
        let whole = csv(
            &tensor(&[2, 2, 1]),
            &"blocks.0.attn.hook_q".parse().unwrap(),
        );
        assert_eq!(whole, "pos,head,0\n0,0,0\n0,1,0.25\n1,0,0.5\n1,1,0.75\n");
        let range = "blocks.0.attn.hook_pattern[1, 4..6]".parse().unwrap();
        let text = csv(&tensor(&[2, 1]), &range);
        assert_eq!(text, "query_pos,0\n4,0\n5,0.25\n");
    }

    #[test]
    fn an_npy_header_ends_at_a_multiple_of_64() {
        for shape in [&[][..], &[3], &[2, 3, 4], &[1_000, 1]] {
            let value = tensor(shape);
            let bytes = npy(&value);
            let length = u16::from_le_bytes([bytes[8], bytes[9]]) as usize;
            assert_eq!((10 + length) % 64, 0);
            assert_eq!(bytes.len(), 10 + length + value.n_bytes());
            assert_eq!(bytes[10 + length - 1], b'\n');
        }
    }
}
