//! From a tree to a value, or to what must be asked first.
//!
//! An expression may ask for something and use the answer to ask for more: the share of a head that
//! had to be found first. So an evaluation goes as far as the known answers carry it and tells what
//! it lacks; asked and evaluated again, it comes further, until it has its value.

mod each;
mod runs;

use std::cell::Cell;
use std::collections::BTreeMap;

use super::numbers::{MOST_TEXT, binary};
use super::{Called, Expression, Mistake, Node, Operator, Piece, RunName, Value};
use crate::lesson::ask::{Answers, Ask, Need};
use crate::lesson::run::{Run, RunForm};

/// Most steps of one evaluation.
pub const MOST_STEPS: usize = 200_000;

/// Most steps of all evaluations of a lesson, or of one step of it in the window.
pub const MOST_STEPS_OF_LESSON: usize = 1_000_000;

/// Most values of one list, and most needs told at once.
const MOST_ITEMS: usize = 10_000;

/// Values and runs that a lesson gives names to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scope {
    /// The lesson's own run.
    pub main: RunForm,
    /// Other runs, by name.
    pub runs: BTreeMap<String, RunForm>,
    /// Values, by name.
    pub values: BTreeMap<String, Expression>,
}

/// How an evaluation ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome<T = Value> {
    /// With a value.
    Known(T),
    /// These must be asked first.
    Needs(Vec<Need>),
}

/// One evaluation.
#[derive(Debug)]
pub struct Evaluation<'a> {
    scope: &'a Scope,
    answers: &'a Answers,
    needs: Vec<Need>,
    n_steps: usize,
    /// The steps of this evaluation and of those before it.
    n_steps_of_lesson: Option<&'a Cell<usize>>,
    bound: Vec<(&'a str, Value)>,
    /// Names under `[let]` that are being computed: one inside itself has no value.
    open: Vec<&'a str>,
    named: BTreeMap<&'a str, Option<Value>>,
}

/// A value; `None` where an answer is missing.
type Found = Result<Option<Value>, Mistake>;

impl<'a> Evaluation<'a> {
    /// An evaluation with what is known so far.
    #[must_use]
    pub fn new(scope: &'a Scope, answers: &'a Answers) -> Self {
        Self {
            scope,
            answers,
            needs: Vec::new(),
            n_steps: 0,
            n_steps_of_lesson: None,
            bound: Vec::new(),
            open: Vec::new(),
            named: BTreeMap::new(),
        }
    }

    /// The same, with its steps added to those of the lesson: many small evaluations take long, too.
    #[must_use]
    pub fn counted(mut self, n_steps_of_lesson: &'a Cell<usize>) -> Self {
        self.n_steps_of_lesson = Some(n_steps_of_lesson);
        self
    }

    /// The value of an expression.
    ///
    /// # Errors
    /// If it has none: where, and why.
    pub fn value(mut self, expression: &'a Expression) -> Result<Outcome, Mistake> {
        let found = self.find(expression)?;
        Ok(self.outcome(found))
    }

    /// A text with its expressions filled in.
    ///
    /// # Errors
    /// If one of them has no value.
    pub fn text(mut self, pieces: &'a [Piece]) -> Result<Outcome<String>, Mistake> {
        let found = self.find_text(pieces)?;
        Ok(self.outcome(found))
    }

    /// A run of the lesson with its texts filled in; `None` is the lesson's own.
    ///
    /// # Errors
    /// If there is no such run, or an expression in it has no value.
    pub fn run(mut self, name: Option<&'a RunName>) -> Result<Outcome<Run>, Mistake> {
        let found = self.find_run(name)?;
        Ok(self.outcome(found))
    }

    fn outcome<T>(self, found: Option<T>) -> Outcome<T> {
        match found {
            Some(value) => Outcome::Known(value),
            None => Outcome::Needs(self.needs),
        }
    }

    fn find(&mut self, expression: &'a Expression) -> Found {
        self.check_budget(expression.at)?;
        let found = self.find_node(expression)?;
        let n_steps = 1 + found.as_ref().map_or(0, weight);
        self.n_steps += n_steps;
        if let Some(all) = self.n_steps_of_lesson {
            all.set(all.get().saturating_add(n_steps));
        }
        self.check_budget(expression.at)?;
        if self.n_steps > MOST_STEPS {
            let message = format!("this takes more than {MOST_STEPS} steps; look at fewer places");
            return Err(Mistake::new(expression.at, message));
        }
        Ok(found)
    }

    /// Whether the lesson may go on asking for values.
    fn check_budget(&self, at: usize) -> Result<(), Mistake> {
        let spent = self.n_steps_of_lesson.map_or(0, Cell::get);
        if spent <= MOST_STEPS_OF_LESSON {
            return Ok(());
        }
        let message = format!(
            "all expressions of the lesson up to here take more than {MOST_STEPS_OF_LESSON} steps; ask for less, or make two lessons of it"
        );
        Err(Mistake::new(at, message))
    }

    fn find_node(&mut self, expression: &'a Expression) -> Found {
        let at = expression.at;
        let fail = |message: String| Mistake::new(at, message);
        match &expression.node {
            Node::Number(number) => Ok(Some(Value::Number(*number))),
            Node::Bool(value) => Ok(Some(Value::Bool(*value))),
            Node::Text(pieces) => Ok(self.find_text(pieces)?.map(Value::Text)),
            Node::List(items) => self
                .find_all(items)
                .map(|items| items.map(Value::from_iter)),
            Node::Name(name) => self.find_name(name, at),
            Node::Index(inner, places) => {
                let (inner, places) = (self.find(inner)?, self.find_all(places)?);
                let (Some(inner), Some(places)) = (inner, places) else {
                    return Ok(None);
                };
                places.iter().try_fold(inner, index).map(Some).map_err(fail)
            }
            Node::Minus(inner) => {
                let inner = self.find(inner)?;
                let minus = |value| binary(Operator::Multiply, &Value::Number(-1.0), &value);
                inner.map(minus).transpose().map_err(fail)
            }
            Node::Not(inner) => {
                let inner = self.find(inner)?;
                let not = |value: Value| value.truth().map(|truth| Value::Bool(!truth));
                inner.map(not).transpose().map_err(fail)
            }
            Node::Binary(operator, sides) => {
                let [left, right] = &**sides;
                self.find_binary(*operator, left, right, at)
            }
            Node::If(parts) => {
                let [condition, yes, no] = &**parts;
                let Some(condition) = self.find(condition)? else {
                    return Ok(None);
                };
                let is_true = condition.truth().map_err(fail)?;
                self.find(if is_true { yes } else { no })
            }
            Node::Each {
                body,
                name,
                list,
                filter,
            } => self.find_each(body, name, list, filter.as_deref(), at),
            Node::Call(called, args) => self.find_call(called, args, at),
        }
    }

    /// Both sides are looked at, so that all needs are told at once; but `and` and `or` end where
    /// the left side decides.
    fn find_binary(
        &mut self,
        operator: Operator,
        left: &'a Expression,
        right: &'a Expression,
        at: usize,
    ) -> Found {
        let left = self.find(left)?;
        let decides = match (operator, &left) {
            (Operator::And, Some(Value::Bool(false))) => Some(false),
            (Operator::Or, Some(Value::Bool(true))) => Some(true),
            _ => None,
        };
        if let Some(value) = decides {
            return Ok(Some(Value::Bool(value)));
        }
        let right = self.find(right)?;
        let (Some(left), Some(right)) = (left, right) else {
            return Ok(None);
        };
        let joined = binary(operator, &left, &right);
        joined
            .map(Some)
            .map_err(|message| Mistake::new(at, message))
    }

    /// `None` if one of them is not known; all of them are looked at.
    fn find_all(&mut self, items: &'a [Expression]) -> Result<Option<Vec<Value>>, Mistake> {
        let mut found = Vec::with_capacity(items.len());
        let mut is_complete = true;
        for item in items {
            match self.find(item)? {
                Some(value) => found.push(value),
                None => is_complete = false,
            }
        }
        Ok(is_complete.then_some(found))
    }

    fn find_text(&mut self, pieces: &'a [Piece]) -> Result<Option<String>, Mistake> {
        let mut text = String::new();
        let mut is_complete = true;
        for piece in pieces {
            match piece {
                Piece::Plain(plain) => text.push_str(plain),
                Piece::Inside(expression) => match self.find(expression)? {
                    Some(value) => text.push_str(&value.to_string()),
                    None => is_complete = false,
                },
            }
            if text.len() > MOST_TEXT {
                return Err(Mistake::new(
                    0,
                    format!("a text is at most {MOST_TEXT} bytes long"),
                ));
            }
        }
        Ok(is_complete.then_some(text))
    }

    fn find_name(&mut self, name: &'a str, at: usize) -> Found {
        if let Some((_, value)) = self.bound.iter().rev().find(|(bound, _)| *bound == name) {
            return Ok(Some(value.clone()));
        }
        if let Some(value) = self.named.get(name) {
            return Ok(value.clone());
        }
        let Some(expression) = self.scope.values.get(name) else {
            let message = format!("there is no value '{name}'; give it one under [let]");
            return Err(Mistake::new(at, message));
        };
        if self.open.contains(&name) {
            let message = format!("'{name}' is computed from itself");
            return Err(Mistake::new(at, message));
        }
        self.open.push(name);
        let outer = std::mem::take(&mut self.bound); // a name under [let] knows nothing of a 'for'
        let value = self.find(expression);
        self.bound = outer;
        self.open.pop();
        let value = value.map_err(|inner| Mistake::new(at, format!("in '{name}': {inner}")))?;
        self.named.insert(name, value.clone());
        Ok(value)
    }

    fn find_call(&mut self, called: &'a Called, args: &'a [Expression], at: usize) -> Found {
        let args = self.find_all(args)?;
        let fail = |message: String| Mistake::new(at, message);
        match called {
            Called::Function(function) => match args {
                Some(args) => function.apply(&args).map(Some).map_err(fail),
                None => Ok(None),
            },
            Called::Ask(ask, run) => {
                let run = self.find_run(run.as_ref())?;
                let (Some(run), Some(args)) = (run, args) else {
                    return Ok(None);
                };
                self.asked(Need {
                    run,
                    ask: *ask,
                    args,
                })
                .map_err(fail)
            }
        }
    }

    fn asked(&mut self, need: Need) -> Result<Option<Value>, String> {
        match self.answers.get(&need) {
            Some(Ok(value)) => Ok(Some(value.clone())),
            Some(Err(why)) => Err(format!("{}: {why}", Ask::name(need.ask))),
            None if self.needs.len() >= MOST_ITEMS => Err(format!(
                "this asks for more than {MOST_ITEMS} things at once"
            )),
            None => {
                self.needs.push(need);
                Ok(None)
            }
        }
    }
}

/// Large values count as several steps, so that no expression fills the memory.
fn weight(value: &Value) -> usize {
    match value {
        Value::Bool(_) | Value::Number(_) => 0,
        Value::Text(text) => text.len() / 64,
        Value::Grid(grid) => grid.values().len() / 32,
        Value::List(items) => items.len() / 8,
    }
}

/// What stands at a place; places below 0 count from the end.
fn index(value: Value, place: &Value) -> Result<Value, String> {
    let number = place.number()?;
    if number.fract() != 0.0 || number.abs() > 1e9 {
        return Err(format!("a place is a whole number, not {number}"));
    }
    let n = match &value {
        Value::Grid(grid) => grid.shape().first().copied().unwrap_or_default(),
        Value::List(items) => items.len(),
        other => return Err(format!("expected a list before '[', not {}", other.kind())),
    };
    let from_end = if number < 0.0 { n as f64 } else { 0.0 };
    let beyond = || format!("there is no place {number} among {n}");
    let place = number + from_end;
    if place < 0.0 {
        return Err(beyond());
    }
    let found = match &value {
        Value::Grid(grid) => grid.at(place as usize),
        Value::List(items) => items.get(place as usize).cloned(),
        _ => None,
    };
    found.ok_or_else(beyond)
}
