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
//! | [`chat`] | conversations as they are kept |
//! | [`engine`] | the worker thread, sole owner of models and sessions |
//! | [`export`] | what leaves the program: values, pages, handouts |
//! | [`lesson`] | lessons as data: read, what to ask the model, who answered right |
//! | [`recorded`] | a recorded run behind the engine's messages, without a model |
//! | [`tutor`] | asks the engine what a lesson needs, and checks lessons |
//! | [`ui`] | pictures, and the frame around them |
//! | [`settings`] | what is saved between runs of the program |
//! | [`app`] | the window: take events, draw, collect commands, apply |
//! | [`cli`] | the headless commands |
//!
//! # Invariants
//!
//! Arrows point down: `app → ui → lesson → trace`, `app, cli → tutor → {lesson, engine}`,
//! `app, cli → engine → {model, tokenizer, hub} → trace`; `ui` meets the engine in its messages only. MLX is touched on the
//! engine thread alone; what leaves it is evaluated, plain data. There is one forward pass, for
//! chat and for stepping.

#![warn(missing_docs, reason = "the code is read by people who learn from it")]
#![warn(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure is shown with what to do about it, and loses nothing"
)]

pub mod app;
pub mod chat;
pub mod cli;
pub mod engine;
pub mod export;
pub mod hub;
pub mod lesson;
pub mod model;
pub mod recorded;
pub mod settings;
pub mod tokenizer;
pub mod trace;
pub mod tutor;
pub mod ui;
