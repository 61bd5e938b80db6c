//! Spots: what the window can show, as text that flags, links and lessons share.

use std::fmt;
use std::str::FromStr;

use crate::trace::{Address, BlockHook, Hook, NoAddress, Place, Stage, View};

/// Before the name of a lesson, and its step from 1: `lesson:rope:2`.
const LESSON: &str = "lesson:";

/// An address, and which tab of its picture: `sample#filters`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// What is shown.
    pub address: Address,
    /// The tab by its name in lower case; the one that was open last if `None`.
    pub tab: Option<String>,
}

impl Spot {
    /// The spot of a place in pass `pass`.
    #[must_use]
    pub fn at(place: Place, pass: Option<usize>) -> Self {
        let mut address = Address::at(place);
        address.pass = pass.filter(|pass| *pass > 0);
        Self { address, tab: None }
    }

    /// The pass it belongs to; 0 is the prefill.
    #[must_use]
    pub fn pass(&self) -> usize {
        self.address.pass.unwrap_or(0)
    }

    /// The block it lies in.
    #[must_use]
    pub fn layer(&self) -> Option<usize> {
        match self.address.place {
            Place::Hook(Hook::Block(layer, _)) | Place::Stage(Stage::Block(layer)) => Some(layer),
            _ => None,
        }
    }
}

impl From<Address> for Spot {
    fn from(address: Address) -> Self {
        Self { address, tab: None }
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Place::View(View::Lessons), Some(name)) = (self.address.place, &self.tab) {
            return write!(f, "{LESSON}{name}");
        }
        write!(f, "{}", self.address)?;
        match &self.tab {
            Some(tab) => write!(f, "#{tab}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Spot {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        if let Some(name) = text.trim().strip_prefix(LESSON) {
            let lessons = Self::at(Place::View(View::Lessons), None);
            return Ok(Self {
                tab: Some(name.trim().to_owned()),
                ..lessons
            });
        }
        let (address, tab) = match text.split_once('#') {
            Some((address, tab)) => (address, Some(tab.trim().to_lowercase())),
            None => (text, None),
        };
        Ok(Self {
            address: address.parse().map_err(|_| NoAddress(text.to_owned()))?,
            tab,
        })
    }
}

/// The pictures: what is drawn for a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PictureKind {
    /// Messages and the rendered template.
    Text,
    /// Chips, merges, bytes, vocabulary.
    Tokens,
    /// Embedding rows.
    Embedding,
    /// A block and the residual stream that flows past it.
    Block,
    /// A norm, before and after.
    Norm,
    /// Queries, keys and values.
    Qkv,
    /// Rotary position embedding.
    Rope,
    /// Scores and shares of attention.
    Attention,
    /// Values, weighted, summed and projected.
    Mixing,
    /// Gate, up, down.
    Mlp,
    /// Logits and softmax.
    Logits,
    /// Filters and the draw.
    Sample,
    /// From the id to the text on the screen.
    Screen,
    /// The residual stream through the layers.
    Residual,
    /// The KV cache.
    KvCache,
    /// All passes in order.
    Timeline,
    /// Inside the file.
    Weights,
    /// Edits and sweeps.
    Experiments,
    /// Two runs side by side.
    Compare,
}

impl PictureKind {
    /// Every picture, in the order of the rail.
    pub const ALL: [Self; 19] = [
        Self::Text,
        Self::Tokens,
        Self::Embedding,
        Self::Block,
        Self::Norm,
        Self::Qkv,
        Self::Rope,
        Self::Attention,
        Self::Mixing,
        Self::Mlp,
        Self::Logits,
        Self::Sample,
        Self::Screen,
        Self::Residual,
        Self::KvCache,
        Self::Timeline,
        Self::Weights,
        Self::Experiments,
        Self::Compare,
    ];

    /// The picture of a place; `None` for places that are a mode of their own.
    #[must_use]
    pub fn of(place: Place) -> Option<Self> {
        Some(match place {
            Place::Hook(hook) => Self::of_hook(hook),
            Place::Stage(Stage::Embed) => Self::Embedding,
            Place::Stage(Stage::Block(_)) => Self::Block,
            Place::Stage(Stage::FinalNorm) => Self::Norm,
            Place::Stage(Stage::Logits) => Self::Logits,
            Place::View(view) => match view {
                View::Text => Self::Text,
                View::Tokens => Self::Tokens,
                View::Sample => Self::Sample,
                View::Screen => Self::Screen,
                View::KvCache => Self::KvCache,
                View::Timeline => Self::Timeline,
                View::Residual => Self::Residual,
                View::Weights => Self::Weights,
                View::Experiments => Self::Experiments,
                View::Compare => Self::Compare,
                View::Chat | View::Lessons | View::Models => return None,
            },
        })
    }

    fn of_hook(hook: Hook) -> Self {
        match hook {
            Hook::Embed | Hook::PosEmbed => Self::Embedding,
            Hook::FinalNorm => Self::Norm,
            Hook::Logits => Self::Logits,
            Hook::Block(_, hook) => match hook {
                BlockHook::ResidPre | BlockHook::ResidMid | BlockHook::ResidPost => Self::Block,
                BlockHook::Ln1 | BlockHook::Ln2 => Self::Norm,
                BlockHook::Q | BlockHook::K | BlockHook::V => Self::Qkv,
                BlockHook::QNorm | BlockHook::KNorm => Self::Qkv,
                BlockHook::RotQ | BlockHook::RotK => Self::Rope,
                BlockHook::Scores | BlockHook::Pattern => Self::Attention,
                BlockHook::Z | BlockHook::ResultNorm | BlockHook::AttnOut => Self::Mixing,
                BlockHook::Pre | BlockHook::PreLinear | BlockHook::Post | BlockHook::MlpOut => {
                    Self::Mlp
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spot_is_read_back_from_its_text() {
        for text in [
            "tokens#merges",
            "pass.2.sample#filters",
            "blocks.2.attn.hook_pattern[3, 10, 9]",
            "lesson:rope:2",
            "lesson:tour",
            "lessons",
        ] {
            assert_eq!(text.parse::<Spot>().unwrap().to_string(), text);
        }
        assert!("moon#merges".parse::<Spot>().is_err());
    }

    #[test]
    fn every_hook_and_view_of_the_explorer_has_a_picture() {
        let hooks = BlockHook::ALL.map(|hook| Hook::Block(0, hook));
        for hook in hooks
            .into_iter()
            .chain([Hook::Embed, Hook::PosEmbed, Hook::FinalNorm])
        {
            assert!(PictureKind::of(Place::Hook(hook)).is_some());
        }
        let without: Vec<View> = View::ALL
            .into_iter()
            .filter(|view| PictureKind::of(Place::View(*view)).is_none())
            .collect();
        assert_eq!(without, [View::Chat, View::Lessons, View::Models]);
    }
}
