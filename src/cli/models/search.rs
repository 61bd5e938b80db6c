//! `vitrine models search`: models on the hub, by name.

use std::io::{self, Write};

use anyhow::Result;

use super::print;
use crate::cli::Ended;
use crate::cli::table::{Column, Table};
use crate::engine::shelf;
use crate::hub::environment::HubEnvironment;
use crate::hub::message::{Fit, Found};
use crate::trace::units;

/// Flags of `vitrine models search`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Part of a name, e.g. "qwen3 4bit".
    text: String,
    /// Show at most N.
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

/// Runs the command.
///
/// # Errors
/// If the hub cannot be reached, or refuses.
pub fn run(args: &Args, environment: &HubEnvironment, as_json: bool) -> Result<Ended> {
    let found = shelf::find(environment, &args.text, args.limit.clamp(1, 100))?;
    if as_json {
        return print(&found);
    }
    let mut out = io::stdout().lock();
    if found.is_empty() {
        writeln!(
            out,
            "no model in MLX format has {:?} in its name",
            args.text
        )?;
        return Ok(Ended::Well);
    }
    let mut table = Table::new([
        Column::Left("id"),
        Column::Left("type"),
        Column::Right("weights"),
        Column::Right("downloads"),
        Column::Left(""),
    ]);
    for model in &found {
        table.row([
            model.hit.id.clone(),
            model.hit.family.clone().unwrap_or_default(),
            model.hit.weight_bytes.map(units::bytes).unwrap_or_default(),
            model.hit.downloads.map(units::count).unwrap_or_default(),
            badges(model),
        ]);
    }
    write!(out, "{table}")?;
    writeln!(out, "\nget one with `vitrine models pull ID`")?;
    Ok(Ended::Well)
}

fn badges(model: &Found) -> String {
    let runs = match (&model.cannot_run, &model.hit.family) {
        (Some(_), _) => "cannot run yet",
        (None, Some(_)) => "runs here",
        (None, None) => "",
    };
    let fits = match model.fit {
        Fit::Fits => "fits in memory",
        Fit::Tight => "will be tight in memory",
        Fit::TooLarge => "does not fit in memory",
        Fit::Unknown => "",
    };
    let gated = if model.hit.is_gated { "gated" } else { "" };
    let here = if model.is_here { "here" } else { "" };
    let badges = [here, runs, fits, gated].into_iter();
    let badges: Vec<&str> = badges.filter(|badge| !badge.is_empty()).collect();
    badges.join(", ")
}
