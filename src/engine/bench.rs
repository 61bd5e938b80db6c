//! Measuring: how fast this machine runs a model, and how fast it could.

use std::rc::Rc;
use std::time::Instant;

use anyhow::{Result, ensure};
use mlx_rs::memory as mlx_memory;
use serde::Serialize;

use super::context::Context;
use super::loaded::LoadedModel;
use super::memory;
use super::message::{CancelToken, Event, ModelChoice};
use super::pass::{LogitRows, Pass};
use super::recording_cost::{RecordingCost, recording_cost};
use super::task::{Outbox, Turn};
use crate::model::cache::CacheOptions;
use crate::model::kernels;
use crate::model::probe::Unwatched;
use crate::trace::measure::ledger::CacheCost;

/// Prompt tokens where nobody says how many.
const DEFAULT_PROMPT_TOKENS: usize = 512;

/// What to measure.
#[derive(Debug, Clone)]
pub struct BenchOptions {
    /// The model.
    pub model: ModelChoice,
    /// Tokens of the prompt; if `None`, 512, or what fits the model's context with what is
    /// generated.
    pub prompt_tokens: Option<usize>,
    /// Tokens to generate.
    pub gen_tokens: usize,
    /// Also time a pass of which every hook is recorded.
    pub recording: bool,
    /// Also run the whole text again, as every token would have to without a KV cache.
    pub without_cache: bool,
}

/// Tokens of the prompt that is recorded.
const RECORDED_TOKENS: usize = 64;

/// What was measured.
#[derive(Debug, Clone, Serialize)]
pub struct BenchReport {
    /// The model's name.
    pub model: String,
    /// Seconds to load it.
    pub load_s: f64,
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Tokens generated.
    pub gen_tokens: usize,
    /// Prompt tokens per second.
    pub prefill_tps: f64,
    /// Generated tokens per second.
    pub decode_tps: f64,
    /// Most memory MLX had in use, in bytes.
    pub peak_memory_bytes: usize,
    /// Most memory the process has held, in bytes.
    pub peak_resident_bytes: Option<u64>,
    /// Reading speed of this machine's memory from its cores, in GB/s; `None` where there was no
    /// memory left to measure it.
    pub bandwidth_gbs: Option<f64>,
    /// Float32 speed of this machine's cores, in GFLOP/s.
    pub gflops: f64,
    /// Threads that measured and computed.
    pub n_threads: usize,
    /// Bytes of weights that each token reads.
    pub bytes_per_token: u64,
    /// Share of the memory bandwidth that decoding reached; `None` on a GPU, which was not measured.
    pub bandwidth_share: Option<f64>,
    /// Share of the float32 speed that the prefill reached; `None` on a GPU, which was not measured.
    pub gflops_share: Option<f64>,
    /// Which BLAS multiplies float32 matrices.
    pub blas: String,
    /// Who multiplies quantized matrices, with which instructions.
    pub kernels: String,
    /// Where MLX computes.
    pub device: String,
    /// What recording every hook costs, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording: Option<RecordingCost>,
    /// What a token would cost without a KV cache, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without_cache: Option<CacheCost>,
}

/// A measurement under way.
pub struct Bench {
    loaded: Rc<LoadedModel>,
    options: BenchOptions,
    n_prompt: usize,
    n_gen: usize,
    cancel: CancelToken,
    context: Context,
    ids: Vec<u32>,
    pass: Option<Pass>,
    prefill_s: f64,
    decode_s: f64,
    n_decoded: usize,
    /// The same text again, without a cache, and how long it has taken.
    again: Option<(Context, f64)>,
}

impl Bench {
    /// Prepares the measurement.
    ///
    /// # Errors
    /// If there is nothing to measure, or the model cannot hold so many positions.
    pub fn new(
        loaded: Rc<LoadedModel>,
        options: BenchOptions,
        cancel: CancelToken,
    ) -> Result<Self> {
        let n_gen = options.gen_tokens;
        let n_prompt = options.prompt_tokens.unwrap_or_else(|| {
            let context = loaded.model.config().max_position_embeddings;
            context
                .saturating_sub(n_gen)
                .clamp(1, DEFAULT_PROMPT_TOKENS)
        });
        ensure!(n_prompt > 0, "--prompt-tokens must be at least 1");
        ensure!(n_gen > 0, "--gen-tokens must be at least 1");
        let total = n_prompt.saturating_add(n_gen);
        if let Some(limit) = loaded.model.position_limit() {
            ensure!(
                total <= limit,
                "this model can hold {limit} positions, not {total}"
            );
        }
        let context = Context::new(loaded.model.n_layers(), CacheOptions::default());
        let vocab = loaded.model.config().vocab_size as u32;
        // Any ids do; these differ from each other, so that no row is read twice in a row.
        let ids = (0..n_prompt as u32).map(|at| at.wrapping_mul(7919) % vocab);
        let ids = ids.collect();
        mlx_memory::reset_peak_memory()?;
        Ok(Self {
            loaded,
            options,
            n_prompt,
            n_gen,
            cancel,
            context,
            ids,
            pass: None,
            prefill_s: 0.0,
            decode_s: 0.0,
            n_decoded: 0,
            again: None,
        })
    }

    /// Runs the next chunk of the prompt or the next token.
    ///
    /// # Errors
    /// If MLX fails.
    pub fn advance(&mut self, out: &Outbox) -> Result<Turn> {
        if self.cancel.is_cancelled() {
            out.send(Event::Cancelled);
            return Ok(Turn::Ended);
        }
        let started = Instant::now();
        if self.context.len() < self.ids.len() {
            self.prefill()?;
            self.prefill_s += started.elapsed().as_secs_f64();
            return Ok(Turn::More);
        }
        if self.n_decoded < self.n_gen {
            self.decode()?;
            self.decode_s += started.elapsed().as_secs_f64();
            return Ok(Turn::More);
        }
        if self.options.without_cache && self.read_again()? == Turn::More {
            return Ok(Turn::More);
        }
        out.send(Event::Benched(Box::new(self.report()?)));
        Ok(Turn::Ended)
    }

    fn prefill(&mut self) -> Result<()> {
        let model = &self.loaded.model;
        let done = self.context.len();
        let end = self.ids.len().min(done + model.prefill_chunk());
        let rows = if end == self.ids.len() {
            LogitRows::Last
        } else {
            LogitRows::None
        };
        let ids = self.ids.get(done..end).unwrap_or_default().to_vec();
        let mut pass = Pass::new(model, done, ids, rows);
        while pass
            .step(model, &mut self.context, &mut Unwatched)?
            .is_some()
        {}
        self.pass = Some(pass);
        Ok(())
    }

    /// Runs the next piece of the whole text, as if no cache had kept any of it.
    fn read_again(&mut self) -> Result<Turn> {
        let model = &self.loaded.model;
        let n_layers = model.n_layers();
        let total = self.n_prompt + self.n_decoded;
        let fresh = || (Context::new(n_layers, CacheOptions::default()), 0.0);
        let (context, seconds) = self.again.get_or_insert_with(fresh);
        let done = context.len();
        if done >= total {
            return Ok(Turn::Ended);
        }
        let end = total.min(done + model.prefill_chunk());
        let rows = if end == total {
            LogitRows::Last
        } else {
            LogitRows::None
        };
        let ids = self.ids.iter().copied().cycle().skip(done).take(end - done);
        let started = Instant::now();
        let mut pass = Pass::new(model, done, ids.collect(), rows);
        while pass.step(model, context, &mut Unwatched)?.is_some() {}
        *seconds += started.elapsed().as_secs_f64();
        Ok(Turn::More)
    }

    /// As chat does it: the likeliest token is chosen on the host, and begins the next pass.
    fn decode(&mut self) -> Result<()> {
        let model = &self.loaded.model;
        let Some(pass) = &self.pass else {
            return Ok(());
        };
        let logits = super::generate::to_host(pass)?;
        let mut likeliest = 0;
        for (id, logit) in logits.iter().enumerate() {
            if *logit > logits.get(likeliest).copied().unwrap_or(f32::MIN) {
                likeliest = id;
            }
        }
        let mut pass = Pass::new(
            model,
            self.context.len(),
            vec![likeliest as u32],
            LogitRows::Last,
        );
        pass.run(model, &mut self.context, &mut Unwatched)?;
        pass.logits()?.eval()?;
        self.pass = Some(pass);
        self.n_decoded += 1;
        Ok(())
    }

    fn recording(&self) -> Result<Option<RecordingCost>> {
        if !self.options.recording {
            return Ok(None);
        }
        let limit = self
            .loaded
            .model
            .position_limit()
            .unwrap_or(RECORDED_TOKENS);
        let ids = self
            .ids
            .iter()
            .copied()
            .cycle()
            .take(RECORDED_TOKENS.min(limit));
        let ids: Vec<u32> = ids.collect();
        recording_cost(&self.loaded, &ids, &self.cancel).map(Some)
    }

    fn report(&self) -> Result<BenchReport> {
        let (loaded, model) = (&self.loaded, &self.loaded.model);
        let (n_prompt, n_gen) = (self.n_prompt, self.n_gen);
        // Read before the machine is measured, which takes memory of its own.
        let (peak_memory, peak_resident) = (mlx_memory::peak_memory()?, memory::peak_resident());
        let machine = kernels::Machine::measure();
        let prefill_tps = n_prompt as f64 / self.prefill_s;
        let decode_tps = n_gen as f64 / self.decode_s;
        let bytes_per_token = model.work().bytes_per_token as u64;
        let compute = model.compute();
        let kernels = match compute.own_kernels {
            true => format!("Vitrine ({})", machine.instruction_set.name()),
            false => "MLX".to_owned(),
        };
        Ok(BenchReport {
            model: loaded.label.clone(),
            load_s: loaded.load_s,
            prompt_tokens: n_prompt,
            gen_tokens: n_gen,
            prefill_tps,
            decode_tps,
            peak_memory_bytes: peak_memory,
            peak_resident_bytes: peak_resident,
            bandwidth_gbs: machine.bandwidth,
            gflops: machine.gflops,
            n_threads: machine.n_threads,
            bytes_per_token,
            bandwidth_share: machine
                .bandwidth
                .filter(|_| !compute.on_gpu)
                .map(|bandwidth| bytes_per_token as f64 * decode_tps / (bandwidth * 1e9)),
            gflops_share: (!compute.on_gpu).then(|| {
                model.flops_of_prefill(n_prompt) / self.prefill_s / (machine.gflops * 1e9)
            }),
            blas: kernels::BLAS_NAME.to_owned(),
            kernels,
            device: if compute.on_gpu { "GPU" } else { "CPU" }.to_owned(),
            recording: self.recording()?,
            without_cache: self.again.as_ref().map(|(_, seconds)| CacheCost {
                positions: n_prompt + n_gen,
                with_cache_s: self.decode_s / n_gen as f64,
                without_cache_s: *seconds,
            }),
        })
    }
}
