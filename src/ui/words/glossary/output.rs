//! Terms of logits, sampling and the answer.

use super::{Term, named, word};

pub(super) const TERMS: &[Term] = &[
    named(
        "logit",
        &["logits"],
        "unembed.hook_out",
        "The number the network gives each token of the vocabulary for the next place, before softmax. Only differences between logits count.",
    ),
    named(
        "unembedding",
        &["lm_head", "output table", "unembed"],
        "lm_head, or embed_tokens if tie_word_embeddings",
        "The table that turns the last state into logits: one row per token. In many small models it is the embedding table itself.",
    ),
    word(
        "probability",
        &["probabilities"],
        "The share of a token after softmax over the whole vocabulary. It says how often the model would go on this way, not how true it is.",
    ),
    word(
        "log probability",
        &["logprob", "logprobs"],
        "The natural logarithm of a probability: 0 for certain, −0.69 for one half, −4.6 for one in a hundred.",
    ),
    word(
        "entropy",
        &["bits"],
        "How open the next token is, in bits: 0 when one token is certain, 1 for a fair coin, 12 when all of 4,096 tokens are equally likely.",
    ),
    word(
        "perplexity",
        &[],
        "How unexpected a text is to a model: 2 to the power of the mean bits per token. Guessing evenly among n tokens has perplexity n.",
    ),
    word(
        "sampling",
        &["sample", "sampler"],
        "Choosing the next token from its probabilities, mostly after filters and a temperature. The network plays no part in it.",
    ),
    word(
        "temperature",
        &[],
        "Logits are divided by it before softmax. Below 1 the likely tokens gain, above 1 the unlikely ones; 0 stands for greedy.",
    ),
    word(
        "filter",
        &["filters"],
        "A rule that takes tokens out before the draw: top-k, top-p, min-p, XTC. Those left are scaled to add up to 1.",
    ),
    named(
        "top-k",
        &["top k"],
        "top_k",
        "Keeps the k likeliest tokens.",
    ),
    named(
        "top-p",
        &["top p", "nucleus"],
        "top_p",
        "Keeps the fewest likeliest tokens whose probabilities together reach p.",
    ),
    named(
        "min-p",
        &["min p"],
        "min_p",
        "Drops tokens that are less likely than p times the likeliest one.",
    ),
    named(
        "XTC",
        &["exclude top choices"],
        "xtc_probability, xtc_threshold",
        "Exclude top choices: sometimes, by chance, drops all tokens above a threshold but the least likely of them, so that the answer is less usual.",
    ),
    named(
        "repetition penalty",
        &["presence penalty", "frequency penalty"],
        "repetition_penalty",
        "Lowers the logits of tokens that were used already.",
    ),
    word(
        "greedy",
        &[],
        "Always taking the likeliest token. There is no chance in it: the same prompt gives the same answer.",
    ),
    word(
        "draw",
        &["draws", "random draw"],
        "One random number between 0 and 1 points into the shares laid side by side; the token it falls on is taken.",
    ),
    named(
        "seed",
        &[],
        "--seed",
        "Where the random numbers begin. The same seed gives the same draws.",
    ),
    word(
        "prefill",
        &[],
        "The pass over the whole prompt. All positions run together, and the last one gives the first new token.",
    ),
    word(
        "decode",
        &["decode step", "decode pass"],
        "The pass for one new token. It computes one position and reads all earlier ones from the KV cache.",
    ),
    word(
        "pass",
        &["passes", "forward pass"],
        "One run through the network: embedding, all blocks, final norm, logits.",
    ),
    word(
        "stop reason",
        &[],
        "Why an answer ended: the model said so (stop), the limit was reached (length), or someone stopped it (cancelled).",
    ),
    word(
        "branch",
        &["branches"],
        "Another way to go on from a token that was already there: a forced token, or other sampling settings.",
    ),
];
