//! `vitrine` without a command: the window, or a picture of one of its states.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::Ended;
use crate::app::{self, Start};
use crate::chat::ChatStore;
use crate::engine::message::ModelChoice;
use crate::hub;
use crate::model::linear::Kernels;
use crate::settings::{PromptSettings, Settings, ThemeChoice};
use crate::trace::{Place, View};
use crate::ui::pictures;
use crate::ui::present;
use crate::ui::spot::Spot;
use crate::ui::state::{Depth, ViewState};
use crate::ui::view_line::ViewLine;

/// Flags of the window.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Open the window on this prompt.
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
    /// A folder, a Hugging Face id in the local cache, `classroom` or `classroom-16bit`.
    #[arg(long, value_name = "M")]
    model: Option<String>,
    /// Run the prompt as it is, without the chat template.
    #[arg(long)]
    raw: bool,
    /// Show this: a stage, a hook or a view, and a tab of it (`sample#filters`).
    #[arg(long, value_name = "ADDRESS", value_parser = place)]
    at: Option<Spot>,
    /// Point at this head.
    #[arg(long, value_name = "H")]
    head: Option<usize>,
    /// Point at this position of the text.
    #[arg(long, value_name = "P")]
    pos: Option<usize>,
    /// Generate this many tokens first.
    #[arg(long, value_name = "N", default_value_t = 0)]
    steps: usize,
    /// Light or dark.
    #[arg(long, value_name = "THEME", value_parser = theme)]
    theme: Option<ThemeChoice>,
    /// Inner size of the window, in points.
    #[arg(long, value_name = "WxH", value_parser = size)]
    size: Option<[f32; 2]>,
    /// Present it: large type, the picture and one sentence.
    #[arg(long)]
    present: bool,
    /// Size of everything in percent: 50 to 300; with `--present` 150 to 300.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u16).range(50..=300))]
    zoom: Option<u16>,
    /// Open this recorded run, without its model.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["prompt", "model"])]
    open: Option<PathBuf>,
    /// A prompt that came with a view.
    #[arg(skip)]
    chosen: Option<PromptSettings>,
    /// The position that is read, which came with a view.
    #[arg(skip)]
    key: Option<usize>,
    /// Save a picture of that state, and end.
    #[arg(long, value_name = "FILE")]
    screenshot: Option<PathBuf>,
    /// List the places that `--at` takes, and end.
    #[arg(long)]
    list_places: bool,
}

impl Args {
    /// The same window on a recorded run.
    #[must_use]
    pub fn with_file(self, file: PathBuf) -> Self {
        Self {
            open: Some(file),
            ..self
        }
    }

    /// The same window on a view; what is given as a flag too is the flag's.
    #[must_use]
    pub fn with_view(self, line: ViewLine) -> Self {
        let chosen = self.prompt.is_none().then_some(line.prompt).flatten();
        Self {
            model: self.model.or(line.model),
            at: self.at.or(line.spot),
            head: self.head.or(line.head),
            pos: self.pos.or(line.pos),
            key: line.key,
            steps: self.steps.max(line.steps.unwrap_or(0)),
            chosen,
            ..self
        }
    }
}

/// Opens the window.
///
/// # Errors
/// If there is no display, or the picture cannot be taken or written.
pub fn run(args: Args) -> Result<Ended> {
    if args.list_places {
        super::places::print(args.model.as_deref())?;
        return Ok(Ended::Well);
    }
    let folder = Settings::folder();
    let (saved, notice) = match folder.as_deref().map(Settings::load) {
        Some(Err(error)) => (Settings::default(), Some(format!("{error:#}"))),
        Some(Ok(settings)) => (settings, None),
        None => (Settings::default(), None),
    };
    // A picture shows what the command line says, not what someone chose last.
    let is_picture = args.screenshot.is_some();
    let (saved, folder) = match is_picture {
        true => (Settings::default(), None),
        false => (saved, folder),
    };
    let start = start(&args, saved, folder, notice);
    match &args.screenshot {
        Some(file) => app::shoot(start, file).context("cannot take the picture")?,
        None => app::open(start)?,
    }
    Ok(Ended::Well)
}

fn start(args: &Args, saved: Settings, folder: Option<PathBuf>, notice: Option<String>) -> Start {
    let mut settings = saved;
    if let Some(text) = &args.prompt {
        settings.prompt = PromptSettings {
            text: text.clone(),
            is_chat: !args.raw,
            ..PromptSettings::default()
        };
    }
    if let Some(prompt) = &args.chosen {
        settings.prompt.clone_from(prompt);
    }
    // What fades in would be half there.
    settings.motion &= args.screenshot.is_none();
    if let Some(size) = args.size {
        settings.window = size;
    }
    if let Some(percent) = args.zoom {
        let scale = f32::from(percent) / 100.0;
        match args.present {
            true => settings.present_scale = scale.max(present::SCALES[0]),
            false => settings.scale = scale,
        }
    }
    let mut view = ViewState::default();
    view.is_presenting = args.present;
    // The six stops are for the first time.
    if settings.has_walked || args.at.is_some() {
        view.depth = Depth::Stages;
    }
    let place = args.at.as_ref().map(|at| at.address.place);
    let is_chat = place == Some(Place::View(View::Chat));
    view.key = args.key;
    let named = args.model.as_deref().or(settings.model.as_deref());
    Start {
        model: ModelChoice {
            name: hub::choose(named).name,
            kernels: Kernels::Auto,
        },
        settings,
        theme: args.theme,
        folder,
        view,
        target: args.at.clone(),
        steps: args.steps,
        token: args.pos,
        head: args.head,
        hub: None,
        recorded: args.open.clone(),
        notice,
        chats: (args.screenshot.is_none())
            .then(ChatStore::locate)
            .flatten(),
        ask: is_chat.then(|| args.prompt.clone()).flatten(),
    }
}

/// A place, and a tab that its picture has.
fn place(text: &str) -> Result<Spot, String> {
    let spot: Spot = text.parse().map_err(|error| format!("{error}"))?;
    pictures::check_tab(&spot)?;
    Ok(spot)
}

fn theme(text: &str) -> Result<ThemeChoice, String> {
    match text {
        "light" => Ok(ThemeChoice::Light),
        "dark" => Ok(ThemeChoice::Dark),
        "system" => Ok(ThemeChoice::System),
        _ => Err("write light, dark or system".to_owned()),
    }
}

fn size(text: &str) -> Result<[f32; 2], String> {
    let parsed = text.split_once('x').and_then(|(width, height)| {
        let side = |text: &str| {
            text.trim()
                .parse::<f32>()
                .ok()
                .filter(|side| (320.0..=8_000.0).contains(side))
        };
        Some([side(width)?, side(height)?])
    });
    parsed
        .ok_or_else(|| "write a width and a height between 320 and 8000, e.g. 1280x800".to_owned())
}
