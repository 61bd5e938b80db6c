//! `vitrine trace`: a run in a file that opens without the model.

mod hooks;
mod size;

use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::Ended;
use super::asking::{Asker, PromptArgs};
use super::edits::{self, EditText};
use super::options::{ModelArgs, SamplingArgs};
use super::step::shown;
use crate::engine::answering::family_of;
use crate::engine::message::{Event, OpenRequest, Prompt};
use crate::engine::watch::Watch;
use crate::trace::debug::{DebugCommand, EditChange, RunState};
use crate::trace::file::{Precision, Trace, destination};
use crate::trace::measure::family::FamilyView;
use crate::trace::measure::parity::Parity;
use crate::trace::units;
use size::{Expected, Plan};

/// Flags of `vitrine trace`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The prompt.
    #[arg(required_unless_present_any = ["ids", "list_hooks"])]
    prompt: Option<String>,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    how: PromptArgs,
    /// The prompt as token ids.
    #[arg(
        long,
        value_name = "1,2,3",
        value_delimiter = ',',
        conflicts_with_all = ["prompt", "system"]
    )]
    ids: Option<Vec<u32>>,
    /// Hooks to keep, with `*` for any text: `blocks.*.attn.hook_pattern`; or `all`.
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "all"
    )]
    hooks: Vec<String>,
    /// Keep these layers only, the last one not included.
    #[arg(long, value_name = "0..3", value_parser = layer_range)]
    layers: Option<Range<usize>>,
    /// Generate so many tokens after the prompt, and keep their passes too.
    #[arg(long, value_name = "N", default_value_t = 0)]
    steps: usize,
    /// Change the run: `blocks.2.attn.hook_z[:, 3]=zero`, `logit( Paris)=ban`; may be given several
    /// times.
    #[arg(long, value_name = "SPEC")]
    edit: Vec<EditText>,
    /// A prompt that edits copy from: with `--source b="Another prompt"`, an edit may say
    /// `blocks.2.hook_resid_pre[3]=patch(b)`; may be given several times.
    #[arg(long, value_name = "NAME=PROMPT", value_parser = source)]
    source: Vec<(String, String)>,
    /// Keep logits of every position, not of the last one only.
    #[arg(long)]
    all_logits: bool,
    #[command(flatten)]
    sampling: SamplingArgs,
    /// Keep at most so much of values, e.g. 500MB; what does not fit is left out, and named.
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    budget: Option<u64>,
    /// Keep 16 bits per value: half the size.
    #[arg(long)]
    f16: bool,
    /// The file to write.
    #[arg(
        long,
        short,
        value_name = "FILE",
        required_unless_present = "list_hooks"
    )]
    out: Option<PathBuf>,
    /// List the hooks of the model with their shapes, in order of execution, and end.
    #[arg(long)]
    list_hooks: bool,
    /// Print for programs.
    #[arg(long)]
    json: bool,
}

impl Args {
    fn precision(&self) -> Precision {
        if self.f16 {
            Precision::F16
        } else {
            Precision::F32
        }
    }
}

/// Runs the command.
///
/// # Errors
/// If the model cannot be loaded or run, the trace would not fit, or the file cannot be written.
pub fn run(args: Args) -> Result<Ended> {
    let family = family_of(&args.model.choice().name)?;
    if args.list_hooks {
        return hooks::list(&family, args.json);
    }
    let out = args.out.as_deref().context("--out FILE is missing")?;
    if let Some(folder) = out.parent() {
        let exists = folder.as_os_str().is_empty() || folder.is_dir();
        ensure!(
            exists,
            "cannot write there: there is no folder {}",
            folder.display()
        );
    }
    destination(out)?;
    let watch = hooks::watch(&family, &args.hooks, args.layers.as_ref())?;
    let mut asker = Asker::start()?;
    let opened = open(&args, &mut asker, watch.clone())?;
    tell_size(&args, &family, &watch, &opened, out)?;
    let mut state = asker.debug(0, DebugCommand::Tokens(1))?;
    if args.steps > 0 {
        state = asker.debug(0, DebugCommand::Tokens(args.steps))?;
    }
    if !args.edit.is_empty() {
        // Against the same text without the edits: what they did to the next token.
        state = asker.debug(0, DebugCommand::Verdict)?;
    }
    let trace = asker.trace(0)?;
    write_trace(&args, &trace, &state, out)?;
    Ok(Ended::Well)
}

/// Opens the run; patches need their prompts first.
fn open(args: &Args, asker: &mut Asker, watch: Watch) -> Result<RunState> {
    let prompt = match (&args.ids, &args.prompt) {
        (Some(ids), _) => Prompt::Ids(ids.clone()),
        (None, Some(text)) => args.how.prompt(text),
        (None, None) => bail!("give a prompt, or --ids"),
    };
    // Prompts to copy from and the texts of tokens take a run that is open.
    let edits_at_once = args.source.is_empty() && !args.edit.iter().any(EditText::needs_tokens);
    let at_once = args.edit.iter().filter(|_| edits_at_once);
    let at_once = at_once.map(|edit| edit.read(|_| bail!("no text was expected")));
    let at_once = at_once.collect::<Result<Vec<_>>>()?;
    for edit in &at_once {
        edits::check_source(edit, std::iter::empty(), name_a_source)?;
    }
    let mut state = asker.open(
        0,
        OpenRequest {
            sampling: args.sampling.choice(),
            seed: args.sampling.seed,
            watch,
            budget_bytes: args.budget.map(|bytes| bytes as usize),
            all_logits: args.all_logits,
            edits: at_once,
            ..OpenRequest::new(args.model.choice(), prompt)
        },
    )?;
    for (name, text) in &args.source {
        let (name, prompt) = (name.clone(), args.how.source(text));
        state = asker.debug(0, DebugCommand::Source { name, prompt })?;
    }
    if !edits_at_once {
        for edit in &args.edit {
            let edit = edit.read(|token| asker.token_typed(0, token))?;
            let known = args.source.iter().map(|(name, _)| name.as_str());
            edits::check_source(&edit, known, name_a_source)?;
            let change = EditChange::Add(edit);
            state = asker.debug(
                0,
                DebugCommand::Edit {
                    change,
                    catch_up: false,
                },
            )?;
        }
    }
    let n_positions = state.ids.len() + args.steps;
    for edit in state.edits.edits() {
        for note in edits::notes(edit, &state, n_positions) {
            eprintln!("note: {note}");
        }
    }
    Ok(state)
}

fn name_a_source(name: &str) -> String {
    format!("--source {name}=\"…\" gives that prompt")
}

/// Tells how large the trace will be, before anything runs.
fn tell_size(
    args: &Args,
    family: &FamilyView,
    watch: &Watch,
    state: &RunState,
    out: &Path,
) -> Result<()> {
    let expected = Expected::of(&Plan {
        family,
        watch,
        n_prompt: state.ids.len(),
        steps: args.steps,
        all_logits: args.all_logits,
    });
    if !args.json {
        let budget = args
            .budget
            .filter(|budget| *budget < expected.memory_bytes());
        let budget = budget.map_or(String::new(), |budget| {
            format!(", of which {} are kept", units::bytes(budget))
        });
        eprintln!(
            "{} tokens: {} tensors, {} of values{budget}, and notes on the run beside them",
            state.ids.len(),
            units::count(expected.n_tensors),
            units::bytes(expected.file_bytes(args.precision())),
        );
    }
    size::check(&expected, args.precision(), args.budget, out)
}

fn write_trace(args: &Args, trace: &Trace, state: &RunState, out: &Path) -> Result<()> {
    let size = trace.file_bytes(args.precision())?;
    let left_out = left_out(trace);
    if !args.json {
        eprintln!(
            "writing {} tensors, {}, to {}",
            trace.tensors.len(),
            units::bytes(size),
            out.display()
        );
        if let Some(first) = left_out.first() {
            eprintln!(
                "{} tensors did not fit into the budget and were left out: {first} …",
                left_out.len()
            );
        }
    }
    trace.save(out, args.precision())?;
    let mut stdout = io::stdout();
    if args.json {
        let report = json!({
            "model": state.model,
            "tokens": state.ids,
            "texts": state.texts,
            "passes": state.passes.len(),
            "tensors": trace.tensors.len(),
            "bytes": size,
            "left_out": left_out,
            "verdict": state.verdict.as_ref().map(|verdict| &verdict.verdict),
            "parity": trace.meta.measures.get("parity"),
            "out": out,
        });
        writeln!(stdout, "{report}")?;
        return Ok(());
    }
    let answer = state.texts.get(state.prompt_len..).unwrap_or_default();
    let (n_passes, answer) = (state.passes.len(), answer.concat());
    writeln!(
        stdout,
        "{} tokens, {n_passes} {}{}",
        state.ids.len(),
        if n_passes == 1 { "pass" } else { "passes" },
        if answer.is_empty() {
            String::new()
        } else {
            format!(": …{answer}")
        }
    )?;
    if let Some(verdict) = shown::verdict(state) {
        writeln!(stdout, "{verdict}")?;
    }
    for parity in parities(trace) {
        writeln!(stdout, "{parity}")?;
    }
    Ok(())
}

/// What the budget left out.
fn left_out(trace: &Trace) -> Vec<String> {
    let names = trace
        .meta
        .measures
        .get("left_out")
        .and_then(Value::as_array);
    let names = names.map(Vec::as_slice).unwrap_or_default().iter();
    names
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect()
}

fn parities(trace: &Trace) -> Vec<Parity> {
    let parities = trace.meta.measures.get("parity").cloned();
    parities
        .and_then(|parities| serde_json::from_value(parities).ok())
        .unwrap_or_default()
}

/// The state at the end of a request.
///
/// # Errors
/// If it failed.
pub fn run_of(events: impl Iterator<Item = Event>) -> Result<RunState> {
    for event in events {
        match event {
            Event::Notice(text) => eprintln!("note: {text}"),
            Event::Run(state) => return Ok(*state),
            Event::Failed(why) => bail!(why),
            Event::Cancelled => bail!("cancelled"),
            _ => {}
        }
    }
    bail!("the engine ended without an answer")
}

fn layer_range(text: &str) -> Result<Range<usize>, String> {
    let parsed = text
        .split_once("..")
        .and_then(|(start, end)| Some(start.trim().parse().ok()?..end.trim().parse().ok()?));
    parsed.ok_or_else(|| "write FIRST..END, e.g. 0..3 for layers 0, 1 and 2".to_owned())
}

fn source(text: &str) -> Result<(String, String), String> {
    let parsed = text.split_once('=');
    let parsed = parsed.map(|(name, prompt)| (name.trim().to_owned(), prompt.to_owned()));
    parsed.ok_or_else(|| "write NAME=PROMPT, e.g. b=\"Another prompt\"".to_owned())
}
