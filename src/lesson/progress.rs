//! What a learner has done: kept between runs, plain data.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// Progress in all lessons, by their names.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Each lesson that was begun.
    pub lessons: BTreeMap<String, LessonProgress>,
    /// Whether hints are hidden from this learner, whatever a lesson allows.
    pub hides_hints: bool,
    /// Whether answers are hidden from this learner.
    pub hides_answers: bool,
}

/// Progress in one lesson.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LessonProgress {
    /// The step that was last open, from 0.
    pub step: usize,
    /// Whether its end was reached, whatever was answered on the way.
    pub is_finished: bool,
    /// How many questions it asked on the model it was finished on; a model that lacks what a step
    /// needs is not asked about it.
    pub n_asked: usize,
    /// Questions that were tried, by their texts.
    pub questions: BTreeMap<String, Tried>,
}

/// How a question went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Tried {
    /// Whether it was answered right in the end.
    pub is_right: bool,
    /// Whether the first answer was right.
    pub at_first: bool,
    /// How many answers were given.
    pub tries: u32,
    /// Whether the answer was shown.
    pub was_shown: bool,
}

impl Progress {
    /// What the file holds; nothing, where there is no such file.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn load(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let told = || {
            format!(
                "the progress in lessons cannot be read from {}",
                path.display()
            )
        };
        let text = fs::read(path).with_context(told)?;
        serde_json::from_slice(&text).with_context(told)
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let told = || {
            format!(
                "the progress in lessons cannot be written to {}",
                path.display()
            )
        };
        let next = path.with_extension("new");
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).with_context(told)?;
        fs::write(&next, serde_json::to_vec_pretty(self)?).with_context(told)?;
        fs::rename(&next, path).with_context(told)
    }

    /// Notes an answer. A question that was answered right stays so.
    pub fn answered(&mut self, lesson: &str, question: &str, is_right: bool) {
        let lesson = self.lessons.entry(lesson.to_owned()).or_default();
        let tried = lesson.questions.entry(question.to_owned()).or_default();
        tried.at_first |= is_right && tried.tries == 0 && !tried.was_shown;
        tried.is_right |= is_right;
        tried.tries = tried.tries.saturating_add(1);
    }

    /// How many questions of a lesson were answered right.
    #[must_use]
    pub fn n_right(&self, lesson: &str) -> usize {
        self.count(lesson, |tried| tried.is_right)
    }

    /// How many of them at the first try.
    #[must_use]
    pub fn n_at_first(&self, lesson: &str) -> usize {
        self.count(lesson, |tried| tried.at_first)
    }

    /// How many questions of a lesson are behind one: answered right, or their answer was shown.
    #[must_use]
    pub fn n_settled(&self, lesson: &str) -> usize {
        self.count(lesson, |tried| tried.is_right || tried.was_shown)
    }

    /// Whether a lesson was seen to its end and every question of it is settled.
    #[must_use]
    pub fn is_done(&self, lesson: &str) -> bool {
        let known = self.lessons.get(lesson);
        known.is_some_and(|known| known.is_finished && self.n_settled(lesson) >= known.n_asked)
    }

    /// How a lesson went, in a few words; nothing where it was not begun.
    #[must_use]
    pub fn told(&self, lesson: &str, n_questions: usize) -> String {
        let Some(known) = self.lessons.get(lesson) else {
            return String::new();
        };
        let n_asked = match known.is_finished {
            true => known.n_asked,
            false => n_questions,
        };
        let (n_right, n_settled) = (self.n_right(lesson), self.n_settled(lesson));
        if self.is_done(lesson) {
            let n_at_first = self.n_at_first(lesson);
            return match n_at_first == n_asked {
                true => format!("all {n_asked} right at the first try"),
                false => format!("{n_right} of {n_asked} right, {n_at_first} at the first try"),
            };
        }
        let begun = if known.is_finished { "seen" } else { "begun" };
        format!("{begun} · {n_settled} of {n_asked} answered")
    }

    fn count(&self, lesson: &str, counts: impl Fn(&Tried) -> bool) -> usize {
        let questions = self.lessons.get(lesson).map(|lesson| &lesson.questions);
        questions.map_or(0, |all| all.values().filter(|tried| counts(tried)).count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lesson_is_done_when_every_question_is_settled() {
        let mut progress = Progress::default();
        assert_eq!(progress.told("rope", 2), "");
        progress.answered("rope", "One?", false);
        progress.answered("rope", "One?", true);
        assert_eq!(progress.told("rope", 2), "begun · 1 of 2 answered");
        let rope = progress.lessons.get_mut("rope").unwrap();
        (rope.is_finished, rope.n_asked) = (true, 2);
        assert!(!progress.is_done("rope"), "the other one was left open");
        assert_eq!(progress.told("rope", 2), "seen · 1 of 2 answered");
        progress.answered("rope", "Two?", true);
        assert!(progress.is_done("rope"));
        assert_eq!(progress.told("rope", 2), "2 of 2 right, 1 at the first try");
    }

    #[test]
    fn progress_is_read_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vitrine/lessons.json");
        assert_eq!(Progress::load(&path).unwrap(), Progress::default());
        let mut progress = Progress::default();
        progress.answered("rope", "How far?", false);
        progress.answered("rope", "How far?", true);
        progress.answered("rope", "How far?", false);
        progress.save(&path).unwrap();
        let again = Progress::load(&path).unwrap();
        assert_eq!(again, progress);
        assert_eq!((again.n_right("rope"), again.n_right("tokens")), (1, 0));
        fs::write(&path, "{").unwrap();
        let told = Progress::load(&path).unwrap_err().to_string();
        assert!(told.contains("lessons.json"), "{told}");
    }
}
