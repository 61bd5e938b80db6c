//! Python's methods and functions that templates call: `text.split(...)`, `mapping.items()`, `strftime_now(...)`.
//!
//! Most come from minijinja's `pycompat`; what it lacks is here. Each pays for its work before it runs.

use minijinja::value::{Tuple, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State, Value};
use minijinja_contrib::pycompat::unknown_method_callback;

use super::budget::{Budget, VALUE_BYTES, flat_bytes};

/// Largest width that a format such as `{:>80}` may ask for.
const MAX_FORMAT_WIDTH: usize = 1000;

/// Calls a Python method of a string, list or mapping.
///
/// # Errors
/// If there is no such method, its arguments are wrong, or the budget is spent.
pub(super) fn call_method(
    budget: &Budget,
    state: &mut State,
    value: &Value,
    name: &str,
    args: &[Value],
) -> Result<Value, Error> {
    pay_for_method(budget, value, name, args)?;
    let own = match value.as_str() {
        Some(text) => string_method(budget, text, name, args)?,
        None if value.kind() == ValueKind::Seq => list_method(value, name, args)?,
        None => None,
    };
    match own {
        Some(result) => Ok(result),
        None => unknown_method_callback(state, value, name, args),
    }
}

fn pay_for_method(budget: &Budget, value: &Value, name: &str, args: &[Value]) -> Result<(), Error> {
    if value.kind() == ValueKind::Map {
        return budget.pay(VALUE_BYTES); // views and single items
    }
    budget.pay_flat(value)?;
    for arg in args {
        budget.pay_deep(arg)?;
    }
    let text = value.as_str().unwrap_or_default();
    match (name, args) {
        ("split" | "rsplit" | "splitlines", _) => {
            budget.pay(text.len().saturating_mul(VALUE_BYTES))
        }
        ("join", [items, ..]) => pay_for_join(budget, items, text),
        ("replace", [from, to, ..]) => pay_for_replace(budget, text, from, to),
        ("format", _) => pay_for_format(budget, text),
        ("count" | "index", _) => budget.pay_deep(value),
        _ => budget.pay(text.len().saturating_mul(3)), // letters may grow when their case changes
    }
}

/// Pays for the separators between `items`.
pub(super) fn pay_for_join(budget: &Budget, items: &Value, between: &str) -> Result<(), Error> {
    let n_items = items.len().unwrap_or_else(|| match items.try_iter() {
        Ok(items) => items.count(),
        Err(_) => 0,
    });
    budget.pay(n_items.saturating_mul(between.len()))
}

/// Pays for a text in which each `from` becomes `to`.
pub(super) fn pay_for_replace(
    budget: &Budget,
    text: &str,
    from: &Value,
    to: &Value,
) -> Result<(), Error> {
    let n_found = (text.len() + 1) / from.as_str().map_or(1, str::len).max(1) + 1;
    budget.pay(n_found.saturating_mul(flat_bytes(to)))
}

/// Refuses formats that ask for a width which would fill memory.
pub(super) fn pay_for_format(budget: &Budget, format: &str) -> Result<(), Error> {
    let is_too_wide = format.split(|c: char| !c.is_ascii_digit()).any(|digits| {
        digits
            .parse::<usize>()
            .unwrap_or(if digits.is_empty() { 0 } else { usize::MAX })
            > MAX_FORMAT_WIDTH
    });
    // A width may also be an argument: `%*d`, `{:{}}`.
    let is_open = format.contains('*') || format.contains(":{");
    if is_too_wide || is_open {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("a format may be at most {MAX_FORMAT_WIDTH} wide, and must say so itself"),
        ));
    }
    budget.pay(format.len().saturating_mul(MAX_FORMAT_WIDTH / 4))
}

/// The string methods that `pycompat` lacks.
fn string_method(
    budget: &Budget,
    text: &str,
    name: &str,
    args: &[Value],
) -> Result<Option<Value>, Error> {
    let result = match name {
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(args)?;
            Value::from(text.strip_prefix(prefix).unwrap_or(text))
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(args)?;
            Value::from(text.strip_suffix(suffix).unwrap_or(text))
        }
        "partition" | "rpartition" => {
            let (between,): (&str,) = from_args(args)?;
            partition(text, between, name == "rpartition")
        }
        "rsplit" => {
            let (between, max): (Option<&str>, Option<i64>) = from_args(args)?;
            rsplit(text, between, max)
        }
        "index" | "rindex" => {
            let (what,): (&str,) = from_args(args)?;
            let found = if name == "index" {
                text.find(what)
            } else {
                text.rfind(what)
            };
            let at = found.ok_or_else(|| wrong("substring not found"))?;
            Value::from(text[..at].chars().count())
        }
        "casefold" => Value::from(text.to_lowercase()),
        "swapcase" => Value::from(text.chars().map(swap_case).collect::<String>()),
        "title" => Value::from(title(text)),
        "istitle" => Value::from(text.chars().any(char::is_alphabetic) && title(text) == text),
        "center" | "ljust" | "rjust" | "zfill" => pad(budget, text, name, args)?,
        _ => return Ok(None),
    };
    Ok(Some(result))
}

/// The list methods that `pycompat` lacks.
fn list_method(value: &Value, name: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    if name != "index" {
        return Ok(None);
    }
    let (what,): (&Value,) = from_args(args)?;
    let at = value.try_iter()?.position(|item| item == *what);
    at.map(|at| Some(Value::from(at)))
        .ok_or_else(|| wrong("value is not in list"))
}

fn wrong(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

fn partition(text: &str, between: &str, from_the_right: bool) -> Value {
    let parts = if from_the_right {
        text.rsplit_once(between)
            .map_or(["", "", text], |(a, b)| [a, between, b])
    } else {
        text.split_once(between)
            .map_or([text, "", ""], |(a, b)| [a, between, b])
    };
    Value::from(Tuple::from(parts.map(Value::from)))
}

fn rsplit(text: &str, between: Option<&str>, max: Option<i64>) -> Value {
    let n_parts = max
        .and_then(|max| usize::try_from(max).ok())
        .map_or(usize::MAX, |max| max.saturating_add(1));
    let mut parts: Vec<&str> = match between {
        Some(between) => text.rsplitn(n_parts, between).collect(),
        None => {
            let mut parts = Vec::new();
            let mut rest = text.trim();
            while parts.len() + 1 < n_parts
                && let Some((before, after)) = rest.rsplit_once(char::is_whitespace)
            {
                parts.push(after);
                rest = before.trim_end();
            }
            if !rest.is_empty() {
                parts.push(rest);
            }
            parts
        }
    };
    parts.reverse();
    parts.into_iter().map(Value::from).collect()
}

fn swap_case(c: char) -> String {
    if c.is_uppercase() {
        c.to_lowercase().collect()
    } else {
        c.to_uppercase().collect()
    }
}

/// A capital after everything that is no letter, as in Python; the filter of that name goes by words.
fn title(text: &str) -> String {
    let mut out = String::new();
    let mut is_inside = false;
    for c in text.chars() {
        if is_inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        is_inside = c.is_alphabetic();
    }
    out
}

fn pad(budget: &Budget, text: &str, name: &str, args: &[Value]) -> Result<Value, Error> {
    let (width, fill): (usize, Option<char>) = from_args(args)?;
    let missing = width.saturating_sub(text.chars().count());
    let fill = fill.unwrap_or(if name == "zfill" { '0' } else { ' ' });
    budget.pay(missing.saturating_mul(fill.len_utf8()))?;
    let n_left = match name {
        "ljust" => 0,
        "center" => missing / 2 + (missing & width & 1), // as CPython rounds
        _ => missing,
    };
    let left: String = std::iter::repeat_n(fill, n_left).collect();
    let right: String = std::iter::repeat_n(fill, missing - n_left).collect();
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) if name == "zfill" => text.split_at(text.len() - digits.len()),
        _ => ("", text),
    };
    Ok(Value::from(format!("{sign}{left}{digits}{right}")))
}
