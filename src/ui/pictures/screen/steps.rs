//! The tokens of an answer on their way: ids, their bytes, and the text that became complete.

use crate::engine::question::{Entry, Question, Told};
use crate::trace::debug::RunState;
use crate::ui::picture::Scene;

/// One token on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) pass: usize,
    pub(super) id: u32,
    pub(super) bytes: Vec<u8>,
    pub(super) is_end: bool,
    /// The text that became complete with it.
    pub(super) shown: String,
    /// Bytes that wait for the rest of their character.
    pub(super) held: Vec<u8>,
}

/// Every drawn token of the answer, in order.
pub(super) fn steps(scene: &mut Scene<'_>) -> Vec<Step> {
    let drawn = drawn(scene.run);
    let ends: Vec<u32> = scene.run.end_tokens.iter().map(|end| end.id).collect();
    let mut held = Vec::new();
    let mut steps = Vec::with_capacity(drawn.len());
    for (pass, id) in drawn {
        let Some(entry) = entry(scene, id) else {
            break;
        };
        let is_end = ends.contains(&id);
        let shown = match is_end {
            true => String::new(),
            false => complete(&mut held, &entry.bytes),
        };
        steps.push(Step {
            pass,
            id,
            bytes: entry.bytes,
            is_end,
            shown,
            held: held.clone(),
        });
    }
    steps
}

/// The passes that have drawn a token, and which.
pub(super) fn drawn(run: &RunState) -> Vec<(usize, u32)> {
    let passes = run.passes.iter().enumerate();
    passes
        .filter_map(|(pass, state)| Some((pass, state.draw.as_ref()?.token)))
        .collect()
}

/// A token as the vocabulary has it: at its own place, or found by its id where ids have gaps.
fn entry(scene: &mut Scene<'_>, id: u32) -> Option<Entry> {
    let place = id as usize;
    let at_place = Question::Vocabulary {
        model: None,
        page: place..place + 1,
    };
    let by_id = Question::SearchVocabulary {
        model: None,
        text: id.to_string(),
        limit: 8,
    };
    let mut find = |question: &Question| match &*scene.ask(question).ready()? {
        Told::Vocabulary(found) => Some(found.entries.iter().find(|entry| entry.id == id).cloned()),
        _ => None,
    };
    find(&at_place)?.or_else(|| find(&by_id).flatten())
}

/// Adds `bytes` to those that wait, and takes out the text that is complete.
///
/// Bytes that can never become a character are shown as �; those that may yet wait.
fn complete(held: &mut Vec<u8>, bytes: &[u8]) -> String {
    held.extend_from_slice(bytes);
    let mut text = String::new();
    loop {
        match std::str::from_utf8(held) {
            Ok(rest) => {
                text.push_str(rest);
                held.clear();
                return text;
            }
            Err(error) => {
                let (good, rest) = held.split_at(error.valid_up_to());
                text.push_str(&String::from_utf8_lossy(good));
                let n_bad = match error.error_len() {
                    Some(n_bad) => n_bad,
                    None => {
                        *held = rest.to_vec();
                        return text;
                    }
                };
                text.push('\u{fffd}');
                *held = rest.get(n_bad..).unwrap_or_default().to_vec();
            }
        }
    }
}

/// `20 50 61`, at most `n` of them.
pub(super) fn hex(bytes: &[u8], n: usize) -> String {
    let shown: Vec<String> = bytes
        .iter()
        .take(n)
        .map(|byte| format!("{byte:02X}"))
        .collect();
    let more = if bytes.len() > n { " …" } else { "" };
    format!("{}{more}", shown.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_waits_until_it_is_complete() {
        let mut held = Vec::new();
        assert_eq!(complete(&mut held, b"a\xF0\x9F"), "a");
        assert_eq!(held, [0xF0, 0x9F]);
        assert_eq!(complete(&mut held, b"\x98"), "");
        assert_eq!(complete(&mut held, b"\x80!"), "😀!");
        assert!(held.is_empty());
    }

    #[test]
    fn bytes_that_can_be_no_character_do_not_hold_the_rest_back() {
        let mut held = Vec::new();
        assert_eq!(complete(&mut held, b"\xFFok"), "\u{fffd}ok");
        assert_eq!(complete(&mut held, b"\xE4"), "");
        assert_eq!(complete(&mut held, b"x"), "\u{fffd}x");
        assert!(held.is_empty());
    }

    #[test]
    fn bytes_are_written_in_hexadecimal() {
        assert_eq!(hex(b" P", 8), "20 50");
        assert_eq!(hex(b"abc", 2), "61 62 …");
    }
}
