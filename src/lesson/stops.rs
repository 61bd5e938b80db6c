//! Prepared stops of a talk: where to go, what to say, and notes for the speaker alone.
//!
//! A TOML file that one can write by hand; the window writes the same.

use std::fmt::{self, Write as _};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::problem::Place;
use super::read::in_plain_words;
use crate::trace::file::regular;

/// Most stops of a talk.
pub const MOST_STOPS: usize = 500;
/// Most bytes of a file.
pub const MOST_BYTES: usize = 500_000;

/// The stops of a talk, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stops {
    /// What the talk is called.
    #[serde(default)]
    pub title: String,
    /// The stops.
    #[serde(default, rename = "stop")]
    pub stops: Vec<Stop>,
}

/// One stop.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// The place: `blocks.2.attn.hook_pattern[3, 10, 9]`, `sample#filters`.
    pub at: String,
    /// What the model reads; as before if there is none.
    pub prompt: Option<String>,
    /// Whether the prompt is a message in the chat template.
    #[serde(default)]
    pub chat: bool,
    /// The system's message of a chat; as before if there is none.
    pub system: Option<String>,
    /// Start of the random numbers; as before if there is none.
    pub seed: Option<u64>,
    /// The model; the one that is open if there is none.
    pub model: Option<String>,
    /// The head to point at.
    pub head: Option<usize>,
    /// The position of the text to point at.
    pub pos: Option<usize>,
    /// The position that it reads.
    pub key: Option<usize>,
    /// Tokens to generate first: so many passes have run.
    pub steps: Option<usize>,
    /// The sentence for the room.
    #[serde(default)]
    pub says: String,
    /// For the speaker alone.
    #[serde(default)]
    pub notes: String,
}

/// A mistake in the file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where it stands.
    pub place: Place,
    /// What is wrong, and what was expected.
    pub message: String,
}

impl Mistake {
    fn of(text: &str, error: &toml::de::Error) -> Self {
        let start = error.span().map_or(0, |span| span.start);
        Self {
            place: Place::of(text, start),
            message: in_plain_words(error.message()),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { line, column } = self.place;
        write!(f, "line {line}, column {column}: {}", self.message)
    }
}

impl std::error::Error for Mistake {}

impl Stops {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// With line and column, and what was expected.
    pub fn read(text: &str) -> Result<Self> {
        ensure!(
            text.len() <= MOST_BYTES,
            "a file of stops has at most {MOST_BYTES} bytes, this one has {}",
            text.len()
        );
        let stops: Self = toml::from_str(text).map_err(|error| Mistake::of(text, &error))?;
        let n = stops.stops.len();
        ensure!(
            n <= MOST_STOPS,
            "a talk has at most {MOST_STOPS} stops, not {n}"
        );
        Ok(stops)
    }

    /// The stops in a file; none, where there is no such file.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn load(path: &Path) -> Result<Self> {
        let told = || format!("the stops in {} cannot be read", path.display());
        let length = match fs::metadata(path) {
            Ok(data) => data.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(error).with_context(told),
        };
        ensure!(
            length <= MOST_BYTES as u64,
            "{}: it has {length} bytes",
            told()
        );
        regular(path).with_context(told)?;
        let text = fs::read_to_string(path).with_context(told)?;
        Self::read(&text).with_context(told)
    }

    /// Writes them to a file, all of them or nothing.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let told = || format!("the stops cannot be saved in {}", path.display());
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).with_context(told)?;
        let unfinished = path.with_extension("unfinished");
        fs::write(&unfinished, self.to_toml()).with_context(told)?;
        fs::rename(&unfinished, path).with_context(told)
    }

    /// The text of their file.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut text = String::from(
            "# Stops of a talk. Each has a place (at); what may be left out: model, prompt, chat, \
             system, seed,\n# head, pos, key, steps (tokens to generate), says (to the room), \
             notes (for the speaker).\n",
        );
        let _ = writeln!(text, "title = {}", quoted(&self.title));
        for stop in &self.stops {
            let _ = writeln!(text, "\n[[stop]]\nat = {}", quoted(&stop.at));
            if let Some(prompt) = &stop.prompt {
                let _ = writeln!(text, "prompt = {}", quoted(prompt));
            }
            if stop.chat {
                text.push_str("chat = true\n");
            }
            for (name, value) in [("system", &stop.system), ("model", &stop.model)] {
                if let Some(value) = value {
                    let _ = writeln!(text, "{name} = {}", quoted(value));
                }
            }
            let numbers = [
                ("seed", stop.seed),
                ("head", stop.head.map(|head| head as u64)),
                ("pos", stop.pos.map(|pos| pos as u64)),
                ("key", stop.key.map(|key| key as u64)),
                ("steps", stop.steps.map(|steps| steps as u64)),
            ];
            for (name, number) in numbers {
                if let Some(number) = number {
                    let _ = writeln!(text, "{name} = {number}");
                }
            }
            for (name, value) in [("says", &stop.says), ("notes", &stop.notes)] {
                if !value.is_empty() {
                    let _ = writeln!(text, "{name} = {}", quoted(value));
                }
            }
        }
        text
    }
}

/// A text as TOML has it, on one line.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            letter if letter.is_control() => {
                let _ = write!(quoted, "\\U{:08X}", letter as u32);
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_are_read_back_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("talks/stops.toml");
        assert_eq!(Stops::load(&path).unwrap(), Stops::default());
        let stops = Stops {
            title: "Attention \"by\" hand".into(),
            stops: vec![
                Stop {
                    at: "blocks.2.attn.hook_pattern[3, 10, 9]".into(),
                    prompt: Some("a\n\tb \\ \u{1}\u{7f} é".into()),
                    chat: true,
                    says: "One step back.".into(),
                    notes: "ask first".into(),
                    system: Some("Be \"brief\".".into()),
                    seed: Some(u64::MAX >> 1),
                    model: Some("classroom".into()),
                    head: Some(5),
                    pos: Some(10),
                    key: Some(0),
                    steps: Some(3),
                },
                Stop {
                    at: "kv-cache".into(),
                    ..Stop::default()
                },
            ],
        };
        stops.save(&path).unwrap();
        assert_eq!(Stops::load(&path).unwrap(), stops);
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        let told = Stops::read("title = \"x\"\n[[stop]]\nplace = \"y\"").unwrap_err();
        assert!(told.to_string().contains("line 3"), "{told}");
        let told = Stops::read("[[stop]]\nat = \"embed\"\nhead = \"fünf\"").unwrap_err();
        let expected = "line 3, column 8: this is string \"fünf\", expected a whole number";
        assert_eq!(told.to_string(), expected);
    }
}
