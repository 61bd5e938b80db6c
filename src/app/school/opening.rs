//! Lessons open and close; files are read again when they change.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::tutor_thread::{Done, Filled, Job, What};
use super::{App, School};
use crate::engine::message::CancelToken;
use crate::lesson::Lesson;
use crate::lesson::run::PromptForm;
use crate::settings::PromptSettings;
use crate::ui::lessons::{Card, OpenLesson};

impl School {
    /// Lists what the library holds.
    pub(super) fn list(&mut self) {
        let before = std::mem::take(&mut self.board.cards);
        let mut cards: Vec<Card> = self.library.lessons().map(Card::of).collect();
        // Who is writing one, and makes a mistake, keeps its place in the list.
        let entries = self.library.entries().into_iter();
        for broken in entries.filter(|entry| entry.lesson.is_err()) {
            let mut known = before.iter().enumerate();
            let known = known.find(|(_, card)| card.name == broken.name);
            if let Some((at, card)) = known
                && cards.iter().all(|other| other.name != card.name)
            {
                cards.insert(at.min(cards.len()), card.clone());
            }
        }
        // In the list they stand level by level: so are they numbered.
        let mut levels: Vec<String> = Vec::new();
        for card in &cards {
            if !levels.contains(&card.level) {
                levels.push(card.level.clone());
            }
        }
        cards.sort_by_key(|card| levels.iter().position(|level| *level == card.level));
        self.board.cards = cards;
        let entries = self.library.entries().into_iter();
        let problems = entries.filter_map(|entry| entry.lesson.as_ref().err());
        self.board.problems = problems.flatten().map(ToString::to_string).collect();
    }
}

impl App {
    /// Opens a lesson at a step, or where it was left.
    pub(super) fn open_lesson(&mut self, name: &str, step: Option<usize>) {
        let prompt = None;
        self.open_lesson_on(name, step, prompt);
    }

    /// Opens a lesson on another prompt than its own.
    pub(super) fn open_lesson_on(
        &mut self,
        name: &str,
        step: Option<usize>,
        prompt: Option<PromptSettings>,
    ) {
        let Some(entry) = self.school.library.find(name) else {
            let text =
                format!("There is no lesson called '{name}'; the list has those that there are.");
            self.messages.tell(text);
            return;
        };
        let lesson = match &entry.lesson {
            Ok(lesson) => lesson,
            Err(problems) => {
                let problems = problems.iter().map(ToString::to_string).collect();
                self.cannot_open(name, problems);
                return;
            }
        };
        let lesson = match &prompt {
            Some(prompt) => lesson.on_prompt(form_of(prompt)),
            None => lesson.clone(),
        };
        let last = lesson.steps.len().saturating_sub(1);
        let progress = self.school.board.progress.lessons.get(name);
        let left = progress.filter(|progress| !progress.is_finished);
        let step = step.or(left.map(|left| left.step)).unwrap_or(0).min(last);
        let mut open = open_lesson(&lesson, &self.school, step);
        open.prompt = prompt;
        if let Some(before) = self.school.board.open.take()
            && before.card.name == open.card.name
            && before.prompt == open.prompt
        {
            open.attempts = before.attempts;
        }
        self.school.lesson = Some(Arc::new(lesson));
        self.school.board.open = Some(open);
        self.begin_visit();
    }

    /// A lesson has mistakes. Who is writing it keeps what was last good on view, with what is wrong
    /// above it; of another one the list tells.
    fn cannot_open(&mut self, name: &str, problems: Vec<String>) {
        match &mut self.school.board.open {
            Some(open) if open.card.name == name => open.problems = problems,
            open => *open = None,
        }
    }

    /// Asks the tutor for the lesson that is open, from the beginning.
    fn begin_visit(&mut self) {
        let school = &mut self.school;
        school.visit += 1;
        school.cancel.cancel();
        school.cancel = CancelToken::default();
        school.runs.clear();
        school.wanted = None;
        school.own = None;
        school.shown = None;
        let step = school.board.open.as_ref().map_or(0, |open| open.step);
        self.give(What::Opening);
        self.give(What::Step(step));
    }

    /// Back to the list; progress is kept.
    pub(super) fn close_lesson(&mut self) {
        self.school.cancel.cancel();
        self.school.visit += 1;
        self.school.wanted = None;
        self.school.lesson = None;
        self.school.board.open = None;
    }

    /// The lesson once more, on a model or files that have changed.
    pub(super) fn reopen_lesson(&mut self) {
        let Some(open) = self.school.board.open.clone() else {
            return;
        };
        self.open_lesson_on(&open.card.name, Some(open.step), open.prompt);
    }

    /// Hands work to the tutor.
    pub(super) fn give(&mut self, what: What) {
        let (Some(lesson), Some(tutor)) = (&self.school.lesson, &self.school.tutor) else {
            return;
        };
        let job = Job {
            visit: self.school.visit,
            lesson: Arc::clone(lesson),
            what,
            model: self.model.clone(),
            cancel: self.school.cancel.clone(),
        };
        match tutor.give(job) {
            Ok(()) => self.school.n_awaited += 1,
            Err(error) => {
                // A new thread takes the next work.
                self.school.tutor = None;
                self.messages
                    .failed("read the lesson", &format!("{error:#}"));
            }
        }
    }

    /// Takes in what the tutor has filled in.
    pub(super) fn told(&mut self, done: Done) {
        self.school.n_awaited = self.school.n_awaited.saturating_sub(1);
        if done.visit != self.school.visit {
            return;
        }
        for opened in done.runs {
            if !self.school.runs.iter().any(|(run, _)| *run == opened.0) {
                self.school.runs.push(opened);
            }
        }
        let Some(open) = &mut self.school.board.open else {
            return;
        };
        match done.filled {
            Filled::Opening(opening, own) => {
                open.opening = Some(opening);
                self.school.own = own.map(|own| *own);
            }
            Filled::Step(at, step) => {
                if let Some(place) = open.steps.get_mut(at) {
                    *place = Some(step);
                }
                if at == open.step {
                    self.lead();
                    // The next one in good time.
                    self.look_ahead(at + 1);
                }
            }
        }
    }

    /// Has a step filled in before it is wanted.
    pub(super) fn look_ahead(&mut self, step: usize) {
        let open = self.school.board.open.as_ref();
        let is_missing = open
            .and_then(|open| open.steps.get(step))
            .is_some_and(Option::is_none);
        if is_missing {
            self.give(What::Step(step));
        }
    }

    /// Reads files again that have changed; a lesson on view is begun anew at its step.
    pub(super) fn refresh_lessons(&mut self) {
        self.school.refreshed = std::time::Instant::now();
        let changed = self.school.library.refresh();
        if changed.is_empty() {
            return;
        }
        self.school.list();
        let open = self.school.board.open.as_ref();
        if open.is_some_and(|open| changed.contains(&open.card.name)) {
            self.reopen_lesson();
        }
    }

    /// Adds a folder of one's own, or says why it cannot be.
    pub(super) fn add_lesson_folder(&mut self, folder: PathBuf) {
        if let Err(error) = self.school.library.add_folder(&folder) {
            let why = format!("the folder {} cannot be read: {error}", folder.display());
            self.messages.failed("add the lessons", &why);
            return;
        }
        if !self.settings.lesson_folders.contains(&folder) {
            self.settings.lesson_folders.push(folder);
        }
        self.folders_have_changed();
    }

    /// Leaves a folder of one's own out.
    pub(super) fn remove_lesson_folder(&mut self, folder: &Path) {
        self.school.library.remove_folder(folder);
        self.settings.lesson_folders.retain(|other| other != folder);
        self.folders_have_changed();
    }

    fn folders_have_changed(&mut self) {
        self.school
            .board
            .folders
            .clone_from(&self.settings.lesson_folders);
        self.school.list();
        self.save();
    }
}

/// A lesson as it is opened, before the model has told anything.
fn open_lesson(lesson: &Lesson, school: &School, step: usize) -> OpenLesson {
    let number = school
        .board
        .cards
        .iter()
        .position(|card| card.name == lesson.name);
    let progress = &school.board.progress;
    OpenLesson {
        card: Card::of(lesson),
        number: number.map_or(0, |at| at + 1),
        titles: lesson.steps.iter().map(|step| step.title.clone()).collect(),
        steps: vec![None; lesson.steps.len()],
        step,
        shows_hints: lesson.shows_hints && !progress.hides_hints,
        shows_answers: lesson.shows_answers && !progress.hides_answers,
        ..OpenLesson::default()
    }
}

/// A prompt of the window as a lesson has it.
fn form_of(prompt: &PromptSettings) -> PromptForm {
    use crate::lesson::expression::Piece;
    let text = |text: &str| vec![Piece::Plain(text.to_owned())];
    match prompt.is_chat {
        true => PromptForm::Chat {
            system: text(&prompt.system),
            turns: vec![text(&prompt.text)],
        },
        false => PromptForm::Raw(text(&prompt.text)),
    }
}
