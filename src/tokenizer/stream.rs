//! Text that grows token by token and is never wrong at its end.
//!
//! A token may end in the middle of a character: `你` is three bytes, which a model may write as two tokens. So a stream keeps back what is
//! not complete yet, and what it has given out joined together is exactly what decoding all ids at once gives.

use std::sync::Arc;

use super::decode::{Decoding, Scheme, Sentence, Trim, byte_level_bytes, fallback_byte};

/// Whether a text begins with the first token, or goes on after others.
///
/// A sentence vocabulary (Llama 2, Mistral) writes a space before the first word, which is taken away again at the start of a text, and only
/// there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextStart {
    /// The ids are a text of their own: an answer in a chat, or a whole prompt.
    Fresh,
    /// The ids go on with a text that is already there: the continuation of a raw prompt keeps its first space.
    Continued,
}

/// Turns ids into text one at a time; see [`Tokenizer::stream`](super::Tokenizer::stream).
///
/// The work per id does not grow with the length of the text.
#[derive(Debug, Clone)]
pub struct StreamDecoder {
    decoding: Arc<Decoding>,
    skip_special_tokens: bool,
    is_first: bool,
    /// Bytes that are not a whole character yet, or a run of byte tokens that has not ended.
    held_bytes: Vec<u8>,
    trimmer: Trimmer,
}

impl StreamDecoder {
    pub(super) fn new(
        decoding: Arc<Decoding>,
        start: TextStart,
        skip_special_tokens: bool,
    ) -> Self {
        let is_first = start == TextStart::Fresh;
        let trim = match &decoding.scheme {
            Scheme::Sentence(sentence) => sentence.trim,
            Scheme::Words | Scheme::ByteLevel => Trim::default(),
        };
        Self {
            decoding,
            skip_special_tokens,
            is_first,
            held_bytes: Vec::new(),
            trimmer: Trimmer::new(trim, is_first),
        }
    }

    /// Takes the next id and returns the text that is complete now: often the token's text, sometimes nothing, sometimes more than one
    /// token's.
    ///
    /// An id that the vocabulary lacks adds nothing, as in Hugging Face's `decode`.
    pub fn push(&mut self, id: u32) -> String {
        let Some(token) = self.decoding.token(id) else {
            return String::new();
        };
        if self.skip_special_tokens && self.decoding.is_special(&token) {
            return String::new();
        }
        let is_first = std::mem::replace(&mut self.is_first, false);
        let decoding = Arc::clone(&self.decoding);
        match &decoding.scheme {
            Scheme::Words if is_first => token,
            Scheme::Words => format!(" {token}"),
            Scheme::ByteLevel => {
                self.held_bytes.extend(byte_level_bytes(&token));
                take_whole_characters(&mut self.held_bytes)
            }
            Scheme::Sentence(sentence) => self.push_to_sentence(sentence, &token, is_first),
        }
    }

    /// Ends the text and returns what was held back; half a character becomes U+FFFD, as in decoding at once.
    pub fn finish(mut self) -> String {
        let rest = match &self.decoding.scheme {
            Scheme::Words => String::new(),
            Scheme::ByteLevel => String::from_utf8_lossy(&self.held_bytes).into_owned(),
            Scheme::Sentence(_) => end_byte_run(&mut self.held_bytes),
        };
        self.trimmer.push(&rest)
    }

    /// Whether something is held back, so that the last token is not on the screen yet in full.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        !self.held_bytes.is_empty() || self.trimmer.held > 0
    }

    /// A run of byte tokens counts as a whole: if it is not UTF-8, each of its bytes becomes U+FFFD (tokenizers'
    /// `decoders/byte_fallback.rs`). So it is held back until it ends.
    fn push_to_sentence(&mut self, sentence: &Sentence, token: &str, is_first: bool) -> String {
        let text = sentence.edited(token, is_first);
        if let Some(byte) = fallback_byte(&text).filter(|_| sentence.byte_fallback) {
            self.held_bytes.push(byte);
            return String::new();
        }
        let mut complete = end_byte_run(&mut self.held_bytes);
        complete.push_str(&text);
        self.trimmer.push(&complete)
    }
}

/// Takes the characters that are complete off the front of `bytes`; bytes that can never become one turn into U+FFFD as in
/// [`String::from_utf8_lossy`].
fn take_whole_characters(bytes: &mut Vec<u8>) -> String {
    let mut text = String::new();
    loop {
        match std::str::from_utf8(bytes) {
            Ok(whole) => {
                text.push_str(whole);
                bytes.clear();
                return text;
            }
            Err(e) => {
                let valid: Vec<u8> = bytes.drain(..e.valid_up_to()).collect();
                text.push_str(&String::from_utf8_lossy(&valid));
                let Some(n_wrong) = e.error_len() else {
                    return text; // the last character goes on
                };
                bytes.drain(..n_wrong);
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
    }
}

/// Empties a run of byte tokens: its text, or one U+FFFD for each byte if it is not UTF-8.
fn end_byte_run(run: &mut Vec<u8>) -> String {
    let bytes = std::mem::take(run);
    let n_bytes = bytes.len();
    String::from_utf8(bytes)
        .unwrap_or_else(|_| char::REPLACEMENT_CHARACTER.to_string().repeat(n_bytes))
}

/// Cuts characters off the start and the end of a text that comes in parts.
#[derive(Debug, Clone)]
struct Trimmer {
    trim: Trim,
    /// How many more characters may be cut at the start.
    n_start: usize,
    /// How many characters are held back at the end, which go if nothing follows.
    held: usize,
}

impl Trimmer {
    fn new(trim: Trim, cuts_start: bool) -> Self {
        Self {
            trim,
            n_start: if cuts_start { trim.start } else { 0 },
            held: 0,
        }
    }

    fn push(&mut self, text: &str) -> String {
        let text = self.cut_start(text);
        if self.trim.stop == 0 || text.is_empty() {
            return text.to_owned();
        }
        let content = self.trim.content;
        let body = text.trim_end_matches(content);
        let n_trailing = text[body.len()..].chars().count();
        let mut n_before = self.held;
        if body.is_empty() {
            n_before += n_trailing;
            self.held = n_before.min(self.trim.stop);
            return content.to_string().repeat(n_before - self.held);
        }
        self.held = n_trailing.min(self.trim.stop);
        let mut complete = content.to_string().repeat(n_before);
        complete.push_str(body);
        complete.extend(std::iter::repeat_n(content, n_trailing - self.held));
        complete
    }

    fn cut_start<'t>(&mut self, text: &'t str) -> &'t str {
        let mut rest = text;
        while self.n_start > 0 && !rest.is_empty() {
            match rest.strip_prefix(self.trim.content) {
                Some(cut) => {
                    rest = cut;
                    self.n_start -= 1;
                }
                None => self.n_start = 0,
            }
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_characters_wait_and_broken_ones_are_marked() {
        let mut bytes = "a你".as_bytes()[..3].to_vec();
        assert_eq!(take_whole_characters(&mut bytes), "a");
        bytes.push("你".as_bytes()[2]);
        assert_eq!(take_whole_characters(&mut bytes), "你");
        bytes.extend([0xE4, b'x']);
        assert_eq!(take_whole_characters(&mut bytes), "\u{FFFD}x");
        assert!(bytes.is_empty());
    }

    #[test]
    fn trimming_in_parts_equals_trimming_at_once() {
        let trim = Trim {
            content: ' ',
            start: 1,
            stop: 2,
        };
        let parts = ["  a", " ", "", "  ", "b ", "   "];
        let mut trimmer = Trimmer::new(trim, true);
        let streamed: String = parts.iter().map(|part| trimmer.push(part)).collect();
        assert_eq!(streamed, trim.apply(&parts.concat()));
    }
}
