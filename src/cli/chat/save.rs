//! Writing a conversation to a file: Markdown to read, JSON to go on with.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::conversation::Conversation;

/// Writes the conversation to `path`, all of it or nothing: JSON if the name ends in `.json`, else
/// Markdown.
///
/// # Errors
/// If the file cannot be written; one that was there stays.
pub fn write(path: &Path, conversation: &Conversation, model: &str) -> Result<()> {
    let is_json = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let text = match is_json {
        true => format!("{:#}\n", to_json(conversation, model)),
        false => to_markdown(conversation, model),
    };
    let unfinished = beside(path);
    let written = File::create(&unfinished).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    });
    written.with_context(|| {
        let _ = fs::remove_file(&unfinished);
        format!("cannot save the conversation to {}", path.display())
    })
}

/// A name in the same folder, so that the finished file only has to be renamed.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{}.unfinished", std::process::id()));
    PathBuf::from(name)
}

fn to_json(conversation: &Conversation, model: &str) -> Value {
    let answers = conversation
        .exchanges
        .iter()
        .map(|exchange| &exchange.answer);
    let answers = answers.map(|answer| {
        json!({
            "model": answer.model,
            "stop_reason": answer.stop_reason,
            "tokens": answer.tokens.iter().map(|token| token.id).collect::<Vec<_>>(),
            "seed": answer.seed,
            "generation_tps": answer.speed.generation_tps(),
        })
    });
    json!({
        "model": model,
        "messages": conversation.messages(None),
        "answers": answers.collect::<Vec<_>>(),
    })
}

fn to_markdown(conversation: &Conversation, model: &str) -> String {
    let mut text = format!("# Conversation with {model}\n");
    for message in conversation.messages(None) {
        let speaker = match message.role.as_str() {
            "system" => "System",
            "user" => "You",
            _ => "Model",
        };
        text.push_str(&format!("\n## {speaker}\n\n{}\n", message.text().trim()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_saved_in_the_form_that_its_name_asks_for() {
        let folder = tempfile::tempdir().unwrap();
        let conversation = Conversation::new(Some("Be brief.".to_owned()));
        let (markdown, json) = (folder.path().join("a.md"), folder.path().join("a.json"));
        write(&markdown, &conversation, "m").unwrap();
        write(&json, &conversation, "m").unwrap();
        let markdown = fs::read_to_string(markdown).unwrap();
        assert_eq!(
            markdown,
            "# Conversation with m\n\n## System\n\nBe brief.\n"
        );
        let json: Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
        assert_eq!(json["messages"][0]["role"], "system");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let error = write(
            Path::new("/nowhere/at/all.md"),
            &Conversation::default(),
            "m",
        );
        assert!(
            error
                .unwrap_err()
                .to_string()
                .contains("/nowhere/at/all.md")
        );
    }
}
