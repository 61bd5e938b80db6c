//! What the stepper asks the engine: to change the run, for a value, for a token.

use anyhow::{Result, bail};

use super::{SESSION, Stepper};
use crate::cli::edits;
use crate::cli::interrupt;
use crate::cli::trace::run_of;
use crate::engine::message::{Action, CancelToken, Event};
use crate::engine::question::{Question, Told};
use crate::trace::debug::DebugCommand;
use crate::trace::measure::parity::Parity;
use crate::trace::{Address, HostTensor};

impl Stepper {
    pub(super) fn tell(&mut self, command: DebugCommand) -> Result<()> {
        let cancel = CancelToken::default();
        let _guard = interrupt::cancels(&cancel);
        let asked = self.client.ask(SESSION, Action::Debug(command), &cancel)?;
        match run_of(asked) {
            Ok(state) => self.state = state,
            Err(error) => {
                // Part of the way may have been gone.
                let state = Action::Debug(DebugCommand::State);
                let go = CancelToken::default();
                self.state = run_of(self.client.ask(SESSION, state, &go)?)?;
                return Err(error);
            }
        }
        Ok(())
    }

    fn ask(&mut self, action: Action) -> Result<Event> {
        let go = CancelToken::default();
        for event in self.client.ask(SESSION, action, &go)? {
            match event {
                Event::Failed(why) => bail!(why),
                Event::Looked(_) | Event::Told(_) => return Ok(event),
                _ => {}
            }
        }
        bail!("the engine ended without an answer")
    }

    pub(super) fn parity(&mut self) -> Result<Parity> {
        match self.ask(Action::Ask(Box::new(Question::Parity)))? {
            Event::Told(told) => match *told {
                Told::Parity(parity) => Ok(parity),
                _ => bail!("the engine told something else"),
            },
            _ => bail!("the engine told something else"),
        }
    }

    pub(super) fn look(&mut self, address: Address) -> Result<HostTensor> {
        match self.ask(Action::Debug(DebugCommand::Look(address)))? {
            Event::Looked(value) => Ok(*value),
            _ => bail!("the engine told something else"),
        }
    }

    /// The token that `text` names: as it stands in quotes, else with a space before it, as words
    /// in a text have.
    pub(super) fn token(&mut self, text: &str) -> Result<u32> {
        for text in edits::spellings(text) {
            if let Some(id) = self.only_token(text)? {
                return Ok(id);
            }
        }
        bail!("'{text}' is not one token: name one that is, or its id")
    }

    /// The token that `text` is, if it is one.
    pub(super) fn only_token(&mut self, text: String) -> Result<Option<u32>> {
        let question = Question::Tokens {
            model: None,
            text,
            with_begin: false,
        };
        if let Event::Told(told) = self.ask(Action::Ask(Box::new(question)))?
            && let Told::Tokens(tokens) = *told
            && let [piece] = tokens.pieces.as_slice()
        {
            return Ok(Some(piece.id));
        }
        Ok(None)
    }
}
