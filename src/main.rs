//! The program: one headless command, and in time the window.

use std::process::ExitCode;

fn main() -> ExitCode {
    vitrine::cli::run()
}
