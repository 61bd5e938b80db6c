//! Generating an answer, one small piece of work at a time, so that sessions can take turns.

mod begun;
mod clock;

use std::rc::Rc;

use anyhow::{Context as _, Result, ensure};
use mlx_rs::{Dtype, memory as mlx_memory};

use self::begun::Begun;
use self::clock::Clock;

use super::context::{Context, first_pieces};
use super::loaded::LoadedModel;
use super::memory::{self, MemoryNeed, PassSize};
use super::message::{CancelToken, Event, GenerateRequest, Prompt, SamplingChoice};
use super::pass::{LogitRows, Pass};
use super::sampler::{Draw, Sampler, fresh_seed};
use super::stops::{Ends, Written};
use super::task::{Outbox, Turn};
use super::{prompt, prompt_cache};
use crate::model::cache::CHUNK;
use crate::model::probe::{Cancelled, Probe};
use crate::tokenizer::{TextStart, Tokenizer};
use crate::trace::Hook;
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

/// Where a generation stands.
enum Phase {
    /// The prompt runs, in chunks.
    Prefill(Pass),
    /// The pass of the newest token; `None` before it is begun.
    Decode(Pass),
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
        let mut prompt = prompt_ids(&loaded, &tokenizer, &request.prompt, out)?;
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

    /// The pass to begin with: over the prompt, or where the cache holds all of it, over the first
    /// token after what it holds.
    fn first_phase(&mut self, context: &Context, out: &Outbox) -> Phase {
        let n_held = context.len();
        if n_held < self.prompt.len() {
            return Phase::Prefill(self.next_chunk(n_held));
        }
        while self.history.len() <= n_held
            && let Some(token) = self.begun.next()
        {
            self.sampler.skip(1);
            self.history.push(token.id);
            let shown = self.written.stand(&token);
            self.tell(shown, out);
        }
        let newest = self.history.last().copied().into_iter().collect();
        Phase::Decode(Pass::new(
            &self.loaded.model,
            n_held,
            newest,
            LogitRows::Last,
        ))
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

    /// One stage of the prompt's pass.
    fn prefill(&mut self, context: &mut Context, out: &Outbox) -> Result<Turn> {
        let Phase::Prefill(pass) = &mut self.phase else {
            return Ok(Turn::More);
        };
        let mut probe = StopWhen(&self.cancel);
        let stepped = pass.step(&self.loaded.model, context, &mut probe)?;
        if stepped.is_some() && pass.next_stage().is_some() {
            return Ok(Turn::More);
        }
        self.tell_progress(context, out);
        if context.len() < self.prompt.len() {
            self.phase = Phase::Prefill(self.next_chunk(context.len()));
            return Ok(Turn::More);
        }
        let Phase::Prefill(pass) = &self.phase else {
            return Ok(Turn::More);
        };
        let logits = to_host(pass)?;
        self.choose(&logits, context, out)
    }

    /// The pass of the newest token, and the choice of the next.
    fn decode(&mut self, context: &mut Context, out: &Outbox) -> Result<Turn> {
        if context.len().is_multiple_of(CHUNK) {
            self.check_memory(context)?;
        }
        let Phase::Decode(pass) = &mut self.phase else {
            return Ok(Turn::More);
        };
        pass.run(&self.loaded.model, context, &mut StopWhen(&self.cancel))?;
        let logits = to_host(pass)?;
        self.choose(&logits, context, out)
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

    fn begin_pass(&mut self, token: u32, context: &mut Context) -> Result<()> {
        let mut pass = Pass::new(
            &self.loaded.model,
            context.len(),
            vec![token],
            LogitRows::Last,
        );
        if self.loaded.model.compute().on_gpu {
            pass.run(&self.loaded.model, context, &mut StopWhen(&self.cancel))?;
            mlx_rs::transforms::async_eval([pass.logits()?])?;
        }
        self.phase = Phase::Decode(pass);
        Ok(())
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

    /// The pass over the next chunk of the prompt.
    fn next_chunk(&self, done: usize) -> Pass {
        let end = self
            .prompt
            .len()
            .min(done + self.loaded.model.prefill_chunk());
        let rows = if end == self.prompt.len() {
            LogitRows::Last
        } else {
            LogitRows::None
        };
        let ids = self.prompt.get(done..end).unwrap_or_default().to_vec();
        Pass::new(&self.loaded.model, done, ids, rows)
    }

    /// Refuses what will not fit, before the system kills the program.
    fn check_memory(&self, context: &Context) -> Result<()> {
        let Some(available) = memory::available() else {
            return Ok(());
        };
        let (config, compute) = (self.loaded.model.config(), self.loaded.model.compute());
        let left = self.prompt.len().saturating_sub(context.len()).max(CHUNK);
        let chunk = left.min(self.loaded.model.prefill_chunk());
        let of_pass = |n_before, n_new| {
            let n_logit_rows = 1;
            let size = PassSize {
                n_before,
                n_new,
                n_logit_rows,
            };
            MemoryNeed::of_pass(config, context.options(), size, compute)
        };
        let need = MemoryNeed {
            cache: of_pass(context.len(), left).cache,
            ..of_pass(context.len() + left - chunk, chunk)
        };
        Ok(need.check(available)?)
    }
}

/// How many tokens the context leaves for an answer; a rotating cache makes room as it goes, but
/// an answer that fills a whole context is no answer any more.
fn room(trained: usize, n_prompt: usize, max_size: Option<usize>) -> usize {
    match max_size {
        Some(_) => trained,
        None => trained.saturating_sub(n_prompt),
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

/// The prompt as ids.
///
/// # Errors
/// As [`prompt_text`], and if the tokenizer cannot split the text.
pub fn prompt_ids(
    loaded: &LoadedModel,
    tokenizer: &Tokenizer,
    prompt: &Prompt,
    out: &Outbox,
) -> Result<Vec<u32>> {
    match (prompt, prompt_text(loaded, tokenizer, prompt, out)?) {
        (Prompt::Ids(ids) | Prompt::Turn(ids), _) => Ok(ids.clone()),
        (_, None) => Ok(Vec::new()),
        // A template writes the begin token itself; text that went through none lacks it.
        (prompt, Some(text)) => {
            let is_templated = matches!(prompt, Prompt::Chat { .. }) && tokenizer.has_template();
            tokenizer.encode_ids(&text, !is_templated)
        }
    }
}

/// The prompt as the model reads it, special tokens written out; `None` where it is given as ids.
///
/// # Errors
/// If the chat template refuses the messages.
pub fn prompt_text(
    loaded: &LoadedModel,
    tokenizer: &Tokenizer,
    prompt: &Prompt,
    out: &Outbox,
) -> Result<Option<String>> {
    let (messages, prefill_response, args) = match prompt {
        Prompt::Ids(_) | Prompt::Turn(_) => return Ok(None),
        Prompt::Raw(text) => return Ok(Some(text.clone())),
        Prompt::Chat {
            messages,
            prefill_response,
            args,
        } => (messages, prefill_response, args),
    };
    if !tokenizer.has_template() {
        out.send(Event::Notice(format!(
            "{} has no chat template: the plain form 'User: … Assistant:' is used",
            loaded.label
        )));
    }
    let rendered = match tokenizer.has_template() {
        true => tokenizer.render_chat(messages, args)?,
        false => tokenizer.render_chat(&prompt::trimmed(messages), args)?,
    };
    let mut text = rendered.text;
    text.push_str(prefill_response.as_deref().unwrap_or_default());
    Ok(Some(text))
}

/// Stops a pass at the next hook once the request is cancelled.
struct StopWhen<'a>(&'a CancelToken);

impl Probe for StopWhen<'_> {
    fn wants(&self, _hook: Hook) -> bool {
        false
    }

    fn see(&mut self, _hook: Hook, _value: &mlx_rs::Array) -> Result<Option<mlx_rs::Array>> {
        Ok(None)
    }

    fn check(&self) -> Result<()> {
        if self.0.is_cancelled() {
            return Err(Cancelled.into());
        }
        Ok(())
    }
}
