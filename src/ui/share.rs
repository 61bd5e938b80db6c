//! What can be shared: a view as a line, a picture, values, the run as a file or as a page.

use std::path::PathBuf;

use super::facts::ModelFacts;
use super::view_line::ViewLine;
use crate::trace::debug::{PassState, RunState};
use crate::trace::file::Precision;
use crate::trace::{Axis, BlockHook, Hook, Part};

/// A wish to share something, or to open what was shared.
#[derive(Debug, Clone, PartialEq)]
pub enum Share {
    /// Open a recorded run.
    OpenRun(PathBuf),
    /// Run the prompt of the recorded run with a model.
    Leave,
    /// Show a view that came as a line.
    OpenView(Box<ViewLine>),
    /// Write the run into a trace file.
    SaveRun {
        /// The file.
        path: PathBuf,
        /// Which hooks it keeps.
        hooks: Vec<Hook>,
        /// How exactly.
        precision: Precision,
    },
    /// Write the run as one HTML page.
    SavePage(PathBuf),
    /// Save the picture on view, as PNG or SVG by the file's ending.
    SavePicture(PathBuf),
    /// Save the values at an address, as CSV or npy by the file's ending.
    SaveValues {
        /// The file.
        path: PathBuf,
        /// Where they stand, and which of them.
        part: Part,
    },
}

/// Hooks that one keeps or leaves together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookGroup {
    /// The residual stream, what is added to it, and the norms.
    Stream,
    /// Queries, keys, values, and what heads make of them.
    Vectors,
    /// Scores and patterns.
    Maps,
    /// Neurons.
    Neurons,
    /// Logits.
    Logits,
}

impl HookGroup {
    /// Every group, in the order of the sheet.
    pub const ALL: [Self; 5] = [
        Self::Stream,
        Self::Vectors,
        Self::Maps,
        Self::Neurons,
        Self::Logits,
    ];

    /// Its name on screen.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stream => "Residual stream and norms",
            Self::Vectors => "Queries, keys, values",
            Self::Maps => "Attention maps",
            Self::Neurons => "MLP neurons",
            Self::Logits => "Logits",
        }
    }

    /// The group of a hook.
    #[must_use]
    pub fn of(hook: Hook) -> Self {
        let Hook::Block(_, hook) = hook else {
            return match hook {
                Hook::Logits => Self::Logits,
                _ => Self::Stream,
            };
        };
        match hook {
            BlockHook::Q | BlockHook::K | BlockHook::V | BlockHook::QNorm | BlockHook::KNorm => {
                Self::Vectors
            }
            BlockHook::RotQ | BlockHook::RotK | BlockHook::Z => Self::Vectors,
            BlockHook::Scores | BlockHook::Pattern => Self::Maps,
            BlockHook::Pre | BlockHook::PreLinear | BlockHook::Post => Self::Neurons,
            _ => Self::Stream,
        }
    }
}

/// Which groups a saved run keeps, and how exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunChoice {
    /// One flag per group, in the order of [`HookGroup::ALL`].
    pub groups: [bool; 5],
    /// Bits per value.
    pub precision: Precision,
}

impl Default for RunChoice {
    fn default() -> Self {
        Self {
            groups: [true; 5],
            precision: Precision::F32,
        }
    }
}

impl RunChoice {
    /// The hooks of `facts` that it keeps.
    #[must_use]
    pub fn hooks(&self, facts: &ModelFacts) -> Vec<Hook> {
        let is_kept = |hook: &Hook| {
            let group = HookGroup::of(*hook);
            let place = HookGroup::ALL.iter().position(|other| *other == group);
            place.and_then(|place| self.groups.get(place)) == Some(&true)
        };
        facts.hooks.iter().copied().filter(is_kept).collect()
    }

    /// Bytes of the tensors that it keeps of `passes`.
    #[must_use]
    pub fn n_bytes(&self, facts: &ModelFacts, passes: &[PassState]) -> u64 {
        let hooks = self.hooks(facts);
        let of_pass = |pass: &PassState| -> u64 {
            let has_run = |hook: &&Hook| {
                let stage = hook.stage();
                pass.executed.iter().any(|(executed, _)| *executed == stage)
            };
            let kept = hooks.iter().filter(has_run);
            kept.map(|hook| n_values(*hook, facts, pass)).sum()
        };
        passes.iter().map(of_pass).sum::<u64>() * self.precision.n_bytes()
    }

    /// About how many bytes of a file are notes on `run`: names and shapes, tokens, draws, the logit
    /// lens. They are JSON whose length only the writer knows; the figures per part are those of
    /// files of the embedded model.
    #[must_use]
    pub fn notes_bytes(&self, facts: &ModelFacts, run: &RunState) -> u64 {
        let finished = || {
            let passes = run.passes.iter();
            passes.filter(|pass| pass.executed.len() > facts.n_layers)
        };
        let n_drawn = finished().filter(|pass| pass.draw.is_some()).count();
        let n_points = 2 * facts.n_layers + 1;
        // Long texts get the lens at the last positions alone (engine::measures::summary).
        let most_rows = 4_000_000_000 / (n_points * facts.d_model * facts.vocab_size).max(1);
        let n_last = finished().count();
        let n_rows = finished().map(|pass| pass.n_pos).sum::<usize>();
        let n_rows = n_rows.min(most_rows + n_last);
        let n_heads = facts.n_layers * facts.n_heads * usize::from(n_last > 0);
        let notes = 4_000
            + 190 * facts.hooks.len()
            + 160 * run.ids.len()
            + 6_000 * n_last
            + 10_700 * n_drawn
            + 610 * n_rows * n_points
            + 270 * n_heads;
        let n_tensors = self.hooks(facts).len() * run.passes.len();
        // Quotes in the notes are written as two letters.
        (notes * 114 / 100 + 104 * n_tensors) as u64
    }
}

/// Values at `hook` in one pass. Of the final norm and the logits the last position is kept.
fn n_values(hook: Hook, facts: &ModelFacts, pass: &PassState) -> u64 {
    let is_short = matches!(hook, Hook::FinalNorm | Hook::Logits);
    let size = |axis: &Axis| match axis {
        Axis::Pos if is_short => 1,
        Axis::Pos | Axis::QueryPos => pass.n_pos,
        Axis::KeyPos => pass.start + pass.n_pos,
        Axis::Head => facts.n_heads,
        Axis::KvHead => facts.n_kv_heads,
        Axis::HeadDim => facts.head_dim,
        Axis::DModel => facts.d_model,
        Axis::DMlp => facts.d_mlp,
        Axis::Vocab => facts.vocab_size,
    };
    hook.axes().iter().map(|axis| size(axis) as u64).product()
}
