//! What ends an answer, and the answer as it is written.

use std::rc::Rc;

use anyhow::{Context as _, Result};

use super::sampler::{Draw, top_logprobs};
use crate::tokenizer::{StopStrings, StreamDecoder, TextStart, Tokenizer};
use crate::trace::answer::{GeneratedToken, TopToken};

/// The tokens that end an answer: the model's own and those that were asked for.
#[derive(Debug)]
pub struct Ends {
    ids: Vec<u32>,
}

impl Ends {
    /// Collects the end tokens; `extra` are tokens as text or as ids.
    ///
    /// # Errors
    /// If one of `extra` is no token of this model.
    pub fn new(tokenizer: &Tokenizer, extra: &[String], from_defaults: &[u32]) -> Result<Self> {
        let mut ids = tokenizer.eos_ids().to_vec();
        ids.extend_from_slice(from_defaults);
        for token in extra {
            let by_id = || {
                token
                    .parse()
                    .ok()
                    .filter(|id| tokenizer.token(*id).is_some())
            };
            let id = tokenizer.id_of(token).or_else(by_id);
            ids.push(id.with_context(|| {
                format!("--extra-eos {token}: the model has no such token; give a token or its id")
            })?);
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(Self { ids })
    }

    /// The tokens, in ascending order.
    #[must_use]
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Whether `id` ends the answer.
    #[must_use]
    pub fn contains(&self, id: u32) -> bool {
        self.ids.binary_search(&id).is_ok()
    }

    /// XTC never takes away the end of an answer or of a line (mlx-lm's `generate.py`).
    ///
    /// # Errors
    /// If the tokenizer cannot split a line break.
    pub fn untouched_by_xtc(&self, tokenizer: &Tokenizer) -> Result<Vec<u32>> {
        let mut ids = tokenizer.encode_ids("\n", false)?;
        ids.extend_from_slice(&self.ids);
        Ok(ids)
    }
}

/// An answer as it is written: tokens, their texts, and the stop strings that cut it.
pub struct Written {
    tokenizer: Rc<Tokenizer>,
    stream: StreamDecoder,
    stops: StopStrings,
    tokens: Vec<GeneratedToken>,
    /// Text that was let through, in bytes.
    shown_bytes: usize,
    text: String,
}

impl Written {
    /// An empty answer that ends before any of `stop`.
    #[must_use]
    pub fn new(tokenizer: &Rc<Tokenizer>, start: TextStart, stop: &[String]) -> Self {
        Self {
            tokenizer: Rc::clone(tokenizer),
            stream: tokenizer.stream(start, true),
            stops: StopStrings::new(stop.iter().cloned()),
            tokens: Vec::new(),
            shown_bytes: 0,
            text: String::new(),
        }
    }

    /// Adds a token that was drawn from `logits`, `[vocab]`; returns the text to show now.
    ///
    /// # Errors
    /// If the logits are no numbers.
    pub fn push(&mut self, logits: &[f32], draw: &Draw, n_top: usize) -> Result<String> {
        let text = self.stream.push(draw.token);
        let top = match n_top {
            0 => Vec::new(),
            n_top => top_logprobs(logits, n_top)?,
        };
        let text_of = |id| self.tokenizer.token_text(id).unwrap_or_default();
        let top_logprobs = top.into_iter().map(|top| TopToken {
            id: top.token,
            text: text_of(top.token),
            logprob: top.logprob,
        });
        self.tokens.push(GeneratedToken {
            id: draw.token,
            text: text.clone(),
            logprob: draw.logprob,
            top_logprobs: top_logprobs.collect(),
            random: draw.random,
            xtc_coin: draw.xtc_coin,
        });
        self.text.push_str(&text);
        let passed = self.stops.push(&text);
        self.shown_bytes += passed.text.len();
        Ok(passed.text)
    }

    /// Adds a token that stands from an earlier answer; returns the text to show now.
    pub fn stand(&mut self, token: &GeneratedToken) -> String {
        let text = self.stream.push(token.id);
        self.text.push_str(&text);
        let passed = self.stops.push(&text);
        self.shown_bytes += passed.text.len();
        self.tokens.push(GeneratedToken {
            text,
            ..token.clone()
        });
        passed.text
    }

    /// Whether a stop string was reached.
    #[must_use]
    pub fn has_stopped(&self) -> bool {
        self.stops.has_stopped()
    }

    /// The tokens so far.
    #[must_use]
    pub fn tokens(&self) -> &[GeneratedToken] {
        &self.tokens
    }

    /// Ends the answer: the tokens and their joined text. A stop string and what follows it is cut
    /// from both; half a character at the very end becomes U+FFFD.
    pub fn finish(&mut self) -> (Vec<GeneratedToken>, String) {
        let mut tokens = std::mem::take(&mut self.tokens);
        if self.stops.has_stopped() {
            self.text.truncate(self.shown_bytes);
            cut(&mut tokens, self.shown_bytes);
        } else {
            let rest = self.stream.clone().finish();
            if let Some(last) = tokens.last_mut() {
                last.text.push_str(&rest);
                self.text.push_str(&rest);
            }
        }
        (tokens, std::mem::take(&mut self.text))
    }
}

/// Cuts the tokens' joined text to `n_bytes`; tokens that keep none of theirs go.
fn cut(tokens: &mut Vec<GeneratedToken>, n_bytes: usize) {
    let mut left = n_bytes;
    let mut kept = 0;
    for (index, token) in tokens.iter_mut().enumerate() {
        let keeps = token.text.len().min(left);
        token.text.truncate(keeps);
        left -= keeps;
        if keeps > 0 {
            kept = index + 1;
        }
    }
    tokens.truncate(kept);
}
