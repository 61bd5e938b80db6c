//! The headless commands, one file each. Each prints for people, and JSON with `--json`.

mod answer;
mod asking;
mod bench;
mod chat;
mod compare;
mod edits;
mod export;
mod generate;
mod handout;
mod heads;
mod inspect;
mod interrupt;
mod lessons;
mod models;
mod open;
mod options;
mod places;
mod step;
mod sweep;
mod table;
mod trace;
mod trial;
mod window;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// A language model in a glass case: run a real 4-bit model, and see how it answers.
#[derive(Debug, Parser)]
#[command(
    name = "vitrine",
    version,
    about,
    max_term_width = 100,
    args_conflicts_with_subcommands = true
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    window: window::Args,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer a prompt, and print the answer as it is written.
    Generate(Box<generate::Args>),
    /// Talk to a model in the terminal.
    Chat(Box<chat::Args>),
    /// Show what a model is made of: tensors, shapes, bits, bytes, parameters.
    Inspect(inspect::Args),
    /// List, get and remove models.
    Models(models::Args),
    /// Measure how fast a model runs here, and how fast this machine could run it.
    Bench(bench::Args),
    /// Step through a pass in the terminal, one key per stage.
    #[command(after_help = edits::FORMS)]
    Step(Box<step::Args>),
    /// Keep what every stage computed in a file that opens without the model.
    #[command(after_help = edits::FORMS)]
    Trace(Box<trace::Args>),
    /// Try one change at every head, or every block and position, and see what it does.
    Sweep(Box<sweep::Args>),
    /// Put two prompts, two models or two traces side by side: where do they part?
    Compare(Box<compare::Args>),
    /// Put the same questions to several models, one at a time: answers, speed, memory as a table.
    Trial(Box<trial::Args>),
    /// Find the heads that look at the previous token, at repetitions, at the first token.
    Heads(Box<heads::Args>),
    /// Open a view that came as a line of text, or a recorded run, in the window.
    Open(Box<open::Args>),
    /// A run as a page, values as tables, for other programs.
    Export(Box<export::Args>),
    /// List, read and check lessons.
    Lessons(lessons::Args),
}

/// How a command ended, if not with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// As it should.
    Well,
    /// Ctrl-C stopped it.
    Interrupted,
    /// Something failed and was told, and the rest was done all the same.
    WithFailures,
}

/// Reads the arguments and runs the command. An error is one sentence on stderr and exit code 1.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match execute(cli) {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        // What shells report for a program that SIGINT ended: 128 + 2.
        Ok(Ended::Interrupted) => ExitCode::from(130),
        Ok(Ended::WithFailures) => ExitCode::FAILURE,
        Err(error) if error.is::<asking::Interrupted>() => ExitCode::from(130),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vitrine: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn execute(cli: Cli) -> Result<Ended> {
    match cli.command {
        Some(Command::Generate(args)) => generate::run(*args),
        Some(Command::Chat(args)) => chat::run(&args),
        Some(Command::Inspect(args)) => inspect::run(&args),
        Some(Command::Models(args)) => models::run(&args),
        Some(Command::Bench(args)) => bench::run(&args),
        Some(Command::Step(args)) => step::run(&args),
        Some(Command::Trace(args)) => trace::run(*args),
        Some(Command::Sweep(args)) => sweep::run(&args),
        Some(Command::Compare(args)) => compare::run(&args),
        Some(Command::Trial(args)) => trial::run(&args),
        Some(Command::Heads(args)) => heads::run(&args),
        Some(Command::Export(args)) => export::run(&args),
        Some(Command::Open(args)) => open::run(*args),
        Some(Command::Lessons(args)) => lessons::run(&args),
        None => window::run(cli.window),
    }
}

/// Whoever read our output has seen enough (`vitrine … | head`).
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_flags_of_all_commands_are_sound() {
        Cli::command().debug_assert();
    }
}
