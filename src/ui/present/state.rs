//! What is looked at while one presents.

use crate::lesson::stops::Stops;

/// How a room is shown the picture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Presenting {
    /// The grid of all heads beside the map, instead of the sentence.
    pub shows_heads: bool,
    /// Nothing at all.
    pub is_black: bool,
    /// The picture stays as it is, whatever is pointed at.
    pub is_frozen: bool,
    /// The answer to the question that waits, or the sentence that gives it away.
    pub shows_answer: bool,
    /// Everything is dimmed but what is around the pointer.
    pub has_spotlight: bool,
    /// The speaker's own window.
    pub has_notes: bool,
    /// The stop on view, from 0; none before the first was gone to.
    pub stop: Option<usize>,
}

/// Prepared stops, as the window has them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Talk {
    /// The stops.
    pub stops: Stops,
    /// Where they are saved, for the speaker to find.
    pub file: Option<String>,
    /// Why they are not saved, where they were to be.
    pub trouble: Option<String>,
}

impl Talk {
    /// How long stops are kept that are not saved, and why.
    #[must_use]
    pub fn until_closed(&self) -> String {
        match &self.trouble {
            Some(trouble) => format!("kept until the window is closed: {trouble}"),
            None => "kept until the window is closed".to_owned(),
        }
    }
}

/// What someone who presents may ask for.
#[derive(Debug, Clone, PartialEq)]
pub enum PresentCommand {
    /// To the next stop; in a lesson, to its next step.
    Next,
    /// To the stop before.
    Back,
    /// To this stop, from 0.
    Stop(usize),
    /// The grid of heads, or the sentence.
    Heads,
    /// A black screen, or the picture.
    Black,
    /// The picture stays, or follows.
    Freeze,
    /// The answer, or not.
    Answer,
    /// Only what is around the pointer, or all.
    Spotlight,
    /// The speaker's window.
    Notes,
    /// Larger or smaller type, in steps.
    Larger(i32),
    /// What is on view as a stop of the talk.
    Add,
    /// The talk as it was changed.
    Save(Stops),
}
