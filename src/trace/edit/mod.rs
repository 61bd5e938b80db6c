//! Edits: changes to a run, as plain data that can be listed, named and switched on and off.
//!
//! The text form is `HOOK[selection]=change`: `blocks.2.attn.hook_z[:, 3]=zero` switches head 3 of
//! block 2 off at every position, `blocks.4.hook_resid_pre[5]=patch(b)` copies position 5 from run
//! `b`, `logit(42)=ban` rules token 42 out, `pass.1.logit(42)=add(2)` makes it likelier at the second
//! token generated, `pass.1.sample=force(17)` makes token 17 the second one.

mod apply;
mod text;

use serde::{Deserialize, Serialize};

use super::Hook;

pub use apply::{Place, Source};

/// A named change that can be switched off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    /// What people call it; by default its text form.
    pub name: String,
    /// Whether it acts.
    pub is_on: bool,
    /// What it does.
    #[serde(with = "as_text")]
    pub action: Action,
}

/// What an edit does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Changes values at a hook.
    Value(ValueEdit),
    /// Changes the logit of one token: `logit(17)=ban`.
    Logit {
        /// In this pass only; `None`: in every one.
        pass: Option<usize>,
        /// The token's id.
        token: u32,
        /// How.
        change: LogitChange,
    },
    /// Makes `token` the one that pass `pass` draws.
    Force {
        /// 0 is the prefill, then one per generated token.
        pass: usize,
        /// The token's id.
        token: u32,
    },
}

/// A change of values at a hook.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueEdit {
    /// Where.
    pub hook: Hook,
    /// Which part along each of the hook's axes; axes left out are taken whole. Positions count
    /// from the beginning of the text.
    pub select: Vec<Select>,
    /// How.
    pub change: Change,
}

/// How the logit of a token changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LogitChange {
    /// To minus infinity: the token is never drawn.
    Ban,
    /// Plus a number: `add(2)` makes the token e² times as likely, against any other.
    Add(f32),
    /// To this value.
    Set(f32),
}

/// Part of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Select {
    /// All of it: `:`.
    All,
    /// One place: `3`.
    One(usize),
    /// From the first place up to, not including, the second: `3..7`.
    Range(usize, usize),
}

/// How values change.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// To 0 (zero ablation): `zero`.
    Zero,
    /// To their mean over the prompt's positions (mean ablation): `mean`.
    Mean,
    /// Times a factor: `scale(0.5)`.
    Scale(f32),
    /// Plus a number, or a vector along the last axis: `add(2)`, `add(0.1, 0, -3)`.
    Add(Vec<f32>),
    /// To one value: `set(1.5)`.
    Set(f32),
    /// An attention edge that is not seen, a token that is not drawn: `block`. Scores and logits
    /// become minus infinity; in the pattern, behind the softmax, a share becomes 0.
    Block,
    /// Copied from the same place of another run: `patch(b)`. Positions that the other run does not
    /// have stay as they are.
    PatchRun(String),
    /// Copied from another position of this run: `patch_pos(3)`.
    PatchPosition(usize),
}

/// Why an edit cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The text names no edit.
    #[error("'{text}' is no edit: {why}")]
    Text {
        /// The text.
        text: String,
        /// Which part of it cannot be read, and what to write there.
        why: String,
    },
    /// The selection has more axes than the hook.
    #[error("{hook} has {n_axes} axes, [{axes}], and cannot be selected along {found}")]
    Axes {
        /// The hook.
        hook: String,
        /// How many axes it has.
        n_axes: usize,
        /// Their names.
        axes: String,
        /// How many were given.
        found: usize,
    },
    /// A vector does not fit.
    #[error("the vector to add has {found} values, where the hook has {expected}")]
    Length {
        /// Values along the last axis.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// There is nothing to copy from.
    #[error(
        "there is no value to copy from at this place; take the edit back (undo), switch it off or \
         remove it"
    )]
    NoSource,
    /// What is to be copied has another shape.
    #[error(
        "the value to copy has another shape: do both prompts have as many tokens? Take the edit back \
         (undo), switch it off or remove it"
    )]
    OtherShape,
}

impl Edit {
    /// An edit that is on, named after its text form.
    #[must_use]
    pub fn new(action: Action) -> Self {
        Self {
            name: action.to_string(),
            is_on: true,
            action,
        }
    }
}

/// Actions are kept as their text form.
mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::Action;

    pub fn serialize<S: Serializer>(action: &Action, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(action)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Action, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}
