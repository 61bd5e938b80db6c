//! What the engine is asked and what it answers: plain data, so that it crosses threads freely.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

use super::bench::{BenchOptions, BenchReport};
use super::question::{Question, Told};
use super::run::StoredDraw;
use super::sampler::SamplingParams;
use super::watch::Watch;
use crate::hub::GenerationDefaults;
use crate::model::linear::Kernels;
use crate::tokenizer::{Message, TemplateArgs};
use crate::trace::HostTensor;
use crate::trace::answer::{Answer, GeneratedToken};
use crate::trace::debug::{DebugCommand, RunState};
use crate::trace::edit::Edit;
use crate::trace::file::Trace;

pub use super::context::{Reuse, WhyNotMore};
pub use crate::model::cache::CacheOptions;
pub use crate::trace::sampling::SamplingChoice;

/// Who asks. Each session has a KV cache of its own; the requests of one session run in order,
/// those of several take turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// Tells answers apart on a channel that several requests share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// Stops a request from another thread.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// Asks the request to stop; it ends within a fraction of a second.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Takes it back, for work that is only put off.
    pub(super) fn renew(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// Whether it was asked to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// One request to the engine.
#[derive(Debug)]
pub struct Request {
    /// Chosen by the asker.
    pub id: RequestId,
    /// Whose cache it uses.
    pub session: SessionId,
    /// What is asked.
    pub action: Action,
    /// Stops it.
    pub cancel: CancelToken,
    /// Where its events go.
    pub events: Sender<Envelope>,
}

/// An event and the request it belongs to.
#[derive(Debug)]
pub struct Envelope {
    /// The request.
    pub id: RequestId,
    /// What happened.
    pub event: Event,
}

/// What can be asked.
#[derive(Debug)]
pub enum Action {
    /// Load a model, so that the next request does not wait for it. Models that no session uses make room.
    Load(ModelChoice),
    /// Give a model's memory back, with the caches and runs of every session that uses it.
    Unload(ModelChoice),
    /// Generate an answer.
    Generate(Box<GenerateRequest>),
    /// Measure speed and memory.
    Bench(BenchOptions),
    /// Open a run to step through; it takes the place of the session's earlier one.
    Open(Box<OpenRequest>),
    /// Do something with the session's run.
    Debug(DebugCommand),
    /// Answer a question about the session's run or a model.
    Ask(Box<Question>),
    /// Write the session's KV cache to a file.
    SaveCache(PathBuf),
    /// Forget what the session has read.
    Clear,
}

/// A model and how to compute it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ModelChoice {
    /// A name that [`crate::hub::resolve`] knows.
    pub name: String,
    /// Who multiplies matrices.
    pub kernels: Kernels,
}

/// What to continue.
#[derive(Debug, Clone)]
pub enum Prompt {
    /// Text as it is, with the model's own begin token.
    Raw(String),
    /// Messages, put into the model's chat template.
    Chat {
        /// From the system prompt to the last question.
        messages: Vec<Message>,
        /// The first words of the answer, given to the model.
        prefill_response: Option<String>,
        /// Arguments of the template.
        args: TemplateArgs,
    },
    /// Token ids as they are.
    Ids(Vec<u32>),
    /// A chat's prompt as the ids it was once split into: its text is never split again.
    Turn(Vec<u32>),
}

/// An answer to generate.
#[derive(Debug, Clone)]
pub struct GenerateRequest {
    /// Which model answers.
    pub model: ModelChoice,
    /// What it continues.
    pub prompt: Prompt,
    /// How tokens are chosen, where it differs from the model's defaults.
    pub sampling: SamplingChoice,
    /// Ids that were read and written before, e.g. in a stored conversation: where the text of a chat
    /// goes on as they do, they stay, and only what follows is split anew.
    pub known: Vec<u32>,
    /// Most tokens to generate; what the context leaves if `None`, and nothing at all where it leaves
    /// nothing.
    pub max_tokens: Option<usize>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// Tokens (text or id) that end the answer beside the model's own.
    pub extra_eos: Vec<String>,
    /// Start of the random numbers; a fresh one if `None`.
    pub seed: Option<u64>,
    /// How keys and values are kept.
    pub cache: CacheOptions,
    /// A file that the KV cache is taken from, if it exists, and written to at the end.
    pub prompt_cache: Option<PathBuf>,
    /// How many of the likeliest tokens to tell at each place.
    pub top_logprobs: usize,
    /// The answer's first tokens, which stand: it goes on after them. Each is told of again, and an
    /// end token ends it there. With `seed` that of the answer they come from, it goes on with the
    /// random numbers it would have gone on with.
    pub begun: Vec<GeneratedToken>,
}

/// A run to step through.
#[derive(Debug, Clone)]
pub struct OpenRequest {
    /// Which model runs.
    pub model: ModelChoice,
    /// What it reads.
    pub prompt: Prompt,
    /// How tokens are chosen, where it differs from the model's defaults.
    pub sampling: SamplingChoice,
    /// Start of the random numbers; a fresh one if `None`.
    pub seed: Option<u64>,
    /// How keys and values are kept.
    pub cache: CacheOptions,
    /// What to keep of every stage.
    pub watch: Watch,
    /// Most bytes to keep; what comes later is recomputed when someone looks.
    pub budget_bytes: Option<usize>,
    /// Sizes of the pieces the prompt runs in; empty: as plain generation would.
    pub chunks: Vec<usize>,
    /// Give every position logits, not the last one only.
    pub all_logits: bool,
    /// Changes to the run.
    pub edits: Vec<Edit>,
    /// Prompts that patches copy from, by name.
    pub sources: Vec<(String, Vec<u32>)>,
    /// The draws of a stored answer, which the run follows: see [`OpenRequest::of_answer`].
    pub script: Vec<StoredDraw>,
}

impl OpenRequest {
    /// A run over `prompt` with the model's own settings, of which nothing is kept but what going
    /// back needs.
    #[must_use]
    pub fn new(model: ModelChoice, prompt: Prompt) -> Self {
        Self {
            model,
            prompt,
            sampling: SamplingChoice::default(),
            seed: None,
            cache: CacheOptions::default(),
            watch: Watch::Nothing,
            budget_bytes: None,
            chunks: Vec::new(),
            all_logits: false,
            edits: Vec::new(),
            sources: Vec::new(),
            script: Vec::new(),
        }
    }

    /// A run that makes a finished answer again: the same ids in the same pieces, and the same
    /// draws, so that its logits are the same bits. `model` and `cache` are those it was made with.
    ///
    /// The run stands before its first stage; [`DebugCommand::Tokens`], [`DebugCommand::To`] or
    /// [`DebugCommand::End`] lead on. Edits may lead elsewhere, with the same random numbers.
    #[must_use]
    pub fn of_answer(model: ModelChoice, cache: CacheOptions, answer: &Answer) -> Self {
        let draws = answer.tokens.iter().map(|token| StoredDraw {
            token: token.id,
            random: token.random,
            xtc_coin: token.xtc_coin,
            is_forced: false,
        });
        Self {
            sampling: answer.sampling.clone(),
            seed: Some(answer.seed),
            cache,
            chunks: answer.boundaries.clone(),
            script: draws.collect(),
            ..Self::new(model, Prompt::Ids(answer.prompt_tokens.clone()))
        }
    }
}

impl SamplingChoice {
    /// These settings, all of them given.
    #[must_use]
    pub fn of(params: &SamplingParams) -> Self {
        Self {
            temperature: Some(params.temperature),
            top_p: Some(params.top_p),
            top_k: Some(params.top_k),
            min_p: Some(params.min_p),
            xtc_probability: Some(params.xtc_probability),
            xtc_threshold: Some(params.xtc_threshold),
            repetition_penalty: Some(params.repetition_penalty),
            presence_penalty: Some(params.presence_penalty),
            frequency_penalty: Some(params.frequency_penalty),
            logit_bias: params.logit_bias.clone(),
        }
    }

    /// `params` with what was chosen in their place.
    #[must_use]
    pub fn onto(&self, params: &SamplingParams) -> SamplingParams {
        let all = self.or(&Self::of(params));
        SamplingParams {
            xtc_special_tokens: params.xtc_special_tokens.clone(),
            penalty_context: params.penalty_context,
            min_tokens_to_keep: params.min_tokens_to_keep,
            ..all.over(&GenerationDefaults::default(), Vec::new())
        }
    }

    /// The settings to sample with: what was chosen, else the model's `generation_config.json`,
    /// else greedy.
    #[must_use]
    pub fn over(&self, model: &GenerationDefaults, xtc_special_tokens: Vec<u32>) -> SamplingParams {
        let plain = SamplingParams::default();
        let temperature = self
            .temperature
            .unwrap_or_else(|| model.effective_temperature());
        SamplingParams {
            logit_bias: self.logit_bias.clone(),
            repetition_penalty: (self.repetition_penalty)
                .or(model.repetition_penalty)
                .unwrap_or(plain.repetition_penalty),
            presence_penalty: self.presence_penalty.unwrap_or(plain.presence_penalty),
            frequency_penalty: self.frequency_penalty.unwrap_or(plain.frequency_penalty),
            top_p: self.top_p.or(model.top_p).unwrap_or(plain.top_p),
            min_p: self.min_p.or(model.min_p).unwrap_or(plain.min_p),
            xtc_probability: self.xtc_probability.unwrap_or(plain.xtc_probability),
            xtc_threshold: self.xtc_threshold.unwrap_or(plain.xtc_threshold),
            xtc_special_tokens,
            top_k: self.top_k.or(model.top_k).unwrap_or(plain.top_k),
            temperature,
            ..plain
        }
    }
}

/// What happens to a request. Each ends in exactly one of those marked so.
#[derive(Debug)]
pub enum Event {
    /// Something the user should know; the request goes on.
    Notice(String),
    /// A model is ready.
    Loaded {
        /// What it is called.
        model: String,
        /// Seconds the load took; 0 if it was there already.
        load_s: f64,
    },
    /// The prompt is known and begins to run.
    Started {
        /// The prompt as ids.
        prompt_tokens: Vec<u32>,
        /// What of it the cache held.
        reuse: Reuse,
    },
    /// Part of the prompt has run.
    Prefill {
        /// Tokens run so far.
        done: usize,
        /// Tokens to run.
        total: usize,
    },
    /// Part of a longer answer is there, or some stages of a long pass have run.
    Progress {
        /// Pieces done.
        done: usize,
        /// Pieces in all.
        total: usize,
    },
    /// A token was chosen.
    Token {
        /// The token.
        token: GeneratedToken,
        /// The text to show now: it may belong to earlier tokens too, and be held back while it
        /// could become a stop string.
        shown: String,
    },
    /// End: the answer, complete or up to where it was stopped (see its stop reason).
    Answered(Box<Answer>),
    /// End: where a run stands.
    Run(Box<RunState>),
    /// End: a value that was looked at.
    Looked(Box<HostTensor>),
    /// End: the answer to a question.
    Told(Box<Told>),
    /// End: what a run has seen.
    Traced(Box<Trace>),
    /// End: the measurements.
    Benched(Box<BenchReport>),
    /// End: nothing to tell.
    Done,
    /// End: why it failed and what to do.
    Failed(String),
    /// End: stopped before there was an answer.
    Cancelled,
}

impl Event {
    /// Whether it is the last one of its request.
    #[must_use]
    pub fn is_last(&self) -> bool {
        !matches!(
            self,
            Self::Notice(_)
                | Self::Loaded { .. }
                | Self::Started { .. }
                | Self::Prefill { .. }
                | Self::Progress { .. }
                | Self::Token { .. }
        )
    }
}
