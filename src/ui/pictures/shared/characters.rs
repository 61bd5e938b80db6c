//! Tokens that share characters: a letter of another script, or an emoji, is often cut in two.

use std::ops::Range;

use crate::engine::question::TextPiece;

/// Bytes of the longest character in UTF-8.
const LONGEST: usize = 4;

/// Runs of tokens that can be shown as text: most are one token; where a character is spread over several,
/// they stay together. Bytes that are no text stay alone.
pub fn whole_characters(pieces: &[TextPiece]) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let mut start = 0;
    while start < pieces.len() {
        let end = end_of_characters(pieces, start).unwrap_or(start + 1);
        groups.push(start..end);
        start = end;
    }
    groups
}

/// Where the characters that begin in token `start` are whole; `None` if they never are.
fn end_of_characters(pieces: &[TextPiece], start: usize) -> Option<usize> {
    let mut bytes = Vec::new();
    for (at, piece) in pieces.iter().enumerate().skip(start) {
        bytes.extend_from_slice(&piece.bytes);
        let unfinished = match std::str::from_utf8(&bytes) {
            Ok(_) => return Some(at + 1),
            // Bytes that can still become a character.
            Err(error) if error.error_len().is_none() => bytes.len() - error.valid_up_to(),
            Err(_) => return None,
        };
        if unfinished >= LONGEST {
            return None;
        }
    }
    None
}

/// The text of such a run; of bytes that are no text, what the tokenizer calls them.
pub fn text_of(pieces: &[TextPiece]) -> String {
    let bytes: Vec<u8> = pieces
        .iter()
        .flat_map(|piece| piece.bytes.clone())
        .collect();
    let named = || pieces.iter().map(|piece| piece.text.as_str()).collect();
    String::from_utf8(bytes).unwrap_or_else(|_| named())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(parts: &[&[u8]]) -> Vec<TextPiece> {
        let piece = |bytes: &&[u8]| TextPiece {
            id: 0,
            written: String::new(),
            text: "<bytes>".to_owned(),
            bytes: bytes.to_vec(),
            covers: 0..bytes.len(),
            is_special: false,
        };
        parts.iter().map(piece).collect()
    }

    #[test]
    fn a_character_over_several_tokens_is_one_run() {
        let fire = pieces(&[b"a ", b"\xF0\x9F", b"\x94", b"\xA5", b"b"]);
        assert_eq!(whole_characters(&fire), [0..1, 1..4, 4..5]);
        assert_eq!(text_of(&fire[1..4]), "\u{1F525}");
        // One token may end a character and begin the next.
        let two = pieces(&[b"\xE7\x8C", b"\xAB\xE7", b"\x8C\xAB"]);
        assert_eq!(
            whole_characters(&two).as_slice(),
            std::slice::from_ref(&(0..3))
        );
    }

    #[test]
    fn bytes_that_are_no_text_stay_alone() {
        let broken = pieces(&[b"\xE7", b"x", b"\xFF", b"\xF0\x9F"]);
        assert_eq!(whole_characters(&broken), [0..1, 1..2, 2..3, 3..4]);
        assert_eq!(text_of(&broken[..1]), "<bytes>");
    }
}
