//! What a window, a lesson or a command may ask, and what it is told: plain data.
//!
//! A question goes to the engine as [`Action::Ask`](super::message::Action::Ask) and ends in
//! [`Event::Told`](super::message::Event::Told), or in a failure that says why. It changes nothing:
//! the run stands where it stood. Most are about the session's run; those with a `model` are about
//! a model, that of the run where it is `None`.

mod told;

use std::ops::Range;

use serde::Serialize;

pub use super::inspect::{Group, GroupTotal, Half, Inspection, Packing, TensorRow};
pub use super::message::{ModelChoice, SamplingChoice, SessionId};
pub use super::sampler::{Candidate, Draw, Exclusion, Filter, Filtered, SamplingParams};
pub use crate::tokenizer::bytes_of_token;
pub use crate::tokenizer::{
    Entry, Found, MergeStep, Message, Piece, Rendered, Segment, SegmentKind, SpecialToken, Symbol,
    TemplateArgs, Variant, Word, WordKind,
};
use crate::trace::Address;
use crate::trace::measure::heads::ProbeText;
use crate::trace::measure::lens::LensRequest;
pub use crate::trace::measure::quantized::{PackedRow, Reference};
use crate::trace::measure::rope::Turned;
use crate::trace::measure::sweep::SweepPlan;
use crate::trace::measure::{At, Point};

pub use told::{
    MachineSpeed, MatrixSlice, SamplingView, Seen, Similarities, TemplateView, TextPiece,
    TextTokens, TokenPlane, Told,
};

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
    /// How many tokens a text is → [`Told::Count`].
    CountTokens {
        /// The model.
        model: Option<ModelChoice>,
        /// The text.
        text: String,
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
