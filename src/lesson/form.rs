//! A lesson as TOML writes it, before its expressions are read.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// A text and where it stands.
pub type Source = Spanned<String>;

/// The head of a lesson.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadForm {
    pub title: String,
    #[serde(default)]
    pub about: String,
    pub minutes: u32,
    pub order: f64,
    #[serde(default = "core")]
    pub level: String,
    #[serde(default = "english")]
    pub language: String,
    #[serde(default = "yes")]
    pub hints: bool,
    #[serde(default = "yes")]
    pub answers: bool,
    pub model: Option<String>,
    pub prompt: Option<Source>,
    pub chat: Option<Turns>,
    pub system: Option<Source>,
    #[serde(default)]
    pub edits: Vec<Source>,
    #[serde(default)]
    pub tokens: usize,
    pub sampling: Option<Source>,
    #[serde(default)]
    pub seed: u64,
    #[serde(default)]
    pub needs: Vec<NeedsForm>,
    #[serde(default, rename = "let")]
    pub values: BTreeMap<String, Source>,
    #[serde(default)]
    pub runs: BTreeMap<String, RunToml>,
}

/// A run under `[runs]`: what it leaves out is as in the head.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunToml {
    #[serde(default)]
    pub over: Vec<String>,
    pub model: Option<String>,
    pub prompt: Option<Source>,
    pub chat: Option<Turns>,
    pub system: Option<Source>,
    #[serde(default)]
    pub edits: Vec<Source>,
    #[serde(default)]
    pub sources: BTreeMap<String, Source>,
    pub tokens: Option<usize>,
    pub sampling: Option<Source>,
    pub seed: Option<u64>,
}

/// One message, or several in turn.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Turns {
    One(String),
    Many(Vec<String>),
}

/// What the model must have.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeedsForm {
    pub when: Source,
    pub otherwise: Source,
}

/// A `go` block.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoForm {
    pub to: Source,
    pub run: Option<Source>,
    pub beside: Option<Source>,
    pub mark: Option<Source>,
    pub sweep: Option<SweepForm>,
    pub look: Option<Source>,
}

/// A `try` block.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TryForm {
    pub label: Source,
    pub to: Option<Source>,
    pub run: Option<Source>,
    pub beside: Option<Source>,
    pub sweep: Option<SweepForm>,
}

/// A sweep.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepForm {
    pub over: Source,
    #[serde(default = "zero")]
    pub change: String,
    pub token: Source,
}

/// A `question` block.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuestionForm {
    pub ask: Source,
    #[serde(default)]
    pub predict: bool,
    pub hides: Option<Source>,
    pub choices: Option<Vec<ChoiceForm>>,
    pub click: Option<Source>,
    pub right: Option<Source>,
    pub tolerance: Option<ToleranceForm>,
    #[serde(default)]
    pub unit: String,
    pub hint: Option<Source>,
    pub why: Option<Source>,
}

/// One choice.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChoiceForm {
    pub text: Source,
    pub right: Source,
    pub hint: Option<Source>,
}

/// `0.01` or `"5 %"`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum ToleranceForm {
    Number(f64),
    Text(String),
}

fn core() -> String {
    "core".to_owned()
}

fn english() -> String {
    "en".to_owned()
}

fn zero() -> String {
    "zero".to_owned()
}

fn yes() -> bool {
    true
}
