//! The arguments of a function, each as what it must be.

use super::super::{Grid, Value};

pub(super) fn arg(args: &[Value], place: usize) -> Result<&Value, String> {
    let missing = || format!("argument {} is missing", place + 1);
    args.get(place).ok_or_else(missing)
}

pub(super) fn number(args: &[Value], place: usize) -> Result<f64, String> {
    arg(args, place)?.number()
}

pub(super) fn whole(args: &[Value], place: usize) -> Result<usize, String> {
    arg(args, place)?.whole()
}

pub(super) fn text(args: &[Value], place: usize) -> Result<&str, String> {
    arg(args, place)?.text()
}

pub(super) fn grid(args: &[Value], place: usize) -> Result<Grid, String> {
    arg(args, place)?.grid()
}

pub(super) fn items(args: &[Value], place: usize) -> Result<Vec<Value>, String> {
    arg(args, place)?.items()
}
