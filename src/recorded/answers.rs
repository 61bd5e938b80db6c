//! Questions, answered from what was recorded.

use anyhow::{Context as _, Result, bail};

use super::{NEEDS_MODEL, Player};
use crate::engine::question::{Question, Seen, TextPiece, TextTokens, Told};
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
            _ => bail!(NEEDS_MODEL),
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
