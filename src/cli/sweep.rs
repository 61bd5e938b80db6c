//! `vitrine sweep`: one change tried in many places, and what each does to the next token.

use std::io::{self, Write};

use anyhow::{Result, bail};
use clap::ValueEnum;

use super::Ended;
use super::asking::{Asker, PromptArgs};
use super::edits::EditText;
use super::options::ModelArgs;
use super::table::{Column, Table};
use crate::engine::answering::parse_change;
use crate::engine::message::OpenRequest;
use crate::engine::question::{Question, Told};
use crate::trace::debug::{DebugCommand, RunState};
use crate::trace::measure::sweep::{Outcome, Over, SweepPlan, SweepTable};
use crate::trace::measure::verdict::REMINDER;
use crate::trace::units;

/// Flags of `vitrine sweep`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The prompt.
    prompt: String,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    how: PromptArgs,
    /// Where to try the change: at every head, or at the residual stream of every block and position.
    #[arg(long, value_enum, default_value_t = OverArg::Heads)]
    over: OverArg,
    /// The change: zero, mean, scale(0.5), add(1), set(0), or patch(OTHER PROMPT), which copies the
    /// same place from another prompt of as many tokens.
    #[arg(long, value_name = "CHANGE", default_value = "zero")]
    edit: String,
    /// What to measure: logit(TOKEN), prob(TOKEN), diff(TOKEN,TOKEN), or kl, in bits.
    #[arg(long, value_name = "WHAT", default_value = "kl")]
    measure: String,
    /// Change the run itself first: `blocks.2.attn.hook_z[:, 3]=zero`; may be given several times.
    #[arg(long, value_name = "SPEC")]
    with: Vec<EditText>,
    /// How many of the strongest cells to mark and list.
    #[arg(long, value_name = "N", default_value_t = 5)]
    top: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// [`Over`] as a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OverArg {
    /// Every head.
    Heads,
    /// Every block and position.
    LayersXPositions,
}

/// Columns of a table that stand side by side in a terminal.
const N_COLUMNS: usize = 12;

/// Letters of a token that fit above a column.
const N_LETTERS: usize = 8;

/// Runs the command.
///
/// # Errors
/// If the model cannot be loaded or run, or a flag does not fit it.
pub fn run(args: &Args) -> Result<Ended> {
    let (change, other) = parse_change(&args.edit)?;
    let mut asker = Asker::start()?;
    let request = OpenRequest::new(args.model.choice(), args.how.prompt(&args.prompt));
    asker.open_edited(0, request, &args.with)?;
    let state = asker.debug(0, DebugCommand::Tokens(1))?;
    let plan = SweepPlan {
        pass: 0,
        over: match args.over {
            OverArg::Heads => Over::Heads,
            OverArg::LayersXPositions => Over::LayersXPositions,
        },
        change,
        other: other.as_deref().map(|text| args.how.source(text)),
        outcome: outcome(&mut asker, &args.measure)?,
    };
    let Told::Sweep(table) = asker.ask(0, Question::Sweep(plan))? else {
        bail!("the engine answered something else than a table");
    };
    let mut out = io::stdout().lock();
    if args.json {
        let strongest = table.strongest(args.top);
        let json =
            serde_json::json!({ "model": state.model, "table": table, "strongest": strongest });
        writeln!(out, "{json}")?;
    } else {
        write!(out, "{}", for_people(&table, &state, args.top))?;
    }
    Ok(Ended::Well)
}

/// Reads `logit(TOKEN)` and its like; the tokens are those of the model.
fn outcome(asker: &mut Asker, text: &str) -> Result<Outcome> {
    let text = text.trim();
    if text == "kl" {
        return Ok(Outcome::KlBits);
    }
    let inside = |name: &str| {
        let rest = text.strip_prefix(name)?.strip_prefix('(')?;
        rest.strip_suffix(')')
    };
    if let Some(token) = inside("logit") {
        return Ok(Outcome::Logit(asker.token(0, token)?));
    }
    if let Some(token) = inside("prob") {
        return Ok(Outcome::Probability(asker.token(0, token)?));
    }
    if let Some((a, b)) = inside("diff").and_then(|both| both.split_once(',')) {
        return Ok(Outcome::Difference(asker.token(0, a)?, asker.token(0, b)?));
    }
    bail!("'{text}' is no measure: write logit(TOKEN), prob(TOKEN), diff(TOKEN,TOKEN) or kl")
}

fn for_people(table: &SweepTable, state: &RunState, top: usize) -> String {
    let strongest = table.strongest(top);
    let is_marked = |row: usize, column: usize| {
        strongest
            .iter()
            .any(|cell| (cell.row, cell.column) == (row, column) && cell.effect != 0.0)
    };
    let likeliest = state.likeliest.first();
    let likeliest = likeliest.map_or(String::new(), |top| {
        let share = units::percent(f64::from(top.logprob).exp());
        let text = top.text.escape_debug();
        format!("unchanged, '{text}' comes next with {share}\n")
    });
    let mut text = format!(
        "{} at {}, {}; measured: {}, {} before\n{likeliest}",
        table.change,
        match table.over {
            Over::Heads => "every head",
            Over::LayersXPositions => "the residual stream before every block",
        },
        state.model,
        table.what(),
        figure(table.before)
    );
    let columns: Vec<usize> = (0..table.columns.len()).collect();
    for columns in columns.chunks(N_COLUMNS) {
        text.push('\n');
        text.push_str(&piece(table, columns, is_marked));
    }
    text.push_str("\nstrongest effects\n");
    let mut list = Table::new([
        Column::Left(""),
        Column::Left(""),
        Column::Right(""),
        Column::Right(""),
    ]);
    for cell in &strongest {
        let name = |names: &[String], at: usize| names.get(at).cloned().unwrap_or_default();
        let column = match table.over {
            Over::Heads => name(&table.columns, cell.column),
            Over::LayersXPositions => format!(
                "position {} '{}'",
                table.first_position + cell.column,
                name(&table.columns, cell.column).escape_debug()
            ),
        };
        list.row([
            name(&table.rows, cell.row),
            column,
            signed(cell.effect),
            format!("to {}", figure(cell.value)),
        ]);
    }
    format!("{text}{list}\n{REMINDER}\n")
}

/// Some columns of the table: effects, the strongest with a star.
fn piece(
    table: &SweepTable,
    columns: &[usize],
    is_marked: impl Fn(usize, usize) -> bool,
) -> String {
    let width = N_LETTERS + 1;
    let mut text = format!("{:9}", "");
    for column in columns {
        let name = table.columns.get(*column).map_or("", String::as_str).trim();
        let name = match table.over {
            Over::Heads => name.to_owned(),
            Over::LayersXPositions => name.escape_debug().to_string(),
        };
        let short: String = name.chars().take(N_LETTERS).collect();
        text.push_str(&format!("{short:>width$} "));
    }
    for (row, values) in table.values.iter().enumerate() {
        let name = table.rows.get(row).map_or("", String::as_str);
        text.push_str(&format!("\n{name:9}"));
        for column in columns {
            let value = values.get(*column).copied().unwrap_or(f64::NAN);
            let mark = if is_marked(row, *column) { '*' } else { ' ' };
            text.push_str(&format!("{:>width$}{mark}", signed(value - table.before)));
        }
    }
    text.push('\n');
    text
}

fn figure(value: f64) -> String {
    match value.abs() {
        size if size == 0.0 || size >= 0.01 => format!("{value:.2}"),
        _ => format!("{value:.1e}"),
    }
}

fn signed(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        value if value.abs() < 0.005 => format!("{value:+.0e}"),
        value => format!("{value:+.2}"),
    }
}
