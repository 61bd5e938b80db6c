//! `vitrine compare`: two traces, two prompts, or one of each, side by side: where they part.

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use super::Ended;
use super::asking::{Asker, PromptArgs};
use super::edits::EditText;
use super::options::{ModelArgs, SamplingArgs};
use super::table::{Column, Table};
use crate::engine::message::{ModelChoice, OpenRequest};
use crate::engine::watch::Watch;
use crate::trace::debug::DebugCommand;
use crate::trace::file::{PassMeta, Trace, TraceFile, TraceMeta, key};
use crate::trace::measure::compare::{Comparison, Parting, Side, fair_ends};
use crate::trace::measure::distribution::Distribution;
use crate::trace::measure::state::Gap;
use crate::trace::measure::{NamedToken, Point, TokenShare};
use crate::trace::{BlockHook, Hook, HostTensor, units};

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

/// One side: what can be read of it by name.
enum Text {
    File(Box<TraceFile>),
    Memory(Box<Trace>),
}

/// Positions up to which a table shows each of them.
const N_POSITIONS: usize = 12;

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

impl Text {
    fn meta(&self) -> &TraceMeta {
        match self {
            Self::File(file) => &file.meta,
            Self::Memory(trace) => &trace.meta,
        }
    }

    fn read(&mut self, name: &str) -> Result<Option<HostTensor>> {
        match self {
            Self::Memory(trace) => Ok(trace.tensors.get(name).cloned()),
            Self::File(file) if file.shape(name).is_none() => Ok(None),
            Self::File(file) => file.read(name).map(Some),
        }
    }

    fn n_layers(&self) -> usize {
        let hooks = self.meta().model.hooks.iter();
        let layers = hooks.filter_map(|hook| match hook.parse() {
            Ok(Hook::Block(layer, _)) => Some(layer + 1),
            _ => None,
        });
        layers.max().unwrap_or_default()
    }

    fn ids(&self) -> Vec<u32> {
        self.meta().tokens.iter().map(|token| token.id).collect()
    }

    /// The tokens before each of the next tokens that are told, pass by pass.
    fn ends(&self) -> Result<Vec<usize>> {
        let passes = self.meta().passes.iter().take(self.next_tokens()?.len());
        Ok(passes.map(end).collect())
    }

    /// The likeliest next tokens after each pass that came to its logits.
    fn next_tokens(&self) -> Result<Vec<Vec<TokenShare>>> {
        let next = self.meta().measures.get("next_tokens");
        let next = next.map(|next| serde_json::from_value(next.clone()));
        let next = next.transpose();
        let next = next.context("the trace's list of next tokens is damaged")?;
        Ok(next.unwrap_or_default())
    }

    /// The pass that ends before position `end`.
    fn pass_before(&self, end_of_pass: usize) -> Option<usize> {
        let mut passes = self.meta().passes.iter();
        passes.position(|pass| end(pass) == end_of_pass)
    }

    fn side(&self, name: String, end: Option<usize>) -> Result<Side> {
        let meta = self.meta();
        let token = |token: &crate::trace::file::TokenMeta| NamedToken {
            id: token.id,
            text: token.text.clone(),
        };
        let pass = end.and_then(|end| self.pass_before(end));
        let mut next = self.next_tokens()?.into_iter();
        Ok(Side {
            name,
            model: meta.model.name.clone(),
            tokens: meta.tokens.iter().map(token).collect(),
            next: pass.and_then(|pass| next.nth(pass)).unwrap_or_default(),
            after: end.and_then(|end| end.checked_sub(1)),
        })
    }

    /// The residual stream at `point` of every position, over all passes, as far as it was kept.
    fn states_at(&mut self, point: Point) -> Result<Option<HostTensor>> {
        let hook = match point {
            // With learned positions `hook_embed` is not all that the first block reads.
            Point::Embed => Hook::Block(0, BlockHook::ResidPre),
            Point::AfterAttention(layer) => Hook::Block(layer, BlockHook::ResidMid),
            Point::AfterMlp(layer) => Hook::Block(layer, BlockHook::ResidPost),
        };
        let mut parts = Vec::new();
        for pass in 0..self.meta().passes.len() {
            match self.read(&key(pass, hook))? {
                Some(value) => parts.push(value),
                None => break,
            }
        }
        Ok(HostTensor::join(&parts, 0))
    }

    /// The logits after the position before `end`, if the trace keeps them.
    fn logits_at(&mut self, end: Option<usize>) -> Result<Option<Vec<f32>>> {
        let Some(pass) = end.and_then(|end| self.pass_before(end)) else {
            return Ok(None);
        };
        let Some(logits) = self.read(&key(pass, Hook::Logits))? else {
            return Ok(None);
        };
        let n_rows = logits.shape().first().copied().unwrap_or_default();
        Ok(logits.at(&[n_rows.saturating_sub(1)]).map(<[f32]>::to_vec))
    }
}

/// The tokens before the end of a pass.
fn end(pass: &PassMeta) -> usize {
    let pieces = pass.boundaries.iter();
    pieces.fold(pass.start, |end, piece| end.saturating_add(*piece))
}

fn for_people(comparison: &Comparison) -> String {
    let (a, b) = (&comparison.a, &comparison.b);
    let mut text = format!(
        "A  {} · {}\nB  {} · {}\n\n",
        a.name, a.model, b.name, b.model
    );
    text.push_str(&tokens(comparison));
    text.push('\n');
    text.push_str(&match comparison.first_other_token {
        None => "the tokens are the same\n".to_owned(),
        Some(at) => {
            let token = |side: &Side| match side.tokens.get(at) {
                Some(token) => format!("'{}'", token.text),
                None => "the end".to_owned(),
            };
            format!(
                "the tokens part at position {at}: {} and {}\n",
                token(a),
                token(b)
            )
        }
    });
    match &comparison.no_states {
        Some(why) => text.push_str(&format!("no states compared: {why}\n")),
        None => text.push_str(&states(comparison)),
    }
    if !a.next.is_empty() && !b.next.is_empty() {
        text.push_str(&match (a.after, b.after) {
            (Some(at), Some(other)) if at != other => {
                format!("\nnext token, after positions {at} and {other}\n")
            }
            (Some(at), _) => format!("\nnext token, after position {at}\n"),
            (None, _) => "\nnext token\n".to_owned(),
        });
        text.push_str(&next(a, b).to_string());
    }
    if let Some(bits) = comparison.kl_bits {
        text.push_str(&format!("divergence of B from A: {bits:.3} bits\n"));
    }
    text
}

/// Tokens side by side, with the first point where the states at each position part.
fn tokens(comparison: &Comparison) -> String {
    let mut table = Table::new([
        Column::Right("pos"),
        Column::Left("A"),
        Column::Left("B"),
        Column::Left("states part"),
        Column::Right("cosine at the end"),
    ]);
    let (a, b) = (&comparison.a.tokens, &comparison.b.tokens);
    let n = a.len().max(b.len());
    for position in 0..n {
        let shown = |tokens: &[NamedToken]| {
            let text = tokens.get(position).map(|token| token.text.escape_debug());
            text.map_or("–".to_owned(), |text| format!("'{text}'"))
        };
        let mut gaps = comparison
            .states
            .iter()
            .filter_map(|(_, gaps)| gaps.get(position));
        let first = gaps.clone().find(|gap| gap.largest > comparison.tolerance);
        let last = gaps.next_back();
        table.row([
            position.to_string(),
            shown(a),
            shown(b),
            match (first, last) {
                (Some(gap), _) => gap.point.to_string(),
                (None, Some(_)) => "nowhere".to_owned(),
                (None, None) => String::new(),
            },
            last.map_or(String::new(), |gap| format!("{:.4}", gap.cosine)),
        ]);
    }
    table.to_string()
}

fn states(comparison: &Comparison) -> String {
    let place = |parting: Parting| {
        format!(
            "{} at position {}, by up to {:.2e}",
            parting.gap.point, parting.position, parting.gap.largest
        )
    };
    let mut text = match (comparison.first_layer(), comparison.first_position()) {
        (Some(layer), Some(position)) => format!(
            "first layer that differs: {}\nfirst token that differs: position {}, at {}\n",
            place(layer),
            position.position,
            position.gap.point
        ),
        _ => match comparison.tolerance {
            0.0 => {
                "the residual stream is equal at every layer and position, bit for bit\n".to_owned()
            }
            tolerance => format!("no state differs by more than {tolerance}\n"),
        },
    };
    if comparison.n_aligned <= N_POSITIONS && comparison.first_layer().is_some() {
        text.push_str("\ncosine by layer and position\n");
        for (point, gaps) in &comparison.states {
            let cells = gaps.iter().map(|gap| format!("{:>8.4}", gap.cosine));
            let point = point.to_string();
            text.push_str(&format!("  {point:26}{}\n", cells.collect::<String>()));
        }
    } else if comparison.first_layer().is_some() {
        text.push_str(&farthest(comparison).to_string());
    }
    text
}

/// Of each layer the position that is farthest apart.
fn farthest(comparison: &Comparison) -> Table {
    let mut table = Table::new([
        Column::Left("layer"),
        Column::Right("farthest position"),
        Column::Right("cosine"),
        Column::Right("largest difference"),
    ]);
    for (point, gaps) in &comparison.states {
        let by_cosine =
            |(_, a): &(usize, &Gap), (_, b): &(usize, &Gap)| a.cosine.total_cmp(&b.cosine);
        if let Some((position, gap)) = gaps.iter().enumerate().min_by(by_cosine) {
            table.row([
                point.to_string(),
                position.to_string(),
                format!("{:.4}", gap.cosine),
                format!("{:.2e}", gap.largest),
            ]);
        }
    }
    table
}

fn next(a: &Side, b: &Side) -> Table {
    let mut table = Table::new([
        Column::Left("A"),
        Column::Right(""),
        Column::Left("B"),
        Column::Right(""),
    ]);
    let shown = |side: &Side, rank: usize| match side.next.get(rank) {
        Some(share) => (
            format!("'{}'", share.token.text.escape_debug()),
            units::percent(share.probability),
        ),
        None => (String::new(), String::new()),
    };
    for rank in 0..5 {
        let ((a, p), (b, q)) = (shown(a, rank), shown(b, rank));
        table.row([a, p, b, q]);
    }
    table
}
