//! Terms of attention.

use super::{Term, named, word};

pub(super) const TERMS: &[Term] = &[
    named(
        "attention",
        &["self-attention"],
        "attn",
        "The part of a block that moves information between positions. It is the only one: everything else works on each position alone.",
    ),
    named(
        "head",
        &["heads", "query head", "query heads", "attention head"],
        "num_attention_heads",
        "One of several attentions that a block runs side by side, each with queries of its own. L2.H3 is head 3 of block 2, both counted from 0.",
    ),
    named(
        "query",
        &["queries", "q"],
        "attn.hook_q, q_proj",
        "The vector by which a position asks, in one head. It is multiplied with the keys of all positions that it may read.",
    ),
    named(
        "key",
        &["keys", "k"],
        "attn.hook_k, k_proj",
        "The vector by which a position can be found, in one head. It is kept in the KV cache after RoPE.",
    ),
    named(
        "value",
        &["values", "v"],
        "attn.hook_v, v_proj",
        "The vector that a position hands over when it is read, in one head. It is made from the position's state, which already mixes earlier text.",
    ),
    named(
        "head_dim",
        &["head size"],
        "head_dim",
        "How many numbers a query, a key and a value have in one head.",
    ),
    named(
        "KV head",
        &["KV heads", "key/value head"],
        "num_key_value_heads",
        "A head's keys and values. Where there are fewer of them than query heads, several query heads share one.",
    ),
    word(
        "GQA",
        &["grouped-query attention"],
        "Grouped-query attention: several query heads look things up in the same keys and values. The cache shrinks by the size of the group.",
    ),
    named(
        "QK-norm",
        &["query norm", "key norm"],
        "attn.hook_q_norm, attn.hook_k_norm",
        "A norm on each query and key before they are turned and multiplied. Some families have it, so that scores cannot grow without bound.",
    ),
    named(
        "RoPE",
        &["rotary position embedding", "rotation"],
        "attn.hook_rot_q, attn.hook_rot_k",
        "Rotary position embedding: pairs of numbers of a query or key are turned by angles that grow with the position. A dot product of two turned vectors depends on the distance, not on where both stand.",
    ),
    named(
        "rope base",
        &["rope_theta", "theta"],
        "rope_theta",
        "Sets how fast RoPE's pairs turn: pair i of n turns by base^(−i/n) radians per position. A larger base makes slow pairs slower, for longer texts.",
    ),
    named(
        "attention score",
        &["score", "scores", "attention scores"],
        "attn.hook_attn_scores",
        "How well a query fits a key: their dot product divided by √head_dim. Keys that come later in the text are masked.",
    ),
    word(
        "mask",
        &["masked", "causal mask"],
        "Sets the scores of later positions to −∞, so that their shares are exactly 0. A position cannot read what comes after it.",
    ),
    word(
        "softmax",
        &[],
        "Turns scores into shares that are positive and add up to 1: e to the power of each score, divided by the sum of them all. Adding the same number to every score changes nothing.",
    ),
    named(
        "pattern",
        &["patterns", "attention pattern", "attention map"],
        "attn.hook_pattern",
        "A head's shares: one row per query, one column per key; each row adds up to 1.",
    ),
    word(
        "attention share",
        &["share", "shares"],
        "One number of a pattern: how much of the value at a position goes into the sum. It does not say why, nor that the text there explains the answer.",
    ),
    word(
        "value-weighted",
        &["value-weighted attention"],
        "A share times the size of what it carries into the residual stream. A head may rest on a token whose value is nearly zero, and then it moves nothing.",
    ),
    named(
        "z",
        &["head output"],
        "attn.hook_z",
        "What a head has read: the values of all positions, each times its share, added up.",
    ),
    named(
        "o_proj",
        &["output projection"],
        "hook_attn_out",
        "The table that turns the outputs of all heads into one vector and adds it to the residual stream. Each head has its own columns of it.",
    ),
    named(
        "head write",
        &["result norm"],
        "attn.hook_result_norm",
        "What one head adds to the residual stream. Its size says how loud it is, not whether it matters.",
    ),
    word(
        "attention sink",
        &["sink", "first-token sink"],
        "Many heads rest on the first token when they have nothing to do, since shares must add up to 1. Its value is often small, so that resting there changes little.",
    ),
    word(
        "previous-token head",
        &["previous token"],
        "A head that reads mostly the token just before. The label is given when more than half of its attention goes there.",
    ),
    word(
        "duplicate-token head",
        &["duplicate token"],
        "A head that reads mostly earlier copies of the same token.",
    ),
    word(
        "induction head",
        &["induction", "induction heads"],
        "A head that reads what followed an earlier copy of the current token: after “A B … A” it looks at B. It lets a model continue a repetition.",
    ),
];
