//! Edits as people type them in a terminal: tokens by their text too, and what is worth knowing of
//! an edit before it acts.

use std::ops::Range;
use std::str::FromStr;

use anyhow::{Result, ensure};

use crate::trace::Axis;
use crate::trace::debug::RunState;
use crate::trace::edit::{Action, Change, Edit, EditError, Select};

/// Every form of an edit, for `--help` and `?`.
pub const FORMS: &str = "\
Edits: HOOK[selection]=CHANGE. A selection goes along the hook's own axes: 3 is one place, 2..5 are
2, 3 and 4, : is all; positions count from 0, from the beginning of the text.
  zero, mean, set(x)       the values become 0, their mean over the positions, or x
  scale(x), add(x)         times x, plus x; add(x, y, …) adds a vector along the last axis
  block                    an attention edge that is not seen:
                           blocks.2.attn.hook_attn_scores[3, 5, 1]=block
  patch(NAME)              copied from the same place of another prompt, a source
  patch(branch.N)          … of another branch
  patch_pos(N)             … from position N of this text
  logit(TOKEN)=ban         the token is never drawn; also =add(x), =set(x), =+x, =-x;
                           pass.N.logit(TOKEN) at one draw only, 0 is the prompt's
  pass.N.sample=force(TOKEN)   the token that pass N draws
TOKEN is an id, a word (with the space before it, if there is such a token), or a text in quotes:
17, Paris, ' Paris'.";

/// An edit whose tokens may still be texts. Reading it checks all the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditText(String);

impl FromStr for EditText {
    type Err = EditError;

    fn from_str(text: &str) -> Result<Self, EditError> {
        let this = Self(text.trim().to_owned());
        this.with_token(|_| Ok::<_, EditError>(0))?;
        Ok(this)
    }
}

impl EditText {
    /// Whether it names a token by its text, which takes a model to look up.
    #[must_use]
    pub fn needs_tokens(&self) -> bool {
        token_text(&self.0).is_some()
    }

    /// The edit; `id_of` looks up a token's text.
    ///
    /// # Errors
    /// If a text is no token.
    pub fn read(&self, id_of: impl FnMut(&str) -> Result<u32>) -> Result<Edit> {
        let mut edit = self.with_token(id_of)?;
        // Someone who typed a token's text finds it in the list.
        edit.name.clone_from(&self.0);
        Ok(edit)
    }

    fn with_token<E: From<EditError>>(
        &self,
        mut id_of: impl FnMut(&str) -> Result<u32, E>,
    ) -> Result<Edit, E> {
        let text = match token_text(&self.0) {
            None => self.0.clone(),
            Some(at) => {
                let id = id_of(self.0.get(at.clone()).unwrap_or_default())?;
                let before = self.0.get(..at.start).unwrap_or_default();
                let after = self.0.get(at.end..).unwrap_or_default();
                format!("{before}{id}{after}")
            }
        };
        Ok(text.parse()?)
    }
}

/// Where the text of a token stands in `logit(TEXT)=…` or `…sample=force(TEXT)`; `None` where there
/// is none, or an id.
fn token_text(edit: &str) -> Option<Range<usize>> {
    let place = match edit.strip_prefix("pass.") {
        Some(rest) => rest.split_once('.')?.1,
        None => edit,
    };
    let (inside, n_before) = if let Some(rest) = place.strip_prefix("logit(") {
        // The last bracket before an equals sign: the token itself may hold both.
        let ends = rest.match_indices('=').map(|(at, _)| rest.get(..at));
        let mut closed = ends.filter_map(|before| before?.trim_end().strip_suffix(')'));
        (closed.next_back()?, edit.len() - rest.len())
    } else {
        let change = place.strip_prefix("sample")?.trim_start();
        let change = change.strip_prefix('=')?.trim_start();
        let rest = change.strip_prefix("force(")?;
        (rest.trim_end().strip_suffix(')')?, edit.len() - rest.len())
    };
    let is_text = !inside.trim().is_empty() && inside.trim().parse::<u32>().is_err();
    is_text.then(|| n_before..n_before + inside.len())
}

/// How the token that someone typed may be written: as it stands in quotes, else with a space
/// before it, as words in a text have, or without.
#[must_use]
pub fn spellings(typed: &str) -> Vec<String> {
    let bare = typed.trim();
    let quoted = ['\'', '"'].into_iter().find_map(|quote| {
        let inside = bare.strip_prefix(quote)?.strip_suffix(quote)?;
        (!inside.is_empty()).then(|| inside.to_owned())
    });
    match quoted {
        Some(text) => vec![text],
        None => vec![format!(" {bare}"), bare.to_owned()],
    }
}

/// Refuses an edit that copies from a prompt that nobody gave; `known` are those that there are,
/// `how` says how to give one.
///
/// # Errors
/// If there is no such prompt.
pub fn check_source<'a>(
    edit: &Edit,
    mut known: impl Iterator<Item = &'a str>,
    how: impl Fn(&str) -> String,
) -> Result<()> {
    if let Some(name) = source_of(edit) {
        ensure!(
            known.any(|known| known == name),
            "there is nothing called '{name}' to copy from: {}",
            how(name)
        );
    }
    Ok(())
}

/// The prompt that an edit copies from; branches are none.
fn source_of(edit: &Edit) -> Option<&str> {
    match &edit.action {
        Action::Value(value) => match &value.change {
            Change::PatchRun(name) if !name.starts_with("branch.") => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// What is worth knowing of an edit that is allowed, where the text will have `n_positions`.
#[must_use]
pub fn notes(edit: &Edit, state: &RunState, n_positions: usize) -> Vec<String> {
    let mut notes = Vec::new();
    let source = source_of(edit);
    let source = source.and_then(|name| state.sources.iter().find(|known| known.name == name));
    if let Some(source) = source {
        let (theirs, ours) = (source.texts.len(), state.prompt_len);
        if theirs != ours {
            let rest = match theirs < ours {
                true => ", and those that it lacks stay as they are",
                false => "",
            };
            notes.push(format!(
                "'{}' has {theirs} tokens where this prompt has {ours}: each position is copied from \
                 the one of the same number{rest}",
                source.name
            ));
        }
    }
    let Action::Value(value) = &edit.action else {
        return notes;
    };
    for (select, axis) in value.select.iter().zip(value.hook.axes()) {
        let last = match select {
            Select::All => continue,
            Select::One(at) => *at,
            Select::Range(_, end) => end.saturating_sub(1),
        };
        let is_position = matches!(axis, Axis::Pos | Axis::QueryPos | Axis::KeyPos);
        if is_position && last >= n_positions {
            notes.push(format!(
                "{select} of {} reaches beyond the text, which has {n_positions} positions, counted \
                 from 0: what is not there yet changes once it is",
                axis.name()
            ));
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, Option<String>)> {
        let mut asked = None;
        let edit = text.parse::<EditText>()?.read(|token| {
            asked = Some(token.to_owned());
            Ok(17)
        })?;
        Ok((edit.action.to_string(), asked))
    }

    #[test]
    fn tokens_are_named_by_text_or_id() {
        for (typed, action, token) in [
            ("logit( Paris)=ban", "logit(17)=ban", Some(" Paris")),
            ("logit(' Paris')=+5", "logit(17)=add(5)", Some("' Paris'")),
            ("logit(')=(')=-2", "logit(17)=add(-2)", Some("')=('")),
            ("logit(3)=set(1)", "logit(3)=set(1)", None),
            (
                "pass.2.logit(Rome)=add(2)",
                "pass.2.logit(17)=add(2)",
                Some("Rome"),
            ),
            (
                "pass.0.sample=force( Rome)",
                "pass.0.sample=force(17)",
                Some(" Rome"),
            ),
            ("sample = force(4)", "pass.0.sample=force(4)", None),
            ("hook_embed[1]=zero", "hook_embed[1]=zero", None),
        ] {
            let token = token.map(str::to_owned);
            assert_eq!(read(typed).unwrap(), (action.to_owned(), token), "{typed}");
        }
        let why = read("logit( Paris)=zero").unwrap_err().to_string();
        assert!(why.contains("'zero' is no change of a logit"), "{why}");
    }

    #[test]
    fn a_word_has_a_space_before_it_unless_it_is_quoted() {
        assert_eq!(spellings("Paris"), [" Paris", "Paris"]);
        assert_eq!(spellings("'Paris'"), ["Paris"]);
        assert_eq!(spellings("'"), [" '", "'"]);
    }
}
