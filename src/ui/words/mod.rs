//! The texts of the window, in one place, so that they can be translated later.
//!
//! [`glossary`] explains the terms of the field; [`stages`] holds what each picture says about itself.
//! Two marks are used inside a text, and nothing else:
//!
//! | mark | means |
//! |---|---|
//! | `[softmax]`, `[shares\|attention share]` | a term: shown dotted, its entry on hover; after the bar, the entry's name |
//! | `**gave**` | a word of the prompt, or the one word that matters: shown semi-bold |
//! | `{token}` | a live value, put in by [`fill`] |

pub mod flags;
pub mod glossary;
mod marks;
pub mod stages;

pub use marks::{Run, fill, runs};
