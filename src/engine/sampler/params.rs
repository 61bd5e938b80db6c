//! How the next token is to be chosen.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

/// Settings of the sampler, in the order in which they act (see [`super`]).
///
/// The defaults change nothing and choose the most probable token. A value that switches a setting
/// off is named with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SamplingParams {
    /// Added to the logit of a token, by id. Empty: off.
    pub logit_bias: BTreeMap<u32, f32>,
    /// Logits of recent tokens are divided by this where positive, multiplied where negative.
    /// 1 or 0: off.
    pub repetition_penalty: f32,
    /// Taken once from the logit of every recent token. 0: off; below 0 it rewards.
    pub presence_penalty: f32,
    /// Taken from the logit of a recent token for each time it occurs. 0: off; below 0 it rewards.
    pub frequency_penalty: f32,
    /// How many of the last tokens, prompt included, count as recent. 0: all of them.
    pub penalty_context: usize,
    /// Keeps the most probable tokens that together hold this share of probability. 1 or 0: off.
    pub top_p: f32,
    /// Keeps tokens at least this many times as probable as the most probable one. 0: off.
    pub min_p: f32,
    /// Min-p leaves at least this many tokens.
    pub min_tokens_to_keep: usize,
    /// How often XTC ("exclude top choices") strikes, as a share of the draws. 0: off.
    pub xtc_probability: f32,
    /// XTC removes all tokens above this probability but the least probable of them.
    pub xtc_threshold: f32,
    /// Ids that XTC never removes: the end tokens and the line break, usually.
    pub xtc_special_tokens: Vec<u32>,
    /// Keeps this many of the most probable tokens. 0: off.
    pub top_k: usize,
    /// Divides the logits that are left: below 1 the probable becomes more so, above 1 less.
    /// 0: the most probable token is taken, and no filter matters.
    pub temperature: f32,
}

impl Default for SamplingParams {
    fn default() -> Self {
        Self {
            logit_bias: BTreeMap::new(),
            repetition_penalty: 1.0,
            presence_penalty: 0.0,
            frequency_penalty: 0.0,
            penalty_context: 20,
            top_p: 1.0,
            min_p: 0.0,
            min_tokens_to_keep: 1,
            xtc_probability: 0.0,
            xtc_threshold: 0.1,
            xtc_special_tokens: Vec::new(),
            top_k: 0,
            temperature: 0.0,
        }
    }
}

impl SamplingParams {
    /// Checks every setting by itself; the vocabulary is not known yet.
    ///
    /// # Errors
    /// One sentence that names the flag, what it may be and what it is.
    pub fn validate(&self) -> Result<()> {
        let between = |flag: &str, value: f32, low: f32, high: f32| {
            ensure!(
                (low..=high).contains(&value),
                "{flag} must lie between {low} and {high}, but is {value}."
            );
            Ok(())
        };
        ensure!(
            self.temperature.is_finite() && self.temperature >= 0.0,
            "--temp must be 0 (always the most probable token) or above, but is {}.",
            self.temperature
        );
        ensure!(
            self.repetition_penalty.is_finite() && self.repetition_penalty >= 0.0,
            "--repetition-penalty must be 0 or above (1 changes nothing), but is {}.",
            self.repetition_penalty
        );
        between("--top-p", self.top_p, 0.0, 1.0)?;
        between("--min-p", self.min_p, 0.0, 1.0)?;
        between("--xtc-probability", self.xtc_probability, 0.0, 1.0)?;
        // Two tokens cannot both hold more than half, so a higher threshold never removes any.
        between("--xtc-threshold", self.xtc_threshold, 0.0, 0.5)?;
        for (flag, value) in [
            ("--presence-penalty", self.presence_penalty),
            ("--frequency-penalty", self.frequency_penalty),
        ] {
            ensure!(
                value.is_finite(),
                "{flag} must be a number, but is {value}."
            );
        }
        for (token, bias) in &self.logit_bias {
            ensure!(
                bias.is_finite(),
                "--logit-bias {token}:{bias} must be a number; -1000 rules a token out."
            );
        }
        ensure!(
            self.min_tokens_to_keep > 0,
            "min_tokens_to_keep must be at least 1, or min-p could leave no token to draw."
        );
        Ok(())
    }

    /// Whether the most probable token is taken, without a random number.
    #[must_use]
    pub fn is_greedy(&self) -> bool {
        self.temperature == 0.0
    }
}
