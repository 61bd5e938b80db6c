//! What a lesson is made of.

use std::sync::Arc;

use super::carried::CARRIED;
use super::expression::{Expression, Mistake, RunName, Scope};
use super::problem::{Place, Problem};
use super::prose::Prose;
use super::question::{Choice, Kind, Question};
use super::run::{PromptForm, Text};

/// A lesson.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// The name of its file, without `.md`: what it is called by.
    pub name: String,
    /// The file, as errors name it.
    pub file: String,
    /// What stands over it.
    pub title: String,
    /// One sentence on what it is about.
    pub about: String,
    /// How long it takes.
    pub minutes: u32,
    /// Lessons are listed by this number, the smallest first.
    pub order: f64,
    /// For whom: `first steps`, `core`, `going further`, or what its author writes.
    pub level: String,
    /// The language it is written in, as a code: `en`.
    pub language: String,
    /// Whether wrong answers get a hint.
    pub shows_hints: bool,
    /// Whether the right answer may be shown.
    pub shows_answers: bool,
    /// What the model must have.
    pub needs: Vec<Condition>,
    /// Its runs and values.
    pub scope: Scope,
    /// Where each value under `[let]` begins in the file.
    pub value_starts: Vec<(String, usize)>,
    /// Text before the first step.
    pub intro: Prose,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The whole file.
    pub text: Arc<str>,
}

/// Something and where its source begins, in bytes of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Sourced<T> {
    /// What.
    pub value: T,
    /// Where.
    pub start: usize,
}

/// What a step or a lesson needs, and what is said where a model lacks it.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// What must hold.
    pub when: Sourced<Expression>,
    /// Shown instead.
    pub otherwise: Prose,
}

/// One step of a lesson.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What stands over it.
    pub title: String,
    /// Where its heading begins in the file.
    pub start: usize,
    /// What the model must have.
    pub needs: Vec<Condition>,
    /// What it consists of, in order.
    pub parts: Vec<Part>,
}

/// Part of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Text to read.
    Text(Prose),
    /// Where to go.
    Go(Go),
    /// Something to do.
    Try(Try),
    /// Something to answer.
    Question(Question),
}

/// Where to go, and what to look at there.
#[derive(Debug, Clone, PartialEq)]
pub struct Go {
    /// The address.
    pub to: Sourced<Text>,
    /// In which run; `None`: the lesson's own.
    pub run: Option<Sourced<RunName>>,
    /// Beside which run, to compare.
    pub beside: Option<Sourced<RunName>>,
    /// Positions to mark.
    pub mark: Option<Sourced<Expression>>,
    /// A change made in many places, to be shown.
    pub sweep: Option<Sweep>,
    /// What to look at, in one sentence.
    pub look: Prose,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Try {
    /// What stands on its button.
    pub label: Prose,
    /// The address to show then.
    pub to: Option<Sourced<Text>>,
    /// The run to show: another prompt, an edit.
    pub run: Option<Sourced<RunName>>,
    /// Beside which run, to compare.
    pub beside: Option<Sourced<RunName>>,
    /// A change made in many places, one after the other.
    pub sweep: Option<Sweep>,
}

/// A change made in many places, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// Where: `heads` or `layers x positions`.
    pub over: String,
    /// The change: `zero`, `mean`, `scale(0.5)`.
    pub change: String,
    /// The token whose probability is measured.
    pub token: Sourced<Text>,
}

impl Lesson {
    /// A mistake at a byte of the file, as people are told it.
    #[must_use]
    pub fn problem(&self, byte: usize, message: impl Into<String>) -> Problem {
        Problem {
            file: self.file.clone(),
            place: Place::of(&self.text, byte),
            message: message.into(),
        }
    }

    /// The same lesson on another prompt: its own run, and the runs that read the same.
    #[must_use]
    pub fn on_prompt(&self, prompt: PromptForm) -> Self {
        let mut other = self.clone();
        let own = std::mem::replace(&mut other.scope.main.prompt, prompt.clone());
        for run in other
            .scope
            .runs
            .values_mut()
            .filter(|run| run.prompt == own)
        {
            run.prompt = prompt.clone();
        }
        other
    }

    /// Whether the program carries it, as it stands.
    #[must_use]
    pub fn is_carried(&self) -> bool {
        let mut carried = CARRIED.iter();
        carried.any(|(name, text)| *name == self.name && *text == &*self.text)
    }

    /// That something has no value on this model, as who does the lesson is told it; whoever writes
    /// it is told the place in the file, too.
    #[must_use]
    pub fn told_calmly(&self, mistake: &Mistake) -> String {
        let mut why = mistake.message.as_str();
        // 'in 'row': pos: the text has …': which names led there helps an author alone.
        while let Some((name, rest)) = why.split_once(": ")
            && (name.starts_with("in '")
                || name.bytes().all(|c| c == b'_' || c.is_ascii_lowercase()))
        {
            why = rest;
        }
        let why = why.trim_end_matches('.');
        let told = format!("This does not work on this model: {why}.");
        match self.is_carried() {
            true => told,
            false => format!(
                "{told} ({})",
                self.problem(mistake.at, mistake.message.clone())
            ),
        }
    }

    /// A mistake in something that begins at byte `start`.
    #[must_use]
    pub fn problem_in(&self, start: usize, mistake: &Mistake) -> Problem {
        self.problem(start + mistake.at, mistake.message.clone())
    }

    /// Every question, with its step.
    pub fn questions(&self) -> impl Iterator<Item = (&Step, &Question)> {
        self.steps.iter().flat_map(|step| {
            step.parts.iter().filter_map(move |part| match part {
                Part::Question(question) => Some((step, question)),
                _ => None,
            })
        })
    }
}

impl Lesson {
    /// Every expression of its conditions, texts and blocks; not those under `[let]` and `[runs]`.
    pub fn expressions(&self) -> Vec<&Sourced<Expression>> {
        let mut found: Vec<&Sourced<Expression>> = self.intro.expressions().collect();
        let needs = self
            .needs
            .iter()
            .chain(self.steps.iter().flat_map(|step| &step.needs));
        for condition in needs {
            found.push(&condition.when);
            found.extend(condition.otherwise.expressions());
        }
        for part in self.steps.iter().flat_map(|step| &step.parts) {
            found.extend(part.expressions());
        }
        found
    }

    /// Every run that a block names.
    pub fn run_names(&self) -> impl Iterator<Item = &Sourced<RunName>> {
        let parts = self.steps.iter().flat_map(|step| &step.parts);
        parts.flat_map(|part| match part {
            Part::Go(go) => go.run.iter().chain(&go.beside),
            Part::Try(attempt) => attempt.run.iter().chain(&attempt.beside),
            Part::Text(_) | Part::Question(_) => None.iter().chain(&None),
        })
    }
}

impl Part {
    /// Its expressions.
    #[must_use]
    pub fn expressions(&self) -> Vec<&Sourced<Expression>> {
        match self {
            Self::Text(prose) => prose.expressions().collect(),
            Self::Go(go) => go.look.expressions().chain(&go.mark).collect(),
            Self::Try(attempt) => attempt.label.expressions().collect(),
            Self::Question(question) => {
                let choices: &[Choice] = match &question.kind {
                    Kind::Choice(choices) => choices,
                    _ => &[],
                };
                let own = [&question.ask, &question.hint, &question.why];
                let choices = choices
                    .iter()
                    .flat_map(|choice| [&choice.text, &choice.hint]);
                let texts = own.into_iter().chain(choices);
                let shown = texts.flat_map(Prose::expressions);
                shown.chain(question.deciding()).collect()
            }
        }
    }
}
