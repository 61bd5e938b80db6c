//! The window: the frame around the pictures, and the pictures of every stage.
//!
//! Pictures draw from `&data` and ask for changes with a [`command::Command`]; nothing here waits
//! for the model, and nothing names MLX. What the engine knows comes through [`link::Link`]. Three
//! kinds of state are kept apart: what the run computed (immutable, shared), what is saved between
//! runs of the program ([`crate::settings`]), and what is looked at ([`state::ViewState`]).

pub mod answers;
pub mod chat;
pub mod colormap;
pub mod command;
pub mod controls;
pub mod facts;
pub mod fonts;
pub mod frame;
pub mod icons;
pub mod keys;
pub mod lessons;
pub mod link;
pub mod messages;
pub mod models;
pub mod pages;
pub mod palette;
pub mod picture;
pub mod pictures;
pub mod present;
pub mod rail;
pub mod roles;
pub mod share;
pub mod sheets;
pub mod spot;
pub mod state;
pub mod still;
pub mod stops;
pub mod strip;
pub mod svg;
pub mod theme;
pub mod tokens;
pub mod top_bar;
pub mod transport;
pub mod view_line;
pub mod walk;
pub mod weigh;
pub mod widgets;
pub mod words;
