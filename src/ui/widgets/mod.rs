//! The widgets that pictures are made of. Each goes size → allocate → interact → paint and has an
//! accessible name; none knows the engine.

mod arcs;
mod bars;
mod chip;
mod curve;
mod flow;
pub mod heatmap;
mod prose;
mod values;

pub use arcs::{Arc, Arcs, ArcsResponse};
pub use bars::{Bar, Bars, BarsResponse};
pub use chip::{chip_ui, dot_chip_ui};
pub use curve::{Curve, Mark};
pub use flow::{FlowResponse, Span, flow_ui};
pub use prose::{entry_ui, prose_ui, term_ui};
pub use values::{Values, ValuesResponse, paint_strip};
