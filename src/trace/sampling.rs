//! Sampling settings as someone chooses them, with a text form: `temperature=0.8 top_p=0.9`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Sampling settings that someone chose; `None` leaves them to the model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SamplingChoice {
    /// Divides the logits; 0 takes the most probable token.
    pub temperature: Option<f32>,
    /// Keeps the most probable tokens that together hold this share.
    pub top_p: Option<f32>,
    /// Keeps this many of the most probable tokens.
    pub top_k: Option<usize>,
    /// Keeps tokens at least this many times as probable as the most probable one.
    pub min_p: Option<f32>,
    /// How often XTC strikes.
    pub xtc_probability: Option<f32>,
    /// XTC removes tokens above this probability but the least probable of them.
    pub xtc_threshold: Option<f32>,
    /// Makes recent tokens less likely, by a factor.
    pub repetition_penalty: Option<f32>,
    /// Makes recent tokens less likely, by an amount.
    pub presence_penalty: Option<f32>,
    /// Makes recent tokens less likely, by an amount for each time.
    pub frequency_penalty: Option<f32>,
    /// Added to the logits of tokens, by id.
    pub logit_bias: BTreeMap<u32, f32>,
}

/// A text that names no sampling setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no sampling setting; write NAME=VALUE with one of temperature, top_p, top_k, min_p, \
     xtc_probability, xtc_threshold, repetition_penalty, presence_penalty, frequency_penalty, or \
     bias.ID=VALUE"
)]
pub struct NoSetting(pub String);

impl SamplingChoice {
    /// Whether nothing was chosen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// These settings, and where they leave something open those of `other`.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        let mut logit_bias = other.logit_bias.clone();
        logit_bias.extend(&self.logit_bias);
        Self {
            temperature: self.temperature.or(other.temperature),
            top_p: self.top_p.or(other.top_p),
            top_k: self.top_k.or(other.top_k),
            min_p: self.min_p.or(other.min_p),
            xtc_probability: self.xtc_probability.or(other.xtc_probability),
            xtc_threshold: self.xtc_threshold.or(other.xtc_threshold),
            repetition_penalty: self.repetition_penalty.or(other.repetition_penalty),
            presence_penalty: self.presence_penalty.or(other.presence_penalty),
            frequency_penalty: self.frequency_penalty.or(other.frequency_penalty),
            logit_bias,
        }
    }

    /// Sets what `NAME=VALUE` names.
    fn set(&mut self, text: &str) -> Option<()> {
        let (name, value) = text.split_once('=')?;
        if let Some(id) = name.strip_prefix("bias.") {
            self.logit_bias.insert(id.parse().ok()?, number(value)?);
            return Some(());
        }
        if name == "top_k" {
            self.top_k = Some(value.parse().ok()?);
            return Some(());
        }
        let place = match name {
            "temperature" => &mut self.temperature,
            "top_p" => &mut self.top_p,
            "min_p" => &mut self.min_p,
            "xtc_probability" => &mut self.xtc_probability,
            "xtc_threshold" => &mut self.xtc_threshold,
            "repetition_penalty" => &mut self.repetition_penalty,
            "presence_penalty" => &mut self.presence_penalty,
            "frequency_penalty" => &mut self.frequency_penalty,
            _ => return None,
        };
        *place = Some(number(value)?);
        Some(())
    }
}

fn number(text: &str) -> Option<f32> {
    text.parse().ok().filter(|value: &f32| value.is_finite())
}

impl fmt::Display for SamplingChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = [
            ("temperature", self.temperature),
            ("top_p", self.top_p),
            ("min_p", self.min_p),
            ("xtc_probability", self.xtc_probability),
            ("xtc_threshold", self.xtc_threshold),
            ("repetition_penalty", self.repetition_penalty),
            ("presence_penalty", self.presence_penalty),
            ("frequency_penalty", self.frequency_penalty),
        ];
        let numbers = numbers.into_iter();
        let numbers = numbers.filter_map(|(name, value)| Some(format!("{name}={}", value?)));
        let top_k = self.top_k.map(|top_k| format!("top_k={top_k}"));
        let biases = self.logit_bias.iter();
        let biases = biases.map(|(id, bias)| format!("bias.{id}={bias}"));
        let words: Vec<String> = numbers.chain(top_k).chain(biases).collect();
        f.write_str(&words.join(" "))
    }
}

impl FromStr for SamplingChoice {
    type Err = NoSetting;

    fn from_str(text: &str) -> Result<Self, NoSetting> {
        let mut choice = Self::default();
        for word in text.split_whitespace() {
            choice.set(word).ok_or_else(|| NoSetting(word.to_owned()))?;
        }
        Ok(choice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_back_from_their_text() {
        for text in [
            "temperature=0.8 top_p=0.9 top_k=40",
            "min_p=0.05 bias.17=-2",
            "",
        ] {
            let choice: SamplingChoice = text.parse().unwrap();
            assert_eq!(choice.to_string(), text);
        }
        for text in ["temperature", "warmth=1", "top_k=0.5", "top_p=nan"] {
            assert_eq!(text.parse::<SamplingChoice>(), Err(NoSetting(text.into())));
        }
    }

    #[test]
    fn what_is_left_open_comes_from_the_other() {
        let new: SamplingChoice = "top_p=0.5".parse().unwrap();
        let old = "temperature=1 top_p=0.9".parse().unwrap();
        assert_eq!(new.or(&old).to_string(), "temperature=1 top_p=0.5");
    }
}
