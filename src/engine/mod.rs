//! The worker thread, sole owner of models, tokenizers and sessions.
//!
//! [`Engine`] is the door: requests go in, events come out, all of them plain data.

pub mod answering;
pub mod bench;
pub mod client;
pub mod context;
pub mod debugger;
mod edit_state;
pub mod generate;
pub mod inspect;
mod inspect_group;
pub mod librarian;
pub mod loaded;
pub mod measures;
pub mod memory;
pub mod message;
pub mod pass;
pub mod prompt;
pub mod prompt_cache;
pub mod question;
pub mod recording_cost;
pub mod run;
pub mod sampler;
pub mod shelf;
pub mod stops;
pub mod task;
pub mod tracing;
pub mod watch;
mod worker;

pub use worker::Engine;
