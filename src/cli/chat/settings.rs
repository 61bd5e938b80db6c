//! What can be set during a chat.

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::cli::options::{AnswerArgs, MAX_TOKENS, SamplingArgs};
use crate::cli::table::{Column, Table};
use crate::engine::message::SamplingChoice;
use crate::hub::{GenerationDefaults, nearest};
use crate::model::cache::CacheOptions;

/// How the next answers are made.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How tokens are chosen, where it differs from the model's defaults.
    pub sampling: SamplingChoice,
    /// Start of the random numbers; a fresh one for each answer if `None`.
    pub seed: Option<u64>,
    /// How keys and values are kept.
    pub cache: CacheOptions,
    /// Texts that end an answer.
    pub stop: Vec<String>,
    /// Tokens that end an answer beside the model's own.
    pub extra_eos: Vec<String>,
    /// Arguments of the chat template.
    pub template_args: Vec<(String, Value)>,
    /// A file that the KV cache is taken from at the start, and written to after each answer.
    pub prompt_cache: Option<PathBuf>,
    max_tokens: Option<usize>,
}

/// One setting: its name, what it means, and how it is read and changed.
struct Setting {
    name: &'static str,
    meaning: &'static str,
    shown: fn(&Settings) -> Option<String>,
    change: fn(&mut Settings, Option<&str>) -> Result<()>,
}

/// A setting that is one field of [`Settings`].
macro_rules! setting {
    ($name:literal, $($field:ident).+, $meaning:literal) => {
        Setting {
            name: $name,
            meaning: $meaning,
            shown: |settings| settings.$($field).+.as_ref().map(ToString::to_string),
            change: |settings, value| put(&mut settings.$($field).+, value),
        }
    };
}

const ALL: [Setting; 13] = [
    setting!(
        "temp",
        sampling.temperature,
        "temperature; 0 takes the likeliest token"
    ),
    setting!(
        "top-p",
        sampling.top_p,
        "draw from the likeliest with this probability together"
    ),
    setting!(
        "top-k",
        sampling.top_k,
        "draw from this many of the likeliest; 0 for all"
    ),
    setting!(
        "min-p",
        sampling.min_p,
        "draw from those at least this likely, by the likeliest"
    ),
    setting!(
        "xtc-probability",
        sampling.xtc_probability,
        "how often XTC leaves out the likeliest"
    ),
    setting!(
        "xtc-threshold",
        sampling.xtc_threshold,
        "how likely a token must be for XTC"
    ),
    setting!(
        "repetition-penalty",
        sampling.repetition_penalty,
        "above 1: less repetition"
    ),
    setting!(
        "presence-penalty",
        sampling.presence_penalty,
        "taken off tokens that were used"
    ),
    setting!(
        "frequency-penalty",
        sampling.frequency_penalty,
        "the same, for each time"
    ),
    setting!("seed", seed, "start of the random numbers"),
    setting!("max-tokens", max_tokens, "longest answer, in tokens"),
    setting!(
        "max-kv-size",
        cache.max_size,
        "most positions in the KV cache"
    ),
    setting!(
        "kv-bits",
        cache.bits,
        "bits of keys and values in the cache: 8 or 4"
    ),
];

impl Settings {
    /// The settings that the flags ask for.
    #[must_use]
    pub fn new(answer: &AnswerArgs, sampling: &SamplingArgs) -> Self {
        Self {
            sampling: sampling.choice(),
            seed: sampling.seed,
            cache: answer.cache(),
            stop: answer.stop.clone(),
            extra_eos: answer.extra_eos.clone(),
            template_args: answer.template_arg.clone(),
            prompt_cache: answer.prompt_cache.clone(),
            max_tokens: Some(answer.max_tokens),
        }
    }

    /// Most tokens of an answer.
    #[must_use]
    pub fn max_tokens(&self) -> usize {
        self.max_tokens.unwrap_or(MAX_TOKENS)
    }

    /// Changes one setting; no value, or `default`, takes it back. Returns how it stands now.
    ///
    /// # Errors
    /// If there is no such setting, or it cannot have this value; nothing is changed then.
    pub fn set(&mut self, name: &str, value: Option<&str>) -> Result<String> {
        let Some(setting) = ALL.iter().find(|setting| setting.name == name) else {
            bail!(unknown(name));
        };
        let mut changed = self.clone();
        let value = value.filter(|value| *value != "default");
        (setting.change)(&mut changed, value).with_context(|| format!("cannot set {name}"))?;
        changed.validate()?;
        *self = changed;
        Ok(format!("{name} = {}", self.shown(setting)))
    }

    /// Checks what the engine would refuse.
    ///
    /// # Errors
    /// If a value is out of its range.
    pub fn validate(&self) -> Result<()> {
        let params = self
            .sampling
            .over(&GenerationDefaults::default(), Vec::new());
        params.validate()?;
        self.cache.validate()
    }

    /// Every setting and its value, for people.
    #[must_use]
    pub fn list(&self) -> String {
        let mut table = Table::new([Column::Left(""), Column::Right(""), Column::Left("")]);
        for setting in &ALL {
            let name = setting.name.to_owned();
            table.row([name, self.shown(setting), setting.meaning.to_owned()]);
        }
        table.to_string()
    }

    fn shown(&self, setting: &Setting) -> String {
        let plain = match setting.name {
            "max-tokens" => MAX_TOKENS.to_string(),
            _ => "default".to_owned(),
        };
        (setting.shown)(self).unwrap_or(plain)
    }
}

/// Reads `value` into a field; `None` empties it.
fn put<T: FromStr>(field: &mut Option<T>, value: Option<&str>) -> Result<()>
where
    T::Err: Display,
{
    let read = |text: &str| match text.parse() {
        Ok(value) => Ok(value),
        Err(error) => bail!("{text:?} is not such a number ({error})"),
    };
    *field = value.map(read).transpose()?;
    Ok(())
}

fn unknown(name: &str) -> String {
    let known = ALL.map(|setting| setting.name.to_owned());
    match nearest::names(name, &known).as_slice() {
        [] => format!("there is no setting {name}; there are {}", known.join(", ")),
        near => format!(
            "there is no setting {name}: did you mean {}?",
            near.join(" or ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            sampling: SamplingChoice::default(),
            seed: None,
            cache: CacheOptions::default(),
            stop: Vec::new(),
            extra_eos: Vec::new(),
            template_args: Vec::new(),
            prompt_cache: None,
            max_tokens: None,
        }
    }

    #[test]
    fn settings_change_and_go_back() {
        let mut settings = settings();
        assert_eq!(settings.set("temp", Some("0.7")).unwrap(), "temp = 0.7");
        assert_eq!(settings.sampling.temperature, Some(0.7));
        assert_eq!(
            settings.set("temp", Some("default")).unwrap(),
            "temp = default"
        );
        assert_eq!(settings.sampling.temperature, None);
        assert_eq!(
            settings.set("max-tokens", None).unwrap(),
            "max-tokens = 512"
        );
    }

    #[test]
    fn what_is_wrong_changes_nothing() {
        let mut settings = settings();
        assert!(settings.set("temp", Some("warm")).is_err());
        assert!(settings.set("temp", Some("-1")).is_err());
        assert!(settings.set("kv-bits", Some("5")).is_err());
        let error = settings.set("top_p", Some("1")).unwrap_err().to_string();
        assert!(error.contains("did you mean top-p"), "{error}");
        assert_eq!(settings.sampling, SamplingChoice::default());
    }
}
