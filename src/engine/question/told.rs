//! What questions are answered with.

use std::ops::Range;

use serde::Serialize;

use super::{
    Draw, Filtered, Found, Inspection, Rendered, SamplingParams, SpecialToken, Variant, Word,
};
use crate::trace::measure::NamedToken;
use crate::trace::measure::attention::ScoreParts;
use crate::trace::measure::cell::Cell;
use crate::trace::measure::compare::Comparison;
use crate::trace::measure::contribution::Contributions;
use crate::trace::measure::costs::PassCost;
use crate::trace::measure::family::FamilyView;
use crate::trace::measure::heads::HeadReport;
use crate::trace::measure::histogram::Histogram;
use crate::trace::measure::ledger::{CacheCost, Ledger, MemoryUse};
use crate::trace::measure::lens::LensView;
use crate::trace::measure::logits::{LogitsView, Redraws};
use crate::trace::measure::maps::{Miniature, ScoreMaps};
use crate::trace::measure::neurons::{Neurons, NormEffect};
use crate::trace::measure::parity::Parity;
use crate::trace::measure::pca::Plane;
use crate::trace::measure::quantized::PackedRow;
use crate::trace::measure::rope::Rotation;
use crate::trace::measure::space::{Neighbour, Placed};
use crate::trace::measure::state::Path;
use crate::trace::measure::sweep::SweepTable;
use crate::trace::measure::writes::{BlockWrites, WeightedAttention};
use crate::trace::{Address, HostTensor};

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
    /// How many there are.
    Count(usize),
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

impl SamplingView {
    /// What `settings` made of a pass' logits; `name` gives a token's text.
    #[must_use]
    pub fn of(
        settings: SamplingParams,
        filtered: Filtered,
        draw: Option<Draw>,
        name: impl Fn(u32) -> NamedToken,
    ) -> Self {
        let candidates = filtered.candidates.iter();
        Self {
            texts: candidates.map(|one| name(one.token).text).collect(),
            drawn: draw.as_ref().map(|draw| name(draw.token)),
            settings,
            filtered,
            draw,
        }
    }
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
