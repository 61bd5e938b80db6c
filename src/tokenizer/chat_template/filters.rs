//! The filters, tests and functions that templates may use: jinja2's, each paying for its work before it runs.

use std::sync::Arc;

use minijinja::value::{Kwargs, Rest, StringInput, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, State, Value, filters, functions, tests};

use super::budget::{Budget, VALUE_BYTES, flat_bytes};
use super::json::tojson;
use super::python::{pay_for_format, pay_for_join, pay_for_replace};

/// What a filter or test pays for its arguments.
#[derive(Debug, Clone, Copy)]
enum Cost {
    /// Nothing to speak of: it looks at the value, not into it.
    None,
    /// The text of a string, the items of a list.
    Flat,
    /// The text of a string; of a list only where its items are made on the way.
    Ends,
    /// Everything in its arguments.
    Deep,
    /// Everything in its arguments, many times: sorting compares.
    Sort,
    /// A value per letter or item: a list made of a string.
    PerLetter,
    /// What a number among its arguments says: a list padded to 1,000 items.
    Count,
    Join,
    Replace,
    Indent,
    Format,
}

/// Gives the environment its filters, tests and functions.
pub(super) fn add_all(env: &mut Environment, budget: &Arc<Budget>) {
    for (name, original, cost) in filter_table() {
        let budget = Arc::clone(budget);
        env.add_filter(name, move |state: &mut State, args: Rest<ValueOrKwargs>| {
            call_paid(&budget, state, &original, &args.into_values(), cost)
        });
    }
    for (name, original, cost) in test_table() {
        let budget = Arc::clone(budget);
        env.add_test(name, move |state: &mut State, args: Rest<ValueOrKwargs>| {
            call_paid(&budget, state, &original, &args.into_values(), cost)
        });
    }
    let paying = Arc::clone(budget);
    env.add_filter(
        "tojson",
        move |value: &Value, args: Rest<Value>, kwargs: Kwargs| {
            tojson(&paying, value, &args, &kwargs)
        },
    );
    let paying = Arc::clone(budget);
    env.add_filter("string", move |value: &Value| {
        paying.pay_deep(value)?;
        Ok::<_, Error>(Value::from(value.to_string()))
    });
    let paying = Arc::clone(budget);
    env.add_function("dict", move |value: Option<Value>, update: Kwargs| {
        if let Some(value) = &value {
            paying.pay_deep(value)?;
        }
        functions::dict(value, update)
    });
    env.add_function("range", functions::range);
    env.add_function("namespace", functions::namespace);
}

fn call_paid(
    budget: &Budget,
    state: &mut State,
    original: &Value,
    args: &[Value],
    cost: Cost,
) -> Result<Value, Error> {
    pay(budget, args, cost)?;
    let result = original.call(state, args)?;
    pay_ends(budget, &result)?;
    Ok(result)
}

fn pay(budget: &Budget, args: &[Value], cost: Cost) -> Result<(), Error> {
    match cost {
        Cost::None => return budget.pay(VALUE_BYTES),
        Cost::Flat => return args.iter().try_for_each(|arg| budget.pay_flat(arg)),
        Cost::Ends => return args.iter().try_for_each(|arg| pay_ends(budget, arg)),
        _ => args.iter().try_for_each(|arg| budget.pay_deep(arg))?,
    }
    let text = args.first().and_then(Value::as_str).unwrap_or_default();
    match cost {
        Cost::Sort => {
            (0..15).try_for_each(|_| budget.pay_deep(args.first().unwrap_or(&Value::UNDEFINED)))
        }
        Cost::PerLetter => budget.pay(text.len().saturating_mul(VALUE_BYTES)),
        Cost::Count => args
            .iter()
            .skip(1)
            .try_for_each(|arg| budget.pay(count_bytes(arg))),
        Cost::Join => {
            let between = argument(args, 1, "d");
            let items = args.first().unwrap_or(&Value::UNDEFINED);
            pay_for_join(budget, items, between.as_str().unwrap_or_default())
        }
        Cost::Replace => match args {
            [_, from, to, ..] => pay_for_replace(budget, text, from, to),
            _ => Ok(()),
        },
        Cost::Indent => {
            let n_lines = text.split('\n').count();
            let width = argument(args, 1, "width");
            budget.pay(
                count_bytes(&width)
                    .max(flat_bytes(&width))
                    .saturating_mul(n_lines),
            )
        }
        Cost::Format => pay_for_format(budget, text),
        Cost::None | Cost::Flat | Cost::Ends | Cost::Deep => Ok(()),
    }
}

fn pay_ends(budget: &Budget, value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::Seq | ValueKind::Map => budget.pay(VALUE_BYTES),
        _ => budget.pay_flat(value),
    }
}

/// An argument by place or by name; undefined if it is not given.
fn argument(args: &[Value], place: usize, name: &str) -> Value {
    let (positional, named) = match args.split_last() {
        Some((last, rest)) if last.is_kwargs() => (rest, last.get_attr(name).unwrap_or_default()),
        _ => (args, Value::UNDEFINED),
    };
    positional.get(place).cloned().unwrap_or(named)
}

/// What a number asks for; of named arguments, the largest.
fn count_bytes(arg: &Value) -> usize {
    if arg.is_kwargs() {
        let names = arg.try_iter().into_iter().flatten();
        return names
            .filter_map(|name| arg.get_item(&name).ok())
            .map(|value| count_bytes(&value))
            .max()
            .unwrap_or(0);
    }
    arg.as_usize().unwrap_or(0).saturating_mul(VALUE_BYTES)
}

/// jinja2's `indent` (its `do_indent`): the first line only on request, empty lines too with `blank`.
fn indent(
    text: StringInput<'_>,
    width: Option<Value>,
    first: Option<bool>,
    blank: Option<bool>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let width = width.map_or_else(
        || kwargs.get::<Option<Value>>("width"),
        |width| Ok(Some(width)),
    )?;
    let flag = |given: Option<bool>, name: &str| {
        let named = kwargs.get::<Option<bool>>(name)?;
        Ok::<_, Error>(given.or(named).unwrap_or(false))
    };
    let (first, blank) = (flag(first, "first")?, flag(blank, "blank")?);
    kwargs.assert_all_used()?;
    let indent = match width {
        None => " ".repeat(4),
        Some(width) => match width.as_str() {
            Some(text) => text.to_owned(),
            None => " ".repeat(width.as_usize().unwrap_or(0)),
        },
    };
    let mut out = String::new();
    for (i, line) in text.as_str().split('\n').enumerate() {
        if i > 0 {
            out.push('\n');
        }
        let is_wanted = if i == 0 {
            first
        } else {
            blank || !line.is_empty()
        };
        if is_wanted {
            out.push_str(&indent);
        }
        out.push_str(line);
    }
    Ok(out)
}

/// Whether a value can be called: a macro or a function.
fn is_callable(value: &Value) -> bool {
    let Some(object) = value.as_object() else {
        return false;
    };
    object.type_name().contains("Macro") || object.type_name().contains("Function")
}

/// jinja2 calls whatever has a length and items a sequence: texts and mappings too.
fn is_sequence(value: &Value) -> bool {
    matches!(
        value.kind(),
        ValueKind::String | ValueKind::Seq | ValueKind::Map
    )
}

fn filter_table() -> Vec<(&'static str, Value, Cost)> {
    let same = Value::from_function(|value: Value| value);
    vec![
        ("safe", same, Cost::None),
        ("abs", Value::from_function(filters::abs), Cost::None),
        ("attr", Value::from_function(filters::attr), Cost::None),
        ("batch", Value::from_function(filters::batch), Cost::Count),
        (
            "capitalize",
            Value::from_function(filters::capitalize),
            Cost::Deep,
        ),
        ("count", Value::from_function(filters::length), Cost::Ends),
        ("d", Value::from_function(filters::default), Cost::None),
        (
            "default",
            Value::from_function(filters::default),
            Cost::None,
        ),
        (
            "dictsort",
            Value::from_function(filters::dictsort),
            Cost::Sort,
        ),
        ("e", Value::from_function(filters::escape), Cost::Sort),
        ("escape", Value::from_function(filters::escape), Cost::Sort),
        ("first", Value::from_function(filters::first), Cost::Ends),
        ("float", Value::from_function(filters::float), Cost::Flat),
        (
            "format",
            Value::from_function(filters::format),
            Cost::Format,
        ),
        (
            "groupby",
            Value::from_function(filters::groupby),
            Cost::Sort,
        ),
        ("indent", Value::from_function(indent), Cost::Indent),
        ("int", Value::from_function(filters::int), Cost::Flat),
        ("items", Value::from_function(filters::items), Cost::Flat),
        ("join", Value::from_function(filters::join), Cost::Join),
        ("last", Value::from_function(filters::last), Cost::Ends),
        ("length", Value::from_function(filters::length), Cost::Ends),
        ("list", Value::from_function(filters::list), Cost::PerLetter),
        ("lower", Value::from_function(filters::lower), Cost::Deep),
        ("map", Value::from_function(filters::map), Cost::Flat),
        ("max", Value::from_function(filters::max), Cost::Deep),
        ("min", Value::from_function(filters::min), Cost::Deep),
        ("reject", Value::from_function(filters::reject), Cost::Flat),
        (
            "rejectattr",
            Value::from_function(filters::rejectattr),
            Cost::Flat,
        ),
        (
            "replace",
            Value::from_function(filters::replace),
            Cost::Replace,
        ),
        (
            "reverse",
            Value::from_function(filters::reverse),
            Cost::Flat,
        ),
        ("round", Value::from_function(filters::round), Cost::None),
        ("select", Value::from_function(filters::select), Cost::Flat),
        (
            "selectattr",
            Value::from_function(filters::selectattr),
            Cost::Flat,
        ),
        ("slice", Value::from_function(filters::slice), Cost::Count),
        ("sort", Value::from_function(filters::sort), Cost::Sort),
        ("sum", Value::from_function(filters::sum), Cost::Deep),
        ("title", Value::from_function(filters::title), Cost::Deep),
        ("trim", Value::from_function(filters::trim), Cost::Deep),
        ("unique", Value::from_function(filters::unique), Cost::Sort),
        ("upper", Value::from_function(filters::upper), Cost::Deep),
    ]
}

fn test_table() -> Vec<(&'static str, Value, Cost)> {
    let equal = Value::from_function(tests::is_eq);
    let unequal = Value::from_function(tests::is_ne);
    let less = Value::from_function(tests::is_lt);
    let at_most = Value::from_function(tests::is_le);
    let greater = Value::from_function(tests::is_gt);
    let at_least = Value::from_function(tests::is_ge);
    vec![
        (
            "boolean",
            Value::from_function(tests::is_boolean),
            Cost::None,
        ),
        ("callable", Value::from_function(is_callable), Cost::None),
        (
            "defined",
            Value::from_function(tests::is_defined),
            Cost::None,
        ),
        (
            "divisibleby",
            Value::from_function(tests::is_divisibleby),
            Cost::None,
        ),
        ("even", Value::from_function(tests::is_even), Cost::None),
        ("false", Value::from_function(tests::is_false), Cost::None),
        ("filter", Value::from_function(tests::is_filter), Cost::None),
        ("float", Value::from_function(tests::is_float), Cost::None),
        (
            "integer",
            Value::from_function(tests::is_integer),
            Cost::None,
        ),
        (
            "iterable",
            Value::from_function(tests::is_iterable),
            Cost::None,
        ),
        (
            "mapping",
            Value::from_function(tests::is_mapping),
            Cost::None,
        ),
        ("none", Value::from_function(tests::is_none), Cost::None),
        ("number", Value::from_function(tests::is_number), Cost::None),
        ("odd", Value::from_function(tests::is_odd), Cost::None),
        ("sameas", Value::from_function(tests::is_sameas), Cost::Deep),
        ("sequence", Value::from_function(is_sequence), Cost::None),
        ("string", Value::from_function(tests::is_string), Cost::None),
        ("test", Value::from_function(tests::is_test), Cost::None),
        ("true", Value::from_function(tests::is_true), Cost::None),
        (
            "undefined",
            Value::from_function(tests::is_undefined),
            Cost::None,
        ),
        ("lower", Value::from_function(tests::is_lower), Cost::Deep),
        ("upper", Value::from_function(tests::is_upper), Cost::Deep),
        ("in", Value::from_function(tests::is_in), Cost::Deep),
        ("==", equal.clone(), Cost::Deep),
        ("eq", equal.clone(), Cost::Deep),
        ("equalto", equal, Cost::Deep),
        ("!=", unequal.clone(), Cost::Deep),
        ("ne", unequal, Cost::Deep),
        ("<", less.clone(), Cost::Deep),
        ("lt", less.clone(), Cost::Deep),
        ("lessthan", less, Cost::Deep),
        ("<=", at_most.clone(), Cost::Deep),
        ("le", at_most, Cost::Deep),
        (">", greater.clone(), Cost::Deep),
        ("gt", greater.clone(), Cost::Deep),
        ("greaterthan", greater, Cost::Deep),
        (">=", at_least.clone(), Cost::Deep),
        ("ge", at_least, Cost::Deep),
    ]
}
