//! Chat templates: from a list of messages to the prompt that the model was trained on.
//!
//! A template is a jinja2 program that comes with the model. It is rendered as `transformers.apply_chat_template` does it, within limits: a
//! template that loops or grows without end is stopped.

mod budget;
mod evaluate;
mod filters;
mod guard;
mod json;
mod plain;
mod python;
mod segments;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::files::{DOWNLOAD_AGAIN, TokenizerFiles, parse_object, parse_text};
use super::roles::Roles;

pub use segments::{Segment, SegmentKind};

/// One message of a chat.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks: `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// What is said: text, or for some models a list of parts.
    #[serde(default)]
    pub content: Value,
    /// What the model thought before it answered, where a model keeps the two apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<String>,
    /// The tools that the model called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<Value>,
    /// Anything else that a template may look for.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Message {
    /// A message that is plain text.
    #[must_use]
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
        Self {
            role: role.into(),
            content: Value::String(content.into()),
            ..Self::default()
        }
    }

    /// The text of the message: its content, or the text parts of it joined.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.content {
            Value::String(text) => text.clone(),
            Value::Array(parts) => parts
                .iter()
                .filter_map(|part| part["text"].as_str())
                .collect(),
            _ => String::new(),
        }
    }
}

/// What a template is given besides the messages.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TemplateArgs {
    /// Whether the prompt ends with the opening of the answer.
    pub add_generation_prompt: bool,
    /// Tools that the model may call, as JSON schemas.
    pub tools: Option<Value>,
    /// Which template is used, where a model brings several; else `tool_use` if there are tools, else `default`.
    pub template: Option<String>,
    /// Arguments of the model's own, such as `enable_thinking`.
    pub more: Map<String, Value>,
}

impl TemplateArgs {
    /// The arguments for a prompt that the model is to answer.
    #[must_use]
    pub fn for_answer() -> Self {
        Self {
            add_generation_prompt: true,
            ..Self::default()
        }
    }
}

/// A chat as the model reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rendered {
    /// The prompt. Encode it without adding special tokens: the template has written them.
    pub text: String,
    /// The prompt taken apart, in order and without gaps.
    pub segments: Vec<Segment>,
}

/// Why a chat could not be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChatTemplateError {
    /// The template itself refuses the messages (`raise_exception`).
    #[error("the model's chat template refuses these messages: {0}")]
    Refused(String),
    /// A limit of time, size or depth was reached.
    #[error(
        "the model's chat template was stopped because {0}; use another model, or a raw prompt without the template"
    )]
    Stopped(&'static str),
    /// The template is not valid, or fails for these messages.
    #[error(
        "the model's chat template does not work: {0}; use another model, or a raw prompt without the template"
    )]
    Broken(String),
    /// There is no template of that name.
    #[error("the model has no chat template named {wanted:?}; it has {available}")]
    Unknown {
        /// The name that was asked for.
        wanted: String,
        /// The names there are, with commas.
        available: String,
    },
}

/// The templates of a model, by name; most have one, `default`.
#[derive(Debug, Clone, Default)]
pub(super) struct ChatTemplates {
    by_name: BTreeMap<String, String>,
}

impl ChatTemplates {
    /// Collects the templates of a folder; separate files win over `tokenizer_config.json`, all of them together, as in `transformers`.
    ///
    /// # Errors
    /// If a template is not text.
    pub fn read(files: &TokenizerFiles, tokenizer_config: &Value) -> Result<Self> {
        let mut by_name = BTreeMap::new();
        if let Some(bytes) = &files.chat_template_json {
            let json = parse_object("chat_template.json", Some(bytes))?;
            read_templates("chat_template.json", &json, &mut by_name)?;
        }
        if let Some(bytes) = &files.chat_template_jinja {
            let template = parse_text("chat_template.jinja", bytes)?;
            by_name.insert("default".to_owned(), template);
        }
        for (name, bytes) in &files.named_templates {
            let template = parse_text(&format!("{name}.jinja"), bytes)?;
            by_name.insert(name.clone(), template);
        }
        if by_name.is_empty() {
            read_templates("tokenizer_config.json", tokenizer_config, &mut by_name)?;
        }
        Ok(Self { by_name })
    }

    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Renders a chat with the template that fits, or in the plain form if there is none.
    pub fn render(
        &self,
        messages: &[Message],
        args: &TemplateArgs,
        roles: &Roles,
        specials: &[&str],
    ) -> Result<Rendered, ChatTemplateError> {
        let source = self.choose(args)?;
        let render = |messages: &[Message]| match source {
            Some(source) => evaluate::render(source, &context(messages, args, roles)),
            None => Ok(plain::render(messages, args.add_generation_prompt)),
        };
        let text = render(messages)?;
        // A template that fails or changes its mind without the texts costs nothing but exactness.
        let pattern = render(&segments::with_stand_ins(messages)).ok();
        let end_token = roles.get("eos_token");
        let segments = segments::split(&text, pattern.as_deref(), messages, specials, end_token);
        Ok(Rendered { text, segments })
    }

    fn choose(&self, args: &TemplateArgs) -> Result<Option<&str>, ChatTemplateError> {
        if self.is_empty() && args.template.is_none() {
            return Ok(None);
        }
        let tool_use = args
            .tools
            .as_ref()
            .and_then(|_| self.by_name.get("tool_use"));
        let found = match &args.template {
            Some(name) => self.by_name.get(name),
            None => tool_use.or_else(|| self.by_name.get("default")),
        };
        let names: Vec<&str> = self.by_name.keys().map(String::as_str).collect();
        found
            .map(|source| Some(source.as_str()))
            .ok_or_else(|| ChatTemplateError::Unknown {
                wanted: args.template.clone().unwrap_or("default".to_owned()),
                available: match names.as_slice() {
                    [] => "none".to_owned(),
                    names => names.join(", "),
                },
            })
    }
}

/// Takes over the `chat_template` of a JSON file: one template, or a list of named ones.
fn read_templates(file: &str, json: &Value, by_name: &mut BTreeMap<String, String>) -> Result<()> {
    let wrong = || format!("{file} has a chat_template that is no template; {DOWNLOAD_AGAIN}");
    match json.get("chat_template") {
        None | Some(Value::Null) => {}
        Some(Value::String(template)) => {
            by_name.insert("default".to_owned(), template.clone());
        }
        Some(Value::Array(templates)) => {
            for named in templates {
                let name = named["name"].as_str().with_context(wrong)?;
                let template = named["template"].as_str().with_context(wrong)?;
                by_name.insert(name.to_owned(), template.to_owned());
            }
        }
        Some(Value::Object(templates)) => {
            for (name, template) in templates {
                let template = template.as_str().with_context(wrong)?;
                by_name.insert(name.clone(), template.to_owned());
            }
        }
        Some(_) => anyhow::bail!(wrong()),
    }
    Ok(())
}

/// The variables that a template sees.
fn context(messages: &[Message], args: &TemplateArgs, roles: &Roles) -> Map<String, Value> {
    let mut context = Map::new();
    for (name, token) in &roles.tokens {
        context.insert((*name).to_owned(), Value::String(token.clone()));
    }
    context.insert(
        "messages".to_owned(),
        messages.iter().map(visible).collect(),
    );
    context.insert("tools".to_owned(), args.tools.clone().unwrap_or_default());
    context.insert("documents".to_owned(), Value::Null);
    context.insert(
        "add_generation_prompt".to_owned(),
        Value::Bool(args.add_generation_prompt),
    );
    context.extend(args.more.clone());
    context
}

/// A message as a template sees it; thoughts go under both names that templates look for, as in `transformers`.
fn visible(message: &Message) -> Value {
    let mut fields = Map::new();
    if let Some(thoughts) = &message.reasoning_content {
        fields.insert("thinking".to_owned(), Value::String(thoughts.clone()));
    }
    if let Ok(Value::Object(own)) = serde_json::to_value(message) {
        fields.extend(own);
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests;
