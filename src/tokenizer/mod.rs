//! Text to ids and back: tokens with the bytes they cover, streaming decode, end tokens, stop strings, chat templates.
//!
//! Everything is read from the model's own folder and computed as Hugging Face's `tokenizers` and `transformers` do, so that a model sees the
//! ids it was trained on. This module knows neither MLX nor the window.

mod alphabet;
mod chat_template;
mod decode;
mod files;
mod merges;
mod pieces;
mod roles;
mod stop;
mod stream;
mod vocabulary;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, anyhow, ensure};
use serde::Serialize;
use tokenizers::PostProcessorWrapper;

pub use alphabet::bytes_of_token;
pub use chat_template::{ChatTemplateError, Message, Rendered, Segment, SegmentKind, TemplateArgs};
pub use files::TokenizerFiles;
pub use merges::{MergeStep, Symbol, Word, WordKind};
pub use pieces::Piece;
pub use stop::{Passed, StopStrings};
pub use stream::{StreamDecoder, TextStart};
pub use vocabulary::{Entry, Found, Variant, Vocabulary};

use chat_template::ChatTemplates;
use decode::Decoding;
use files::{DOWNLOAD_AGAIN, parse_object};
use merges::MergeTable;
use pieces::{Frame, frame_of};
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
    /// Read when they are first asked for: large vocabularies take a second.
    merges: OnceLock<MergeTable>,
    vocabulary: OnceLock<Vocabulary>,
}

/// A token that is a sign for the model, not text: `<|im_end|>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SpecialToken {
    /// Its number in the vocabulary.
    pub id: u32,
    /// How it is written in a prompt.
    pub content: String,
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
            merges: OnceLock::new(),
            vocabulary: OnceLock::new(),
        })
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

    /// How `text` is split into words, and how each becomes tokens merge by merge; the end of it is what [`encode`](Self::encode) gives.
    ///
    /// # Errors
    /// If the vocabulary has no merges, or the tokenizer cannot split the text.
    pub fn merges(&self, text: &str) -> Result<Vec<Word>> {
        let inner = &self.decoding.inner;
        let table = match self.merges.get() {
            Some(table) => table,
            None => {
                let table = MergeTable::read(inner)?;
                self.merges.get_or_init(|| table)
            }
        };
        table.play(inner, text)
    }

    /// All tokens, to leaf through and to search.
    #[must_use]
    pub fn vocabulary(&self) -> &Vocabulary {
        self.vocabulary.get_or_init(|| Vocabulary::new(self))
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

#[cfg(test)]
mod tests;
