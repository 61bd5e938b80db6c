//! Opening the window: what it begins with, and what is said where there is no display.

use std::path::PathBuf;

use anyhow::{Result, anyhow};

use super::App;
use super::display::{self, Display};
use crate::chat::ChatStore;
use crate::engine::question::ModelChoice;
use crate::hub::environment::HubEnvironment;
use crate::settings::{Settings, ThemeChoice};
use crate::ui::spot::Spot;
use crate::ui::state::{Depth, ViewState};

/// What the window begins with.
#[derive(Debug, Clone)]
pub struct Start {
    /// What was saved, with what the command line said instead.
    pub settings: Settings,
    /// Light or dark for this window, whatever is saved.
    pub theme: Option<ThemeChoice>,
    /// Where settings are saved; nowhere if `None`.
    pub folder: Option<PathBuf>,
    /// What is looked at first.
    pub view: ViewState,
    /// Run to this and show it.
    pub target: Option<Spot>,
    /// Tokens to generate first. Without any, a view of a run still gets the prompt's run.
    pub steps: usize,
    /// The position of the text to point at; the last one if `None`.
    pub token: Option<usize>,
    /// The head to point at; the one with the clearest pattern if `None`.
    pub head: Option<usize>,
    /// Which model.
    pub model: ModelChoice,
    /// Where models come from; what the environment says if `None`.
    pub hub: Option<HubEnvironment>,
    /// A recorded run to open in place of the model's.
    pub recorded: Option<PathBuf>,
    /// Something to tell at once.
    pub notice: Option<String>,
    /// Where conversations are kept; as long as the window if `None`.
    pub chats: Option<ChatStore>,
    /// What to ask in the chat at once.
    pub ask: Option<String>,
}

impl Start {
    /// On these settings and this model, with nothing saved.
    #[must_use]
    pub fn new(settings: Settings, model: ModelChoice) -> Self {
        Self {
            settings,
            theme: None,
            folder: None,
            view: ViewState::at_depth(Depth::Stages),
            target: None,
            steps: 0,
            token: None,
            head: None,
            model,
            hub: None,
            recorded: None,
            notice: None,
            chats: None,
            ask: None,
        }
    }
}

/// Opens the window, and returns when it is closed.
///
/// # Errors
/// If there is no display or no OpenGL; the message says what to do.
pub fn open(start: Start) -> Result<()> {
    run_native(start, |app| app)
}

/// Opens a window in which `wrap` puts something around the app.
///
/// # Errors
/// As [`open`].
pub(super) fn run_native<A: eframe::App + 'static>(
    start: Start,
    wrap: impl FnOnce(App) -> A + 'static,
) -> Result<()> {
    let display = display::find()?;
    let [width, height] = start.settings.window;
    let viewport = egui::ViewportBuilder::default()
        .with_title("Vitrine")
        .with_app_id("vitrine")
        .with_inner_size([width, height])
        .with_min_inner_size([640.0, 400.0]);
    let options = eframe::NativeOptions {
        viewport,
        event_loop_builder: event_loop(display),
        ..eframe::NativeOptions::default()
    };
    let create = move |creation: &eframe::CreationContext<'_>| {
        let app = wrap(App::new(&creation.egui_ctx, start)?);
        Ok(Box::new(app) as Box<dyn eframe::App>)
    };
    let opened = eframe::run_native("vitrine", options, Box::new(create));
    opened.map_err(|error| anyhow!(display::explain(&error)))
}

/// Says which way to the screen to take, where the usual choice would be wrong.
fn event_loop(display: Display) -> Option<eframe::EventLoopBuilderHook> {
    #[cfg(target_os = "linux")]
    if display == Display::X11 {
        use winit::platform::x11::EventLoopBuilderExtX11 as _;
        return Some(Box::new(|builder| {
            builder.with_x11();
        }));
    }
    let _ = display;
    None
}
