//! What a model is, hook by hook: shapes, and what Hugging Face calls the same place.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A model's shape and everything one can look at in a pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FamilyView {
    /// What the model is called.
    pub model: String,
    /// `model_type` of its `config.json`.
    pub family: String,
    /// Its `config.json`, as the file has it.
    pub config: Value,
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
    /// The stages of a pass, in order.
    pub stages: Vec<String>,
    /// The hooks of a pass, in order of execution.
    pub hooks: Vec<HookInfo>,
}

/// One hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookInfo {
    /// Its name.
    pub hook: String,
    /// What each dimension counts, and how many there are; `None` where it grows with the text.
    pub axes: Vec<(String, Option<usize>)>,
    /// The module of Hugging Face's `transformers` that gives this value or works with it; `None`
    /// where the value has no module of its own.
    pub hugging_face: Option<String>,
}

impl HookInfo {
    /// The shape for people: `[pos, head 6, head_dim 32]`.
    #[must_use]
    pub fn shape(&self) -> String {
        let axes = self.axes.iter().map(|(name, size)| match size {
            Some(size) => format!("{name} {size}"),
            None => name.clone(),
        });
        format!("[{}]", axes.collect::<Vec<_>>().join(", "))
    }
}
