//! Conversations as wholes: opening, naming, removing; and what of one is shown.

use super::{App, Job};
use crate::chat::{MessageId, Role, Setup};
use crate::settings::SavedPrompt;
use crate::ui::chat::{ChatCommand, Undo};
use crate::ui::state::Mode;

/// Whether a wish takes the open conversation away, or changes what an answer is being written to.
pub(super) fn changes_what_is_open(command: &ChatCommand) -> bool {
    matches!(
        command,
        ChatCommand::New
            | ChatCommand::Open(_)
            | ChatCommand::OpenAt(..)
            | ChatCommand::Remove(_)
            | ChatCommand::Import(_)
            | ChatCommand::Send(_)
            | ChatCommand::Again(_)
            | ChatCommand::Continue(_)
            | ChatCommand::Edit(..)
            | ChatCommand::Show(_)
            | ChatCommand::RemoveMessage(_)
    )
}

impl App {
    pub(super) fn change_room(&mut self, command: ChatCommand) {
        let clerk = &mut self.chat.clerk;
        match command {
            ChatCommand::New => {
                self.chat.close();
                self.view.mode = Mode::Chat;
                self.pages.chat.composer.wants_focus = true;
            }
            ChatCommand::Open(id) => clerk.give(Job::Open(id, None)),
            ChatCommand::OpenAt(id, message) => self.open_at(id, message),
            ChatCommand::Rename(id, title) => self.rename_chat(id, title),
            ChatCommand::Pin(id, is_pinned) => self.pin_chat(id, is_pinned),
            ChatCommand::Duplicate(id) => clerk.give(Job::Duplicate(id)),
            ChatCommand::Remove(id) => self.remove_chat(id),
            ChatCommand::Undo => self.undo_chat(),
            ChatCommand::Search(text) => match text.trim().is_empty() {
                true => self.chat.state.found = None,
                false => clerk.give(Job::Search(text)),
            },
            ChatCommand::Export(id, form, path) => clerk.give(Job::Export(id, form, path)),
            ChatCommand::Import(path) => clerk.give(Job::Import(path)),
            other => self.change_talk(other),
        }
    }

    /// Changes of the open conversation's messages and setup.
    fn change_talk(&mut self, command: ChatCommand) {
        match command {
            ChatCommand::Show(id) => {
                self.in_open("show the message", |open| open.show(id));
            }
            ChatCommand::RemoveMessage(id) => self.remove_message(id),
            ChatCommand::Setup(setup) => self.set_up(*setup),
            ChatCommand::DropOldest => self.drop_oldest(),
            ChatCommand::DropNone => {
                let setup = self.chat.state.setup().clone();
                self.set_up(Setup {
                    first: None,
                    ..setup
                });
            }
            ChatCommand::Rotate => self.rotate(),
            ChatCommand::SavePrompt(name, text) => {
                let prompts = &mut self.settings.prompts;
                prompts.retain(|prompt| prompt.name != name);
                prompts.push(SavedPrompt { name, text });
                self.save();
            }
            ChatCommand::ForgetPrompt(name) => {
                self.settings.prompts.retain(|prompt| prompt.name != name);
                self.save();
            }
            _ => {}
        }
        self.chat.note_open();
    }

    fn remove_message(&mut self, id: MessageId) {
        let removed = self.in_open("remove the message", |open| open.remove(id));
        if removed.is_some() {
            self.chat.state.undo = Some(Undo::Message(id));
        }
    }

    fn open_at(&mut self, id: String, message: MessageId) {
        if self.chat.state.id() == Some(id.as_str()) {
            self.show_message(message);
        } else {
            self.chat.clerk.give(Job::Open(id, Some(message)));
        }
    }

    /// Shows the branch that a message is on, and scrolls to it.
    fn show_message(&mut self, id: MessageId) {
        self.in_open("show the message", |open| {
            let path = open.conversation().path(id);
            let path: Vec<MessageId> = path.iter().map(|message| message.id).collect();
            path.into_iter().try_for_each(|id| open.show(id))
        });
        self.chat.state.goal = Some(id);
    }

    fn rename_chat(&mut self, id: String, title: String) {
        if self.chat.state.id() == Some(id.as_str()) {
            self.in_open("rename the conversation", |open| open.rename(&title));
            self.chat.note_open();
        } else {
            self.chat.clerk.give(Job::Rename(id, title));
        }
    }

    fn pin_chat(&mut self, id: String, is_pinned: bool) {
        if self.chat.state.id() == Some(id.as_str()) {
            self.in_open("pin the conversation", |open| open.pin(is_pinned));
            self.chat.note_open();
        } else {
            self.chat.clerk.give(Job::Pin(id, is_pinned));
        }
    }

    fn remove_chat(&mut self, id: String) {
        if self.chat.state.id() == Some(id.as_str()) {
            self.chat.close();
        }
        let list = &mut self.chat.state.list;
        let title = list.iter().find(|row| row.id == id);
        let title = title.map_or(String::new(), |row| row.title.clone());
        list.retain(|row| row.id != id);
        self.chat.state.undo = Some(Undo::Conversation(id.clone(), title));
        self.chat.clerk.give(Job::Remove(id));
    }

    fn undo_chat(&mut self) {
        match self.chat.state.undo.take() {
            Some(Undo::Conversation(id, _)) => {
                self.chat.clerk.give(Job::Restore(id.clone()));
                self.chat.clerk.give(Job::Open(id, None));
            }
            Some(Undo::Message(id)) => {
                self.in_open("bring the message back", |open| open.restore(id));
                self.chat.note_open();
            }
            None => {}
        }
    }

    /// With what the next answers are made.
    pub(super) fn set_up(&mut self, setup: Setup) {
        match self.chat.state.open {
            Some(_) => {
                self.in_open("keep the settings", |open| open.set_setup(setup));
            }
            None => self.chat.state.fresh_setup = setup,
        }
    }

    /// Leaves out the oldest turns, so many that what was read last would take half of the context.
    fn drop_oldest(&mut self) {
        let n_context = self.facts.n_context.unwrap_or_default() as usize;
        let chat = &self.chat.state;
        let branch = chat.conversation().branch();
        let setup = chat.setup().clone();
        let start = branch
            .iter()
            .position(|message| Some(message.id) == setup.first);
        let n_letters: usize = branch
            .iter()
            .skip(start.unwrap_or_default())
            .map(|message| message.text.len())
            .sum();
        // Tokens of a letter, as they were in what was read last.
        let read = branch.iter().rev().find_map(|message| {
            let reply = message.reply.as_ref()?;
            Some(reply.prompt_tokens.len() + reply.tokens.len())
        });
        let of_letter = read.unwrap_or(n_letters / 3) as f64 / n_letters.max(1) as f64;
        let room = n_context as f64 / 2.0;
        let mut left = 0.0;
        let mut first = None;
        for message in branch.iter().rev() {
            left += message.text.len() as f64 * of_letter;
            let is_turn = message.role == Role::User;
            if left > room && first.is_some() {
                break;
            }
            if is_turn {
                first = Some(message.id);
            }
        }
        self.set_up(Setup { first, ..setup });
        self.chat.state.is_full = None;
        self.retry();
    }

    /// Lets the KV cache overwrite its older positions.
    fn rotate(&mut self) {
        let mut setup = self.chat.state.setup().clone();
        setup.cache.max_size = self.facts.n_context.map(|n_context| n_context as usize);
        self.set_up(setup);
        self.chat.state.is_full = None;
        self.retry();
    }
}
