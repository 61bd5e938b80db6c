//! Looking for words in all conversations.

use super::line::MessageId;
use super::store::{ChatStore, Summary};

/// A conversation that holds what was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The conversation.
    pub summary: Summary,
    /// The message, if it is not the title.
    pub message: Option<MessageId>,
    /// The words around it.
    pub excerpt: String,
}

impl ChatStore {
    /// Conversations with `text` in their title or in a message, whatever its case; one hit each, the latest first.
    pub fn search(&self, text: &str) -> Vec<Hit> {
        let text = text.trim().to_lowercase();
        if text.is_empty() {
            return Vec::new();
        }
        let hits = self.list().into_iter().filter_map(|summary| {
            if let Some(excerpt) = excerpt(&summary.title, &text) {
                let message = None;
                return Some(Hit {
                    summary,
                    message,
                    excerpt,
                });
            }
            let conversation = self.read(&summary.id).ok()?;
            let found = conversation.messages().find_map(|message| {
                let excerpt = excerpt(&message.text, &text)?;
                Some((message.id, excerpt))
            });
            let (id, excerpt) = found?;
            let message = Some(id);
            Some(Hit {
                summary,
                message,
                excerpt,
            })
        });
        hits.collect()
    }
}

/// The words of `text` around `wanted`, which is in lower case.
fn excerpt(text: &str, wanted: &str) -> Option<String> {
    const AROUND: usize = 30;
    let lower: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let wanted: Vec<char> = wanted.chars().collect();
    let at = lower
        .windows(wanted.len().max(1))
        .position(|window| window == wanted)?;
    let from = at.saturating_sub(AROUND);
    let words = text.chars().skip(from).take(wanted.len() + 2 * AROUND);
    let words: String = words
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    let dots = if from > 0 { "… " } else { "" };
    Some(format!("{dots}{}", words.trim()))
}
