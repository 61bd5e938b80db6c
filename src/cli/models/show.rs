//! `vitrine models show`: all that is known of one model.

use std::io::{self, Write};

use anyhow::Result;

use super::print;
use crate::cli::Ended;
use crate::cli::table::{Column, Table};
use crate::engine::shelf::{USUAL_POSITIONS, look};
use crate::hub::ModelFiles;
use crate::hub::environment::HubEnvironment;
use crate::hub::message::{Fit, MemoryNote, ModelPlace, ModelRow};
use crate::trace::units;

/// Flags of `vitrine models show`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A short name, an id, a folder, or a name of your own.
    model: String,
    /// Tell the memory for a context of N positions.
    #[arg(long, value_name = "N", default_value_t = USUAL_POSITIONS)]
    context: usize,
}

/// Runs the command.
///
/// # Errors
/// If nothing is known of the model.
pub fn run(args: &Args, environment: &HubEnvironment, as_json: bool) -> Result<Ended> {
    let Some(row) = look(&args.model, environment, args.context)? else {
        // The complaint knows what is near and how to get it.
        ModelFiles::find(&args.model)?;
        return Ok(Ended::Well);
    };
    if as_json {
        return print(&row);
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{}\n", row.id.as_deref().unwrap_or(&row.name))?;
    write!(out, "{}", table(&row))?;
    if let Some(why) = &row.cannot_run {
        writeln!(out, "\n{why}")?;
    }
    Ok(Ended::Well)
}

fn table(row: &ModelRow) -> Table {
    let mut table = Table::new([Column::Left(""), Column::Left("")]);
    let mut line = |what: &str, value: Option<String>| {
        if let Some(value) = value {
            table.row([what.to_owned(), value]);
        }
    };
    line("what", row.what.clone());
    line("family", row.family.clone());
    line("parameters", row.parameters.map(units::parameters));
    line("weights in", row.bits.map(|bits| format!("{bits} bits")));
    let context = row.context.map(|context| units::count(context as u64));
    line(
        "context",
        context.map(|context| format!("{context} positions")),
    );
    let is_estimate = row.place == ModelPlace::Hub;
    let size = (row.bytes > 0).then(|| units::bytes(row.bytes));
    line(
        if is_estimate { "to fetch" } else { "on disk" },
        size.map(|size| match is_estimate {
            true => format!("about {size}"),
            false => size,
        }),
    );
    line("memory", row.memory.as_ref().map(memory));
    line("licence", row.licence.clone());
    line("card", row.page.clone());
    let place = match &row.place {
        ModelPlace::Embedded => "inside the program".to_owned(),
        ModelPlace::Here { folder, .. } => folder.display().to_string(),
        ModelPlace::Partial { folder, why } => format!("partly in {}: {why}", folder.display()),
        ModelPlace::Hub => format!("not here; get it with `vitrine models pull {}`", row.name),
    };
    line("where", Some(place));
    table
}

fn memory(memory: &MemoryNote) -> String {
    let fits = match memory.fit {
        Fit::Fits => ", fits",
        Fit::Tight => ", will be tight",
        Fit::TooLarge => ", does not fit",
        Fit::Unknown => "",
    };
    let free = memory.free_bytes.map(units::bytes);
    let free = free.map_or(String::new(), |free| format!("; {free} free{fits}"));
    format!(
        "{}: weights {}, KV cache of {} positions {}, computing {}{free}",
        units::bytes(memory.total_bytes()),
        units::bytes(memory.weight_bytes),
        units::count(memory.n_positions as u64),
        units::bytes(memory.cache_bytes),
        units::bytes(memory.work_bytes),
    )
}
