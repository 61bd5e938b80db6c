//! What the window needs to know of a model before anything has run.

use crate::trace::file::ModelMeta;
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
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// Bits of a weight, where it is quantized.
    pub bits: Option<usize>,
    /// Bytes of weights in its files.
    pub weight_bytes: u64,
    /// The hooks of a pass, in order of execution.
    pub hooks: Vec<Hook>,
}

impl ModelFacts {
    /// The facts that a trace's description holds.
    #[must_use]
    pub fn of(meta: &ModelMeta) -> Self {
        let number = |names: &[&str]| {
            let mut found = names.iter().filter_map(|name| meta.config.get(name)?.as_u64());
            found.next().map(|number| number as usize)
        };
        let hooks: Vec<Hook> = meta.hooks.iter().filter_map(|hook| hook.parse().ok()).collect();
        let blocks = hooks.iter().filter_map(|hook| match hook {
            Hook::Block(layer, _) => Some(layer + 1),
            _ => None,
        });
        let n_layers = blocks.max().unwrap_or(0);
        let n_heads = number(&["num_attention_heads", "n_head"]).unwrap_or(1);
        let d_model = number(&["hidden_size", "n_embd"]).unwrap_or(0);
        let quantization = meta.config.get("quantization");
        let bits = quantization.and_then(|quantization| quantization.get("bits")?.as_u64());
        Self {
            name: meta.name.clone(),
            n_layers,
            n_heads,
            n_kv_heads: number(&["num_key_value_heads"]).unwrap_or(n_heads),
            head_dim: number(&["head_dim"]).unwrap_or(d_model / n_heads.max(1)),
            d_model,
            vocab_size: number(&["vocab_size"]).unwrap_or(0),
            bits: bits.map(|bits| bits as usize),
            weight_bytes: meta.weight_bytes,
            hooks,
        }
    }

    /// Whether blocks have this hook.
    #[must_use]
    pub fn has(&self, hook: BlockHook) -> bool {
        self.hooks.contains(&Hook::Block(0, hook))
    }
}
