//! Answers: what the engine is asked, and how what it writes becomes a message.

use std::time::Instant;

use super::App;
use crate::chat::{MessageId, Reply, Role, Setup};
use crate::engine::message::{
    Action, CacheOptions, CancelToken, Envelope, Event, GenerateRequest, Prompt, RequestId, Reuse,
};
use crate::engine::question::{Message as Said, TemplateArgs};
use crate::trace::answer::{Answer, GeneratedToken, StopReason};
use crate::ui::chat::Writing;
use crate::ui::link::CHAT;
use crate::ui::words::flags::without_flags;

/// An answer to have written.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// What it follows.
    pub parent: Option<MessageId>,
    /// The message to go on with; a new one if `None`.
    pub extends: Option<MessageId>,
    /// What it begins with.
    pub head: Option<Head>,
}

/// The beginning of an answer that stands: it is read again, and what follows is written.
#[derive(Debug, Clone, Default)]
pub struct Head {
    /// The prompt it was written to.
    pub prompt_tokens: Vec<u32>,
    /// Its tokens.
    pub tokens: Vec<GeneratedToken>,
    /// The seed it was written with: what follows draws with the numbers that would have followed.
    pub seed: Option<u64>,
}

impl Head {
    /// The beginning `tokens` of an answer to the same prompt as `reply`.
    pub fn of(reply: &Reply, tokens: Vec<GeneratedToken>) -> Self {
        Self {
            prompt_tokens: reply.prompt_tokens.clone(),
            tokens,
            seed: reply.known().map(|answer| answer.seed),
        }
    }
}

/// The answer under way.
#[derive(Debug)]
pub struct Running {
    request: RequestId,
    cancel: CancelToken,
    plan: Plan,
    setup: Setup,
    /// Tokens that are told again, and are saved already.
    n_known: usize,
}

impl App {
    /// Puts a question after the last message on view.
    pub(in crate::app) fn ask(&mut self, text: &str) {
        if text.trim().is_empty() || !self.has_conversation() {
            return;
        }
        let parent = self.chat.state.conversation().branch();
        let parent = parent.last().map(|message| message.id);
        let said = self.in_open("save the question", |open| {
            open.say(parent, Role::User, text)
        });
        match said {
            Some(id) => {
                self.count_message(id);
                self.write(Plan {
                    parent: Some(id),
                    ..Plan::default()
                });
            }
            None => self.pages.chat.composer.text = text.to_owned(),
        }
    }

    /// Makes the conversation, if it is a new one. Returns whether there is one.
    fn has_conversation(&mut self) -> bool {
        if self.chat.state.open.is_none() {
            let setup = self.chat.state.fresh_setup.clone();
            match self.chat.store.create(setup) {
                Ok(open) => self.chat.state.open = Some(open),
                Err(error) => self
                    .messages
                    .failed("begin a conversation", &format!("{error:#}")),
            }
        }
        self.chat.state.open.is_some()
    }

    /// Answers the question of an answer once more.
    pub(super) fn answer_again(&mut self, id: MessageId) {
        let message = self.chat.state.conversation().message(id);
        if let Some(parent) = message.and_then(|message| message.parent) {
            self.write(Plan {
                parent: Some(parent),
                ..Plan::default()
            });
        }
    }

    /// Has the last question on view answered.
    pub(super) fn retry(&mut self) {
        let branch = self.chat.state.conversation().branch();
        if let Some(last) = branch.last().filter(|last| last.role == Role::User) {
            let parent = Some(last.id);
            self.write(Plan {
                parent,
                ..Plan::default()
            });
        }
    }

    /// Says a message otherwise, beside the one that was; a question is answered anew.
    pub(super) fn edit_message(&mut self, id: MessageId, text: &str) {
        let Some(message) = self.chat.state.conversation().message(id) else {
            return;
        };
        let (parent, role) = (message.parent, message.role);
        if message.text == text && role == Role::Assistant {
            return;
        }
        let said = self.in_open("save the message", |open| open.say(parent, role, text));
        if let (Some(id), Role::User) = (said, role) {
            self.count_message(id);
            self.write(Plan {
                parent: Some(id),
                ..Plan::default()
            });
        }
        self.chat.note_open();
    }

    /// Goes on with an answer that ended early.
    pub(super) fn go_on(&mut self, id: MessageId) {
        let message = self.chat.state.conversation().message(id);
        let Some((message, reply)) =
            message.and_then(|message| Some((message, message.reply.as_ref()?)))
        else {
            return;
        };
        let plan = Plan {
            parent: message.parent,
            extends: Some(id),
            head: Some(Head::of(reply, reply.tokens.clone())),
        };
        self.write(plan);
    }

    /// Has an answer written.
    pub(super) fn write(&mut self, plan: Plan) {
        self.chat.state.failed = None;
        self.chat.state.is_full = None;
        let mut setup = self.chat.state.setup().clone();
        setup.model.clone_from(&self.model.name);
        setup.revision.clone_from(&self.chat.revision);
        let request = self.request_of(&plan, &setup);
        let sent = self
            .link
            .request(CHAT, "answer", Action::Generate(Box::new(request)));
        let Some((request, cancel)) = sent else {
            return;
        };
        self.chat.state.writing = Some(Writing {
            parent: plan.parent,
            id: plan.extends,
            since: Instant::now(),
            prefill: None,
            is_stopping: false,
        });
        let extended = plan.extends.and_then(|id| {
            let message = self.chat.state.conversation().message(id)?;
            Some(message.reply.as_ref()?.tokens.len())
        });
        self.chat.running = Some(Running {
            request,
            cancel,
            n_known: extended.unwrap_or(0),
            plan,
            setup,
        });
        self.chat.note_open();
    }

    fn request_of(&self, plan: &Plan, setup: &Setup) -> GenerateRequest {
        let prompt = match &plan.head {
            Some(head) => Prompt::Turn(head.prompt_tokens.clone()),
            None => Prompt::Chat {
                messages: self.messages_to(plan.parent, setup),
                prefill_response: None,
                args: TemplateArgs {
                    more: setup.template_args.clone(),
                    ..TemplateArgs::for_answer()
                },
            },
        };
        GenerateRequest {
            model: self.model.clone(),
            prompt,
            sampling: setup.sampling.clone(),
            begun: plan.head.clone().unwrap_or_default().tokens,
            known: self.known_to(plan.parent),
            max_tokens: setup.max_tokens,
            stop: setup.stop.clone(),
            extra_eos: Vec::new(),
            seed: (plan.head.as_ref())
                .and_then(|head| head.seed)
                .or(setup.seed),
            cache: CacheOptions {
                max_size: setup.cache.max_size,
                bits: setup.cache.bits,
            },
            prompt_cache: None,
            top_logprobs: TOP,
        }
    }

    /// What the model is given: the system prompt, and the messages up to `last` that were not dropped.
    fn messages_to(&self, last: Option<MessageId>, setup: &Setup) -> Vec<Said> {
        let path = last.map(|last| self.chat.state.conversation().path(last));
        let path = path.unwrap_or_default();
        let first = path
            .iter()
            .position(|message| Some(message.id) == setup.first);
        let system = setup.system.trim();
        let system = (!system.is_empty()).then(|| Said::new("system", system));
        let said = path.iter().skip(first.unwrap_or_default());
        let said = said.map(|message| Said::new(message.role.name(), message.text.as_str()));
        system.into_iter().chain(said).collect()
    }

    /// The ids that were read and written up to the newest answer before `last`.
    fn known_to(&self, last: Option<MessageId>) -> Vec<u32> {
        let path = last.map(|last| self.chat.state.conversation().path(last));
        let path = path.unwrap_or_default();
        let newest = path.iter().rev().find_map(|message| message.reply.as_ref());
        newest.map_or_else(Vec::new, |reply| {
            let written = reply.tokens.iter().map(|token| token.id);
            reply.prompt_tokens.iter().copied().chain(written).collect()
        })
    }

    /// Stops the answer under way, and looks at its next token once it has stopped.
    pub(super) fn pause_answer(&mut self) {
        self.chat.is_pausing = self.chat.running.is_some();
        self.stop_answer();
    }

    /// Stops the answer under way; it ends within a fraction of a second.
    pub(super) fn stop_answer(&mut self) {
        if let Some(running) = &self.chat.running {
            running.cancel.cancel();
        }
        if let Some(writing) = &mut self.chat.state.writing {
            writing.is_stopping = true;
        }
    }

    /// Takes in what the engine has written.
    pub(super) fn take_answer(&mut self) {
        let mut tokens = Vec::new();
        for Envelope { id, event } in self.link.events(CHAT) {
            if self.chat.running.as_ref().map(|running| running.request) != Some(id) {
                continue;
            }
            match event {
                Event::Token { token, .. } => match &mut self.chat.running {
                    Some(running) if running.n_known > 0 => running.n_known -= 1,
                    _ => tokens.push(token),
                },
                Event::Started {
                    prompt_tokens,
                    reuse,
                } => self.answer_begins(prompt_tokens, reuse),
                Event::Prefill { done, total } => {
                    if let Some(writing) = &mut self.chat.state.writing {
                        writing.prefill = Some((done, total));
                    }
                }
                Event::Answered(answer) => {
                    self.keep_tokens(std::mem::take(&mut tokens));
                    self.answer_ends(&answer);
                }
                Event::Failed(why) => self.answer_fails(why),
                Event::Cancelled => self.answer_is_over(),
                _ => {}
            }
        }
        self.keep_tokens(tokens);
    }

    fn answer_begins(&mut self, prompt_tokens: Vec<u32>, reuse: Reuse) {
        let Some(running) = &self.chat.running else {
            return;
        };
        let (plan, setup) = (running.plan.clone(), running.setup.clone());
        let n_context = self.facts.n_context.unwrap_or(u64::MAX) as usize;
        let is_limited = setup.cache.max_size.is_some() || setup.max_tokens.is_some();
        let has_room = prompt_tokens.len() < n_context || is_limited;
        let id = match plan.extends {
            Some(id) => Some(id),
            // Nothing will be written: the file is spared the ids of a text that was not read.
            None if !has_room => None,
            None => self.in_open("save the answer", |open| {
                open.begin_answer(plan.parent, setup, prompt_tokens)
            }),
        };
        if let Some(writing) = &mut self.chat.state.writing {
            writing.id = id;
        }
        // Of an answer that is gone on with, what was reused at its beginning is what is told.
        if let Some(id) = id.filter(|_| plan.extends.is_none()) {
            self.chat.state.reuses.insert(id, reuse);
        }
    }

    /// Saves tokens as they come: what is on view is on the disk.
    fn keep_tokens(&mut self, tokens: Vec<GeneratedToken>) {
        let writing = self.chat.state.writing.as_ref();
        if let Some(id) = writing.and_then(|writing| writing.id) {
            self.in_open("save the answer", |open| open.add_tokens(id, tokens));
        }
    }

    fn answer_ends(&mut self, answer: &Answer) {
        let writing = self.chat.state.writing.as_ref();
        let id = writing.and_then(|writing| writing.id);
        if let Some(id) = id {
            self.in_open("save the answer", |open| open.end_answer(id, answer));
        }
        let n_context = self.facts.n_context.unwrap_or(u64::MAX) as usize;
        let rotates = self.chat.state.setup().cache.max_size.is_some();
        let n_read = answer.prompt_tokens.len() + answer.tokens.len();
        let has_no_room = !rotates && n_read >= n_context;
        if answer.stop_reason == StopReason::Length && has_no_room {
            let parent = self
                .chat
                .running
                .as_ref()
                .and_then(|running| running.plan.parent);
            self.chat.state.is_full = parent;
            if let Some(id) = id.filter(|_| answer.tokens.is_empty()) {
                // There was no answer: nothing stands in its place.
                self.in_open("remove the empty answer", |open| open.remove(id));
            }
        }
        self.answer_is_over();
    }

    fn answer_fails(&mut self, why: String) {
        let why = without_flags(&why);
        let writing = self.chat.state.writing.as_ref();
        let parent = writing.and_then(|writing| writing.parent);
        if let Some(parent) = parent {
            self.chat.state.failed = Some((parent, why));
        } else {
            self.messages.failed("answer", &why);
        }
        self.answer_is_over();
    }

    fn answer_is_over(&mut self) {
        let writing = self.chat.state.writing.take();
        let is_pausing = std::mem::take(&mut self.chat.is_pausing);
        let paused = writing.filter(|_| is_pausing && self.chat.waiting.is_empty());
        let paused = paused.and_then(|writing| writing.id);
        self.chat.running = None;
        self.chat.note_open();
        for command in std::mem::take(&mut self.chat.waiting) {
            self.apply_chat(command);
        }
        if let Some(id) = paused {
            self.inspect_next(id);
        }
    }
}

/// How many of the likeliest tokens are kept at each place: what one sees by pointing at a word.
const TOP: usize = 8;
