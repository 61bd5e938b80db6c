//! Tables for people: columns in line, two spaces apart, no boxes.

use std::fmt;

/// A column and what stands above it.
#[derive(Debug, Clone, Copy)]
pub enum Column {
    /// Words.
    Left(&'static str),
    /// Numbers.
    Right(&'static str),
}

impl Column {
    fn title(self) -> &'static str {
        match self {
            Self::Left(title) | Self::Right(title) => title,
        }
    }
}

/// Rows of text under a line of titles; a table without titles has no such line.
#[derive(Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new<const N: usize>(columns: [Column; N]) -> Self {
        let titles: Vec<String> = columns
            .iter()
            .map(|column| column.title().to_owned())
            .collect();
        let has_titles = titles.iter().any(|title| !title.is_empty());
        Self {
            columns: columns.to_vec(),
            rows: if has_titles { vec![titles] } else { Vec::new() },
        }
    }

    /// Adds a row, one cell for each column.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.to_vec());
    }

    /// The widest cell of a column, in characters.
    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| self.width(column))
            .collect();
        for row in &self.rows {
            let mut line = String::new();
            for ((cell, column), &width) in row.iter().zip(&self.columns).zip(&widths) {
                match column {
                    Column::Left(_) => line.push_str(&format!("  {cell:<width$}")),
                    Column::Right(_) => line.push_str(&format!("  {cell:>width$}")),
                }
            }
            writeln!(formatter, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_left_and_numbers_right() {
        let mut table = Table::new([Column::Left("name"), Column::Right("n"), Column::Left("")]);
        table.row(["é".to_owned(), "10".to_owned(), String::new()]);
        table.row(["longer".to_owned(), "9".to_owned(), "note".to_owned()]);
        assert_eq!(
            table.to_string(),
            "  name     n\n  é       10\n  longer   9  note\n"
        );
    }
}
