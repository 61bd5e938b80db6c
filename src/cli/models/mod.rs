//! `vitrine models`: which models there are, getting them, and removing them.

mod list;
mod pull;
mod remove;
mod search;
mod show;

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::json;

use super::Ended;
use crate::engine::shelf::USUAL_POSITIONS;
use crate::hub::environment::HubEnvironment;
use crate::hub::names::OwnNames;
use crate::hub::{self, ModelFiles};

/// Flags of `vitrine models`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show the models that are here, and those worth a try (also without a command).
    List {
        /// Tell the memory for a context of N positions.
        #[arg(long, value_name = "N", default_value_t = USUAL_POSITIONS)]
        context: usize,
    },
    /// Download a model; goes on where an earlier download stopped.
    Pull(pull::Args),
    /// Remove a downloaded model.
    Remove(remove::Args),
    /// Tell all about a model: size, memory, licence, where it lies.
    Show(show::Args),
    /// Print the folder a model lies in.
    Where {
        /// A short name, an id, a folder, or a name of your own.
        model: String,
    },
    /// Look for models on the hub by name.
    Search(search::Args),
    /// Give a model a name of your own, or forget it.
    Name {
        /// The name.
        name: String,
        /// A short name, an id or a folder; without it, the name is forgotten.
        model: Option<String>,
    },
}

/// Runs the command.
///
/// # Errors
/// If the hub, the disk or the name stands against it; the message says what to do.
pub fn run(args: &Args) -> Result<Ended> {
    let environment = HubEnvironment::from_env();
    match &args.command {
        None => list::run(&environment, USUAL_POSITIONS, args.json),
        Some(Command::List { context }) => list::run(&environment, *context, args.json),
        Some(Command::Pull(pull)) => pull::run(pull, environment, args.json),
        Some(Command::Remove(remove)) => remove::run(remove, &environment, args.json),
        Some(Command::Search(search)) => search::run(search, &environment, args.json),
        Some(Command::Show(show)) => show::run(show, &environment, args.json),
        Some(Command::Where { model }) => place(model, args.json),
        Some(Command::Name { name, model }) => name_it(name, model.as_deref(), args.json),
    }
}

fn place(model: &str, as_json: bool) -> Result<Ended> {
    let files = ModelFiles::find(model)?;
    let folder = files.folder();
    if as_json {
        return print(&json!({ "model": files.label(), "folder": folder }));
    }
    match folder {
        Some(folder) => writeln!(io::stdout(), "{}", folder.display())?,
        None => writeln!(io::stdout(), "{} is inside the program", files.label())?,
    }
    Ok(Ended::Well)
}

fn name_it(name: &str, model: Option<&str>, as_json: bool) -> Result<Ended> {
    let path = OwnNames::path().context("there is no folder for settings: set VITRINE_HOME")?;
    let mut names = OwnNames::load(&path)?;
    // A folder is kept as it can be found from anywhere.
    let target = model.map(|model| match PathBuf::from(model).canonicalize() {
        Ok(folder) if folder.is_dir() && hub::names::short(model).is_none() => {
            folder.display().to_string()
        }
        _ => model.to_owned(),
    });
    names.set(name, target.as_deref())?;
    names.save(&path)?;
    if as_json {
        return print(&json!({ "name": name, "model": target }));
    }
    match target {
        Some(target) => writeln!(io::stdout(), "{name} is {target} from now on")?,
        None => writeln!(io::stdout(), "{name} is forgotten")?,
    }
    Ok(Ended::Well)
}

/// Prints one line of JSON.
fn print(value: &impl Serialize) -> Result<Ended> {
    writeln!(io::stdout(), "{}", serde_json::to_string(value)?)?;
    Ok(Ended::Well)
}
