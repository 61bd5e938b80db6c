//! Lessons in the window: which is open, what the tutor told, where a step leads.
//!
//! | file | does |
//! |---|---|
//! | `bench.rs` | the lessons' own run, beside the explorer's |
//! | `tutor_thread.rs` | waits for the engine, so that the window need not |
//! | `opening.rs` | lessons open and close, files are read again |
//! | `steps.rs` | from step to step, and what was answered |
//! | `leading.rs` | the picture goes where a step points |
//! | `clicks.rs` | a click in a picture as an answer |
//! | `room.rs` | the lesson before a room |

mod bench;
mod clicks;
mod leading;
mod opening;
mod room;
mod steps;
mod tutor_thread;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::Context;

use super::App;
use super::engine_room::EngineRoom;
use crate::engine::message::CancelToken;
use crate::lesson::Lesson;
use crate::lesson::library::Library;
use crate::lesson::progress::Progress;
use crate::lesson::run::Run;
use crate::settings::PromptSettings;
use crate::trace::Address;
use crate::ui::command::{Command, Move};
use crate::ui::lessons::{Board, LessonCommand};
use crate::ui::spot::Spot;
use crate::ui::state::Mode;

use bench::Bench;
use leading::Wanted;
use steps::Leaving;
use tutor_thread::{Opened, TutorThread};

/// How often folders of one's own are looked at.
const REFRESH: Duration = Duration::from_millis(700);

/// Everything the window holds for lessons.
pub struct School {
    room: EngineRoom,
    /// What the page is drawn from.
    pub(super) board: Board,
    library: Library,
    /// Where progress is kept; nowhere if `None`.
    file: Option<PathBuf>,
    tutor: Option<TutorThread>,
    /// The bench that the app does not work at.
    bench: Option<Bench>,
    /// The lesson on view, with the prompt that was chosen for it.
    lesson: Option<Arc<Lesson>>,
    /// Its own run.
    own: Option<Run>,
    /// Counts openings: what was told for an earlier one is dropped.
    visit: u64,
    cancel: CancelToken,
    /// Work that the tutor has not handed back.
    n_awaited: usize,
    runs: Vec<Opened>,
    /// The run on the bench, and the one beside it.
    shown: Option<Run>,
    beside: Option<Run>,
    wanted: Option<Wanted>,
    /// Whether the picture waits for a prediction.
    is_held: bool,
    waiting: Vec<LessonCommand>,
    refreshed: Instant,
    /// Whether the app works at the lessons' bench in this moment.
    is_at_bench: bool,
    /// What the explorer is to show next.
    leaving: Option<Leaving>,
}

impl School {
    /// The lessons of the program and of `folders`; progress is kept in `home`. What cannot be read
    /// is told.
    pub fn new(
        room: EngineRoom,
        home: Option<&PathBuf>,
        folders: &[PathBuf],
    ) -> (Self, Vec<String>) {
        let mut library = Library::carried();
        let mut told = Vec::new();
        for folder in folders {
            if let Err(error) = library.add_folder(folder) {
                let folder = folder.display();
                told.push(format!("The lessons of {folder} cannot be read: {error}"));
            }
        }
        let file = home.map(|home| home.join("lessons.json"));
        let progress = file
            .as_deref()
            .map_or(Ok(Progress::default()), Progress::load);
        let progress = progress.unwrap_or_else(|error| {
            told.push(format!(
                "{error:#}; it begins anew, the file is left alone until then"
            ));
            Progress::default()
        });
        let mut school = Self {
            room,
            board: Board {
                folders: folders.to_vec(),
                progress,
                ..Board::default()
            },
            library,
            file,
            tutor: None,
            bench: None,
            lesson: None,
            own: None,
            visit: 0,
            cancel: CancelToken::default(),
            n_awaited: 0,
            runs: Vec::new(),
            shown: None,
            beside: None,
            wanted: None,
            is_held: false,
            waiting: Vec::new(),
            refreshed: Instant::now(),
            is_at_bench: false,
            leaving: None,
        };
        school.list();
        (school, told)
    }

    /// The bench that is not worked at.
    pub(super) fn parked(&self) -> Option<&Bench> {
        self.bench.as_ref()
    }

    /// Whether the app works at the lessons' bench in this moment.
    pub(super) fn is_at_bench(&self) -> bool {
        self.is_at_bench
    }

    fn is_settled(&self) -> bool {
        let of_bench = self.bench.as_ref();
        self.n_awaited == 0
            && self.wanted.is_none()
            && self.waiting.is_empty()
            && of_bench.is_none_or(|bench| bench.link.is_idle() && bench.target.is_none())
    }
}

impl App {
    /// Whether nothing of a lesson is under way.
    pub(super) fn lessons_are_settled(&self) -> bool {
        self.school.is_settled()
    }

    /// Lessons are on view: the app works at their bench until [`App::stand_up`]. Returns whether.
    pub(super) fn sit_down(&mut self, ctx: &Context) -> bool {
        if self.view.mode != Mode::Lessons {
            return false;
        }
        self.watch_folders(ctx);
        // The list needs no run of its own.
        if self.school.board.open.is_none() && self.school.waiting.is_empty() {
            return false;
        }
        if let Err(error) = self.prepare(ctx) {
            self.messages
                .failed("open the lessons", &format!("{error:#}"));
            self.view.mode = Mode::Explore;
            return false;
        }
        let presents = (self.view.is_presenting, self.view.present.clone());
        self.change_benches();
        (self.view.is_presenting, self.view.present) = presents;
        self.school.is_at_bench = true;
        self.view.mode = Mode::Lessons;
        self.take_news(ctx);
        self.teach();
        self.show_lesson_to_room();
        true
    }

    /// Back to the explorer's bench; lessons stay on view unless something else was asked for.
    pub(super) fn stand_up(&mut self) {
        let mode = self.view.mode;
        self.view.mode = Mode::Lessons;
        let presents = (self.view.is_presenting, self.view.present.clone());
        self.change_benches();
        (self.view.is_presenting, self.view.present) = presents;
        self.school.is_at_bench = false;
        self.view.mode = mode;
        if self.school.leaving.is_some() {
            self.arrive_from_lesson();
            return;
        }
        // A model that was chosen in a lesson is the explorer's, too.
        let is_other = self
            .opened_model
            .as_ref()
            .is_some_and(|old| *old != self.model);
        if mode == Mode::Explore && is_other && !self.link.is_busy() {
            self.target = Some(self.view.spot.clone());
            self.open_run();
        }
    }

    fn prepare(&mut self, ctx: &Context) -> anyhow::Result<()> {
        let wake = |ctx: &Context| {
            let ctx = ctx.clone();
            move || ctx.request_repaint()
        };
        if self.school.bench.is_none() {
            self.school.bench = Some(Bench::new(&self.school.room, wake(ctx))?);
        }
        if self.school.tutor.is_none() {
            let tutor = TutorThread::start(self.school.room.clone(), wake(ctx))?;
            self.school.tutor = Some(tutor);
        }
        Ok(())
    }

    fn change_benches(&mut self) {
        if let Some(mut bench) = self.school.bench.take() {
            bench.swap(self);
            self.school.bench = Some(bench);
        }
    }

    /// Looks now and then whether a file of one's own has changed.
    fn watch_folders(&mut self, ctx: &Context) {
        if self.board().folders.is_empty() {
            return;
        }
        if self.school.refreshed.elapsed() > REFRESH {
            self.refresh_lessons();
        }
        ctx.request_repaint_after(REFRESH);
    }

    /// What a lesson does in every frame.
    fn teach(&mut self) {
        for command in std::mem::take(&mut self.school.waiting) {
            self.in_lesson(command);
        }
        while let Some(done) = self.school.tutor.as_ref().and_then(TutorThread::take) {
            self.told(done);
        }
        self.lead_if_held();
        self.seek();
    }

    /// The explorer's prompt, while the app works at the lessons' bench.
    pub(super) fn prompt_of_explorer(&self) -> Option<PromptSettings> {
        let bench = self
            .school
            .bench
            .as_ref()
            .filter(|_| self.school.is_at_bench)?;
        Some(bench.prompt.clone())
    }

    pub(super) fn board(&self) -> &Board {
        &self.school.board
    }

    /// Takes out what lessons carry out themselves; the rest is given back.
    pub(super) fn apply_to_lessons(&mut self, command: Command) -> Option<Command> {
        match command {
            Command::Lesson(command)
                if self.school.is_at_bench || !matches!(command, LessonCommand::Open(..)) =>
            {
                self.in_lesson(command);
            }
            // From elsewhere: once the bench is there.
            Command::Lesson(command) => {
                self.school.waiting.push(command);
                self.view.overlay = None;
                self.view.mode = Mode::Lessons;
            }
            Command::Why(address) => self.why(&address),
            // Who is in a lesson and asks for the lessons wants the list.
            Command::Mode(Mode::Lessons) if self.school.is_at_bench => {
                self.in_lesson(LessonCommand::Close);
            }
            command if !self.school.is_at_bench => return Some(command),
            Command::Open(prompt) => {
                self.view.overlay = None;
                self.in_lesson(LessonCommand::Prompt(Some(prompt)));
            }
            Command::Model(name) => {
                self.model.name.clone_from(&name);
                self.settings.model = Some(name);
                self.reopen_lesson();
                self.save();
            }
            Command::Cache(cache) => {
                self.cache = cache;
                self.school.shown = None;
                self.lead_again();
            }
            command => return Some(command),
        }
        None
    }

    /// Opens the lesson that a spot names: `lesson:rope:2`.
    pub(super) fn look_at_lesson(&mut self, spot: &Spot) {
        let Some(tab) = &spot.tab else {
            return;
        };
        self.school.waiting.push(LessonCommand::open(tab));
    }

    /// Opens the step that explains such a place.
    fn why(&mut self, address: &Address) {
        let found = self.school.library.step_about(address);
        let Some((name, step)) = found.map(|(lesson, step)| (lesson.name.clone(), step)) else {
            self.messages
                .tell("No lesson is about this place; the list has all of them.".to_owned());
            return;
        };
        let open = Command::Lesson(LessonCommand::Open(name, Some(step)));
        self.apply_to_lessons(open);
    }

    /// In lessons the arrows go from step to step of the lesson, not of the pass.
    pub(super) fn key_in_lesson(&self, command: Command) -> Option<Command> {
        let has_lesson = self.board().open.is_some();
        match command {
            Command::Move(Move::Step) => has_lesson.then_some(Command::Lesson(LessonCommand::Next)),
            Command::Move(Move::Back) => has_lesson.then_some(Command::Lesson(LessonCommand::Back)),
            Command::Move(_) | Command::Play(_) => None,
            command => Some(command),
        }
    }
}
