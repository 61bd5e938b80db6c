//! What each picture says about itself: a title, a sentence, what happens, what to look for.
//!
//! Values in braces are filled in from the live run; each text says in its doc which it takes.

/// The words of one picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureText {
    /// The title: it says the thing.
    pub title: &'static str,
    /// One muted sentence under the title: what the picture shows and what that is for.
    pub sentence: &'static str,
    /// "What happens here": two to four sentences.
    pub happens: &'static str,
    /// "Look for": what is worth seeing in the picture.
    pub look_for: &'static str,
    /// "Try": labels of things to do; a picture wires them to what it can do.
    pub tries: &'static [&'static str],
    /// "What it does not say", where readers often read more than there is.
    pub not_said: Option<&'static str>,
}

impl PictureText {
    /// Every text of it, for checks and for searching.
    pub fn texts(&self) -> impl Iterator<Item = &'static str> {
        [self.title, self.sentence, self.happens, self.look_for]
            .into_iter()
            .chain(self.tries.iter().copied())
            .chain(self.not_said)
    }
}

/// The text and its template. Takes `{n_chars}`, `{n_tokens}`.
pub const TEXT: PictureText = PictureText {
    title: "Text",
    sentence: "What the model is given to read, exactly as it is written, with the marks that say who speaks.",
    happens: "A model continues text; it knows no messages. The [chat template] writes the conversation as one text, \
              with [special tokens] between the [roles]. Raw text goes in as it is.",
    look_for: "The open end: the last mark says that the assistant speaks next, and the model goes on from there.",
    tries: &["Raw text", "As a chat", "Add a system prompt"],
    not_said: Some(
        "A [system prompt] is not a rule. It is text at the beginning that training has taught the model to heed.",
    ),
};

/// What to look for in a text that stands in no template.
pub const RAW_TEXT_LOOK_FOR: &str = "The open end: no mark says who speaks. The model goes on from the last word, whoever wrote it.";

/// The tokens. Takes `{n_tokens}`, `{vocab}`.
pub const TOKENS: PictureText = PictureText {
    title: "Tokens",
    sentence: "The text is cut into pieces that the model knows by number.",
    happens: "The [tokenizer] knows {vocab} pieces. The text is first split into words and signs; inside each, bytes are \
              joined by learned [merges], the lowest [rank|merge rank] first. A common word is one piece; a rare one is several.",
    look_for: "The dot is a space: “ Rust” and “Rust” are different tokens with different ids.",
    tries: &["Your own word", "An emoji"],
    not_said: Some(
        "Pieces follow how often letters stand together, not what they mean. A model that sees tokens does not see letters.",
    ),
};

/// The embedding. Takes `{token}`, `{id}`, `{d_model}`, `{vocab}`.
pub const EMBEDDING: PictureText = PictureText {
    title: "Embedding",
    sentence: "A token's number picks one row of a table. The row is all the model knows of the token so far.",
    happens: "**{token}** has the id {id}: row {id} of {vocab}. The row has {d_model} numbers, and the same id has the same \
              row in every text. The table is stored in few bits: a [group] of numbers shares a [scale] and a [bias].",
    look_for: "How few different values a group has. Tokens with like uses have rows that point the same way.",
    tries: &["Same token, other prompt"],
    not_said: Some(
        "A single number of the row has no meaning of its own; directions in the whole row do.",
    ),
};

/// One block. Takes `{layer}`, `{n_layers}`, `{token}`.
pub const BLOCK: PictureText = PictureText {
    title: "Block",
    sentence: "A block reads the residual stream twice and adds to it twice: once what attention found in earlier \
               positions, once what the MLP made of it.",
    happens: "Nothing overwrites the [stream|residual stream]: each part adds its [vector]. [Attention] is the only part that reads \
              other positions; the [MLP] works on each position alone. Click a part to go in.",
    look_for: "Which of the two wrote more for this position. It differs from token to token.",
    tries: &["Switch this MLP off", "Next block"],
    not_said: Some(
        "A large write need not matter for the answer, and two writes can cancel each other.",
    ),
};

/// A norm. Takes `{token}`.
pub const NORM: PictureText = PictureText {
    title: "Norm",
    sentence: "Each position's vector is brought to a standard size before the next part reads it.",
    happens: "[RMSNorm] divides the vector of **{token}** by the root of the mean of its squares, then multiplies each number by \
              a learned [gain]. What comes out is a copy for the next part; the [residual stream] itself stays as it is.",
    look_for: "Positions of very different sizes on the left, of nearly equal ones on the right.",
    tries: &["Largest position", "Largest gain"],
    not_said: None,
};

/// What happens in a norm of a family with LayerNorm. Takes `{token}`.
pub const LAYER_NORM_HAPPENS: &str = "[LayerNorm] takes the mean away from the vector of **{token}**, divides by the standard deviation, multiplies \
     by a learned [gain] and adds a learned [bias]. What comes out is a copy for the next part; the [residual stream] itself stays as it is.";

/// Queries, keys, values. Takes `{n_heads}`, `{n_kv_heads}`, `{head_dim}`, `{group}`.
pub const QKV: PictureText = PictureText {
    title: "Q, K, V",
    sentence: "Three learned tables turn each position's state into what it asks, what it is found by, and what it hands over.",
    happens: "{n_heads} [query heads] share {n_kv_heads} [key/value heads|KV head]: {group} questions look things up in the same [keys] and [values]. \
              That makes the [cache|KV cache] {group} times smaller. Every number is one [dot product] of the position's state with one row of a table.",
    look_for: "Columns of one colour: numbers that hardly depend on the word.",
    tries: &["Open the largest number"],
    not_said: Some(
        "“Asks” and “is found by” are pictures of what training made of three tables. No one has told a head what to ask.",
    ),
};

/// What happens where every query head has keys and values of its own. Takes `{n_heads}`.
pub const QKV_UNSHARED_HAPPENS: &str = "Each of the {n_heads} [heads] has [keys] and [values] of its own. Every number is one [dot product] of the \
     position's state with one row of a table.";

/// RoPE. Takes `{n_pairs}`, `{base}`.
pub const ROPE: PictureText = PictureText {
    title: "RoPE",
    sentence: "Each pair of numbers is turned by an angle that grows with the position: the first pairs fast, the last ones hardly.",
    happens: "Without this step a score would not depend on where the two words stand. [RoPE] turns [queries] and [keys] by their \
              [positions]; then q · k depends on how far apart they are. [Values] are not turned.",
    look_for: "Dashed: before. Solid: after. The length of a hand never changes, only its direction.",
    tries: &["Both one further", "Key one further"],
    not_said: Some(
        "The curve is for this query and this key. Other vectors have other curves; it need not fall with distance.",
    ),
};

/// Attention. Takes `{token}`, `{n_keys}`.
pub const ATTENTION: PictureText = PictureText {
    title: "Attention",
    sentence: "In this head, the query of each position is scored against the keys at or before it. Each row adds up to 1.",
    happens: "The [query] of **{token}** is compared with the [key] of every position up to it. [Softmax] turns the {n_keys} scores into \
              [shares|attention share]. A share says how much of the [value] at a position is read. That value already mixes earlier text.",
    look_for: "A diagonal one step left of the middle: such heads read the tokens just before. A full first column: the head rests on an [attention sink].",
    tries: &["Block this edge", "Switch the head off"],
    not_said: Some(
        "A share does not say why a position is read, nor that it explains the answer. What is read may hardly matter: see [value-weighted].",
    ),
};

/// What happens in attention in a decode pass. Takes `{token}`, `{n_keys}`.
pub const ATTENTION_DECODE_HAPPENS: &str = "Only one position is new: **{token}**. Its [query] is compared with {n_keys} [keys]; all but the newest were computed in \
     earlier [passes|pass] and lie in the [KV cache]. So the map has one row. [Softmax] turns the scores into [shares|attention share].";

/// The four steps of attention, as the tabs name them, and a sentence for each.
pub const ATTENTION_STEPS: [(&str, &str); 4] = [
    (
        "q · k",
        "The dot product of each query with each key, before anything else. It is computed for later positions too.",
    ),
    (
        "÷ √d",
        "Divided by the root of the head's size, so that long vectors do not make softmax all or nothing.",
    ),
    (
        "mask",
        "Scores of later positions are set to −∞: a position must not read what comes after it.",
    ),
    (
        "softmax",
        "In this head, the query of each position is scored against the keys at or before it. Each row adds up to 1.",
    ),
];

/// Mixing values. Takes `{token}`, `{n_heads}`.
pub const MIXING: PictureText = PictureText {
    title: "Mix values",
    sentence: "Each head adds up the values it reads, each times its share; the output projection turns all heads into one vector.",
    happens: "For **{token}**, each head takes the [value] of every position it may read, times its [share|attention share], and adds them up: [z]. \
              [o_proj] gives each head columns of its own, and the sum of all heads is added to the [residual stream].",
    look_for: "Heads that write much for this position. A large share of a small value moves little.",
    tries: &["Switch the loudest head off"],
    not_said: Some(
        "Sizes of heads do not add up to the size of the whole: they point in different directions.",
    ),
};

/// The MLP. Takes `{token}`, `{n_neurons}`.
pub const MLP: PictureText = PictureText {
    title: "MLP",
    sentence: "Many small detectors look at one position; those that respond write to its residual stream.",
    happens: "For **{token}**, {n_neurons} [neurons] each compute a [gate] and an [up] value. The gate goes through SiLU, which presses \
              negative numbers near zero; the product of both is the [activation]. [Down] turns all activations into one vector.",
    look_for: "A few strong neurons among many that are near zero: other positions use other neurons.",
    tries: &["Switch the strongest neuron off", "Scale this MLP"],
    not_said: Some(
        "A neuron that responds here may respond to quite different things elsewhere. Its number is not a name.",
    ),
};

/// What happens in an MLP without a gate. Takes `{token}`, `{n_neurons}`.
pub const PLAIN_MLP_HAPPENS: &str = "For **{token}**, {n_neurons} [neurons] each compute one number; the [activation] function lets large positive ones \
     through and presses negative ones near zero. The last table turns all activations into one vector.";

/// The residual stream. Takes `{token}`.
pub const RESIDUAL: PictureText = PictureText {
    title: "Residual stream",
    sentence: "What every block has added so far, position by position.",
    happens: "Every block adds to a running sum, the [residual stream]. Reading it early, with the final [norm] and the [output table|unembedding], \
              shows how an answer takes shape: the [logit lens].",
    look_for: "Where the answer jumps to the top, and which part wrote just before.",
    tries: &["Another position", "Difference of two tokens"],
    not_said: Some(
        "A low rank does not mean that the answer is absent: later blocks may read what the output table cannot.",
    ),
};

/// What happens there, where a recorded run holds no logits. Takes `{token}`, `{vocab}`.
pub const LOGITS_UNRECORDED: &str = "After **{token}**, each of {vocab} tokens gets a [logit], and [softmax] turns all of them into \
                                     [probabilities]. At this position they were not recorded.";

/// Logits. Takes `{token}`, `{vocab}`, `{entropy}`.
pub const LOGITS: PictureText = PictureText {
    title: "Logits",
    sentence: "The last state is compared with one row per token of the vocabulary: the higher the number, the likelier the token comes next.",
    happens: "After **{token}**, each of {vocab} tokens gets a [logit]. [Softmax] turns all of them into [probabilities]; here the model spreads \
              {entropy} bits of [entropy]. Adding the same number to every logit would change nothing.",
    look_for: "How far the first bar stands out. A close second is an answer that was nearly given.",
    tries: &["Search a token", "Temperature 2"],
    not_said: Some(
        "A [probability] is how often the model would go on this way, not how true it is.",
    ),
};

/// The draw. Takes `{temperature}`, `{token}`, `{entropy}`.
pub const SAMPLE: PictureText = PictureText {
    title: "Sample",
    sentence: "The model gives every token a share. Filters drop the tail, then one random number picks.",
    happens: "[Filters] look at the shares at [temperature] 1. Temperature {temperature} then reshapes those kept, and they are scaled to add up to 1. \
              The random number fell on **{token}**.",
    look_for: "The tokens that were dropped, and why: the reason stands beside each.",
    tries: &["Draw again", "1,000 draws", "Force a token"],
    not_said: Some("A share is how often the model would go on this way, not how true it is."),
};

/// What happens where the likeliest token is taken. Takes `{token}`.
pub const GREEDY_HAPPENS: &str = "The sampling is [greedy]: the likeliest token, **{token}**, is taken, and no random number is drawn. \
     With a [temperature] above 0 others get their chance.";

/// What happens where somebody chose the token. Takes `{token}`, `{p}`.
pub const FORCED_HAPPENS: &str = "**{token}** was put here by hand: no random number was drawn, and the model's shares had no say. \
     The model gave it {p}. The bars show what a [draw] would have chosen from.";

/// To the screen. Takes `{token}`, `{id}`.
pub const SCREEN: PictureText = PictureText {
    title: "To the screen",
    sentence: "The chosen id becomes bytes, and bytes become text as soon as a character is complete.",
    happens: "Id {id} stands for a few [bytes]. If they end in the middle of a character, they wait for the next token. \
              If the token is an [end token], the answer ends; otherwise it is added to the text and the next [pass] begins.",
    look_for: "How likely the end was at each place of the answer.",
    tries: &["An answer with an emoji"],
    not_said: None,
};

/// The KV cache. Takes `{n_positions}`, `{n_layers}`.
pub const KV_CACHE: PictureText = PictureText {
    title: "KV cache",
    sentence: "Keys and values of every position are kept, so that a new token computes only its own. Nothing that is kept ever changes.",
    happens: "{n_positions} positions lie in {n_layers} blocks. A new token adds one column to each block and reads all the others. \
              That is exact, not a shortcut: no position reads a later one, so earlier [keys] and [values] stay what they were.",
    look_for: "The new column after each token. Bytes used grow by the same amount each time; bytes [allocated] grow in chunks.",
    tries: &["8-bit cache", "Rotate at 32", "Without sharing heads"],
    not_said: Some(
        "The cache is no memory of facts. It is what the model would compute again from the same text.",
    ),
};

/// The timeline. Takes `{n_tokens}`, `{n_passes}`.
pub const TIMELINE: PictureText = PictureText {
    title: "Timeline",
    sentence: "Every token of the run, how likely it was, and how long its pass took.",
    happens: "The first [pass] read the whole [prompt]; each later one added one token. Click a token to stand there: what follows is \
              undone, and stepping again gives the same bits.",
    look_for: "Tokens where the model was unsure: there another draw would have led elsewhere.",
    tries: &["Colour by entropy", "Branch here"],
    not_said: Some("An unlikely token is not an error, and a likely one is not a fact."),
};

/// Inside the file. Takes `{n_parameters}`, `{bytes}`, `{bits}`.
pub const WEIGHTS: PictureText = PictureText {
    title: "Inside the file",
    sentence: "Every weight of the model: where it lies, how it is stored, and what it costs to read.",
    happens: "The model is {n_parameters} numbers in {bytes}. The large tables are [quantized] to {bits} bits with a [scale] and a [bias] per \
              [group]; the [norms] are not. Nearly every [weight] is read once for every new token.",
    look_for: "Which tables are large: the MLPs in a big model, the embedding in a small one.",
    tries: &["Largest tensor", "Histogram"],
    not_said: Some("No weight holds a fact by itself. Facts are spread over many."),
};

/// Experiments. Takes nothing.
pub const EXPERIMENTS: PictureText = PictureText {
    title: "Experiments",
    sentence: "Change something inside the model, and see what it does to the answer.",
    happens: "Each [edit] changes one value of the run; everything after it is computed anew and compared with the [baseline]. \
              Switch edits on and off one by one, or let a [sweep] try the same edit everywhere.",
    look_for: "Edits that change the answer and leave the rest as it was.",
    tries: &[
        "Switch a head off",
        "Patch from another prompt",
        "Sweep all heads",
    ],
    not_said: Some("One prompt proves little, and an [ablation] can break other things too."),
};

/// Compare. Takes nothing.
pub const COMPARE: PictureText = PictureText {
    title: "Compare",
    sentence: "Two runs side by side, and where they part.",
    happens: "The same stage of two runs, with the difference between them. States are compared by [cosine similarity], \
              block by block and position by position.",
    look_for: "The first block where the two part, and the position where it begins.",
    tries: &[
        "Two prompts",
        "4 bits and 16 bits",
        "Before and after the edit",
    ],
    not_said: Some(
        "A small difference early can become a large one late, and the other way round.",
    ),
};

/// Every picture's words: the pass in its order, then the views.
pub const ALL: [&PictureText; 19] = [
    &TEXT,
    &TOKENS,
    &EMBEDDING,
    &BLOCK,
    &NORM,
    &QKV,
    &ROPE,
    &ATTENTION,
    &MIXING,
    &MLP,
    &LOGITS,
    &SAMPLE,
    &SCREEN,
    &RESIDUAL,
    &KV_CACHE,
    &TIMELINE,
    &WEIGHTS,
    &EXPERIMENTS,
    &COMPARE,
];

/// Words for what is said in every picture.
pub mod common {
    /// Heading of the explanation.
    pub const HAPPENS: &str = "What happens here";
    /// Heading of what is worth seeing.
    pub const LOOK_FOR: &str = "Look for";
    /// Heading of what one can do.
    pub const TRY: &str = "Try";
    /// Heading of what must not be read into a picture.
    pub const NOT_SAID: &str = "What it does not say";
    /// Where a value has not been computed.
    pub const NOT_COMPUTED: &str =
        "Not computed yet. Step on, or click it in the list, to run to it.";
    /// While the engine works on an answer.
    pub const WAITING: &str = "The model is computing this …";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::words::{Run, glossary, runs};

    const LOOSE: [&str; 4] = [
        LAYER_NORM_HAPPENS,
        QKV_UNSHARED_HAPPENS,
        PLAIN_MLP_HAPPENS,
        ATTENTION_DECODE_HAPPENS,
    ];

    fn texts() -> impl Iterator<Item = &'static str> {
        let steps = ATTENTION_STEPS.into_iter().map(|(_, sentence)| sentence);
        ALL.into_iter()
            .flat_map(PictureText::texts)
            .chain(LOOSE)
            .chain([GREEDY_HAPPENS, FORCED_HAPPENS])
            .chain(steps)
    }

    #[test]
    fn every_term_in_a_picture_has_an_entry() {
        for text in texts() {
            for run in runs(text) {
                if let Run::Term { name, .. } = run {
                    assert!(glossary::term(name).is_some(), "'{name}' in: {text}");
                }
            }
        }
    }

    #[test]
    fn pictures_say_what_happens_in_two_to_five_sentences() {
        for text in ALL {
            let sentences = text.happens.matches(". ").count() + 1;
            assert!((2..=5).contains(&sentences), "{}: {sentences}", text.title);
            assert!(text.sentence.ends_with('.'), "{}", text.title);
            assert!(!text.tries.is_empty(), "{}", text.title);
        }
    }

    #[test]
    fn the_traps_of_the_field_are_avoided() {
        for text in texts().map(str::to_lowercase) {
            assert!(!text.contains("confiden"), "{text}");
            assert!(!text.contains("attention weight"), "{text}");
        }
    }
}
