//! The runs of a lesson: which model reads which prompt, with which changes.

use super::expression::{Expression, Piece};

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
    /// How they are chosen; empty: the likeliest.
    pub sampling: Settings,
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

/// How tokens are chosen; what is `None` is off, and without a temperature the likeliest is taken.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Settings {
    /// Divides the logits.
    pub temperature: Option<f64>,
    /// Keeps so many tokens.
    pub top_k: Option<f64>,
    /// Keeps the likeliest tokens that hold this share.
    pub top_p: Option<f64>,
    /// Keeps tokens with this share of the likeliest's probability.
    pub min_p: Option<f64>,
}

impl Settings {
    /// Reads `temperature=0.8, top_k=20, top_p=0.9, min_p=0.05`, or a part of it.
    ///
    /// # Errors
    /// If it names another setting, or a value that the setting cannot have.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut settings = Self::default();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let expected = || {
                format!(
                    "'{part}' is no setting; write temperature=0.8, top_k=20, top_p=0.9 or min_p=0.05, with commas between them"
                )
            };
            let (name, value) = part.split_once('=').ok_or_else(expected)?;
            let value: f64 = value.trim().parse().map_err(|_| expected())?;
            let (place, most) = match name.trim() {
                "temperature" => (&mut settings.temperature, 100.0),
                "top_k" => (&mut settings.top_k, 1e6),
                "top_p" => (&mut settings.top_p, 1.0),
                "min_p" => (&mut settings.min_p, 1.0),
                _ => return Err(expected()),
            };
            if !(0.0..=most).contains(&value) {
                return Err(format!(
                    "'{part}' is out of range; it goes from 0 to {most}"
                ));
            }
            *place = Some(value);
        }
        Ok(settings)
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
    pub sampling: Settings,
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
