//! The engine as the window sees it: requests go out, events are taken in once a frame, and no
//! frame ever waits.
//!
//! A picture asks the same question every frame and gets what is known so far; the question goes
//! out once. If the engine thread ends, another one is started and brought to where the run stood.

mod changes;
mod guests;
mod other;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use self::changes::{is_about_the_run, n_steps, undoes};
use super::answers::{Answers, Asked, Known};
use crate::engine::message::{
    Action, CancelToken, Envelope, Event, ModelChoice, OpenRequest, Request, RequestId, SessionId,
};
use crate::engine::question::{Question, Seen, Told};
use crate::trace::debug::{DebugCommand, RunState};
use crate::trace::file::Trace;
use crate::trace::{Address, Hook, HostTensor};

pub use other::Other;

/// A way to an engine.
pub trait Door {
    /// Hands over a request.
    ///
    /// # Errors
    /// If the engine has ended.
    fn send(&self, request: Request) -> Result<()>;
}

/// Starts an engine.
pub type OpenDoor = Box<dyn Fn() -> Result<Box<dyn Door>>>;

/// What the window should know of, in order.
#[derive(Debug)]
pub enum News {
    /// A run was opened: everything before it is gone.
    Opened(Arc<RunState>),
    /// Where the run stands now.
    Run(Arc<RunState>),
    /// What the run has seen, as [`Link::record`] asked.
    Traced(Box<Trace>),
    /// Something to tell, and nothing else.
    Notice(String),
    /// No run was opened: the one before, if there is one, is still there.
    NotOpened(String),
    /// What was asked for did not work.
    Failed {
        /// What was asked for: "open the run".
        what: &'static str,
        /// Why, and what to do.
        why: String,
    },
}

/// Work under way that one may want to stop.
#[derive(Debug, Clone)]
pub struct Activity {
    /// What it is: "open the run".
    pub what: &'static str,
    /// Since when.
    pub since: Duration,
    /// Done and to do, where it is known.
    pub progress: Option<(usize, usize)>,
}

/// How soon an event wants a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// At once.
    Now,
    /// With others: tokens come faster than anyone reads.
    Soon,
}

impl Urgency {
    fn of(event: &Event) -> Self {
        match event {
            Event::Token { .. } | Event::Prefill { .. } | Event::Progress { .. } => Self::Soon,
            _ => Self::Now,
        }
    }
}

/// The engine behind channels.
pub struct Link {
    open_door: OpenDoor,
    door: Option<Box<dyn Door>>,
    events: Sender<Envelope>,
    inbox: Receiver<Envelope>,
    next_id: u64,
    pending: BTreeMap<RequestId, Pending>,
    answers: Answers<Question, Told>,
    news: Vec<News>,
    /// What the run was opened with.
    opened: Option<OpenRequest>,
    /// What is being opened.
    opening: Option<OpenRequest>,
    run: Option<Arc<RunState>>,
    other: other::OtherSide,
    /// The session of the run, and that of its other side.
    sessions: [SessionId; 2],
    guests: guests::Guests,
    /// Where the run is recorded, its requests go here.
    recorded: Option<Box<dyn Door>>,
    /// Why the last question without an answer has none.
    refused: Option<Arc<str>>,
}

struct Pending {
    purpose: Purpose,
    cancel: CancelToken,
    since: Instant,
    progress: Option<(usize, usize)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Open,
    /// Changes the run, or goes on with it.
    Command {
        undoes: bool,
    },
    /// Where it stands after something went wrong.
    Resume,
    Question,
    /// Lets a model go.
    Unload,
    /// Puts what the run has seen into a trace.
    Record,
    /// Opens or moves the other side of a comparison.
    Other,
    /// Asks it something.
    OtherQuestion,
    /// Of a guest, who follows the events himself.
    Guest {
        session: SessionId,
        what: &'static str,
    },
}

impl Purpose {
    fn what(self) -> &'static str {
        match self {
            Self::Open => "open the run",
            Self::Command { .. } => "run",
            Self::Record => "put the run into a file",
            Self::Resume => "find where the run stands",
            Self::Question | Self::OtherQuestion => "answer a question",
            Self::Other => "read the other side",
            Self::Guest { what, .. } => what,
            Self::Unload => "let a model go",
        }
    }

    /// Whether it is work that one sees, and may want to stop.
    fn is_command(self) -> bool {
        matches!(self, Self::Open | Self::Command { .. } | Self::Record)
    }

    fn is_of_other(self) -> bool {
        matches!(self, Self::Other | Self::OtherQuestion)
    }
}

/// The session of the explorer, and that of what it is compared with.
const EXPLORER: [SessionId; 2] = [SessionId(0), SessionId(1)];
/// The session of the chat, a guest.
pub const CHAT: SessionId = SessionId(8);

impl Link {
    /// A link to an engine that is started when first needed; `wake` asks for a frame.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn new(open_door: OpenDoor, wake: impl Fn(Urgency) + Send + 'static) -> Result<Self> {
        let (events, arriving) = channel::<Envelope>();
        let (forward, inbox) = channel();
        let pass_on = move || {
            for envelope in arriving {
                let urgency = Urgency::of(&envelope.event);
                if forward.send(envelope).is_err() {
                    return;
                }
                wake(urgency);
            }
        };
        let thread = thread::Builder::new().name("events".to_owned());
        thread
            .spawn(pass_on)
            .context("cannot start a thread for the engine's events")?;
        Ok(Self {
            open_door,
            door: None,
            events,
            inbox,
            next_id: 0,
            pending: BTreeMap::new(),
            answers: Answers::default(),
            news: Vec::new(),
            opened: None,
            opening: None,
            run: None,
            other: other::OtherSide::default(),
            sessions: EXPLORER,
            guests: guests::Guests::default(),
            recorded: None,
            refused: None,
        })
    }

    /// The same link for another run and its other side, which have sessions of their own.
    #[must_use]
    pub fn in_sessions(mut self, sessions: [SessionId; 2]) -> Self {
        self.sessions = sessions;
        self
    }

    /// The session of the other side.
    #[must_use]
    pub fn other_session(&self) -> SessionId {
        let [_, other] = self.sessions;
        other
    }

    fn session(&self, purpose: Purpose) -> SessionId {
        let [own, other] = self.sessions;
        match purpose {
            Purpose::Guest { session, .. } => session,
            _ if purpose.is_of_other() => other,
            _ => own,
        }
    }

    /// Opens a run; it takes the place of the one before.
    pub fn open(&mut self, request: OpenRequest) {
        self.cancel();
        self.close_other();
        self.answers.forget(is_about_the_run);
        self.opening = Some(request.clone());
        self.send(Purpose::Open, Action::Open(Box::new(request)));
    }

    /// Lets a model go that is not used any more; who still uses it keeps it.
    pub fn unload(&mut self, model: ModelChoice) {
        self.send(Purpose::Unload, Action::Unload(model));
    }

    /// From now on the run is a recorded one, behind `door`; with `None` the engine runs it again.
    /// Open a run next: the one before is gone.
    pub fn read_through(&mut self, door: Option<Box<dyn Door>>) {
        if door.is_none() && self.recorded.is_none() {
            return;
        }
        self.close_other();
        self.forget_run();
        self.recorded = door;
    }

    /// Forgets the run and all that was asked about it; guests stay.
    fn forget_run(&mut self) {
        let is_guest = |pending: &Pending| matches!(pending.purpose, Purpose::Guest { .. });
        for pending in self.pending.values().filter(|pending| !is_guest(pending)) {
            pending.cancel.cancel();
        }
        // What it still tells belongs to nobody.
        self.pending.retain(|_, pending| is_guest(pending));
        self.answers.forget(|_| true);
        self.other = other::OtherSide::default();
        (self.opened, self.opening, self.run) = (None, None, None);
    }

    /// Puts what the run has seen at `hooks` into a trace, which comes as [`News::Traced`].
    pub fn record(&mut self, hooks: Vec<Hook>) {
        let hooks = Some(hooks);
        self.send(
            Purpose::Record,
            Action::Debug(DebugCommand::Trace { hooks }),
        );
    }

    /// Tells the run something.
    pub fn tell(&mut self, command: DebugCommand) {
        let undoes = undoes(&command);
        if undoes {
            self.answers.forget(is_about_the_run);
        }
        self.send(Purpose::Command { undoes }, Action::Debug(command));
    }

    /// The answer to `question`, as far as it is known. Ask every frame; it goes out once.
    pub fn ask(&mut self, question: &Question) -> Asked<Told> {
        let known = self.answers.get(question);
        if let Some(Known {
            answer,
            is_old: false,
        }) = known
        {
            if let Asked::Failed(why) = &answer {
                self.refused = Some(Arc::clone(why));
            }
            return answer;
        }
        let ask = Action::Ask(Box::new(question.clone()));
        if let Some((id, cancel)) = self.send(Purpose::Question, ask) {
            self.answers.asked(question.clone(), id, cancel);
        }
        known.map_or(Asked::Waiting, |known| known.answer)
    }

    /// Why a question found no answer since this was last asked, if one did.
    pub fn take_refusal(&mut self) -> Option<Arc<str>> {
        self.refused.take()
    }

    /// The value at `address`, as far as it is known.
    pub fn value(&mut self, address: &Address) -> Asked<HostTensor> {
        let told = match self.ask(&Question::Values(vec![address.clone()])) {
            Asked::Ready(told) => told,
            Asked::Waiting => return Asked::Waiting,
            Asked::Failed(why) => return Asked::Failed(why),
        };
        let Told::Values(seen) = &*told else {
            return Asked::Failed("the engine answered another question".into());
        };
        match seen.first() {
            // Cheap: a tensor shares its values.
            Some(Seen {
                value: Ok(value), ..
            }) => Asked::Ready(Arc::new(value.clone())),
            Some(Seen {
                value: Err(why), ..
            }) => {
                let why: Arc<str> = why.as_str().into();
                self.refused = Some(Arc::clone(&why));
                Asked::Failed(why)
            }
            None => Asked::Failed("nothing was seen there".into()),
        }
    }

    /// How far the answer to `question` has come: done and to do, where the engine tells.
    #[must_use]
    pub fn progress(&self, question: &Question) -> Option<(usize, usize)> {
        let request = self.answers.request(question)?;
        self.pending.get(&request)?.progress
    }

    /// Stops the work on `question`; asked again, it begins anew.
    pub fn cancel_question(&mut self, question: &Question) {
        let request = self.answers.request(question);
        if let Some(pending) = request.and_then(|request| self.pending.get(&request)) {
            pending.cancel.cancel();
        }
    }

    /// Stops commands under way; questions go on.
    pub fn cancel(&mut self) {
        for pending in self.pending.values() {
            if pending.purpose.is_command() {
                pending.cancel.cancel();
            }
        }
    }

    /// Whether a command is under way.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.commands().next().is_some()
    }

    /// Whether nothing is under way and no answer is awaited.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.pending.is_empty()
    }

    /// The command under way for longest.
    #[must_use]
    pub fn activity(&self) -> Option<Activity> {
        let pending = self.commands().next()?;
        Some(Activity {
            what: pending.purpose.what(),
            since: pending.since.elapsed(),
            progress: pending.progress,
        })
    }

    /// Takes in what the engine has told.
    pub fn receive(&mut self) {
        while let Ok(Envelope { id, event }) = self.inbox.try_recv() {
            self.take(id, event);
        }
    }

    /// Begins a frame: takes in what the engine has told.
    pub fn begin_frame(&mut self) -> Vec<News> {
        self.receive();
        self.answers.begin_frame();
        self.other.begin_frame();
        std::mem::take(&mut self.news)
    }

    fn commands(&self) -> impl Iterator<Item = &Pending> {
        let pending = self.pending.values();
        pending.filter(|pending| pending.purpose.is_command())
    }

    fn take(&mut self, id: RequestId, event: Event) {
        let Some(pending) = self.pending.get_mut(&id) else {
            return;
        };
        let purpose = pending.purpose;
        if let (Purpose::Guest { session, .. }, true) =
            (purpose, !matches!(event, Event::Notice(_)))
        {
            if self.keep_for(session, id, event) {
                self.pending.remove(&id);
            }
            return;
        }
        match event {
            Event::Prefill { done, total } | Event::Progress { done, total } => {
                pending.progress = Some((done, total));
            }
            Event::Notice(text) => self.news.push(News::Notice(text)),
            Event::Loaded { .. } | Event::Started { .. } | Event::Token { .. } => {}
            ending => {
                self.pending.remove(&id);
                self.end(id, purpose, ending);
            }
        }
    }

    /// Takes in the last event of a request.
    fn end(&mut self, id: RequestId, purpose: Purpose, event: Event) {
        if purpose.is_of_other() {
            self.other.end(id, purpose, event);
            if purpose == Purpose::Other {
                self.answers
                    .forget(|question| matches!(question, Question::Compare { .. }));
            }
            return;
        }
        match event {
            Event::Run(state) => self.stand(purpose, *state),
            Event::Traced(trace) => self.news.push(News::Traced(trace)),
            Event::Told(told) => {
                let n_bytes = super::weigh::n_bytes(&told);
                self.answers.told(id, Ok(*told), n_bytes);
            }
            Event::Failed(why) if purpose == Purpose::Question => {
                self.answers.told(id, Err(why), 0);
            }
            // The engine has lost the run with the session: open it again, and go to where it stood.
            Event::Failed(_) if purpose == Purpose::Resume => self.reopen(),
            Event::Failed(why) if purpose == Purpose::Open => {
                self.news.push(News::NotOpened(why));
                self.keep_the_one_before();
            }
            // It is at work for someone: it goes when that is done and another one is loaded.
            Event::Failed(_) if purpose == Purpose::Unload => {}
            Event::Failed(why) => {
                let what = purpose.what();
                self.news.push(News::Failed { what, why });
                if matches!(purpose, Purpose::Command { .. }) {
                    // Where it stands now, or that it is gone.
                    self.resume();
                }
            }
            Event::Cancelled if purpose == Purpose::Open && self.opening.is_some() => {
                self.news
                    .push(News::NotOpened("it was cancelled".to_owned()));
                self.keep_the_one_before();
            }
            Event::Cancelled => self.answers.drop_request(id),
            _ => {}
        }
    }

    fn stand(&mut self, purpose: Purpose, state: RunState) {
        let state = Arc::new(state);
        let before = self.run.replace(Arc::clone(&state));
        let is_other = before.is_some_and(|before| before.version != state.version);
        if purpose == Purpose::Open {
            self.answers.forget(|_| true);
            if let Some(request) = self.opening.take() {
                self.opened = Some(request);
            }
            self.news.push(News::Opened(state));
            return;
        }
        match purpose == (Purpose::Command { undoes: true }) || is_other {
            true => self.answers.forget(is_about_the_run),
            false => self.answers.renew(is_about_the_run),
        }
        self.news.push(News::Run(state));
    }

    /// What was to be opened is not: the run before goes on, also where its memory was given up for the other.
    fn keep_the_one_before(&mut self) {
        if self.opening.take().is_some() && self.opened.is_some() {
            self.resume();
        }
    }

    /// Asks where the run stands.
    fn resume(&mut self) {
        self.send(Purpose::Resume, Action::Debug(DebugCommand::State));
    }

    /// Opens the run once more, and steps it to where it stood.
    fn reopen(&mut self) {
        let (Some(request), Some(run)) = (self.opened.clone(), self.run.clone()) else {
            return;
        };
        self.send(Purpose::Open, Action::Open(Box::new(request)));
        let n_steps = n_steps(&run);
        if n_steps > 0 {
            self.tell(DebugCommand::Steps(n_steps));
        }
    }

    /// Sends a request, through a new door if the old one is shut.
    fn send(&mut self, purpose: Purpose, action: Action) -> Option<(RequestId, CancelToken)> {
        self.next_id += 1;
        let id = RequestId(self.next_id);
        let cancel = CancelToken::default();
        let request = Request {
            id,
            session: self.session(purpose),
            action,
            cancel: cancel.clone(),
            events: self.events.clone(),
        };
        if let Err(error) = self.through_door(request) {
            self.lost(purpose, &error);
            return None;
        }
        let pending = Pending {
            purpose,
            cancel: cancel.clone(),
            since: Instant::now(),
            progress: None,
        };
        self.pending.insert(id, pending);
        Some((id, cancel))
    }

    /// The engine has ended: nothing that was asked will be answered. Another one is started, and
    /// brought to where the run stood.
    fn lost(&mut self, purpose: Purpose, error: &anyhow::Error) {
        let is_guest = matches!(purpose, Purpose::Guest { .. });
        if !is_guest && self.recorded.take().is_some() {
            // The reader of the recorded run has ended; the engine has not.
            self.forget_run();
            self.news.push(News::NotOpened(format!("{error:#}")));
            return;
        }
        self.door = None;
        self.fail_guests();
        self.pending.clear();
        self.answers.forget(|_| true);
        self.other = other::OtherSide::default();
        if purpose == Purpose::Open || self.opened.is_none() {
            self.news.push(News::NotOpened(format!("{error:#}")));
            return;
        }
        let text =
            "The engine stopped, and was started again. The run goes back to where it stood.";
        self.news.push(News::Notice(text.to_owned()));
        self.reopen();
    }

    fn through_door(&mut self, request: Request) -> Result<()> {
        if self.sessions.contains(&request.session)
            && let Some(recorded) = &self.recorded
        {
            return recorded.send(request);
        }
        let door = match self.door.take() {
            Some(door) => door,
            None => (self.open_door)()?,
        };
        self.door.insert(door).send(request)
    }
}

impl Link {
    /// Cancels everything that was asked for and has not ended.
    pub fn cancel_all(&self) {
        for pending in self.pending.values() {
            pending.cancel.cancel();
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.cancel_all();
    }
}

#[cfg(test)]
mod tests;
