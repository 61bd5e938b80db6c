//! A lesson before a room: part by part, as the speaker goes on. Nothing of it counts as an answer.

use super::OpenLesson;
use crate::lesson::{Filled, ShownPart};

/// Beyond the last part of any step.
const LAST: usize = usize::MAX;

impl OpenLesson {
    /// Shows the lesson to a room from the first part of its step on, or to its learner again.
    /// Returns whether that is new.
    pub fn show_to_room(&mut self, on: bool) -> bool {
        if self.beat.is_some() == on {
            return false;
        }
        self.beat = on.then_some(0);
        // The end of the room's lesson is not the learner's.
        self.is_over = false;
        true
    }

    /// Goes on to the next part of the step; `false` where this is the last one.
    pub fn next_beat(&mut self) -> bool {
        let n_beats = self.n_beats();
        let next = self.beat.map(|beat| beat.saturating_add(1));
        let is_there = next.is_some_and(|next| next < n_beats);
        if is_there {
            self.beat = next;
        }
        is_there
    }

    /// Goes back to the part before; `false` where this is the first one.
    pub fn beat_before(&mut self) -> bool {
        let last = self.n_beats() - 1;
        let before = self.beat.and_then(|beat| beat.min(last).checked_sub(1));
        if before.is_some() {
            self.beat = before;
        }
        before.is_some()
    }

    /// To the last part of the step, told or not.
    pub fn to_last_beat(&mut self) {
        self.beat = self.beat.map(|_| LAST);
    }

    /// The question that the room is at, by its place among the parts of the step.
    pub(super) fn asked_in_room(&self, beat: usize) -> Option<usize> {
        let beat = beat.min(self.n_beats() - 1);
        self.questions().nth(beat)
    }

    /// The text that the question on view speaks of: the last paragraph before it, and after the
    /// question before that.
    #[must_use]
    pub fn before_question(&self) -> Option<Filled> {
        let parts = self.parts().split_last()?.1;
        let mut before = parts.iter().rev();
        let is_question = |part: &&ShownPart| matches!(part, ShownPart::Question(_));
        let texts = before.by_ref().take_while(|part| !is_question(part));
        let mut texts = texts.filter_map(|part| match part {
            ShownPart::Text(text) => last_paragraph(text),
            _ => None,
        });
        texts.next()
    }

    /// What the step closes with, where it is text alone.
    #[must_use]
    pub fn closing(&self) -> Option<Filled> {
        match self.parts().last()? {
            ShownPart::Text(text) => last_paragraph(text),
            _ => None,
        }
    }

    /// One for each question, and one for what follows the last.
    fn n_beats(&self) -> usize {
        let parts = self.shown().map_or(&[][..], |step| &step.parts);
        let after = self.questions().last().map_or(0, |at| at + 1);
        let rest = parts.get(after..).unwrap_or_default();
        let has_rest = rest.iter().any(|part| match part {
            ShownPart::Text(text) => !text.text.trim().is_empty(),
            ShownPart::Go(_) => true,
            ShownPart::Try(_) | ShownPart::Failed(_) | ShownPart::Question(_) => false,
        });
        let n_questions = self.questions().count();
        (n_questions + usize::from(has_rest)).max(1)
    }

    /// The questions' places among the parts of the step.
    fn questions(&self) -> impl Iterator<Item = usize> {
        let parts = self.shown().map_or(&[][..], |step| &step.parts).iter();
        let questions = parts.enumerate();
        questions
            .filter(|(_, part)| matches!(part, ShownPart::Question(_)))
            .map(|(at, _)| at)
    }
}

/// The last paragraph of a text; `None` where the text is empty.
fn last_paragraph(text: &Filled) -> Option<Filled> {
    let paragraphs = text.text.split("\n\n");
    let last = paragraphs
        .filter(|paragraph| !paragraph.trim().is_empty())
        .last()?;
    Some(Filled {
        text: last.trim().to_owned(),
        broken: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::{Right, ShownKind, ShownQuestion, ShownStep};
    use crate::ui::lessons::Attempt;

    fn text(text: &str) -> ShownPart {
        ShownPart::Text(Filled {
            text: text.to_owned(),
            broken: Vec::new(),
        })
    }

    fn question(id: &str) -> ShownPart {
        ShownPart::Question(Box::new(ShownQuestion {
            id: id.to_owned(),
            ask: Filled::default(),
            is_prediction: true,
            hides_formula: false,
            kind: ShownKind::Number(String::new()),
            right: Right::Number(1.0, 0.0),
            hint: Filled::default(),
            why: Filled::default(),
        }))
    }

    fn lesson(parts: Vec<ShownPart>) -> OpenLesson {
        let step = ShownStep {
            parts,
            ..ShownStep::default()
        };
        OpenLesson {
            steps: vec![Some(step)],
            ..OpenLesson::default()
        }
    }

    fn waits(open: &OpenLesson) -> Option<&str> {
        open.waiting().map(|question| question.id.as_str())
    }

    #[test]
    fn a_room_is_asked_one_question_after_the_other() {
        let mut open = lesson(vec![
            text("Long ago.\n\nThe score is 56."),
            question("first"),
            question("second"),
            text("The end."),
        ]);
        let right = Attempt {
            is_right: true,
            ..Attempt::default()
        };
        open.attempts.insert("first".to_owned(), right);
        let attempts = open.attempts.clone();
        assert_eq!(waits(&open), Some("second"), "the learner has the first");
        assert!(open.show_to_room(true) && !open.show_to_room(true));
        assert_eq!(waits(&open), Some("first"), "the room has not");
        let before = open.before_question().unwrap();
        assert_eq!(before.text, "The score is 56.");
        assert!(open.hides_picture(), "the room has not predicted it");
        assert!(open.next_beat());
        assert_eq!(waits(&open), Some("second"));
        assert!(open.before_question().is_none());
        assert!(open.next_beat());
        assert_eq!(waits(&open), None);
        assert_eq!(open.closing().unwrap().text, "The end.");
        assert!(!open.next_beat());
        assert!(open.beat_before() && open.beat_before() && !open.beat_before());
        assert_eq!(waits(&open), Some("first"));
        open.show_to_room(false);
        assert_eq!(waits(&open), Some("second"));
        assert_eq!(open.attempts, attempts);
    }

    #[test]
    fn back_in_a_step_its_last_part_is_shown() {
        let mut open = lesson(vec![text("Look."), question("only"), text(" \n")]);
        open.show_to_room(true);
        open.to_last_beat();
        assert_eq!(waits(&open), Some("only"));
        assert!(!open.next_beat() && !open.beat_before());
        let mut open = lesson(vec![text("Look.")]);
        open.show_to_room(true);
        assert!(waits(&open).is_none() && !open.next_beat() && !open.beat_before());
    }
}
