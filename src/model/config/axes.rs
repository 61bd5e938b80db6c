//! How long the axes of a hook's value are, as far as the model's shape alone decides it.

use super::ModelConfig;
use crate::trace::Axis;

impl ModelConfig {
    /// The length of `axis`; `None` for positions, which grow with the text.
    #[must_use]
    pub fn size_of(&self, axis: Axis) -> Option<usize> {
        match axis {
            Axis::Pos | Axis::QueryPos | Axis::KeyPos => None,
            Axis::Head => Some(self.num_attention_heads),
            Axis::KvHead => Some(self.num_key_value_heads),
            Axis::HeadDim => Some(self.head_dim),
            Axis::DModel => Some(self.hidden_size),
            Axis::DMlp => Some(self.intermediate_size),
            Axis::Vocab => Some(self.vocab_size),
        }
    }
}
