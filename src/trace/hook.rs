//! Hook points: the published names of the values inside a pass.

use std::fmt;
use std::str::FromStr;

use super::Stage;

/// One named value of a pass, in TransformerLens' words.
///
/// Its text form (`blocks.2.attn.hook_pattern`) is the address used on the command line, in
/// trace files, in lessons and on screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hook {
    /// Token embedding rows, `[pos, d_model]`.
    Embed,
    /// Position embedding rows, where positions are learned, `[pos, d_model]`.
    PosEmbed,
    /// A value inside block `.0`, counted from 0.
    Block(usize, BlockHook),
    /// Hidden states after the final norm, `[pos, d_model]`.
    FinalNorm,
    /// Logits, before softmax, `[pos, vocab]`.
    Logits,
}

/// One named value inside a block, in order of execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BlockHook {
    /// The residual stream as the block reads it, `[pos, d_model]`.
    ResidPre,
    /// After the norm before attention (`input_layernorm`), `[pos, d_model]`.
    Ln1,
    /// Queries, bias added, `[pos, head, head_dim]`.
    Q,
    /// Keys, bias added, `[pos, kv_head, head_dim]`.
    K,
    /// Values, bias added, `[pos, kv_head, head_dim]`.
    V,
    /// Queries after QK-norm, `[pos, head, head_dim]`.
    QNorm,
    /// Keys after QK-norm, `[pos, kv_head, head_dim]`.
    KNorm,
    /// Queries after RoPE, `[pos, head, head_dim]`.
    RotQ,
    /// Keys after RoPE, as the cache keeps them, `[pos, kv_head, head_dim]`.
    RotK,
    /// Attention before softmax, scaled and masked, `[head, query_pos, key_pos]`.
    Scores,
    /// Attention after softmax; each row sums to 1, `[head, query_pos, key_pos]`.
    Pattern,
    /// `pattern @ v` of each head, `[pos, head, head_dim]`.
    Z,
    /// Size (Euclidean norm) of each head's write to the residual stream, `[pos, head]`.
    ResultNorm,
    /// What attention adds to the residual stream (after `o_proj`), `[pos, d_model]`.
    AttnOut,
    /// The residual stream between attention and MLP, `[pos, d_model]`.
    ResidMid,
    /// After the norm before the MLP (`post_attention_layernorm`), `[pos, d_model]`.
    Ln2,
    /// The MLP's first projection before its activation (`gate_proj`), `[pos, d_mlp]`.
    Pre,
    /// The gated MLP's linear half (`up_proj`), `[pos, d_mlp]`.
    PreLinear,
    /// `act(gate) * up`, what `down_proj` reads, `[pos, d_mlp]`.
    Post,
    /// What the MLP adds to the residual stream, `[pos, d_model]`.
    MlpOut,
    /// The residual stream as the block leaves it, `[pos, d_model]`.
    ResidPost,
}

/// What one dimension of a hook's value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Axis {
    /// Positions of this pass.
    Pos,
    /// Positions that ask (the queries of this pass).
    QueryPos,
    /// Positions that are read: everything in the cache, this pass included.
    KeyPos,
    /// Query heads.
    Head,
    /// Key/value heads.
    KvHead,
    /// Values of one head.
    HeadDim,
    /// Values of the residual stream.
    DModel,
    /// Neurons of the MLP.
    DMlp,
    /// Tokens of the vocabulary.
    Vocab,
}

impl Axis {
    /// The axis' name in shapes: `pos`, `head_dim`, …
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pos => "pos",
            Self::QueryPos => "query_pos",
            Self::KeyPos => "key_pos",
            Self::Head => "head",
            Self::KvHead => "kv_head",
            Self::HeadDim => "head_dim",
            Self::DModel => "d_model",
            Self::DMlp => "d_mlp",
            Self::Vocab => "vocab",
        }
    }
}

impl BlockHook {
    /// Every hook a block can have, in order of execution.
    pub const ALL: [Self; 21] = [
        Self::ResidPre,
        Self::Ln1,
        Self::Q,
        Self::K,
        Self::V,
        Self::QNorm,
        Self::KNorm,
        Self::RotQ,
        Self::RotK,
        Self::Scores,
        Self::Pattern,
        Self::Z,
        Self::ResultNorm,
        Self::AttnOut,
        Self::ResidMid,
        Self::Ln2,
        Self::Pre,
        Self::PreLinear,
        Self::Post,
        Self::MlpOut,
        Self::ResidPost,
    ];

    /// The hook's name after `blocks.{i}.`, as TransformerLens writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ResidPre => "hook_resid_pre",
            Self::Ln1 => "ln1.hook_out",
            Self::Q => "attn.hook_q",
            Self::K => "attn.hook_k",
            Self::V => "attn.hook_v",
            Self::QNorm => "attn.hook_q_norm",
            Self::KNorm => "attn.hook_k_norm",
            Self::RotQ => "attn.hook_rot_q",
            Self::RotK => "attn.hook_rot_k",
            Self::Scores => "attn.hook_attn_scores",
            Self::Pattern => "attn.hook_pattern",
            Self::Z => "attn.hook_z",
            Self::ResultNorm => "attn.hook_result_norm",
            Self::AttnOut => "hook_attn_out",
            Self::ResidMid => "hook_resid_mid",
            Self::Ln2 => "ln2.hook_out",
            Self::Pre => "mlp.hook_pre",
            Self::PreLinear => "mlp.hook_pre_linear",
            Self::Post => "mlp.hook_post",
            Self::MlpOut => "hook_mlp_out",
            Self::ResidPost => "hook_resid_post",
        }
    }

    /// What each dimension of the value counts.
    #[must_use]
    pub fn axes(self) -> &'static [Axis] {
        use Axis::{DMlp, DModel, Head, HeadDim, KeyPos, KvHead, Pos, QueryPos};
        match self {
            Self::ResidPre | Self::Ln1 | Self::AttnOut | Self::ResidMid => &[Pos, DModel],
            Self::Ln2 | Self::MlpOut | Self::ResidPost => &[Pos, DModel],
            Self::Q | Self::QNorm | Self::RotQ | Self::Z => &[Pos, Head, HeadDim],
            Self::K | Self::V | Self::KNorm | Self::RotK => &[Pos, KvHead, HeadDim],
            Self::Scores | Self::Pattern => &[Head, QueryPos, KeyPos],
            Self::ResultNorm => &[Pos, Head],
            Self::Pre | Self::PreLinear | Self::Post => &[Pos, DMlp],
        }
    }
}

impl Hook {
    /// The stage of a pass that computes this value.
    #[must_use]
    pub fn stage(self) -> Stage {
        match self {
            Self::Embed | Self::PosEmbed => Stage::Embed,
            Self::Block(layer, _) => Stage::Block(layer),
            Self::FinalNorm => Stage::FinalNorm,
            Self::Logits => Stage::Logits,
        }
    }

    /// What each dimension of the value counts.
    #[must_use]
    pub fn axes(self) -> &'static [Axis] {
        match self {
            Self::Embed | Self::PosEmbed | Self::FinalNorm => &[Axis::Pos, Axis::DModel],
            Self::Block(_, hook) => hook.axes(),
            Self::Logits => &[Axis::Pos, Axis::Vocab],
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embed => f.write_str("hook_embed"),
            Self::PosEmbed => f.write_str("hook_pos_embed"),
            Self::Block(layer, hook) => write!(f, "blocks.{layer}.{}", hook.name()),
            Self::FinalNorm => f.write_str("ln_final.hook_out"),
            Self::Logits => f.write_str("unembed.hook_out"),
        }
    }
}

/// A text that names no hook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a hook; hooks look like blocks.2.attn.hook_pattern")]
pub struct UnknownHook(pub String);

impl FromStr for Hook {
    type Err = UnknownHook;

    fn from_str(text: &str) -> Result<Self, UnknownHook> {
        let unknown = || UnknownHook(text.to_owned());
        match text {
            "hook_embed" => return Ok(Self::Embed),
            "hook_pos_embed" => return Ok(Self::PosEmbed),
            "ln_final.hook_out" => return Ok(Self::FinalNorm),
            "unembed.hook_out" => return Ok(Self::Logits),
            _ => {}
        }
        let rest = text.strip_prefix("blocks.").ok_or_else(unknown)?;
        let (layer, name) = rest.split_once('.').ok_or_else(unknown)?;
        let layer = layer.parse().map_err(|_| unknown())?;
        let hook = BlockHook::ALL.into_iter().find(|hook| hook.name() == name);
        Ok(Self::Block(layer, hook.ok_or_else(unknown)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hook_is_read_back_from_its_name() {
        let blocks = BlockHook::ALL.map(|hook| Hook::Block(17, hook));
        let others = [Hook::Embed, Hook::PosEmbed, Hook::FinalNorm, Hook::Logits];
        for hook in blocks.into_iter().chain(others) {
            assert_eq!(hook.to_string().parse(), Ok(hook));
        }
    }

    #[test]
    fn a_wrong_name_is_named_in_the_error() {
        let error = "blocks.x.attn.hook_q".parse::<Hook>().unwrap_err();
        assert!(error.to_string().contains("blocks.x.attn.hook_q"));
    }
}
