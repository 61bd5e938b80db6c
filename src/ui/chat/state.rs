//! What the chat's page draws from: the conversations, the one that is open, the answer being
//! written. The app changes it; the page reads it.

use std::collections::HashMap;
use std::time::Instant;

use super::attachments::{Attached, Attachment};
use super::trial::TrialState;
use super::visit::Visit;
use crate::chat::{Conversation, Hit, Message, MessageId, OpenChat, Setup, Summary};
use crate::engine::message::{Reuse, SamplingChoice};

/// The chat, as far as the window knows it.
#[derive(Debug, Default)]
pub struct ChatState {
    /// Every conversation: pinned ones first, then the latest.
    pub list: Vec<Summary>,
    /// What was looked for, and where it was found.
    pub found: Option<Found>,
    /// The conversation on view; `None` before the first message of a new one.
    pub open: Option<OpenChat>,
    /// With what a new conversation begins.
    pub fresh_setup: Setup,
    /// The answer being written.
    pub writing: Option<Writing>,
    /// What the cache held of the prompts of this session's answers, and why it was not more.
    pub reuses: HashMap<MessageId, Reuse>,
    /// The tokens of long messages that no answer has counted yet.
    pub counts: HashMap<MessageId, usize>,
    /// What can be brought back.
    pub undo: Option<Undo>,
    /// A question that no longer fits, and waits for room: the message after which an answer was wanted.
    pub is_full: Option<MessageId>,
    /// Why the last answer failed, and after which message it was wanted.
    pub failed: Option<(MessageId, String)>,
    /// How the model's makers would have tokens chosen, every setting given.
    pub model_sampling: SamplingChoice,
    /// The model to try after the one inside the program.
    pub next_model: Option<NextModel>,
    /// Scroll to this message.
    pub goal: Option<MessageId>,
    /// The name of the model that answers next.
    pub model: String,
    /// What the explorer was opened on from here.
    pub visit: Option<Visit>,
    /// Texts that go with the next question.
    pub attachments: Vec<Attachment>,
    /// Whether the table is shown in the place of the talk.
    pub shows_trial: bool,
    /// The table of answers side by side, once it was begun.
    pub trial: Option<TrialState>,
    nothing: Conversation,
}

/// Conversations that hold what was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What was looked for.
    pub text: String,
    /// Where it is.
    pub hits: Vec<Hit>,
}

/// An answer being written.
#[derive(Debug)]
pub struct Writing {
    /// What it answers; `None` where the model begins.
    pub parent: Option<MessageId>,
    /// The message, once the prompt is known.
    pub id: Option<MessageId>,
    /// Since when.
    pub since: Instant,
    /// Prompt tokens run, and to run.
    pub prefill: Option<(usize, usize)>,
    /// Whether it was asked to stop.
    pub is_stopping: bool,
}

/// Something that was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// A conversation, by its id and its title.
    Conversation(String, String),
    /// A message of the conversation on view.
    Message(MessageId),
}

/// A model that one could get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextModel {
    /// Its short name.
    pub name: String,
    /// Its id on the hub.
    pub id: String,
    /// What it is good for.
    pub what: String,
    /// About how much is downloaded.
    pub about_bytes: u64,
}

impl ChatState {
    /// The conversation on view; an empty one before its first message.
    #[must_use]
    pub fn conversation(&self) -> &Conversation {
        match &self.open {
            Some(open) => open.conversation(),
            None => &self.nothing,
        }
    }

    /// What the conversation on view is opened by.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.open.as_ref().map(OpenChat::id)
    }

    /// With what the next answer is made.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        match &self.open {
            Some(open) => &open.conversation().setup,
            None => &self.fresh_setup,
        }
    }

    /// The messages on view: the branch that is shown, as far as it goes while an answer is about to come.
    #[must_use]
    pub fn branch(&self) -> Vec<&Message> {
        let mut branch = self.conversation().branch();
        if let Some(writing) = &self.writing
            && writing.id.is_none()
        {
            let place = |message: &&Message| Some(message.id) == writing.parent;
            let n_before = branch.iter().position(place).map_or(0, |place| place + 1);
            branch.truncate(n_before);
        }
        branch
    }

    /// Whether a text that is to go with the next question is still being read.
    #[must_use]
    pub fn is_reading(&self) -> bool {
        let mut attachments = self.attachments.iter();
        attachments.any(|one| one.state == Attached::Reading)
    }

    /// The tokens of the texts that go with the next question, and whether all of them are counted; those that are
    /// not are guessed.
    #[must_use]
    pub fn attached_tokens(&self) -> (usize, bool) {
        let mut sum = (0, true);
        for attachment in &self.attachments {
            if let Attached::Ready { text, n_tokens } = &attachment.state {
                sum.0 += n_tokens.unwrap_or_else(|| guess_tokens(text));
                sum.1 &= n_tokens.is_some();
            }
        }
        sum
    }

    /// Whether there is a text to go with the next question.
    #[must_use]
    pub fn has_attached(&self) -> bool {
        let mut attachments = self.attachments.iter();
        attachments.any(|one| matches!(one.state, Attached::Ready { .. }))
    }

    /// Whether this message is being written.
    #[must_use]
    pub fn is_writing(&self, id: MessageId) -> bool {
        let writing = self.writing.as_ref();
        writing.is_some_and(|writing| writing.id == Some(id))
    }
}

/// About how many tokens a text has.
#[must_use]
pub fn guess_tokens(text: &str) -> usize {
    text.len().div_ceil(4)
}
