//! The network: configuration, strict weights, quantized layers, KV cache, blocks and probes.
//!
//! MLX lives here and in the engine only. A [`Model`] is shared by every session; what a session
//! owns is its KV cache.

pub mod attention;
pub mod cache;
pub mod compute;
pub mod config;
pub mod decoder;
pub mod families;
pub mod kernels;
pub mod linear;
pub mod loader;
pub mod mlp;
pub mod norm;
pub mod parts;
pub mod probe;
pub mod rope;
pub mod weights;

use anyhow::{Context as _, Result};
use mlx_rs::Array;

use cache::KvCache;
use config::ModelConfig;
use decoder::Decoder;
use families::Family;
use linear::Kernels;
use loader::{Compute, Loader, Work};
use parts::{Norm, Part};
use probe::Probe;
use weights::{Checkpoint, Explained};

use crate::trace::{BlockHook, Hook};

/// A model that can run: its configuration and its network.
pub struct Model {
    family: Family,
    config: ModelConfig,
    decoder: Box<dyn Decoder>,
    compute: Compute,
    work: Work,
    unused: Vec<Explained>,
}

impl Model {
    /// Loads every weight of `checkpoint` as `config` says, strictly.
    ///
    /// # Errors
    /// If the family is unknown, or a tensor is missing, has another shape, or is left over.
    pub fn load(config: ModelConfig, checkpoint: &Checkpoint, kernels: Kernels) -> Result<Self> {
        let compute = Compute::new(kernels)?;
        let family = families::find(&config.model_type)?;
        let mut loader = Loader::new(checkpoint, &config, compute, family.clean_up)?;
        let decoder = (family.load)(&config, &mut loader)?;
        let (work, unused) = loader.finish()?;
        Ok(Self {
            family,
            config,
            decoder,
            compute,
            work,
            unused,
        })
    }

    /// The checked `config.json`.
    #[must_use]
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Which kernels multiply, and where.
    #[must_use]
    pub fn compute(&self) -> Compute {
        self.compute
    }

    /// What running tokens through the model costs.
    #[must_use]
    pub fn work(&self) -> Work {
        self.work
    }

    /// Tensors of the file that the model does without, and why.
    #[must_use]
    pub fn unused(&self) -> &[Explained] {
        &self.unused
    }

    /// How many positions the model can tell apart; `None` where nothing but quality limits it.
    #[must_use]
    pub fn position_limit(&self) -> Option<usize> {
        self.decoder.position_limit()
    }

    /// How many tokens of a prompt run at once.
    ///
    /// A cancel is noticed between two products of matrices, so a chunk is as large as the largest
    /// product may be: 5 billion multiplications, a tenth of a second on two cores. It depends on
    /// the model's shape alone: with the same chunks, the same prompt gives the same numbers.
    #[must_use]
    pub fn prefill_chunk(&self) -> usize {
        const MULTIPLICATIONS: usize = 5_000_000_000;
        let fitting = MULTIPLICATIONS / self.work.largest_matrix.max(1);
        (fitting / 32 * 32).clamp(32, 512)
    }

    /// Floating-point operations of a prompt of `n` tokens with logits for the last one: two per
    /// weight and token, and in attention four per head value and pair of positions.
    #[must_use]
    pub fn flops_of_prefill(&self, n: usize) -> f64 {
        let (config, n) = (&self.config, n as f64);
        let linear = 2.0 * (self.work.block_weights as f64 * n + self.work.head_weights as f64);
        let head_values = (config.num_attention_heads * config.head_dim) as f64;
        let pairs = n * (n + 1.0) / 2.0;
        linear + 4.0 * config.num_hidden_layers as f64 * head_values * pairs
    }

    /// Number of blocks.
    #[must_use]
    pub fn n_layers(&self) -> usize {
        self.decoder.n_layers()
    }

    /// Every hook of a pass, in order of execution.
    #[must_use]
    pub fn hooks(&self) -> Vec<Hook> {
        self.family.hooks(self.n_layers())
    }

    /// The hooks of each block, in order of execution.
    #[must_use]
    pub fn block_hooks(&self) -> &'static [BlockHook] {
        self.family.block_hooks
    }

    /// Every matrix, in order of execution: what is looked up first, the output head last.
    #[must_use]
    pub fn parts(&self) -> Vec<Part<'_>> {
        self.decoder.parts()
    }

    /// The layer that writes the value at `hook`.
    ///
    /// # Errors
    /// If no layer does: the value is computed from others.
    pub fn part_writing(&self, hook: Hook) -> Result<Part<'_>> {
        let found = self
            .parts()
            .into_iter()
            .find(|part| part.writes.contains(&hook));
        found.with_context(|| format!("no layer of this model writes {hook}"))
    }

    /// The layer called `path` in the checkpoint, e.g. `model.layers.0.self_attn.q_proj`.
    ///
    /// # Errors
    /// If the model has no such layer.
    pub fn part(&self, path: &str) -> Result<Part<'_>> {
        let bare = path.strip_suffix(".weight").unwrap_or(path);
        let found = self.parts().into_iter().find(|part| part.path == bare);
        found.with_context(|| {
            let first = self
                .parts()
                .into_iter()
                .nth(1)
                .map(|part| part.path)
                .unwrap_or_default();
            format!("this model has no matrix called '{path}'; one that it has is '{first}'")
        })
    }

    /// The norm after the last block.
    #[must_use]
    pub fn last_norm(&self) -> Norm<'_> {
        self.decoder.last_norm()
    }

    /// Stage 1: rows of `ids`, the first at position `start`, `[pos, d_model]`.
    ///
    /// # Errors
    /// As [`Decoder::embed`].
    pub fn embed(&self, ids: &[u32], start: usize, probe: &mut dyn Probe) -> Result<Array> {
        self.decoder.embed(ids, start, probe)
    }

    /// One block on `hidden`, `[pos, d_model]`, appending to its `cache`.
    ///
    /// # Errors
    /// As [`Decoder::block`].
    pub fn block(
        &self,
        layer: usize,
        hidden: &Array,
        cache: &mut KvCache,
        probe: &mut dyn Probe,
    ) -> Result<Array> {
        self.decoder.block(layer, hidden, cache, probe)
    }

    /// The norm after the last block, `[pos, d_model]`.
    ///
    /// # Errors
    /// As [`Decoder::final_norm`].
    pub fn final_norm(&self, hidden: &Array, probe: &mut dyn Probe) -> Result<Array> {
        self.decoder.final_norm(hidden, probe)
    }

    /// Logits of every position of `normed`, `[pos, vocab]`.
    ///
    /// # Errors
    /// As [`Decoder::unembed`].
    pub fn unembed(&self, normed: &Array, probe: &mut dyn Probe) -> Result<Array> {
        self.decoder.unembed(normed, probe)
    }
}
