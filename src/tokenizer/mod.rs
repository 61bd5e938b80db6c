//! Text to ids and back: tokens with the bytes they cover, streaming decode, end tokens, stop strings, chat templates.
//!
//! Everything is read from the model's own folder and computed as Hugging Face's `tokenizers` and `transformers` do, so that a model sees the
//! ids it was trained on. This module knows neither MLX nor the window.

mod alphabet;
mod chat_template;
mod decode;
mod files;
mod roles;
mod stop;
mod stream;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, ensure};
use tokenizers::{Encoding, PostProcessor, PostProcessorWrapper, Token};

pub use chat_template::{ChatTemplateError, Message, Rendered, Segment, SegmentKind, TemplateArgs};
pub use files::TokenizerFiles;
pub use stop::{Passed, StopStrings};
pub use stream::{StreamDecoder, TextStart};

use chat_template::ChatTemplates;
use decode::Decoding;
use files::{DOWNLOAD_AGAIN, parse_object};
use roles::Roles;

/// A model's tokenizer, with its special tokens and chat template.
///
/// Cheap to share behind an `Arc`; nothing in it changes after loading.
#[derive(Debug)]
pub struct Tokenizer {
    decoding: Arc<Decoding>,
    frame: Frame,
    roles: Roles,
    special_tokens: Vec<SpecialToken>,
    eos_ids: Vec<u32>,
    templates: ChatTemplates,
}

/// One token of an encoded text.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// A token that is a sign for the model, not text: `<|im_end|>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecialToken {
    /// Its number in the vocabulary.
    pub id: u32,
    /// How it is written in a prompt.
    pub content: String,
}

/// The ids that are put around a text, such as the begin token of Llama.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Frame {
    before: Vec<u32>,
    after: Vec<u32>,
}

impl Tokenizer {
    /// Loads the tokenizer of a model folder.
    ///
    /// # Errors
    /// If a file is missing, empty or broken; the message names the file and says what to do.
    pub fn from_folder(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let files = TokenizerFiles::read(folder)?;
        Self::from_files(&files)
            .with_context(|| format!("cannot load the tokenizer of {}", folder.display()))
    }

    /// Loads a tokenizer from the bytes of its files, as the program carries them.
    ///
    /// # Errors
    /// If a file is empty or broken; the message names the file and says what to do.
    pub fn from_files(files: &TokenizerFiles) -> Result<Self> {
        let mut inner = read_tokenizer(&files.tokenizer_json)?;
        let config = parse_object("tokenizer_config.json", files.tokenizer_config.as_deref())?;
        let map = parse_object(
            "special_tokens_map.json",
            files.special_tokens_map.as_deref(),
        )?;
        let roles = Roles::read(&config, &map);
        let eos_ids = roles::eos_ids(files, &roles, &inner)?;

        // The frame is kept apart, so that byte ranges stay those of the text itself.
        let post_processor = inner.get_post_processor().cloned();
        let frame = match roles.explicit_frame(&config, post_processor.is_some(), &inner) {
            Some(frame) => frame,
            None => frame_of(post_processor.as_ref())?,
        };
        inner.with_post_processor(None::<PostProcessorWrapper>);
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|e| anyhow!("{e}"))?;

        Ok(Self {
            special_tokens: special_tokens(&inner),
            decoding: Arc::new(Decoding::new(Arc::new(inner))?),
            frame,
            eos_ids,
            templates: ChatTemplates::read(files, &config)?,
            roles,
        })
    }

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

    /// The text of `ids`; ids that the vocabulary lacks are left out.
    ///
    /// Equal to `decode` of Hugging Face's `tokenizers`. The "clean up" that older `transformers` did (it took spaces before punctuation out)
    /// is left undone: it would hide what the model wrote.
    #[must_use]
    pub fn decode(&self, ids: &[u32], skip_special_tokens: bool) -> String {
        let mut stream = self.stream(TextStart::Fresh, skip_special_tokens);
        let mut text: String = ids.iter().map(|&id| stream.push(id)).collect();
        text.push_str(&stream.finish());
        text
    }

    /// A decoder that takes ids one at a time, for text that is still being written.
    #[must_use]
    pub fn stream(&self, start: TextStart, skip_special_tokens: bool) -> StreamDecoder {
        StreamDecoder::new(Arc::clone(&self.decoding), start, skip_special_tokens)
    }

    /// The bytes that a token stands for inside a text; they need not be whole characters.
    #[must_use]
    pub fn token_bytes(&self, id: u32) -> Option<Vec<u8>> {
        let token = self.decoding.token(id)?;
        Some(self.decoding.bytes(&token))
    }

    /// A token for the eye: its text, with `<0xE4>` for each byte that is no whole character.
    #[must_use]
    pub fn token_text(&self, id: u32) -> Option<String> {
        self.token_bytes(id).map(|bytes| show_bytes(&bytes))
    }

    /// A token as the vocabulary writes it: `ĠParis`.
    #[must_use]
    pub fn token(&self, id: u32) -> Option<String> {
        self.decoding.token(id)
    }

    /// The id of a token as the vocabulary writes it.
    #[must_use]
    pub fn id_of(&self, token: &str) -> Option<u32> {
        self.decoding.inner.token_to_id(token)
    }

    /// Number of tokens, special ones included. The model's own `vocab_size` may be larger: it is often rounded up.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.decoding.inner.get_vocab_size(true)
    }

    /// The special tokens, by id.
    #[must_use]
    pub fn special_tokens(&self) -> &[SpecialToken] {
        &self.special_tokens
    }

    /// Whether `id` is a special token.
    #[must_use]
    pub fn is_special(&self, id: u32) -> bool {
        self.special_tokens
            .binary_search_by_key(&id, |token| token.id)
            .is_ok()
    }

    /// The ids that end an answer: those of `generation_config.json`, `config.json` and `tokenizer_config.json` together.
    #[must_use]
    pub fn eos_ids(&self) -> &[u32] {
        &self.eos_ids
    }

    /// Whether the model brings a chat template; without one, [`render_chat`](Self::render_chat) writes a plain `User: … Assistant:` form, of
    /// which the user should be told.
    #[must_use]
    pub fn has_template(&self) -> bool {
        !self.templates.is_empty()
    }

    /// The prompt for a chat, by the model's template.
    ///
    /// # Errors
    /// If the template refuses the messages, is broken, or goes beyond the limits of time, size and depth.
    pub fn render_chat(
        &self,
        messages: &[Message],
        args: &TemplateArgs,
    ) -> Result<Rendered, ChatTemplateError> {
        let specials: Vec<&str> = self
            .special_tokens
            .iter()
            .map(|t| t.content.as_str())
            .collect();
        self.templates
            .render(messages, args, &self.roles, &specials)
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
        [&bytes, written, after_space, &written[after_mark..]]
            .into_iter()
            .map(|bytes| (start..start + bytes.len(), bytes))
            .find(|(range, bytes)| {
                range.end <= chars.end && text.get(range.clone()) == Some(*bytes)
            })
            .map_or(chars, |(range, _)| range)
    }
}

impl Frame {
    fn len(&self) -> usize {
        self.before.len() + self.after.len()
    }
}

/// Bytes as text, with `<0xE4>` for each byte that is no whole character.
#[must_use]
pub fn show_bytes(bytes: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in bytes.utf8_chunks() {
        shown.push_str(chunk.valid());
        for byte in chunk.invalid() {
            shown.push_str(&format!("<0x{byte:02X}>"));
        }
    }
    shown
}

fn read_tokenizer(json: &[u8]) -> Result<tokenizers::Tokenizer> {
    ensure!(
        !json.iter().all(u8::is_ascii_whitespace),
        "tokenizer.json is empty; {DOWNLOAD_AGAIN}"
    );
    let inner = tokenizers::Tokenizer::from_bytes(json)
        .map_err(|e| anyhow!("tokenizer.json holds no tokenizer ({e}); {DOWNLOAD_AGAIN}"))?;
    ensure!(
        inner.get_vocab_size(true) > 0,
        "tokenizer.json has an empty vocabulary; {DOWNLOAD_AGAIN}"
    );
    Ok(inner)
}

/// The special tokens of a tokenizer, by id.
fn special_tokens(inner: &tokenizers::Tokenizer) -> Vec<SpecialToken> {
    let mut tokens: Vec<SpecialToken> = inner
        .get_added_tokens_decoder()
        .into_iter()
        .filter(|(_, token)| token.special)
        .map(|(id, token)| SpecialToken {
            id,
            content: token.content,
        })
        .collect();
    tokens.sort_by_key(|token| token.id);
    tokens
}

/// The ids that a post-processor puts around any text, found by showing it a text of one token.
fn frame_of(post_processor: Option<&PostProcessorWrapper>) -> Result<Frame> {
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

#[cfg(test)]
mod tests;
