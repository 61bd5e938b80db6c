//! The lines of a conversation's file.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::trace::answer::{Answer, GeneratedToken};
use crate::trace::sampling::SamplingChoice;

/// The version of the lines.
pub const VERSION: u32 = 1;

/// A message's number in its conversation; never used twice.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct MessageId(pub u64);

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The person.
    User,
    /// The model, or words put into its mouth.
    Assistant,
}

impl Role {
    /// As chat templates name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// With what an answer is made.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Setup {
    /// The model's name.
    pub model: String,
    /// The commit of its files, where it has one: another one may answer otherwise.
    pub revision: Option<String>,
    /// The system prompt; empty for none.
    pub system: String,
    /// How tokens are chosen, where it differs from the model's own settings.
    pub sampling: SamplingChoice,
    /// Start of the random numbers; a fresh one for each answer if `None`.
    pub seed: Option<u64>,
    /// Most tokens of an answer; what the context leaves if `None`.
    pub max_tokens: Option<usize>,
    /// Texts that end an answer.
    pub stop: Vec<String>,
    /// How keys and values are kept.
    pub cache: CacheChoice,
    /// The first message that the model is still given; what stands before it was dropped for want of room. All of
    /// them if `None`, and on branches that this message is not on.
    pub first: Option<MessageId>,
    /// Arguments of the chat template, e.g. `enable_thinking`.
    pub template_args: Map<String, Value>,
}

/// How keys and values are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CacheChoice {
    /// At most this many positions.
    pub max_size: Option<usize>,
    /// In 8 or 4 bits.
    pub bits: Option<i32>,
}

/// One thing that happened to a conversation, as JSON: `{"title": {"text": "…"}}`.
///
/// The name of what happened stands outside: a tag inside would have serde keep numbers as text on the way, and
/// the keys of `logit_bias` are numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// It began. The first line of every file.
    Began {
        /// The version of the format.
        version: u32,
        /// When, as RFC 3339 writes it.
        time: String,
    },
    /// It got a title.
    Title {
        /// The title.
        text: String,
    },
    /// It was pinned to the top of the list, or unpinned.
    Pin {
        /// Whether it is pinned.
        is_pinned: bool,
    },
    /// From now on, answers are made so.
    Setup {
        /// How.
        setup: Box<Setup>,
    },
    /// Someone said something, all of it at once.
    Said {
        /// The message.
        id: MessageId,
        /// What it follows; `None` at the start.
        parent: Option<MessageId>,
        /// Who.
        role: Role,
        /// What.
        text: String,
        /// When.
        time: String,
    },
    /// The model begins to answer.
    Answering {
        /// The message.
        id: MessageId,
        /// What it follows.
        parent: Option<MessageId>,
        /// When.
        time: String,
        /// With what.
        setup: Box<Setup>,
        /// The prompt as ids, so that its text is never tokenized again.
        prompt_tokens: Vec<u32>,
    },
    /// Tokens of the answer, as they came.
    Tokens {
        /// The message.
        id: MessageId,
        /// The tokens, with their draws.
        tokens: Vec<GeneratedToken>,
    },
    /// The answer is complete, or was stopped.
    Answered {
        /// The message.
        id: MessageId,
        /// How it went: speed, boundaries, seed, stop reason. Its tokens and prompt stand in earlier lines.
        answer: Box<Answer>,
    },
    /// Of the messages that follow `parent`, this one is shown.
    Shown {
        /// What they follow.
        parent: Option<MessageId>,
        /// The one shown.
        id: MessageId,
    },
    /// A message was removed, with what follows it.
    Removed {
        /// The message.
        id: MessageId,
    },
    /// A removed message came back.
    Restored {
        /// The message.
        id: MessageId,
    },
}
