//! How tokens become text again: the decoder that `tokenizer.json` names, in a form that can also run token by token.
//!
//! Two kinds are in use. A **byte-level** vocabulary (GPT-2, Llama 3, Qwen) writes bytes with the [`alphabet`](super::alphabet). A
//! **sentence** vocabulary (Llama 2, Mistral, Phi-3) writes `▁` for a space and falls back to tokens such as `<0xE4>` for bytes it has no
//! word for.

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use super::alphabet;

/// Everything needed to turn ids into text; shared by a tokenizer and the streams it has given out.
#[derive(Debug)]
pub(super) struct Decoding {
    pub inner: Arc<tokenizers::Tokenizer>,
    pub scheme: Scheme,
    /// Contents of the special tokens, left out where they are to be skipped.
    specials: HashSet<String>,
}

/// The decoders of Hugging Face's `tokenizers` that language models use.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scheme {
    /// No decoder: tokens are words, with a space between them.
    Words,
    /// The bytes of all tokens one after another, read as UTF-8.
    ByteLevel,
    /// Changes to each token, then changes to the text they make together.
    Sentence(Sentence),
}

/// The steps of a sentence vocabulary's decoder.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sentence {
    /// Changes to each token, in order.
    pub token_edits: Vec<TokenEdit>,
    /// Whether runs of `<0xE4>` tokens are read as UTF-8.
    pub byte_fallback: bool,
    /// What is cut off the whole text.
    pub trim: Trim,
}

/// A change to one token before tokens are joined.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenEdit {
    /// `from` becomes `to`: `▁` becomes a space.
    Replace { from: String, to: String },
    /// `mark` becomes a space, or nothing in the first token of a text.
    Metaspace { mark: char, drop_in_first: bool },
    /// Cuts every token.
    Trim(Trim),
}

/// Up to `start` characters `content` are cut at the start, up to `stop` at the end.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Trim {
    pub content: char,
    pub start: usize,
    pub stop: usize,
}

impl Trim {
    /// The token without what is cut.
    pub fn apply<'t>(&self, token: &'t str) -> &'t str {
        let mut rest = token;
        for _ in 0..self.start {
            rest = rest.strip_prefix(self.content).unwrap_or(rest);
        }
        for _ in 0..self.stop {
            rest = rest.strip_suffix(self.content).unwrap_or(rest);
        }
        rest
    }
}

impl Decoding {
    pub fn new(inner: Arc<tokenizers::Tokenizer>) -> Result<Self> {
        let decoder = serde_json::to_value(inner.get_decoder())
            .context("cannot read the decoder of tokenizer.json")?;
        let specials = inner
            .get_added_tokens_decoder()
            .into_values()
            .filter(|token| token.special)
            .map(|token| token.content)
            .collect();
        Ok(Self {
            scheme: Scheme::read(&decoder)?,
            inner,
            specials,
        })
    }

    /// The token of `id` as the vocabulary writes it.
    pub fn token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    pub fn is_special(&self, token: &str) -> bool {
        self.specials.contains(token)
    }

    /// The bytes that a token stands for, inside a text.
    pub fn bytes(&self, token: &str) -> Vec<u8> {
        match &self.scheme {
            Scheme::Words => token.as_bytes().to_vec(),
            Scheme::ByteLevel => byte_level_bytes(token),
            Scheme::Sentence(sentence) => {
                let text = sentence.edited(token, false);
                match fallback_byte(&text).filter(|_| sentence.byte_fallback) {
                    Some(byte) => vec![byte],
                    None => text.into_bytes(),
                }
            }
        }
    }
}

impl Scheme {
    /// Reads the `decoder` of a `tokenizer.json`.
    fn read(decoder: &Value) -> Result<Self> {
        let mut steps = Vec::new();
        flatten(decoder, &mut steps);
        match steps.as_slice() {
            [] => Ok(Self::Words),
            [only] if kind(only) == "ByteLevel" => Ok(Self::ByteLevel),
            _ => Ok(Self::Sentence(Sentence::read(&steps)?)),
        }
    }
}

impl Sentence {
    /// # Errors
    /// If a step is unknown, or comes where it cannot be run token by token.
    fn read(steps: &[&Value]) -> Result<Self> {
        let mut sentence = Self::default();
        let mut is_fused = false;
        for step in steps {
            match kind(step) {
                "Fuse" => is_fused = true,
                "ByteFallback" if !is_fused => sentence.byte_fallback = true,
                "Strip" if is_fused => sentence.trim = trim_of(step)?,
                name if is_fused || sentence.byte_fallback => {
                    bail!(unknown_decoder(name));
                }
                _ => sentence.token_edits.push(TokenEdit::read(step)?),
            }
        }
        Ok(sentence)
    }

    /// A token after its edits; `is_first` if no token of the text came before it.
    pub fn edited(&self, token: &str, is_first: bool) -> String {
        let mut text = token.to_owned();
        for edit in &self.token_edits {
            text = match edit {
                TokenEdit::Replace { from, to } => text.replace(from, to),
                TokenEdit::Metaspace {
                    mark,
                    drop_in_first,
                } => {
                    let space = if is_first && *drop_in_first { "" } else { " " };
                    text.replace(*mark, space)
                }
                TokenEdit::Trim(trim) => trim.apply(&text).to_owned(),
            };
        }
        text
    }
}

impl TokenEdit {
    fn read(step: &Value) -> Result<Self> {
        match kind(step) {
            "Replace" => {
                let pattern = step.pointer("/pattern/String");
                let from = pattern
                    .and_then(Value::as_str)
                    .ok_or_else(|| anyhow!(unknown_decoder("Replace with a regular expression")))?;
                Ok(Self::Replace {
                    from: from.to_owned(),
                    to: step["content"].as_str().unwrap_or_default().to_owned(),
                })
            }
            "Metaspace" => Ok(Self::Metaspace {
                mark: char_of(&step["replacement"])?,
                drop_in_first: step["prepend_scheme"] != "never",
            }),
            "Strip" => Ok(Self::Trim(trim_of(step)?)),
            name => bail!(unknown_decoder(name)),
        }
    }
}

/// The steps of a decoder in order; a sequence may hold sequences.
fn flatten<'v>(decoder: &'v Value, steps: &mut Vec<&'v Value>) {
    match decoder["decoders"].as_array() {
        Some(inner) => inner.iter().for_each(|step| flatten(step, steps)),
        None if decoder.is_null() => {}
        None => steps.push(decoder),
    }
}

fn kind(step: &Value) -> &str {
    step["type"].as_str().unwrap_or_default()
}

fn trim_of(step: &Value) -> Result<Trim> {
    let count = |name: &str| {
        step[name]
            .as_u64()
            .and_then(|n| usize::try_from(n).ok())
            .with_context(|| {
                format!("tokenizer.json has a Strip decoder without a number `{name}`")
            })
    };
    Ok(Trim {
        content: char_of(&step["content"])?,
        start: count("start")?,
        stop: count("stop")?,
    })
}

fn char_of(value: &Value) -> Result<char> {
    value
        .as_str()
        .and_then(|text| text.chars().next())
        .context("tokenizer.json has a decoder that names no character")
}

fn unknown_decoder(name: &str) -> String {
    format!(
        "tokenizer.json uses the decoder {name} where only ByteLevel, or Metaspace, Replace, ByteFallback, Fuse and Strip in the order of \
         Llama's tokenizer, are understood; choose a model of a supported family"
    )
}

/// The bytes of a byte-level token; a token outside the alphabet (an added token with a space in it) is its own text.
pub(super) fn byte_level_bytes(token: &str) -> Vec<u8> {
    alphabet::bytes_of_token(token).unwrap_or_else(|| token.as_bytes().to_vec())
}

/// The byte of a token like `<0xE4>` (tokenizers' `decoders/byte_fallback.rs`).
pub(super) fn fallback_byte(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    (digits.len() == 2).then(|| u8::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn llamas_decoder_is_understood() {
        let decoder = json!({"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
            {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}
        ]});
        let Scheme::Sentence(sentence) = Scheme::read(&decoder).unwrap() else {
            panic!("not a sentence decoder");
        };
        assert!(sentence.byte_fallback);
        assert_eq!(sentence.trim.start, 1);
        assert_eq!(sentence.edited("▁the▁", false), " the ");
    }

    #[test]
    fn an_unknown_decoder_is_named() {
        let said = Scheme::read(&json!({"type": "WordPiece", "prefix": "##"})).unwrap_err();
        assert!(said.to_string().contains("the decoder WordPiece"), "{said}");
    }

    #[test]
    fn byte_tokens_are_told_from_text_that_looks_like_them() {
        assert_eq!(fallback_byte("<0xE4>"), Some(0xE4));
        for other in ["<0xE4", "<0xE45>", "<0xG4>", "<0x>", "0xE4", "<0xé>"] {
            assert_eq!(fallback_byte(other), None, "{other}");
        }
    }
}
