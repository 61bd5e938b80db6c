//! What the window needs to know of a model before anything has run.

use crate::trace::measure::family::FamilyView;
use crate::trace::{BlockHook, Hook};

/// A model's shape.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelFacts {
    /// What it is called.
    pub name: String,
    /// Number of blocks.
    pub n_layers: usize,
    /// Query heads per block.
    pub n_heads: usize,
    /// Key and value heads per block.
    pub n_kv_heads: usize,
    /// Values of a head.
    pub head_dim: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Neurons of an MLP.
    pub d_mlp: usize,
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// Bits of a weight, where it is quantized.
    pub bits: Option<u64>,
    /// Positions it was made for, where its config says so.
    pub n_context: Option<u64>,
    /// The hooks of a pass, in order of execution.
    pub hooks: Vec<Hook>,
}

impl ModelFacts {
    /// The facts that the engine told.
    #[must_use]
    pub fn of(family: &FamilyView) -> Self {
        let quantization = family.config.get("quantization");
        let context = ["max_position_embeddings", "n_positions", "n_ctx"];
        let mut context = context
            .iter()
            .filter_map(|name| family.config.get(name)?.as_u64());
        let hooks = family
            .hooks
            .iter()
            .filter_map(|info| info.hook.parse().ok());
        Self {
            name: family.model.clone(),
            n_layers: family.n_layers,
            n_heads: family.n_heads,
            n_kv_heads: family.n_kv_heads,
            head_dim: family.head_dim,
            d_model: family.d_model,
            d_mlp: family.d_mlp,
            vocab_size: family.vocab_size,
            bits: quantization.and_then(|quantization| quantization.get("bits")?.as_u64()),
            n_context: context.next(),
            hooks: hooks.collect(),
        }
    }

    /// Whether blocks have this hook.
    #[must_use]
    pub fn has(&self, hook: BlockHook) -> bool {
        self.hooks.contains(&Hook::Block(0, hook))
    }
}
