//! Conversations as files for others: where an export goes, and what an import is.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::chat::{ChatStore, from_json, to_json, to_markdown};
use crate::trace::file::regular;
use crate::ui::chat::ExportForm;

/// Larger files are no conversation.
const MOST_BYTES: u64 = 512 << 20;

/// Writes the conversation `id` to `path`, all of it or nothing. A name that is taken gets a number.
///
/// # Errors
/// If the conversation cannot be read, or the file cannot be written.
pub fn export(store: &ChatStore, id: &str, form: ExportForm, path: PathBuf) -> Result<PathBuf> {
    let conversation = store.read(id)?;
    let text = match form {
        ExportForm::Markdown => to_markdown(&conversation),
        ExportForm::Json => to_json(&conversation.title(), &store.lines(id)?)?,
    };
    let path = free(path);
    let cannot = || format!("cannot write {}", path.display());
    let unfinished = path.with_extension("unfinished");
    let written = fs::write(&unfinished, text).and_then(|()| fs::rename(&unfinished, &path));
    if written.is_err() {
        // Half a file is of no use to anyone.
        let _ = fs::remove_file(&unfinished);
    }
    written.with_context(cannot)?;
    Ok(path)
}

/// Brings in the conversation in the file `path`; returns what it is opened by.
///
/// # Errors
/// If the file cannot be read, or is no conversation.
pub fn import(store: &ChatStore, path: &Path) -> Result<String> {
    let cannot = || format!("cannot read {}", path.display());
    regular(path).with_context(cannot)?;
    let n_bytes = fs::metadata(path).with_context(cannot)?.len();
    ensure!(
        n_bytes <= MOST_BYTES,
        "{} is too large for a conversation",
        path.display()
    );
    let text = fs::read_to_string(path).with_context(cannot)?;
    store.add(&from_json(&text)?)
}

/// `path`, with a number where there is such a file already.
fn free(path: PathBuf) -> PathBuf {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = name.into_owned();
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    let ending = ending.into_owned();
    let mut free = path.clone();
    let mut number = 2;
    while free.exists() {
        free = path.with_file_name(format!("{name} {number}.{ending}"));
        number += 1;
    }
    free
}
