//! The text form of edits.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use super::{Action, Change, Edit, EditError, LogitChange, Select, ValueEdit};
use crate::trace::Hook;

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
            Self::Logit {
                pass,
                token,
                change,
            } => {
                if let Some(pass) = pass {
                    write!(f, "pass.{pass}.")?;
                }
                write!(f, "logit({token})={change}")
            }
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

impl fmt::Display for LogitChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ban => f.write_str("ban"),
            Self::Add(number) => write!(f, "add({number})"),
            Self::Set(number) => write!(f, "set({number})"),
        }
    }
}

impl FromStr for Action {
    type Err = EditError;

    fn from_str(text: &str) -> Result<Self, EditError> {
        let no_edit = |why: String| EditError::Text {
            text: text.to_owned(),
            why,
        };
        let (place, change) = text.split_once('=').ok_or_else(|| {
            no_edit("write HOOK[selection]=change, e.g. blocks.2.attn.hook_z[:, 3]=zero".to_owned())
        })?;
        let (place, change) = (place.trim(), change.trim());
        if let Some(pass) = sampled_pass(place) {
            let token = argument(change, "force").and_then(|id| id.parse().ok());
            let token = token
                .ok_or_else(|| no_edit(format!("'{change}' forces no token: write force(ID)")))?;
            return Ok(Self::Force { pass, token });
        }
        if let Some((pass, token)) = logit(place) {
            let change = parse_logit_change(change).ok_or_else(|| {
                no_edit(format!("'{change}' is no change of a logit: {OF_LOGITS}"))
            })?;
            return Ok(Self::Logit {
                pass,
                token,
                change,
            });
        }
        let (hook, select) = match place.split_once('[') {
            None => (place, Vec::new()),
            Some((hook, rest)) => {
                let inside = rest
                    .strip_suffix(']')
                    .ok_or_else(|| no_edit(format!("the bracket of '[{rest}' is not closed")))?;
                let parts = inside.split(',').map(|part| {
                    let part = part.trim();
                    part.parse().map_err(|_| no_edit(no_selection(part)))
                });
                (hook.trim(), parts.collect::<Result<_, _>>()?)
            }
        };
        let hook: Hook = hook.parse().map_err(|_| no_edit(no_place(hook)))?;
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
        let change = parse_change(change)
            .ok_or_else(|| no_edit(format!("'{change}' is no change: {OF_VALUES}")))?;
        Ok(Self::Value(ValueEdit {
            hook,
            select,
            change,
        }))
    }
}

/// What can be done to values.
const OF_VALUES: &str = "write zero, mean, scale(x), add(x), set(x), block, patch(NAME), \
                         patch(branch.N) or patch_pos(N), with numbers that are finite";
/// What can be done to logits.
const OF_LOGITS: &str = "write ban, add(x), set(x), +x or -x, with a finite number";

/// Why `part` selects nothing.
fn no_selection(part: &str) -> String {
    let is_number = |text: &str| text.trim().parse::<usize>().is_ok();
    match part.split_once(':') {
        Some((start, end)) if is_number(start) && is_number(end) => format!(
            "'{part}' selects nothing: a range is written {}..{}",
            start.trim(),
            end.trim()
        ),
        _ => format!(
            "'{part}' selects nothing: write a number as 3, a range as 0..3 (3 is left out), or : for \
             all"
        ),
    }
}

/// Why `place` is no place to change.
fn no_place(place: &str) -> String {
    let after_pass = place
        .strip_prefix("pass.")
        .and_then(|rest| rest.split_once('.'));
    if let Some((_, rest)) = after_pass
        && rest.parse::<Hook>().is_ok()
    {
        return format!(
            "pass.N. stands before logit(ID) and sample only; an edit of {rest} acts in every pass, \
             and a position in brackets picks one"
        );
    }
    if place.contains("logit") {
        return format!("'{place}' names no token: write logit(ID), with the token's id");
    }
    format!(
        "'{place}' is no hook; hooks look like blocks.2.attn.hook_z, and vitrine trace --list-hooks \
         names them all"
    )
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

/// The pass and the token of `logit(ID)` or `pass.N.logit(ID)`.
fn logit(place: &str) -> Option<(Option<usize>, u32)> {
    let (pass, rest) = match place.strip_prefix("pass.") {
        Some(rest) => {
            let (pass, rest) = rest.split_once('.')?;
            (Some(pass.parse().ok()?), rest)
        }
        None => (None, place),
    };
    Some((pass, argument(rest, "logit")?.parse().ok()?))
}

fn parse_logit_change(text: &str) -> Option<LogitChange> {
    if text == "ban" {
        return Some(LogitChange::Ban);
    }
    let add =
        argument(text, "add").or_else(|| Some(text).filter(|text| text.starts_with(['+', '-'])));
    let add = add.and_then(finite).map(LogitChange::Add);
    add.or_else(|| argument(text, "set").and_then(finite).map(LogitChange::Set))
}

fn finite(text: &str) -> Option<f32> {
    text.trim().parse().ok().filter(|x: &f32| x.is_finite())
}

impl FromStr for Select {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        if text == ":" {
            return Ok(Self::All);
        }
        Ok(match text.split_once("..") {
            Some((start, end)) => Self::Range(start.parse()?, end.parse()?),
            None => Self::One(text.parse()?),
        })
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

#[cfg(test)]
mod tests {
    use super::*;

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
            "logit(17)=ban",
            "pass.2.logit(17)=add(-1.5)",
            "logit(0)=set(20)",
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
            "logit(x)=ban",
            "logit(3)=zero",
        ] {
            assert!(
                matches!(text.parse::<Edit>(), Err(EditError::Text { .. })),
                "{text}"
            );
        }
        for (text, part) in [
            ("hook_embed[0:100]=zero", "a range is written 0..100"),
            ("pass.1.hook_embed=zero", "acts in every pass"),
            ("hook_embed=explode", "'explode' is no change"),
            ("x=zero", "'x' is no hook"),
            ("hook_embed[1=zero", "is not closed"),
        ] {
            let why = text.parse::<Edit>().unwrap_err().to_string();
            assert!(why.contains(part), "{text}: {why}");
        }
        let too_many = "hook_embed[1, 2, 3]=zero".parse::<Edit>().unwrap_err();
        assert!(too_many.to_string().contains("pos, d_model"), "{too_many}");
    }
}
