//! `vitrine trace`: a run in a file that opens without the model.

use std::io::{self, Write};
use std::ops::Range;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;

use super::options::{ModelArgs, SamplingArgs};
use super::{Ended, interrupt};
use crate::engine::client::Client;
use crate::engine::loaded::read_config;
use crate::engine::message::{Action, CancelToken, Event, OpenRequest, Prompt, SessionId};
use crate::engine::watch::Watch;
use crate::hub::ModelFiles;
use crate::model::cache::CacheOptions;
use crate::model::families;
use crate::tokenizer::{Message, TemplateArgs};
use crate::trace::debug::{DebugCommand, RunState};
use crate::trace::edit::Edit;
use crate::trace::file::{Precision, Trace};
use crate::trace::{Hook, units};

/// Flags of `vitrine trace`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The prompt.
    #[arg(required_unless_present_any = ["ids", "list_hooks"])]
    prompt: Option<String>,
    #[command(flatten)]
    model: ModelArgs,
    /// A system prompt.
    #[arg(long, value_name = "S", conflicts_with_all = ["raw", "ids"])]
    system: Option<String>,
    /// Run the prompt as it is, without the chat template.
    #[arg(long)]
    raw: bool,
    /// The prompt as token ids.
    #[arg(
        long,
        value_name = "1,2,3",
        value_delimiter = ',',
        conflicts_with = "prompt"
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
    /// Change the run: `blocks.2.attn.hook_z[:, 3]=zero`; may be given several times.
    #[arg(long, value_name = "SPEC")]
    edit: Vec<Edit>,
    /// Keep logits of every position, not of the last one only.
    #[arg(long)]
    all_logits: bool,
    #[command(flatten)]
    sampling: SamplingArgs,
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
    /// List the hooks of the model, in order of execution, and end.
    #[arg(long)]
    list_hooks: bool,
    /// Print for programs.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// If the model cannot be loaded or run, or the file cannot be written.
pub fn run(args: Args) -> Result<Ended> {
    if args.list_hooks {
        return list_hooks(&args);
    }
    if let Some(folder) = args.out.as_deref().and_then(std::path::Path::parent) {
        let exists = folder.as_os_str().is_empty() || folder.is_dir();
        ensure!(
            exists,
            "cannot write there: there is no folder {}",
            folder.display()
        );
    }
    let cancel = CancelToken::default();
    let _guard = interrupt::cancels(&cancel);
    let mut client = Client::start()?;
    let state = run_of(client.ask(SessionId(0), open(&args)?, &cancel)?)?;
    let mut commands = vec![DebugCommand::Tokens(1)];
    if args.steps > 0 {
        commands.push(DebugCommand::Tokens(args.steps));
    }
    let mut state = state;
    for command in commands {
        state = run_of(client.ask(SessionId(0), Action::Debug(command), &cancel)?)?;
    }
    let trace = trace_of(client.ask(SessionId(0), Action::Debug(DebugCommand::Trace), &cancel)?)?;
    write_trace(&args, &trace, &state)?;
    Ok(Ended::Well)
}

fn write_trace(args: &Args, trace: &Trace, state: &RunState) -> Result<()> {
    let out = args.out.as_deref().context("--out FILE is missing")?;
    let precision = if args.f16 {
        Precision::F16
    } else {
        Precision::F32
    };
    let size = trace.n_bytes(precision);
    if !args.json {
        eprintln!(
            "writing {} tensors, {}, to {}",
            trace.tensors.len(),
            units::bytes(size),
            out.display()
        );
    }
    trace.save(out, precision)?;
    if args.json {
        let report = json!({
            "model": state.model,
            "tokens": state.ids,
            "texts": state.texts,
            "passes": state.passes.len(),
            "tensors": trace.tensors.len(),
            "bytes": size,
            "out": out,
        });
        writeln!(io::stdout(), "{report}")?;
    } else {
        let answer = state
            .texts
            .get(state.prompt_len..)
            .unwrap_or_default()
            .concat();
        writeln!(
            io::stdout(),
            "{} tokens, {} {}{}",
            state.ids.len(),
            state.passes.len(),
            if state.passes.len() == 1 {
                "pass"
            } else {
                "passes"
            },
            if answer.is_empty() {
                String::new()
            } else {
                format!(": …{answer}")
            }
        )?;
    }
    Ok(())
}

fn open(args: &Args) -> Result<Action> {
    let prompt = match (&args.ids, &args.prompt) {
        (Some(ids), _) => Prompt::Ids(ids.clone()),
        (None, Some(text)) if args.raw => Prompt::Raw(text.clone()),
        (None, Some(text)) => {
            let system = args
                .system
                .iter()
                .map(|system| Message::new("system", system));
            Prompt::Chat {
                messages: system.chain([Message::new("user", text)]).collect(),
                prefill_response: None,
                args: TemplateArgs::for_answer(),
            }
        }
        (None, None) => bail!("give a prompt, or --ids"),
    };
    Ok(Action::Open(Box::new(OpenRequest {
        model: args.model.choice(),
        prompt,
        sampling: args.sampling.choice(),
        seed: args.sampling.seed,
        cache: CacheOptions::default(),
        watch: watch(args)?,
        budget_bytes: None,
        chunks: Vec::new(),
        all_logits: args.all_logits,
        edits: args.edit.clone(),
        sources: Vec::new(),
        script: Vec::new(),
    })))
}

/// The hooks that `--hooks` and `--layers` name.
fn watch(args: &Args) -> Result<Watch> {
    let is_all = args.hooks.iter().any(|pattern| pattern == "all");
    if is_all && args.layers.is_none() {
        return Ok(Watch::Everything);
    }
    let known = hooks_of(args)?;
    let mut kept = Vec::new();
    for pattern in &args.hooks {
        let pattern = pattern.trim();
        let fits = |hook: &&Hook| pattern == "all" || fits(pattern, &hook.to_string());
        let found: Vec<Hook> = known.iter().filter(fits).copied().collect();
        ensure!(
            !found.is_empty(),
            "this model has no hook '{pattern}'; vitrine trace --list-hooks shows what it has"
        );
        kept.extend(found);
    }
    if let Some(layers) = &args.layers {
        let n_layers = known.iter().filter_map(|hook| match hook {
            Hook::Block(layer, _) => Some(layer + 1),
            _ => None,
        });
        let n_layers = n_layers.max().unwrap_or(0);
        ensure!(
            layers.start < layers.end && layers.end <= n_layers,
            "--layers {}..{} names no layers of this model, which has {n_layers}",
            layers.start,
            layers.end
        );
        kept.retain(|hook| match hook {
            Hook::Block(layer, _) => layers.contains(layer),
            _ => true,
        });
    }
    Ok(Watch::Hooks(kept))
}

/// The hooks of the model, from its `config.json` alone.
fn hooks_of(args: &Args) -> Result<Vec<Hook>> {
    let files = ModelFiles::find(&args.model.choice().name)?;
    let config = read_config(&files)?;
    let family = families::find(&config.model_type)?;
    Ok(family.hooks(config.num_hidden_layers))
}

fn list_hooks(args: &Args) -> Result<Ended> {
    let hooks = hooks_of(args)?;
    let mut out = io::stdout().lock();
    if args.json {
        let list = hooks.iter().map(|hook| {
            let axes: Vec<_> = hook.axes().iter().map(|axis| axis.name()).collect();
            json!({ "hook": hook.to_string(), "shape": axes })
        });
        writeln!(out, "{}", json!(list.collect::<Vec<_>>()))?;
        return Ok(Ended::Well);
    }
    for hook in hooks {
        let axes: Vec<_> = hook.axes().iter().map(|axis| axis.name()).collect();
        writeln!(out, "{:34} [{}]", hook.to_string(), axes.join(", "))?;
    }
    Ok(Ended::Well)
}

/// Whether `name` fits `pattern`, in which `*` stands for any text.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, rest)) => name.strip_prefix(before).is_some_and(|name| {
            let starts = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            starts
                .into_iter()
                .any(|at| fits(rest, name.get(at..).unwrap_or_default()))
        }),
    }
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

fn trace_of(events: impl Iterator<Item = Event>) -> Result<Trace> {
    for event in events {
        match event {
            Event::Traced(trace) => return Ok(*trace),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(fits(
            "blocks.*.attn.hook_pattern",
            "blocks.12.attn.hook_pattern"
        ));
        assert!(fits("*hook_z", "blocks.0.attn.hook_z"));
        assert!(!fits("blocks.*.attn.hook_q", "blocks.0.attn.hook_q_norm"));
    }
}
