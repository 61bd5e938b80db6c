//! `vitrine models pull`: a download with a bar; Ctrl-C keeps what arrived.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::print;
use crate::cli::{Ended, interrupt};
use crate::engine::message::CancelToken;
use crate::engine::shelf;
use crate::hub::download::{Control, Download, DownloadRequest, Target};
use crate::hub::environment::HubEnvironment;
use crate::hub::message::{DownloadEvent, DownloadPlan, DownloadProgress, FileState, Fit};
use crate::hub::{id_of, names};
use crate::trace::units;

/// Flags of `vitrine models pull`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A short name, a Hugging Face id, or a name of your own.
    model: String,
    /// Put plain files into this folder instead of the cache.
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// A branch, tag or commit.
    #[arg(long, value_name = "REV", default_value = "main")]
    revision: String,
}

/// Runs the command.
///
/// # Errors
/// If the download fails; the message says what to do.
pub fn run(args: &Args, environment: HubEnvironment, as_json: bool) -> Result<Ended> {
    let id = id_of(&args.model)?;
    warn_beforehand(&id);
    let request = DownloadRequest {
        revision: args.revision.clone(),
        target: match &args.to {
            Some(folder) => Target::Folder(folder.clone()),
            None => Target::Cache,
        },
        ..DownloadRequest::new(&id, environment.clone())
    };
    let cancel = CancelToken::default();
    let _guard = interrupt::cancels(&cancel);
    let (events, inbox) = channel();
    let download = Download::start(request, move |event| drop(events.send(event)))?;
    let mut screen = Screen::new();
    match follow(&inbox, download.control(), &cancel, &mut screen) {
        DownloadEvent::Finished { folder } => finished(&id, &folder, &screen, args, as_json),
        DownloadEvent::Failed(why) => bail!(why),
        _ => {
            eprintln!(
                "stopped; what arrived is kept, and `vitrine models pull {}` goes on from there",
                args.model
            );
            Ok(Ended::Interrupted)
        }
    }
}

/// Tells what is known to stand in the way, before gigabytes have arrived.
fn warn_beforehand(id: &str) {
    let Some(known) = names::short_of(id) else {
        return;
    };
    let row = shelf::look(
        known.name,
        &HubEnvironment::from_env(),
        shelf::USUAL_POSITIONS,
    );
    let Ok(Some(row)) = row else { return };
    if let Some(why) = row.cannot_run {
        eprintln!("note: {why}");
    } else if let Some(memory) = row.memory.filter(|memory| memory.fit == Fit::TooLarge) {
        eprintln!(
            "note: it needs {} of memory with a context of {}, and {} are free: a smaller one runs better",
            units::bytes(memory.total_bytes()),
            units::count(memory.n_positions as u64),
            units::bytes(memory.free_bytes.unwrap_or(0))
        );
    }
}

/// Shows events until the end, which is returned.
fn follow(
    inbox: &Receiver<DownloadEvent>,
    control: &Control,
    cancel: &CancelToken,
    screen: &mut Screen,
) -> DownloadEvent {
    loop {
        if cancel.is_cancelled() {
            control.stop();
        }
        match inbox.recv_timeout(Duration::from_millis(100)) {
            Ok(DownloadEvent::Planned(plan)) => screen.plan(plan),
            Ok(DownloadEvent::Progress(progress)) => screen.progress(&progress),
            Ok(DownloadEvent::Notice(text)) => screen.note(&text),
            Ok(DownloadEvent::Paused | DownloadEvent::Resumed) => {}
            Ok(end) => {
                screen.bar.finish_and_clear();
                return end;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return DownloadEvent::Failed("the download ended without a word".to_owned());
            }
        }
    }
}

fn finished(id: &str, folder: &Path, screen: &Screen, args: &Args, as_json: bool) -> Result<Ended> {
    let plan = screen.plan.as_ref();
    let bytes = plan.map_or(0, |plan| plan.total_bytes);
    let fetched = plan.map_or(0, |plan| plan.missing_bytes);
    if as_json {
        return print(&json!({
            "model": id,
            "folder": folder,
            "revision": plan.map(|plan| plan.revision.clone()),
            "bytes": bytes,
            "fetched_bytes": fetched,
        }));
    }
    let what = match fetched {
        0 => "was here already",
        _ => "is here and checked",
    };
    let name = match &args.to {
        Some(_) => folder.display().to_string(),
        None => args.model.clone(),
    };
    writeln!(
        io::stdout(),
        "{id} {what}: {} in {}\ntalk to it with `vitrine chat --model {name}`",
        units::bytes(bytes),
        folder.display()
    )?;
    Ok(Ended::Well)
}

/// What is shown on the way, on standard error.
struct Screen {
    bar: ProgressBar,
    plan: Option<DownloadPlan>,
    n_here: usize,
}

impl Screen {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        // The template is ours and right; if it were not, the plain bar would do.
        if let Ok(style) =
            ProgressStyle::with_template("[{bar:30}] {percent:>3} % · {prefix}  {msg}")
        {
            bar.set_style(style.progress_chars("=> "));
        }
        Self {
            bar,
            plan: None,
            n_here: 0,
        }
    }

    fn plan(&mut self, plan: DownloadPlan) {
        let missing = plan.files.iter().filter(|file| !file.is_here);
        for file in missing.clone() {
            self.line(&format!("{:>9}  {}", units::bytes(file.bytes), file.name));
        }
        if missing.count() > 0 {
            let free = plan.free_bytes.map(units::bytes);
            let free = free.map_or(String::new(), |free| format!(", {free} free on the disk"));
            let here = match plan.total_bytes - plan.missing_bytes {
                0 => String::new(),
                bytes => format!(", {} are here", units::bytes(bytes)),
            };
            let missing = units::bytes(plan.missing_bytes);
            self.line(&format!("{missing:>9}  to fetch{here}{free}"));
        }
        self.bar.set_length(plan.total_bytes);
        self.plan = Some(plan);
    }

    fn progress(&mut self, progress: &DownloadProgress) {
        let states = progress.files.iter();
        let now = states
            .clone()
            .find(|file| matches!(file.state, FileState::Arriving | FileState::Checking));
        let what = match now {
            Some(file) if file.state == FileState::Checking => format!("checking {}", file.name),
            Some(file) => file.name.clone(),
            None => String::new(),
        };
        let n_here = states.filter(|file| file.state == FileState::Here).count();
        // Where no bar can be drawn, a line per file is what a log wants.
        if n_here > self.n_here && !io::stderr().is_terminal() {
            let done = units::bytes(progress.done_bytes);
            let all = units::bytes(progress.total_bytes);
            eprintln!(
                "{n_here} of {} files, {done} of {all}",
                progress.files.len()
            );
        }
        self.n_here = n_here;
        let speed = progress.bytes_per_s.map(units::bytes_per_second);
        let left = progress
            .left_s
            .and_then(|left| Duration::try_from_secs_f64(left.round()).ok());
        let left = left.map(|left| format!("{} left", units::duration(left)));
        let figures = [
            Some(format!(
                "{} of {}",
                units::bytes(progress.done_bytes),
                units::bytes(progress.total_bytes)
            )),
            speed,
            left,
        ];
        let figures: Vec<String> = figures.into_iter().flatten().collect();
        self.bar.set_prefix(figures.join(" · "));
        self.bar.set_message(what);
        self.bar.set_position(progress.done_bytes);
    }

    fn note(&self, text: &str) {
        self.line(&format!("note: {text}"));
    }

    /// A line above the bar.
    fn line(&self, text: &str) {
        match io::stderr().is_terminal() && self.plan.is_some() {
            true => self.bar.println(text),
            false => eprintln!("{text}"),
        }
    }
}
