//! `vitrine compare`: two traces, two prompts, or one of each, side by side: where they part.

mod for_people;
mod text;

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Result, ensure};

use super::Ended;
use super::asking::{Asker, PromptArgs};
use super::edits::EditText;
use super::options::{ModelArgs, SamplingArgs};
use crate::engine::message::{ModelChoice, OpenRequest};
use crate::engine::watch::Watch;
use crate::trace::debug::DebugCommand;
use crate::trace::file::TraceFile;
use crate::trace::measure::Point;
use crate::trace::measure::compare::{Comparison, fair_ends};
use crate::trace::measure::distribution::Distribution;
use crate::trace::{BlockHook, Hook};

use for_people::for_people;
use text::Text;

/// Flags of `vitrine compare`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A trace file (….safetensors), or a prompt.
    a: String,
    /// Another trace file or prompt; if not given, the same as A.
    b: Option<String>,
    #[command(flatten)]
    model: ModelArgs,
    /// Another model for B.
    #[arg(long, value_name = "M")]
    model_b: Option<String>,
    #[command(flatten)]
    how: PromptArgs,
    /// Generate so many tokens after each prompt, and compare their passes too.
    #[arg(long, value_name = "N", default_value_t = 0)]
    steps: usize,
    /// Change the run of B: `blocks.2.attn.hook_z[:, 3]=zero`; may be given several times.
    #[arg(long, value_name = "SPEC")]
    edit_b: Vec<EditText>,
    /// Differences up to this size count as none; 0 asks for equal bits.
    #[arg(long, value_name = "X", default_value_t = 0.0)]
    tolerance: f32,
    #[command(flatten)]
    sampling: SamplingArgs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// If a trace cannot be opened, or a model cannot be loaded or run.
pub fn run(args: &Args) -> Result<Ended> {
    let b = args.b.as_ref().unwrap_or(&args.a);
    let mut asker = None;
    let own = args.model.choice();
    let other = match &args.model_b {
        Some(name) => ModelChoice {
            name: name.clone(),
            ..own.clone()
        },
        None => own.clone(),
    };
    ensure!(
        args.edit_b.is_empty() || !is_trace(b),
        "--edit-b changes a run, and B is a trace: give its prompt instead"
    );
    let mut one = text_of(args, &args.a, own, &[], &mut asker)?;
    let mut two = text_of(args, b, other, &args.edit_b, &mut asker)?;
    let comparison = compare(&mut one, &mut two, args)?;
    let mut out = io::stdout().lock();
    if args.json {
        let json = serde_json::json!({
            "comparison": comparison,
            "first_layer": comparison.first_layer(),
            "first_position": comparison.first_position(),
        });
        writeln!(out, "{json}")?;
    } else {
        write!(out, "{}", for_people(&comparison))?;
    }
    Ok(Ended::Well)
}

fn is_trace(text: &str) -> bool {
    Path::new(text)
        .extension()
        .is_some_and(|end| end == "safetensors")
}

/// Opens a trace, or runs a prompt and keeps its residual stream.
fn text_of(
    args: &Args,
    text: &str,
    model: ModelChoice,
    edits: &[EditText],
    asker: &mut Option<Asker>,
) -> Result<Text> {
    if is_trace(text) {
        return Ok(Text::File(Box::new(TraceFile::open(Path::new(text))?)));
    }
    let asker = match asker {
        Some(asker) => asker,
        None => asker.insert(Asker::start()?),
    };
    let n_layers = crate::engine::answering::family_of(&model.name)?.n_layers;
    let of_block = |layer| {
        [
            BlockHook::ResidPre,
            BlockHook::ResidMid,
            BlockHook::ResidPost,
        ]
        .map(|hook| Hook::Block(layer, hook))
    };
    let hooks = (0..n_layers).flat_map(of_block).chain([Hook::Logits]);
    let request = OpenRequest {
        sampling: args.sampling.choice(),
        seed: Some(args.sampling.seed.unwrap_or_default()),
        watch: Watch::Hooks(hooks.collect()),
        ..OpenRequest::new(model, args.how.prompt(text))
    };
    asker.open_edited(0, request, edits)?;
    asker.debug(0, DebugCommand::Tokens(1))?;
    if args.steps > 0 {
        asker.debug(0, DebugCommand::Tokens(args.steps))?;
    }
    Ok(Text::Memory(Box::new(asker.trace(0)?)))
}

fn compare(a: &mut Text, b: &mut Text, args: &Args) -> Result<Comparison> {
    let name = |text: &str| text.to_owned();
    let b_name = args.b.as_ref().unwrap_or(&args.a);
    let (of_a, of_b) = (a.ends()?, b.ends()?);
    let ends = fair_ends((&a.ids(), &of_a), (&b.ids(), &of_b));
    let (end_a, end_b) = ends.unzip();
    let sides = (a.side(name(&args.a), end_a)?, b.side(name(b_name), end_b)?);
    let mut comparison = Comparison::new(sides.0, sides.1, args.tolerance);
    for point in Point::all(a.n_layers().min(b.n_layers())) {
        if let (Some(a), Some(b)) = (a.states_at(point)?, b.states_at(point)?) {
            comparison.add(point, &a, &b);
        }
    }
    if comparison.states.is_empty() && comparison.no_states.is_none() {
        comparison.no_states = Some(
            "the traces keep no residual stream: trace with --hooks '*hook_resid*'".to_owned(),
        );
    }
    if let (Some(a), Some(b)) = (a.logits_at(end_a)?, b.logits_at(end_b)?)
        && a.len() == b.len()
    {
        let bits = Distribution::new(&a).kl_bits(&Distribution::new(&b));
        comparison.kl_bits = Some(bits).filter(|bits| bits.is_finite());
    }
    Ok(comparison)
}
