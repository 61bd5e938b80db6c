//! `vitrine inspect`: what a model is made of, as a table.

use std::io::{self, Write};

use anyhow::Result;

use super::Ended;
use super::table::{Column, Table};
use crate::engine::inspect::{Architecture, Inspection, NotUsed, TensorRow};
use crate::hub;
use crate::trace::units;

/// Flags of `vitrine inspect`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// `classroom`, a name of `vitrine models`, a Hugging Face id that is downloaded, or a folder.
    #[arg(long, short, value_name = "M")]
    model: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// If there is no such model, or its files are broken.
pub fn run(args: &Args) -> Result<Ended> {
    let name = hub::choose(args.model.as_deref()).name;
    let inspection = Inspection::of(&name)?;
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&inspection)?)?;
    } else {
        write!(out, "{}", for_people(&inspection))?;
    }
    Ok(Ended::Well)
}

fn for_people(inspection: &Inspection) -> String {
    let mut text = format!("{}\n\n", inspection.model);
    text.push_str(&architecture(&inspection.architecture).to_string());
    text.push('\n');
    text.push_str(&tensors(&inspection.tensors).to_string());
    text.push('\n');
    text.push_str(&groups(inspection).to_string());
    text.push('\n');
    text.push_str(&footer(inspection));
    text
}

fn architecture(shape: &Architecture) -> Table {
    let mut table = Table::new([Column::Left(""), Column::Right(""), Column::Left("")]);
    let mut row =
        |what: &str, value: String, remark: String| table.row([what.to_owned(), value, remark]);
    let number = |n: usize| units::count(n as u64);
    let plain = String::new;
    row("family", shape.family.clone(), plain());
    row("blocks", number(shape.n_layers), plain());
    row("d_model", number(shape.d_model), plain());
    row(
        "query heads",
        number(shape.n_heads),
        format!("of {} values each", shape.head_dim),
    );
    row("KV heads", number(shape.n_kv_heads), sharing(shape));
    row(
        "d_mlp",
        number(shape.d_mlp),
        format!("activation {}", shape.activation),
    );
    row("vocabulary", number(shape.vocab_size), "tokens".to_owned());
    row("context", number(shape.context), "positions".to_owned());
    match shape.rope_theta {
        Some(base) => row(
            "positions",
            "RoPE".to_owned(),
            rope(base, shape.rope_scaling.as_deref()),
        ),
        None => row("positions", "learned".to_owned(), plain()),
    }
    match shape.window {
        Some(window) => {
            let layers = format!(
                "positions back, in {} of {} blocks",
                shape.windowed_layers, shape.n_layers
            );
            row("window", number(window), layers);
        }
        None => row(
            "window",
            "none".to_owned(),
            "every earlier position is seen".to_owned(),
        ),
    }
    match shape.tied {
        true => row(
            "output head",
            "tied".to_owned(),
            "to the token embedding".to_owned(),
        ),
        false => row("output head", "its own".to_owned(), plain()),
    }
    match shape.quantization {
        Some(packing) => {
            let groups = format!("in groups of {}", packing.group_size);
            row("quantization", format!("{} bits", packing.bits), groups);
        }
        None => row("quantization", "none".to_owned(), plain()),
    }
    table
}

fn sharing(shape: &Architecture) -> String {
    match shape.n_heads / shape.n_kv_heads.max(1) {
        1 => "one for each query head".to_owned(),
        n => format!("each shared by {n} query heads"),
    }
}

fn rope(base: f64, scaling: Option<&str>) -> String {
    let base = format!("base {}", units::count(base as u64));
    scaling.map_or(base.clone(), |scaling| format!("{base}, {scaling}"))
}

fn tensors(rows: &[TensorRow]) -> Table {
    let mut table = Table::new([
        Column::Left("tensor"),
        Column::Right("shape"),
        Column::Right("packed"),
        Column::Left("type"),
        Column::Right("bits"),
        Column::Right("group"),
        Column::Right("bytes"),
        Column::Right("parameters"),
    ]);
    for row in rows {
        let packed = row.packed_shape.as_deref().map(dims).unwrap_or_default();
        let kind = match row.packing {
            Some(_) => format!("u32 + {}", row.dtype),
            None => row.dtype.clone(),
        };
        table.row([
            row.name.clone(),
            dims(&row.shape),
            packed,
            kind,
            row.packing
                .map(|packing| packing.bits.to_string())
                .unwrap_or_default(),
            row.packing
                .map(|packing| packing.group_size.to_string())
                .unwrap_or_default(),
            units::count(row.bytes),
            units::count(row.parameters),
        ]);
    }
    table
}

/// `4096 × 192`; a single number has no shape.
fn dims(shape: &[usize]) -> String {
    if shape.is_empty() {
        return "scalar".to_owned();
    }
    let dims: Vec<String> = shape.iter().map(usize::to_string).collect();
    dims.join(" × ")
}

fn groups(inspection: &Inspection) -> Table {
    let mut table = Table::new([
        Column::Left("group"),
        Column::Right("bytes"),
        Column::Right("parameters"),
        Column::Right("share"),
        Column::Left(""),
    ]);
    let share = |parameters: u64| match inspection.parameters {
        0 => String::new(),
        all => units::percent(parameters as f64 / all as f64),
    };
    for total in &inspection.groups {
        table.row([
            total.group.to_string(),
            units::count(total.bytes),
            units::count(total.parameters),
            share(total.parameters),
            total.note.unwrap_or_default().to_owned(),
        ]);
    }
    table.row([
        "all".to_owned(),
        units::count(inspection.tensor_bytes),
        units::count(inspection.parameters),
        share(inspection.parameters),
        String::new(),
    ]);
    table
}

fn footer(inspection: &Inspection) -> String {
    let rounded = match inspection.parameters {
        0..1_000_000 => String::new(),
        n => format!(" ({})", units::parameters(n)),
    };
    let mut text = format!(
        "{} parameters{rounded} in {} bytes: {:.2} bits per weight",
        units::count(inspection.parameters),
        units::count(inspection.tensor_bytes),
        inspection.bits_per_weight,
    );
    if let Some(bits) = inspection.quantized_bits_per_weight {
        text.push_str(&format!(", {bits:.2} in the quantized matrices"));
    }
    let (n_files, on_disk) = (inspection.files.len(), units::count(inspection.file_bytes));
    let files = if n_files == 1 { "file" } else { "files" };
    text.push_str(&format!(
        "\non disk: {on_disk} bytes in {n_files} weight {files}\n"
    ));
    text.push_str(&renamed(&inspection.tensors));
    for tensors in &inspection.not_used {
        text.push_str(&not_used(tensors));
    }
    text
}

/// One line on tensors that the file calls otherwise.
fn renamed(tensors: &[TensorRow]) -> String {
    let mut others = tensors
        .iter()
        .filter_map(|row| Some((row, row.stored_as.as_ref()?)));
    let count = others.clone().count();
    let Some((row, stored_as)) = others.next() else {
        return String::new();
    };
    let n_turned = tensors.iter().filter(|row| row.transposed).count();
    let turned = match n_turned {
        0 => String::new(),
        n => format!(
            "; {n} of them have rows and columns exchanged, because this family stores [in, out]"
        ),
    };
    format!(
        "renamed: {count} tensors have other names in the file, e.g. {stored_as} for {}{turned}\n",
        row.name
    )
}

fn not_used(tensors: &NotUsed) -> String {
    let first = tensors
        .names
        .first()
        .map(String::as_str)
        .unwrap_or_default();
    let more = match tensors.names.len() {
        0 | 1 => String::new(),
        n => format!(" and {} more", n - 1),
    };
    let bytes = units::count(tensors.bytes);
    format!(
        "not used: {first}{more} ({bytes} bytes), because {}\n",
        tensors.reason
    )
}
