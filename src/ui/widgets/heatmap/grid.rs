//! The numbers of a map: a rectangle of a tensor, and what of it is masked.

use crate::trace::HostTensor;

/// Rows and columns of numbers, shared with the tensor they come from.
///
/// A number that is NaN or −∞ is drawn as masked, wherever it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    tensor: HostTensor,
    offset: usize,
    stride: usize,
    n_rows: usize,
    n_cols: usize,
    causal_from: Option<usize>,
}

impl Grid {
    /// The whole of a tensor `[row, col]`; `None` if it has another number of axes.
    #[must_use]
    pub fn of(tensor: &HostTensor) -> Option<Self> {
        Self::inside(tensor, &[])
    }

    /// What stands at `index` along the first axes, if that is `[row, col]`: one head of a pattern
    /// `[head, query_pos, key_pos]`, say.
    #[must_use]
    pub fn inside(tensor: &HostTensor, index: &[usize]) -> Option<Self> {
        let [n_rows, n_cols] = *tensor.shape().get(index.len()..)? else {
            return None;
        };
        tensor.at(index)?;
        let place = (index.iter().zip(tensor.shape())).fold(0, |at, (i, dim)| at * dim + i);
        Some(Self {
            tensor: tensor.clone(),
            offset: place * n_rows * n_cols,
            stride: n_cols,
            n_rows,
            n_cols,
            causal_from: None,
        })
    }

    /// One head of `[pos, head, head_dim]`: a row per position.
    #[must_use]
    pub fn head(tensor: &HostTensor, head: usize) -> Option<Self> {
        let [n_rows, n_heads, n_cols] = *tensor.shape() else {
            return None;
        };
        (head < n_heads).then(|| Self {
            tensor: tensor.clone(),
            offset: head * n_cols,
            stride: n_heads * n_cols,
            n_rows,
            n_cols,
            causal_from: None,
        })
    }

    /// A grid of its own numbers, row by row; `None` if they do not fill it.
    #[must_use]
    pub fn new(n_rows: usize, n_cols: usize, values: Vec<f32>) -> Option<Self> {
        Self::of(&HostTensor::new(vec![n_rows, n_cols], values)?)
    }

    /// Masks the columns after each row's own position; the first row stands at `start`.
    #[must_use]
    pub fn causal(mut self, start: usize) -> Self {
        self.causal_from = Some(start);
        self
    }

    /// Rows.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Columns.
    #[must_use]
    pub fn n_cols(&self) -> usize {
        self.n_cols
    }

    /// Columns of `row` that are not masked: those from the left.
    #[must_use]
    pub fn n_open(&self, row: usize) -> usize {
        let own = self.causal_from.map(|start| start + row + 1);
        own.map_or(self.n_cols, |own| own.min(self.n_cols))
    }

    /// The open columns of a row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f32] {
        let start = self.offset + row * self.stride;
        let end = start + self.n_open(row);
        self.tensor.values().get(start..end).unwrap_or_default()
    }

    /// One number; `None` where it is masked or beyond the grid.
    #[must_use]
    pub fn value(&self, row: usize, col: usize) -> Option<f32> {
        let value = *self.row(row).get(col)?;
        (row < self.n_rows && is_open(value)).then_some(value)
    }

    /// Every open number.
    pub fn values(&self) -> impl Iterator<Item = f32> {
        let rows = (0..self.n_rows).flat_map(|row| self.row(row));
        rows.copied().filter(|value| is_open(*value))
    }

    /// The largest size of an open number.
    #[must_use]
    pub fn largest(&self) -> f32 {
        self.values()
            .map(f32::abs)
            .filter(|size| size.is_finite())
            .fold(0.0, f32::max)
    }

    /// The largest open number of the columns from `first` on: a scale that leaves a sink out.
    #[must_use]
    pub fn largest_from(&self, first: usize) -> f32 {
        let rows = (0..self.n_rows).flat_map(|row| self.row(row).iter().skip(first));
        let sizes = rows
            .filter(|value| is_open(**value))
            .map(|value| value.abs());
        sizes.filter(|size| size.is_finite()).fold(0.0, f32::max)
    }

    /// Whether both show the same numbers of the same tensor, without comparing them one by one.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        std::ptr::eq(self.tensor.values(), other.tensor.values())
            && self.offset == other.offset
            && self.stride == other.stride
            && (self.n_rows, self.n_cols) == (other.n_rows, other.n_cols)
            && self.causal_from == other.causal_from
    }
}

/// Whether a number is one that can be shown.
pub(super) fn is_open(value: f32) -> bool {
    !value.is_nan() && value != f32::NEG_INFINITY
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::counting;

    #[test]
    fn a_head_is_cut_from_either_layout() {
        let pattern = counting(&[2, 3, 4]);
        let grid = Grid::inside(&pattern, &[1]).unwrap();
        assert_eq!((grid.n_rows(), grid.n_cols()), (3, 4));
        assert_eq!(grid.value(2, 3), Some(23.0));
        let queries = counting(&[3, 2, 4]);
        let grid = Grid::head(&queries, 1).unwrap();
        assert_eq!(grid.row(1), [12.0, 13.0, 14.0, 15.0]);
        assert!(Grid::head(&queries, 2).is_none());
        assert!(Grid::of(&queries).is_none());
    }

    #[test]
    fn the_mask_closes_what_comes_later() {
        let grid = Grid::of(&counting(&[3, 3])).unwrap().causal(0);
        assert_eq!(grid.value(0, 0), Some(0.0));
        assert_eq!(grid.value(0, 1), None);
        assert_eq!(grid.values().count(), 6);
        let decode = Grid::of(&counting(&[1, 3])).unwrap().causal(2);
        assert_eq!(decode.n_open(0), 3);
    }

    #[test]
    fn infinities_are_masked_and_do_not_set_the_scale() {
        let grid = Grid::new(1, 3, vec![1.0, f32::NEG_INFINITY, -2.0]).unwrap();
        assert_eq!(grid.value(0, 1), None);
        assert_eq!(grid.largest(), 2.0);
        assert_eq!(grid.largest_from(3), 0.0);
    }

    #[test]
    fn sameness_needs_the_same_tensor() {
        let tensor = counting(&[2, 2]);
        let (one, two) = (
            Grid::of(&tensor).unwrap(),
            Grid::of(&tensor.clone()).unwrap(),
        );
        assert!(one.is_same(&two));
        assert!(!one.is_same(&two.causal(0)));
        assert!(!one.is_same(&Grid::of(&counting(&[2, 2])).unwrap()));
    }
}
