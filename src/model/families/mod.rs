//! The families of models that Vitrine runs, one file each.
//!
//! Adding a family is one file and one line in [`ALL`]: how to load it, and what becomes of the
//! tensors that its published checkpoints carry beside the weights.

mod gpt2;
mod llama;
mod mistral;
mod names;
mod qwen2;
mod qwen3;
mod rms_decoder;

use anyhow::{Context, Result};

use super::config::ModelConfig;
use super::decoder::Decoder;
use super::loader::Loader;
use super::weights::Renamed;
use crate::trace::{BlockHook, Hook};

/// One family: how its checkpoints become a network.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// `model_type` in `config.json`.
    pub model_type: &'static str,
    /// Builds the network; fields are named as in the checkpoint, so no map is needed.
    pub load: fn(&ModelConfig, &mut Loader<'_>) -> Result<Box<dyn Decoder>>,
    /// What becomes of a tensor in the file, by its name there (mlx-lm calls it `sanitize`).
    pub clean_up: fn(&ModelConfig, &str) -> Renamed,
    /// The hooks before the first block, in order of execution.
    pub embed_hooks: &'static [Hook],
    /// The hooks of each block, in order of execution.
    pub block_hooks: &'static [BlockHook],
}

impl Family {
    /// Every hook of a pass over `n_layers` blocks, in order of execution: the one list for
    /// stepping, screen, trace and tests.
    #[must_use]
    pub fn hooks(&self, n_layers: usize) -> Vec<Hook> {
        let mut hooks = self.embed_hooks.to_vec();
        for layer in 0..n_layers {
            let block = self.block_hooks.iter();
            hooks.extend(block.map(|hook| Hook::Block(layer, *hook)));
        }
        hooks.extend([Hook::FinalNorm, Hook::Logits]);
        hooks
    }
}

/// Every family, in the order they are listed to people.
pub const ALL: [Family; 5] = [
    Family {
        model_type: "qwen2",
        load: qwen2::load,
        clean_up: rms_decoder::clean_up,
        embed_hooks: &[Hook::Embed],
        block_hooks: &rms_decoder::HOOKS,
    },
    Family {
        model_type: "qwen3",
        load: qwen3::load,
        clean_up: rms_decoder::clean_up,
        embed_hooks: &[Hook::Embed],
        block_hooks: &BlockHook::ALL, // QK-norm's too
    },
    Family {
        model_type: "llama",
        load: llama::load,
        clean_up: rms_decoder::clean_up,
        embed_hooks: &[Hook::Embed],
        block_hooks: &rms_decoder::HOOKS,
    },
    Family {
        model_type: "mistral",
        load: mistral::load,
        clean_up: rms_decoder::clean_up,
        embed_hooks: &[Hook::Embed],
        block_hooks: &rms_decoder::HOOKS,
    },
    Family {
        model_type: "gpt2",
        load: gpt2::load,
        clean_up: gpt2::clean_up,
        embed_hooks: &[Hook::Embed, Hook::PosEmbed],
        block_hooks: &gpt2::HOOKS,
    },
];

/// The family called `model_type`.
///
/// # Errors
/// If Vitrine cannot run it; the message lists what it can.
pub fn find(model_type: &str) -> Result<Family> {
    let found = ALL
        .into_iter()
        .find(|family| family.model_type == model_type);
    found.with_context(|| {
        let known = ALL.map(|family| family.model_type).join(", ");
        format!("models of type '{model_type}' cannot run yet; these can: {known}")
    })
}
