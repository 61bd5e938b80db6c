//! What a generation leaves behind: tokens, text, and how fast it went.

use serde::{Deserialize, Serialize};

use super::sampling::SamplingChoice;

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StopReason {
    /// The model wrote an end token, or the text reached a stop string.
    Stop,
    /// The largest allowed number of tokens was reached.
    Length,
    /// Someone stopped it.
    Cancelled,
}

/// A token as one of the likeliest at its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TopToken {
    /// Row in the vocabulary.
    pub id: u32,
    /// The token's text.
    pub text: String,
    /// Natural logarithm of its probability, over the full vocabulary at temperature 1.
    pub logprob: f32,
}

/// A token that was generated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GeneratedToken {
    /// Row in the vocabulary.
    pub id: u32,
    /// The text that became complete with it: empty while a character is incomplete.
    pub text: String,
    /// Natural logarithm of its probability, over the full vocabulary at temperature 1, before
    /// any filter.
    pub logprob: f32,
    /// The likeliest tokens at this place, if asked for.
    pub top_logprobs: Vec<TopToken>,
    /// The random numbers of its draw, so that it can be shown and replayed; none if greedy.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub random: Option<f64>,
    /// XTC's own random number; none where XTC is off.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub xtc_coin: Option<f64>,
}

/// How fast an answer was made.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Speed {
    /// Prompt tokens that ran: those not taken from a cache.
    pub prompt_tokens_run: usize,
    /// Seconds they took.
    pub prefill_s: f64,
    /// Seconds from the request to the first token.
    pub ttft_s: f64,
    /// Seconds from the first token to the last.
    pub decode_s: f64,
    /// Tokens generated, the end token included.
    pub generated: usize,
}

impl Speed {
    /// Prompt tokens per second.
    #[must_use]
    pub fn prompt_tps(&self) -> f64 {
        per_second(self.prompt_tokens_run as f64, self.prefill_s)
    }

    /// Generated tokens per second, the first one left out: it belongs to the prefill.
    #[must_use]
    pub fn generation_tps(&self) -> f64 {
        per_second(self.generated.saturating_sub(1) as f64, self.decode_s)
    }
}

fn per_second(count: f64, seconds: f64) -> f64 {
    if seconds > 0.0 { count / seconds } else { 0.0 }
}

/// How full a KV cache is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CacheSize {
    /// Positions read so far.
    pub positions: usize,
    /// Bytes of the positions held.
    pub used_bytes: usize,
    /// Bytes allocated, in whole chunks.
    pub allocated_bytes: usize,
}

/// A finished answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The model's name.
    pub model: String,
    /// The prompt, as the model read it.
    pub prompt_tokens: Vec<u32>,
    /// What was generated, the end token left out; their texts joined are `text`.
    pub tokens: Vec<GeneratedToken>,
    /// The answer.
    pub text: String,
    /// Why it ended.
    pub stop_reason: StopReason,
    /// How fast it went.
    pub speed: Speed,
    /// Prompt positions taken from the KV cache.
    pub reused: usize,
    /// The KV cache at the end.
    pub cache: CacheSize,
    /// Start of the random numbers.
    pub seed: u64,
    /// The sampler's settings, all of them given.
    #[serde(default)]
    pub sampling: SamplingChoice,
    /// The sizes of the pieces that the prompt ran in, those of earlier answers included: with the
    /// same pieces a replay gives the same bits.
    #[serde(default)]
    pub boundaries: Vec<usize>,
    /// Most memory MLX had in use, in bytes.
    pub peak_memory_bytes: usize,
    /// Memory of this answer alone, in bytes: its model's weights, and the most that MLX took beside what was in use
    /// when it began. What else is loaded does not count.
    #[serde(default)]
    pub own_memory_bytes: usize,
    /// Memory MLX has in use at the end, in bytes.
    pub active_memory_bytes: usize,
}
