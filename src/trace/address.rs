//! Addresses: one text form for everything one can look at or stop at.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::{Hook, Stage};

/// A place in a run: `pass.4.blocks.2.attn.hook_pattern[3, 12, 10]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// Which run, where there are several (a branch, or the other side of a comparison).
    pub run: Option<String>,
    /// Which pass: 0 is the prefill, then one per generated token. `None`: the first, or all.
    pub pass: Option<usize>,
    /// What of it.
    pub place: Place,
    /// Where in the value, along its first axes: head, position, … as the hook's shape has them.
    pub index: Vec<usize>,
}

/// What an address names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// A value inside a pass.
    Hook(Hook),
    /// A stage of a pass, as a whole.
    Stage(Stage),
    /// A place that is no value of a pass.
    View(View),
}

/// Places that are no hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    /// The messages and the rendered template.
    Text,
    /// The prompt as tokens.
    Tokens,
    /// The draw of the next token.
    Sample,
    /// Ids to bytes to text.
    Screen,
    /// The KV cache.
    KvCache,
    /// All passes in order.
    Timeline,
    /// The residual stream through the layers.
    Residual,
    /// Inside the file.
    Weights,
    /// Edits and sweeps.
    Experiments,
    /// Two runs side by side.
    Compare,
    /// The chat.
    Chat,
    /// The lessons.
    Lessons,
    /// The models.
    Models,
}

impl View {
    /// Every view, in the order they are listed to people.
    pub const ALL: [Self; 13] = [
        Self::Text,
        Self::Tokens,
        Self::Sample,
        Self::Screen,
        Self::KvCache,
        Self::Timeline,
        Self::Residual,
        Self::Weights,
        Self::Experiments,
        Self::Compare,
        Self::Chat,
        Self::Lessons,
        Self::Models,
    ];

    /// Its name in an address.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Tokens => "tokens",
            Self::Sample => "sample",
            Self::Screen => "screen",
            Self::KvCache => "kv-cache",
            Self::Timeline => "timeline",
            Self::Residual => "residual",
            Self::Weights => "weights",
            Self::Experiments => "experiments",
            Self::Compare => "compare",
            Self::Chat => "chat",
            Self::Lessons => "lessons",
            Self::Models => "models",
        }
    }
}

impl Address {
    /// The address of `hook` in the first pass.
    #[must_use]
    pub fn of(hook: Hook) -> Self {
        Self::at(Place::Hook(hook))
    }

    /// The address of a place in the first pass.
    #[must_use]
    pub fn at(place: Place) -> Self {
        Self {
            run: None,
            pass: None,
            place,
            index: Vec::new(),
        }
    }

    /// The stage of a pass that computes this place; `None` for views.
    #[must_use]
    pub fn stage(&self) -> Option<Stage> {
        match self.place {
            Place::Hook(hook) => Some(hook.stage()),
            Place::Stage(stage) => Some(stage),
            Place::View(_) => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(run) = &self.run {
            write!(f, "run.{run}.")?;
        }
        if let Some(pass) = self.pass {
            write!(f, "pass.{pass}.")?;
        }
        match self.place {
            Place::Hook(hook) => write!(f, "{hook}")?,
            Place::Stage(stage) => write!(f, "{stage}")?,
            Place::View(view) => f.write_str(view.name())?,
        }
        if !self.index.is_empty() {
            let index: Vec<String> = self.index.iter().map(usize::to_string).collect();
            write!(f, "[{}]", index.join(", "))?;
        }
        Ok(())
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

/// A text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", no_address(.0))]
pub struct NoAddress(pub String);

/// What is wrong with `text`, or how addresses are written.
fn no_address(text: &str) -> String {
    let before = text.split_once('[').map(|(path, _)| path.trim());
    if let Some(Ok(address)) = before.map(str::parse::<Address>)
        && let Place::Hook(hook) = address.place
    {
        let names: Vec<&str> = hook.axes().iter().map(|axis| axis.name()).collect();
        return format!(
            "'{text}' is no address: after {hook} stand numbers along [{}], as in [0] or [0, 1]",
            names.join(", ")
        );
    }
    format!(
        "'{text}' is no address; write a hook (blocks.2.attn.hook_pattern), a stage (blocks.2) or a \
         view (tokens), with pass.N. before it and numbers along the hook's own axes after it: \
         attn.hook_pattern[head, query_pos, key_pos], attn.hook_z[pos, head]"
    )
}

impl FromStr for Address {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let no_address = || NoAddress(text.to_owned());
        let (path, index) = match text.trim().split_once('[') {
            None => (text.trim(), Vec::new()),
            Some((path, rest)) => {
                let inside = rest.strip_suffix(']').ok_or_else(no_address)?;
                let index = inside.split(',').map(|at| at.trim().parse());
                let index = index.collect::<Result<_, _>>().map_err(|_| no_address())?;
                (path.trim(), index)
            }
        };
        let (run, path) =
            prefixed(path, "run.").map_or((None, path), |(run, rest)| (Some(run.to_owned()), rest));
        let (pass, path) = match prefixed(path, "pass.") {
            Some((pass, rest)) => (Some(pass.parse().map_err(|_| no_address())?), rest),
            None => (None, path),
        };
        let place = place(path).ok_or_else(no_address)?;
        Ok(Self {
            run,
            pass,
            place,
            index,
        })
    }
}

/// Splits `run.NAME.rest` into `NAME` and `rest`.
fn prefixed<'a>(path: &'a str, prefix: &str) -> Option<(&'a str, &'a str)> {
    path.strip_prefix(prefix)?.split_once('.')
}

fn place(path: &str) -> Option<Place> {
    if let Some(view) = View::ALL.into_iter().find(|view| view.name() == path) {
        return Some(Place::View(view));
    }
    let stage = path.parse().ok().map(Place::Stage);
    stage.or_else(|| path.parse().ok().map(Place::Hook))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_back_from_its_text() {
        for text in [
            "blocks.2.attn.hook_pattern",
            "blocks.2.attn.hook_pattern[3, 12, 10]",
            "pass.4.unembed.hook_out",
            "run.b.pass.4.blocks.11",
            "embed",
            "kv-cache",
            "pass.3.sample",
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_named() {
        for text in [
            "",
            "blocks.x",
            "pass.one.embed",
            "hook_embed[1",
            "hook_embed[a]",
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert_eq!(error.0, text);
        }
    }
}
