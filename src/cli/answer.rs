//! Following an answer to its end, and telling how it went.

use std::io::{self, Write};

use anyhow::{Result, bail};

use crate::engine::context::{Reuse, WhyNotMore};
use crate::engine::message::Event;
use crate::trace::answer::{Answer, StopReason};
use crate::trace::units;

/// What came of a question.
#[derive(Debug)]
pub struct Followed {
    /// The answer.
    pub answer: Answer,
    /// What of the prompt the cache held.
    pub reuse: Reuse,
}

/// Follows an answer to its end; its text is printed as it comes if `shows_text`. Notices go to
/// `notice`.
///
/// # Errors
/// If the request failed or was cancelled before it began, or the text cannot be printed.
pub fn follow(
    events: impl Iterator<Item = Event>,
    shows_text: bool,
    notice: &mut dyn FnMut(String),
) -> Result<Followed> {
    let mut n_shown = 0;
    let mut reuse = Reuse {
        reused: 0,
        why_not_more: WhyNotMore::CacheEmpty,
    };
    for event in events {
        match event {
            Event::Notice(text) => {
                if n_shown > 0 {
                    print("\n")?;
                }
                notice(text);
            }
            Event::Started { reuse: found, .. } => reuse = found,
            Event::Token { shown, .. } if shows_text => {
                n_shown += shown.len();
                print(&shown)?;
            }
            Event::Answered(answer) => {
                if shows_text {
                    // Held back until now: it could have become a stop string.
                    print(answer.text.get(n_shown..).unwrap_or_default())?;
                }
                let answer = *answer;
                return Ok(Followed { answer, reuse });
            }
            Event::Failed(why) => bail!(why),
            Event::Cancelled => bail!("cancelled before the answer began"),
            _ => {}
        }
    }
    bail!("the engine ended without an answer")
}

/// Prints `text` at once.
///
/// # Errors
/// If nobody reads any more.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Tells a notice on standard error.
pub fn note(text: String) {
    eprintln!("note: {text}");
}

/// Speed and memory of an answer, for people.
#[must_use]
pub fn summary(answer: &Answer) -> String {
    let speed = &answer.speed;
    let reused = match answer.reused {
        0 => String::new(),
        n => format!(" ({n} of them from the cache)"),
    };
    let stop = match answer.stop_reason {
        StopReason::Stop => "",
        StopReason::Length => " · stopped at the largest length",
        StopReason::Cancelled => " · cancelled",
    };
    format!(
        "prompt {} tokens{reused}, {} · answer {} tokens, {} · peak {}{stop}",
        answer.prompt_tokens.len(),
        units::tokens_per_second(speed.prompt_tps()),
        answer.tokens.len(),
        units::tokens_per_second(speed.generation_tps()),
        units::bytes(answer.peak_memory_bytes as u64),
    )
}
