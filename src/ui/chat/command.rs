//! What the chat's page may ask for.

use std::path::PathBuf;

use crate::chat::{MessageId, Setup, Trial};
use crate::trace::answer::TopToken;

/// One wish of the chat's page; carried out after the frame, as
/// [`Command::Chat`](crate::ui::command::Command::Chat).
#[derive(Debug, Clone, PartialEq)]
pub enum ChatCommand {
    /// Begin a conversation; it is kept from its first message on.
    New,
    /// Go on with another conversation.
    Open(String),
    /// Go on with another conversation, and show this message of it.
    OpenAt(String, MessageId),
    /// Give a conversation a title; an empty one is taken from its first question.
    Rename(String, String),
    /// Pin a conversation to the top of the list, or not.
    Pin(String, bool),
    /// Make a copy of a conversation.
    Duplicate(String),
    /// Remove a conversation; it can be brought back.
    Remove(String),
    /// Bring back what was removed last: a conversation or a message.
    Undo,
    /// What one wanted to see is in view.
    Arrived,
    /// Let go of the offer to bring it back.
    DismissUndo,
    /// List the conversations in which this is found; all of them if empty.
    Search(String),
    /// Write a conversation to a file.
    Export(String, ExportForm, PathBuf),
    /// Bring in a conversation that was exported as JSON.
    Import(PathBuf),
    /// Say this, and have it answered.
    Send(String),
    /// Stop the answer that is being written; what is there stays.
    Stop,
    /// Go on with an answer that ended early.
    Continue(MessageId),
    /// Answer once more; the answer before stays as a sibling.
    Again(MessageId),
    /// Say it otherwise: a sibling of the message, which stays. A question is answered anew.
    Edit(MessageId, String),
    /// Show this one among its siblings.
    Show(MessageId),
    /// Remove a message with what follows it; it can be brought back.
    RemoveMessage(MessageId),
    /// Make the next answers so.
    Setup(Box<Setup>),
    /// No longer give the model the oldest turns, so many that half of the context is free.
    DropOldest,
    /// Give the model every turn again.
    DropNone,
    /// Let the KV cache overwrite its older positions from now on.
    Rotate,
    /// Have the last question answered after all.
    Retry,
    /// Open the pass that chose this token of an answer.
    Inspect(MessageId, usize),
    /// Answer otherwise: another token in the place of this one, and on from there.
    Differ(MessageId, usize, Box<TopToken>),
    /// Stop the answer that is being written, and open its next token in the explorer.
    Pause,
    /// Go on with the answer that was paused.
    GoOn,
    /// Back from the explorer to the conversation.
    Return,
    /// Let the text of a file go with the next question.
    AttachFile(PathBuf),
    /// Let a text, called so, go with the next question.
    AttachText(String, String),
    /// Let an attached text go.
    Detach(u64),
    /// Show the table of answers side by side, or the talk.
    Trial(bool),
    /// Fill a table, with at most so many tokens for each answer.
    TrialRun(Box<Trial>, usize),
    /// Stop filling it.
    TrialStop,
    /// Keep a system prompt under a name.
    SavePrompt(String, String),
    /// Forget a saved system prompt.
    ForgetPrompt(String),
}

/// How a conversation is written to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportForm {
    /// The branch on view, to read.
    Markdown,
    /// Every branch, token and draw, to bring back.
    Json,
}

impl ExportForm {
    /// The ending of its files.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::Markdown => "md",
            Self::Json => "json",
        }
    }
}
