//! Words of the vocabulary as people read them.

use crate::engine::question::{Symbol, Word, bytes_of_token};
use crate::ui::tokens::visible;

/// A piece as people read it: the vocabulary's signs for a space and a line break become marks.
pub fn spelled(written: &str) -> String {
    let text: String = written
        .chars()
        .map(|letter| match letter {
            'Ġ' | '▁' => '·',
            'Ċ' => '⏎',
            'ĉ' => '⇥',
            other => other,
        })
        .collect();
    visible(&text)
}

/// A word whose pieces are written with their own letters. A byte-level vocabulary writes each byte as some letter;
/// of a letter that is cut in two the bytes are shown.
pub fn readable(word: &Word) -> Word {
    let mut word = word.clone();
    // The bytes of a whole word are text, if its letters stand for bytes at all.
    let is_text = |bytes: Vec<u8>| std::str::from_utf8(&bytes).is_ok();
    if !bytes_of_token(&word.text).is_some_and(is_text) {
        return word;
    }
    word.text = letters(&word.text);
    let steps = word.steps.iter_mut();
    let of_steps = steps.flat_map(|step| [&mut step.left, &mut step.right, &mut step.merged]);
    for Symbol { text, .. } in word.symbols.iter_mut().chain(of_steps) {
        *text = letters(text);
    }
    word
}

/// What the bytes of `written` say; blanks keep their signs.
fn letters(written: &str) -> String {
    let Some(bytes) = bytes_of_token(written) else {
        return written.to_owned();
    };
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.extend(chunk.valid().chars().map(|letter| match letter {
            ' ' => 'Ġ',
            '\n' => 'Ċ',
            '\t' => 'ĉ',
            other => other,
        }));
        for byte in chunk.invalid() {
            text.push_str(&format!("<0x{byte:02X}>"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vocabularys_signs_become_marks() {
        assert_eq!(spelled("Ġun"), "·un");
        assert_eq!(spelled("▁Tom"), "·Tom");
        assert_eq!(spelled("Ċ"), "⏎");
    }

    #[test]
    fn letters_that_stand_for_bytes_are_read_as_text() {
        assert_eq!(letters("Ġcaf\u{c3}\u{a9}"), "Ġcafé");
        assert_eq!(letters("\u{e4}\u{bd}"), "<0xE4><0xBD>");
        // Not of that alphabet: a vocabulary of letters.
        assert_eq!(letters("▁café"), "▁café");
    }
}
