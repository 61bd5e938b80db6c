//! The shape that Llama, Mistral and Qwen share: RMSNorm before each half of a block, rotary
//! positions, grouped-query attention and a gated MLP.
//!
//! The family files beside this one say what each of them adds or leaves out.

use anyhow::{Context as _, Result};
use mlx_rs::Array;

use crate::model::attention::{Attention, Qkv};
use crate::model::cache::KvCache;
use crate::model::compute::Compute;
use crate::model::config::ModelConfig;
use crate::model::decoder::Decoder;
use crate::model::linear::{Linear, Matrix, forward_all};
use crate::model::loader::Loader;
use crate::model::mlp::GatedMlp;
use crate::model::norm::RmsNorm;
use crate::model::parts::{Norm, Part};
use crate::model::probe::{BlockProbe, Probe};
use crate::model::rope::Rope;
use crate::model::weights::Renamed;
use crate::trace::{BlockHook, Hook};

/// Which of its layers have a bias, and whether queries and keys are normed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traits {
    pub qkv_bias: bool,
    pub o_bias: bool,
    pub mlp_bias: bool,
    pub qk_norm: bool,
}

/// A whole model.
#[derive(Debug)]
pub(super) struct RmsDecoder {
    embed_tokens: Matrix,
    layers: Vec<Block>,
    norm: RmsNorm,
    /// `None` where the head is tied to `embed_tokens`.
    lm_head: Option<Matrix>,
}

#[derive(Debug)]
struct Block {
    input_layernorm: RmsNorm,
    self_attn: SelfAttention,
    post_attention_layernorm: RmsNorm,
    mlp: GatedMlp,
    compute: Compute,
}

#[derive(Debug)]
struct SelfAttention {
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    o_proj: Linear,
    /// QK-norm: each head's query and key brought to one size before RoPE.
    qk_norm: Option<(RmsNorm, RmsNorm)>,
    rope: Rope,
    attention: Attention,
}

impl RmsDecoder {
    pub(super) fn load(config: &ModelConfig, loader: &mut Loader<'_>, has: Traits) -> Result<Self> {
        let (d_model, vocab) = (config.hidden_size, config.vocab_size);
        let is_tied = config.tie_word_embeddings;
        let embed_tokens = loader.embedding("model.embed_tokens", vocab, d_model, is_tied)?;
        let layers = (0..config.num_hidden_layers)
            .map(|layer| Block::load(config, loader, layer, has))
            .collect::<Result<_>>()?;
        let norm = loader.rms_norm("model.norm", d_model, config.norm_eps)?;
        let lm_head = match is_tied {
            true => None,
            false => Some(loader.embedding("lm_head", vocab, d_model, true)?),
        };
        Ok(Self {
            embed_tokens,
            layers,
            norm,
            lm_head,
        })
    }
}

/// What becomes of a tensor: published checkpoints carry the RoPE frequencies, which follow from
/// `config.json`, and some a copy of a tied head (mlx-lm drops both).
pub(super) fn clean_up(config: &ModelConfig, name: &str) -> Renamed {
    if name.ends_with("rotary_emb.inv_freq") {
        return Renamed::Dropped("RoPE frequencies are computed from config.json");
    }
    if config.tie_word_embeddings && name.starts_with("lm_head.") {
        return Renamed::Dropped("the output head is tied to the token embedding");
    }
    Renamed::Keep
}

/// The hooks of a block without QK-norm, in order of execution.
pub(super) const HOOKS: [BlockHook; 19] = [
    BlockHook::ResidPre,
    BlockHook::Ln1,
    BlockHook::Q,
    BlockHook::K,
    BlockHook::V,
    BlockHook::RotQ,
    BlockHook::RotK,
    BlockHook::Scores,
    BlockHook::Pattern,
    BlockHook::Z,
    BlockHook::ResultNorm,
    BlockHook::AttnOut,
    BlockHook::ResidMid,
    BlockHook::Ln2,
    BlockHook::Pre,
    BlockHook::PreLinear,
    BlockHook::Post,
    BlockHook::MlpOut,
    BlockHook::ResidPost,
];

impl Decoder for RmsDecoder {
    fn n_layers(&self) -> usize {
        self.layers.len()
    }

    fn embed(&self, ids: &[u32], _start: usize, probe: &mut dyn Probe) -> Result<Array> {
        probe.at(Hook::Embed, self.embed_tokens.rows(ids)?) // [pos, d_model]
    }

    fn block(
        &self,
        layer: usize,
        hidden: &Array,
        cache: &mut KvCache,
        probe: &mut dyn Probe,
    ) -> Result<Array> {
        let block = self.layers.get(layer).context("there is no such block")?;
        block.forward(hidden, cache, &mut BlockProbe::new(probe, layer))
    }

    fn final_norm(&self, hidden: &Array, probe: &mut dyn Probe) -> Result<Array> {
        probe.at(Hook::FinalNorm, self.norm.forward(hidden)?) // [pos, d_model]
    }

    fn unembed(&self, normed: &Array, probe: &mut dyn Probe) -> Result<Array> {
        let head = self.lm_head.as_ref().unwrap_or(&self.embed_tokens);
        probe.at(Hook::Logits, head.project(normed)?) // [pos, vocab]
    }

    fn parts(&self) -> Vec<Part<'_>> {
        const EMBEDDING: &str = "model.embed_tokens";
        let mut parts = vec![Part::embedding(EMBEDDING, &self.embed_tokens, Hook::Embed)];
        parts.extend(
            self.layers
                .iter()
                .enumerate()
                .flat_map(|(layer, block)| block.parts(layer)),
        );
        parts.push(match &self.lm_head {
            Some(head) => Part::head("lm_head", head),
            None => Part::head(EMBEDDING, &self.embed_tokens),
        });
        parts
    }

    fn last_norm(&self) -> Norm<'_> {
        Norm::Rms(&self.norm)
    }
}

impl Block {
    fn load(
        config: &ModelConfig,
        loader: &mut Loader<'_>,
        layer: usize,
        has: Traits,
    ) -> Result<Self> {
        let (d_model, d_mlp, eps) = (
            config.hidden_size,
            config.intermediate_size,
            config.norm_eps,
        );
        let at = |part: &str| format!("model.layers.{layer}.{part}");
        Ok(Self {
            input_layernorm: loader.rms_norm(&at("input_layernorm"), d_model, eps)?,
            self_attn: SelfAttention::load(config, loader, layer, has)?,
            post_attention_layernorm: loader.rms_norm(
                &at("post_attention_layernorm"),
                d_model,
                eps,
            )?,
            mlp: GatedMlp {
                gate_proj: loader.linear(&at("mlp.gate_proj"), d_mlp, d_model, has.mlp_bias)?,
                up_proj: loader.linear(&at("mlp.up_proj"), d_mlp, d_model, has.mlp_bias)?,
                down_proj: loader.linear(&at("mlp.down_proj"), d_model, d_mlp, has.mlp_bias)?,
                compute: loader.compute(),
            },
            compute: loader.compute(),
        })
    }

    /// Its matrices, in order of execution.
    fn parts(&self, layer: usize) -> [Part<'_>; 7] {
        use BlockHook::{AttnOut, K, Ln1, Ln2, MlpOut, Post, Pre, PreLinear, Q, V, Z};
        let at = |hook| Hook::Block(layer, hook);
        let part = |name: &str, linear, reads, writes| {
            let path = format!("model.layers.{layer}.{name}");
            Part::linear(path, linear, at(reads), vec![at(writes)])
        };
        let (attention, mlp) = (&self.self_attn, &self.mlp);
        [
            part("self_attn.q_proj", &attention.q_proj, Ln1, Q),
            part("self_attn.k_proj", &attention.k_proj, Ln1, K),
            part("self_attn.v_proj", &attention.v_proj, Ln1, V),
            part("self_attn.o_proj", &attention.o_proj, Z, AttnOut),
            part("mlp.gate_proj", &mlp.gate_proj, Ln2, Pre),
            part("mlp.up_proj", &mlp.up_proj, Ln2, PreLinear),
            part("mlp.down_proj", &mlp.down_proj, Post, MlpOut),
        ]
    }

    fn forward(
        &self,
        hidden: &Array,
        cache: &mut KvCache,
        probe: &mut BlockProbe<'_>,
    ) -> Result<Array> {
        let resid = probe.at(BlockHook::ResidPre, hidden.clone())?; // [pos, d_model]
        let x = probe.at(BlockHook::Ln1, self.input_layernorm.forward(&resid)?)?;
        let attn_out = self.self_attn.forward(&x, cache, probe)?;
        let resid = probe.at(BlockHook::ResidMid, self.compute.add(&resid, &attn_out)?)?; // [pos, d_model]
        let x = probe.at(
            BlockHook::Ln2,
            self.post_attention_layernorm.forward(&resid)?,
        )?;
        let mlp_out = self.mlp.forward(&x, probe)?;
        probe.at(BlockHook::ResidPost, self.compute.add(&resid, &mlp_out)?) // [pos, d_model]
    }
}

impl SelfAttention {
    fn load(
        config: &ModelConfig,
        loader: &mut Loader<'_>,
        layer: usize,
        has: Traits,
    ) -> Result<Self> {
        let (d_model, head_dim) = (config.hidden_size, config.head_dim);
        let q_width = config.num_attention_heads * head_dim;
        let kv_width = config.num_key_value_heads * head_dim;
        let at = |part: &str| format!("model.layers.{layer}.self_attn.{part}");
        let qk_norm = match has.qk_norm {
            true => Some((
                loader.rms_norm(&at("q_norm"), head_dim, config.norm_eps)?,
                loader.rms_norm(&at("k_norm"), head_dim, config.norm_eps)?,
            )),
            false => None,
        };
        Ok(Self {
            q_proj: loader.linear(&at("q_proj"), q_width, d_model, has.qkv_bias)?,
            k_proj: loader.linear(&at("k_proj"), kv_width, d_model, has.qkv_bias)?,
            v_proj: loader.linear(&at("v_proj"), kv_width, d_model, has.qkv_bias)?,
            o_proj: loader.linear(&at("o_proj"), d_model, q_width, has.o_bias)?,
            qk_norm,
            rope: Rope::new(config, loader.compute()),
            attention: Attention {
                n_heads: config.num_attention_heads as i32,
                n_kv_heads: config.num_key_value_heads as i32,
                head_dim: head_dim as i32,
                window: config.window_of(layer),
                compute: loader.compute(),
            },
        })
    }

    /// What attention adds to the residual stream for `x`, `[pos, d_model]`.
    fn forward(&self, x: &Array, cache: &mut KvCache, probe: &mut BlockProbe<'_>) -> Result<Array> {
        let heads = &self.attention;
        let [q, k, v] = forward_all([&self.q_proj, &self.k_proj, &self.v_proj], x)?;
        let mut q = probe.at(BlockHook::Q, heads.split(&q, heads.n_heads)?)?; // [pos, head, head_dim]
        let mut k = probe.at(BlockHook::K, heads.split(&k, heads.n_kv_heads)?)?; // [pos, kv_head, head_dim]
        let v = probe.at(BlockHook::V, heads.split(&v, heads.n_kv_heads)?)?; // [pos, kv_head, head_dim]
        if let Some((q_norm, k_norm)) = &self.qk_norm {
            q = probe.at(BlockHook::QNorm, q_norm.forward(&q)?)?;
            k = probe.at(BlockHook::KNorm, k_norm.forward(&k)?)?;
        }
        let start = cache.next_position();
        let q = probe.at(BlockHook::RotQ, self.rope.forward(&q, start)?)?; // [pos, head, head_dim]
        let k = probe.at(BlockHook::RotK, self.rope.forward(&k, start)?)?; // [pos, kv_head, head_dim]
        let qkv = Qkv {
            queries: heads.to_heads(&q)?, // [1, head, pos, head_dim]
            keys: heads.to_heads(&k)?,    // [1, kv_head, pos, head_dim]
            values: heads.to_heads(&v)?,  // [1, kv_head, pos, head_dim]
        };
        heads.forward(&qkv, &self.o_proj, cache, probe)
    }
}
