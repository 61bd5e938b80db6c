//! `vitrine models list`: a table of what is here and what could be.

use std::io::{self, Write};

use anyhow::Result;

use super::print;
use crate::cli::Ended;
use crate::cli::table::{Column, Table};
use crate::engine::shelf;
use crate::hub::environment::HubEnvironment;
use crate::hub::message::{Fit, ModelPlace, ModelRow};
use crate::trace::units;

/// Prints the table, or one JSON object.
///
/// # Errors
/// If standard output is closed.
pub fn run(environment: &HubEnvironment, n_positions: usize, as_json: bool) -> Result<Ended> {
    let list = shelf::list(environment, n_positions);
    if as_json {
        return print(&list);
    }
    let mut out = io::stdout().lock();
    let known = |bytes: Option<u64>| bytes.map_or("unknown".to_owned(), units::bytes);
    writeln!(
        out,
        "this machine: {} memory free, {} disk free; memory is told for {} positions\n",
        known(list.free_memory_bytes),
        known(list.free_disk_bytes),
        units::count(n_positions as u64)
    )?;
    write!(out, "{}", table(&list.models))?;
    let folder = list.cache.display();
    writeln!(
        out,
        "\ndownloaded to {folder}\nget one with `vitrine models pull NAME`; any other Hugging Face id works too"
    )?;
    Ok(Ended::Well)
}

fn table(rows: &[ModelRow]) -> Table {
    let mut table = Table::new([
        Column::Left("name"),
        Column::Left("model"),
        Column::Right("parameters"),
        Column::Right("bits"),
        Column::Right("size"),
        Column::Right("memory"),
        Column::Left(""),
    ]);
    for row in rows {
        let short = |id: &str| id.rsplit('/').next().unwrap_or(id).to_owned();
        let model = match (&row.id, &row.what) {
            (Some(id), _) if *id == row.name => String::new(),
            (Some(id), _) => short(id),
            (None, Some(what)) => what.clone(),
            (None, None) => String::new(),
        };
        let about = match row.place {
            ModelPlace::Hub if row.bytes > 0 => "~",
            _ => "",
        };
        let size = match row.bytes {
            0 => String::new(),
            bytes => format!("{about}{}", units::bytes(bytes)),
        };
        let memory = row.memory.map(|memory| units::bytes(memory.total_bytes()));
        table.row([
            row.name.clone(),
            model,
            row.parameters
                .map(units::parameters_short)
                .unwrap_or_default(),
            row.bits.map(|bits| bits.to_string()).unwrap_or_default(),
            size,
            memory.unwrap_or_default(),
            state(row),
        ]);
    }
    table
}

fn state(row: &ModelRow) -> String {
    let place = match &row.place {
        ModelPlace::Embedded => "built in",
        ModelPlace::Here { .. } => "here",
        ModelPlace::Partial { .. } => "partly here: pull it again",
        ModelPlace::Hub => "",
    };
    let fit = row.memory.map(|memory| memory.fit);
    let remark = match (&row.cannot_run, fit) {
        // The family is the reason, or something that takes a sentence.
        (Some(why), _) => match row
            .family
            .as_ref()
            .filter(|of| why.contains(&format!("'{of}'")))
        {
            Some(family) => format!("cannot run yet (type {family})"),
            None => format!("cannot run: see `vitrine models show {}`", row.name),
        },
        (None, Some(Fit::TooLarge)) => "does not fit in memory".to_owned(),
        (None, Some(Fit::Tight)) => "will be tight in memory".to_owned(),
        _ => String::new(),
    };
    match (place, remark.as_str()) {
        (place, "") => place.to_owned(),
        ("", _) => remark,
        _ => format!("{place}, {remark}"),
    }
}
