//! `vitrine bench`: how fast a model runs here, beside how fast this machine could run it.

use std::io::{self, Write};
use std::time::Duration;

use anyhow::{Result, bail};

use super::options::ModelArgs;
use super::table::{Column, Table};
use super::{Ended, interrupt};
use crate::engine::bench::{BenchOptions, BenchReport};
use crate::engine::client::Client;
use crate::engine::message::{Action, CancelToken, Event, SessionId};
use crate::trace::units;

/// Flags of `vitrine bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// Tokens of the prompt; if not given, 512, or fewer where the model's context is short.
    #[arg(long, value_name = "N")]
    prompt_tokens: Option<usize>,
    /// Tokens to generate.
    #[arg(long, value_name = "N", default_value_t = 64)]
    gen_tokens: usize,
    /// Also time a pass of which every hook is recorded, over 64 tokens.
    #[arg(long)]
    recording: bool,
    /// Also run the whole text again, as each token would have to without a KV cache.
    #[arg(long)]
    without_cache: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// If the model cannot be loaded or run.
pub fn run(args: &Args) -> Result<Ended> {
    let mut client = Client::start()?;
    let cancel = CancelToken::default();
    let _guard = interrupt::cancels(&cancel);
    let options = BenchOptions {
        model: args.model.choice(),
        prompt_tokens: args.prompt_tokens,
        gen_tokens: args.gen_tokens,
        recording: args.recording,
        without_cache: args.without_cache,
    };
    for event in client.ask(SessionId(0), Action::Bench(options), &cancel)? {
        match event {
            Event::Notice(text) => eprintln!("note: {text}"),
            Event::Benched(report) => {
                print(&report, args.json)?;
                return Ok(Ended::Well);
            }
            Event::Failed(why) => bail!(why),
            Event::Cancelled => return Ok(Ended::Interrupted),
            _ => {}
        }
    }
    bail!("the engine ended without a measurement")
}

fn print(report: &BenchReport, as_json: bool) -> Result<()> {
    let mut out = io::stdout().lock();
    if as_json {
        writeln!(out, "{}", serde_json::to_string(report)?)?;
    } else {
        write!(out, "{}", for_people(report))?;
    }
    Ok(())
}

fn for_people(report: &BenchReport) -> String {
    let mut table = Table::new([Column::Left(""), Column::Right(""), Column::Left("")]);
    let mut row = |what: &str, value: String, remark: String| {
        table.row([what.to_owned(), value, remark]);
    };
    row("load", duration(report.load_s), String::new());
    let prefill = units::tokens_per_second(report.prefill_tps);
    row("prefill", prefill, prefill_remark(report));
    let decode = units::tokens_per_second(report.decode_tps);
    row("decode", decode, decode_remark(report));
    if let Some(cost) = &report.recording {
        let remark = format!(
            "{} tokens with every hook recorded ({}): {:.2} times the {} of a plain pass",
            cost.n_tokens,
            units::bytes(cost.recorded_bytes as u64),
            cost.ratio(),
            duration(cost.plain_s)
        );
        row("recording", duration(cost.recorded_s), remark);
    }
    if let Some(cost) = &report.without_cache {
        let remark = format!(
            "a token without a KV cache: all {} positions again, {:.0} times the {} with it",
            units::count(cost.positions as u64),
            cost.ratio(),
            duration(cost.with_cache_s)
        );
        row("no cache", duration(cost.without_cache_s), remark);
    }
    let peak = units::bytes(report.peak_memory_bytes as u64);
    row("peak memory", peak, "in MLX's arrays".to_owned());
    if let Some(resident) = report.peak_resident_bytes {
        let remark = "of the whole process".to_owned();
        row("", units::bytes(resident), remark);
    }
    let threads = format!("float32, on {} threads", report.n_threads);
    row("this machine", units::flops(report.gflops * 1e9), threads);
    if let Some(bandwidth) = report.bandwidth_gbs {
        let bandwidth = units::bytes_per_second(bandwidth * 1e9);
        row("", bandwidth, "memory bandwidth".to_owned());
    }
    format!(
        "{} on the {}, quantized layers by {}, BLAS {}\n\n{table}",
        report.model, report.device, report.kernels, report.blas
    )
}

fn duration(seconds: f64) -> String {
    units::duration(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

fn prefill_remark(report: &BenchReport) -> String {
    let tokens = format!("{} tokens", units::count(report.prompt_tokens as u64));
    match report.gflops_share {
        Some(share) => {
            let share = units::percent(share);
            format!("{tokens}, {share} of this machine's float32 speed")
        }
        None => tokens,
    }
}

fn decode_remark(report: &BenchReport) -> String {
    let tokens = format!("{} tokens", units::count(report.gen_tokens as u64));
    match report.bandwidth_share {
        Some(share) => {
            let (share, bytes) = (units::percent(share), units::bytes(report.bytes_per_token));
            format!("{tokens}, {share} of what the memory bandwidth allows for {bytes} each")
        }
        None => tokens,
    }
}
