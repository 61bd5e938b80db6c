//! Generating an answer, one small piece of work at a time, so that sessions can take turns.

mod begun;
mod clock;
mod phase;
mod room;
mod stop_when;

use std::rc::Rc;

use anyhow::{Context as _, Result, ensure};
use mlx_rs::{Dtype, memory as mlx_memory};

use self::begun::Begun;
use self::clock::Clock;
use self::phase::Phase;
use self::room::room;

use super::context::{Context, first_pieces};
use super::loaded::LoadedModel;
use super::message::{CancelToken, Event, GenerateRequest, Prompt, SamplingChoice};
use super::pass::{LogitRows, Pass};
use super::sampler::{Draw, Sampler, fresh_seed};
use super::stops::{Ends, Written};
use super::task::{Outbox, Turn};
use super::{prompt, prompt_cache};
use crate::model::probe::Cancelled;
use crate::tokenizer::TextStart;
use crate::trace::answer::{Answer, GeneratedToken, StopReason};

/// An answer in the making.
pub struct Generation {
    loaded: Rc<LoadedModel>,
    request: GenerateRequest,
    cancel: CancelToken,
    prompt: Vec<u32>,
    /// The prompt and what was generated: what penalties look back on.
    history: Vec<u32>,
    /// The answer's first tokens, where they are given.
    begun: Begun,
    /// Tokens that the cache held of the prompt and of what stands.
    reused: usize,
    /// Bytes that MLX had in use when it began.
    memory_before: usize,
    /// Tokens that were to run before the first draw.
    n_to_run: usize,
    sampler: Sampler,
    ends: Ends,
    written: Written,
    phase: Phase,
    clock: Clock,
    max_tokens: usize,
}

impl Generation {
    /// Prepares a generation: the prompt as ids, the sampler, and what the cache already holds.
    ///
    /// # Errors
    /// If the prompt is empty, a setting is out of range, or there is not enough memory.
    pub fn start(
        loaded: Rc<LoadedModel>,
        mut request: GenerateRequest,
        cancel: CancelToken,
        context: &mut Context,
        out: &Outbox,
    ) -> Result<Self> {
        let clock = Clock::start();
        mlx_memory::reset_peak_memory()?;
        let memory_before = mlx_memory::active_memory()?;
        let tokenizer = loaded.tokenizer()?;
        if let Some(path) = &request.prompt_cache
            && context.is_empty()
            && path.exists()
        {
            *context = prompt_cache::load(path, &loaded, context.options())?;
        }
        let mut prompt = prompt::ids(&loaded, &tokenizer, &request.prompt, out)?;
        if matches!(request.prompt, Prompt::Chat { .. }) {
            prompt = prompt::continued(&tokenizer, prompt, context.ids())?;
            if !prompt.starts_with(context.ids()) || context.is_empty() {
                prompt = prompt::continued(&tokenizer, prompt, &request.known)?;
            }
        }
        if prompt::is_plain_chat(&tokenizer, &request.prompt) {
            request.stop.push(prompt::PLAIN_STOP.to_owned());
        }
        ensure!(
            !prompt.is_empty(),
            "the prompt is empty: there is nothing to continue"
        );
        let ends = Ends::new(
            &tokenizer,
            &request.extra_eos,
            &loaded.defaults.eos_token_id,
        )?;
        let params = request
            .sampling
            .over(&loaded.defaults, ends.untouched_by_xtc(&tokenizer)?);
        let sampler = Sampler::new(params, request.seed.unwrap_or_else(fresh_seed))?;
        if let Some(path) = &request.prompt_cache {
            prompt_cache::check_folder(path)?;
        }
        let trained = loaded.model.config().max_position_embeddings;
        let max_tokens = request.max_tokens.unwrap_or_else(|| {
            room(
                trained,
                prompt.len() + request.begun.len(),
                request.cache.max_size,
            )
        });
        // Whoever lets the cache rotate has chosen to go beyond.
        let rotates = request.cache.max_size.is_some_and(|max| max <= trained);
        if prompt.len() > trained && max_tokens > 0 && !rotates {
            out.send(Event::Notice(format!(
                "{} tokens are more than the {trained} this model was trained for: expect nonsense, \
                 or keep the newest with --max-kv-size",
                prompt.len()
            )));
        }
        let begun = Begun::new(std::mem::take(&mut request.begun), &ends);
        let reuse = begun.reuse(context, &prompt);
        let start = match request.prompt {
            Prompt::Chat { .. } | Prompt::Turn(_) => TextStart::Fresh,
            Prompt::Raw(_) | Prompt::Ids(_) => TextStart::Continued,
        };
        let written = Written::new(&tokenizer, start, &request.stop);
        out.send(Event::Started {
            prompt_tokens: prompt.clone(),
            reuse: reuse.clone(),
        });
        let mut generation = Self {
            phase: Phase::Prefill(Pass::new(&loaded.model, 0, Vec::new(), LogitRows::None)),
            loaded,
            request,
            cancel,
            history: prompt.clone(),
            n_to_run: prompt.len() + begun.len() - reuse.reused,
            prompt,
            begun,
            reused: reuse.reused,
            memory_before,
            sampler,
            ends,
            written,
            clock,
            max_tokens,
        };
        generation.check_memory(context)?;
        generation.phase = generation.first_phase(context, out);
        Ok(generation)
    }

    /// Does the next piece of work: a stage of the prompt, or a token.
    ///
    /// # Errors
    /// If MLX fails or memory runs out.
    pub fn advance(&mut self, context: &mut Context, out: &Outbox) -> Result<Turn> {
        if self.cancel.is_cancelled() {
            return self.end(context, out, StopReason::Cancelled);
        }
        if self.request.max_tokens.is_none() && self.max_tokens == 0 {
            // There is no room for an answer: nothing is read for it.
            return self.end(context, out, StopReason::Length);
        }
        let result = match self.phase {
            Phase::Prefill(_) => self.prefill(context, out),
            Phase::Decode(_) => self.decode(context, out),
        };
        match result {
            Err(error) if error.is::<Cancelled>() => {
                context.settle();
                self.end(context, out, StopReason::Cancelled)
            }
            other => other,
        }
    }

    fn tell_progress(&self, context: &Context, out: &Outbox) {
        out.send(Event::Prefill {
            done: context.len().saturating_sub(self.reused),
            total: self.n_to_run,
        });
    }

    /// Takes a token that stands as if it had been drawn from `logits`, `[vocab]`.
    fn repeat(
        &mut self,
        token: &GeneratedToken,
        logits: &[f32],
        context: &mut Context,
        out: &Outbox,
    ) -> Result<Turn> {
        let draw = begun::draw_of(token, logits)?;
        self.sampler.skip(1);
        self.history.push(draw.token);
        self.begin_pass(draw.token, context)?;
        self.show(logits, &draw, out)?;
        self.tell_progress(context, out);
        Ok(Turn::More)
    }

    /// Draws the next token from `logits`, `[vocab]`, and shows it.
    fn choose(&mut self, logits: &[f32], context: &mut Context, out: &Outbox) -> Result<Turn> {
        if let Some(token) = self.begun.next() {
            return self.repeat(&token, logits, context, out);
        }
        if self.begun.ends_there() || self.written.has_stopped() {
            return self.end(context, out, StopReason::Stop);
        }
        if self.max_tokens == 0 {
            return self.end(context, out, StopReason::Length);
        }
        let draw = self.sampler.sample(logits, &self.history)?;
        self.clock.tick();
        if self.ends.contains(draw.token) {
            return self.end(context, out, StopReason::Stop);
        }
        self.history.push(draw.token);
        // The next pass begins before the token is shown: a GPU computes while we write.
        let has_room = self.clock.generated() < self.max_tokens
            && self
                .loaded
                .model
                .position_limit()
                .is_none_or(|limit| context.len() < limit);
        if has_room {
            self.begin_pass(draw.token, context)?;
        }
        self.show(logits, &draw, out)?;
        if self.written.has_stopped() {
            return self.end(context, out, StopReason::Stop);
        }
        if !has_room {
            return self.end(context, out, StopReason::Length);
        }
        Ok(Turn::More)
    }

    fn show(&mut self, logits: &[f32], draw: &Draw, out: &Outbox) -> Result<()> {
        let shown = self.written.push(logits, draw, self.request.top_logprobs)?;
        self.tell(shown, out);
        Ok(())
    }

    /// Tells of the newest token.
    fn tell(&self, shown: String, out: &Outbox) {
        if let Some(token) = self.written.tokens().last() {
            out.send(Event::Token {
                token: token.clone(),
                shown,
            });
        }
    }

    fn end(&mut self, context: &mut Context, out: &Outbox, reason: StopReason) -> Result<Turn> {
        if let Some(path) = &self.request.prompt_cache {
            // The answer is shown even where the disk is full.
            if let Err(error) = prompt_cache::save(path, &self.loaded, context) {
                out.send(Event::Notice(format!("{error:#}")));
            }
        }
        let (tokens, text) = self.written.finish();
        let peak = mlx_memory::peak_memory()?;
        out.send(Event::Answered(Box::new(Answer {
            model: self.loaded.label.clone(),
            prompt_tokens: self.prompt.clone(),
            tokens,
            text,
            stop_reason: reason,
            speed: self.clock.speed(self.n_to_run),
            reused: self.reused.min(self.prompt.len()),
            cache: context.size(),
            seed: self.sampler.seed(),
            sampling: SamplingChoice::of(self.sampler.params()),
            boundaries: first_pieces(context.pieces(), self.prompt.len()),
            peak_memory_bytes: peak,
            own_memory_bytes: self.loaded.held_bytes as usize
                + peak.saturating_sub(self.memory_before),
            active_memory_bytes: mlx_memory::active_memory()?,
        })));
        Ok(Turn::Ended)
    }
}

/// The logits of a pass that ran to its end, of its last row: `[vocab]`.
///
/// # Errors
/// If the pass has not come to its logits.
pub fn to_host(pass: &Pass) -> Result<Vec<f32>> {
    let logits = pass.logits()?.as_dtype(Dtype::Float32)?; // [1, vocab]
    logits
        .to_vec_exact::<f32>()
        .context("cannot read the logits")
}
