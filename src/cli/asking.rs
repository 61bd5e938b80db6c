//! The engine as the commands that look into runs use it: open a run, move it, ask about it.

use std::io::{self, IsTerminal, Write};

use anyhow::{Result, bail, ensure};

use super::edits::EditText;
use super::interrupt::{self, Guard};
use crate::engine::client::Client;
use crate::engine::message::{Action, CancelToken, Event, OpenRequest, Prompt, SessionId};
use crate::engine::question::{Question, Told};
use crate::tokenizer::{Message, TemplateArgs};
use crate::trace::debug::{DebugCommand, EditChange, RunState, SourcePrompt};
use crate::trace::file::Trace;
use crate::trace::{Address, HostTensor};

/// Ctrl-C stopped the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// An engine of one's own; Ctrl-C cancels what it is asked.
pub struct Asker {
    client: Client,
    cancel: CancelToken,
    _guard: Guard,
}

/// How a text becomes the prompt of a run.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct PromptArgs {
    /// A system prompt.
    #[arg(long, value_name = "S", conflicts_with = "raw")]
    pub system: Option<String>,
    /// Run the prompt as it is, without the chat template.
    #[arg(long)]
    pub raw: bool,
}

impl PromptArgs {
    /// The prompt that `text` makes.
    #[must_use]
    pub fn prompt(&self, text: &str) -> Prompt {
        if self.raw {
            return Prompt::Raw(text.to_owned());
        }
        let system = self.system.iter();
        let system = system.map(|system| Message::new("system", system));
        Prompt::Chat {
            messages: system.chain([Message::new("user", text)]).collect(),
            prefill_response: None,
            args: TemplateArgs::for_answer(),
        }
    }

    /// The prompt that patches copy from, made of `text`.
    #[must_use]
    pub fn source(&self, text: &str) -> SourcePrompt {
        match self.raw {
            true => SourcePrompt::Raw(text.to_owned()),
            false => SourcePrompt::Chat(text.to_owned()),
        }
    }
}

impl Asker {
    /// Starts an engine.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start() -> Result<Self> {
        let cancel = CancelToken::default();
        Ok(Self {
            _guard: interrupt::cancels(&cancel),
            client: Client::start()?,
            cancel,
        })
    }

    /// Opens a run.
    ///
    /// # Errors
    /// If the model cannot be loaded, the prompt is empty, or it was interrupted.
    pub fn open(&mut self, session: u64, request: OpenRequest) -> Result<RunState> {
        match self.end_of(session, Action::Open(Box::new(request)))? {
            Event::Run(state) => Ok(*state),
            other => unexpected(&other),
        }
    }

    /// Opens a run and makes edits as they were typed.
    ///
    /// # Errors
    /// As [`Self::open`], and if an edit names what is no token or does not fit the model.
    pub fn open_edited(
        &mut self,
        session: u64,
        request: OpenRequest,
        edits: &[EditText],
    ) -> Result<RunState> {
        let mut state = self.open(session, request)?;
        for edit in edits {
            let edit = edit.read(|token| self.token_typed(session, token))?;
            let change = EditChange::Add(edit);
            let catch_up = false;
            state = self.debug(session, DebugCommand::Edit { change, catch_up })?;
        }
        Ok(state)
    }

    /// Moves the run of a session, or changes it.
    ///
    /// # Errors
    /// If the command fails, or it was interrupted.
    pub fn debug(&mut self, session: u64, command: DebugCommand) -> Result<RunState> {
        match self.end_of(session, Action::Debug(command))? {
            Event::Run(state) => Ok(*state),
            other => unexpected(&other),
        }
    }

    /// The value at an address in the run of a session.
    ///
    /// # Errors
    /// If it has not been computed, or it was interrupted.
    pub fn look(&mut self, session: u64, address: Address) -> Result<HostTensor> {
        match self.end_of(session, Action::Debug(DebugCommand::Look(address)))? {
            Event::Looked(value) => Ok(*value),
            other => unexpected(&other),
        }
    }

    /// What the run of a session has seen.
    ///
    /// # Errors
    /// If a value cannot be recomputed, or it was interrupted.
    pub fn trace(&mut self, session: u64) -> Result<Trace> {
        let command = DebugCommand::Trace { hooks: None };
        match self.end_of(session, Action::Debug(command))? {
            Event::Traced(trace) => Ok(*trace),
            other => unexpected(&other),
        }
    }

    /// The answer to a question.
    ///
    /// # Errors
    /// If it cannot be answered, or it was interrupted.
    pub fn ask(&mut self, session: u64, question: Question) -> Result<Told> {
        match self.end_of(session, Action::Ask(Box::new(question)))? {
            Event::Told(told) => Ok(*told),
            other => unexpected(&other),
        }
    }

    /// The id of a token of the session's model: its text, with or without the space that it begins
    /// with, or `#` and its id.
    ///
    /// # Errors
    /// If it is no token, or several.
    pub fn token(&mut self, session: u64, text: &str) -> Result<u32> {
        if let Some(id) = text.trim().strip_prefix('#').and_then(|id| id.parse().ok()) {
            return Ok(id);
        }
        let spaced = format!(" {}", text.trim());
        let mut found = Vec::new();
        for text in [text, &spaced] {
            let question = Question::Tokens {
                model: None,
                text: text.to_owned(),
                with_begin: false,
            };
            let Told::Tokens(tokens) = self.ask(session, question)? else {
                continue;
            };
            if let [only] = tokens.pieces.as_slice() {
                return Ok(only.id);
            }
            found = tokens.pieces.into_iter().map(|piece| piece.text).collect();
        }
        ensure!(!found.is_empty(), "an empty text is no token");
        bail!(
            "'{text}' is {} tokens ('{}'): name one of them, or give an id as #17",
            found.len(),
            found.join("' '")
        )
    }

    /// The id of a token as edits name it: a text in quotes, or a word with the space before it.
    ///
    /// # Errors
    /// As [`Self::token`].
    pub fn token_typed(&mut self, session: u64, typed: &str) -> Result<u32> {
        let spellings = super::edits::spellings(typed);
        let first = spellings.first().map_or(typed, String::as_str);
        self.token(session, first)
            .or_else(|_| self.token(session, spellings.last().map_or(typed, String::as_str)))
    }

    /// The event that ends a request.
    fn end_of(&mut self, session: u64, action: Action) -> Result<Event> {
        let mut is_counting = false;
        for event in self.client.ask(SessionId(session), action, &self.cancel)? {
            match event {
                Event::Notice(text) => eprintln!("note: {text}"),
                Event::Progress { done, total } => {
                    is_counting = io::stderr().is_terminal();
                    if is_counting {
                        eprint!("\r{done} of {total} \x1b[K");
                        io::stderr().flush()?;
                    }
                }
                Event::Loaded { .. } => {}
                Event::Failed(why) => bail!(why),
                Event::Cancelled => return Err(Interrupted.into()),
                end => {
                    if is_counting {
                        eprint!("\r\x1b[K"); // the line of figures goes away
                    }
                    return Ok(end);
                }
            }
        }
        bail!("the engine ended without an answer")
    }
}

fn unexpected<T>(event: &Event) -> Result<T> {
    bail!("the engine answered something else: {event:?}")
}
