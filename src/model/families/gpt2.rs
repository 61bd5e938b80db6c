//! GPT-2: LayerNorm, learned positions, one fused projection for q, k and v, a plain GELU MLP.

use anyhow::{Context as _, Result, ensure};
use mlx_rs::Array;

use crate::model::attention::{Attention, Qkv};
use crate::model::cache::KvCache;
use crate::model::compute::Compute;
use crate::model::config::ModelConfig;
use crate::model::decoder::Decoder;
use crate::model::linear::{Linear, Matrix};
use crate::model::loader::Loader;
use crate::model::mlp::GeluMlp;
use crate::model::norm::LayerNorm;
use crate::model::parts::{Norm, Part};
use crate::model::probe::{BlockProbe, Probe};
use crate::model::weights::Renamed;
use crate::trace::{BlockHook, Hook};

/// Builds the network from `loader`'s weights.
///
/// # Errors
/// If a tensor is missing or has another shape than `config` says.
pub fn load(config: &ModelConfig, loader: &mut Loader<'_>) -> Result<Box<dyn Decoder>> {
    let (d_model, eps) = (config.hidden_size, config.norm_eps);
    let wte = loader.embedding("model.wte", config.vocab_size, d_model, true)?;
    let wpe = loader.embedding("model.wpe", config.max_position_embeddings, d_model, false)?;
    let h = (0..config.num_hidden_layers)
        .map(|layer| Block::load(config, loader, layer))
        .collect::<Result<_>>()?;
    let ln_f = loader.layer_norm("model.ln_f", d_model, eps)?;
    Ok(Box::new(Gpt2 { wte, wpe, h, ln_f }))
}

/// What becomes of a tensor. As published, names lack mlx-lm's `model.` (and may begin with
/// `transformer.`), and the matrices of its Conv1D layers are `[in, out]`; a folder that mlx-lm
/// has saved has both as the network wants them.
pub fn clean_up(_config: &ModelConfig, name: &str) -> Renamed {
    if name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias") {
        return Renamed::Dropped("the causal mask follows from the positions");
    }
    if name.starts_with("lm_head.") {
        return Renamed::Dropped("the output head is tied to the token embedding");
    }
    if name.starts_with("model.") {
        return Renamed::Keep;
    }
    let bare = name.strip_prefix("transformer.").unwrap_or(name);
    let saved = format!("model.{bare}");
    let is_conv1d = CONV1D_WEIGHTS.iter().any(|end| name.ends_with(end));
    if is_conv1d {
        Renamed::TransposedTo(saved)
    } else {
        Renamed::To(saved)
    }
}

const CONV1D_WEIGHTS: [&str; 3] = ["c_attn.weight", "c_proj.weight", "c_fc.weight"];

/// A whole model; the output head is always tied to `wte` (mlx-lm models/gpt2.py).
struct Gpt2 {
    wte: Matrix,
    wpe: Matrix,
    h: Vec<Block>,
    ln_f: LayerNorm,
}

struct Block {
    ln_1: LayerNorm,
    attn: SelfAttention,
    ln_2: LayerNorm,
    mlp: GeluMlp,
    compute: Compute,
}

struct SelfAttention {
    /// Queries, keys and values in one, `[3 * d_model, d_model]`.
    c_attn: Linear,
    c_proj: Linear,
    attention: Attention,
}

impl Decoder for Gpt2 {
    fn n_layers(&self) -> usize {
        self.h.len()
    }

    fn position_limit(&self) -> Option<usize> {
        Some(self.wpe.n_out())
    }

    fn embed(&self, ids: &[u32], start: usize, probe: &mut dyn Probe) -> Result<Array> {
        let (end, n_positions) = (start + ids.len(), self.wpe.n_out());
        ensure!(
            end <= n_positions,
            "this model has learned {n_positions} positions and cannot read {end}: \
             shorten the prompt or lower --max-tokens"
        );
        let positions: Vec<u32> = (start as u32..end as u32).collect();
        let tokens = probe.at(Hook::Embed, self.wte.rows(ids)?)?; // [pos, d_model]
        let places = probe.at(Hook::PosEmbed, self.wpe.rows(&positions)?)?; // [pos, d_model]
        Ok(tokens.add(places)?)
    }

    fn block(
        &self,
        layer: usize,
        hidden: &Array,
        cache: &mut KvCache,
        probe: &mut dyn Probe,
    ) -> Result<Array> {
        let block = self.h.get(layer).context("there is no such block")?;
        block.forward(hidden, cache, &mut BlockProbe::new(probe, layer))
    }

    fn final_norm(&self, hidden: &Array, probe: &mut dyn Probe) -> Result<Array> {
        probe.at(Hook::FinalNorm, self.ln_f.forward(hidden)?) // [pos, d_model]
    }

    fn unembed(&self, normed: &Array, probe: &mut dyn Probe) -> Result<Array> {
        probe.at(Hook::Logits, self.wte.project(normed)?) // [pos, vocab]
    }

    fn parts(&self) -> Vec<Part<'_>> {
        let mut parts = vec![
            Part::embedding("model.wte", &self.wte, Hook::Embed),
            Part::embedding("model.wpe", &self.wpe, Hook::PosEmbed),
        ];
        parts.extend(
            self.h
                .iter()
                .enumerate()
                .flat_map(|(layer, block)| block.parts(layer)),
        );
        parts.push(Part::head("model.wte", &self.wte));
        parts
    }

    fn last_norm(&self) -> Norm<'_> {
        Norm::Layer(&self.ln_f)
    }
}

/// No RoPE, and an MLP without a gate.
pub const HOOKS: [BlockHook; 16] = [
    BlockHook::ResidPre,
    BlockHook::Ln1,
    BlockHook::Q,
    BlockHook::K,
    BlockHook::V,
    BlockHook::Scores,
    BlockHook::Pattern,
    BlockHook::Z,
    BlockHook::ResultNorm,
    BlockHook::AttnOut,
    BlockHook::ResidMid,
    BlockHook::Ln2,
    BlockHook::Pre,
    BlockHook::Post,
    BlockHook::MlpOut,
    BlockHook::ResidPost,
];

impl Block {
    fn load(config: &ModelConfig, loader: &mut Loader<'_>, layer: usize) -> Result<Self> {
        let (d_model, d_mlp, eps) = (
            config.hidden_size,
            config.intermediate_size,
            config.norm_eps,
        );
        let at = |part: &str| format!("model.h.{layer}.{part}");
        Ok(Self {
            ln_1: loader.layer_norm(&at("ln_1"), d_model, eps)?,
            attn: SelfAttention {
                c_attn: loader.linear(&at("attn.c_attn"), 3 * d_model, d_model, true)?,
                c_proj: loader.linear(&at("attn.c_proj"), d_model, d_model, true)?,
                attention: Attention {
                    n_heads: config.num_attention_heads as i32,
                    n_kv_heads: config.num_attention_heads as i32,
                    head_dim: config.head_dim as i32,
                    window: None,
                    compute: loader.compute(),
                },
            },
            ln_2: loader.layer_norm(&at("ln_2"), d_model, eps)?,
            mlp: GeluMlp {
                c_fc: loader.linear(&at("mlp.c_fc"), d_mlp, d_model, true)?,
                c_proj: loader.linear(&at("mlp.c_proj"), d_model, d_mlp, true)?,
                compute: loader.compute(),
            },
            compute: loader.compute(),
        })
    }

    /// Its matrices, in order of execution.
    fn parts(&self, layer: usize) -> [Part<'_>; 4] {
        use BlockHook::{AttnOut, K, Ln1, Ln2, MlpOut, Post, Pre, Q, V, Z};
        let at = |hook| Hook::Block(layer, hook);
        let part = |name: &str, linear, reads, writes: &[BlockHook]| {
            let writes = writes.iter().map(|hook| at(*hook)).collect();
            Part::linear(format!("model.h.{layer}.{name}"), linear, at(reads), writes)
        };
        [
            part("attn.c_attn", &self.attn.c_attn, Ln1, &[Q, K, V]),
            part("attn.c_proj", &self.attn.c_proj, Z, &[AttnOut]),
            part("mlp.c_fc", &self.mlp.c_fc, Ln2, &[Pre]),
            part("mlp.c_proj", &self.mlp.c_proj, Post, &[MlpOut]),
        ]
    }

    fn forward(
        &self,
        hidden: &Array,
        cache: &mut KvCache,
        probe: &mut BlockProbe<'_>,
    ) -> Result<Array> {
        let resid = probe.at(BlockHook::ResidPre, hidden.clone())?; // [pos, d_model]
        let x = probe.at(BlockHook::Ln1, self.ln_1.forward(&resid)?)?;
        let attn_out = self.attn.forward(&x, cache, probe)?;
        let resid = probe.at(BlockHook::ResidMid, self.compute.add(&resid, &attn_out)?)?; // [pos, d_model]
        let x = probe.at(BlockHook::Ln2, self.ln_2.forward(&resid)?)?;
        let mlp_out = self.mlp.forward(&x, probe)?;
        probe.at(BlockHook::ResidPost, self.compute.add(&resid, &mlp_out)?) // [pos, d_model]
    }
}

impl SelfAttention {
    /// What attention adds to the residual stream for `x`, `[pos, d_model]`.
    fn forward(&self, x: &Array, cache: &mut KvCache, probe: &mut BlockProbe<'_>) -> Result<Array> {
        let heads = &self.attention;
        let qkv = self.c_attn.forward(x)?.split_equal(3, -1)?; // each [pos, d_model]
        let mut parts = Vec::with_capacity(3);
        for (part, hook) in qkv.iter().zip([BlockHook::Q, BlockHook::K, BlockHook::V]) {
            let part = probe.at(hook, heads.split(part, heads.n_heads)?)?; // [pos, head, head_dim]
            parts.push(heads.to_heads(&part)?); // [1, head, pos, head_dim]
        }
        let [queries, keys, values] = parts
            .try_into()
            .map_err(|_| anyhow::anyhow!("q, k and v"))?;
        let qkv = Qkv {
            queries,
            keys,
            values,
        };
        heads.forward(&qkv, &self.c_proj, cache, probe)
    }
}
