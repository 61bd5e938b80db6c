//! Every function, by name: the table that the page on the format lists.

use super::super::Value;
use super::super::numbers::shapes;
use super::Function;
use super::args::{arg, grid, items, number, text, whole};
use super::compute::{bounded, count, dot, each, fold, place, range, softmax};
use crate::trace::units;

impl Function {
    /// Every function, as the page on the format lists them.
    pub const ALL: [Self; 39] = [
        of("max", "list", "the largest number", |args| {
            fold(args, f64::NEG_INFINITY, f64::max)
        }),
        of("min", "list", "the smallest number", |args| {
            fold(args, f64::INFINITY, f64::min)
        }),
        of("sum", "list", "all numbers added", |args| {
            fold(args, 0.0, |a, b| a + b)
        }),
        of("mean", "list", "the mean", |args| {
            let grid = grid(args, 0)?;
            let n = grid.values().len().max(1) as f64;
            Ok(Value::Number(grid.values().iter().sum::<f64>() / n))
        }),
        of(
            "argmax",
            "list",
            "the place of the largest number; of a table, the list of its places along each axis",
            |args| place(args, |a, b| a > b),
        ),
        of(
            "argmin",
            "list",
            "the place of the smallest number",
            |args| place(args, |a, b| a < b),
        ),
        of(
            "largest",
            "list, n",
            "the places of the n largest numbers of a list, the largest first",
            |args| {
                let grid = grid(args, 0)?;
                let n = whole(args, 1)?;
                let places = crate::trace::measure::vector::top_by(grid.values(), n, |x| *x);
                Ok(places.into_iter().map(Value::from).collect())
            },
        ),
        of(
            "count",
            "list",
            "how many are true, or not 0: `count(x > 0.1)`",
            count,
        ),
        of("all", "list", "whether every one is true", |args| {
            let n = items(args, 0)?.len();
            Ok(Value::Bool(count(args)? == Value::from(n)))
        }),
        of("any", "list", "whether one is true", |args| {
            Ok(Value::Bool(count(args)? != Value::Number(0.0)))
        }),
        of(
            "len",
            "list or text",
            "how many elements, or characters",
            |args| match arg(args, 0)? {
                Value::Text(text) => Ok(Value::from(text.chars().count())),
                other => Ok(Value::from(other.items()?.len())),
            },
        ),
        of("shape", "numbers", "how many along each axis", |args| {
            let shape = grid(args, 0)?.shape().to_vec();
            Ok(shape.into_iter().map(Value::from).collect())
        }),
        of(
            "range",
            "from, to",
            "whole numbers from `from` up to, not including, `to`",
            range,
        ),
        of(
            "place_of",
            "list, element",
            "the first place of an element",
            |args| {
                let items = items(args, 0)?;
                let wanted = arg(args, 1)?;
                let place = items.iter().position(|item| item == wanted);
                place
                    .map(Value::from)
                    .ok_or_else(|| format!("{wanted} is not in the list"))
            },
        ),
        of(
            "has",
            "list or text, element",
            "whether it is in there",
            |args| match (arg(args, 0)?, arg(args, 1)?) {
                (Value::Text(text), part) => Ok(Value::Bool(text.contains(part.text()?))),
                (list, element) => Ok(Value::Bool(list.items()?.contains(element))),
            },
        ),
        of(
            "join",
            "list, between",
            "the elements as one text",
            |args| {
                let texts: Vec<String> = items(args, 0)?.iter().map(Value::to_string).collect();
                bounded(texts.join(text(args, 1)?))
            },
        ),
        of(
            "same",
            "a, b",
            "whether all numbers (or texts) are exactly equal",
            |args| Ok(Value::Bool(arg(args, 0)? == arg(args, 1)?)),
        ),
        of(
            "near",
            "a, b, tolerance",
            "whether all numbers differ by at most the tolerance",
            |args| {
                let (a, b) = (grid(args, 0)?, grid(args, 1)?);
                let most = number(args, 2)?;
                let near = a
                    .zip(&b, |a, b| (a - b).abs())
                    .ok_or_else(|| shapes(&a, &b))?;
                Ok(Value::Bool(near.values().iter().all(|gap| *gap <= most)))
            },
        ),
        of(
            "cosine",
            "a, b",
            "cosine of the angle between two vectors",
            |args| {
                let size = (dot(args, 0, 0)? * dot(args, 1, 1)?).sqrt();
                let cosine = if size > 0.0 {
                    dot(args, 0, 1)? / size
                } else {
                    0.0
                };
                Ok(Value::Number(cosine))
            },
        ),
        of("dot", "a, b", "dot product of two vectors", |args| {
            dot(args, 0, 1).map(Value::Number)
        }),
        of("size", "vector", "Euclidean size, √Σx²", |args| {
            Ok(Value::Number(dot(args, 0, 0)?.sqrt()))
        }),
        of(
            "softmax",
            "list",
            "e^x of each, divided by their sum",
            softmax,
        ),
        of("abs", "x", "without its sign; of each, in a list", |args| {
            each(args, f64::abs)
        }),
        of("sqrt", "x", "square root", |args| each(args, f64::sqrt)),
        of("exp", "x", "e^x", |args| each(args, f64::exp)),
        of("ln", "x", "natural logarithm", |args| each(args, f64::ln)),
        of("log2", "x", "logarithm of base 2", |args| {
            each(args, f64::log2)
        }),
        of("sin", "x", "sine of an angle in radians", |args| {
            each(args, f64::sin)
        }),
        of("cos", "x", "cosine of an angle in radians", |args| {
            each(args, f64::cos)
        }),
        of("floor", "x", "the whole number below", |args| {
            each(args, f64::floor)
        }),
        of(
            "round",
            "x, [digits]",
            "rounded to whole numbers, or to so many digits after the point",
            |args| {
                let digits = if args.len() > 1 {
                    whole(args, 1)?.min(12)
                } else {
                    0
                };
                let factor = 10_f64.powi(digits as i32);
                each(args, |x| (x * factor).round() / factor)
            },
        ),
        of(
            "fixed",
            "x, digits",
            "as a text with so many digits after the point",
            |args| {
                let digits = whole(args, 1)?.min(12);
                let text = format!("{:.digits$}", number(args, 0)?);
                Ok(Value::Text(text.replace('-', "−")))
            },
        ),
        of("percent", "x", "a share as a text: `98 %`", |args| {
            Ok(Value::Text(units::percent(number(args, 0)?)))
        }),
        of("bytes", "n", "a size as a text: `1.8 MB`", |args| {
            Ok(Value::Text(units::bytes(number(args, 0)?.max(0.0) as u64)))
        }),
        of(
            "thousands",
            "n",
            "a whole number as a text: `4,096`",
            |args| {
                Ok(Value::Text(units::count(
                    number(args, 0)?.max(0.0).round() as u64
                )))
            },
        ),
        of(
            "binary",
            "n, digits",
            "a whole number in twos, as a text: `0101`",
            |args| {
                let (n, digits) = (whole(args, 0)?, whole(args, 1)?.min(64));
                Ok(Value::Text(format!("{n:0digits$b}")))
            },
        ),
        of(
            "show",
            "token",
            "a token's text in quotation marks, its space and line breaks visible",
            |args| {
                Ok(Value::Text(format!(
                    "'{}'",
                    text(args, 0)?.replace('\n', "↵")
                )))
            },
        ),
        of("trim", "text", "without spaces around it", |args| {
            Ok(Value::from(text(args, 0)?.trim()))
        }),
        of("n_bytes", "text", "its bytes in UTF-8", |args| {
            Ok(Value::from(text(args, 0)?.len()))
        }),
    ];
}

const fn of(
    name: &'static str,
    args: &'static str,
    doc: &'static str,
    apply: fn(&[Value]) -> Result<Value, String>,
) -> Function {
    Function {
        name,
        args,
        doc,
        apply,
    }
}
