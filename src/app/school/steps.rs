//! From step to step, and what was answered.

use super::App;
use super::tutor_thread::What;
use crate::app::aim::Aim;
use crate::engine::message::OpenRequest;
use crate::lesson::Answer;
use crate::settings::PromptSettings;
use crate::ui::lessons::{Attempt, LessonCommand};
use crate::ui::spot::Spot;
use crate::ui::state::Mode;

/// What is taken along to the explorer.
#[derive(Debug)]
pub struct Leaving {
    request: OpenRequest,
    prompt: PromptSettings,
    spot: Spot,
    token: usize,
    head: usize,
}

impl App {
    /// Carries out what was asked for on the page of lessons.
    pub(in crate::app) fn in_lesson(&mut self, command: LessonCommand) {
        match command {
            LessonCommand::Open(name, step) => self.open_lesson(&name, step),
            LessonCommand::Close => self.close_lesson(),
            LessonCommand::Step(step) => self.go_to_step(step),
            LessonCommand::Next => self.next_step(),
            LessonCommand::Back => self.step_before(),
            LessonCommand::Follow(part) => self.follow_by_click(part),
            LessonCommand::Answer(answer) => self.answer(answer),
            LessonCommand::Reveal => self.attempt(|attempt| attempt.is_told = true),
            LessonCommand::Skip => self.attempt(|attempt| attempt.is_skipped = true),
            LessonCommand::TakeUp(id) => self.take_up(&id),
            LessonCommand::Again => self.begin_again(),
            LessonCommand::Hints(on) => {
                self.school.board.progress.hides_hints = !on;
                self.helps_have_changed();
            }
            LessonCommand::Answers(on) => {
                self.school.board.progress.hides_answers = !on;
                self.helps_have_changed();
            }
            LessonCommand::Prompt(prompt) => {
                if let Some(open) = self.school.board.open.clone() {
                    self.open_lesson_on(&open.card.name, Some(open.step), prompt);
                }
            }
            LessonCommand::AddFolder(folder) => self.add_lesson_folder(folder),
            LessonCommand::RemoveFolder(folder) => self.remove_lesson_folder(&folder),
            LessonCommand::Explore => self.take_to_explorer(),
        }
    }

    /// Goes where a part leads; a place with a page of its own is opened there.
    fn follow_by_click(&mut self, part: usize) {
        // Where one is to predict first, the picture stays as it is.
        if self
            .board()
            .open
            .as_ref()
            .is_some_and(|open| open.hides_picture())
        {
            return;
        }
        self.follow(part);
        let place = self.board().open.as_ref().and_then(|open| open.place());
        let mode = place.map_or(Mode::Explore, |go| Mode::of(go.to.place));
        if mode != Mode::Explore {
            self.view.mode = mode;
        }
    }

    pub(super) fn go_to_step(&mut self, step: usize) {
        let Some(open) = &mut self.school.board.open else {
            return;
        };
        if step >= open.steps.len() {
            return;
        }
        open.step = step;
        open.followed = None;
        open.is_over = false;
        open.beat = open.beat.map(|_| 0);
        let is_told = open.shown().is_some();
        // Where a speaker goes, the learner has not been.
        if open.beat.is_none() {
            let name = open.card.name.clone();
            let progress = self.school.board.progress.lessons.entry(name).or_default();
            progress.step = step;
            self.save_progress();
        }
        match is_told {
            true => {
                self.lead();
                self.look_ahead(step + 1);
            }
            false => self.give(What::Step(step)),
        }
    }

    fn next_step(&mut self) {
        let Some(open) = &mut self.school.board.open else {
            return;
        };
        let next = open.step + 1;
        if next < open.steps.len() {
            self.go_to_step(next);
        } else if open.is_over {
            self.next_lesson();
        } else {
            open.is_over = true;
            let n_asked = open.n_asked();
            let name = open.card.name.clone();
            let progress = self.school.board.progress.lessons.entry(name).or_default();
            (progress.is_finished, progress.n_asked) = (true, n_asked);
            self.save_progress();
        }
    }

    fn next_lesson(&mut self) {
        let board = &self.school.board;
        let number = board.open.as_ref().map_or(0, |open| open.number);
        // Numbers count from 1: this is the place of the next one.
        if let Some(card) = board.cards.get(number) {
            let name = card.name.clone();
            self.open_lesson(&name, None);
        }
    }

    fn step_before(&mut self) {
        let Some(open) = &mut self.school.board.open else {
            return;
        };
        if open.is_over {
            open.is_over = false;
        } else if let Some(before) = open.step.checked_sub(1) {
            self.go_to_step(before);
        }
    }

    /// Judges an answer to the question that waits.
    pub(super) fn answer(&mut self, answer: Answer) {
        let Some(open) = &self.school.board.open else {
            return;
        };
        let Some(question) = open.waiting() else {
            return;
        };
        let is_right = question.right.accepts(&answer);
        let (lesson, id) = (open.card.name.clone(), question.id.clone());
        self.school.board.progress.answered(&lesson, &id, is_right);
        self.save_progress();
        self.attempt(|attempt| {
            attempt.last = Some(answer);
            attempt.n_tries = attempt.n_tries.saturating_add(1);
            attempt.is_right = is_right;
        });
    }

    /// Changes how the question that waits stands; where it is over with, the lesson goes on.
    fn attempt(&mut self, change: impl FnOnce(&mut Attempt)) {
        let Some(open) = &mut self.school.board.open else {
            return;
        };
        let Some(id) = open.waiting().map(|question| question.id.clone()) else {
            return;
        };
        let attempt = open.attempts.entry(id.clone()).or_default();
        change(attempt);
        let (is_told, is_done) = (attempt.is_told, attempt.is_done());
        if is_told {
            let name = open.card.name.clone();
            let lesson = self.school.board.progress.lessons.entry(name).or_default();
            lesson.questions.entry(id).or_default().was_shown = true;
            self.save_progress();
        }
        if is_done {
            self.lead();
        }
    }

    /// A question that was left open waits again.
    fn take_up(&mut self, id: &str) {
        if let Some(open) = &mut self.school.board.open
            && let Some(attempt) = open.attempts.get_mut(id)
        {
            attempt.is_skipped = false;
        }
        self.lead();
    }

    fn begin_again(&mut self) {
        if let Some(open) = &mut self.school.board.open {
            open.attempts.clear();
            self.go_to_step(0);
        }
    }

    fn helps_have_changed(&mut self) {
        let progress = &self.school.board.progress;
        let (hints, answers) = (!progress.hides_hints, !progress.hides_answers);
        if let (Some(open), Some(lesson)) = (&mut self.school.board.open, &self.school.lesson) {
            open.shows_hints = lesson.shows_hints && hints;
            open.shows_answers = lesson.shows_answers && answers;
        }
        self.save_progress();
    }

    fn save_progress(&mut self) {
        let Some(file) = &self.school.file else {
            return;
        };
        if let Err(error) = self.school.board.progress.save(file) {
            self.messages.tell(format!("{error:#}"));
            self.school.file = None;
        }
    }

    /// The lesson's run takes the place of the explorer's, at the place on view.
    fn take_to_explorer(&mut self) {
        self.view.mode = Mode::Explore;
        self.school.leaving = self.request_on_bench().map(|request| Leaving {
            request,
            prompt: self.settings.prompt.clone(),
            spot: self.view.spot.clone(),
            token: self.view.token,
            head: self.view.head,
        });
    }

    /// Opens in the explorer what was taken along from the lessons.
    pub(super) fn arrive_from_lesson(&mut self) {
        let Some(taken) = self.school.leaving.take() else {
            return;
        };
        self.settings.prompt = taken.prompt;
        self.view.choose_head(taken.head);
        self.aim = Aim::at(Some(taken.token));
        self.target = Some(taken.spot);
        self.link.open(taken.request);
        self.save();
    }
}
