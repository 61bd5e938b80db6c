//! Plain data of a pass: where a value lives (hooks, stages, addresses), what was seen there, what
//! was changed, and how figures are written.
//!
//! Nothing here knows MLX or egui, so that a trace opens without a model and a picture is drawn
//! without an engine.

mod address;
pub mod answer;
pub mod debug;
pub mod edit;
pub mod file;
mod hook;
pub mod measure;
mod part;
pub mod sampling;
mod stage;
mod tensor;
pub mod units;

pub use address::{Address, NoAddress, Place, View};
pub use hook::{Axis, BlockHook, Hook, UnknownHook};
pub use part::{Part, PartAxis};
pub use stage::{Stage, UnknownStage};
pub use tensor::HostTensor;
#[cfg(test)]
pub(crate) use tensor::counting;
