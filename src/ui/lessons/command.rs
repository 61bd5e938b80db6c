//! What the page of lessons may ask for.

use std::path::PathBuf;

use crate::lesson::Answer;
use crate::settings::PromptSettings;

/// One wish about lessons.
#[derive(Debug, Clone, PartialEq)]
pub enum LessonCommand {
    /// Open this lesson, at this step or where it was left.
    Open(String, Option<usize>),
    /// Back to the list.
    Close,
    /// Go to this step, counted from 0.
    Step(usize),
    /// Go to the next step; from the last one, the lesson is finished.
    Next,
    /// Go to the step before.
    Back,
    /// Show what this part of the step is about, counted from 0.
    Follow(usize),
    /// Answer the question that waits.
    Answer(Answer),
    /// Tell the answer of the question that waits.
    Reveal,
    /// Go on without an answer.
    Skip,
    /// Take up a question that was left open, by its id.
    TakeUp(String),
    /// Answer the questions of this lesson anew.
    Again,
    /// Help after wrong answers, or none.
    Hints(bool),
    /// Tell answers on request, or never.
    Answers(bool),
    /// Another prompt than the lesson's own; its own if `None`.
    Prompt(Option<PromptSettings>),
    /// The lessons of this folder too.
    AddFolder(PathBuf),
    /// Without the lessons of this folder.
    RemoveFolder(PathBuf),
    /// Take the lesson's run to the explorer.
    Explore,
}

impl LessonCommand {
    /// Opens what a spot names: `rope`, or `rope:2` for its second step.
    #[must_use]
    pub fn open(name: &str) -> Self {
        let (name, step) = match name.split_once(':') {
            // People count steps from 1.
            Some((name, step)) => (
                name,
                step.parse().ok().map(|step: usize| step.saturating_sub(1)),
            ),
            None => (name, None),
        };
        Self::Open(name.to_owned(), step)
    }
}
