//! What a window, a lesson or a command may ask, and what it is told: plain data.
//!
//! A question goes to the engine as [`Action::Ask`](super::message::Action::Ask) and ends in
//! [`Event::Told`](super::message::Event::Told), or in a failure that says why. It changes nothing:
//! the run stands where it stood. Most are about the session's run; those with a `model` are about
//! a model, that of the run where it is `None`.

use std::ops::Range;

use serde::Serialize;

pub use super::inspect::{Group, GroupTotal, Half, Inspection, Packing, TensorRow};
pub use super::message::{ModelChoice, SamplingChoice, SessionId};
pub use super::sampler::{Candidate, Draw, Exclusion, Filter, Filtered, SamplingParams};
pub use crate::tokenizer::{
    Entry, Found, MergeStep, Message, Piece, Rendered, Segment, SegmentKind, SpecialToken, Symbol,
    TemplateArgs, Variant, Word, WordKind,
};
use crate::trace::measure::attention::ScoreParts;
use crate::trace::measure::cell::Cell;
use crate::trace::measure::compare::Comparison;
use crate::trace::measure::contribution::Contributions;
use crate::trace::measure::costs::PassCost;
use crate::trace::measure::family::FamilyView;
use crate::trace::measure::heads::{HeadReport, ProbeText};
use crate::trace::measure::histogram::Histogram;
use crate::trace::measure::ledger::{CacheCost, Ledger, MemoryUse};
use crate::trace::measure::lens::{LensRequest, LensView};
use crate::trace::measure::logits::{LogitsView, Redraws};
use crate::trace::measure::maps::{Miniature, ScoreMaps};
use crate::trace::measure::neurons::{Neurons, NormEffect};
use crate::trace::measure::parity::Parity;
use crate::trace::measure::pca::Plane;
pub use crate::trace::measure::quantized::{PackedRow, Reference};
use crate::trace::measure::rope::{Rotation, Turned};
use crate::trace::measure::space::{Neighbour, Placed};
use crate::trace::measure::state::Path;
use crate::trace::measure::sweep::{SweepPlan, SweepTable};
use crate::trace::measure::writes::{BlockWrites, WeightedAttention};
use crate::trace::measure::{At, NamedToken, Point};
use crate::trace::{Address, HostTensor};

/// One thing to ask. Each is answered by the variant of [`Told`] that stands beside it.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// Values at hooks and states after stages, many at once → [`Told::Values`].
    Values(Vec<Address>),
    /// The values at one hook, counted → [`Told::Histogram`].
    Histogram {
        /// Which hook.
        at: Address,
        /// How many bins.
        n_bins: usize,
    },
    /// Where every head looks in a pass → [`Told::Heads`].
    Heads {
        /// The pass.
        pass: usize,
    },
    /// Where every head looks on the standard probe text → [`Told::Heads`].
    ProbeHeads {
        /// The model.
        model: Option<ModelChoice>,
        /// The text.
        text: ProbeText,
    },
    /// The logit lens → [`Told::Lens`].
    Lens(LensRequest),
    /// What each part adds to a logit → [`Told::Contributions`].
    Contributions {
        /// Where.
        at: At,
        /// Whose logit.
        token: u32,
        /// The token whose logit is taken away, for a difference.
        against: Option<u32>,
    },
    /// One score taken apart → [`Told::ScoreParts`].
    ScoreParts {
        /// The pass.
        pass: usize,
        /// The block.
        layer: usize,
        /// The query head.
        head: usize,
        /// The pass' own row that asks.
        row: usize,
        /// The position that is read.
        key: usize,
    },
    /// One head's map: q·k, scaled, masked, softmax → [`Told::ScoreMaps`].
    ScoreMaps {
        /// The pass.
        pass: usize,
        /// The block.
        layer: usize,
        /// The query head.
        head: usize,
    },
    /// One head's map weighted by what it carries → [`Told::WeightedAttention`].
    WeightedAttention {
        /// The pass.
        pass: usize,
        /// The block.
        layer: usize,
        /// The query head.
        head: usize,
    },
    /// Miniatures of every head of some blocks → [`Told::Patterns`].
    Patterns {
        /// The pass.
        pass: usize,
        /// The blocks; empty: all that have run.
        layers: Vec<usize>,
        /// Most rows and columns of a miniature.
        size: usize,
    },
    /// What each block writes, in every block that has run → [`Told::Writes`].
    Writes {
        /// The pass.
        pass: usize,
        /// The pass' own rows; empty: the last one.
        rows: Vec<usize>,
    },
    /// The most active neurons of a block → [`Told::Neurons`].
    Neurons {
        /// Where.
        at: At,
        /// The block.
        layer: usize,
        /// How many.
        k: usize,
    },
    /// What each norm does → [`Told::Norms`].
    Norms {
        /// Where.
        at: At,
    },
    /// The residual stream at every point that has been computed → [`Told::Paths`].
    Paths {
        /// The pass.
        pass: usize,
        /// The pass' own rows; empty: all.
        rows: Vec<usize>,
    },
    /// One output of a projection as a sum → [`Told::Cell`].
    Cell {
        /// The layer, as the checkpoint calls it.
        path: String,
        /// Where.
        at: At,
        /// Which output.
        output: usize,
        /// How many of its products.
        k: usize,
    },
    /// Time and weights read, stage by stage → [`Told::Cost`].
    Cost {
        /// The pass.
        pass: usize,
    },
    /// The logits at a position → [`Told::Logits`].
    Logits {
        /// Where.
        at: At,
        /// How many of the likeliest tokens.
        k: usize,
        /// Tokens to tell besides.
        tokens: Vec<u32>,
    },
    /// What the sampler does with a pass' logits → [`Told::Sampling`].
    Sampling {
        /// The pass.
        pass: usize,
        /// Other settings in place of those of the run; what is `None` stays.
        settings: Option<SamplingChoice>,
        /// How many of the likeliest tokens.
        limit: usize,
    },
    /// The same draw again and again → [`Told::Redraws`].
    Redraw {
        /// The pass.
        pass: usize,
        /// Other settings in place of those of the run; what is `None` stays.
        settings: Option<SamplingChoice>,
        /// How many draws.
        n: usize,
        /// Start of the random numbers.
        seed: u64,
    },
    /// How the pairs of queries or keys turn, one answer per row → [`Told::Rotations`].
    Rope {
        /// The pass.
        pass: usize,
        /// The block.
        layer: usize,
        /// Queries or keys.
        of: Turned,
        /// Query head or KV head.
        head: usize,
        /// The pass' own rows; empty: the last one.
        rows: Vec<usize>,
    },
    /// The KV cache in figures → [`Told::Ledger`].
    Ledger {
        /// The pass.
        pass: usize,
    },
    /// What is held in memory → [`Told::Memory`].
    Memory,
    /// One decode step with the KV cache against the whole text again, measured → [`Told::CacheCost`].
    CacheCost,
    /// Whether what is shown is what is computed, for the newest pass with logits →
    /// [`Told::Parity`]. Worked on while nothing else is asked; it starts again where the run has
    /// changed meanwhile, and may be cancelled at any time.
    Parity,
    /// One change tried in many places → [`Told::Sweep`]. Tells its progress.
    Sweep(SweepPlan),
    /// The session's run beside that of another session → [`Told::Compare`].
    Compare {
        /// The other session.
        with: SessionId,
        /// Differences up to this size count as none; 0 asks for equal bits.
        tolerance: f32,
    },
    /// How fast this machine is, measured in about a second → [`Told::Machine`].
    Machine,
    /// A row of a quantized matrix, unpacked → [`Told::Row`].
    Row {
        /// The model.
        model: Option<ModelChoice>,
        /// The layer, as the checkpoint calls it.
        path: String,
        /// The row.
        row: usize,
        /// The columns; `None`: all.
        columns: Option<Range<usize>>,
    },
    /// Part of a matrix as floats → [`Told::Slice`].
    Slice {
        /// The model.
        model: Option<ModelChoice>,
        /// The layer, as the checkpoint calls it.
        path: String,
        /// The rows; `None`: all.
        rows: Option<Range<usize>>,
        /// The columns; `None`: all.
        columns: Option<Range<usize>>,
    },
    /// The values of a whole matrix, counted → [`Told::Histogram`].
    WeightHistogram {
        /// The model.
        model: Option<ModelChoice>,
        /// The layer, as the checkpoint calls it.
        path: String,
        /// How many bins.
        n_bins: usize,
    },
    /// The tokens nearest to a vector → [`Told::Neighbours`].
    Nearest {
        /// The model.
        model: Option<ModelChoice>,
        /// Whose rows.
        space: Space,
        /// Near to what.
        to: Vector,
        /// How many.
        k: usize,
    },
    /// The tokens nearest to a sum: king − man + woman → [`Told::Neighbours`].
    Arithmetic {
        /// The model.
        model: Option<ModelChoice>,
        /// Whose rows.
        space: Space,
        /// Tokens that are added.
        plus: Vec<u32>,
        /// Tokens that are taken away.
        minus: Vec<u32>,
        /// How many.
        k: usize,
    },
    /// Where tokens stand on axes made of word pairs → [`Told::Axes`].
    Axes {
        /// The model.
        model: Option<ModelChoice>,
        /// Whose rows.
        space: Space,
        /// Each axis by its pairs of tokens, from the second to the first of each.
        axes: Vec<Vec<(u32, u32)>>,
        /// The tokens to place.
        ids: Vec<u32>,
    },
    /// Tokens on the plane in which they differ most → [`Told::Plane`].
    Plane {
        /// The model.
        model: Option<ModelChoice>,
        /// Whose rows.
        space: Space,
        /// The tokens.
        ids: Vec<u32>,
    },
    /// The cosine of each token with each → [`Told::Similarities`].
    Similarity {
        /// The model.
        model: Option<ModelChoice>,
        /// Whose rows.
        space: Space,
        /// The tokens.
        ids: Vec<u32>,
    },
    /// A text as tokens, and how each word was merged → [`Told::Tokens`].
    Tokens {
        /// The model.
        model: Option<ModelChoice>,
        /// The text.
        text: String,
        /// Whether the model's own begin token is put before it, as before a raw prompt.
        with_begin: bool,
    },
    /// A word with and without space and capital → [`Told::Variants`].
    Variants {
        /// The model.
        model: Option<ModelChoice>,
        /// The word.
        word: String,
    },
    /// A page of the vocabulary → [`Told::Vocabulary`].
    Vocabulary {
        /// The model.
        model: Option<ModelChoice>,
        /// Which tokens, by their places.
        page: Range<usize>,
    },
    /// Tokens whose text or id fits → [`Told::Vocabulary`].
    SearchVocabulary {
        /// The model.
        model: Option<ModelChoice>,
        /// What to look for.
        text: String,
        /// Most tokens to give.
        limit: usize,
    },
    /// Messages as the model's template writes them → [`Told::Template`].
    Template {
        /// The model.
        model: Option<ModelChoice>,
        /// The messages.
        messages: Vec<Message>,
        /// What the template is given besides.
        args: TemplateArgs,
    },
    /// What a model's files hold; nothing is loaded → [`Told::Inspection`].
    Inspect {
        /// A name that [`crate::hub::resolve`] knows.
        model: String,
    },
    /// A model's shape and hooks; nothing is loaded → [`Told::Family`].
    Family {
        /// The model.
        model: Option<ModelChoice>,
    },
}

/// Whose rows stand for tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Space {
    /// The rows that tokens are read as.
    #[default]
    Input,
    /// The rows of the output head, which tokens are written by: the same where it is tied.
    Output,
}

/// A vector to compare tokens with.
#[derive(Debug, Clone, PartialEq)]
pub enum Vector {
    /// The row of a token.
    Token(u32),
    /// The residual stream of the session's run.
    State {
        /// Of which position.
        at: At,
        /// At which point.
        point: Point,
    },
    /// These values, `[d_model]`.
    Values(Vec<f32>),
}

/// What a question is answered with.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// Each address with its value, or why there is none, in the order they were asked.
    Values(Vec<Seen>),
    /// Values counted.
    Histogram(Histogram),
    /// Where heads look.
    Heads(HeadReport),
    /// What the model would say, point by point.
    Lens(Vec<LensView>),
    /// A logit as a sum.
    Contributions(Contributions),
    /// One score.
    ScoreParts(ScoreParts),
    /// One head's maps.
    ScoreMaps(ScoreMaps),
    /// One head's weighted map.
    WeightedAttention(WeightedAttention),
    /// Heads in small, layer by layer.
    Patterns(Vec<Miniature>),
    /// Writes, block by block and row by row.
    Writes(Vec<BlockWrites>),
    /// Neurons at work.
    Neurons(Neurons),
    /// Norms in order of execution.
    Norms(Vec<NormEffect>),
    /// Paths of rows.
    Paths(Vec<Path>),
    /// One output.
    Cell(Cell),
    /// The cost of a pass.
    Cost(PassCost),
    /// A row of logits.
    Logits(LogitsView),
    /// The sampler at work.
    Sampling(SamplingView),
    /// Draws counted.
    Redraws(Redraws),
    /// Pairs that turn, row by row.
    Rotations(Vec<Rotation>),
    /// The KV cache.
    Ledger(Ledger),
    /// Memory.
    Memory(MemoryUse),
    /// The cost of doing without a cache.
    CacheCost(CacheCost),
    /// The checks and what they found.
    Parity(Parity),
    /// The table.
    Sweep(SweepTable),
    /// Two runs.
    Compare(Comparison),
    /// This machine's limits.
    Machine(MachineSpeed),
    /// A packed row.
    Row(PackedRow),
    /// Part of a matrix.
    Slice(MatrixSlice),
    /// Tokens by nearness.
    Neighbours(Vec<Neighbour>),
    /// Tokens on each axis, in the order they were asked.
    Axes(Vec<Vec<Placed>>),
    /// Tokens on a plane.
    Plane(TokenPlane),
    /// Tokens against tokens.
    Similarities(Similarities),
    /// A text as tokens.
    Tokens(TextTokens),
    /// Forms of a word.
    Variants(Vec<Variant>),
    /// Part of the vocabulary; `n_found` is its size, or how many fit a search.
    Vocabulary(Found),
    /// A rendered template.
    Template(TemplateView),
    /// A model's files.
    Inspection(Box<Inspection>),
    /// A model's shape.
    Family(FamilyView),
}

/// How fast this machine is, measured on all cores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MachineSpeed {
    /// Bytes that memory gives in a second; `None` where there was no room to measure.
    pub bytes_per_second: Option<f64>,
    /// Multiplications and additions of float32 in a second.
    pub flops_per_second: f64,
    /// Threads that took part.
    pub n_threads: usize,
}

/// One value that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Seen {
    /// Where.
    pub at: Address,
    /// What stands there, or why it cannot be shown.
    pub value: Result<HostTensor, String>,
}

/// The sampler with its lid off.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SamplingView {
    /// The settings that this shows.
    pub settings: SamplingParams,
    /// What became of the likeliest tokens.
    pub filtered: Filtered,
    /// The texts of [`Filtered::candidates`], in their order.
    pub texts: Vec<String>,
    /// The draw with its random number: the one that was made, or what its number gives under
    /// other settings; `None` before the draw, and where there was no number.
    pub draw: Option<Draw>,
    /// The text of the drawn token.
    pub drawn: Option<NamedToken>,
}

/// Part of a weight matrix.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MatrixSlice {
    /// The layer, as the checkpoint calls it.
    pub path: String,
    /// Its whole shape, `[out, in]`.
    pub shape: [usize; 2],
    /// How its numbers are held.
    pub format: String,
    /// First row of the slice.
    pub first_row: usize,
    /// First column of the slice.
    pub first_column: usize,
    /// The values as they are multiplied, `[row, column]`.
    pub values: HostTensor,
}

/// Tokens on a plane.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TokenPlane {
    /// The tokens, in the order of the points.
    pub tokens: Vec<NamedToken>,
    /// Where they stand.
    pub plane: Plane,
}

/// Tokens against tokens.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Similarities {
    /// The tokens.
    pub tokens: Vec<NamedToken>,
    /// Cosine of each with each, row by row.
    pub cosines: Vec<Vec<f64>>,
}

/// A text as tokens.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TextTokens {
    /// The tokens in order.
    pub pieces: Vec<TextPiece>,
    /// How each word became tokens; empty where the vocabulary has no merges.
    pub words: Vec<Word>,
    /// Why there are no merges to show.
    pub no_merges: Option<String>,
}

/// One token of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TextPiece {
    /// Row in the vocabulary.
    pub id: u32,
    /// As the vocabulary writes it.
    pub written: String,
    /// Its text, with `<0xE4>` for each byte that is no whole character.
    pub text: String,
    /// The bytes it stands for.
    pub bytes: Vec<u8>,
    /// The bytes of the text that it covers; empty for a token that was added around it.
    pub covers: Range<usize>,
    /// Whether it is a special token.
    pub is_special: bool,
}

/// Messages as a model reads them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TemplateView {
    /// The prompt and its parts.
    pub rendered: Rendered,
    /// Its tokens.
    pub pieces: Vec<TextPiece>,
    /// Whether the template is the model's own, or the plain form that stands in for it.
    pub is_own: bool,
    /// The special tokens of the model.
    pub special_tokens: Vec<SpecialToken>,
}
