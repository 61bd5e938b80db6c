//! Plain data of a pass: where a value lives (hooks, stages) and how figures are written.
//!
//! Nothing here knows MLX or egui, so that a trace opens without a model and a picture
//! is drawn without an engine.

pub mod answer;
mod hook;
mod stage;
pub mod units;

pub use hook::{Axis, BlockHook, Hook, UnknownHook};
pub use stage::Stage;
