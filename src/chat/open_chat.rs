//! A conversation that is open: what is done to it is saved as it is done.

use std::path::Path;

use anyhow::Result;

use super::conversation::Conversation;
use super::journal::Journal;
use super::line::{Line, MessageId, Role, Setup};
use crate::trace::answer::{Answer, GeneratedToken};

/// A conversation that is open: what is done to it is saved as it is done.
#[derive(Debug)]
pub struct OpenChat {
    id: String,
    conversation: Conversation,
    journal: Journal,
}

impl OpenChat {
    /// Opens the conversation `id` in the file at `path`, which is made where there is none.
    ///
    /// # Errors
    /// If the file cannot be read or made, or is open elsewhere.
    pub(super) fn at(id: &str, path: &Path) -> Result<Self> {
        let (journal, lines) = Journal::open(path)?;
        Ok(Self {
            id: id.to_owned(),
            conversation: Conversation::of(&lines),
            journal,
        })
    }

    /// What it is opened by.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What was said.
    pub fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// Saves a line and takes it in.
    ///
    /// # Errors
    /// If the disk refuses; then nothing has changed.
    pub fn append(&mut self, line: Line) -> Result<()> {
        self.journal.append(&line)?;
        self.conversation.apply(&line);
        Ok(())
    }

    /// Someone says something, after `parent`; it is shown from now on. An edited message is a new one after the
    /// same parent: the old branch stays.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn say(&mut self, parent: Option<MessageId>, role: Role, text: &str) -> Result<MessageId> {
        let id = self.conversation.next_id();
        let (text, time) = (text.to_owned(), now());
        self.append(Line::Said {
            id,
            parent,
            role,
            text,
            time,
        })?;
        Ok(id)
    }

    /// An answer begins, after `parent`; another answer after the same parent is its sibling.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn begin_answer(
        &mut self,
        parent: Option<MessageId>,
        setup: Setup,
        prompt_tokens: Vec<u32>,
    ) -> Result<MessageId> {
        let (id, time, setup) = (self.conversation.next_id(), now(), Box::new(setup));
        self.append(Line::Answering {
            id,
            parent,
            time,
            setup,
            prompt_tokens,
        })?;
        Ok(id)
    }

    /// Tokens of an answer, as they come; several at a time are one line.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn add_tokens(&mut self, id: MessageId, tokens: Vec<GeneratedToken>) -> Result<()> {
        match tokens.is_empty() {
            true => Ok(()),
            false => self.append(Line::Tokens { id, tokens }),
        }
    }

    /// The answer has ended. Tokens that were not saved yet are saved now.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn end_answer(&mut self, id: MessageId, answer: &Answer) -> Result<()> {
        let message = self.conversation.message(id);
        let reply = message.and_then(|message| message.reply.as_ref());
        let n_saved = reply.map_or(0, |reply| reply.tokens.len());
        let rest = answer.tokens.get(n_saved..).unwrap_or_default().to_vec();
        self.add_tokens(id, rest)?;
        let answer = Box::new(Answer {
            tokens: Vec::new(),
            prompt_tokens: Vec::new(),
            ..answer.clone()
        });
        self.append(Line::Answered { id, answer })
    }

    /// Shows the message `id` among its siblings.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn show(&mut self, id: MessageId) -> Result<()> {
        let parent = self
            .conversation
            .message(id)
            .and_then(|message| message.parent);
        self.append(Line::Shown { parent, id })
    }

    /// Removes a message with what follows it; [`Self::restore`] brings it back.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn remove(&mut self, id: MessageId) -> Result<()> {
        self.append(Line::Removed { id })
    }

    /// Brings a removed message back.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn restore(&mut self, id: MessageId) -> Result<()> {
        self.append(Line::Restored { id })
    }

    /// Gives it a title; an empty one is forgotten.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn rename(&mut self, title: &str) -> Result<()> {
        let text = title.trim().to_owned();
        self.append(Line::Title { text })
    }

    /// Pins it to the top of the list, or not.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn pin(&mut self, is_pinned: bool) -> Result<()> {
        self.append(Line::Pin { is_pinned })
    }

    /// With what the next answers are made.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn set_setup(&mut self, setup: Setup) -> Result<()> {
        let setup = Box::new(setup);
        self.append(Line::Setup { setup })
    }
}

pub(super) fn now() -> String {
    jiff::Timestamp::now().to_string()
}
