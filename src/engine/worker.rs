//! The engine thread: the one place that touches MLX.
//!
//! Requests arrive on a channel; each becomes a task that is advanced in small pieces, so that
//! sessions take turns and a cancel is noticed soon. The requests of one session run in order.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, RecvError, Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle};

use anyhow::{Context as _, Result, ensure};

use super::answering::{Answering, LongAnswer};
use super::bench::Bench;
use super::context::Context;
use super::debugger::Debugger;
use super::generate::Generation;
use super::loaded::{LoadedModel, Models};
use super::message::{Action, CancelToken, Event, ModelChoice, Request, SessionId};
use super::prompt_cache;
use super::question::Question;
use super::task::{Outbox, Turn};
use crate::model::cache::CacheOptions;

/// The engine as everyone else sees it: a door for requests. Dropping it ends the thread after
/// the requests under way were cancelled.
#[derive(Debug)]
pub struct Engine {
    requests: Option<Sender<Request>>,
    /// Tells work that can wait that something has arrived.
    put_off: CancelToken,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    /// Starts the engine thread.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start() -> Result<Self> {
        let (requests, inbox) = channel();
        let thread = thread::Builder::new().name("engine".to_owned());
        let put_off = CancelToken::default();
        let worker_put_off = put_off.clone();
        let worker = move || {
            let worker = Worker {
                put_off: worker_put_off,
                ..Worker::default()
            };
            worker.run(&inbox);
        };
        let thread = thread.spawn(worker);
        Ok(Self {
            requests: Some(requests),
            put_off,
            thread: Some(thread.context("cannot start the engine thread")?),
        })
    }

    /// Hands over a request; its events come on its own channel.
    ///
    /// # Errors
    /// If the engine has ended.
    pub fn send(&self, request: Request) -> Result<()> {
        let requests = self.requests.as_ref().context("the engine has ended")?;
        requests
            .send(request)
            .ok()
            .context("the engine has ended")?;
        // After the request: whoever sees this finds it.
        self.put_off.cancel();
        Ok(())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        drop(self.requests.take());
        self.put_off.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the thread owns.
#[derive(Default)]
struct Worker {
    models: Models,
    sessions: HashMap<SessionId, Session>,
    tasks: VecDeque<Task>,
    put_off: CancelToken,
}

/// A session: its cache, the model the cache belongs to, and the run someone steps through.
struct Session {
    model: ModelChoice,
    context: Context,
    debugger: Option<Debugger>,
}

/// A request under way.
struct Task {
    session: SessionId,
    cancel: CancelToken,
    out: Outbox,
    work: Work,
}

enum Work {
    /// Not begun.
    New(Action),
    Generation(Box<Generation>),
    Bench(Box<Bench>),
    /// A command of the session's debugger that is under way.
    Debug,
    /// A question about the session's run that takes long to answer.
    Answer(LongAnswer),
}

impl Task {
    /// Whether it waits until there is nothing else to do.
    fn is_background(&self) -> bool {
        matches!(&self.work, Work::Answer(answer) if answer.is_background())
            && !self.cancel.is_cancelled()
    }
}

impl Worker {
    fn run(mut self, inbox: &Receiver<Request>) {
        while self.take_requests(inbox).is_ok() {
            self.turn();
        }
        for task in &self.tasks {
            task.out.send(Event::Cancelled);
        }
    }

    /// Takes in what has arrived; waits if there is nothing else to do.
    fn take_requests(&mut self, inbox: &Receiver<Request>) -> Result<(), RecvError> {
        // Before looking: what arrives later sets it again.
        self.put_off.renew();
        if self.tasks.is_empty() {
            self.accept(inbox.recv()?);
        }
        loop {
            match inbox.try_recv() {
                Ok(request) => self.accept(request),
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => return Err(RecvError),
            }
        }
    }

    fn accept(&mut self, request: Request) {
        self.tasks.push_back(Task {
            session: request.session,
            out: Outbox::new(request.id, request.events),
            cancel: request.cancel,
            work: Work::New(request.action),
        });
    }

    /// Gives every session one piece of work.
    fn turn(&mut self) {
        let mut served = Vec::new();
        let is_busy = !self.tasks.iter().all(Task::is_background);
        for _ in 0..self.tasks.len() {
            let Some(mut task) = self.tasks.pop_front() else {
                return;
            };
            if is_busy && task.is_background() {
                self.tasks.push_back(task);
                continue;
            }
            let waits = served.contains(&task.session);
            served.push(task.session);
            if waits || self.advance(&mut task) == Turn::More {
                self.tasks.push_back(task);
            }
        }
    }

    /// One piece of a task's work. A failure, even a panic, ends this task alone.
    fn advance(&mut self, task: &mut Task) -> Turn {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.work_on(task)));
        let panicked = outcome.is_err();
        let error = match outcome {
            Ok(Ok(turn)) => return turn,
            Ok(Err(error)) => format!("{error:#}"),
            Err(panic) => format!("the engine hit a mistake of its own: {}", told(&*panic)),
        };
        let is_debugging = matches!(task.work, Work::Debug | Work::New(_) | Work::Answer(_));
        if !is_debugging || panicked {
            // What a failed pass left in the cache is not to be trusted.
            self.sessions.remove(&task.session);
        }
        task.out.send(if task.cancel.is_cancelled() {
            Event::Cancelled
        } else {
            Event::Failed(error)
        });
        Turn::Ended
    }

    fn work_on(&mut self, task: &mut Task) -> Result<Turn> {
        let session = self.sessions.get_mut(&task.session);
        match &mut task.work {
            Work::New(_) => self.begin(task),
            Work::Bench(bench) => bench.advance(&task.out),
            Work::Debug => {
                let debugger = session.and_then(|session| session.debugger.as_mut());
                debugger
                    .context("the run was closed")?
                    .advance(&task.cancel, &task.out)
            }
            Work::Answer(answer) => {
                if task.cancel.is_cancelled() {
                    task.out.send(Event::Cancelled);
                    return Ok(Turn::Ended);
                }
                let debugger = session.and_then(|session| session.debugger.as_mut());
                let debugger = debugger.context("the run was closed")?;
                answer.advance(debugger, &task.cancel, &self.put_off, &task.out)
            }
            Work::Generation(generation) => {
                let session = session.context("the session was closed")?;
                generation.advance(&mut session.context, &task.out)
            }
        }
    }

    fn begin(&mut self, task: &mut Task) -> Result<Turn> {
        if task.cancel.is_cancelled() {
            task.out.send(Event::Cancelled);
            return Ok(Turn::Ended);
        }
        let placeholder = Work::New(Action::Clear);
        let Work::New(action) = std::mem::replace(&mut task.work, placeholder) else {
            return Ok(Turn::More);
        };
        match action {
            Action::Load(choice) => {
                self.load(&choice, &task.out)?;
            }
            Action::Unload(choice) => self.unload(&choice)?,
            Action::Clear => {
                self.sessions.remove(&task.session);
            }
            Action::SaveCache(path) => {
                let session = self.sessions.get(&task.session);
                let session = session.context("there is nothing to save yet")?;
                let (loaded, _) = self.models.get(&session.model)?;
                prompt_cache::save(&path, &loaded, &session.context)?;
            }
            Action::Bench(options) => {
                let loaded = self.load(&options.model, &task.out)?;
                let bench = Bench::new(loaded, options, task.cancel.clone())?;
                task.work = Work::Bench(Box::new(bench));
                return Ok(Turn::More);
            }
            Action::Open(request) => {
                request.cache.validate()?;
                self.leave(task.session, &request.model)?;
                let loaded = self.load(&request.model, &task.out)?;
                let n_layers = loaded.model.n_layers();
                let (model, cache) = (request.model.clone(), request.cache);
                let debugger = Debugger::open(loaded, *request, &task.out, &task.cancel)?;
                task.out.send(Event::Run(Box::new(debugger.state())));
                self.context(task.session, &model, n_layers, cache);
                if let Some(session) = self.sessions.get_mut(&task.session) {
                    session.debugger = Some(debugger);
                }
                return Ok(Turn::Ended);
            }
            Action::Debug(command) => {
                let session = self.sessions.get_mut(&task.session);
                let debugger = session.and_then(|session| session.debugger.as_mut());
                let debugger = debugger.context("there is no run yet: open one first")?;
                let turn = debugger.begin(command, &task.cancel, &task.out)?;
                task.work = Work::Debug;
                return Ok(turn);
            }
            Action::Ask(question) => return self.answer(task, *question),
            Action::Generate(request) => {
                request.cache.validate()?;
                self.leave(task.session, &request.model)?;
                let loaded = self.load(&request.model, &task.out)?;
                let n_layers = loaded.model.n_layers();
                let context = self.context(task.session, &request.model, n_layers, request.cache);
                let (cancel, out) = (task.cancel.clone(), &task.out);
                let generation = Generation::start(loaded, *request, cancel, context, out)?;
                task.work = Work::Generation(Box::new(generation));
                return Ok(Turn::More);
            }
        }
        task.out.send(Event::Done);
        Ok(Turn::Ended)
    }

    /// Answers a question, or begins an answer that takes long.
    fn answer(&mut self, task: &mut Task, question: Question) -> Result<Turn> {
        let (own, other) = match question {
            Question::Compare { with, .. } if with != task.session => {
                let found = self.sessions.get_disjoint_mut([&task.session, &with]);
                let [own, other] = found;
                (own, other)
            }
            _ => (self.sessions.get_mut(&task.session), None),
        };
        let (mut debugger, other) = (run_of(own), run_of(other));
        if let Some(debugger) = debugger.as_deref_mut()
            && let Some(answer) = LongAnswer::begin(&question, debugger, &task.cancel)?
        {
            task.work = Work::Answer(answer);
            return Ok(Turn::More);
        }
        let (cancel, out) = (&task.cancel, &task.out);
        let answering = Answering::new(&mut self.models, debugger, cancel, out);
        let told = answering.beside(other).answer(question)?;
        task.out.send(Event::Told(Box::new(told)));
        Ok(Turn::Ended)
    }

    fn load(&mut self, choice: &ModelChoice, out: &Outbox) -> Result<Rc<LoadedModel>> {
        let was_there = self.models.has(choice);
        if !was_there {
            // Nothing is given up for a model that cannot be loaded anyway.
            LoadedModel::check(choice)?;
            let sessions = &self.sessions;
            let is_used = |model: &ModelChoice| sessions.values().any(|of| of.model == *model);
            self.models.keep(is_used)?;
        }
        let (loaded, warnings) = self.models.get(choice)?;
        for warning in warnings {
            out.send(Event::Notice(warning));
        }
        out.send(Event::Loaded {
            model: loaded.label.clone(),
            load_s: if was_there { 0.0 } else { loaded.load_s },
        });
        Ok(loaded)
    }

    /// Drops what a session has of another model than `next`, which is about to be loaded for it: its cache and its
    /// run would be dropped anyway, and their memory may be needed.
    fn leave(&mut self, session: SessionId, next: &ModelChoice) -> Result<()> {
        let has_another = |of: &Session| of.model != *next;
        if !self.models.has(next) && self.sessions.get(&session).is_some_and(has_another) {
            LoadedModel::check(next)?;
            self.sessions.remove(&session);
        }
        Ok(())
    }

    /// Drops a model, with what sessions keep of it.
    fn unload(&mut self, choice: &ModelChoice) -> Result<()> {
        let is_at_work = |task: &Task| {
            let session = self.sessions.get(&task.session);
            let works = !matches!(task.work, Work::New(_));
            works && session.is_some_and(|session| session.model == *choice)
        };
        ensure!(
            !self.tasks.iter().any(is_at_work),
            "{} is answering: stop that first, then unload it",
            choice.name
        );
        self.sessions.retain(|_, session| session.model != *choice);
        self.models.keep(|model| model != choice)
    }

    /// The context of a session: the one it has, unless it belongs to another model or cache mode.
    fn context(
        &mut self,
        id: SessionId,
        model: &ModelChoice,
        n_layers: usize,
        options: CacheOptions,
    ) -> &mut Context {
        let fresh = || Session {
            model: model.clone(),
            context: Context::new(n_layers, options),
            debugger: None,
        };
        let session = self.sessions.entry(id).or_insert_with(fresh);
        if session.model != *model || *session.context.options() != options {
            *session = fresh();
        }
        &mut session.context
    }
}

fn run_of(session: Option<&mut Session>) -> Option<&mut Debugger> {
    session.and_then(|session| session.debugger.as_mut())
}

/// The message of a panic.
fn told(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("unknown")
}
