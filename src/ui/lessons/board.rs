//! What the page of lessons is drawn from: the list, the lesson that is open, how far one has come.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::lesson::progress::Progress;
use crate::lesson::{
    Answer, Click, Lesson, Opening, ShownGo, ShownKind, ShownPart, ShownQuestion, ShownStep,
};
use crate::settings::PromptSettings;
use crate::trace::{BlockHook, Hook, Place};

/// Everything that is known of lessons.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Board {
    /// Every lesson, in order.
    pub cards: Vec<Card>,
    /// What is wrong with files that should be lessons: file, line, column, and what was expected.
    pub problems: Vec<String>,
    /// Folders of one's own.
    pub folders: Vec<PathBuf>,
    /// How far one has come in every lesson.
    pub progress: Progress,
    /// The lesson on view.
    pub open: Option<OpenLesson>,
}

/// A lesson in the list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Card {
    /// What it is called by.
    pub name: String,
    /// What stands over it.
    pub title: String,
    /// One sentence on it.
    pub about: String,
    /// How long it takes.
    pub minutes: u32,
    /// For whom.
    pub level: String,
    /// How many questions it asks.
    pub n_questions: usize,
}

impl Card {
    /// The card of a lesson.
    #[must_use]
    pub fn of(lesson: &Lesson) -> Self {
        Self {
            name: lesson.name.clone(),
            title: lesson.title.clone(),
            about: lesson.about.clone(),
            minutes: lesson.minutes,
            level: lesson.level.clone(),
            n_questions: lesson.questions().count(),
        }
    }
}

/// The lesson on view, with what the model told so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OpenLesson {
    /// Its card.
    pub card: Card,
    /// Its place in the list, from 1.
    pub number: usize,
    /// What stands over each step.
    pub titles: Vec<String>,
    /// Its beginning; not told yet if `None`, or why there is none.
    pub opening: Option<Result<Opening, String>>,
    /// Each step that was told.
    pub steps: Vec<Option<ShownStep>>,
    /// The step on view, from 0.
    pub step: usize,
    /// The part of the step whose place is on view.
    pub followed: Option<usize>,
    /// What was answered in this session, by the questions' ids.
    pub attempts: BTreeMap<String, Attempt>,
    /// Whether wrong answers get a hint.
    pub shows_hints: bool,
    /// Whether answers are told on request.
    pub shows_answers: bool,
    /// Another prompt than its own.
    pub prompt: Option<PromptSettings>,
    /// Before a room: the part of the step that the speaker has come to, from 0.
    pub beat: Option<usize>,
    /// Whether it was reached to its end.
    pub is_over: bool,
    /// What is wrong with its file since it was opened: what is on view is how it was before.
    pub problems: Vec<String>,
}

/// How a question went in this session.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attempt {
    /// What was answered last.
    pub last: Option<Answer>,
    /// How many answers were given.
    pub n_tries: u32,
    /// Whether the last one is right.
    pub is_right: bool,
    /// Whether the answer was told.
    pub is_told: bool,
    /// Whether one went on without it.
    pub is_skipped: bool,
}

impl Attempt {
    /// Whether the lesson may go on.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.is_right || self.is_told || self.is_skipped
    }
}

impl OpenLesson {
    /// The step on view; `None` until the model has told its values.
    #[must_use]
    pub fn shown(&self) -> Option<&ShownStep> {
        self.steps.get(self.step)?.as_ref()
    }

    /// Whether the model lacks what the whole lesson needs.
    #[must_use]
    pub fn lacks(&self) -> bool {
        matches!(&self.opening, Some(Ok(opening)) if opening.lacks.is_some())
    }

    /// The parts that can be seen: up to the question that waits, itself included.
    #[must_use]
    pub fn parts(&self) -> &[ShownPart] {
        let parts = self.shown().map_or(&[][..], |step| &step.parts);
        let waits = match self.beat {
            Some(beat) => self.asked_in_room(beat),
            None => parts.iter().position(|part| match part {
                ShownPart::Question(question) => !self.is_done(&question.id),
                _ => false,
            }),
        };
        let end = waits.map_or(parts.len(), |at| at + 1);
        parts.get(..end).unwrap_or_default()
    }

    /// The question that waits for an answer.
    #[must_use]
    pub fn waiting(&self) -> Option<&ShownQuestion> {
        match self.parts().last() {
            Some(ShownPart::Question(question)) => {
                let waits = self.beat.is_some() || !self.is_done(&question.id);
                waits.then_some(question)
            }
            _ => None,
        }
    }

    /// The part that leads somewhere: the last one that can be seen.
    #[must_use]
    pub fn leading(&self) -> Option<usize> {
        let parts = self.parts().iter();
        parts
            .enumerate()
            .rfind(|(_, part)| matches!(part, ShownPart::Go(_)))
            .map(|(at, _)| at)
    }

    /// The place on view, where a part leads to one.
    #[must_use]
    pub fn place(&self) -> Option<&ShownGo> {
        match self.shown()?.parts.get(self.followed?)? {
            ShownPart::Go(go) => Some(go),
            _ => None,
        }
    }

    /// The row of an attention map that the step is about, where it is about one.
    #[must_use]
    pub fn asked_row(&self) -> Option<usize> {
        let go = self.place()?;
        match go.to.place {
            Place::Hook(Hook::Block(_, BlockHook::Scores | BlockHook::Pattern)) => {
                let named = go.to.index.get(1);
                named.or(go.mark.first()).copied()
            }
            _ => None,
        }
    }

    /// Whether a click on one of these is waited for: then the picture may mark none by itself.
    #[must_use]
    pub fn waits_for_click(&self, on: &[Click]) -> bool {
        let asked = self.waiting().map(|question| &question.kind);
        matches!(asked, Some(ShownKind::Click(asked)) if on.contains(asked))
    }

    /// Whether the formula would tell the number that is asked for.
    #[must_use]
    pub fn hides_formula(&self) -> bool {
        self.waiting()
            .is_some_and(|question| question.hides_formula)
    }

    /// Whether the picture would give the answer away: one is to predict first.
    #[must_use]
    pub fn hides_picture(&self) -> bool {
        // What a room says is not heard here: it waits until the speaker shows the answer.
        let is_in_room = self.beat.is_some();
        let was_tried = |question: &ShownQuestion| !is_in_room && self.was_tried(&question.id);
        !(is_in_room && self.is_over)
            && self
                .waiting()
                .is_some_and(|question| question.is_prediction && !was_tried(question))
    }

    fn was_tried(&self, question: &str) -> bool {
        let attempt = self.attempts.get(question);
        attempt.is_some_and(|attempt| attempt.n_tries > 0)
    }

    /// How many questions are asked on this model, as far as the model has told.
    #[must_use]
    pub fn n_asked(&self) -> usize {
        let told: Option<Vec<&ShownStep>> = self.steps.iter().map(Option::as_ref).collect();
        let parts = told.map(|steps| steps.into_iter().flat_map(|step| &step.parts));
        let is_question = |part: &&ShownPart| matches!(part, ShownPart::Question(_));
        parts.map_or(self.card.n_questions, |parts| {
            parts.filter(is_question).count()
        })
    }

    /// Whether a question was answered, or its answer was told: not merely skipped.
    #[must_use]
    pub fn is_answered(&self, question: &str) -> bool {
        let attempt = self.attempts.get(question);
        attempt.is_some_and(|attempt| attempt.is_right || attempt.is_told)
    }

    /// Whether a question is behind one.
    #[must_use]
    pub fn is_done(&self, question: &str) -> bool {
        self.attempts.get(question).is_some_and(Attempt::is_done)
    }
}

impl Board {
    /// The card of a lesson.
    #[must_use]
    pub fn card(&self, name: &str) -> Option<&Card> {
        self.cards.iter().find(|card| card.name == name)
    }

    /// Whether a lesson was seen to its end, with every question answered or shown.
    #[must_use]
    pub fn is_finished(&self, name: &str) -> bool {
        self.progress.is_done(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::{Filled, Right};

    fn question(id: &str, is_prediction: bool) -> ShownPart {
        ShownPart::Question(Box::new(ShownQuestion {
            id: id.to_owned(),
            ask: Filled::default(),
            is_prediction,
            hides_formula: false,
            kind: ShownKind::Number(String::new()),
            right: Right::Number(1.0, 0.0),
            hint: Filled::default(),
            why: Filled::default(),
        }))
    }

    fn lesson() -> OpenLesson {
        let text = || ShownPart::Text(Filled::default());
        let step = ShownStep {
            parts: vec![
                text(),
                question("first", false),
                text(),
                question("second", true),
                text(),
            ],
            ..ShownStep::default()
        };
        OpenLesson {
            steps: vec![Some(step)],
            ..OpenLesson::default()
        }
    }

    #[test]
    fn what_follows_a_question_comes_after_its_answer() {
        let mut open = lesson();
        assert_eq!(open.parts().len(), 2);
        assert_eq!(open.waiting().unwrap().id, "first");
        assert!(!open.hides_picture());
        let right = Attempt {
            is_right: true,
            ..Attempt::default()
        };
        open.attempts.insert("first".into(), right);
        assert_eq!(open.parts().len(), 4);
        assert!(open.hides_picture(), "the second is to be predicted");
        let wrong = Attempt {
            n_tries: 1,
            ..Attempt::default()
        };
        open.attempts.insert("second".into(), wrong);
        assert!(
            !open.hides_picture(),
            "the hint speaks of what is to be seen"
        );
        let skipped = Attempt {
            is_skipped: true,
            ..Attempt::default()
        };
        open.attempts.insert("second".into(), skipped);
        assert_eq!(open.parts().len(), 5);
        assert!(open.waiting().is_none() && !open.hides_picture());
    }

    #[test]
    fn a_step_that_was_not_told_has_no_parts() {
        let mut open = lesson();
        open.step = 1;
        assert!(open.parts().is_empty() && open.waiting().is_none());
    }
}
