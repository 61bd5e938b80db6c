//! Operators on numbers, texts and rows.

use super::{Grid, Operator, Value};

/// Longest text that an expression makes.
pub const MOST_TEXT: usize = 20_000;

/// Joins two values.
///
/// # Errors
/// If the operator has no meaning for them.
pub fn binary(operator: Operator, left: &Value, right: &Value) -> Result<Value, String> {
    use Operator as Op;
    match (operator, left, right) {
        (Op::And, ..) => Ok(Value::Bool(left.truth()? && right.truth()?)),
        (Op::Or, ..) => Ok(Value::Bool(left.truth()? || right.truth()?)),
        (_, Value::Number(a), Value::Number(b)) => of_numbers(operator, *a, *b),
        (_, Value::Grid(_), Value::Number(_) | Value::Grid(_))
        | (_, Value::Number(_), Value::Grid(_)) => of_grids(operator, left, right),
        (Op::Add, Value::Text(a), Value::Text(b)) => {
            if a.len() + b.len() > MOST_TEXT {
                return Err(format!("a text is at most {MOST_TEXT} bytes long"));
            }
            Ok(Value::Text(format!("{a}{b}")))
        }
        (Op::Equal, ..) => Ok(Value::Bool(equal(left, right)?)),
        (Op::Unequal, ..) => Ok(Value::Bool(!equal(left, right)?)),
        _ => Err(format!(
            "{} and {} cannot be joined so",
            left.kind(),
            right.kind()
        )),
    }
}

fn equal(left: &Value, right: &Value) -> Result<bool, String> {
    match (left, right) {
        (Value::Text(_), Value::Text(_))
        | (Value::Bool(_), Value::Bool(_))
        | (Value::List(_), Value::List(_) | Value::Grid(_))
        | (Value::Grid(_), Value::List(_)) => Ok(left == right),
        _ => Err(format!(
            "{} is never equal to {}",
            left.kind(),
            right.kind()
        )),
    }
}

fn of_numbers(operator: Operator, a: f64, b: f64) -> Result<Value, String> {
    match comparison(operator) {
        Some(compare) => Ok(Value::Bool(compare(a, b))),
        None => arithmetic(operator, a, b).map(Value::Number),
    }
}

/// Number by number; a comparison gives 1 where it holds and 0 where not.
fn of_grids(operator: Operator, left: &Value, right: &Value) -> Result<Value, String> {
    let join = |a: f64, b: f64| match comparison(operator) {
        Some(compare) => f64::from(u8::from(compare(a, b))),
        None => arithmetic(operator, a, b).unwrap_or(f64::NAN),
    };
    let joined = match (left, right) {
        (Value::Number(a), Value::Grid(b)) => b.map(|b| join(*a, b)),
        (Value::Grid(a), Value::Number(b)) => a.map(|a| join(a, *b)),
        (Value::Grid(a), Value::Grid(b)) => a.zip(b, join).ok_or_else(|| shapes(a, b))?,
        _ => return Err("expected numbers".to_owned()),
    };
    Ok(Value::Grid(joined))
}

/// That two shapes differ.
pub fn shapes(a: &Grid, b: &Grid) -> String {
    let (a, b) = (a.shape(), b.shape());
    format!("the shapes {a:?} and {b:?} differ; both must be the same")
}

fn comparison(operator: Operator) -> Option<fn(f64, f64) -> bool> {
    Some(match operator {
        Operator::Equal => |a, b| a == b,
        Operator::Unequal => |a, b| a != b,
        Operator::Below => |a, b| a < b,
        Operator::AtMost => |a, b| a <= b,
        Operator::Above => |a, b| a > b,
        Operator::AtLeast => |a, b| a >= b,
        _ => return None,
    })
}

fn arithmetic(operator: Operator, a: f64, b: f64) -> Result<f64, String> {
    match operator {
        Operator::Add => Ok(a + b),
        Operator::Subtract => Ok(a - b),
        Operator::Multiply => Ok(a * b),
        Operator::Divide if b == 0.0 => Err("this divides by 0".to_owned()),
        Operator::Divide => Ok(a / b),
        Operator::Remainder if b == 0.0 => Err("this divides by 0".to_owned()),
        Operator::Remainder => Ok(a.rem_euclid(b)),
        Operator::Power => Ok(a.powf(b)),
        _ => Err("expected a sign of arithmetic".to_owned()),
    }
}
