//! Vitrine: a glass case around a language model that really runs.
//!
//! # The map of the house
//!
//! | module | holds |
//! |---|---|
//! | [`trace`] | plain data of a pass: hooks, stages, answers, units |
//! | [`tokenizer`] | text to ids and back, chat templates |
//! | [`model`] | the network: config, weights, layers, KV cache, probes |
//! | [`hub`] | where models come from |
//! | [`engine`] | the worker thread, sole owner of models and sessions |
//! | [`cli`] | the headless commands |
//!
//! # Invariants
//!
//! Arrows point down: `cli → engine → {model, tokenizer, hub} → trace`. MLX is touched on the
//! engine thread alone; what leaves it is evaluated, plain data. There is one forward pass, for
//! chat and for stepping.

pub mod cli;
pub mod engine;
pub mod hub;
pub mod model;
pub mod tokenizer;
pub mod trace;
