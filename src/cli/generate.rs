//! `vitrine generate`: one answer, or one for each line of a file.

use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::answer::{follow, note, summary};
use super::options::{AnswerArgs, ModelArgs, SamplingArgs};
use super::{Ended, interrupt};
use crate::engine::client::Client;
use crate::engine::message::{Action, CancelToken, GenerateRequest, Prompt, SessionId};
use crate::tokenizer::{Message, TemplateArgs};
use crate::trace::answer::{Answer, StopReason};

/// Flags of `vitrine generate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The prompt; `-` reads it from standard input.
    #[arg(conflicts_with_all = ["prompts", "ids"])]
    prompt: Option<String>,
    /// A file with one prompt per line.
    #[arg(long, value_name = "FILE", conflicts_with = "ids")]
    prompts: Option<PathBuf>,
    #[command(flatten)]
    model: ModelArgs,
    /// A system prompt.
    #[arg(long, value_name = "S", conflicts_with_all = ["raw", "ids"])]
    system: Option<String>,
    /// Continue the prompt as it is, without the chat template.
    #[arg(long)]
    raw: bool,
    /// The prompt as token ids.
    #[arg(long, value_name = "1,2,3", value_delimiter = ',')]
    ids: Option<Vec<u32>>,
    /// The first words of the answer, given to the model.
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["raw", "ids"])]
    prefill_response: Option<String>,
    #[command(flatten)]
    answer: AnswerArgs,
    #[command(flatten)]
    sampling: SamplingArgs,
    /// Tell the K likeliest tokens at each place (in `--json`).
    #[arg(long, value_name = "K", default_value_t = 0)]
    top_logprobs: usize,
    /// Print one JSON object per prompt.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// If there is no prompt, or the model cannot be loaded or run.
pub fn run(args: Args) -> Result<Ended> {
    let prompts = prompts(&args)?;
    let mut client = Client::start()?;
    for prompt in prompts {
        let cancel = CancelToken::default();
        let _guard = interrupt::cancels(&cancel);
        let request = request(&args, prompt);
        // One session for all: prompts that begin alike share their prefix in the cache.
        let events = client.ask(SessionId(0), Action::Generate(Box::new(request)), &cancel)?;
        let answer = follow(events, !args.json, &mut note)?.answer;
        if args.json {
            writeln!(io::stdout(), "{}", to_json(&answer))?;
        } else {
            writeln!(io::stdout())?;
            eprintln!("{}", summary(&answer));
        }
        if answer.stop_reason == StopReason::Cancelled {
            return Ok(Ended::Interrupted);
        }
    }
    Ok(Ended::Well)
}

fn request(args: &Args, prompt: Prompt) -> GenerateRequest {
    GenerateRequest {
        model: args.model.choice(),
        prompt,
        sampling: args.sampling.choice(),
        known: Vec::new(),
        max_tokens: Some(args.answer.max_tokens),
        stop: args.answer.stop.clone(),
        extra_eos: args.answer.extra_eos.clone(),
        seed: args.sampling.seed,
        cache: args.answer.cache(),
        prompt_cache: args.answer.prompt_cache.clone(),
        top_logprobs: args.top_logprobs,
        begun: Vec::new(),
    }
}

fn prompts(args: &Args) -> Result<Vec<Prompt>> {
    if let Some(ids) = &args.ids {
        return Ok(vec![Prompt::Ids(ids.clone())]);
    }
    let texts = match (&args.prompts, args.prompt.as_deref()) {
        (Some(path), _) => lines_of(path)?,
        (None, Some("-")) => vec![read_stdin()?],
        (None, Some(prompt)) => vec![prompt.to_owned()],
        (None, None) if !io::stdin().is_terminal() => vec![read_stdin()?],
        (None, None) => bail!("give a prompt, - to read it from standard input, or --prompts FILE"),
    };
    ensure_text(&texts)?;
    Ok(texts
        .into_iter()
        .map(|text| to_prompt(args, text))
        .collect())
}

/// Refuses a prompt without text: a template around nothing is answered with nonsense.
fn ensure_text(texts: &[String]) -> Result<()> {
    if texts.iter().any(|text| text.trim().is_empty()) {
        bail!("the prompt is empty: there is nothing to answer");
    }
    Ok(())
}

fn to_prompt(args: &Args, text: String) -> Prompt {
    if args.raw {
        return Prompt::Raw(text);
    }
    let system = args
        .system
        .iter()
        .map(|system| Message::new("system", system));
    Prompt::Chat {
        messages: system.chain([Message::new("user", text)]).collect(),
        prefill_response: args.prefill_response.clone(),
        args: TemplateArgs {
            more: args.answer.template_arg.iter().cloned().collect(),
            ..TemplateArgs::for_answer()
        },
    }
}

fn lines_of(path: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the prompts in {}", path.display()))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    if lines.is_empty() {
        bail!("{} holds no prompts: write one per line", path.display());
    }
    Ok(lines)
}

fn read_stdin() -> Result<String> {
    let mut bytes = Vec::new();
    io::stdin()
        .read_to_end(&mut bytes)
        .context("cannot read standard input")?;
    let mut text = String::from_utf8(bytes).context("the prompt on standard input is not UTF-8")?;
    // The line break that `echo` adds is not meant.
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

fn to_json(answer: &Answer) -> Value {
    let tokens = answer.tokens.iter().map(|token| {
        json!({
            "id": token.id,
            "text": token.text,
            "logprob": token.logprob,
            "top_logprobs": token.top_logprobs,
        })
    });
    json!({
        "model": answer.model,
        "prompt_tokens": answer.prompt_tokens,
        "tokens": tokens.collect::<Vec<_>>(),
        "text": answer.text,
        "stop_reason": answer.stop_reason,
        "prompt_tps": answer.speed.prompt_tps(),
        "generation_tps": answer.speed.generation_tps(),
        "ttft_s": answer.speed.ttft_s,
        "peak_memory_bytes": answer.peak_memory_bytes,
        "active_memory_bytes": answer.active_memory_bytes,
        "cached_tokens": answer.reused,
        "seed": answer.seed,
    })
}
