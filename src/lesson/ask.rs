//! What a lesson may ask of a run: plain data. Who has an engine answers it.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use super::expression::Value;
use super::expression::function::n_args;
use super::run::Run;

macro_rules! asks {
    ($($group:literal { $($variant:ident $name:literal ($args:literal) $doc:literal)* })*) => {
        /// One thing to ask of a run.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Ask {
            $($(#[doc = $doc] $variant,)*)*
        }

        impl Ask {
            /// Every one, as the page on the format lists them.
            pub const ALL: &'static [Self] = &[$($(Self::$variant,)*)*];

            /// Its name in expressions.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $($(Self::$variant => $name,)*)* }
            }

            /// Its arguments; what may be left out stands in `[ ]`.
            #[must_use]
            pub fn args(self) -> &'static str {
                match self { $($(Self::$variant => $args,)*)* }
            }

            /// What it tells, in one line.
            #[must_use]
            pub fn doc(self) -> &'static str {
                match self { $($(Self::$variant => $doc,)*)* }
            }

            /// The heading it stands under.
            #[must_use]
            pub fn group(self) -> &'static str {
                match self { $($(Self::$variant => $group,)*)* }
            }
        }
    };
}

asks! {
    "Text and tokens" {
        Tokens "tokens" ("") "texts of the run's tokens: the prompt and what was generated"
        Ids "ids" ("") "ids of the same"
        NPrompt "n_prompt" ("") "how many tokens the prompt has"
        Pos "pos" ("text, [which]") "position of the token with this text; the second such one with `which` 2"
        PromptText "prompt" ("") "the prompt as the model reads it, with the chat template around it"
        TokensOf "tokens_of" ("text") "texts of the tokens that a text becomes"
        IdsOf "ids_of" ("text") "ids of the same"
        Id "id" ("text") "id of a text that is one token"
        IsToken "is_token" ("text") "whether a text, or each text of a list, is one token in this model"
        TextOf "text_of" ("id") "text of a token"
        Merges "merges" ("text") "every merge that makes its tokens, in order: `c+r`"
        HasMerges "has_merges" ("text") "whether its tokens are made by merges that can be shown"
        MergeRanks "merge_ranks" ("text") "the places of these merges in the model's list"
        Symbols "symbols" ("text") "what merging begins with: one symbol per byte"
    }
    "The model" {
        Model "model" ("what") "a figure: n_layers, n_heads, n_kv_heads, head_dim, d_model, d_mlp, vocab_size, context, rope_theta, parameters, tensor_bytes, file_bytes, bits_per_weight, bits, group_size; or yes or no: has_rope, has_gqa, is_tied, is_quantized, has_template; or a name: family, activation"
        HasHook "has_hook" ("hook") "whether the model has this hook"
        Hook "hook" ("address") "values at an address: `hook('blocks.2.attn.hook_pattern[3, 5]')`"
        Weights "weights" ("path, row") "a row of a weight matrix, as it is multiplied"
        Packed "packed" ("path, row, column, part") "of a quantized weight: number, scale, bias, weight, word, first_column"
        Rounding "rounding" ("path, row, bits") "relative error of that row after rounding to 2, 3, 4, 6 or 8 bits"
        Stored "stored_error" ("path, row") "relative error of the row as it is stored, against the 16-bit copy"
    }
    "The next token" {
        P "p" ("token, [position]") "probability of a token after a position; after the prompt, if none is given"
        Rank "rank" ("token, [position]") "its place among all tokens, 1 for the likeliest"
        Logit "logit" ("token, [position]") "its logit"
        Top "top" ("[n], [position]") "text of the n-th likeliest token"
        TopId "top_id" ("[n], [position]") "its id: every token can be named by its id, in place of its text"
        Logits "logits" ("[position]") "all logits; the place is the id"
        Entropy "entropy" ("[position]") "how open the next token is, in bits"
        Verdict "verdict" ("") "what the run's edits changed, as a sentence"
        Divergence "kl" ("") "how far the run's edits move the next token's probabilities, in bits (KL)"
    }
    "Sampling" {
        NKept "n_kept" ("settings") "how many tokens can be drawn: `n_kept('temperature=1 top_k=5')`"
        Share "share" ("token, settings") "a token's share of the curve that is drawn from; 0 once it is filtered out"
        CutBy "cut_by" ("token, settings") "the filter that takes a token out: top_k, top_p, min_p; or nothing"
        Redraw "drawn" ("token, settings, n, seed") "how often a token comes in n draws"
        Generated "generated" ("n") "text of the n-th token that the run generated, from 0"
        Random "random" ("n") "the random number of its draw"
        Writes "writes" ("most") "what the run writes until it stops, or after `most` tokens"
        NWritten "n_written" ("most") "how many tokens that is"
        WhyStopped "why_stopped" ("most") "stop or length"
    }
    "Looking inside" {
        LensP "lens_p" ("block, token, [position]") "probability of a token by the logit lens after a block; −1: at the embedding"
        LensRank "lens_rank" ("block, token, [position]") "its rank there"
        LensTop "lens_top" ("block, [position]") "the likeliest token there"
        LensEntropy "lens_entropy" ("block, [position]") "how open the next token is there, in bits"
        ScorePart "score" ("part, block, head, query, key") "of one attention score: dot, scale, score, largest, total, share"
        BestHead "best_head" ("kind, [which]") "[block, head] of the best head of a kind (previous token, duplicate token, induction, first-token sink) on the standard probe text; of the second best with `which` 2"
        HeadScore "head_score" ("kind, block, head") "a head's score of a kind on the standard probe text, 0 to 1"
        HeadScoreHere "head_score_here" ("kind, block, head") "the same on the run's own text"
        HeadAdds "head_adds" ("block, head, token") "what a head adds to a token's logit"
        MlpAdds "mlp_adds" ("block, token") "what a block's MLP adds to a token's logit"
        NearZero "n_quiet" ("block, [position]") "how many neurons are below a hundredth of the most active one"
        RopeAngle "rope_angle" ("block, pair, position") "radians that a pair of values is turned by"
        RopePeriod "rope_period" ("block, pair") "positions for one whole turn of a pair"
    }
    "Embeddings" {
        Similarity "similarity" ("token, token") "cosine of two tokens' embedding rows"
        Nearest "nearest" ("token, n") "the n-th nearest token"
        Analogy "analogy" ("plus, minus, n") "the n-th nearest token to a sum: `analogy([' king', ' woman'], [' man'], 1)`"
        OnAxis "on_axis" ("pairs, token") "place of a token on the axis through pairs of tokens: `on_axis([[' hot', ' cold']], ' soup')`"
    }
    "Cost" {
        KvBytes "kv_bytes" ("") "bytes of keys and values held"
        KvAllocated "kv_allocated" ("") "bytes allocated for them"
        KvWithoutGqa "kv_without_gqa" ("") "bytes if every query head had keys and values of its own"
        KvPositions "kv_positions" ("") "positions held"
        KvValueBytes "kv_value_bytes" ("") "bytes per value"
        WeightBytes "weight_bytes" ("pass") "bytes of weights that a pass reads; pass 0 reads the prompt"
        NPos "n_pos" ("pass") "tokens that a pass runs over"
    }
}

impl Ask {
    /// What is called `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|ask| ask.name() == name)
    }

    /// How many arguments it takes.
    #[must_use]
    pub fn n_args(self) -> RangeInclusive<usize> {
        n_args(self.args())
    }
}

/// Something that must be asked before an expression has a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    /// Of which run.
    pub run: Run,
    /// What.
    pub ask: Ask,
    /// With these arguments.
    pub args: Vec<Value>,
}

impl Need {
    /// Equal needs have equal keys.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{:?} {:?} {:?}", self.ask, self.args, self.run)
    }
}

/// What was asked and answered.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    known: HashMap<String, Result<Value, String>>,
}

impl Answers {
    /// Keeps an answer, or why there is none.
    pub fn put(&mut self, need: &Need, answer: Result<Value, String>) {
        self.known.insert(need.key(), answer);
    }

    /// The answer, if it was asked.
    #[must_use]
    pub fn get(&self, need: &Need) -> Option<&Result<Value, String>> {
        self.known.get(&need.key())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether nothing was asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}
