//! What a window needs to show a recorded run beside its tensors and measures: figures that only
//! the model and its tokenizer know.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::trace::debug::DrawKind;
use crate::trace::measure::NamedToken;
use crate::trace::measure::family::FamilyView;
use crate::trace::measure::rope::RopeFigures;

/// Figures of the model and its tokenizer that a recorded run is shown with.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Companion {
    /// How many of the tokens are the prompt.
    pub prompt_len: usize,
    /// The model's shape and hooks.
    pub family: Option<FamilyView>,
    /// The tokens that end the text.
    pub end_tokens: Vec<NamedToken>,
    /// Texts of tokens that stand high somewhere, by id.
    pub texts: BTreeMap<u32, String>,
    /// How RoPE turns, where the family has it.
    pub rope: Option<RopeFigures>,
    /// How the token after each pass was chosen; `None` where none was.
    pub draw_kinds: Vec<Option<DrawKind>>,
}

impl Companion {
    /// A token and its text; `#17` where the file does not tell it.
    #[must_use]
    pub fn named(&self, id: u32) -> NamedToken {
        NamedToken::new(id, self.texts.get(&id).cloned())
    }
}
