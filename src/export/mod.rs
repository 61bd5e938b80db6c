//! What leaves the program for other programs: values as CSV and npy, a run as a page, a lesson as
//! a handout. Plain data in, text out.

mod handout;
mod json;
mod markdown;
mod page;
mod values;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::trace::file::unfinished;

pub use handout::{Block, Handout, handout};
pub use json::{base64, escaped};
pub use page::{page, page_hooks};
pub use values::{csv, npy, write_values};

/// Writes a file, all of it or nothing.
///
/// # Errors
/// If it cannot be written; a file that was there stays.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let unfinished = unfinished(path);
    let written = fs::write(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, path));
    written.with_context(|| {
        // It may not be there at all; the sentence below says what went wrong.
        let _ = fs::remove_file(&unfinished);
        format!("cannot write {}", path.display())
    })
}
