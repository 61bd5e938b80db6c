//! What Hugging Face's `transformers` calls the place of a hook: its module, as in the checkpoint.

use crate::trace::{BlockHook, Hook};

impl super::Family {
    /// The module that gives the value at `hook`, or that it goes through; `None` where the value
    /// has no module of its own, like a residual stream.
    #[must_use]
    pub fn hugging_face_name(&self, hook: Hook) -> Option<String> {
        let is_gpt2 = self.model_type == "gpt2";
        match hook {
            Hook::Embed if is_gpt2 => Some("transformer.wte".to_owned()),
            Hook::Embed => Some("model.embed_tokens".to_owned()),
            Hook::PosEmbed => Some("transformer.wpe".to_owned()),
            Hook::FinalNorm if is_gpt2 => Some("transformer.ln_f".to_owned()),
            Hook::FinalNorm => Some("model.norm".to_owned()),
            Hook::Logits => Some("lm_head".to_owned()),
            Hook::Block(layer, hook) if is_gpt2 => {
                gpt2(hook).map(|module| format!("transformer.h.{layer}.{module}"))
            }
            Hook::Block(layer, hook) => {
                rms_decoder(hook).map(|module| format!("model.layers.{layer}.{module}"))
            }
        }
    }
}

/// Modules of a block of Llama, Mistral and Qwen.
fn rms_decoder(hook: BlockHook) -> Option<&'static str> {
    Some(match hook {
        BlockHook::Ln1 => "input_layernorm",
        BlockHook::Q => "self_attn.q_proj",
        BlockHook::K => "self_attn.k_proj",
        BlockHook::V => "self_attn.v_proj",
        BlockHook::QNorm => "self_attn.q_norm",
        BlockHook::KNorm => "self_attn.k_norm",
        BlockHook::RotQ | BlockHook::RotK => "self_attn (apply_rotary_pos_emb)",
        BlockHook::Scores => "self_attn (before softmax)",
        BlockHook::Pattern => "self_attn (attn_weights)",
        BlockHook::Z => "self_attn (attn_output before o_proj)",
        BlockHook::AttnOut => "self_attn.o_proj",
        BlockHook::Ln2 => "post_attention_layernorm",
        BlockHook::Pre => "mlp.gate_proj",
        BlockHook::PreLinear => "mlp.up_proj",
        BlockHook::Post => "mlp.down_proj (its input)",
        BlockHook::MlpOut => "mlp.down_proj",
        BlockHook::ResidPost => "(hidden_states)",
        BlockHook::ResidPre | BlockHook::ResidMid | BlockHook::ResultNorm => return None,
    })
}

/// Modules of a block of GPT-2; queries, keys and values come from one.
fn gpt2(hook: BlockHook) -> Option<&'static str> {
    Some(match hook {
        BlockHook::Ln1 => "ln_1",
        BlockHook::Q | BlockHook::K | BlockHook::V => "attn.c_attn",
        BlockHook::Scores => "attn (before softmax)",
        BlockHook::Pattern => "attn (attn_weights)",
        BlockHook::Z => "attn (attn_output before c_proj)",
        BlockHook::AttnOut => "attn.c_proj",
        BlockHook::Ln2 => "ln_2",
        BlockHook::Pre => "mlp.c_fc",
        BlockHook::Post => "mlp.act",
        BlockHook::MlpOut => "mlp.c_proj",
        BlockHook::ResidPost => "(hidden_states)",
        _ => return None,
    })
}
