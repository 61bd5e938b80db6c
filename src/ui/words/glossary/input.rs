//! Terms of text, tokens and the first table.

use super::{Term, named, word};

pub(super) const TERMS: &[Term] = &[
    word(
        "prompt",
        &["prompts"],
        "The text that the model is given to continue. In a chat it is the whole conversation so far, written out by the chat template.",
    ),
    named(
        "chat template",
        &["template", "templates"],
        "tokenizer_config.json: chat_template",
        "The model's own recipe for writing a conversation as one text, with marks for who speaks. A model trained with it knows from these marks when it is its turn and when to stop.",
    ),
    word(
        "role",
        &["roles"],
        "Who speaks in a message of a chat: system, user or assistant. To the network a role is nothing but a few more tokens.",
    ),
    word(
        "system prompt",
        &["system message"],
        "A first message that says how the model should behave. It is read like any other text; nothing forces the model to obey it.",
    ),
    named(
        "special token",
        &["special tokens"],
        "added_tokens, special: true",
        "A token that stands for no text of the user's: begin, end, who speaks. It is written as one piece and never made of merges.",
    ),
    named(
        "end token",
        &["end-of-text token", "EOS", "stop token"],
        "eos_token_id",
        "The special token by which a model says that it is done. Drawing it ends the answer.",
    ),
    word(
        "token",
        &["tokens"],
        "A piece of text that the model reads and writes as one unit: a word, part of a word, a sign, or a few bytes. The network sees only its number.",
    ),
    named(
        "token id",
        &["id", "ids", "token ids"],
        "input_ids",
        "The number of a token: its row in the vocabulary and in the embedding table.",
    ),
    named(
        "vocabulary",
        &["vocab"],
        "vocab_size",
        "The fixed list of all tokens a model knows. It is made once, before training, and every text can be written with it.",
    ),
    word(
        "tokenizer",
        &["tokenization"],
        "The program that cuts text into tokens and joins tokens into text again. It follows fixed rules and knows nothing of meaning.",
    ),
    named(
        "merge",
        &[
            "merges",
            "BPE",
            "BPE merge",
            "byte-pair encoding",
            "merge rank",
        ],
        "tokenizer.json: model.merges",
        "A rule that joins two neighbouring pieces into one. Byte-pair encoding begins with bytes and, again and again, joins the pair that was learned first: the one of lowest rank.",
    ),
    named(
        "pre-tokenization",
        &["pre-tokenizer", "split"],
        "tokenizer.json: pre_tokenizer",
        "The first cut of a text, into words, numbers and signs, before merging. Merges never reach across it.",
    ),
    word(
        "byte",
        &["bytes"],
        "A number from 0 to 255. Letters beyond plain English, other scripts and emoji take two to four bytes each, and a token may end in the middle of one.",
    ),
    word(
        "position",
        &["positions", "pos"],
        "The place of a token in the text, counted from 0. The same word at two positions has two states.",
    ),
    named(
        "context",
        &["context length", "context window"],
        "max_position_embeddings",
        "All the text the model can look back at. Beyond the length it was trained for, a model becomes unreliable.",
    ),
    named(
        "embedding",
        &["embeddings", "embedding table", "embed_tokens"],
        "hook_embed",
        "The row of numbers that stands for a token: its id picks one row of a learned table. The same id has the same row in every text.",
    ),
    named(
        "position embedding",
        &["learned positions"],
        "hook_pos_embed",
        "A learned row for each position, added to the token's row. GPT-2 tells positions apart this way; newer models turn queries and keys instead (RoPE).",
    ),
    word(
        "vector",
        &["vectors", "row of numbers"],
        "A list of numbers in a fixed order. Its size is the root of the sum of the squares.",
    ),
    word(
        "cosine similarity",
        &["cosine"],
        "How far two vectors point the same way: 1 for the same direction, 0 for a right angle, −1 for opposite ones. Their sizes do not count.",
    ),
    word(
        "PCA",
        &["principal components"],
        "A flat view of many-dimensional points that keeps as much of their spread as two directions can. Distances in the picture are only part of the real ones.",
    ),
];
