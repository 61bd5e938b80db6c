//! Byte-pair encoding played step by step: how the letters of a word become tokens.
//!
//! The library gives only the end of it, so the merging is done again here, from `tokenizer.json`'s own list of merges. It stops where the
//! library stops: the last pieces are the tokens of [`Tokenizer::encode`](super::Tokenizer::encode).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::ops::Range;

use anyhow::{Context, Result, anyhow, bail};
use serde::Serialize;
use serde_json::Value;
use tokenizers::models::bpe::BPE;
use tokenizers::{ModelWrapper, OffsetReferential, OffsetType, PreTokenizer};

/// The merges of a vocabulary, by the two tokens they join.
#[derive(Debug)]
pub(super) struct MergeTable {
    by_pair: HashMap<(u32, u32), Merge>,
}

#[derive(Debug, Clone, Copy)]
struct Merge {
    rank: usize,
    id: u32,
}

/// A part of the text that is merged by itself: a word, a number, a line break; or a special token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Word {
    /// The bytes of the text that it covers.
    pub bytes: Range<usize>,
    /// The word as the vocabulary writes it: `ĠParis`.
    pub text: String,
    /// How it becomes tokens.
    pub kind: WordKind,
    /// What merging begins with: one symbol per letter or byte.
    pub symbols: Vec<Symbol>,
    /// The merges, in the order in which they happen.
    pub steps: Vec<MergeStep>,
}

/// How a word becomes tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum WordKind {
    /// Pairs are merged until no merge is left.
    Merged,
    /// The vocabulary holds the whole word, and this model looks there first (Llama 3).
    Whole,
    /// It is a token that stands apart from the vocabulary's words, such as `<|im_end|>`.
    Added,
}

/// A symbol that merging begins with, or a piece that it has made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Symbol {
    /// Its number in the vocabulary.
    pub id: u32,
    /// How the vocabulary writes it.
    pub text: String,
}

/// One merge of two neighbours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MergeStep {
    /// The place of the merge in the vocabulary's list; the lowest rank in a word goes first.
    pub rank: usize,
    /// The first symbols of the left and of the right piece, and the symbol after them.
    pub symbols: [usize; 3],
    /// The left piece.
    pub left: Symbol,
    /// The right piece.
    pub right: Symbol,
    /// What they become.
    pub merged: Symbol,
}

impl Word {
    /// The pieces after the first `n_steps` merges, each with the symbols it is made of; all merges give the tokens.
    #[must_use]
    pub fn pieces_after(&self, n_steps: usize) -> Vec<(Symbol, Range<usize>)> {
        let mut pieces: Vec<Option<(Symbol, Range<usize>)>> = self
            .symbols
            .iter()
            .enumerate()
            .map(|(i, symbol)| Some((symbol.clone(), i..i + 1)))
            .collect();
        for step in self.steps.iter().take(n_steps) {
            let [left, right, end] = step.symbols;
            if let Some(place) = pieces.get_mut(right) {
                *place = None;
            }
            if let Some(place) = pieces.get_mut(left) {
                *place = Some((step.merged.clone(), left..end));
            }
        }
        pieces.into_iter().flatten().collect()
    }

    /// The ids of the tokens that the word ends as.
    #[must_use]
    pub fn ids(&self) -> Vec<u32> {
        let pieces = self.pieces_after(self.steps.len());
        pieces.into_iter().map(|(piece, _)| piece.id).collect()
    }
}

impl MergeTable {
    /// Reads the merges of a vocabulary.
    ///
    /// # Errors
    /// If the vocabulary is not made by byte-pair encoding.
    pub fn read(inner: &tokenizers::Tokenizer) -> Result<Self> {
        let bpe = bpe_of(inner)?;
        let model =
            serde_json::to_value(bpe).context("cannot read the merges of tokenizer.json")?;
        let merges = model.get("merges").and_then(|merges| merges.as_array());
        let merges = merges.map_or(&[][..], Vec::as_slice);
        let prefix_len = bpe
            .continuing_subword_prefix
            .as_ref()
            .map_or(0, String::len);
        let mut by_pair = HashMap::with_capacity(merges.len());
        for (rank, merge) in merges.iter().enumerate() {
            let Some((left, right)) = pair_of(merge) else {
                continue;
            };
            let joined = format!("{left}{}", right.get(prefix_len..).unwrap_or_default());
            let ids = [left, right, joined.as_str()].map(|token| inner.token_to_id(token));
            if let [Some(left), Some(right), Some(id)] = ids {
                by_pair.insert((left, right), Merge { rank, id });
            }
        }
        Ok(Self { by_pair })
    }

    /// Splits `text` into words and merges each.
    ///
    /// # Errors
    /// If the tokenizer cannot split the text.
    pub fn play(&self, inner: &tokenizers::Tokenizer, text: &str) -> Result<Vec<Word>> {
        let bpe = bpe_of(inner)?;
        let added = inner.get_added_vocabulary();
        let mut split = added.extract_and_normalize(inner.get_normalizer(), text);
        if let Some(pre_tokenizer) = inner.get_pre_tokenizer() {
            pre_tokenizer
                .pre_tokenize(&mut split)
                .map_err(|e| anyhow!("the tokenizer cannot split this text: {e}"))?;
        }
        split
            .get_splits(OffsetReferential::Original, OffsetType::Byte)
            .into_iter()
            .filter(|(word, _, _)| !word.is_empty())
            .map(|(word, (start, end), tokens)| {
                let (kind, symbols) = match tokens {
                    Some(tokens) => {
                        let symbols = tokens.iter().map(|token| Symbol {
                            id: token.id,
                            text: token.value.clone(),
                        });
                        (WordKind::Added, symbols.collect())
                    }
                    None => self.symbols(bpe, inner, word)?,
                };
                let mut word = Word {
                    bytes: start..end,
                    text: word.to_owned(),
                    kind,
                    symbols,
                    steps: Vec::new(),
                };
                if kind == WordKind::Merged {
                    word.steps = self.merge(inner, &word.symbols);
                }
                Ok(word)
            })
            .collect()
    }

    /// What merging a word begins with (tokenizers' `BPE::merge_word`).
    fn symbols(
        &self,
        bpe: &BPE,
        inner: &tokenizers::Tokenizer,
        word: &str,
    ) -> Result<(WordKind, Vec<Symbol>)> {
        let vocabulary = |token: &str| {
            inner.token_to_id(token).map(|id| Symbol {
                id,
                text: token.to_owned(),
            })
        };
        if bpe.ignore_merges
            && let Some(whole) = vocabulary(word)
        {
            return Ok((WordKind::Whole, vec![whole]));
        }
        let unknown = bpe.unk_token.as_deref().and_then(vocabulary);
        let mut symbols: Vec<Symbol> = Vec::new();
        let mut ends_unknown = false;
        for (at, letter) in word.char_indices() {
            let is_last = at + letter.len_utf8() == word.len();
            let written = written_letter(bpe, letter, at == 0, is_last);
            if let Some(symbol) = vocabulary(&written) {
                symbols.push(symbol);
                ends_unknown = false;
            } else if let Some(bytes) = bpe
                .byte_fallback
                .then(|| {
                    let bytes = written
                        .bytes()
                        .map(|byte| vocabulary(&format!("<0x{byte:02X}>")));
                    bytes.collect::<Option<Vec<_>>>()
                })
                .flatten()
            {
                symbols.extend(bytes);
                ends_unknown = false;
            } else if let Some(unknown) = &unknown {
                if !(ends_unknown && bpe.fuse_unk) {
                    symbols.push(unknown.clone());
                }
                ends_unknown = true;
            }
        }
        Ok((WordKind::Merged, symbols))
    }

    /// All merges of a word, the lowest rank first and of equal ranks the leftmost (tokenizers' `Word::merge_all`).
    fn merge(&self, inner: &tokenizers::Tokenizer, symbols: &[Symbol]) -> Vec<MergeStep> {
        let mut chain = Chain::new(symbols);
        let mut waiting: BinaryHeap<Reverse<(usize, usize, u32)>> = BinaryHeap::new();
        let find = |chain: &Chain, at: usize| {
            let right = chain.next(at)?;
            let merge = self.by_pair.get(&(chain.id(at)?, chain.id(right)?))?;
            Some(Reverse((merge.rank, at, merge.id)))
        };
        waiting.extend((0..symbols.len()).filter_map(|at| find(&chain, at)));
        let symbol = |id: u32| Symbol {
            id,
            text: inner.id_to_token(id).unwrap_or_default(),
        };
        let mut steps = Vec::new();
        while let Some(Reverse((rank, at, id))) = waiting.pop() {
            // The pair may be gone: one of the two has been merged with another.
            if find(&chain, at).is_none_or(|Reverse((_, _, now))| now != id) {
                continue;
            }
            let Some((left, right, places)) = chain.merge(at, id) else {
                continue;
            };
            steps.push(MergeStep {
                rank,
                symbols: places,
                left: symbol(left),
                right: symbol(right),
                merged: symbol(id),
            });
            let before = chain.previous(at).and_then(|before| find(&chain, before));
            waiting.extend(before);
            waiting.extend(find(&chain, at));
        }
        steps
    }
}

/// The pieces of a word as a chain, by the place of each piece's first symbol.
struct Chain {
    links: Vec<Link>,
}

#[derive(Clone, Copy)]
struct Link {
    /// The piece that begins here; `None` where a piece has swallowed the symbol.
    id: Option<u32>,
    previous: Option<usize>,
    /// Where the next piece begins; the number of symbols after the last.
    next: usize,
}

impl Chain {
    fn new(symbols: &[Symbol]) -> Self {
        let links = symbols.iter().enumerate().map(|(at, symbol)| Link {
            id: Some(symbol.id),
            previous: at.checked_sub(1),
            next: at + 1,
        });
        Self {
            links: links.collect(),
        }
    }

    fn id(&self, at: usize) -> Option<u32> {
        self.links.get(at)?.id
    }

    fn next(&self, at: usize) -> Option<usize> {
        let next = self.links.get(at)?.next;
        (next < self.links.len()).then_some(next)
    }

    fn previous(&self, at: usize) -> Option<usize> {
        self.links.get(at)?.previous
    }

    /// Joins the piece at `left` with the next one; gives their ids, and where both begin and end.
    fn merge(&mut self, left: usize, id: u32) -> Option<(u32, u32, [usize; 3])> {
        let right = self.next(left)?;
        let (left_id, right_id) = (self.id(left)?, self.id(right)?);
        let end = self.links.get(right)?.next;
        self.links.get_mut(right)?.id = None;
        let joined = self.links.get_mut(left)?;
        joined.id = Some(id);
        joined.next = end;
        if let Some(after) = self.links.get_mut(end) {
            after.previous = Some(left);
        }
        Some((left_id, right_id, [left, right, end]))
    }
}

/// A letter as the vocabulary writes it at its place in a word (some mark what goes on or ends).
fn written_letter(bpe: &BPE, letter: char, is_first: bool, is_last: bool) -> String {
    let prefix = bpe
        .continuing_subword_prefix
        .as_deref()
        .filter(|_| !is_first);
    let suffix = bpe.end_of_word_suffix.as_deref().filter(|_| is_last);
    format!(
        "{}{letter}{}",
        prefix.unwrap_or_default(),
        suffix.unwrap_or_default()
    )
}

fn bpe_of(inner: &tokenizers::Tokenizer) -> Result<&BPE> {
    match inner.get_model() {
        ModelWrapper::BPE(bpe) => Ok(bpe),
        _ => bail!(
            "this model's vocabulary is not made by byte-pair encoding; it has no merges to show"
        ),
    }
}

/// The two tokens of a merge: `["a", "b"]`, or `"a b"` in older files.
fn pair_of(merge: &Value) -> Option<(&str, &str)> {
    match merge.as_array() {
        Some(pair) => Some((pair.first()?.as_str()?, pair.get(1)?.as_str()?)),
        None => merge.as_str()?.split_once(' '),
    }
}
