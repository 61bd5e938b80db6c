//! Terms of the network around attention.

use super::{Term, named, word};

pub(super) const TERMS: &[Term] = &[
    named(
        "block",
        &["blocks", "layer", "layers", "decoder layer"],
        "num_hidden_layers",
        "One round of attention and MLP. All blocks are built alike and have weights of their own; they are counted from 0.",
    ),
    named(
        "residual stream",
        &["residual", "stream", "state", "states", "hidden state"],
        "hook_resid_pre, hook_resid_mid, hook_resid_post",
        "The vector that each position carries from the first table to the last. Every attention and every MLP reads it and adds to it; nothing is overwritten.",
    ),
    named(
        "d_model",
        &["hidden size", "width"],
        "hidden_size",
        "How many numbers the residual stream has at each position.",
    ),
    named(
        "norm",
        &["norms", "normalization"],
        "ln1.hook_out, ln2.hook_out, ln_final.hook_out",
        "A step that brings a vector to a standard size before a part reads it. What it gives is a copy: the residual stream itself stays as it is.",
    ),
    named(
        "RMSNorm",
        &[],
        "input_layernorm, post_attention_layernorm, norm",
        "A norm that divides a vector by the root of the mean of its squares, then multiplies each number by a learned gain.",
    ),
    named(
        "LayerNorm",
        &[],
        "ln_1, ln_2, ln_f",
        "A norm that takes the mean away, divides by the standard deviation, multiplies by a learned gain and adds a learned bias.",
    ),
    named(
        "gain",
        &["gains"],
        "input_layernorm.weight",
        "The learned factor by which a norm multiplies each number. It says which dimensions the next part should hear.",
    ),
    named(
        "epsilon",
        &["eps"],
        "rms_norm_eps",
        "A tiny number added inside a norm's root, so that a vector of zeros is not divided by zero.",
    ),
    named(
        "MLP",
        &["feed-forward network", "MLPs"],
        "mlp",
        "The second half of a block. It works on each position alone: many neurons look at the state, and those that respond write to the residual stream.",
    ),
    named(
        "SwiGLU",
        &["gated MLP"],
        "hidden_act: silu",
        "An MLP with two first halves: down(SiLU(gate) × up). The gate decides how much of each up value goes on.",
    ),
    named(
        "gate",
        &["gate_proj"],
        "mlp.hook_pre",
        "The half of a gated MLP that goes through the activation and then scales the other half.",
    ),
    named(
        "up",
        &["up_proj"],
        "mlp.hook_pre_linear",
        "The half of a gated MLP that is multiplied by the activated gate.",
    ),
    named(
        "down",
        &["down_proj"],
        "hook_mlp_out",
        "The MLP's last table. Each neuron has one column of it and adds that column, times its activation, to the residual stream.",
    ),
    named(
        "neuron",
        &["neurons", "d_mlp"],
        "intermediate_size",
        "One of the numbers between the MLP's first and last tables. It has a row that it looks for and a column that it writes.",
    ),
    named(
        "activation",
        &["activations", "SiLU", "GELU", "activation function"],
        "mlp.hook_post",
        "What a neuron passes on. The function of the same name (SiLU, GELU) lets large positive values through and presses most others near zero.",
    ),
    named(
        "projection",
        &["projections", "linear layer"],
        "q_proj, k_proj, v_proj, o_proj, …",
        "A learned table that turns one vector into another: each output is the dot product of the input with one row, plus a bias in some models.",
    ),
    word(
        "dot product",
        &["dot products", "q·k"],
        "Multiply two vectors place by place and add up. It is large when both point the same way, and grows with their sizes.",
    ),
    word(
        "weight",
        &["weights", "parameter", "parameters"],
        "A number that training has set and that stays fixed while the model runs. In this window the word never means an attention share.",
    ),
];
