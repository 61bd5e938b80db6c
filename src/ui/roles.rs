//! Roles: which message of a chat each token of the prompt belongs to.

use std::ops::Range;

use super::answers::Asked;
use super::picture::Scene;
use crate::engine::question::{Message, Question, SegmentKind, TemplateArgs, TemplateView, Told};
use crate::settings::PromptSettings;

/// Tokens that stand together in one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleSpan {
    /// Who speaks: `system`, `user`, `assistant`.
    pub role: String,
    /// The positions of the message, with what the template puts around it.
    pub positions: Range<usize>,
}

/// The messages of a prompt, as the model is given them.
#[must_use]
pub fn messages(prompt: &PromptSettings) -> Vec<Message> {
    let mut messages = Vec::new();
    if !prompt.system.trim().is_empty() {
        messages.push(Message::new("system", &prompt.system));
    }
    messages.push(Message::new("user", &prompt.text));
    messages
}

/// The question how the model's template writes a prompt.
#[must_use]
pub fn template(prompt: &PromptSettings) -> Question {
    Question::Template {
        model: None,
        messages: messages(prompt),
        args: TemplateArgs::for_answer(),
    }
}

/// Who speaks where; empty for a raw prompt, and until it is known.
pub fn spans(scene: &mut Scene<'_>) -> Vec<RoleSpan> {
    if !scene.settings.prompt.is_chat {
        return Vec::new();
    }
    let Asked::Ready(told) = scene.ask(&template(&scene.settings.prompt)) else {
        return Vec::new();
    };
    match &*told {
        Told::Template(view) => {
            // A begin token that stands before the template is nobody's.
            let n_added = scene.run.prompt_len.saturating_sub(view.pieces.len());
            of_template(view, &messages(&scene.settings.prompt), n_added)
        }
        _ => Vec::new(),
    }
}

fn of_template(view: &TemplateView, messages: &[Message], n_added: usize) -> Vec<RoleSpan> {
    let mut spans: Vec<RoleSpan> = Vec::new();
    for (at, piece) in view.pieces.iter().enumerate() {
        let segments = view.rendered.segments.iter();
        let mut own = segments.filter(|segment| segment.bytes.contains(&piece.covers.start));
        let Some(segment) = own.next() else {
            continue;
        };
        let role = match segment.message.and_then(|message| messages.get(message)) {
            Some(message) => message.role.clone(),
            // What the template adds after the last message opens the answer.
            None if segment.kind != SegmentKind::Content && !spans.is_empty() => {
                "assistant".to_owned()
            }
            None => "system".to_owned(),
        };
        let position = at + n_added;
        match spans.last_mut() {
            Some(last) if last.role == role && last.positions.end == position => {
                last.positions.end += 1;
            }
            _ => spans.push(RoleSpan {
                role,
                positions: position..position + 1,
            }),
        }
    }
    spans
}
