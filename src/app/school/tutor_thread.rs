//! The tutor's thread: it waits for the engine, so that the window need not.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use anyhow::{Context as _, Result, anyhow};

use crate::app::engine_room::EngineRoom;
use crate::engine::message::{
    Action, CancelToken, Event, ModelChoice, OpenRequest, Request, RequestId, SessionId,
};
use crate::lesson::ask::Answers;
use crate::lesson::run::Run;
use crate::lesson::{Lesson, Opening, ShownPart, ShownStep};
use crate::tutor::{Asker, Desk, Tutor};

/// The sessions of the tutor's runs begin here; the window's own are small numbers.
const FIRST_SESSION: SessionId = SessionId(1_000);

/// What is to be filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The beginning of the lesson, and its own run.
    Opening,
    /// A step, from 0.
    Step(usize),
}

/// Work for the tutor.
#[derive(Debug)]
pub struct Job {
    /// Which opening of a lesson it belongs to.
    pub visit: u64,
    /// The lesson.
    pub lesson: Arc<Lesson>,
    /// What of it.
    pub what: What,
    /// On which model.
    pub model: ModelChoice,
    /// Stops it.
    pub cancel: CancelToken,
}

/// A run of a lesson, and how it is opened in the window; or why it cannot be.
pub type Opened = (Run, Result<OpenRequest, String>);

/// What the tutor has filled in.
#[derive(Debug)]
pub struct Done {
    /// Which opening of a lesson it belongs to.
    pub visit: u64,
    /// What it is.
    pub filled: Filled,
    /// The runs that it names.
    pub runs: Vec<Opened>,
}

/// A part of a lesson with its values.
#[derive(Debug)]
pub enum Filled {
    /// The beginning, or why there is none; and the lesson's own run.
    Opening(Result<Opening, String>, Option<Box<Run>>),
    /// A step.
    Step(usize, ShownStep),
}

/// The thread as the window sees it.
#[derive(Debug)]
pub struct TutorThread {
    jobs: Sender<Job>,
    done: Receiver<Done>,
}

impl TutorThread {
    /// Starts the thread; `wake` asks for a frame.
    ///
    /// # Errors
    /// If the system gives none.
    pub fn start(room: EngineRoom, wake: impl Fn() + Send + 'static) -> Result<Self> {
        let (jobs, inbox) = channel::<Job>();
        let (tell, done) = channel();
        let work = move || {
            let mut room = Study::new(room);
            for job in inbox {
                // Who has left the lesson wants nothing more of it.
                let answer = match job.cancel.is_cancelled() {
                    true => None,
                    false => Some(room.work(&job)),
                };
                if answer.is_some_and(|answer| tell.send(answer).is_err()) {
                    return;
                }
                wake();
            }
        };
        let thread = thread::Builder::new().name("tutor".to_owned());
        thread
            .spawn(work)
            .context("cannot start a thread for the lessons")?;
        Ok(Self { jobs, done })
    }

    /// Hands over work.
    ///
    /// # Errors
    /// If the thread has ended.
    pub fn give(&self, job: Job) -> Result<()> {
        let given = self.jobs.send(job);
        given.map_err(|_| anyhow!("the thread for the lessons has ended; start the program again"))
    }

    /// What is done, if anything is.
    pub fn take(&self) -> Option<Done> {
        self.done.try_recv().ok()
    }
}

/// Where the tutor works: a desk for the model, and what was told in this lesson.
struct Study {
    room: EngineRoom,
    cancel: Rc<RefCell<CancelToken>>,
    desk: Option<(ModelChoice, Desk<RoomAsker>)>,
    visit: u64,
    answers: Answers,
}

impl Study {
    fn new(room: EngineRoom) -> Self {
        Self {
            room,
            cancel: Rc::default(),
            desk: None,
            visit: 0,
            answers: Answers::default(),
        }
    }

    fn work(&mut self, job: &Job) -> Done {
        *self.cancel.borrow_mut() = job.cancel.clone();
        if self.visit != job.visit {
            self.visit = job.visit;
            self.answers = Answers::default();
        }
        let is_fresh = self
            .desk
            .as_ref()
            .is_none_or(|(model, _)| *model != job.model);
        let done = self.try_to(job);
        // The engine may have let the desk's runs go since: with a new desk they are opened again.
        let has_failed = match &done.filled {
            Filled::Opening(opening, _) => opening.is_err(),
            Filled::Step(_, step) => {
                (step.parts.iter()).any(|part| matches!(part, ShownPart::Failed(_)))
            }
        };
        if !has_failed || is_fresh || job.cancel.is_cancelled() {
            return done;
        }
        self.desk = None;
        self.answers = Answers::default();
        self.try_to(job)
    }

    fn try_to(&mut self, job: &Job) -> Done {
        let desk = match self.desk.take() {
            Some((model, desk)) if model == job.model => desk,
            _ => {
                let asker = RoomAsker {
                    room: self.room.clone(),
                    cancel: Rc::clone(&self.cancel),
                };
                Desk::new(asker, job.model.clone(), FIRST_SESSION)
            }
        };
        let (_, desk) = self.desk.insert((job.model.clone(), desk));
        let answers = std::mem::take(&mut self.answers);
        let mut tutor = Tutor::with_answers(desk, &job.lesson, answers);
        let (filled, runs) = fill(&mut tutor, job);
        self.answers = tutor.into_answers();
        let runs = runs.into_iter().map(|run| {
            let request = desk.request(&run);
            (run, request)
        });
        Done {
            visit: job.visit,
            filled,
            runs: runs.collect(),
        }
    }
}

/// What was to be filled in, and the runs that it names.
fn fill<A: Asker>(tutor: &mut Tutor<'_, A>, job: &Job) -> (Filled, Vec<Run>) {
    let lesson = &job.lesson;
    match job.what {
        What::Opening => {
            let opening = tutor.opening();
            let opening = opening.map_err(|mistake| lesson.told_calmly(&mistake));
            let own = tutor.run(None).ok();
            let runs = own.iter().cloned().collect();
            (Filled::Opening(opening, own.map(Box::new)), runs)
        }
        What::Step(at) => {
            let step = lesson.steps.get(at).map(|step| tutor.step(step));
            let step = step.unwrap_or_default();
            let runs = runs_of(&step);
            (Filled::Step(at, step), runs)
        }
    }
}

fn runs_of(step: &ShownStep) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for part in &step.parts {
        let named = match part {
            ShownPart::Go(go) => [Some(&go.run), go.beside.as_ref()],
            ShownPart::Try(attempt) => [Some(&attempt.run), attempt.beside.as_ref()],
            _ => [None, None],
        };
        for run in named.into_iter().flatten() {
            if !runs.contains(run) {
                runs.push(run.clone());
            }
        }
    }
    runs
}

/// Asks the shared engine and waits, in the tutor's thread.
struct RoomAsker {
    room: EngineRoom,
    cancel: Rc<RefCell<CancelToken>>,
}

impl Asker for RoomAsker {
    fn end_of(&mut self, session: SessionId, action: Action) -> Result<Event> {
        let (events, inbox) = channel();
        let request = Request {
            // Its events have a channel of their own.
            id: RequestId(0),
            session,
            action,
            cancel: self.cancel.borrow().clone(),
            events,
        };
        self.room.send(request)?;
        let last = inbox.iter().last();
        last.map(|envelope| envelope.event)
            .context("the engine has ended")
    }
}
