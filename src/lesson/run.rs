//! The runs of a lesson: which model reads which prompt, with which changes.

use super::expression::{Expression, Piece};
use crate::trace::sampling::SamplingChoice;

/// A run, ready to be opened.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Run {
    /// Another model than the one that is loaded.
    pub model: Option<String>,
    /// What it reads.
    pub prompt: RunPrompt,
    /// Edits in their text form.
    pub edits: Vec<String>,
    /// Prompts that patches copy from, by name.
    pub sources: Vec<(String, String)>,
    /// How many tokens it generates.
    pub tokens: usize,
    /// How they are chosen; without a temperature the likeliest is taken.
    pub sampling: SamplingChoice,
    /// Start of the random numbers.
    pub seed: u64,
}

/// What a run reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunPrompt {
    /// Text as it is.
    Raw(String),
    /// Messages, put into the chat template.
    Chat {
        /// The system prompt; empty: none.
        system: String,
        /// Messages of the user and of the model, in turn.
        turns: Vec<String>,
    },
}

impl Default for RunPrompt {
    fn default() -> Self {
        Self::Raw(String::new())
    }
}

impl RunPrompt {
    /// What was written, without the template around it.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Raw(text) => text.clone(),
            Self::Chat { turns, .. } => turns.join("\n"),
        }
    }
}

/// A run as a lesson describes it: texts that may hold expressions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunForm {
    /// Names of what it is called with: `without(2, 3)`.
    pub over: Vec<String>,
    /// See [`Run::model`].
    pub model: Option<String>,
    /// What it reads.
    pub prompt: PromptForm,
    /// See [`Run::edits`].
    pub edits: Vec<Text>,
    /// See [`Run::sources`].
    pub sources: Vec<(String, Text)>,
    /// See [`Run::tokens`].
    pub tokens: usize,
    /// See [`Run::sampling`].
    pub sampling: SamplingChoice,
    /// See [`Run::seed`].
    pub seed: u64,
}

/// A text that may hold expressions.
pub type Text = Vec<Piece>;

/// What a run reads, before its expressions have values.
#[derive(Debug, Clone, PartialEq)]
pub enum PromptForm {
    /// See [`RunPrompt::Raw`].
    Raw(Text),
    /// See [`RunPrompt::Chat`].
    Chat {
        /// The system prompt.
        system: Text,
        /// The messages.
        turns: Vec<Text>,
    },
}

impl Default for PromptForm {
    fn default() -> Self {
        Self::Raw(Vec::new())
    }
}

impl RunForm {
    /// Every expression in its texts.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let prompt: Vec<&Text> = match &self.prompt {
            PromptForm::Raw(text) => vec![text],
            PromptForm::Chat { system, turns } => std::iter::once(system).chain(turns).collect(),
        };
        let sources = self.sources.iter().map(|(_, text)| text);
        let texts = prompt.into_iter().chain(&self.edits).chain(sources);
        texts.flatten().filter_map(|piece| match piece {
            Piece::Plain(_) => None,
            Piece::Inside(expression) => Some(expression),
        })
    }
}
