//! The blocks of a step: where to go, what to do, what to answer.

use std::str::FromStr;

use super::Reader;
use crate::lesson::Goal;
use crate::lesson::expression::{Called, Node, RunName, parse};
use crate::lesson::form::{GoForm, QuestionForm, Source, SweepForm, ToleranceForm, TryForm};
use crate::lesson::parts::{Go, Sourced, Sweep, Try};
use crate::lesson::question::{Choice, Click, Kind, Question, Tolerance};
use crate::lesson::run::Text;

impl Reader<'_> {
    fn address(&mut self, source: &Source, base: usize) -> Option<Sourced<Text>> {
        let text = self.text_form(source, base)?;
        if !source.get_ref().contains('{')
            && let Err(error) = Goal::from_str(source.get_ref())
        {
            self.problem(text.start, error.to_string());
        }
        Some(text)
    }

    /// A run by its name: `without(2, 3)`.
    fn run_name(&mut self, source: Option<&Source>, base: usize) -> Option<Sourced<RunName>> {
        let source = source?;
        // Read as the run of a question, so that its arguments are expressions.
        let asked = format!("{}.tokens()", source.get_ref());
        let start = self.start_of(source, base);
        match parse(&asked).map(|expression| expression.node) {
            Ok(Node::Call(Called::Ask(_, Some(value)), _)) => Some(Sourced { value, start }),
            _ => {
                self.problem(
                    start,
                    "expected the name of a run: without, or without(2, 3)",
                );
                None
            }
        }
    }

    pub(super) fn go(&mut self, form: &GoForm, base: usize) -> Option<Go> {
        Some(Go {
            to: self.address(&form.to, base)?,
            run: self.run_name(form.run.as_ref(), base),
            beside: self.run_name(form.beside.as_ref(), base),
            mark: form
                .mark
                .as_ref()
                .and_then(|mark| self.expression(mark, base)),
            sweep: form
                .sweep
                .as_ref()
                .and_then(|sweep| self.sweep(sweep, base)),
            look: self.prose(form.look.as_ref(), base),
        })
    }

    pub(super) fn attempt(&mut self, form: &TryForm, base: usize) -> Option<Try> {
        Some(Try {
            label: self.prose(Some(&form.label), base),
            to: form.to.as_ref().and_then(|to| self.address(to, base)),
            run: self.run_name(form.run.as_ref(), base),
            beside: self.run_name(form.beside.as_ref(), base),
            sweep: form
                .sweep
                .as_ref()
                .and_then(|sweep| self.sweep(sweep, base)),
        })
    }

    fn sweep(&mut self, form: &SweepForm, base: usize) -> Option<Sweep> {
        const OVER: [&str; 2] = ["heads", "layers x positions"];
        if !OVER.contains(&form.over.get_ref().as_str()) {
            let start = self.start_of(&form.over, base);
            self.problem(
                start,
                "a sweep goes over \"heads\" or \"layers x positions\"",
            );
            return None;
        }
        Some(Sweep {
            over: form.over.get_ref().clone(),
            change: form.change.clone(),
            token: self.text_form(&form.token, base)?,
        })
    }

    pub(super) fn question(&mut self, form: &QuestionForm, base: usize) -> Option<Question> {
        let kind = self.kind(form, base)?;
        Some(Question {
            id: form.ask.get_ref().clone(),
            start: self.start_of(&form.ask, base),
            ask: self.prose(Some(&form.ask), base),
            is_prediction: form.predict,
            hides_formula: self.hides_formula(form.hides.as_ref(), base),
            kind,
            hint: self.prose(form.hint.as_ref(), base),
            why: self.prose(form.why.as_ref(), base),
        })
    }

    fn hides_formula(&mut self, form: Option<&Source>, base: usize) -> bool {
        if let Some(form) = form.filter(|form| form.get_ref() != "formula") {
            let start = self.start_of(form, base);
            self.problem(
                start,
                "a question can hide the \"formula\" and nothing else",
            );
        }
        form.is_some()
    }

    fn kind(&mut self, form: &QuestionForm, base: usize) -> Option<Kind> {
        let start = self.start_of(&form.ask, base);
        match (&form.choices, &form.click, &form.right) {
            (Some(choices), None, None) => {
                if choices.len() < 2 {
                    self.problem(start, "a question has at least two choices");
                }
                let mut read = Vec::new();
                for choice in choices {
                    read.push(Choice {
                        text: self.prose(Some(&choice.text), base),
                        right: self.expression(&choice.right, base)?,
                        hint: self.prose(choice.hint.as_ref(), base),
                    });
                }
                Some(Kind::Choice(read))
            }
            (None, Some(click), Some(right)) => {
                let on = Click::ALL
                    .into_iter()
                    .find(|on| on.name() == click.get_ref());
                if on.is_none() {
                    let at = self.start_of(click, base);
                    self.problem(
                        at,
                        "a click goes on a \"token\", \"cell\", \"head\", \"block\" or \"neuron\"",
                    );
                }
                let right = self.expression(right, base);
                Some(Kind::Click {
                    on: on?,
                    right: right?,
                })
            }
            (None, None, Some(right)) => Some(Kind::Number {
                right: self.expression(right, base)?,
                tolerance: self.tolerance(form.tolerance.as_ref(), start),
                unit: form.unit.clone(),
            }),
            _ => {
                self.problem(
                    start,
                    "expected what is right: choices = [{ text, right }, …], or click and right, or right for a number",
                );
                None
            }
        }
    }

    fn tolerance(&mut self, form: Option<&ToleranceForm>, start: usize) -> Tolerance {
        let read = match form {
            None => Some(Tolerance::Usual),
            Some(ToleranceForm::Number(number)) => Some(Tolerance::Absolute(*number)),
            Some(ToleranceForm::Text(text)) => (text.trim().strip_suffix('%'))
                .and_then(|number| number.trim().parse::<f64>().ok())
                .map(|percent| Tolerance::Relative(percent / 100.0)),
        };
        read.unwrap_or_else(|| {
            self.problem(
                start,
                "a tolerance is a number, or a share of the answer such as \"5 %\"",
            );
            Tolerance::Usual
        })
    }
}
