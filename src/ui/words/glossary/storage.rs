//! Terms of the cache and the file.

use super::{Term, named, word};

pub(super) const TERMS: &[Term] = &[
    word(
        "KV cache",
        &["cache"],
        "Keys (after RoPE) and values of every position, kept per block, so that a new token computes only its own. Nothing that is kept ever changes, because no position reads a later one.",
    ),
    named(
        "rotating cache",
        &["rotated cache"],
        "--max-kv-size",
        "A cache of fixed size: when it is full, the oldest positions give way to new ones, and the first few stay.",
    ),
    named(
        "quantized cache",
        &[],
        "--kv-bits",
        "Keys and values kept with 4 or 8 bits per number: a smaller cache, and slightly different results.",
    ),
    word(
        "prefix reuse",
        &["reused prefix", "prefix"],
        "When a new prompt begins like the last one, its cached positions are used again and only the rest is run.",
    ),
    word(
        "allocated",
        &["used"],
        "Memory set aside in whole chunks. Used is what the positions really fill; the rest waits for the next ones.",
    ),
    named(
        "quantization",
        &["quantized", "4-bit", "affine quantization"],
        "config.json: quantization",
        "Storing each weight as a small whole number q, with a scale and a bias per group: w = scale × q + bias. 4 bits leave 16 values per group.",
    ),
    named(
        "group",
        &["groups", "group size"],
        "group_size",
        "Neighbouring weights of a row, mostly 64, that share one scale and one bias.",
    ),
    named(
        "scale",
        &["scales"],
        "scales",
        "The step between two neighbouring values of a quantized group.",
    ),
    named(
        "bias",
        &["biases"],
        "biases; bias",
        "Two different things: a quantized group's lowest value (biases), and a number that some layers add to each output (bias).",
    ),
    word(
        "nibble",
        &["nibbles", "packed word"],
        "Four bits, a number from 0 to 15. Eight of them lie in one 32-bit word, the first weight in the lowest bits.",
    ),
    named(
        "safetensors",
        &["tensor"],
        "*.safetensors",
        "The file format of the weights: a list of names, shapes and types, then the numbers. Nothing in it can run.",
    ),
    word(
        "memory bandwidth",
        &["bandwidth"],
        "How many bytes per second the processor can read. A new token reads nearly every weight once, so this sets the speed of an answer.",
    ),
];
