//! `vitrine trial`: the same questions put to several models, one model at a time, as a table.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;

use super::options::SamplingArgs;
use super::table::{Column, Table};
use super::{Ended, interrupt};
use crate::chat::{Cell, Measured, Side, Trial};
use crate::engine::client::Client;
use crate::engine::message::{
    Action, CacheOptions, CancelToken, Event, GenerateRequest, ModelChoice, Prompt, SessionId,
};
use crate::hub;
use crate::model::linear::Kernels;
use crate::tokenizer::{Message, TemplateArgs};
use crate::trace::answer::StopReason;
use crate::trace::units;

/// Flags of `vitrine trial`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The questions.
    #[arg(conflicts_with = "prompts")]
    questions: Vec<String>,
    /// A file with one question per line.
    #[arg(long, value_name = "FILE")]
    prompts: Option<PathBuf>,
    /// A model; give it once for each.
    #[arg(long, short, value_name = "M", default_value = "classroom")]
    model: Vec<String>,
    /// A system prompt.
    #[arg(long, value_name = "S")]
    system: Option<String>,
    /// Most tokens of an answer.
    #[arg(long, value_name = "N", default_value_t = 256)]
    max_tokens: usize,
    #[command(flatten)]
    sampling: SamplingArgs,
    /// How the table is printed.
    #[arg(long, value_enum, default_value_t = Form::Text)]
    form: Form,
    /// Write the table to a file instead: as CSV if it ends in .csv, else as Markdown.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// How the table is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Columns for people.
    Text,
    /// Markdown.
    Markdown,
    /// Comma-separated values.
    Csv,
    /// JSON.
    Json,
}

/// Runs the command.
///
/// # Errors
/// If there is no question, or the table cannot be written. A model that cannot be loaded fails in
/// its own lines.
pub fn run(args: &Args) -> Result<Ended> {
    let questions = questions(args)?;
    let side = |model: &String| Side {
        model: hub::choose(Some(model)).name,
        sampling: args.sampling.choice(),
    };
    let mut trial = Trial::new(args.model.iter().map(side).collect(), questions);
    let mut client = Client::start()?;
    let cancel = CancelToken::default();
    let _guard = interrupt::cancels(&cancel);
    let mut before: Option<ModelChoice> = None;
    for (side, prompt) in trial.places() {
        if cancel.is_cancelled() {
            break;
        }
        let choice = choice(&trial, side);
        if let Some(before) = before.replace(choice.clone()).filter(|of| *of != choice) {
            // One at a time: what two models need together is nobody's figure.
            end_of(&mut client, Action::Unload(before), &cancel)?;
        }
        eprintln!("{}: question {}", choice.name, prompt + 1);
        let cell = answer(args, &mut client, &trial, (choice, prompt), &cancel)?;
        trial.set(side, prompt, cell);
    }
    write_out(args, &trial)?;
    Ok(match cancel.is_cancelled() {
        true => Ended::Interrupted,
        false if has_failed(&trial) => Ended::WithFailures,
        false => Ended::Well,
    })
}

fn questions(args: &Args) -> Result<Vec<String>> {
    let questions = match &args.prompts {
        Some(path) => lines_of(path)?,
        None => args.questions.clone(),
    };
    if questions.is_empty() || questions.iter().any(|text| text.trim().is_empty()) {
        bail!("there is nothing to ask: give questions, or --prompts FILE with one per line");
    }
    Ok(questions)
}

fn lines_of(path: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the questions in {}", path.display()))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    Ok(lines.map(str::to_owned).collect())
}

fn choice(trial: &Trial, side: usize) -> ModelChoice {
    let name = trial.sides().get(side).map(|side| side.model.clone());
    ModelChoice {
        name: name.unwrap_or_default(),
        kernels: Kernels::Auto,
    }
}

/// One answer, read from the beginning: nothing of an earlier question helps it.
fn answer(
    args: &Args,
    client: &mut Client,
    trial: &Trial,
    (model, prompt): (ModelChoice, usize),
    cancel: &CancelToken,
) -> Result<Cell> {
    end_of(client, Action::Clear, cancel)?;
    let question = trial.prompts().get(prompt).cloned().unwrap_or_default();
    let system = args.system.iter().map(|text| Message::new("system", text));
    let request = GenerateRequest {
        model,
        prompt: Prompt::Chat {
            messages: system.chain([Message::new("user", question)]).collect(),
            prefill_response: None,
            args: TemplateArgs::for_answer(),
        },
        sampling: args.sampling.choice(),
        known: Vec::new(),
        max_tokens: Some(args.max_tokens),
        stop: Vec::new(),
        extra_eos: Vec::new(),
        seed: args.sampling.seed,
        cache: CacheOptions::default(),
        prompt_cache: None,
        top_logprobs: 0,
        begun: Vec::new(),
    };
    Ok(
        match end_of(client, Action::Generate(Box::new(request)), cancel)? {
            Some(Event::Answered(answer)) if answer.stop_reason != StopReason::Cancelled => {
                Cell::Done(Measured::from(&*answer))
            }
            Some(Event::Failed(why)) => Cell::Failed(why),
            _ => Cell::Waiting,
        },
    )
}

fn end_of(client: &mut Client, action: Action, cancel: &CancelToken) -> Result<Option<Event>> {
    Ok(client.ask(SessionId(0), action, cancel)?.last())
}

fn has_failed(trial: &Trial) -> bool {
    let mut places = trial.places().into_iter();
    places.any(|(side, prompt)| matches!(trial.cell(side, prompt), Cell::Failed(_)))
}

fn write_out(args: &Args, trial: &Trial) -> Result<()> {
    if let Some(path) = &args.out {
        let is_csv = path.extension().is_some_and(|ending| ending == "csv");
        let text = match is_csv {
            true => trial.to_csv(),
            false => trial.to_markdown(),
        };
        return fs::write(path, text)
            .with_context(|| format!("cannot write the table to {}", path.display()));
    }
    let text = match args.form {
        Form::Text => table(trial),
        Form::Markdown => trial.to_markdown(),
        Form::Csv => trial.to_csv(),
        Form::Json => format!("{}\n", serde_json::to_string(trial)?),
    };
    io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

/// The table for people: figures in columns, answers below each question.
fn table(trial: &Trial) -> String {
    let mut figures = Table::new([
        Column::Left("model"),
        Column::Right("answers"),
        Column::Right("speed"),
        Column::Right("first token"),
        Column::Right("memory"),
    ]);
    for (side, of) in trial.sides().iter().enumerate() {
        let sums = trial.sums(side);
        let taken = match sums.n {
            0 => ["–"; 3].map(str::to_owned),
            _ => [
                units::tokens_per_second(sums.tokens_per_s),
                units::seconds(sums.first_token_s),
                units::bytes(sums.memory_bytes as u64),
            ],
        };
        let [speed, first, memory] = taken;
        figures.row([of.name(), sums.n.to_string(), speed, first, memory]);
    }
    let mut text = figures.to_string();
    for (prompt, asked) in trial.prompts().iter().enumerate() {
        text.push_str(&format!("\n{asked}\n"));
        for (side, of) in trial.sides().iter().enumerate() {
            let answer = match trial.cell(side, prompt) {
                Cell::Done(measured) => measured.text.trim().to_owned(),
                Cell::Failed(_) if trial.failed_before(side, prompt) => {
                    "failed, as above".to_owned()
                }
                Cell::Failed(why) => format!("failed: {why}"),
                Cell::Waiting | Cell::Writing(_) => "not asked".to_owned(),
            };
            text.push_str(&format!("  {}: {answer}\n", of.name()));
        }
    }
    text
}
