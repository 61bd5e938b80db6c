//! `tojson` as `transformers` sets it: Python's `json.dumps` without HTML escapes and with letters of every script as they are.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, ErrorKind, Value};

use super::budget::Budget;

/// How `json.dumps` writes: its arguments.
struct Style {
    /// What one level is indented with; `None` keeps everything on one line.
    indent: Option<String>,
    between_items: String,
    after_key: String,
    ensure_ascii: bool,
    sort_keys: bool,
}

/// Longest `indent` that is honoured.
const MAX_INDENT: usize = 64;

impl Style {
    /// The arguments of `tojson(ensure_ascii=False, indent=None, separators=None, sort_keys=False)`, by place or by name.
    fn read(args: &[Value], kwargs: &Kwargs) -> Result<Self, Error> {
        let argument = |place: usize, name: &str| -> Result<Value, Error> {
            let named = kwargs.get::<Option<Value>>(name)?;
            Ok(args
                .get(place)
                .cloned()
                .or(named)
                .unwrap_or(Value::from(())))
        };
        let ensure_ascii = argument(0, "ensure_ascii")?.is_true();
        let indent = indent_of(&argument(1, "indent")?)?;
        let separators = argument(2, "separators")?;
        let sort_keys = argument(3, "sort_keys")?.is_true();
        kwargs.assert_all_used()?;
        let (between_items, after_key) = if separators.is_none() {
            let comma = if indent.is_some() { "," } else { ", " };
            (comma.to_owned(), ": ".to_owned())
        } else {
            let at = |i: usize| separators.get_item_by_index(i).map(|s| s.to_string());
            (at(0)?, at(1)?)
        };
        Ok(Self {
            indent,
            between_items,
            after_key,
            ensure_ascii,
            sort_keys,
        })
    }
}

fn indent_of(value: &Value) -> Result<Option<String>, Error> {
    if value.is_none() || value.is_undefined() {
        return Ok(None);
    }
    let indent = match value.as_str() {
        Some(text) => text.to_owned(),
        None => " ".repeat(i64::try_from(value.clone())?.clamp(0, 1 << 20) as usize),
    };
    if indent.len() > MAX_INDENT {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("tojson indents by at most {MAX_INDENT}"),
        ));
    }
    Ok(Some(indent))
}

/// The filter `tojson`.
///
/// # Errors
/// If the value has no JSON form (an undefined variable), or the budget is spent.
pub(super) fn tojson(
    budget: &Budget,
    value: &Value,
    args: &[Value],
    kwargs: &Kwargs,
) -> Result<Value, Error> {
    let style = Style::read(args, kwargs)?;
    budget.pay_deep(value)?;
    let mut out = String::new();
    Writer { budget, style }.write(&mut out, value, 0)?;
    Ok(Value::from(out))
}

struct Writer<'b> {
    budget: &'b Budget,
    style: Style,
}

impl Writer<'_> {
    fn write(&self, out: &mut String, value: &Value, depth: usize) -> Result<(), Error> {
        let len_before = out.len();
        match value.kind() {
            ValueKind::None => out.push_str("null"),
            ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => out.push_str(&number(value)),
            ValueKind::String => self.write_text(out, value.as_str().unwrap_or_default()),
            ValueKind::Seq | ValueKind::Iterable => return self.write_list(out, value, depth),
            ValueKind::Map => return self.write_map(out, value, depth),
            kind => {
                return Err(Error::new(
                    ErrorKind::InvalidOperation,
                    format!("tojson: a value of kind {kind} has no JSON form"),
                ));
            }
        }
        self.budget.pay(out.len() - len_before)
    }

    fn write_list(&self, out: &mut String, value: &Value, depth: usize) -> Result<(), Error> {
        out.push('[');
        let mut is_empty = true;
        for item in value.try_iter()? {
            self.start_item(out, &mut is_empty, depth)?;
            self.write(out, &item, depth + 1)?;
        }
        self.end_items(out, is_empty, depth)?;
        out.push(']');
        Ok(())
    }

    fn write_map(&self, out: &mut String, value: &Value, depth: usize) -> Result<(), Error> {
        let mut keys: Vec<Value> = value.try_iter()?.collect();
        if self.style.sort_keys {
            keys.sort();
        }
        out.push('{');
        let mut is_empty = true;
        for key in keys {
            self.start_item(out, &mut is_empty, depth)?;
            // Keys that are no text are written as text: {1: 2} becomes {"1": 2}.
            match key.as_str() {
                Some(text) => self.write_text(out, text),
                None => {
                    let mut text = String::new();
                    self.write(&mut text, &key, depth + 1)?;
                    self.write_text(out, &text);
                }
            }
            out.push_str(&self.style.after_key);
            self.write(out, &value.get_item(&key)?, depth + 1)?;
        }
        self.end_items(out, is_empty, depth)?;
        out.push('}');
        Ok(())
    }

    fn start_item(&self, out: &mut String, is_empty: &mut bool, depth: usize) -> Result<(), Error> {
        if !std::mem::replace(is_empty, false) {
            out.push_str(&self.style.between_items);
        }
        self.new_line(out, depth + 1)
    }

    fn end_items(&self, out: &mut String, is_empty: bool, depth: usize) -> Result<(), Error> {
        if is_empty {
            return Ok(());
        }
        self.new_line(out, depth)
    }

    fn new_line(&self, out: &mut String, depth: usize) -> Result<(), Error> {
        let Some(indent) = &self.style.indent else {
            return self.budget.pay(self.style.between_items.len());
        };
        self.budget.pay(1 + indent.len() * depth)?;
        out.push('\n');
        out.push_str(&indent.repeat(depth));
        Ok(())
    }

    fn write_text(&self, out: &mut String, text: &str) {
        out.push('"');
        for c in text.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                c if c < ' ' || (self.style.ensure_ascii && c >= '\u{7f}') => {
                    // Python leaves DEL as it is, in both forms.
                    if c == '\u{7f}' {
                        out.push(c);
                        continue;
                    }
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                c => out.push(c),
            }
        }
        out.push('"');
    }
}

/// A number as Python's `repr` writes it.
fn number(value: &Value) -> String {
    if value.is_integer() {
        return value.to_string();
    }
    match f64::try_from(value.clone()) {
        Ok(x) if x.is_nan() => "NaN".to_owned(),
        Ok(x) if x.is_infinite() => if x > 0.0 { "Infinity" } else { "-Infinity" }.to_owned(),
        Ok(x) => float(x),
        Err(_) => value.to_string(),
    }
}

/// A float as Python's `repr`: shortest digits; an exponent below 1e-4 and from 1e16 on.
fn float(x: f64) -> String {
    let scientific = format!("{x:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if x != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    let plain = format!("{x}");
    if plain.contains('.') {
        plain
    } else {
        plain + ".0"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_python_writes_them() {
        let cases = [
            (0.0, "0.0"),
            (1.0, "1.0"),
            (-2.5, "-2.5"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e-5, "1.5e-05"),
            (1e-4, "0.0001"),
            (1e300, "1e+300"),
        ];
        for (x, written) in cases {
            assert_eq!(float(x), written);
        }
    }
}
