//! Text to tokens, each with the bytes of the text that it covers.

use std::ops::Range;

use anyhow::{Result, anyhow};
use serde::Serialize;
use tokenizers::{Encoding, PostProcessor, PostProcessorWrapper, Token};

use super::Tokenizer;
use super::files::DOWNLOAD_AGAIN;

/// One token of an encoded text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Piece {
    /// Its number in the vocabulary: the row of the embedding table.
    pub id: u32,
    /// The token as the vocabulary writes it: `ĠParis`, `▁Paris`, `<0xE4>`.
    pub text: String,
    /// The bytes of the prompt that it covers; empty for a token that was added around the text.
    ///
    /// A token may cover part of a character. Where the vocabulary changes the text first (Qwen composes accents), a range is that of the
    /// original characters, and two tokens of one character may both name the whole of it.
    pub bytes: Range<usize>,
}

/// The ids that are put around a text, such as the begin token of Llama.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Frame {
    pub before: Vec<u32>,
    pub after: Vec<u32>,
}

impl Tokenizer {
    /// The tokens of `text` with the bytes they cover. Special tokens written in the text are recognised, as in Hugging Face.
    ///
    /// With `add_special_tokens` the model's frame is added (a begin token, where the model has one): wanted for a raw prompt, not for a
    /// rendered chat template, which writes it itself.
    ///
    /// # Errors
    /// If the tokenizer cannot split the text.
    pub fn encode(&self, text: &str, add_special_tokens: bool) -> Result<Vec<Piece>> {
        let encoding = self.encode_bare(text)?;
        let mut pieces = Vec::with_capacity(encoding.len() + self.frame.len());
        if add_special_tokens {
            pieces.extend(self.frame.before.iter().map(|&id| self.added_piece(id, 0)));
        }
        pieces.extend(self.pieces(text, &encoding));
        if add_special_tokens {
            let end = text.len();
            pieces.extend(self.frame.after.iter().map(|&id| self.added_piece(id, end)));
        }
        Ok(pieces)
    }

    /// The ids of `text`; see [`encode`](Self::encode).
    ///
    /// # Errors
    /// If the tokenizer cannot split the text.
    pub fn encode_ids(&self, text: &str, add_special_tokens: bool) -> Result<Vec<u32>> {
        let bare = self.encode_bare(text)?;
        if !add_special_tokens {
            return Ok(bare.get_ids().to_vec());
        }
        Ok([&self.frame.before, bare.get_ids(), &self.frame.after].concat())
    }

    fn encode_bare(&self, text: &str) -> Result<Encoding> {
        self.decoding
            .inner
            .encode(text, false)
            .map_err(|e| anyhow!("the tokenizer cannot split this text: {e}"))
    }

    fn added_piece(&self, id: u32, at: usize) -> Piece {
        Piece {
            id,
            text: self.decoding.token(id).unwrap_or_default(),
            bytes: at..at,
        }
    }

    /// The pieces of an encoded text, with ranges exact to the byte where the text was not changed before it was split.
    fn pieces(&self, text: &str, encoding: &Encoding) -> Vec<Piece> {
        let mut end_of_last = 0;
        let tokens = encoding.get_ids().iter().zip(encoding.get_tokens());
        tokens
            .zip(encoding.get_offsets())
            .map(|((&id, token), &(start, end))| {
                let range = self.exact_range(text.as_bytes(), token, end_of_last, start..end);
                end_of_last = range.end;
                Piece {
                    id,
                    text: token.clone(),
                    bytes: range,
                }
            })
            .collect()
    }

    /// Where a token stands in the text: right after the last one if its bytes are found there, else at `chars`, the characters that the
    /// library names.
    fn exact_range(
        &self,
        text: &[u8],
        token: &str,
        end_of_last: usize,
        chars: Range<usize>,
    ) -> Range<usize> {
        let start = end_of_last.max(chars.start);
        let bytes = self.decoding.bytes(token);
        let written = token.as_bytes();
        // A sentence vocabulary writes a space before the first word that the text does not have.
        let after_space = bytes.strip_prefix(b" ").unwrap_or(&bytes);
        let after_mark = token.chars().next().map_or(0, char::len_utf8);
        [
            &bytes,
            written,
            after_space,
            written.get(after_mark..).unwrap_or_default(),
        ]
        .into_iter()
        .map(|bytes| (start..start + bytes.len(), bytes))
        .find(|(range, bytes)| range.end <= chars.end && text.get(range.clone()) == Some(*bytes))
        .map_or(chars, |(range, _)| range)
    }
}

impl Frame {
    fn len(&self) -> usize {
        self.before.len() + self.after.len()
    }
}

/// The ids that a post-processor puts around any text, found by showing it a text of one token.
pub(super) fn frame_of(post_processor: Option<&PostProcessorWrapper>) -> Result<Frame> {
    let Some(post_processor) = post_processor else {
        return Ok(Frame::default());
    };
    const PROBE: u32 = u32::MAX;
    let probe = Encoding::from_tokens(vec![Token::new(PROBE, String::new(), (0, 0))], 0);
    let framed = post_processor.process(probe, None, true).map_err(|e| {
        anyhow!("tokenizer.json has a broken post-processor ({e}); {DOWNLOAD_AGAIN}")
    })?;
    let mut around = framed.get_ids().split(|&id| id == PROBE);
    Ok(Frame {
        before: around.next().unwrap_or_default().to_vec(),
        after: around.next().unwrap_or_default().to_vec(),
    })
}
