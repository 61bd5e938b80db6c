//! Questions: what is asked, what is right on this model, and who answered right.

use super::expression::{Expression, Mistake, Value};
use super::parts::Sourced;
use super::prose::Prose;

/// One question.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What progress knows it by: its text as it is written.
    pub id: String,
    /// Where it begins in the file.
    pub start: usize,
    /// What is asked.
    pub ask: Prose,
    /// Whether the picture is to be hidden until there is an answer.
    pub is_prediction: bool,
    /// Whether the formula below the picture is to be hidden until the question is answered.
    pub hides_formula: bool,
    /// How it is answered, and what is right.
    pub kind: Kind,
    /// Said after a wrong answer, where no choice has a hint of its own.
    pub hint: Prose,
    /// Said after the right answer, or when the answer is shown.
    pub why: Prose,
}

/// How a question is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// By one of several choices.
    Choice(Vec<Choice>),
    /// By a number.
    Number {
        /// The right one.
        right: Sourced<Expression>,
        /// How near is near enough.
        tolerance: Tolerance,
        /// What stands behind it: `bits`.
        unit: String,
    },
    /// By a click.
    Click {
        /// On what.
        on: Click,
        /// The right place, or a list of places.
        right: Sourced<Expression>,
    },
}

/// One choice.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// What it says.
    pub text: Prose,
    /// Whether it is right.
    pub right: Sourced<Expression>,
    /// Said to who chose it wrongly.
    pub hint: Prose,
}

/// How near a number must come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tolerance {
    /// A whole number exactly; another within 2 %.
    Usual,
    /// Within this.
    Absolute(f64),
    /// Within this share of the right number.
    Relative(f64),
}

/// What is clicked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Click {
    /// A token: its position.
    Token,
    /// A cell of an attention map: query and key position.
    Cell,
    /// A head: block and head.
    Head,
    /// A block.
    Block,
    /// A neuron of the block in view.
    Neuron,
}

impl Click {
    /// Every one.
    pub const ALL: [Self; 5] = [
        Self::Token,
        Self::Cell,
        Self::Head,
        Self::Block,
        Self::Neuron,
    ];

    /// Its name in a lesson.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Cell => "cell",
            Self::Head => "head",
            Self::Block => "block",
            Self::Neuron => "neuron",
        }
    }

    /// How many numbers a place has.
    #[must_use]
    pub fn n_axes(self) -> usize {
        match self {
            Self::Token | Self::Block | Self::Neuron => 1,
            Self::Cell | Self::Head => 2,
        }
    }
}

/// What someone answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The place of a choice, from 0.
    Choice(usize),
    /// A number.
    Number(f64),
    /// Where the click went.
    Place(Vec<usize>),
}

/// What is right on this model.
#[derive(Debug, Clone, PartialEq)]
pub enum Right {
    /// Choice by choice.
    Choices(Vec<bool>),
    /// The number, and how far off one may be.
    Number(f64, f64),
    /// Any of these places.
    Places(Vec<Vec<usize>>),
}

/// Whether an answer is right.
#[derive(Debug, Clone, PartialEq)]
pub enum Judged<'a> {
    /// It is.
    Right,
    /// It is not, and this helps on.
    Wrong(&'a Prose),
}

impl Question {
    /// The expressions that decide what is right, in order.
    #[must_use]
    pub fn deciding(&self) -> Vec<&Sourced<Expression>> {
        match &self.kind {
            Kind::Choice(choices) => choices.iter().map(|choice| &choice.right).collect(),
            Kind::Number { right, .. } | Kind::Click { right, .. } => vec![right],
        }
    }

    /// What is right, from the values of [`Self::deciding`].
    ///
    /// # Errors
    /// If the values are no answer to such a question; with the place in the file.
    pub fn right(&self, values: &[Value]) -> Result<Right, Mistake> {
        let start = self
            .deciding()
            .first()
            .map_or(self.start, |right| right.start);
        let fail = |message: String| Mistake::new(start, message);
        let value = || {
            values
                .first()
                .ok_or_else(|| fail("no value is right".to_owned()))
        };
        match &self.kind {
            Kind::Choice(choices) => {
                let mut right = Vec::with_capacity(choices.len());
                for (choice, value) in choices.iter().zip(values) {
                    let truth = value.truth();
                    right.push(truth.map_err(|why| Mistake::new(choice.right.start, why))?);
                }
                match right.contains(&true) {
                    true => Ok(Right::Choices(right)),
                    false => Err(fail(
                        "none of the choices is right on this model".to_owned(),
                    )),
                }
            }
            Kind::Number { tolerance, .. } => {
                let number = value()?.number().map_err(fail)?;
                match number.is_finite() {
                    true => Ok(Right::Number(number, tolerance.of(number))),
                    false => Err(fail(format!(
                        "the right answer is {number}, which is no number"
                    ))),
                }
            }
            Kind::Click { on, .. } => places(value()?, on.n_axes())
                .map(Right::Places)
                .map_err(fail),
        }
    }

    /// Judges an answer.
    #[must_use]
    pub fn judge(&self, answer: &Answer, right: &Right) -> Judged<'_> {
        if right.accepts(answer) {
            return Judged::Right;
        }
        let own = match (answer, &self.kind) {
            (Answer::Choice(place), Kind::Choice(choices)) => {
                choices.get(*place).map(|choice| &choice.hint)
            }
            _ => None,
        };
        let own = own.filter(|hint| !hint.is_blank());
        Judged::Wrong(own.unwrap_or(&self.hint))
    }
}

impl Right {
    /// Whether an answer is right.
    #[must_use]
    pub fn accepts(&self, answer: &Answer) -> bool {
        match (answer, self) {
            (Answer::Choice(place), Self::Choices(right)) => right.get(*place) == Some(&true),
            (Answer::Number(number), Self::Number(right, tolerance)) => {
                (number - right).abs() <= *tolerance + right.abs() * 1e-9
            }
            (Answer::Place(place), Self::Places(right)) => right.contains(place),
            _ => false,
        }
    }
}

impl Tolerance {
    /// How far from `right` one may be.
    #[must_use]
    pub fn of(self, right: f64) -> f64 {
        match self {
            Self::Usual if right.fract() == 0.0 => 0.0,
            Self::Usual => right.abs() * 0.02,
            Self::Absolute(tolerance) => tolerance,
            Self::Relative(share) => right.abs() * share,
        }
    }
}

/// A place, or a list of places.
fn places(value: &Value, n_axes: usize) -> Result<Vec<Vec<usize>>, String> {
    let place = |value: &Value| -> Result<Vec<usize>, String> {
        let place: Vec<usize> = match value {
            Value::Number(_) => vec![value.whole()?],
            other => other
                .items()?
                .iter()
                .map(Value::whole)
                .collect::<Result<_, _>>()?,
        };
        match place.len() == n_axes {
            true => Ok(place),
            false => Err(format!(
                "expected a place of {n_axes} numbers, not of {}",
                place.len()
            )),
        }
    };
    let is_list = match value {
        Value::Grid(grid) if n_axes == 1 => !grid.shape().is_empty(),
        Value::Grid(grid) => grid.shape().len() > 1,
        Value::List(_) => true,
        _ => false,
    };
    let places: Vec<Vec<usize>> = match is_list {
        true => value.items()?.iter().map(place).collect::<Result<_, _>>()?,
        false => vec![place(value)?],
    };
    match places.is_empty() {
        true => Err("no place is right on this model".to_owned()),
        false => Ok(places),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_or_a_list_of_them() {
        assert_eq!(places(&Value::from(3.0), 1), Ok(vec![vec![3]]));
        assert_eq!(
            places(&Value::from(vec![3.0, 4.0]), 1),
            Ok(vec![vec![3], vec![4]])
        );
        assert_eq!(
            places(&Value::from(vec![3.0, 4.0]), 2),
            Ok(vec![vec![3, 4]])
        );
        assert!(places(&Value::from(3.5), 1).is_err());
        assert!(places(&Value::from(3.0), 2).is_err());
    }

    #[test]
    fn whole_numbers_are_meant_exactly() {
        assert_eq!(Tolerance::Usual.of(12.0), 0.0);
        assert_eq!(Tolerance::Usual.of(0.5), 0.01);
        assert_eq!(Tolerance::Relative(0.1).of(-20.0), 2.0);
    }
}
