//! Expressions: what a lesson computes from the live model.
//!
//! `if p(' Paris') > 0.5 then 'sure' else 'unsure'`. An expression is read once ([`parse`]), into a
//! tree that knows where each part stands; [`Evaluation`] gives its value, or what the engine must
//! be asked first. The grammar stands in `parse.rs`, what can be asked in [`super::ask`], what is
//! computed from values in [`function`].

mod evaluate;
pub mod function;
mod lex;
mod numbers;
mod parse;
mod value;

pub use evaluate::{Evaluation, MOST_STEPS, MOST_STEPS_OF_LESSON, Outcome, Scope};
pub use parse::{MOST_BYTES, MOST_DEPTH, MOST_VALUES, parse, parse_text};
pub use value::{Grid, Value};

use function::Function;

use super::ask::Ask;

/// A mistake in an expression: where, in bytes from its beginning, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Mistake {
    /// Bytes before it.
    pub at: usize,
    /// What is wrong and what was expected.
    pub message: String,
}

impl Mistake {
    /// A mistake at a place.
    #[must_use]
    pub fn new(at: usize, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { at, message }
    }

    /// The same mistake in a text that has `by` bytes more before it.
    #[must_use]
    pub fn moved(mut self, by: usize) -> Self {
        self.at += by;
        self
    }
}

/// An expression that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// What it is.
    pub node: Node,
    /// Where it begins, in bytes of its source.
    pub at: usize,
}

/// What an expression can be.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// `0.5`
    Number(f64),
    /// `true`
    Bool(bool),
    /// `'blocks.{layer}'`
    Text(Vec<Piece>),
    /// `[1, 2, 3]`
    List(Vec<Expression>),
    /// `layer`: a value under `[let]`, or of an enclosing `for`.
    Name(String),
    /// `x[2, -1]`
    Index(Box<Expression>, Vec<Expression>),
    /// `-x`
    Minus(Box<Expression>),
    /// `not x`
    Not(Box<Expression>),
    /// `x + y`
    Binary(Operator, Box<[Expression; 2]>),
    /// `if x then y else z`
    If(Box<[Expression; 3]>),
    /// `[body for name in list where filter]`
    Each {
        /// One value.
        body: Box<Expression>,
        /// What the element is called in it.
        name: String,
        /// The elements.
        list: Box<Expression>,
        /// Which of them count.
        filter: Option<Box<Expression>>,
    },
    /// `name(arguments)`
    Call(Called, Vec<Expression>),
}

/// What is called.
#[derive(Debug, Clone, PartialEq)]
pub enum Called {
    /// Computed from the arguments.
    Function(&'static Function),
    /// Asked of a run: the lesson's own, or the one named before the point.
    Ask(Ask, Option<RunName>),
}

/// A run and its arguments: `without(2, 3)`.
#[derive(Debug, Clone, PartialEq)]
pub struct RunName {
    /// Its name under `[runs]`.
    pub name: String,
    /// What stands for its `over`.
    pub args: Vec<Expression>,
    /// Where it stands.
    pub at: usize,
}

/// Part of a text.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// As it stands.
    Plain(String),
    /// The value of an expression.
    Inside(Expression),
}

/// What joins two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `or`
    Or,
    /// `and`
    And,
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
    /// `^`
    Power,
}

impl Expression {
    /// The first name that nothing gives a value to: neither `known` nor an enclosing `for`.
    ///
    /// # Errors
    /// That name, or that run, and where it stands.
    pub fn check_names(&self, known: &dyn Fn(Named<'_>) -> bool) -> Result<(), Mistake> {
        self.check_with(known, &mut Vec::new())
    }

    fn check_with<'a>(
        &'a self,
        known: &dyn Fn(Named<'_>) -> bool,
        bound: &mut Vec<&'a str>,
    ) -> Result<(), Mistake> {
        match &self.node {
            Node::Name(name) if !bound.contains(&name.as_str()) && !known(Named::Value(name)) => {
                let message = format!("there is no value '{name}'; give it one under [let]");
                return Err(Mistake::new(self.at, message));
            }
            Node::Call(Called::Ask(_, Some(run)), _)
                if !known(Named::Run(&run.name, run.args.len())) =>
            {
                let (name, n) = (&run.name, run.args.len());
                let message = format!("there is no run '{name}' with {n} arguments under [runs]");
                return Err(Mistake::new(run.at, message));
            }
            Node::Each {
                body,
                name,
                list,
                filter,
            } => {
                list.check_with(known, bound)?;
                bound.push(name);
                let mut inside = std::iter::once(body).chain(filter);
                let checked = inside.try_for_each(|inner| inner.check_with(known, bound));
                bound.pop();
                return checked;
            }
            _ => {}
        }
        let mut children = self.children().into_iter();
        children.try_for_each(|child| child.check_with(known, bound))
    }

    fn children(&self) -> Vec<&Self> {
        match &self.node {
            Node::Number(_) | Node::Bool(_) | Node::Name(_) => Vec::new(),
            Node::Text(pieces) => {
                let inside = pieces.iter().filter_map(|piece| match piece {
                    Piece::Plain(_) => None,
                    Piece::Inside(inside) => Some(inside),
                });
                inside.collect()
            }
            Node::List(items) => items.iter().collect(),
            Node::Index(inner, places) => std::iter::once(&**inner).chain(places).collect(),
            Node::Minus(inner) | Node::Not(inner) => vec![inner],
            Node::Binary(_, sides) => sides.iter().collect(),
            Node::If(parts) => parts.iter().collect(),
            Node::Each {
                body, list, filter, ..
            } => {
                let filter = filter.as_ref().map(|filter| &**filter);
                [&**body, &**list].into_iter().chain(filter).collect()
            }
            Node::Call(called, args) => {
                let run = match called {
                    Called::Ask(_, Some(run)) => run.args.iter().collect(),
                    _ => Vec::new(),
                };
                run.into_iter().chain(args).collect()
            }
        }
    }
}

/// Something that an expression names.
#[derive(Debug, Clone, Copy)]
pub enum Named<'a> {
    /// A value.
    Value(&'a str),
    /// A run, and how many arguments it is given.
    Run(&'a str, usize),
}
