//! Flags that several commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::engine::message::{ModelChoice, SamplingChoice};
use crate::hub;
use crate::model::cache::CacheOptions;
use crate::model::linear::Kernels;

/// Which model, and who computes it.
#[derive(Debug, Clone, Args)]
pub struct ModelArgs {
    /// `classroom`, a name of `vitrine models`, a Hugging Face id that is downloaded, or a folder.
    ///
    /// Else VITRINE_MODEL, else DEFAULT_MODEL from the environment or a `.env` file, else
    /// `classroom`.
    #[arg(long, short, value_name = "M")]
    pub model: Option<String>,
    /// Who multiplies matrices: Vitrine's own kernels on a CPU (auto), or MLX's everywhere.
    #[arg(long, value_enum, default_value_t = KernelsArg::Auto)]
    pub kernels: KernelsArg,
}

/// [`Kernels`] as a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KernelsArg {
    /// Vitrine's own on a CPU, MLX's on a GPU.
    Auto,
    /// MLX's own everywhere.
    Mlx,
}

impl ModelArgs {
    /// The model to use.
    #[must_use]
    pub fn choice(&self) -> ModelChoice {
        ModelChoice {
            name: hub::choose(self.model.as_deref()).name,
            kernels: match self.kernels {
                KernelsArg::Auto => Kernels::Auto,
                KernelsArg::Mlx => Kernels::Mlx,
            },
        }
    }
}

/// How tokens are chosen; what is not given comes from the model's `generation_config.json`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Sampling")]
pub struct SamplingArgs {
    /// Temperature; 0 always takes the likeliest token.
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    pub temp: Option<f32>,
    /// Draw from the likeliest tokens that together have this probability.
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    pub top_p: Option<f32>,
    /// Draw from this many of the likeliest tokens; 0 for all.
    #[arg(long, value_name = "K")]
    pub top_k: Option<usize>,
    /// Draw from tokens at least this likely, relative to the likeliest.
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    pub min_p: Option<f32>,
    /// How often XTC leaves out the likeliest tokens.
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    pub xtc_probability: Option<f32>,
    /// How likely a token must be for XTC to leave it out.
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    pub xtc_threshold: Option<f32>,
    /// Makes tokens that were used less likely; 1 changes nothing.
    #[arg(long, value_name = "R", allow_negative_numbers = true)]
    pub repetition_penalty: Option<f32>,
    /// Taken once from the logit of every token that was used.
    #[arg(long, value_name = "R", allow_negative_numbers = true)]
    pub presence_penalty: Option<f32>,
    /// Taken from the logit of a token each time it was used.
    #[arg(long, value_name = "R", allow_negative_numbers = true)]
    pub frequency_penalty: Option<f32>,
    /// Adds B to the logit of token ID; may be given several times.
    #[arg(long, value_name = "ID:B", value_parser = logit_bias, allow_hyphen_values = true)]
    pub logit_bias: Vec<(u32, f32)>,
    /// Start of the random numbers; the same seed gives the same text.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

impl SamplingArgs {
    /// The settings that were chosen.
    #[must_use]
    pub fn choice(&self) -> SamplingChoice {
        SamplingChoice {
            temperature: self.temp,
            top_p: self.top_p,
            top_k: self.top_k,
            min_p: self.min_p,
            xtc_probability: self.xtc_probability,
            xtc_threshold: self.xtc_threshold,
            repetition_penalty: self.repetition_penalty,
            presence_penalty: self.presence_penalty,
            frequency_penalty: self.frequency_penalty,
            logit_bias: self.logit_bias.iter().copied().collect(),
        }
    }
}

/// Most tokens of an answer where nobody says how many.
pub const MAX_TOKENS: usize = 512;

/// How long an answer may be, what ends it, and how the KV cache is kept.
#[derive(Debug, Clone, Args)]
pub struct AnswerArgs {
    /// Most tokens to generate.
    #[arg(long, value_name = "N", default_value_t = MAX_TOKENS)]
    pub max_tokens: usize,
    /// A text that ends the answer; may be given several times.
    #[arg(long, value_name = "TEXT")]
    pub stop: Vec<String>,
    /// A token, or its id, that ends the answer beside the model's own.
    #[arg(long, value_name = "TOKEN")]
    pub extra_eos: Vec<String>,
    /// An argument of the chat template, e.g. `enable_thinking=false`.
    #[arg(long, value_name = "K=V", value_parser = template_arg)]
    pub template_arg: Vec<(String, Value)>,
    /// Keep at most N positions in the KV cache: the first 4 and the newest.
    #[arg(long, value_name = "N")]
    pub max_kv_size: Option<usize>,
    /// Keep keys and values in 8 or 4 bits.
    #[arg(long, value_name = "B")]
    pub kv_bits: Option<i32>,
    /// Take the KV cache from this file if it exists, and write it there at the end.
    #[arg(long, value_name = "FILE")]
    pub prompt_cache: Option<PathBuf>,
}

impl AnswerArgs {
    /// How keys and values are kept.
    #[must_use]
    pub fn cache(&self) -> CacheOptions {
        CacheOptions {
            max_size: self.max_kv_size,
            bits: self.kv_bits,
        }
    }
}

fn logit_bias(text: &str) -> Result<(u32, f32), String> {
    let parsed = text
        .split_once(':')
        .and_then(|(id, bias)| Some((id.trim().parse().ok()?, bias.trim().parse().ok()?)));
    parsed.ok_or_else(|| "write a token id, a colon and a number, e.g. 42:-5".to_owned())
}

/// The value is JSON where it can be read so, else text: `true`, `3`, `[1]`, `high`.
fn template_arg(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("write NAME=VALUE, e.g. enable_thinking=false")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((name.trim().to_owned(), value))
}
