//! The widgets that pictures are made of. Each goes size → allocate → interact → paint and has an
//! accessible name; none knows the engine.

pub mod heatmap;
