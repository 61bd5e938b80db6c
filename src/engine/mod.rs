//! The worker thread, sole owner of models, tokenizers and sessions.

pub mod context;
pub mod pass;
