//! A view as one line of text: what to open and where to look, to be pasted, mailed, or given to
//! `vitrine open`.
//!
//! ```text
//! model=classroom seed=7 raw="The capital of France is" at=blocks.2.attn.hook_pattern head=3 pos=4
//! ```
//!
//! Each part is optional, and their order is free; an address alone is a line too. Light and dark,
//! sizes and panels are nobody's business but the reader's, so they are not in it.

use std::fmt;
use std::str::FromStr;

use super::spot::Spot;
use crate::settings::PromptSettings;

/// What to open and where to look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ViewLine {
    /// Which model; the one that is open if `None`.
    pub model: Option<String>,
    /// The prompt with its seed; the one that is open if `None`.
    pub prompt: Option<PromptSettings>,
    /// What to show.
    pub spot: Option<Spot>,
    /// The head to point at.
    pub head: Option<usize>,
    /// The position of the text to point at.
    pub pos: Option<usize>,
    /// The position that it reads.
    pub key: Option<usize>,
    /// Tokens to generate first, as `--steps` says it: so many passes have run.
    pub steps: Option<usize>,
}

/// Most bytes of a line: a prompt may be long, but a file is no line.
const LONGEST: usize = 1 << 20;

/// Most tokens that a line makes a model write: who pastes it waits for them.
const MOST_STEPS: usize = 512;

/// A text that is no view.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no view: {0}. A view is an address (blocks.2.attn.hook_pattern), or a line like \
     model=classroom raw=\"The capital of France is\" at=tokens head=3 pos=4"
)]
pub struct NoViewLine(String);

impl fmt::Display for ViewLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(
            self.model
                .as_ref()
                .map(|model| format!("model={}", quoted(model))),
        );
        if let Some(prompt) = &self.prompt {
            parts.push(format!("seed={}", prompt.seed));
            if prompt.is_chat && !prompt.system.is_empty() {
                parts.push(format!("system={}", in_quotes(&prompt.system)));
            }
            let form = if prompt.is_chat { "chat" } else { "raw" };
            parts.push(format!("{form}={}", in_quotes(&prompt.text)));
        }
        parts.extend(
            self.spot
                .as_ref()
                .map(|spot| format!("at={}", quoted(&spot.to_string()))),
        );
        let numbers = [
            ("head", self.head),
            ("pos", self.pos),
            ("key", self.key),
            ("steps", self.steps),
        ];
        for (name, number) in numbers {
            parts.extend(number.map(|number| format!("{name}={number}")));
        }
        f.write_str(&parts.join(" "))
    }
}

/// As it is, unless that would end too early.
fn quoted(text: &str) -> String {
    let is_plain = !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c == '"');
    if is_plain {
        text.to_owned()
    } else {
        in_quotes(text)
    }
}

/// As JSON writes a string: one line, whatever is in it.
fn in_quotes(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl FromStr for ViewLine {
    type Err = NoViewLine;

    fn from_str(text: &str) -> Result<Self, NoViewLine> {
        let text = text.trim();
        let text = text.strip_prefix("vitrine open ").unwrap_or(text).trim();
        if text.len() > LONGEST {
            return Err(NoViewLine("it is longer than a million bytes".to_owned()));
        }
        if text.is_empty() {
            return Err(NoViewLine("it is empty".to_owned()));
        }
        if let Ok(spot) = text.parse::<Spot>() {
            let spot = Some(spot);
            return Ok(Self {
                spot,
                ..Self::default()
            });
        }
        let mut line = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            let (name, value, after) = part(rest)?;
            line.take(name, value)?;
            rest = after.trim_start();
        }
        Ok(line)
    }
}

/// The first `name=value` of `text`, and what follows it.
fn part(text: &str) -> Result<(&str, String, &str), NoViewLine> {
    let is_name = |c: char| c.is_ascii_lowercase();
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let shown: String = text.chars().take(40).collect();
    let Some(value) = rest.strip_prefix('=').filter(|_| !name.is_empty()) else {
        return Err(NoViewLine(format!(
            "'{shown}' is no address, and no name=value"
        )));
    };
    if !value.starts_with('"') {
        let end = value.find(char::is_whitespace).unwrap_or(value.len());
        let (value, rest) = value.split_at(end);
        return Ok((name, value.to_owned(), rest));
    }
    let mut strings = serde_json::Deserializer::from_str(value).into_iter::<String>();
    match strings.next() {
        Some(Ok(string)) => {
            let rest = value.get(strings.byte_offset()..).unwrap_or_default();
            Ok((name, string, rest))
        }
        _ => Err(NoViewLine(format!("the quotes after {name}= do not close"))),
    }
}

impl ViewLine {
    fn take(&mut self, name: &str, value: String) -> Result<(), NoViewLine> {
        let number = |value: &str| {
            let parsed = value.parse::<usize>();
            parsed.map_err(|_| NoViewLine(format!("{name}= wants a number, not '{value}'")))
        };
        match name {
            "model" => self.model = Some(value),
            "seed" => self.prompt().seed = number(&value)? as u64,
            "system" => self.prompt().system = value,
            "raw" | "chat" => {
                let prompt = self.prompt();
                prompt.text = value;
                prompt.is_chat = name == "chat";
            }
            "at" => {
                let spot = value.parse();
                self.spot = Some(spot.map_err(|error| NoViewLine(format!("{error}")))?);
            }
            "head" => self.head = Some(number(&value)?),
            "pos" => self.pos = Some(number(&value)?),
            "key" => self.key = Some(number(&value)?),
            "steps" => {
                let steps = number(&value)?;
                if steps > MOST_STEPS {
                    let why = format!("steps= is at most {MOST_STEPS}, not {steps}");
                    return Err(NoViewLine(why));
                }
                self.steps = Some(steps);
            }
            _ => {
                return Err(NoViewLine(format!(
                    "'{name}=' is not one of model, seed, raw, chat, system, at, head, pos, key, \
                     steps"
                )));
            }
        }
        Ok(())
    }

    fn prompt(&mut self) -> &mut PromptSettings {
        self.prompt.get_or_insert_with(|| PromptSettings {
            text: String::new(),
            ..PromptSettings::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let line = ViewLine {
            model: Some("a folder/with spaces".into()),
            prompt: Some(PromptSettings {
                text: "two\nlines, \"quoted\", ünïcode = 1".into(),
                system: "Be brief.".into(),
                is_chat: true,
                seed: 11,
            }),
            spot: Some(
                "pass.2.blocks.1.attn.hook_pattern[3, 0, 9]"
                    .parse()
                    .unwrap(),
            ),
            head: Some(3),
            pos: Some(9),
            key: Some(0),
            steps: Some(2),
        };
        let text = line.to_string();
        assert!(!text.contains('\n'), "{text}");
        assert_eq!(text.parse::<ViewLine>().unwrap(), line);
        let pasted = format!("  vitrine open {text}\n");
        assert_eq!(pasted.parse::<ViewLine>().unwrap(), line);
    }

    #[test]
    fn an_address_is_a_line() {
        let line: ViewLine = "sample#filters".parse().unwrap();
        assert_eq!(line.to_string(), "at=sample#filters");
        assert!(line.prompt.is_none());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, says) in [
            ("", "empty"),
            ("hello there", "'hello there' is no address"),
            ("moon=3", "'moon='"),
            ("head=three", "wants a number, not 'three'"),
            ("raw=\"open", "do not close"),
            ("at=moon", "'moon' is no address"),
            ("steps=1000000000", "at most 512"),
        ] {
            let error = text.parse::<ViewLine>().unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
