//! Values: what expressions are worth.

use std::fmt;
use std::sync::Arc;

use crate::trace::HostTensor;

/// The value of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// True or false.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// Numbers in rows.
    Grid(Grid),
    /// Anything else in order.
    List(Arc<[Value]>),
}

/// Numbers in rows: a list, a table, a tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    shape: Vec<usize>,
    values: Arc<[f64]>,
}

impl Grid {
    /// `None` if the values do not fill the shape.
    #[must_use]
    pub fn new(shape: Vec<usize>, values: impl Into<Arc<[f64]>>) -> Option<Self> {
        let values = values.into();
        let n = shape
            .iter()
            .try_fold(1_usize, |n, dim| n.checked_mul(*dim))?;
        (n == values.len()).then_some(Self { shape, values })
    }

    /// One row.
    #[must_use]
    pub fn row(values: impl Into<Arc<[f64]>>) -> Self {
        let values = values.into();
        Self {
            shape: vec![values.len()],
            values,
        }
    }

    /// Its shape; never empty.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Its numbers, row by row.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Each number changed.
    #[must_use]
    pub fn map(&self, change: impl Fn(f64) -> f64) -> Self {
        Self {
            shape: self.shape.clone(),
            values: self.values.iter().map(|x| change(*x)).collect(),
        }
    }

    /// Both numbers at each place made one; `None` if the shapes differ.
    #[must_use]
    pub fn zip(&self, other: &Self, join: impl Fn(f64, f64) -> f64) -> Option<Self> {
        let pairs = self.values.iter().zip(other.values.iter());
        (self.shape == other.shape).then(|| Self {
            shape: self.shape.clone(),
            values: pairs.map(|(a, b)| join(*a, *b)).collect(),
        })
    }

    /// What stands at a place along the first axis; `None` beyond it.
    #[must_use]
    pub fn at(&self, place: usize) -> Option<Value> {
        let (first, inner) = self.shape.split_first()?;
        let width: usize = inner.iter().product();
        if place >= *first {
            return None;
        }
        let values = self.values.get(place * width..(place + 1) * width)?;
        Some(match (inner, values) {
            ([], [value]) => Value::Number(*value),
            _ => Value::Grid(Self {
                shape: inner.to_vec(),
                values: values.into(),
            }),
        })
    }

    /// The place of the largest number (of the first one, if several are equal), along every axis.
    #[must_use]
    pub fn place_of(&self, is_better: impl Fn(f64, f64) -> bool) -> Option<Vec<usize>> {
        let mut best: Option<(usize, f64)> = None;
        for (flat, value) in self.values.iter().enumerate() {
            if !value.is_nan() && best.is_none_or(|(_, found)| is_better(*value, found)) {
                best = Some((flat, *value));
            }
        }
        let (mut flat, _) = best?;
        let mut place = vec![0; self.shape.len()];
        for (at, dim) in place.iter_mut().zip(&self.shape).rev() {
            *at = flat % dim;
            flat /= dim;
        }
        Some(place)
    }
}

impl From<&HostTensor> for Value {
    /// A tensor without axes is a number.
    fn from(tensor: &HostTensor) -> Self {
        let values: Arc<[f64]> = tensor.values().iter().map(|x| f64::from(*x)).collect();
        match (tensor.shape(), &*values) {
            ([], [value]) => Self::Number(*value),
            (shape, _) => Self::Grid(Grid {
                shape: shape.to_vec(),
                values,
            }),
        }
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(number as f64)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Vec<f64>> for Value {
    fn from(numbers: Vec<f64>) -> Self {
        Self::Grid(Grid::row(numbers))
    }
}

impl FromIterator<Value> for Value {
    /// Numbers become a row, rows of one shape a table, all else a list.
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        let items: Vec<Value> = items.into_iter().collect();
        stacked(&items).unwrap_or_else(|| Self::List(items.into()))
    }
}

fn stacked(items: &[Value]) -> Option<Value> {
    let mut shape: Option<&[usize]> = None;
    let mut values = Vec::new();
    for item in items {
        let (own, numbers): (&[usize], &[f64]) = match item {
            Value::Number(number) => (&[], std::slice::from_ref(number)),
            Value::Grid(grid) => (&grid.shape, &grid.values),
            _ => return None,
        };
        if shape.is_some_and(|shape| shape != own) {
            return None;
        }
        shape = Some(own);
        values.extend_from_slice(numbers);
    }
    let shape = std::iter::once(items.len()).chain(shape.unwrap_or(&[]).iter().copied());
    Grid::new(shape.collect(), values).map(Value::Grid)
}

impl Value {
    /// What it is, in words.
    #[must_use]
    pub fn kind(&self) -> String {
        match self {
            Self::Bool(_) => "a yes or no".to_owned(),
            Self::Number(_) => "a number".to_owned(),
            Self::Text(_) => "a text".to_owned(),
            Self::List(items) => format!("a list of {}", items.len()),
            Self::Grid(grid) => match grid.shape() {
                [n] => format!("a list of {n} numbers"),
                shape => format!("numbers of shape {shape:?}"),
            },
        }
    }

    /// The number, if it is one.
    ///
    /// # Errors
    /// If it is something else.
    pub fn number(&self) -> Result<f64, String> {
        match self {
            Self::Number(number) => Ok(*number),
            other => Err(format!("expected a number, not {}", other.kind())),
        }
    }

    /// The number as a count or a place.
    ///
    /// # Errors
    /// If it is no whole number from 0 on.
    pub fn whole(&self) -> Result<usize, String> {
        let number = self.number()?;
        let is_whole = number >= 0.0 && number.fract() == 0.0 && number <= 1e9;
        let fail = || format!("expected a whole number from 0 on, not {number}");
        is_whole.then_some(number as usize).ok_or_else(fail)
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// If it is no yes or no.
    pub fn truth(&self) -> Result<bool, String> {
        match self {
            Self::Bool(value) => Ok(*value),
            other => Err(format!("expected a comparison, not {}", other.kind())),
        }
    }

    /// The text, if it is one.
    ///
    /// # Errors
    /// If it is something else.
    pub fn text(&self) -> Result<&str, String> {
        match self {
            Self::Text(text) => Ok(text),
            other => Err(format!("expected a text, not {}", other.kind())),
        }
    }

    /// Its elements.
    ///
    /// # Errors
    /// If it has none.
    pub fn items(&self) -> Result<Vec<Value>, String> {
        match self {
            Self::List(items) => Ok(items.to_vec()),
            Self::Grid(grid) => {
                let n = grid.shape().first().copied().unwrap_or_default();
                Ok((0..n).filter_map(|place| grid.at(place)).collect())
            }
            other => Err(format!("expected a list, not {}", other.kind())),
        }
    }

    /// The numbers as a grid; one number is a row of one.
    ///
    /// # Errors
    /// If there is something else among them.
    pub fn grid(&self) -> Result<Grid, String> {
        match self {
            Self::Number(number) => Ok(Grid::row([*number])),
            Self::Grid(grid) => Ok(grid.clone()),
            other => Err(format!("expected numbers, not {}", other.kind())),
        }
    }
}

/// As a lesson writes it: a whole number as it is, others with three digits that count.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(true) => f.write_str("yes"),
            Self::Bool(false) => f.write_str("no"),
            Self::Number(number) => f.write_str(&short(*number)),
            Self::Text(text) => f.write_str(text),
            Self::Grid(_) | Self::List(_) => {
                let items: Vec<String> = self
                    .items()
                    .unwrap_or_default()
                    .iter()
                    .map(Value::to_string)
                    .collect();
                f.write_str(&items.join(", "))
            }
        }
    }
}

/// `12`, `0.807`, `10.1`, `−3.2`, `1.2e-5`.
fn short(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    if !number.is_finite() {
        return if number > 0.0 {
            "∞"
        } else if number < 0.0 {
            "−∞"
        } else {
            "no number"
        }
        .to_owned();
    }
    let size = number.abs();
    let text = if number.fract() == 0.0 && size < 1e15 {
        format!("{size}")
    } else {
        match size {
            0.0..0.001 => format!("{size:.1e}"),
            0.001..1.0 => format!("{size:.3}"),
            1.0..10.0 => format!("{size:.2}"),
            10.0..100.0 => format!("{size:.1}"),
            _ => format!("{size:.0}"),
        }
    };
    if number < 0.0 {
        format!("−{text}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_rows_and_rows_a_table() {
        let row = |a: f64, b: f64| Value::from(vec![a, b]);
        let table: Value = [row(1.0, 2.0), row(3.0, 4.0)].into_iter().collect();
        let Value::Grid(grid) = table else {
            panic!("{table:?}")
        };
        assert_eq!(grid.shape(), [2, 2]);
        assert_eq!(grid.at(1), Some(row(3.0, 4.0)));
        assert_eq!(grid.place_of(|a, b| a > b), Some(vec![1, 1]));
        let mixed: Value = [Value::from(1.0), Value::from("a")].into_iter().collect();
        assert!(matches!(mixed, Value::List(_)));
    }

    #[test]
    fn numbers_are_written_short() {
        let written = [0.0, 12.0, 0.8071, 10.06, -3.25, 1.23e-5].map(short);
        assert_eq!(written, ["0", "12", "0.807", "10.1", "−3.25", "1.2e-5"]);
    }
}
