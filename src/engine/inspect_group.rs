//! The parts of a model that its tensors belong to, told from their names.

use std::fmt;

use serde::{Serialize, Serializer};

/// A part of a model. Their order is that of a table of totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Token embedding, and learned positions.
    Embedding,
    /// One half of the block with this number.
    Block(usize, Half),
    /// Every norm of the model.
    Norms,
    /// The output head.
    Head,
    /// What the names do not tell.
    Other,
}

/// The halves of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Half {
    /// Queries, keys, values and the output projection.
    Attention,
    /// The feed-forward layers.
    Mlp,
}

impl Group {
    /// The group of the tensor called `name`, in the model's naming.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let parts: Vec<&str> = name.split('.').collect();
        let has = |names: &[&str]| parts.iter().any(|part| names.contains(part));
        let is_norm = |part: &&str| part.ends_with("norm") || part.starts_with("ln_");
        if parts.iter().any(is_norm) {
            return Self::Norms;
        }
        if has(&["embed_tokens", "wte", "wpe"]) {
            return Self::Embedding;
        }
        if has(&["lm_head"]) {
            return Self::Head;
        }
        match block_of(name) {
            Some(block) if has(&["self_attn", "attn"]) => Self::Block(block, Half::Attention),
            Some(block) if has(&["mlp"]) => Self::Block(block, Half::Mlp),
            _ => Self::Other,
        }
    }

    /// Where its rows stand in a table of tensors: norms are sorted by block, not by this.
    pub(super) fn place(self) -> usize {
        match self {
            Self::Embedding => 0,
            Self::Block(..) | Self::Norms => 1,
            Self::Head => 2,
            Self::Other => 3,
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedding => formatter.write_str("embedding"),
            Self::Block(block, Half::Attention) => write!(formatter, "block {block} attention"),
            Self::Block(block, Half::Mlp) => write!(formatter, "block {block} MLP"),
            Self::Norms => formatter.write_str("norms"),
            Self::Head => formatter.write_str("output head"),
            Self::Other => formatter.write_str("other"),
        }
    }
}

impl Serialize for Group {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The number of the block that a tensor belongs to.
fn block_of(name: &str) -> Option<usize> {
    let parts: Vec<&str> = name.split('.').collect();
    let mut pairs = parts.windows(2);
    let pair = pairs.find(|pair| matches!(pair, ["layers" | "h", _]))?;
    pair.last()?.parse().ok()
}

/// A sort key that puts tensors in order of execution: by block, then as in [`MODULES`].
pub(super) fn order_in(name: &str) -> (usize, usize, String) {
    let block = block_of(name).unwrap_or(usize::MAX); // the final norm comes last
    let module = MODULES.iter().position(|module| name.contains(module));
    (block, module.unwrap_or(MODULES.len()), name.to_owned())
}

/// The modules of a block in order of execution, by both families of names.
const MODULES: [&str; 20] = [
    ".wte",
    ".wpe",
    "input_layernorm",
    "ln_1",
    "q_proj",
    "k_proj",
    "v_proj",
    "c_attn",
    "q_norm",
    "k_norm",
    "o_proj",
    ".attn.c_proj",
    "post_attention_layernorm",
    "ln_2",
    "gate_proj",
    "up_proj",
    "c_fc",
    "down_proj",
    ".mlp.c_proj",
    "norm",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_both_kinds_find_their_group() {
        let cases = [
            ("model.embed_tokens", "embedding"),
            ("model.wpe.weight", "embedding"),
            (
                "model.layers.11.self_attn.q_proj.bias",
                "block 11 attention",
            ),
            ("model.layers.0.self_attn.q_norm.weight", "norms"),
            ("model.h.3.attn.c_proj", "block 3 attention"),
            ("model.h.3.mlp.c_proj", "block 3 MLP"),
            ("model.h.3.ln_2.bias", "norms"),
            ("model.norm.weight", "norms"),
            ("lm_head", "output head"),
            ("model.surprise.weight", "other"),
        ];
        for (name, group) in cases {
            assert_eq!(Group::of(name).to_string(), group, "{name}");
        }
    }

    #[test]
    fn tensors_are_sorted_as_they_are_executed() {
        let mut names = [
            "model.layers.10.mlp.up_proj",
            "model.layers.2.mlp.down_proj",
            "model.layers.2.self_attn.q_proj",
            "model.layers.2.input_layernorm.weight",
            "model.norm.weight",
        ];
        let sorted = [names[3], names[2], names[1], names[0], names[4]];
        names.sort_by_key(|name| order_in(name));
        assert_eq!(names, sorted);
    }
}
