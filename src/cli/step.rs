//! `vitrine step`: a pass in the terminal, one key per step, with small pictures in text.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::{Result, bail};
use console::{Key, Term};

use super::options::{ModelArgs, SamplingArgs};
use super::trace::run_of;
use super::{Ended, interrupt};
use crate::engine::client::Client;
use crate::engine::message::{Action, CancelToken, Event, OpenRequest, Prompt, SessionId};
use crate::engine::watch::Watch;
use crate::model::cache::CacheOptions;
use crate::tokenizer::{Message, TemplateArgs};
use crate::trace::answer::TopToken;
use crate::trace::debug::{Breakpoint, DebugCommand, RunState};
use crate::trace::edit::Edit;
use crate::trace::{Address, BlockHook, Hook, HostTensor, Stage};

/// Flags of `vitrine step`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The prompt.
    prompt: String,
    #[command(flatten)]
    model: ModelArgs,
    /// Run the prompt as it is, without the chat template.
    #[arg(long)]
    raw: bool,
    /// Change the run: `blocks.2.attn.hook_z[:, 3]=zero`; may be given several times.
    #[arg(long, value_name = "SPEC")]
    edit: Vec<Edit>,
    /// Stop here: `blocks.2`, `sample if p<0.5`, `sample if token= Paris`; may be given several times.
    #[arg(long = "break", value_name = "WHERE")]
    breakpoints: Vec<Breakpoint>,
    #[command(flatten)]
    sampling: SamplingArgs,
}

const KEYS: &str = "\
  s, space, →   one step: a stage, the draw, or appending the token
  t             to the logits of the next token
  g             on, to the next breakpoint or the end of the answer
  b, ←          one step back
  r             back to the beginning
  h             another head in the attention picture
  /ADDRESS      look at a value: /blocks.2.attn.hook_z[3, 1]
  ?             these keys
  q             leave";

/// Runs the command.
///
/// # Errors
/// If the model cannot be loaded or run.
pub fn run(args: &Args) -> Result<Ended> {
    let mut stepper = Stepper::open(args)?;
    let term = Term::stdout();
    let by_key = io::stdin().is_terminal() && term.is_term();
    if by_key {
        writeln!(io::stdout(), "{KEYS}\n")?;
    }
    stepper.show()?;
    let mut lines = io::stdin().lock().lines();
    loop {
        let order = if by_key {
            match term.read_key()? {
                Key::ArrowRight | Key::Enter => "s".to_owned(),
                Key::ArrowLeft => "b".to_owned(),
                Key::Char('/') => {
                    write!(io::stdout(), "/")?;
                    io::stdout().flush()?;
                    format!("/{}", term.read_line()?)
                }
                Key::Char(key) => key.to_string(),
                Key::Escape | Key::CtrlC => "q".to_owned(),
                _ => continue,
            }
        } else {
            match lines.next() {
                Some(line) => line?,
                None => return Ok(Ended::Well),
            }
        };
        match stepper.obey(order.trim_end_matches('\n')) {
            Ok(true) => {}
            Ok(false) => return Ok(Ended::Well),
            // A wrong address is no reason to lose the run.
            Err(error) => writeln!(io::stdout(), "{error:#}")?,
        }
    }
}

struct Stepper {
    client: Client,
    state: RunState,
    head: usize,
}

impl Stepper {
    fn open(args: &Args) -> Result<Self> {
        let prompt = match args.raw {
            true => Prompt::Raw(args.prompt.clone()),
            false => Prompt::Chat {
                messages: vec![Message::new("user", &args.prompt)],
                prefill_response: None,
                args: TemplateArgs::for_answer(),
            },
        };
        let request = OpenRequest {
            model: args.model.choice(),
            prompt,
            sampling: args.sampling.choice(),
            seed: args.sampling.seed,
            cache: CacheOptions::default(),
            watch: Watch::Nothing,
            budget_bytes: None,
            chunks: Vec::new(),
            all_logits: false,
            edits: args.edit.clone(),
            sources: Vec::new(),
            script: Vec::new(),
        };
        let mut client = Client::start()?;
        let cancel = CancelToken::default();
        let open = Action::Open(Box::new(request));
        let state = run_of(client.ask(SessionId(0), open, &cancel)?)?;
        let mut stepper = Self {
            client,
            state,
            head: 0,
        };
        if !args.breakpoints.is_empty() {
            stepper.tell(DebugCommand::Breakpoints(args.breakpoints.clone()))?;
        }
        Ok(stepper)
    }

    /// Does what a key asks for. Returns whether to go on.
    fn obey(&mut self, order: &str) -> Result<bool> {
        match order {
            "" | " " | "s" => self.tell(DebugCommand::Steps(1))?,
            "t" => self.tell(DebugCommand::Tokens(1))?,
            "g" => self.tell(DebugCommand::End { max_tokens: 512 })?,
            "b" => self.tell(DebugCommand::Back)?,
            "r" => self.tell(DebugCommand::Rewind(Address::at(
                crate::trace::Place::Stage(Stage::Embed),
            )))?,
            "h" => self.head += 1,
            "q" => return Ok(false),
            "?" => {
                writeln!(io::stdout(), "{KEYS}")?;
                return Ok(true);
            }
            _ => match order.strip_prefix('/') {
                Some(address) => {
                    let address: Address = address.trim().parse()?;
                    let value = self.look(address.clone())?;
                    writeln!(
                        io::stdout(),
                        "{address}  {:?}\n{}",
                        value.shape(),
                        numbers(&value)
                    )?;
                    return Ok(true);
                }
                None => bail!("'{order}' is no key; ? lists them"),
            },
        }
        self.show()?;
        Ok(true)
    }

    fn tell(&mut self, command: DebugCommand) -> Result<()> {
        let cancel = CancelToken::default();
        let _guard = interrupt::cancels(&cancel);
        let asked = self
            .client
            .ask(SessionId(0), Action::Debug(command), &cancel)?;
        self.state = run_of(asked)?;
        Ok(())
    }

    fn look(&mut self, address: Address) -> Result<HostTensor> {
        let command = Action::Debug(DebugCommand::Look(address));
        for event in self
            .client
            .ask(SessionId(0), command, &CancelToken::default())?
        {
            match event {
                Event::Looked(value) => return Ok(*value),
                Event::Failed(why) => bail!(why),
                _ => {}
            }
        }
        bail!("the engine ended without an answer")
    }

    /// Tells where the run stands, and draws what the latest stage has made.
    fn show(&mut self) -> Result<()> {
        let mut out = io::stdout();
        writeln!(out, "\n{}", text_of(&self.state))?;
        if let Some(breakpoint) = &self.state.stopped_by {
            writeln!(out, "stopped at {breakpoint}")?;
        }
        let number = self.state.passes.len().saturating_sub(1);
        let Some(pass) = self.state.passes.last().cloned() else {
            return Ok(());
        };
        let newest = pass.executed.last().copied();
        match (&pass.draw, newest) {
            (Some(draw), _) => {
                let random = draw
                    .random
                    .map_or("greedy".to_owned(), |r| format!("random number {r:.4}"));
                let share = draw.share * 100.0;
                writeln!(
                    out,
                    "sample: '{}', {share:.1} % of the shares left by the filters, {random}",
                    draw.text
                )?;
            }
            (None, Some((stage, seconds))) => {
                writeln!(out, "{stage}, {:.1} ms", seconds * 1e3)?;
                self.picture(stage, number)?;
            }
            (None, None) => writeln!(out, "positions to run: {}", pass.n_pos)?,
        }
        writeln!(out, "next: {}", self.state.next)?;
        Ok(())
    }

    fn picture(&mut self, stage: Stage, pass: usize) -> Result<()> {
        let at = |hook| Address {
            pass: Some(pass),
            ..Address::of(hook)
        };
        let mut out = io::stdout();
        match stage {
            Stage::Embed | Stage::FinalNorm => {
                let state = self.look(Address {
                    pass: Some(pass),
                    ..Address::at(crate::trace::Place::Stage(stage))
                })?;
                // The final norm is taken only where logits are needed: at the last position.
                let texts = self.texts(pass);
                let n_rows = state.shape().first().copied().unwrap_or(0);
                let shown = texts
                    .get(texts.len().saturating_sub(n_rows)..)
                    .unwrap_or_default();
                writeln!(
                    out,
                    "length of each position's vector:\n{}",
                    sizes(&state, shown)
                )?;
            }
            Stage::Block(layer) => {
                let norms = self.look(at(Hook::Block(layer, BlockHook::ResultNorm)))?;
                let n_heads = norms.shape().last().copied().unwrap_or(1);
                let head = self.head % n_heads;
                let mut address = at(Hook::Block(layer, BlockHook::Pattern));
                address.index = vec![head];
                let map = self.look(address)?;
                writeln!(
                    out,
                    "attention of L{layer}.H{head} ({n_heads} heads; h for another), \
                     row: reads, column: is read; █ ≥ 50 %, ▓ ≥ 20 %, ▒ ≥ 5 %, ░ less:"
                )?;
                writeln!(out, "{}", shades(&map, &self.texts(pass)))?;
            }
            Stage::Logits => writeln!(out, "{}", bars(&self.state.likeliest))?,
        }
        Ok(())
    }

    fn texts(&self, pass: usize) -> Vec<String> {
        let pass = self.state.passes.get(pass);
        let (start, n) = pass.map_or((0, 0), |pass| (pass.start, pass.n_pos));
        let texts = self.state.texts.iter().skip(start).take(n);
        texts.map(|text| visible(text)).collect()
    }
}

/// The text so far, the answer set off.
fn text_of(state: &RunState) -> String {
    let (prompt, answer) = state
        .texts
        .split_at(state.prompt_len.min(state.texts.len()));
    let cut = prompt.concat();
    let shown: String = cut
        .chars()
        .rev()
        .take(200)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    format!("{shown}▸{}", answer.concat())
}

/// A token for one line: control characters as escapes, everything else as it is.
fn visible(text: &str) -> String {
    let shown = text.chars().flat_map(|letter| match letter.is_control() {
        true => letter.escape_debug().collect::<Vec<_>>(),
        false => vec![letter],
    });
    shown.collect()
}

/// One bar per position: the size of its state.
fn sizes(state: &HostTensor, texts: &[String]) -> String {
    let norm = |row: usize| {
        let row = state.at(&[row]).unwrap_or_default();
        row.iter().map(|x| x * x).sum::<f32>().sqrt()
    };
    let norms: Vec<f32> = (0..texts.len()).map(norm).collect();
    let largest = norms.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let rows = texts.iter().zip(&norms).rev().take(16).map(|(text, norm)| {
        let bar = "█".repeat((norm / largest * 24.0) as usize);
        format!("  {text:>14}  {norm:8.3}  {bar}")
    });
    let mut rows: Vec<String> = rows.collect();
    rows.reverse();
    rows.join("\n")
}

/// A map in four shades: the newest 16 queries against the newest 48 keys.
fn shades(map: &HostTensor, texts: &[String]) -> String {
    let &[n_queries, n_keys] = map.shape() else {
        return String::new();
    };
    let first_key = n_keys.saturating_sub(48);
    let first_query = n_queries.saturating_sub(16);
    let rows = (first_query..n_queries).map(|query| {
        let cells = (first_key..n_keys).map(|key| shade(map.value(&[query, key]).unwrap_or(0.0)));
        let text = texts.get(query).map_or("", String::as_str);
        format!("  {text:>14}  {}", cells.collect::<String>())
    });
    rows.collect::<Vec<_>>().join("\n")
}

fn shade(share: f32) -> char {
    match share {
        share if share >= 0.5 => '█',
        share if share >= 0.2 => '▓',
        share if share >= 0.05 => '▒',
        share if share > 0.0 => '░',
        _ => ' ',
    }
}

/// The likeliest tokens with their probabilities as bars.
fn bars(tokens: &[TopToken]) -> String {
    let rows = tokens.iter().take(6).map(|token| {
        let p = token.logprob.exp();
        let bar = "█".repeat((p * 32.0).round() as usize);
        format!("  {:>14}  {:5.1} %  {bar}", visible(&token.text), p * 100.0)
    });
    rows.collect::<Vec<_>>().join("\n")
}

/// The first numbers of a value, eight in a line.
fn numbers(value: &HostTensor) -> String {
    let shown: Vec<String> = value
        .values()
        .iter()
        .take(64)
        .map(|x| format!("{x:9.4}"))
        .collect();
    let mut lines: Vec<String> = shown.chunks(8).map(|line| line.join(" ")).collect();
    let n = value.values().len();
    if n > 64 {
        lines.push(format!("… {} more", n - 64));
    }
    lines.join("\n")
}
