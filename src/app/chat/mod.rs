//! The chat's side of the app: conversations are opened, changed and saved, questions go to the
//! engine, answers come back token by token.

mod answer;
mod clerk;
mod files;
mod intake;
mod model;
mod room;
mod scratch;
mod trial;
mod visit;

use std::sync::Arc;

use anyhow::Result;

use super::App;
use crate::chat::{ChatStore, MessageId, OpenChat, Setup, Summary};
use crate::hub::names;
use crate::ui::chat::{ChatCommand, ChatState, Found, NextModel, Undo};

use answer::Running;
use clerk::{Clerk, Done, Job};
use scratch::Scratch;

/// The conversations, and the answer under way.
pub struct ChatDesk {
    /// What the page draws from.
    pub(super) state: ChatState,
    store: ChatStore,
    clerk: Clerk,
    running: Option<Running>,
    /// The commit of the model's files, where they have one.
    revision: Option<String>,
    /// Texts that are being read.
    intake: intake::Intake,
    /// Asks for a frame.
    wake: Arc<dyn Fn() + Send + Sync>,
    /// The table that is being filled.
    filling: Option<trial::Filling>,
    /// Whether the answer under way is stopped to be looked into.
    is_pausing: bool,
    /// What waits until the answer under way has stopped.
    waiting: Vec<ChatCommand>,
    /// Where conversations are kept that are not to be kept.
    _scratch: Option<Scratch>,
}

impl ChatDesk {
    /// The conversations in `store`; without one they last as long as the window. `wake` asks for a
    /// frame.
    ///
    /// # Errors
    /// If the system gives no thread, or no place for files.
    pub fn new(store: Option<ChatStore>, wake: impl Fn() + Send + Sync + 'static) -> Result<Self> {
        let wake: Arc<dyn Fn() + Send + Sync> = Arc::new(wake);
        let wake_again = Arc::clone(&wake);
        let (store, scratch) = match store {
            Some(store) => (store, None),
            None => {
                let scratch = Scratch::new();
                (ChatStore::new(scratch.folder().to_owned()), Some(scratch))
            }
        };
        let mut clerk = Clerk::start(store.clone(), move || wake_again())?;
        clerk.give(Job::List);
        let next_model = names::SHORT_NAMES.first().map(|short| NextModel {
            name: short.name.to_owned(),
            id: short.id.to_owned(),
            what: short.what.to_owned(),
            about_bytes: short.about_bytes(),
        });
        let mut state = ChatState::default();
        state.next_model = next_model;
        Ok(Self {
            state,
            store,
            clerk,
            running: None,
            revision: None,
            intake: intake::Intake::default(),
            wake,
            filling: None,
            is_pausing: false,
            waiting: Vec::new(),
            _scratch: scratch,
        })
    }

    /// Whether everything that was asked for is there.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let is_writing = self.running.is_some() || self.filling.is_some();
        self.clerk.is_idle() && !is_writing && self.waiting.is_empty() && self.intake.is_idle()
    }

    /// The row of the open conversation in the list, as it is now.
    fn note_open(&mut self) {
        let Some(open) = &self.state.open else {
            return;
        };
        let conversation = open.conversation();
        let summary = Summary {
            id: open.id().to_owned(),
            title: conversation.title(),
            is_pinned: conversation.is_pinned,
            changed: conversation.changed.clone(),
            n_messages: conversation.branch().len(),
        };
        self.state.list.retain(|row| row.id != summary.id);
        self.state.list.push(summary);
        self.state.list.sort_by(|a, b| {
            let order = (b.is_pinned, &b.changed, &b.id);
            order.cmp(&(a.is_pinned, &a.changed, &a.id))
        });
    }

    /// Lets go of the conversation on view.
    fn close(&mut self) {
        if let Some(open) = self.state.open.take() {
            self.clerk.give(Job::Close(Box::new(open)));
        }
        // A new conversation begins as the model's makers have it, whatever was chosen for this one.
        self.state.fresh_setup = Setup::default();
        // What was to go with its next question belongs to this conversation.
        self.state.attachments.clear();
        self.state.counts.clear();
        self.state.reuses.clear();
        self.state.is_full = None;
        self.state.failed = None;
        self.state.goal = None;
        if matches!(self.state.undo, Some(Undo::Message(_))) {
            self.state.undo = None;
        }
    }
}

impl App {
    /// The conversations, and the answer being written.
    #[must_use]
    pub fn chat(&self) -> &ChatState {
        &self.chat.state
    }

    /// Takes in what the engine and the clerk have done for the chat.
    pub(super) fn take_chat_news(&mut self) {
        self.take_answer();
        self.take_trial();
        self.take_intake();
        for done in self.chat.clerk.done() {
            match done {
                Done::Listed(list) => self.chat.state.list = list,
                Done::Found(text, hits) => self.chat.state.found = Some(Found { text, hits }),
                Done::Opened(open, goal) => self.chat_opened(*open, goal),
                Done::Told(text) => self.messages.tell(text),
                Done::Nothing => {}
                Done::Failed(what, why) => self.messages.failed(what, &why),
            }
        }
    }

    fn chat_opened(&mut self, open: OpenChat, goal: Option<MessageId>) {
        self.chat.close();
        self.chat.state.open = Some(open);
        self.chat.state.goal = goal;
        self.pages.chat.composer.wants_focus = true;
        self.chat.note_open();
        self.count_last();
    }

    /// Escape: stops the answer being written, else leaves what is being edited or looked for.
    pub(super) fn leave_chat(&mut self) {
        if self.chat.running.is_some() {
            self.stop_answer();
            // The key took the keyboard from the field.
            self.pages.chat.composer.wants_focus = true;
        } else if self.pages.chat.leave() {
            self.chat.state.found = None;
        }
    }

    /// Carries out a wish of the chat's page.
    pub(super) fn apply_chat(&mut self, command: ChatCommand) {
        if self.chat.running.is_some() && room::changes_what_is_open(&command) {
            // What is there of the answer stays with the conversation it belongs to.
            self.stop_answer();
            self.chat.waiting.push(command);
            return;
        }
        if room::changes_what_is_open(&command) {
            self.chat.state.shows_trial = false;
        }
        match command {
            ChatCommand::Send(text) => {
                let text = self.with_attachments(&text);
                self.ask(&text);
            }
            ChatCommand::Stop => self.stop_answer(),
            ChatCommand::Continue(id) => self.go_on(id),
            ChatCommand::Again(id) => self.answer_again(id),
            ChatCommand::Edit(id, text) => self.edit_message(id, &text),
            ChatCommand::Retry => self.retry(),
            ChatCommand::Inspect(id, number) => self.inspect(id, number),
            ChatCommand::Differ(id, number, other) => self.differ(id, number, &other),
            ChatCommand::Pause => self.pause_answer(),
            ChatCommand::GoOn => self.go_on_from_visit(),
            ChatCommand::Return => self.return_to_chat(),
            ChatCommand::AttachFile(path) => self.attach_file(path),
            ChatCommand::AttachText(name, text) => self.attach_text(name, text),
            ChatCommand::Detach(id) => self.chat.state.attachments.retain(|one| one.id != id),
            ChatCommand::Trial(on) => self.chat.state.shows_trial = on,
            ChatCommand::TrialRun(table, max_tokens) => self.begin_trial(*table, max_tokens),
            ChatCommand::TrialStop => self.stop_trial(),
            ChatCommand::Arrived => self.chat.state.goal = None,
            ChatCommand::DismissUndo => self.chat.state.undo = None,
            other => self.change_room(other),
        }
    }

    /// Changes the open conversation; a failure is told. Returns `None` where there is none, or where it failed.
    fn in_open<T>(
        &mut self,
        what: &str,
        change: impl FnOnce(&mut OpenChat) -> Result<T>,
    ) -> Option<T> {
        let open = self.chat.state.open.as_mut()?;
        match change(open) {
            Ok(changed) => Some(changed),
            Err(error) => {
                self.messages.failed(what, &format!("{error:#}"));
                None
            }
        }
    }
}
