//! Pooled overviews: a map with more cells than pixels shows one number for many.
//!
//! Plain thinning would lose lines one cell wide. The overview therefore keeps the largest number
//! by size of each square (with its sign), or their mean.

use super::grid::{Grid, is_open};

/// What one dot of an overview stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Pool {
    /// The number of largest size, with its sign.
    #[default]
    Max,
    /// The mean of those that are not masked.
    Mean,
}

/// Part of a grid in cells: from `row`, `col` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// First row.
    pub row: usize,
    /// First column.
    pub col: usize,
    /// Rows.
    pub n_rows: usize,
    /// Columns.
    pub n_cols: usize,
}

impl Region {
    /// Cells in it.
    #[must_use]
    pub fn n_cells(&self) -> usize {
        self.n_rows * self.n_cols
    }

    /// Whether `other` lies inside it.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        self.row <= other.row
            && self.col <= other.col
            && other.row + other.n_rows <= self.row + self.n_rows
            && other.col + other.n_cols <= self.col + self.n_cols
    }
}

/// A part of a grid with one number for each square of `rows_per` × `cols_per` cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Pooled {
    /// Rows of squares.
    pub n_rows: usize,
    /// Columns of squares.
    pub n_cols: usize,
    /// Row by row; NaN where all cells are masked.
    pub values: Vec<f32>,
}

/// Pools `region` of `grid`. Squares at the far edges may hold fewer cells.
#[must_use]
pub fn pool(grid: &Grid, region: Region, rows_per: usize, cols_per: usize, how: Pool) -> Pooled {
    let (rows_per, cols_per) = (rows_per.max(1), cols_per.max(1));
    let n_rows = region.n_rows.div_ceil(rows_per);
    let n_cols = region.n_cols.div_ceil(cols_per);
    let mut values = Vec::with_capacity(n_rows * n_cols);
    let mut line = Line::new(n_cols, how);
    for first in (0..region.n_rows).step_by(rows_per) {
        line.clear();
        for row in first..(first + rows_per).min(region.n_rows) {
            let open = grid.row(region.row + row);
            let open = open.get(region.col..).unwrap_or_default();
            let open = open.get(..region.n_cols).unwrap_or(open);
            line.add(open, cols_per);
        }
        line.finish(&mut values);
    }
    Pooled {
        n_rows,
        n_cols,
        values,
    }
}

/// One line of squares under way.
struct Line {
    how: Pool,
    values: Vec<f32>,
    counts: Vec<u32>,
}

impl Line {
    fn new(n_cols: usize, how: Pool) -> Self {
        Self {
            how,
            values: vec![0.0; n_cols],
            counts: vec![0; n_cols],
        }
    }

    fn clear(&mut self) {
        self.values.fill(0.0);
        self.counts.fill(0);
    }

    fn add(&mut self, cells: &[f32], cols_per: usize) {
        let squares = self.values.iter_mut().zip(&mut self.counts);
        for ((value, count), cells) in squares.zip(cells.chunks(cols_per)) {
            for cell in cells.iter().copied().filter(|cell| is_open(*cell)) {
                *count += 1;
                match self.how {
                    Pool::Max if cell.abs() >= value.abs() => *value = cell,
                    Pool::Max => {}
                    Pool::Mean => *value += cell,
                }
            }
        }
    }

    fn finish(&self, into: &mut Vec<f32>) {
        let squares = self.values.iter().zip(&self.counts);
        into.extend(squares.map(|(value, count)| match (self.how, count) {
            (_, 0) => f32::NAN,
            (Pool::Max, _) => *value,
            (Pool::Mean, count) => value / *count as f32,
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(grid: &Grid) -> Region {
        Region {
            row: 0,
            col: 0,
            n_rows: grid.n_rows(),
            n_cols: grid.n_cols(),
        }
    }

    #[test]
    fn a_thin_line_survives_the_overview() {
        let mut values = vec![0.0; 64 * 64];
        for row in 0..64 {
            values[row * 64 + 37] = -0.9;
        }
        let grid = Grid::new(64, 64, values).unwrap();
        let small = pool(&grid, whole(&grid), 16, 16, Pool::Max);
        assert_eq!((small.n_rows, small.n_cols), (4, 4));
        assert_eq!(small.values[2], -0.9);
        assert_eq!(small.values[3], 0.0);
    }

    #[test]
    fn a_mean_leaves_masked_cells_out() {
        let grid = Grid::new(2, 2, vec![1.0, 9.0, 2.0, 3.0]).unwrap().causal(0);
        let mean = pool(&grid, whole(&grid), 2, 2, Pool::Mean);
        assert_eq!(mean.values, [2.0]);
    }

    #[test]
    fn what_is_all_masked_has_no_number() {
        let grid = Grid::new(4, 4, vec![0.5; 16]).unwrap().causal(0);
        let small = pool(&grid, whole(&grid), 2, 2, Pool::Max);
        assert_eq!(small.values[0], 0.5);
        assert!(small.values[1].is_nan());
    }

    #[test]
    fn a_region_is_cut_out_and_may_be_ragged() {
        let grid = Grid::new(3, 5, (0..15).map(|v| v as f32).collect()).unwrap();
        let region = Region {
            row: 1,
            col: 2,
            n_rows: 2,
            n_cols: 3,
        };
        let same = pool(&grid, region, 1, 1, Pool::Max);
        assert_eq!(same.values, [7.0, 8.0, 9.0, 12.0, 13.0, 14.0]);
        let small = pool(&grid, region, 2, 2, Pool::Max);
        assert_eq!(small.values, [13.0, 14.0]);
    }
}
