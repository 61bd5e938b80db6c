//! Edits: changes to a run, as plain data that can be listed, named and switched on and off.
//!
//! The text form is `HOOK[selection]=change`: `blocks.2.attn.hook_z[:, 3]=zero` switches head 3 of
//! block 2 off at every position, `blocks.4.hook_resid_pre[5]=patch(b)` copies position 5 from run
//! `b`, `unembed.hook_out[:, 42]=block` bans token 42, `pass.1.sample=force(17)` makes token 17 the
//! second one generated.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Axis, Hook};

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
    /// To minus infinity: an attention edge that is not seen, a token that is not drawn: `block`.
    Block,
    /// Copied from the same place of another run: `patch(b)`.
    PatchRun(String),
    /// Copied from another position of this run: `patch_pos(3)`.
    PatchPosition(usize),
}

impl Select {
    fn contains(self, at: usize) -> bool {
        match self {
            Self::All => true,
            Self::One(place) => place == at,
            Self::Range(start, end) => (start..end).contains(&at),
        }
    }
}

/// What an edit needs to know besides the values: where the pass stands, and what to copy from.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Position of the pass' first row.
    pub start: usize,
    /// Shape of the values.
    pub shape: &'a [usize],
    /// For [`Change::Mean`]: one value per place, positions left out. For a patch: values of the
    /// same shape.
    pub source: Option<&'a [f32]>,
}

impl ValueEdit {
    /// Changes `values`, which have `place.shape`. Returns how many of them the selection covers.
    ///
    /// # Errors
    /// If the change needs a source that is missing or of another shape, or a vector of another
    /// length.
    pub fn apply(&self, values: &mut [f32], place: Place<'_>) -> Result<usize, EditError> {
        let width = place.shape.last().copied().unwrap_or(1);
        if let Change::Add(vector) = &self.change
            && vector.len() != 1
            && vector.len() != width
        {
            return Err(EditError::Length {
                expected: width,
                found: vector.len(),
            });
        }
        let mut n_changed = 0;
        let mut index = vec![0; place.shape.len()];
        for (flat, value) in values.iter_mut().enumerate() {
            unravel(flat, place.shape, &mut index);
            if self.covers(&index, place.start) {
                *value = self.changed(*value, flat, &index, place)?;
                n_changed += 1;
            }
        }
        Ok(n_changed)
    }

    fn covers(&self, index: &[usize], start: usize) -> bool {
        let axes = self.hook.axes();
        let mut places = self.select.iter().zip(index).zip(axes);
        places.all(|((select, at), axis)| match axis {
            Axis::Pos | Axis::QueryPos => select.contains(at + start),
            _ => select.contains(*at),
        })
    }

    fn changed(
        &self,
        value: f32,
        flat: usize,
        index: &[usize],
        place: Place<'_>,
    ) -> Result<f32, EditError> {
        let from = |at: usize| {
            let source = place.source.ok_or(EditError::NoSource)?;
            source.get(at).copied().ok_or(EditError::OtherShape)
        };
        Ok(match &self.change {
            Change::Zero => 0.0,
            Change::Scale(factor) => value * factor,
            Change::Set(to) => *to,
            Change::Block => f32::NEG_INFINITY,
            Change::Add(vector) => {
                let last = index.last().copied().unwrap_or(0);
                let term = vector.get(last).or(vector.first());
                value + term.copied().unwrap_or(0.0)
            }
            Change::Mean => from(self.without_position(index, place.shape))?,
            Change::PatchRun(_) => from(flat)?,
            Change::PatchPosition(_) => from(self.without_position(index, place.shape))?,
        })
    }

    /// The flat index with the position axis left out.
    fn without_position(&self, index: &[usize], shape: &[usize]) -> usize {
        let mut flat = 0;
        for ((at, dim), axis) in index.iter().zip(shape).zip(self.hook.axes()) {
            if !matches!(axis, Axis::Pos | Axis::QueryPos) {
                flat = flat * dim + at;
            }
        }
        flat
    }
}

fn unravel(mut flat: usize, shape: &[usize], index: &mut [usize]) {
    for (at, dim) in index.iter_mut().zip(shape).rev() {
        *at = flat % dim;
        flat /= dim;
    }
}

/// Why an edit cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The text names no edit.
    #[error(
        "'{0}' is no edit; write HOOK[selection]=change, e.g. blocks.2.attn.hook_z[:, 3]=zero; \
         changes are zero, mean, scale(x), add(x), set(x), block, patch(RUN), patch_pos(N), and \
         pass.N.sample=force(ID)"
    )]
    Text(String),
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
    #[error("there is no value to copy from at this place")]
    NoSource,
    /// What is to be copied has another shape.
    #[error("the value to copy has another shape: do both prompts have as many tokens?")]
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

impl FromStr for Edit {
    type Err = EditError;

    fn from_str(text: &str) -> Result<Self, EditError> {
        text.parse().map(Self::new)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Force { pass, token } => write!(f, "pass.{pass}.sample=force({token})"),
            Self::Value(edit) => {
                write!(f, "{}", edit.hook)?;
                if !edit.select.is_empty() {
                    let select: Vec<String> = edit.select.iter().map(Select::to_string).collect();
                    write!(f, "[{}]", select.join(", "))?;
                }
                write!(f, "={}", edit.change)
            }
        }
    }
}

impl fmt::Display for Select {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str(":"),
            Self::One(at) => write!(f, "{at}"),
            Self::Range(start, end) => write!(f, "{start}..{end}"),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero => f.write_str("zero"),
            Self::Mean => f.write_str("mean"),
            Self::Block => f.write_str("block"),
            Self::Scale(factor) => write!(f, "scale({factor})"),
            Self::Set(value) => write!(f, "set({value})"),
            Self::PatchRun(run) => write!(f, "patch({run})"),
            Self::PatchPosition(position) => write!(f, "patch_pos({position})"),
            Self::Add(vector) => {
                let vector: Vec<String> = vector.iter().map(f32::to_string).collect();
                write!(f, "add({})", vector.join(", "))
            }
        }
    }
}

impl FromStr for Action {
    type Err = EditError;

    fn from_str(text: &str) -> Result<Self, EditError> {
        let no_edit = || EditError::Text(text.to_owned());
        let (place, change) = text.split_once('=').ok_or_else(no_edit)?;
        let (place, change) = (place.trim(), change.trim());
        if let Some(pass) = sampled_pass(place) {
            let token = argument(change, "force").and_then(|id| id.parse().ok());
            let token = token.ok_or_else(no_edit)?;
            return Ok(Self::Force { pass, token });
        }
        let (hook, select) = match place.split_once('[') {
            None => (place, Vec::new()),
            Some((hook, rest)) => {
                let inside = rest.strip_suffix(']').ok_or_else(no_edit)?;
                let select: Option<_> = inside.split(',').map(|part| select(part.trim())).collect();
                (hook.trim(), select.ok_or_else(no_edit)?)
            }
        };
        let hook: Hook = hook.parse().map_err(|_| no_edit())?;
        let axes = hook.axes();
        if select.len() > axes.len() {
            let names: Vec<&str> = axes.iter().map(|axis| axis.name()).collect();
            return Err(EditError::Axes {
                hook: hook.to_string(),
                n_axes: axes.len(),
                axes: names.join(", "),
                found: select.len(),
            });
        }
        let change = parse_change(change).ok_or_else(no_edit)?;
        Ok(Self::Value(ValueEdit {
            hook,
            select,
            change,
        }))
    }
}

/// The pass of `sample` or `pass.N.sample`.
fn sampled_pass(place: &str) -> Option<usize> {
    if place == "sample" {
        return Some(0);
    }
    place
        .strip_prefix("pass.")?
        .strip_suffix(".sample")?
        .parse()
        .ok()
}

fn select(text: &str) -> Option<Select> {
    if text == ":" {
        return Some(Select::All);
    }
    match text.split_once("..") {
        Some((start, end)) => Some(Select::Range(start.parse().ok()?, end.parse().ok()?)),
        None => Some(Select::One(text.parse().ok()?)),
    }
}

/// What stands in the brackets of `name(…)`.
fn argument<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let inside = text.strip_prefix(name)?.trim().strip_prefix('(')?;
    Some(inside.strip_suffix(')')?.trim())
}

fn parse_change(text: &str) -> Option<Change> {
    match text {
        "zero" => return Some(Change::Zero),
        "mean" => return Some(Change::Mean),
        "block" => return Some(Change::Block),
        _ => {}
    }
    let finite = |text: &str| text.trim().parse().ok().filter(|x: &f32| x.is_finite());
    if let Some(factor) = argument(text, "scale") {
        return finite(factor).map(Change::Scale);
    }
    if let Some(value) = argument(text, "set") {
        return finite(value).map(Change::Set);
    }
    if let Some(vector) = argument(text, "add") {
        let vector: Option<Vec<f32>> = vector.split(',').map(finite).collect();
        return vector.map(Change::Add);
    }
    if let Some(position) = argument(text, "patch_pos") {
        return position.parse().ok().map(Change::PatchPosition);
    }
    let run = argument(text, "patch")?;
    (!run.is_empty()).then(|| Change::PatchRun(run.to_owned()))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn value_edit(text: &str) -> ValueEdit {
        match text.parse().unwrap() {
            Action::Value(edit) => edit,
            Action::Force { .. } => panic!("{text} forces a token"),
        }
    }

    fn applied(text: &str, shape: &[usize], start: usize, source: Option<&[f32]>) -> Vec<f32> {
        let n: usize = shape.iter().product();
        let mut values: Vec<f32> = (0..n).map(|value| value as f32 + 1.0).collect();
        let place = Place {
            start,
            shape,
            source,
        };
        value_edit(text).apply(&mut values, place).unwrap();
        values
    }

    #[test]
    fn an_edit_is_read_back_from_its_text() {
        for text in [
            "blocks.2.attn.hook_z[:, 3]=zero",
            "blocks.4.hook_mlp_out[5]=mean",
            "blocks.0.attn.hook_attn_scores[3, 12, 10]=block",
            "blocks.0.mlp.hook_post[2..5, 7]=scale(0.5)",
            "blocks.1.hook_resid_mid=add(0.5, -1, 2)",
            "blocks.1.hook_resid_pre[0]=patch(b)",
            "blocks.1.hook_resid_pre[0]=patch_pos(4)",
            "unembed.hook_out[:, 42]=set(-3)",
            "pass.3.sample=force(17)",
        ] {
            let edit: Edit = text.parse().unwrap();
            assert_eq!(edit.action.to_string(), text);
            let json = serde_json::to_string(&edit).unwrap();
            assert_eq!(serde_json::from_str::<Edit>(&json).unwrap(), edit);
        }
    }

    #[test]
    fn what_is_no_edit_is_refused() {
        for text in [
            "",
            "hook_embed",
            "hook_embed=explode",
            "hook_embed=scale(nan)",
            "x=zero",
        ] {
            assert!(
                matches!(text.parse::<Edit>(), Err(EditError::Text(_))),
                "{text}"
            );
        }
        let too_many = "hook_embed[1, 2, 3]=zero".parse::<Edit>().unwrap_err();
        assert!(too_many.to_string().contains("pos, d_model"), "{too_many}");
    }

    #[test]
    fn one_head_at_all_positions_is_zeroed() {
        let z = applied("blocks.0.attn.hook_z[:, 1]=zero", &[2, 2, 2], 0, None);
        assert_eq!(z, [1.0, 2.0, 0.0, 0.0, 5.0, 6.0, 0.0, 0.0]);
    }

    #[test]
    fn positions_count_from_the_beginning_of_the_text() {
        let row = applied("hook_embed[7]=scale(10)", &[2, 2], 6, None);
        assert_eq!(row, [1.0, 2.0, 30.0, 40.0]);
    }

    #[test]
    fn a_mean_and_a_patch_come_from_their_source() {
        let mean = applied("hook_embed[0]=mean", &[2, 2], 0, Some(&[8.0, 9.0]));
        assert_eq!(mean, [8.0, 9.0, 3.0, 4.0]);
        let patched = applied(
            "hook_embed[1]=patch(b)",
            &[2, 2],
            0,
            Some(&[5.0, 6.0, 7.0, 8.0]),
        );
        assert_eq!(patched, [1.0, 2.0, 7.0, 8.0]);
    }
}
