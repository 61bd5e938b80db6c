//! Questions, answered from what was recorded.

use std::ops::Range;

use anyhow::{Context as _, Result, bail};

use super::{NEEDS_MODEL, NEEDS_TOKENIZER, Player};
use crate::engine::question::{Entry, Found, Question, Seen, TextPiece, TextTokens, Told};
use crate::trace::measure::costs::PassCost;
use crate::trace::measure::heads::HeadReport;
use crate::trace::measure::histogram::Histogram;
use crate::trace::measure::ledger::Ledger;
use crate::trace::measure::parity::Parity;

impl Player {
    /// The answer to `question`, as the engine would give it.
    ///
    /// # Errors
    /// If what it needs was not recorded.
    pub(super) fn answer(&mut self, question: Question) -> Result<Told> {
        use Question as Ask;
        Ok(match question {
            Ask::Values(addresses) => Told::Values(
                addresses
                    .into_iter()
                    .map(|at| Seen {
                        value: self.values.look(&at).map_err(|why| format!("{why:#}")),
                        at,
                    })
                    .collect(),
            ),
            Ask::Histogram { at, n_bins } => {
                let value = self.values.look(&at)?;
                Told::Histogram(Histogram::of(value.values(), n_bins))
            }
            Ask::Family { model: None } => Told::Family(self.family.clone()),
            Ask::Tokens {
                model: None, text, ..
            } => Told::Tokens(self.tokens(&text)?),
            Ask::Heads { pass: 0 } => {
                let report: Option<HeadReport> = self.measure("heads");
                Told::Heads(report.context("the labels of heads were not recorded")?)
            }
            Ask::Cost { pass } => {
                let costs: Vec<PassCost> = self.measure("costs").unwrap_or_default();
                let cost = costs.into_iter().find(|cost| cost.pass == pass);
                Told::Cost(cost.context("the cost of this pass was not recorded")?)
            }
            Ask::Ledger { pass } => {
                let ledgers: Vec<Ledger> = self.measure("kv_ledgers").unwrap_or_default();
                let ledger = ledgers.into_iter().find(|ledger| ledger.pass == pass);
                Told::Ledger(ledger.context("the KV cache of this pass was not recorded")?)
            }
            Ask::Parity => {
                let checks: Vec<Parity> = self.measure("parity").unwrap_or_default();
                let newest = checks.into_iter().max_by_key(|check| check.pass);
                Told::Parity(newest.context("no parity check was recorded")?)
            }
            Ask::Lens(_)
            | Ask::Paths { .. }
            | Ask::Norms { .. }
            | Ask::Neurons { .. }
            | Ask::Writes { .. } => self.of_residual(question)?,
            Ask::ScoreParts { .. }
            | Ask::ScoreMaps { .. }
            | Ask::Patterns { .. }
            | Ask::Rope { .. } => self.of_attention(question)?,
            Ask::Logits { .. } | Ask::Sampling { .. } | Ask::Redraw { .. } => {
                self.of_logits(question)?
            }
            Ask::Vocabulary { model: None, page } => Told::Vocabulary(self.vocabulary(&page)?),
            Ask::Variants { .. }
            | Ask::SearchVocabulary { .. }
            | Ask::CountTokens { .. }
            | Ask::Template { .. } => bail!(NEEDS_TOKENIZER),
            _ => bail!(NEEDS_MODEL),
        })
    }

    /// One token of the vocabulary, if the recording tells its text.
    fn vocabulary(&self, page: &Range<usize>) -> Result<Found> {
        let companion = &self.meta().companion;
        let id = u32::try_from(page.start).ok().filter(|_| page.len() == 1);
        let Some((id, text)) = id.and_then(|id| Some((id, companion.texts.get(&id)?))) else {
            bail!(NEEDS_TOKENIZER);
        };
        let entry = Entry {
            id,
            written: text.clone(),
            text: text.clone(),
            bytes: bytes_of(text),
            is_special: companion.end_tokens.iter().any(|end| end.id == id),
        };
        Ok(Found {
            entries: vec![entry],
            n_found: self.family.vocab_size,
        })
    }

    /// The prompt as tokens: the one text that the recording knows the tokens of.
    fn tokens(&self, text: &str) -> Result<TextTokens> {
        let meta = self.meta();
        if meta.prompt.as_deref() != Some(text) {
            bail!("the recording knows the tokens of its own prompt alone: {NEEDS_MODEL}");
        }
        let prompt = meta
            .tokens
            .get(..self.state().prompt_len)
            .unwrap_or_default();
        let end = |(start, end): (usize, usize)| text.as_bytes().get(start..end);
        let pieces = prompt.iter().map(|token| TextPiece {
            id: token.id,
            written: token.text.clone(),
            text: token.text.clone(),
            bytes: token.bytes.and_then(end).unwrap_or_default().to_vec(),
            covers: token.bytes.map_or(0..0, |(start, end)| start..end),
            is_special: token.bytes.is_none(),
        });
        Ok(TextTokens {
            pieces: pieces.collect(),
            words: Vec::new(),
            no_merges: Some(
                "The merges of a recorded run are in its file, by name; to play them, open its \
                 prompt with a model."
                    .to_owned(),
            ),
        })
    }
}

/// The bytes of a token as its text tells them: `<0xE4>` stands for one that is no whole character.
fn bytes_of(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("<0x") {
        let (before, from) = rest.split_at(start);
        bytes.extend(before.as_bytes());
        let byte = from
            .get(3..5)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let byte = byte.filter(|_| from.get(5..6) == Some(">"));
        let taken = if byte.is_some() { 6 } else { 3 };
        let (mark, after) = from.split_at(taken);
        match byte {
            Some(byte) => bytes.push(byte),
            None => bytes.extend(mark.as_bytes()),
        }
        rest = after;
    }
    bytes.extend(rest.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_back_from_the_text_of_a_token() {
        assert_eq!(bytes_of(" Paris"), b" Paris");
        assert_eq!(bytes_of("<0xE4>a<0xb8>"), [0xE4, b'a', 0xB8]);
        assert_eq!(bytes_of("<0x and <0xZZ>"), b"<0x and <0xZZ>");
        assert_eq!(bytes_of("<0xé>"), "<0xé>".as_bytes());
    }
}
