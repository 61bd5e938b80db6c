//! `vitrine open`: a view that came as a line of text, or a recorded run, in the window.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::{Ended, window};
use crate::ui::view_line::ViewLine;

/// Flags of `vitrine open`.
// The window's flags, which are part of these, have the name of the group already.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// A view as a line (`model=classroom raw="I love" at=tokens`), an address, or a trace file.
    #[arg(required = true, value_name = "LINE|FILE")]
    what: Vec<String>,
    #[command(flatten)]
    window: window::Args,
}

/// Runs the command.
///
/// # Errors
/// If it is neither a file nor a view, or there is no display.
pub fn run(args: Args) -> Result<Ended> {
    let what = args.what.join(" ");
    let file = PathBuf::from(&what);
    let is_file = file.is_file()
        || file
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("safetensors"));
    if is_file {
        // One sentence in the terminal, before a window opens on nothing.
        crate::recorded::peek(&file)?;
        return window::run(args.window.with_file(file));
    }
    let line: ViewLine = what.parse().context("cannot open this")?;
    window::run(args.window.with_view(line))
}
