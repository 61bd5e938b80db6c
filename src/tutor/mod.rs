//! The tutor: asks the engine what a lesson needs, so that its texts and questions have values.
//!
//! A lesson evaluates as far as the known answers carry it and tells what it lacks
//! ([`crate::lesson::ask::Need`]); the [`Desk`] opens the runs that are meant, asks the engine and
//! turns what it is told into values; then the lesson is evaluated again. [`check()`] walks through a
//! whole lesson so, answering right and wrong.
//!
//! Everything here waits for the engine: the window runs it on a thread of its own.

mod check;
mod desk;
mod of_inside;
mod of_model;
mod of_run;
mod of_sampling;
mod of_text;
mod shown;

use std::cell::Cell;

use anyhow::Result;

pub use check::{Report, check};
pub use desk::Desk;

use crate::engine::client::Client;
use crate::engine::message::{Action, CancelToken, Event, SessionId};
use crate::lesson::ask::{Answers, Need};
use crate::lesson::expression::{Evaluation, Mistake, Outcome, RunName, Value};
use crate::lesson::run::{Run, Text};
use crate::lesson::{Filled, Lesson, Prose, ProsePiece, Question, Right, Sourced};

/// Who passes requests to an engine and waits for their ends.
pub trait Asker {
    /// The event that a request ended in.
    ///
    /// # Errors
    /// If the engine has ended.
    fn end_of(&mut self, session: SessionId, action: Action) -> Result<Event>;
}

impl Asker for Client {
    fn end_of(&mut self, session: SessionId, action: Action) -> Result<Event> {
        let events = self.ask(session, action, &CancelToken::default())?;
        events
            .last()
            .ok_or_else(|| anyhow::anyhow!("the engine has ended"))
    }
}

/// How often an evaluation may ask for more with what it was told.
const MOST_ROUNDS: usize = 40;

/// A lesson at work: its answers, and who gets them.
#[derive(Debug)]
pub struct Tutor<'a, A: Asker> {
    desk: &'a mut Desk<A>,
    lesson: &'a Lesson,
    answers: Answers,
    /// Steps of all evaluations so far.
    n_steps: Cell<usize>,
}

impl<'a, A: Asker> Tutor<'a, A> {
    /// A tutor for `lesson`.
    pub fn new(desk: &'a mut Desk<A>, lesson: &'a Lesson) -> Self {
        Self::with_answers(desk, lesson, Answers::default())
    }

    /// A tutor who has been told something of `lesson` before.
    pub fn with_answers(desk: &'a mut Desk<A>, lesson: &'a Lesson, answers: Answers) -> Self {
        Self {
            desk,
            lesson,
            answers,
            n_steps: Cell::new(0),
        }
    }

    /// What was told.
    #[must_use]
    pub fn into_answers(self) -> Answers {
        self.answers
    }

    /// Asks and evaluates until there is a value.
    fn settle<T>(
        &mut self,
        evaluate: impl Fn(Evaluation<'_>) -> Result<Outcome<T>, Mistake>,
    ) -> Result<T, Mistake> {
        for _ in 0..MOST_ROUNDS {
            let evaluation = Evaluation::new(&self.lesson.scope, &self.answers);
            let evaluation = evaluation.counted(&self.n_steps);
            match evaluate(evaluation)? {
                Outcome::Known(value) => return Ok(value),
                Outcome::Needs(needs) => self.ask(needs),
            }
        }
        let message =
            format!("this asks again and again with what it was told, {MOST_ROUNDS} times");
        Err(Mistake::new(0, message))
    }

    /// Asks for everything at once, run by run.
    fn ask(&mut self, mut needs: Vec<Need>) {
        needs.sort_by_cached_key(|need| format!("{:?}", need.run));
        for need in needs {
            if self.answers.get(&need).is_none() {
                let answer = self.desk.answer(&need);
                self.answers.put(&need, answer);
            }
        }
    }

    /// The value of an expression; a mistake has its place in the file.
    ///
    /// # Errors
    /// If it has none on this model.
    pub fn value(
        &mut self,
        of: &Sourced<crate::lesson::expression::Expression>,
    ) -> Result<Value, Mistake> {
        let settled = self.settle(|evaluation| evaluation.value(&of.value));
        settled.map_err(|mistake| mistake.moved(of.start))
    }

    /// A text with its expressions filled in: an address, an edit.
    ///
    /// # Errors
    /// If one of them has no value on this model.
    pub fn text(&mut self, of: &Sourced<Text>) -> Result<String, Mistake> {
        let settled = self.settle(|evaluation| evaluation.text(&of.value));
        settled.map_err(|mistake| mistake.moved(of.start))
    }

    /// A run of the lesson; `None`: its own.
    ///
    /// # Errors
    /// If an expression in it has no value on this model.
    pub fn run(&mut self, name: Option<&Sourced<RunName>>) -> Result<Run, Mistake> {
        let settled = self.settle(|evaluation| evaluation.run(name.map(|name| &name.value)));
        settled.map_err(|mistake| mistake.moved(name.map_or(0, |name| name.start)))
    }

    /// A text to read, with its values, and which of its claims do not hold.
    ///
    /// # Errors
    /// If one of its expressions has no value on this model.
    pub fn fill(&mut self, prose: &Prose) -> Result<Filled, Mistake> {
        let mut filled = Filled::default();
        for piece in &prose.pieces {
            match piece {
                ProsePiece::Markdown(text) => filled.text.push_str(text),
                ProsePiece::Value(inside) => {
                    filled.text.push_str(&self.value(inside)?.to_string());
                }
                ProsePiece::Claim(inside) => {
                    let holds = self.value(inside)?.truth();
                    if !holds.map_err(|why| Mistake::new(inside.start, why))? {
                        filled.broken.push(inside.start);
                    }
                }
            }
        }
        Ok(filled)
    }

    /// Whether a condition holds.
    ///
    /// # Errors
    /// If it has no value on this model.
    pub fn holds(
        &mut self,
        when: &Sourced<crate::lesson::expression::Expression>,
    ) -> Result<bool, Mistake> {
        let holds = self.value(when)?.truth();
        holds.map_err(|why| Mistake::new(when.start, why))
    }

    /// What is right on this model.
    ///
    /// # Errors
    /// If nothing is.
    pub fn right(&mut self, question: &Question) -> Result<Right, Mistake> {
        let deciding = question.deciding();
        let values: Result<Vec<Value>, Mistake> =
            deciding.into_iter().map(|of| self.value(of)).collect();
        question.right(&values?)
    }

    /// Whether the address is one that this model has in the run: a view, a stage, or a hook with a
    /// value there.
    ///
    /// # Errors
    /// Why it is none.
    pub fn visit(
        &mut self,
        to: &Sourced<Text>,
        run: Option<&Sourced<RunName>>,
    ) -> Result<(), Mistake> {
        let (text, run) = (self.text(to)?, self.run(run)?);
        let visited = self.desk.visit(&run, &text);
        visited.map_err(|why| Mistake::new(to.start, why))
    }
}
