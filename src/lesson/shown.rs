//! A lesson with the values of a model filled in: what a window shows. Plain data.

use super::goal::Goal;
use super::question::{Answer, Click, Right};
use super::run::Run;
use crate::trace::Address;

/// A text whose values are filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filled {
    /// Markdown.
    pub text: String,
    /// The claims that do not hold on this model, by the bytes where they stand in the file: the
    /// text is not true as it is written.
    pub broken: Vec<usize>,
}

/// The beginning of a lesson.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Opening {
    /// What the model lacks for this lesson, if anything: shown in place of the steps.
    pub lacks: Option<Filled>,
    /// Text before the first step.
    pub intro: Filled,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShownStep {
    /// What stands over it.
    pub title: String,
    /// What the model lacks for this step, if anything: shown in place of the parts.
    pub lacks: Option<Filled>,
    /// What it consists of, in order.
    pub parts: Vec<ShownPart>,
}

/// Part of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum ShownPart {
    /// Text to read.
    Text(Filled),
    /// Where to go.
    Go(ShownGo),
    /// Something to do.
    Try(ShownTry),
    /// Something to answer.
    Question(Box<ShownQuestion>),
    /// A part that has no values on this model: why, with its place in the file.
    Failed(String),
}

/// Where to go.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownGo {
    /// The address.
    pub to: Address,
    /// The tab of its picture, in lower case.
    pub tab: Option<String>,
    /// In which run.
    pub run: Run,
    /// Beside which run, to compare.
    pub beside: Option<Run>,
    /// Positions to mark.
    pub mark: Vec<usize>,
    /// What to sweep over, the change, and the token whose probability is measured.
    pub sweep: Option<[String; 3]>,
    /// What to look at.
    pub look: Filled,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownTry {
    /// What stands on its button.
    pub label: Filled,
    /// Where to go then.
    pub to: Option<Goal>,
    /// The run to show; the lesson's own, if none is named.
    pub run: Run,
    /// Beside which run, to compare.
    pub beside: Option<Run>,
    /// What to sweep over, the change, and the token whose probability is measured.
    pub sweep: Option<[String; 3]>,
}

/// Something to answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownQuestion {
    /// What progress knows it by.
    pub id: String,
    /// What is asked.
    pub ask: Filled,
    /// Whether the picture is to be hidden until there is an answer.
    pub is_prediction: bool,
    /// Whether the formula below the picture is to be hidden until the question is answered.
    pub hides_formula: bool,
    /// How it is answered.
    pub kind: ShownKind,
    /// What is right.
    pub right: Right,
    /// Said after a wrong answer, where the choice has no hint of its own.
    pub hint: Filled,
    /// Said after the right answer.
    pub why: Filled,
}

/// How a question is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum ShownKind {
    /// By one of these choices; each with the hint to who chose it wrongly.
    Choice(Vec<[Filled; 2]>),
    /// By a number, in this unit.
    Number(String),
    /// By a click on this.
    Click(Click),
}

impl ShownQuestion {
    /// `None` for a right answer; for a wrong one what helps on.
    #[must_use]
    pub fn hint_for(&self, answer: &Answer) -> Option<&Filled> {
        if self.right.accepts(answer) {
            return None;
        }
        let own = match (&self.kind, answer) {
            (ShownKind::Choice(choices), Answer::Choice(place)) => choices.get(*place),
            _ => None,
        };
        let own = own
            .map(|[_, hint]| hint)
            .filter(|hint| !hint.text.trim().is_empty());
        Some(own.unwrap_or(&self.hint))
    }
}
