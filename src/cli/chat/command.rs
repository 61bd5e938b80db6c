//! What a line of a chat asks for.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::cli::table::{Column, Table};
use crate::hub::nearest;

/// A line, understood.
#[derive(Debug, PartialEq, Eq)]
pub enum Typed {
    /// An empty line.
    Nothing,
    /// Something to put to the model.
    Question(String),
    /// Something to do.
    Command(Command),
}

/// What can be done in a chat.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// List the commands.
    Help,
    /// Show or change the system prompt.
    System(Option<String>),
    /// Show or change the model.
    Model(Option<String>),
    /// List the settings, or change one; no value takes it back to its default.
    Set(Option<(String, Option<String>)>),
    /// Tell tokens, speed, cache and memory.
    Stats,
    /// Write the conversation to a file.
    Save(PathBuf),
    /// Forget the conversation.
    Reset,
    /// Leave.
    Exit,
}

/// Every command, what it takes, and what it does.
const COMMANDS: [(&str, &str, &str); 9] = [
    ("help", "", "list these commands"),
    ("system", "TEXT", "set the system prompt; off takes it away"),
    ("model", "M", "talk to another model from here on"),
    (
        "set",
        "NAME VALUE",
        "change a setting; /set alone lists them",
    ),
    ("stats", "", "tell tokens, speed, KV cache and memory"),
    (
        "save",
        "FILE",
        "write the conversation: Markdown, or JSON if FILE ends in .json",
    ),
    ("reset", "", "forget the conversation"),
    ("exit", "", "leave (so does Ctrl-D)"),
    ("quit", "", "leave"),
];

/// Reads a line. A question that begins with a slash is written with two.
///
/// # Errors
/// If there is no such command, or it lacks what it needs.
pub fn parse(line: &str) -> Result<Typed> {
    let line = line.trim();
    if line.is_empty() {
        return Ok(Typed::Nothing);
    }
    let Some(command) = line.strip_prefix('/') else {
        return Ok(Typed::Question(line.to_owned()));
    };
    if command.starts_with('/') {
        return Ok(Typed::Question(command.to_owned()));
    }
    let (name, rest) = command
        .split_once(char::is_whitespace)
        .unwrap_or((command, ""));
    let rest = Some(rest.trim()).filter(|rest| !rest.is_empty());
    let owned = rest.map(str::to_owned);
    Ok(Typed::Command(match (name, rest) {
        ("help", _) => Command::Help,
        ("system", _) => Command::System(owned),
        ("model", _) => Command::Model(owned),
        ("set", None) => Command::Set(None),
        ("set", Some(rest)) => Command::Set(Some(setting(rest))),
        ("stats", _) => Command::Stats,
        ("save", Some(path)) => Command::Save(PathBuf::from(path)),
        ("save", None) => bail!("/save needs the name of a file, e.g. /save talk.md"),
        ("reset", _) => Command::Reset,
        ("exit" | "quit", _) => Command::Exit,
        _ => bail!(unknown(name)),
    }))
}

/// `temp 0.7`, `temp=0.7`, or `temp` alone.
fn setting(text: &str) -> (String, Option<String>) {
    let is_border = |letter: char| letter.is_whitespace() || letter == '=';
    let (name, value) = text.split_once(is_border).unwrap_or((text, ""));
    let value = value.trim_start_matches(is_border);
    (
        name.to_owned(),
        Some(value.to_owned()).filter(|value| !value.is_empty()),
    )
}

fn unknown(name: &str) -> String {
    let known = COMMANDS.map(|(known, _, _)| known.to_owned());
    // A short word that begins a command is meant to be it.
    let begun = known
        .iter()
        .filter(|known| !name.is_empty() && known.starts_with(name));
    let mut near: Vec<String> = begun.cloned().collect();
    if near.is_empty() {
        near = nearest::names(name, &known);
    }
    let near: Vec<String> = near.iter().map(|known| format!("/{known}")).collect();
    match near.as_slice() {
        [] => format!("there is no command /{name}; /help lists them, // begins a question with /"),
        near => format!(
            "there is no command /{name}: did you mean {}?",
            near.join(" or ")
        ),
    }
}

/// The commands, for people.
#[must_use]
pub fn help() -> String {
    let mut table = Table::new([Column::Left(""), Column::Left("")]);
    for (name, takes, does) in COMMANDS {
        table.row([format!("/{name} {takes}"), does.to_owned()]);
    }
    format!("{table}\n  Ctrl-C stops an answer. // begins a question with a slash.\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &str) -> Command {
        match parse(line).unwrap() {
            Typed::Command(command) => command,
            other => panic!("{line} is {other:?}"),
        }
    }

    #[test]
    fn lines_are_questions_or_commands() {
        assert_eq!(parse("  ").unwrap(), Typed::Nothing);
        assert_eq!(parse(" Hi ").unwrap(), Typed::Question("Hi".into()));
        assert_eq!(parse("//etc").unwrap(), Typed::Question("/etc".into()));
        assert_eq!(command("/quit"), Command::Exit);
        assert_eq!(
            command("/system Be brief."),
            Command::System(Some("Be brief.".into()))
        );
        assert_eq!(command("/save a b.md"), Command::Save("a b.md".into()));
    }

    #[test]
    fn a_setting_is_a_name_and_perhaps_a_value() {
        let set = |name: &str, value: Option<&str>| {
            Command::Set(Some((name.to_owned(), value.map(str::to_owned))))
        };
        assert_eq!(command("/set"), Command::Set(None));
        assert_eq!(command("/set temp 0.7"), set("temp", Some("0.7")));
        assert_eq!(command("/set temp = 0.7"), set("temp", Some("0.7")));
        assert_eq!(command("/set temp"), set("temp", None));
    }

    #[test]
    fn an_unknown_command_suggests_the_nearest() {
        let said = |line| parse(line).unwrap_err().to_string();
        assert!(said("/sats").contains("did you mean /stats"));
        assert!(said("/s").contains("/system or /set or /stats or /save"));
        assert!(said("/translate").contains("/help lists them"));
        assert!(said("/save").contains("/save talk.md"));
    }
}
