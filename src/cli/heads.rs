//! `vitrine heads`: which heads look where, on a prompt or on the standard probe text.

use std::io::{self, Write};

use anyhow::{Result, bail};

use super::Ended;
use super::asking::{Asker, PromptArgs};
use super::options::ModelArgs;
use super::table::{Column, Table};
use crate::engine::message::OpenRequest;
use crate::engine::question::{Question, Told};
use crate::trace::debug::DebugCommand;
use crate::trace::measure::heads::{
    HeadReport, HeadRole, HeadScores, HeadText, MIN_QUERIES, ProbeText, THRESHOLD,
};
use crate::trace::units;

/// Flags of `vitrine heads`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The text to watch the heads on; if not given, the standard probe text: random words, twice.
    prompt: Option<String>,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    how: PromptArgs,
    /// Use the standard probe text, also beside a prompt.
    #[arg(long)]
    probe: bool,
    /// Start of the probe text's random words.
    #[arg(long, value_name = "N", default_value_t = ProbeText::default().seed)]
    probe_seed: u64,
    /// How many of the best heads of each kind to list, labelled or not.
    #[arg(long, value_name = "N", default_value_t = 3)]
    top: usize,
    /// Print JSON: a list of reports.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// If the model cannot be loaded or run.
pub fn run(args: &Args) -> Result<Ended> {
    let mut asker = Asker::start()?;
    let mut reports = Vec::new();
    if let Some(prompt) = &args.prompt {
        let request = OpenRequest::new(args.model.choice(), args.how.prompt(prompt));
        asker.open(0, request)?;
        asker.debug(0, DebugCommand::Tokens(1))?;
        reports.push(report(asker.ask(0, Question::Heads { pass: 0 })?)?);
    }
    if args.probe || args.prompt.is_none() {
        let text = ProbeText {
            seed: args.probe_seed,
            ..ProbeText::default()
        };
        let model = Some(args.model.choice());
        reports.push(report(asker.ask(0, Question::ProbeHeads { model, text })?)?);
    }
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&reports)?)?;
        return Ok(Ended::Well);
    }
    for (number, report) in reports.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        write!(out, "{}", for_people(report, args.top))?;
    }
    Ok(Ended::Well)
}

fn report(told: Told) -> Result<HeadReport> {
    match told {
        Told::Heads(report) => Ok(report),
        other => bail!("the engine answered something else: {other:?}"),
    }
}

fn for_people(report: &HeadReport, top: usize) -> String {
    let text = match &report.text {
        HeadText::Prompt => "on this prompt".to_owned(),
        HeadText::Probe(probe) => format!(
            "on the probe text: {} random words and the same again, {} times",
            probe.n_tokens, probe.n_texts
        ),
    };
    let labelled: Vec<&HeadScores> = report
        .heads
        .iter()
        .filter(|head| !head.labels().is_empty())
        .collect();
    let mut table = Table::new([Column::Left("head"), Column::Left("label")]);
    for head in &labelled {
        let labels = head.labels();
        let labels = labels
            .iter()
            .map(|score| format!("{} {}", score.role.name(), share(score.score)));
        let name = format!("block {} head {}", head.layer, head.head);
        table.row([name, labels.collect::<Vec<_>>().join(", ")]);
    }
    let title = format!(
        "{} of {} heads bear a label {text}\n(more than {} of their attention, over at least \
         {MIN_QUERIES} places)\n\n",
        labelled.len(),
        report.heads.len(),
        units::percent(f64::from(THRESHOLD)),
    );
    format!("{title}{table}\nhighest scores\n{}", best(report, top))
}

/// The best heads of each kind, labelled or not.
fn best(report: &HeadReport, top: usize) -> Table {
    let mut table = Table::new([Column::Left(""), Column::Left("")]);
    for role in HeadRole::ALL {
        let heads = report.best(role).into_iter().take(top);
        let heads =
            heads.map(|head| format!("{}.{} {}", head.layer, head.head, share(head.score(role))));
        table.row([
            role.name().to_owned(),
            heads.collect::<Vec<_>>().join("   "),
        ]);
    }
    table
}

fn share(score: f32) -> String {
    units::percent(f64::from(score))
}
