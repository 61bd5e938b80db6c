//! The desk: runs that lie open, and what is asked of them.

use std::collections::HashMap;

use super::Asker;
use crate::engine::message::{
    Action, Event, GenerateRequest, ModelChoice, OpenRequest, Prompt, SessionId,
};
use crate::engine::question::{Message, Question, TemplateArgs, TextTokens, Told};
use crate::lesson::Goal;
use crate::lesson::ask::{Ask, Need};
use crate::lesson::expression::Value;
use crate::lesson::run::{Run, RunPrompt};
use crate::model::cache::CacheOptions;
use crate::trace::debug::{DebugCommand, RunState};
use crate::trace::edit::Edit;
use crate::trace::measure::At;
use crate::trace::measure::heads::{HeadReport, ProbeText};
use crate::trace::sampling::SamplingChoice;
use crate::trace::{Address, Place};

/// Runs that lie open at the same time.
const MOST_OPEN: u64 = 6;

/// Answers what lessons ask, over an engine.
#[derive(Debug)]
pub struct Desk<A: Asker> {
    asker: A,
    model: ModelChoice,
    /// The session of the first run; the others follow.
    first_session: u64,
    /// The run that was opened last comes last.
    open: Vec<Opened>,
    n_opened: u64,
    heads: HashMap<String, HeadReport>,
    ids: HashMap<(String, String), u32>,
}

#[derive(Debug)]
struct Opened {
    run: Run,
    session: SessionId,
    state: RunState,
}

/// Why there is no answer: one sentence.
pub type Answered<T> = Result<T, String>;

impl<A: Asker> Desk<A> {
    /// A desk for lessons on `model`, whose runs use the sessions from `first_session` on.
    pub fn new(asker: A, model: ModelChoice, first_session: SessionId) -> Self {
        Self {
            asker,
            model,
            first_session: first_session.0,
            open: Vec::new(),
            n_opened: 0,
            heads: HashMap::new(),
            ids: HashMap::new(),
        }
    }

    /// What the engine says to a need.
    ///
    /// # Errors
    /// Why it has no answer.
    pub fn answer(&mut self, need: &Need) -> Answered<Value> {
        let group = need.ask.group();
        match group {
            "Text and tokens" => self.of_text(need),
            "The model" | "Embeddings" => self.of_model(need),
            _ => self.of_run(need),
        }
    }

    /// The model of a run.
    pub(super) fn model(&self, run: &Run) -> ModelChoice {
        let name = run.model.clone().unwrap_or_else(|| self.model.name.clone());
        ModelChoice {
            name,
            kernels: self.model.kernels,
        }
    }

    /// The texts of a run's tokens.
    ///
    /// # Errors
    /// If the run cannot be opened.
    pub fn texts(&mut self, run: &Run) -> Answered<Vec<String>> {
        self.state(run).map(|state| state.texts.clone())
    }

    /// Where the run stands after its tokens.
    pub(super) fn state(&mut self, run: &Run) -> Answered<&RunState> {
        self.opened(run).map(|opened| &opened.state)
    }

    fn opened(&mut self, run: &Run) -> Answered<&Opened> {
        if let Some(place) = self.open.iter().position(|opened| opened.run == *run) {
            let opened = self.open.remove(place);
            self.open.push(opened);
        } else {
            let opened = self.open(run)?;
            self.open.retain(|other| other.session != opened.session);
            self.open.push(opened);
        }
        self.open.last().ok_or_else(|| "no run is open".to_owned())
    }

    fn open(&mut self, run: &Run) -> Answered<Opened> {
        let full = self.open.len() as u64 >= MOST_OPEN;
        let session = match self.open.first() {
            Some(oldest) if full => oldest.session,
            _ => SessionId(self.first_session + self.n_opened % MOST_OPEN),
        };
        self.n_opened += 1;
        let request = self.request(run)?;
        self.run_event(session, Action::Open(Box::new(request)))?;
        let to_end = DebugCommand::Tokens(run.tokens + 1);
        let state = self.run_event(session, Action::Debug(to_end))?;
        Ok(Opened {
            run: run.clone(),
            session,
            state,
        })
    }

    /// What the engine is asked to open for a run of a lesson.
    ///
    /// # Errors
    /// If an edit is none, or the model cannot read a prompt that patches copy from.
    pub fn request(&mut self, run: &Run) -> Answered<OpenRequest> {
        let edits = run.edits.iter().map(|text| text.parse::<Edit>());
        let edits: Result<Vec<Edit>, _> = edits.collect();
        let mut sources = Vec::new();
        for (name, text) in &run.sources {
            sources.push((name.clone(), self.ids_of(run, text)?));
        }
        Ok(OpenRequest {
            sampling: explicit(&run.sampling, 0.0),
            seed: Some(run.seed),
            all_logits: true,
            edits: edits.map_err(|error| error.to_string())?,
            sources,
            ..OpenRequest::new(self.model(run), prompt_of(run))
        })
    }

    fn run_event(&mut self, session: SessionId, action: Action) -> Answered<RunState> {
        match self.end_of(session, action)? {
            Event::Run(state) => Ok(*state),
            other => Err(failure(other)),
        }
    }

    fn end_of(&mut self, session: SessionId, action: Action) -> Answered<Event> {
        let event = self.asker.end_of(session, action);
        event.map_err(|error| format!("{error:#}"))
    }

    /// Asks about a run.
    pub(super) fn ask(&mut self, run: &Run, question: Question) -> Answered<Told> {
        let session = self.opened(run)?.session;
        self.told(session, question)
    }

    /// Asks about a model; no run is opened.
    pub(super) fn ask_model(&mut self, question: Question) -> Answered<Told> {
        self.told(SessionId(self.first_session), question)
    }

    fn told(&mut self, session: SessionId, question: Question) -> Answered<Told> {
        match self.end_of(session, Action::Ask(Box::new(question)))? {
            Event::Told(told) => Ok(*told),
            other => Err(failure(other)),
        }
    }

    /// What the run writes until it stops: its text, how many tokens, and why it stopped.
    pub(super) fn written(&mut self, run: &Run, most: usize) -> Answered<(String, usize, String)> {
        let request = GenerateRequest {
            model: self.model(run),
            prompt: prompt_of(run),
            sampling: explicit(&run.sampling, 0.0),
            known: Vec::new(),
            max_tokens: Some(most),
            stop: Vec::new(),
            extra_eos: Vec::new(),
            seed: Some(run.seed),
            cache: CacheOptions::default(),
            prompt_cache: None,
            top_logprobs: 0,
            begun: Vec::new(),
        };
        let session = SessionId(self.first_session + MOST_OPEN);
        match self.end_of(session, Action::Generate(Box::new(request)))? {
            Event::Answered(answer) => {
                let why = format!("{:?}", answer.stop_reason).to_lowercase();
                Ok((answer.text, answer.tokens.len(), why))
            }
            other => Err(failure(other)),
        }
    }

    /// The heads of the run's model on the standard probe text.
    pub(super) fn probe_heads(&mut self, run: &Run) -> Answered<&HeadReport> {
        let model = self.model(run);
        if !self.heads.contains_key(&model.name) {
            let question = Question::ProbeHeads {
                model: Some(model.clone()),
                text: ProbeText::default(),
            };
            let Told::Heads(report) = self.ask_model(question)? else {
                return Err(UNEXPECTED.to_owned());
            };
            self.heads.insert(model.name.clone(), report);
        }
        self.heads
            .get(&model.name)
            .ok_or_else(|| UNEXPECTED.to_owned())
    }

    /// The ids of a prompt, for a model that reads it raw.
    fn ids_of(&mut self, run: &Run, text: &str) -> Answered<Vec<u32>> {
        let question = Question::Tokens {
            model: Some(self.model(run)),
            text: text.to_owned(),
            with_begin: true,
        };
        match self.ask_model(question)? {
            Told::Tokens(tokens) => Ok(tokens.pieces.iter().map(|piece| piece.id).collect()),
            _ => Err(UNEXPECTED.to_owned()),
        }
    }

    /// The id of a token that is named by its id, or by its text.
    pub(super) fn token(&mut self, run: &Run, named: &Value) -> Answered<u32> {
        match named {
            Value::Text(text) => self.id(run, text),
            Value::Number(_) => u32::try_from(named.whole()?)
                .map_err(|_| format!("there is no token with the id {named}")),
            other => Err(format!(
                "a token is named by its text or its id, not by {}",
                other.kind()
            )),
        }
    }

    /// Whether a text is one token.
    pub(super) fn is_token(&mut self, run: &Run, text: &str) -> Answered<bool> {
        Ok(self.tokens_within(run, text)?.pieces.len() == 1)
    }

    /// The tokens of a text as it stands within a sentence. Some tokenizers put a space before every
    /// text: one that has its own is then read without it, or it would begin with two.
    pub(super) fn tokens_within(&mut self, run: &Run, text: &str) -> Answered<TextTokens> {
        let own = self.tokens_of(run, text)?;
        let Some(bare) = text.strip_prefix(' ').filter(|bare| !bare.is_empty()) else {
            return Ok(own);
        };
        let without = self.tokens_of(run, bare)?;
        let mut joined = String::new();
        for piece in &without.pieces {
            joined.push_str(&piece.text);
        }
        Ok(if joined == text { without } else { own })
    }

    fn tokens_of(&mut self, run: &Run, text: &str) -> Answered<TextTokens> {
        let question = Question::Tokens {
            model: Some(self.model(run)),
            text: text.to_owned(),
            with_begin: false,
        };
        match self.ask_model(question)? {
            Told::Tokens(tokens) => Ok(tokens),
            _ => Err(UNEXPECTED.to_owned()),
        }
    }

    /// The id of a text that is one token.
    pub(super) fn id(&mut self, run: &Run, text: &str) -> Answered<u32> {
        let key = (self.model(run).name, text.to_owned());
        if let Some(id) = self.ids.get(&key) {
            return Ok(*id);
        }
        let tokens = self.tokens_within(run, text)?;
        let ids: Vec<u32> = tokens.pieces.iter().map(|piece| piece.id).collect();
        let [id] = *ids else {
            let n = ids.len();
            return Err(format!(
                "'{text}' is {n} tokens in this model, not one; a word in a sentence has its space before it"
            ));
        };
        self.ids.insert(key, id);
        Ok(id)
    }

    /// The pass and row of a position of the run's text; `None`: the last one of the prompt.
    pub(super) fn at(&mut self, run: &Run, position: Option<usize>) -> Answered<At> {
        let state = self.state(run)?;
        let position = position.unwrap_or(state.prompt_len.saturating_sub(1));
        if position >= state.ids.len() {
            return Err(format!(
                "there is no position {position} among {}",
                state.ids.len()
            ));
        }
        Ok(match position.checked_sub(state.prompt_len) {
            None => At {
                pass: 0,
                row: position,
            },
            Some(n_generated) => At {
                pass: n_generated + 1,
                row: 0,
            },
        })
    }

    /// Whether there is something to see at an address of the run.
    pub(super) fn visit(&mut self, run: &Run, text: &str) -> Answered<()> {
        let goal: Goal = text.parse().map_err(|error| format!("{error}"))?;
        let address = goal.address;
        match address.place {
            Place::View(_) => self.state(run).map(|_| ()),
            Place::Stage(stage) => {
                let pass = address.pass.unwrap_or_default();
                let is_there = self.state(run)?.has_stage(pass, stage);
                is_there
                    .then_some(())
                    .ok_or_else(|| format!("{text} is no stage of this run"))
            }
            Place::Hook(_) => self.values(run, address).map(|_| ()),
        }
    }

    /// The values at an address of the run.
    pub(super) fn values(&mut self, run: &Run, address: Address) -> Answered<Value> {
        let Told::Values(seen) = self.ask(run, Question::Values(vec![address]))? else {
            return Err(UNEXPECTED.to_owned());
        };
        let seen = seen.into_iter().next().ok_or(UNEXPECTED)?;
        seen.value.map(|tensor| Value::from(&tensor))
    }
}

/// What no asker can cause: the engine answers each question with its own variant.
pub const UNEXPECTED: &str =
    "the engine gave another answer than it was asked for; please report this";

fn failure(event: Event) -> String {
    match event {
        Event::Failed(why) => why,
        Event::Cancelled => "this was stopped".to_owned(),
        _ => UNEXPECTED.to_owned(),
    }
}

/// A lesson's own settings, and no others: what it does not name is off.
pub fn explicit(choice: &SamplingChoice, temperature: f32) -> SamplingChoice {
    choice.or(&SamplingChoice {
        temperature: Some(temperature),
        top_p: Some(1.0),
        top_k: Some(0),
        min_p: Some(0.0),
        xtc_probability: Some(0.0),
        xtc_threshold: Some(0.1),
        repetition_penalty: Some(1.0),
        presence_penalty: Some(0.0),
        frequency_penalty: Some(0.0),
        ..SamplingChoice::default()
    })
}

/// The messages of a chat.
pub fn messages(system: &str, turns: &[String]) -> Vec<Message> {
    let system = (!system.is_empty()).then(|| Message::new("system", system));
    let roles = ["user", "assistant"].into_iter().cycle();
    let turns = roles
        .zip(turns)
        .map(|(role, turn)| Message::new(role, turn));
    system.into_iter().chain(turns).collect()
}

fn prompt_of(run: &Run) -> Prompt {
    match &run.prompt {
        RunPrompt::Raw(text) => Prompt::Raw(text.clone()),
        RunPrompt::Chat { system, turns } => Prompt::Chat {
            messages: messages(system, turns),
            prefill_response: None,
            args: TemplateArgs::for_answer(),
        },
    }
}

/// The arguments of a need, as what they are.
pub struct Args<'a>(pub &'a Need);

impl Args<'_> {
    pub fn value(&self, place: usize) -> Answered<&Value> {
        let missing = || format!("argument {} is missing", place + 1);
        self.0.args.get(place).ok_or_else(missing)
    }

    pub fn text(&self, place: usize) -> Answered<&str> {
        self.value(place)?.text()
    }

    pub fn whole(&self, place: usize) -> Answered<usize> {
        self.value(place)?.whole()
    }

    pub fn number(&self, place: usize) -> Answered<f64> {
        self.value(place)?.number()
    }

    pub fn items(&self, place: usize) -> Answered<Vec<Value>> {
        self.value(place)?.items()
    }

    /// An argument that may be left out.
    pub fn whole_or_none(&self, place: usize) -> Answered<Option<usize>> {
        self.0.args.get(place).map(Value::whole).transpose()
    }

    /// Sampling settings; at temperature 1 where they name none.
    pub fn settings(&self, place: usize) -> Answered<SamplingChoice> {
        let choice: Result<SamplingChoice, _> = self.text(place)?.parse();
        Ok(explicit(&choice.map_err(|error| error.to_string())?, 1.0))
    }
}

/// That a need reached the wrong desk.
pub fn misplaced(ask: Ask) -> String {
    format!(
        "{} is asked of something else; please report this",
        ask.name()
    )
}
