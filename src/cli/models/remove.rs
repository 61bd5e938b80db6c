//! `vitrine models remove`: asks, then removes.

use std::io::{self, IsTerminal, Write};

use anyhow::{Result, bail};

use super::print;
use crate::cli::Ended;
use crate::hub::environment::HubEnvironment;
use crate::hub::{id_of, shelf};
use crate::trace::units;

/// Flags of `vitrine models remove`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A short name, a Hugging Face id, or a name of your own.
    model: String,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

/// Runs the command.
///
/// # Errors
/// If the model is not there, is in use, or nobody said yes.
pub fn run(args: &Args, environment: &HubEnvironment, as_json: bool) -> Result<Ended> {
    let id = id_of(&args.model)?;
    if let Some(found) = shelf::one(&environment.cache, &id)
        && !args.yes
        && !is_agreed(&id, found.freed_bytes)?
    {
        eprintln!("nothing was removed");
        return Ok(Ended::Interrupted);
    }
    let removal = shelf::remove(&environment.cache, &id)?;
    if as_json {
        return print(&removal);
    }
    let freed = units::bytes(removal.freed_bytes);
    writeln!(io::stdout(), "{id} is removed: {freed} are free again")?;
    Ok(Ended::Well)
}

fn is_agreed(id: &str, freed: u64) -> Result<bool> {
    if !io::stdin().is_terminal() {
        bail!(
            "removing {id} would free {}: add --yes to do it",
            units::bytes(freed)
        );
    }
    eprint!("remove {id} and free {}? [y/N] ", units::bytes(freed));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
