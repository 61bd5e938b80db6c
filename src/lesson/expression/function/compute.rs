//! What several functions compute alike, and what takes more than a line.

use super::super::Value;
use super::super::numbers::{MOST_TEXT, shapes};
use super::args::{arg, grid, items, whole};

pub(super) fn fold(args: &[Value], start: f64, join: fn(f64, f64) -> f64) -> Result<Value, String> {
    let grid = grid(args, 0)?;
    if grid.values().is_empty() {
        return Err("the list is empty".to_owned());
    }
    Ok(Value::Number(
        grid.values().iter().copied().fold(start, join),
    ))
}

pub(super) fn each(args: &[Value], change: impl Fn(f64) -> f64) -> Result<Value, String> {
    match arg(args, 0)? {
        Value::Grid(grid) => Ok(Value::Grid(grid.map(change))),
        other => Ok(Value::Number(change(other.number()?))),
    }
}

pub(super) fn place(args: &[Value], is_better: fn(f64, f64) -> bool) -> Result<Value, String> {
    let place = grid(args, 0)?.place_of(is_better);
    let place = place.ok_or("the list is empty")?;
    match *place {
        [single] => Ok(Value::from(single)),
        _ => Ok(place.into_iter().map(Value::from).collect()),
    }
}

pub(super) fn count(args: &[Value]) -> Result<Value, String> {
    let is_true = |item: &Value| match item {
        Value::Number(number) => Ok(*number != 0.0),
        Value::Grid(_) => Err("expected a list, not a table".to_owned()),
        other => other.truth(),
    };
    let mut n_true = 0_usize;
    for item in items(args, 0)? {
        n_true += usize::from(is_true(&item)?);
    }
    Ok(Value::from(n_true))
}

pub(super) fn range(args: &[Value]) -> Result<Value, String> {
    let (from, to) = (whole(args, 0)?, whole(args, 1)?);
    if to.saturating_sub(from) > 10_000 {
        return Err("a range has at most 10,000 numbers".to_owned());
    }
    Ok(Value::from(
        (from..to).map(|n| n as f64).collect::<Vec<_>>(),
    ))
}

pub(super) fn dot(args: &[Value], a: usize, b: usize) -> Result<f64, String> {
    let (a, b) = (grid(args, a)?, grid(args, b)?);
    let products = a.zip(&b, |a, b| a * b).ok_or_else(|| shapes(&a, &b))?;
    Ok(products.values().iter().sum())
}

pub(super) fn softmax(args: &[Value]) -> Result<Value, String> {
    let grid = grid(args, 0)?;
    let largest = grid
        .values()
        .iter()
        .copied()
        .fold(f64::NEG_INFINITY, f64::max);
    let powers = grid.map(|x| (x - largest).exp());
    let total: f64 = powers.values().iter().sum();
    Ok(Value::Grid(powers.map(|x| x / total)))
}

pub(super) fn bounded(text: String) -> Result<Value, String> {
    match text.len() <= MOST_TEXT {
        true => Ok(Value::Text(text)),
        false => Err(format!("a text is at most {MOST_TEXT} bytes long")),
    }
}
