//! Conversations as files for others: Markdown to read, JSON to keep and to bring back.

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use super::conversation::Conversation;
use super::line::{Line, Role, VERSION};

/// What an export to JSON is called by.
const FORMAT: &str = "vitrine-conversation";

#[derive(Serialize, Deserialize)]
struct Export {
    format: String,
    version: u32,
    title: String,
    lines: Vec<Line>,
}

/// The branch that is shown, as Markdown: title, system prompt, and each message under who said it.
pub fn to_markdown(conversation: &Conversation) -> String {
    let mut text = format!("# {}\n", conversation.title());
    let system = conversation.setup.system.trim();
    if !system.is_empty() {
        text.push_str("\n> ");
        text.push_str(&system.replace('\n', "\n> "));
        text.push('\n');
    }
    for message in conversation.branch() {
        let made_by = message
            .reply
            .as_ref()
            .map(|reply| reply.setup.model.as_str());
        let who = match (message.role, made_by) {
            (Role::User, _) => "You".to_owned(),
            (Role::Assistant, Some(model)) if !model.is_empty() => format!("Answer ({model})"),
            (Role::Assistant, _) => "Answer".to_owned(),
        };
        text.push_str(&format!("\n## {who}\n\n{}\n", message.text.trim_end()));
    }
    text
}

/// All of it, every branch, token and draw.
///
/// # Errors
/// If it cannot be written as JSON.
pub fn to_json(title: &str, lines: &[Line]) -> Result<String> {
    let export = Export {
        format: FORMAT.to_owned(),
        version: VERSION,
        title: title.to_owned(),
        lines: lines.to_vec(),
    };
    Ok(serde_json::to_string_pretty(&export)?)
}

/// The lines of an export, for [`super::ChatStore::add`].
///
/// # Errors
/// If it is none, or of a later version.
pub fn from_json(text: &str) -> Result<Vec<Line>> {
    let export: Export = serde_json::from_str(text)
        .context("this is no conversation: choose a file that Vitrine exported as JSON")?;
    ensure!(
        export.format == FORMAT,
        "this is no conversation: choose a file that Vitrine exported as JSON"
    );
    ensure!(
        export.version <= VERSION,
        "this conversation was exported by a later Vitrine: update this one to read it"
    );
    Ok(export.lines)
}
