//! The form of a chat for a model that brings no template.

use super::Message;

/// A system prompt as a paragraph, then `User: …` and `Assistant: …` in turn.
pub(super) fn render(messages: &[Message], add_generation_prompt: bool) -> String {
    let mut text = String::new();
    for message in messages {
        let content = message.text();
        match message.role.as_str() {
            "system" => text.push_str(&format!("{content}\n\n")),
            role => text.push_str(&format!("{}: {content}\n", capitalized(role))),
        }
    }
    if add_generation_prompt {
        text.push_str("Assistant:");
    }
    text
}

fn capitalized(role: &str) -> String {
    let mut letters = role.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_chat_reads_like_a_play() {
        let messages = [
            Message::new("system", "Be brief."),
            Message::new("user", "Hi"),
            Message::new("assistant", "Hello"),
            Message::new("user", "Bye"),
        ];
        assert_eq!(
            render(&messages, true),
            "Be brief.\n\nUser: Hi\nAssistant: Hello\nUser: Bye\nAssistant:"
        );
    }
}
