//! Someone at the terminal, and the run they step through.

mod asking;
mod picture;

use std::io::{self, Write};

use anyhow::{Result, bail, ensure};

use super::order::{Order, parse};
use super::{Args, KEYS, WORDS, pictures, shown};
use crate::cli::edits::{self, FORMS};
use crate::cli::trace::run_of;
use crate::engine::client::Client;
use crate::engine::message::{Action, CancelToken, OpenRequest, Prompt, SessionId};
use crate::tokenizer::{Message, TemplateArgs};
use crate::trace::debug::{
    Breakpoint, Condition, DebugCommand, EditChange, Next, RunState, SourcePrompt, Way,
};
use crate::trace::edit::Edit;
use crate::trace::{Address, Place, View};

const SESSION: SessionId = SessionId(0);

/// The run, what is known of it, and the head that pictures show.
pub struct Stepper {
    client: Client,
    state: RunState,
    head: usize,
    /// Prompts are run as they are, without the chat template.
    is_raw: bool,
}

/// Which way an address is looked for.
#[derive(Clone, Copy)]
enum Towards {
    Ahead,
    Behind,
}

impl Stepper {
    /// Opens the run.
    ///
    /// # Errors
    /// If the model cannot be loaded, or an edit or breakpoint does not fit it.
    pub fn open(args: &Args) -> Result<Self> {
        let prompt = match args.raw {
            true => Prompt::Raw(args.prompt.clone()),
            false => Prompt::Chat {
                messages: vec![Message::new("user", &args.prompt)],
                prefill_response: None,
                args: TemplateArgs::for_answer(),
            },
        };
        let request = OpenRequest {
            sampling: args.sampling.choice(),
            seed: args.sampling.seed,
            ..OpenRequest::new(args.model.choice(), prompt)
        };
        let mut client = Client::start()?;
        let cancel = CancelToken::default();
        let open = Action::Open(Box::new(request));
        let state = run_of(client.ask(SESSION, open, &cancel)?)?;
        let mut stepper = Self {
            client,
            state,
            head: 0,
            is_raw: args.raw,
        };
        for edit in &args.edit {
            let edit = edit.read(|token| stepper.token(token))?;
            stepper.add(edit)?;
        }
        if !args.breakpoints.is_empty() {
            for breakpoint in &args.breakpoints {
                stepper.check_token(breakpoint)?;
            }
            stepper.tell(DebugCommand::Breakpoints(args.breakpoints.clone()))?;
        }
        Ok(stepper)
    }

    /// Does what someone asks for. Returns whether to go on.
    ///
    /// # Errors
    /// If it is no order, or the run refuses it; the run stays as it is.
    pub fn obey(&mut self, text: &str) -> Result<bool> {
        let mut out = io::stdout();
        let (texts, branch) = (self.state.texts.clone(), self.state.branch);
        let (mut notes, mut goes_back) = (Vec::new(), false);
        match parse(text)? {
            Order::Source { name, text } => {
                let prompt = match self.is_raw {
                    true => SourcePrompt::Raw(text),
                    false => SourcePrompt::Chat(text),
                };
                self.tell(DebugCommand::Source { name, prompt })?;
            }
            Order::Tell(DebugCommand::To(address)) => {
                let address = self.here(address, Towards::Ahead);
                self.check_ahead(&address)?;
                self.tell(DebugCommand::To(address))?;
            }
            Order::Tell(DebugCommand::Rewind(address)) => {
                let address = self.here(address, Towards::Behind);
                self.tell(DebugCommand::Rewind(address))?;
                goes_back = true;
            }
            Order::Tell(command) => {
                goes_back = matches!(command, DebugCommand::Stand(_));
                self.tell(command)?;
            }
            Order::BranchToText { position, text } => {
                let way = Way::Token(self.token(&text)?);
                self.tell(DebugCommand::Branch { position, way })?;
            }
            Order::Edit(edit) => {
                let edit = edit.read(|token| self.token(token))?;
                notes = self.add(edit)?;
            }
            Order::Break(breakpoint) => {
                self.check_token(&breakpoint)?;
                let known = self.state.breakpoints.iter().cloned();
                return self.break_at(known.chain([breakpoint]).collect());
            }
            Order::Unbreak(at) => {
                let mut breakpoints = self.state.breakpoints.clone();
                let n = breakpoints.len();
                ensure!(at < n, "there is no breakpoint {}: there are {n}", at + 1);
                breakpoints.remove(at);
                return self.break_at(breakpoints);
            }
            Order::Look(address) => {
                let address = self.here(address, Towards::Behind);
                let value = self.look(address.clone())?;
                let numbers = pictures::numbers(&value);
                writeln!(out, "{address}  {:?}\n{numbers}", value.shape())?;
                return Ok(true);
            }
            Order::NextHead => self.head += 1,
            Order::Breaks => return list(&shown::breakpoints(&self.state)),
            Order::Edits => return list(&shown::edits(&self.state)),
            Order::Branches => return list(&shown::branches(&self.state)),
            Order::Memory => return list(&shown::memory(&self.state)),
            Order::Parity => return list(&self.parity()?.to_string()),
            Order::Help => return list(&format!("{KEYS}\n\n{WORDS}\n\n{FORMS}")),
            Order::Quit => return Ok(false),
        }
        self.show()?;
        // Where someone goes back step by step, the text shows what is gone.
        let dropped = shown::dropped(&texts, branch, &self.state);
        notes.extend(dropped.filter(|_| goes_back));
        for note in notes {
            writeln!(out, "note: {note}")?;
        }
        Ok(true)
    }

    /// Adds an edit. Returns what is worth knowing of it.
    fn add(&mut self, edit: Edit) -> Result<Vec<String>> {
        let known = self.state.sources.iter().map(|source| source.name.as_str());
        edits::check_source(&edit, known, |name| {
            format!(
                "in the stepper, source {name} TEXT adds that prompt, before the edit; \
                 patch(branch.0) copies from a branch"
            )
        })?;
        let change = EditChange::Add(edit.clone());
        let catch_up = true;
        self.tell(DebugCommand::Edit { change, catch_up })?;
        Ok(edits::notes(&edit, &self.state, self.state.ids.len()))
    }

    /// Refuses to go on to what lies behind, or is no place on the way.
    fn check_ahead(&self, address: &Address) -> Result<()> {
        if let Place::View(view) = address.place {
            ensure!(
                view == View::Sample,
                "{} is no place in a pass: name a stage, a hook, or sample",
                view.name()
            );
        }
        let pass = address.pass.unwrap_or(0);
        ensure!(
            !self.is_computed(address, pass),
            "{address} is already computed; r {address} goes back to before it"
        );
        ensure!(
            self.state.next != Next::Ended,
            "the text has ended: {address} never comes; b goes back"
        );
        Ok(())
    }

    /// Refuses to wait for a token that the vocabulary does not have.
    fn check_token(&mut self, breakpoint: &Breakpoint) -> Result<()> {
        let Some(Condition::TokenIs(text)) = &breakpoint.when else {
            return Ok(());
        };
        let spellings = [text.clone(), format!(" {}", text.trim_start())];
        for text in spellings {
            if self.only_token(text)?.is_some() {
                return Ok(());
            }
        }
        bail!("{breakpoint} never stops: '{text}' is not one token of this model")
    }

    /// Tells where the run stands, and draws what the latest step has made.
    ///
    /// # Errors
    /// If nothing can be written, or a value cannot be recomputed.
    pub fn show(&mut self) -> Result<()> {
        let mut out = io::stdout();
        writeln!(out, "\n{}", shown::text(&self.state))?;
        if let Some(breakpoint) = &self.state.stopped_by {
            writeln!(out, "stopped at {breakpoint}")?;
        }
        writeln!(out, "{}", shown::latest(&self.state))?;
        let picture = self.picture()?;
        if !picture.is_empty() {
            writeln!(out, "{picture}")?;
        }
        if self.is_quick() {
            writeln!(out, "{}", self.parity()?)?;
        }
        if let Some(verdict) = shown::verdict(&self.state) {
            writeln!(out, "{verdict}")?;
        }
        writeln!(out, "{}", shown::next(&self.state))?;
        Ok(())
    }

    /// An address in the pass that is meant: without `pass.N.`, the nearest one ahead or behind.
    fn here(&self, mut address: Address, towards: Towards) -> Address {
        let newest = self.state.passes.len().saturating_sub(1);
        let is_computed = self.is_computed(&address, newest);
        let pass = match towards {
            Towards::Ahead => newest + usize::from(is_computed),
            Towards::Behind => newest.saturating_sub(usize::from(!is_computed)),
        };
        address.pass.get_or_insert(pass);
        address
    }

    fn is_computed(&self, address: &Address, pass: usize) -> bool {
        match address.place {
            Place::Hook(hook) => self.state.has(pass, hook),
            Place::Stage(stage) => self.state.has_stage(pass, stage),
            Place::View(_) => {
                let pass = self.state.passes.get(pass);
                pass.is_some_and(|pass| pass.draw.is_some())
            }
        }
    }

    fn break_at(&mut self, breakpoints: Vec<Breakpoint>) -> Result<bool> {
        self.tell(DebugCommand::Breakpoints(breakpoints))?;
        list(&shown::breakpoints(&self.state))
    }

    /// Whether the logits are new and the checks of them are done before anyone waits; for slower
    /// passes there is an order.
    fn is_quick(&self) -> bool {
        const QUICK: f64 = 0.1; // seconds of the pass itself
        let pass = self.state.passes.last();
        let seconds: f64 = pass.map_or(0.0, |pass| pass.executed.iter().map(|(_, s)| s).sum());
        self.state.next == Next::Sample && seconds < QUICK
    }
}

fn list(text: &str) -> Result<bool> {
    writeln!(io::stdout(), "{text}")?;
    Ok(true)
}
