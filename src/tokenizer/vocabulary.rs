//! The vocabulary to leaf through and to search.

use std::ops::Range;

use serde::Serialize;

use super::{Piece, Tokenizer, show_bytes};

/// One token of the vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its number: the row of the embedding table.
    pub id: u32,
    /// The token as the vocabulary writes it: `ĠParis`.
    pub written: String,
    /// Its text, with `<0xE4>` for each byte that is no whole character: ` Paris`.
    pub text: String,
    /// The bytes it stands for.
    pub bytes: Vec<u8>,
    /// Whether it is a special token.
    pub is_special: bool,
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The best entries: an exact match, then those that begin with the query, then those that contain it; each by id.
    pub entries: Vec<Entry>,
    /// How many there are in all.
    pub n_found: usize,
}

/// How the same word becomes tokens in another form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Variant {
    /// The word in this form: with a space, with a capital.
    pub text: String,
    /// Its tokens.
    pub pieces: Vec<Piece>,
}

/// All tokens of a vocabulary, by id.
#[derive(Debug)]
pub struct Vocabulary {
    entries: Vec<Entry>,
    /// The texts in lower case, in the same order, for searching.
    lowered: Vec<String>,
}

impl Vocabulary {
    pub(super) fn new(tokenizer: &Tokenizer) -> Self {
        let mut written: Vec<(u32, String)> = tokenizer
            .decoding
            .inner
            .get_vocab(true)
            .into_iter()
            .map(|(token, id)| (id, token))
            .collect();
        written.sort_unstable();
        let entries: Vec<Entry> = written
            .into_iter()
            .map(|(id, written)| {
                let bytes = tokenizer.decoding.bytes(&written);
                Entry {
                    id,
                    text: show_bytes(&bytes),
                    bytes,
                    is_special: tokenizer.is_special(id),
                    written,
                }
            })
            .collect();
        let lowered = entries
            .iter()
            .map(|entry| entry.text.to_lowercase())
            .collect();
        Self { entries, lowered }
    }

    /// Number of tokens.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no tokens.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The token of `id`.
    #[must_use]
    pub fn get(&self, id: u32) -> Option<&Entry> {
        let place = self
            .entries
            .binary_search_by_key(&id, |entry| entry.id)
            .ok()?;
        self.entries.get(place)
    }

    /// A page of tokens by their places, which are their ids where the vocabulary has no gaps; shorter at the end, or empty.
    #[must_use]
    pub fn page(&self, places: Range<usize>) -> &[Entry] {
        let end = places.end.min(self.entries.len());
        self.entries
            .get(places.start.min(end)..end)
            .unwrap_or_default()
    }

    /// Looks for tokens by text, whatever the case, or by id; at most `n_entries` are given back.
    ///
    /// The text may be as it is read (` paris`, `<0xE4>`) or as the vocabulary writes it (`Ġparis`).
    #[must_use]
    pub fn search(&self, query: &str, n_entries: usize) -> Found {
        if query.is_empty() {
            return Found::default();
        }
        let lowered = query.to_lowercase();
        let id: Option<u32> = query.trim().parse().ok();
        let mut found: Vec<(u8, &Entry)> = self
            .entries
            .iter()
            .zip(&self.lowered)
            .filter_map(|(entry, text)| {
                let quality = if id == Some(entry.id) || entry.text == query {
                    0
                } else if *text == lowered || entry.written == query {
                    1
                } else if text.starts_with(&lowered) || text.trim_start().starts_with(&lowered) {
                    2
                } else if text.contains(&lowered) || entry.written.contains(query) {
                    3
                } else {
                    return None;
                };
                Some((quality, entry))
            })
            .collect();
        found.sort_by_key(|(quality, entry)| (*quality, entry.id));
        Found {
            n_found: found.len(),
            entries: found
                .into_iter()
                .take(n_entries)
                .map(|(_, entry)| entry.clone())
                .collect(),
        }
    }
}

impl Tokenizer {
    /// The same word as it is, small, with a capital and in capitals, each with and without a space before it; forms that are the same are
    /// given once.
    ///
    /// # Errors
    /// If the tokenizer cannot split the word.
    pub fn variants(&self, word: &str) -> anyhow::Result<Vec<Variant>> {
        let word = word.trim();
        let small = word.to_lowercase();
        let mut letters = small.chars();
        let capital: String = letters
            .next()
            .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
            .unwrap_or_default();
        let mut texts: Vec<String> = Vec::new();
        for form in [word.to_owned(), small, capital, word.to_uppercase()] {
            for text in [form.clone(), format!(" {form}")] {
                if !form.is_empty() && !texts.contains(&text) {
                    texts.push(text);
                }
            }
        }
        texts
            .into_iter()
            .map(|text| {
                let pieces = self.encode(&text, false)?;
                Ok(Variant { text, pieces })
            })
            .collect()
    }
}
