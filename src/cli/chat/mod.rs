//! `vitrine chat`: a conversation in the terminal, or through a pipe.

mod command;
mod conversation;
mod input;
mod save;
mod settings;
mod stats;

use std::collections::HashSet;

use anyhow::{Result, bail};

use super::answer::{self, Followed, follow, summary};
use super::options::{AnswerArgs, ModelArgs, SamplingArgs};
use super::{Ended, interrupt};
use crate::engine::client::Client;
use crate::engine::context::WhyNotMore;
use crate::engine::message::{
    Action, CancelToken, Event, GenerateRequest, ModelChoice, Prompt, SessionId,
};
use crate::tokenizer::TemplateArgs;
use command::{Command, Typed};
use conversation::{Conversation, Exchange};
use input::{Input, Line};
use settings::Settings;
use stats::Stats;

/// The one session of a chat.
const SESSION: SessionId = SessionId(0);

/// Flags of `vitrine chat`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// A system prompt.
    #[arg(long, value_name = "S")]
    system: Option<String>,
    #[command(flatten)]
    answer: AnswerArgs,
    #[command(flatten)]
    sampling: SamplingArgs,
}

/// Runs the command.
///
/// # Errors
/// If the model cannot be loaded at the start, or the terminal fails. Whatever fails later is
/// told, and the chat goes on.
pub fn run(args: &Args) -> Result<Ended> {
    let mut input = Input::open()?;
    let mut chat = Chat::start(args, input.is_terminal())?;
    loop {
        let flow = match input.line() {
            Ok(Line::Text(line)) => chat.take(&line),
            Ok(Line::Interrupted) => {
                eprintln!("Ctrl-D or /exit leaves the chat.");
                Ok(Flow::Goes)
            }
            Ok(Line::Ended) => break,
            Err(error) => Err(error),
        };
        match flow {
            Ok(Flow::Goes) => {}
            Ok(Flow::Ends) => break,
            Err(error) if super::is_broken_pipe(&error) => return Err(error),
            Err(error) => chat.tell_failure(&error),
        }
    }
    // A script should learn that something failed; a person has seen it.
    Ok(match chat.has_failed && !input.is_terminal() {
        true => Ended::WithFailures,
        false => Ended::Well,
    })
}

/// Whether the chat goes on.
enum Flow {
    Goes,
    Ends,
}

/// A chat under way.
struct Chat {
    client: Client,
    model: ModelChoice,
    settings: Settings,
    conversation: Conversation,
    stats: Stats,
    /// What was told once and need not be told again.
    told: HashSet<String>,
    /// Whether someone changed what the model has read: then it must read again.
    is_changed: bool,
    has_failed: bool,
}

impl Chat {
    fn start(args: &Args, greets: bool) -> Result<Self> {
        let settings = Settings::new(&args.answer, &args.sampling);
        settings.validate()?;
        let mut chat = Self {
            client: Client::start()?,
            model: args.model.choice(),
            settings,
            conversation: Conversation::new(args.system.clone()),
            stats: Stats::default(),
            told: HashSet::new(),
            is_changed: false,
            has_failed: false,
        };
        let label = chat.load(chat.model.clone(), &CancelToken::default())?;
        if greets {
            eprintln!("Talking to {label}. /help lists the commands, /exit leaves.");
        }
        Ok(chat)
    }

    /// Does what a line asks for.
    fn take(&mut self, line: &str) -> Result<Flow> {
        match command::parse(line)? {
            Typed::Nothing => {}
            Typed::Question(question) => self.ask(question)?,
            Typed::Command(Command::Exit) => return Ok(Flow::Ends),
            Typed::Command(command) => self.obey(command)?,
        }
        Ok(Flow::Goes)
    }

    fn obey(&mut self, command: Command) -> Result<()> {
        match command {
            Command::Exit => {}
            Command::Help => answer::print(&command::help())?,
            Command::System(None) => {
                let system = self.conversation.system.as_deref().unwrap_or("none");
                answer::print(&format!("system prompt: {system}\n"))?;
            }
            Command::System(Some(text)) => {
                self.conversation.system = Some(text).filter(|text| text != "off");
                self.is_changed = true;
            }
            Command::Model(None) => answer::print(&format!("model: {}\n", self.model.name))?,
            Command::Model(Some(name)) => self.change_model(name)?,
            Command::Set(None) => answer::print(&self.settings.list())?,
            Command::Set(Some((name, value))) => {
                let now = self.settings.set(&name, value.as_deref())?;
                eprintln!("{now}");
            }
            Command::Stats => answer::print(&self.stats.table(&self.model.name).to_string())?,
            Command::Save(path) => {
                save::write(&path, &self.conversation, &self.model.name)?;
                eprintln!("Saved to {}.", path.display());
            }
            Command::Reset => {
                self.follow_to_end(Action::Clear, &CancelToken::default())?;
                self.conversation.exchanges.clear();
                self.stats.forget_cache();
                eprintln!("The conversation begins anew.");
            }
        }
        Ok(())
    }

    /// Puts a question to the model and shows the answer.
    fn ask(&mut self, question: String) -> Result<()> {
        let request = self.request(&question);
        let cancel = CancelToken::default();
        let guard = interrupt::cancels(&cancel);
        let events = self
            .client
            .ask(SESSION, Action::Generate(Box::new(request)), &cancel)?;
        let told = &mut self.told;
        let followed = follow(events, true, &mut |text| tell_once(told, text));
        drop(guard);
        let followed = followed.inspect_err(|_| self.is_changed = true)?;
        answer::print("\n")?;
        eprintln!("{}", summary(&followed.answer));
        self.keep(question, followed);
        Ok(())
    }

    /// Takes an answer into the conversation, as far as it got.
    fn keep(&mut self, question: String, followed: Followed) {
        if followed.reuse.why_not_more == WhyNotMore::TokensDiffer && !self.is_changed {
            let why = "the model's chat template writes earlier answers in another way than they \
                       were generated, so a part of the conversation is read again at each \
                       question (/stats tells how much)";
            tell_once(&mut self.told, why.to_owned());
        }
        self.is_changed = false;
        self.stats.add(&followed);
        if followed.answer.text.is_empty() {
            // A model that sees its own silence tends to stay silent.
            eprintln!("There was no answer, so the question is taken back.");
            self.is_changed = true;
            return;
        }
        self.conversation.exchanges.push(Exchange {
            question,
            answer: followed.answer,
        });
    }

    fn request(&self, question: &str) -> GenerateRequest {
        let settings = &self.settings;
        GenerateRequest {
            model: self.model.clone(),
            prompt: Prompt::Chat {
                messages: self.conversation.messages(Some(question)),
                prefill_response: None,
                args: TemplateArgs {
                    more: settings.template_args.iter().cloned().collect(),
                    ..TemplateArgs::for_answer()
                },
            },
            sampling: settings.sampling.clone(),
            known: Vec::new(),
            max_tokens: Some(settings.max_tokens()),
            stop: settings.stop.clone(),
            extra_eos: settings.extra_eos.clone(),
            seed: settings.seed,
            cache: settings.cache,
            prompt_cache: settings.prompt_cache.clone(),
            top_logprobs: 0,
            begun: Vec::new(),
        }
    }

    /// Talks to another model from here on, unless it cannot be loaded.
    fn change_model(&mut self, name: String) -> Result<()> {
        let kernels = self.model.kernels;
        let choice = ModelChoice { name, kernels };
        let cancel = CancelToken::default();
        let _guard = interrupt::cancels(&cancel);
        let label = self.load(choice.clone(), &cancel)?;
        if cancel.is_cancelled() {
            eprintln!("Still talking to {}.", self.model.name);
            return Ok(());
        }
        self.is_changed |= self.model != choice;
        self.model = choice;
        eprintln!("Talking to {label}.");
        Ok(())
    }

    /// Loads a model and returns what it is called.
    fn load(&mut self, choice: ModelChoice, cancel: &CancelToken) -> Result<String> {
        let name = choice.name.clone();
        let label = self.follow_to_end(Action::Load(choice), cancel)?;
        Ok(label.unwrap_or(name))
    }

    /// Follows an action that has no answer; returns the label of a model that it loaded.
    fn follow_to_end(&mut self, action: Action, cancel: &CancelToken) -> Result<Option<String>> {
        let mut label = None;
        for event in self.client.ask(SESSION, action, cancel)? {
            match event {
                Event::Loaded { model, .. } => label = Some(model),
                Event::Notice(text) => tell_once(&mut self.told, text),
                Event::Failed(why) => bail!(why),
                _ => {}
            }
        }
        Ok(label)
    }

    fn tell_failure(&mut self, error: &anyhow::Error) {
        self.has_failed = true;
        eprintln!("error: {error:#}");
    }
}

fn tell_once(told: &mut HashSet<String>, text: String) {
    if told.insert(text.clone()) {
        answer::note(text);
    }
}
