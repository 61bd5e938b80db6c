//! What can be wrong with the sizes a caller gives.

use std::fmt;

/// A matrix or a slice whose size does not fit; nothing has been computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KernelError {
    /// The number of bits per weight is none of 2, 3, 4, 6 and 8.
    Bits(usize),
    /// The number of weights that share a scale is none of 32, 64 and 128.
    GroupSize(usize),
    /// A row of the matrix does not divide into whole groups.
    Ragged {
        /// Weights in a row.
        n_in: usize,
        /// Weights that share a scale.
        group_size: usize,
    },
    /// A slice has another length than its shape says.
    Length {
        /// Which slice.
        what: &'static str,
        /// Its length by the shape.
        expected: usize,
        /// Its length.
        found: usize,
    },
    /// The row asked for is not in the matrix.
    Row {
        /// The row asked for.
        row: usize,
        /// Rows in the matrix.
        n_out: usize,
    },
    /// Matrices that are multiplied with one input disagree on its width.
    Width {
        /// Width of the first matrix.
        expected: usize,
        /// Width of the one that differs.
        found: usize,
    },
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Bits(bits) => {
                write!(
                    f,
                    "{bits} bits per weight are not supported; use 2, 3, 4, 6 or 8"
                )
            }
            Self::GroupSize(size) => {
                write!(
                    f,
                    "a group size of {size} is not supported; use 32, 64 or 128"
                )
            }
            Self::Ragged { n_in, group_size } => {
                write!(
                    f,
                    "a row of {n_in} weights does not divide into groups of {group_size}"
                )
            }
            Self::Length {
                what,
                expected,
                found,
            } => {
                write!(
                    f,
                    "{what}: {expected} values expected by the shape, {found} found"
                )
            }
            Self::Row { row, n_out } => {
                write!(f, "row {row} asked of a matrix of {n_out} rows")
            }
            Self::Width { expected, found } => {
                write!(
                    f,
                    "matrices of width {expected} and {found} cannot share an input"
                )
            }
        }
    }
}

impl std::error::Error for KernelError {}

/// Checks the length of a slice against its shape.
pub(super) fn check_length(
    what: &'static str,
    found: usize,
    expected: Option<usize>,
) -> Result<(), KernelError> {
    // A shape whose product overflows cannot be matched by any slice.
    let expected = expected.unwrap_or(usize::MAX);
    if found == expected {
        Ok(())
    } else {
        Err(KernelError::Length {
            what,
            expected,
            found,
        })
    }
}

/// Checks that a matrix of `n_out` rows has a row `row`.
pub(super) fn check_row(row: usize, n_out: usize) -> Result<(), KernelError> {
    match row < n_out {
        true => Ok(()),
        false => Err(KernelError::Row { row, n_out }),
    }
}
