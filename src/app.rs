//! The window: take events, draw, collect commands, apply.

mod aim;
mod apply;
mod chat;
mod display;
mod engine_room;
mod launch;
mod models;
mod navigate;
mod news;
mod present;
mod school;
mod screenshot;
mod share;
mod speaker;
mod still;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::engine::message::{CacheOptions, OpenRequest, Prompt, SamplingChoice};
use crate::engine::question::{ModelChoice, TemplateArgs};
use crate::engine::watch::Watch;
use crate::hub::environment::HubEnvironment;
use crate::settings::{PromptSettings, Settings, ThemeChoice};
use crate::trace::debug::{Breakpoint, RunState};
use crate::ui::command::Command;
use crate::ui::facts::ModelFacts;
use crate::ui::lessons::{Board, catch_number};
use crate::ui::link::{Link, Urgency};
use crate::ui::messages::Messages;
use crate::ui::models::Shelf;
use crate::ui::pages::Pages;
use crate::ui::picture::{Picture, Scene};
use crate::ui::spot::{PictureKind, Spot};
use crate::ui::state::{Mode, ViewState};
use crate::ui::tokens::TokenLabel;
use crate::ui::{frame, keys, pictures, roles, theme};

use aim::Aim;
use chat::ChatDesk;
use engine_room::EngineRoom;
pub use launch::{Start, open};
use models::Desk;
use present::Lectern;
use school::School;
pub use screenshot::shoot;
pub use still::Studio;

/// Everything the window holds between two frames.
pub struct App {
    link: Link,
    settings: Settings,
    /// What the command line said of light and dark, until something else is chosen.
    theme: Option<ThemeChoice>,
    /// Where settings are saved; nowhere if `None`.
    folder: Option<PathBuf>,
    view: ViewState,
    shelf: Shelf,
    desk: Desk,
    run: Option<Arc<RunState>>,
    facts: ModelFacts,
    labels: Vec<TokenLabel>,
    pictures: BTreeMap<PictureKind, Box<dyn Picture>>,
    breakpoints: Vec<Breakpoint>,
    messages: Messages,
    commands: Vec<Command>,
    model: ModelChoice,
    /// The model of the run that is open.
    opened_model: Option<ModelChoice>,
    /// How keys and values are kept.
    cache: CacheOptions,
    /// Where the engine is, to close it with the window.
    engine: EngineRoom,
    /// What to show once the run has come there.
    target: Option<Spot>,
    /// Tokens to generate as soon as a run is open, until that was done.
    first_steps: Option<usize>,
    /// What to point at once the run has come there.
    aim: Aim,
    /// What was on view before a line was opened, until its run is there.
    before_view: Option<Box<(ViewState, PromptSettings)>>,
    /// A recorded run to be opened again.
    reopens: Option<PathBuf>,
    /// Whether a view stays open while the run moves.
    keeps_view: bool,
    stepped_at: Instant,
    chat: ChatDesk,
    school: School,
    lectern: Lectern,
    pages: Pages,
    sharing: share::Sharing,
    drawing: Option<still::Drawing>,
}

impl Drop for App {
    fn drop(&mut self) {
        self.link.cancel_all();
        self.engine.close();
    }
}

/// Time between two frames while tokens arrive.
const PACE: Duration = Duration::from_millis(33);
/// The model that is always there.
const BUILT_IN: &str = "classroom";

impl App {
    /// A window on `start`; the run is opened in the background.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn new(ctx: &egui::Context, start: Start) -> Result<Self> {
        theme::install(ctx);
        let (wake, wake_again) = (ctx.clone(), ctx.clone());
        let engine = EngineRoom::default();
        let link = Link::new(engine.doors(), move |urgency| match urgency {
            Urgency::Now => wake.request_repaint(),
            Urgency::Soon => wake.request_repaint_after(PACE),
        })?;
        let hub = start.hub.unwrap_or_else(HubEnvironment::from_env);
        let folders = &start.settings.lesson_folders;
        let (school, notices) = School::new(engine.clone(), start.folder.as_ref(), folders);
        let (lectern, no_stops) = Lectern::new(start.folder.as_ref());
        let mut app = Self {
            link,
            settings: start.settings,
            theme: start.theme,
            folder: start.folder,
            view: start.view,
            shelf: Shelf::new(hub.is_offline),
            desk: Desk::new(hub, ctx.clone()),
            run: None,
            facts: ModelFacts::default(),
            labels: Vec::new(),
            pictures: BTreeMap::new(),
            breakpoints: Vec::new(),
            messages: Messages::default(),
            commands: Vec::new(),
            model: start.model,
            opened_model: None,
            cache: CacheOptions::default(),
            engine,
            target: start.target,
            first_steps: Some(start.steps),
            aim: Aim::of_flags(start.token, start.head),
            before_view: None,
            reopens: None,
            keeps_view: false,
            stepped_at: Instant::now(),
            chat: ChatDesk::new(start.chats, move || wake_again.request_repaint())?,
            school,
            lectern,
            pages: Pages::default(),
            sharing: share::Sharing::default(),
            drawing: None,
        };
        if let Some(target) = &app.target {
            app.view.mode = Mode::of(target.address.place);
        }
        for notice in start.notice.into_iter().chain(notices).chain(no_stops) {
            app.messages.tell(notice);
        }
        if app.view.is_presenting {
            app.present(true);
        }
        app.dress(ctx);
        match start.recorded {
            Some(path) => app.peek(ctx, path),
            None => app.open_run(),
        }
        if let Some(text) = start.ask {
            app.ask(&text);
        }
        Ok(app)
    }

    /// One frame: take events, draw, collect commands, apply.
    pub fn ui(&mut self, ui: &mut egui::Ui) {
        let ctx = ui.ctx().clone();
        self.take_news(&ctx);
        self.share_news(&ctx);
        self.take_shelf_events();
        let in_lesson = self.sit_down(&ctx);
        self.fit_sheet(&ctx);
        self.read_keys(&ctx);
        self.draw(ui);
        self.play(&ctx);
        self.speak(&ctx);
        for command in std::mem::take(&mut self.commands) {
            self.apply(&ctx, command);
        }
        self.keep_frozen(&ctx);
        if in_lesson {
            self.stand_up();
        }
    }

    /// Shows a spot; runs to it first where it has not been computed.
    pub fn visit(&mut self, spot: Spot) {
        self.keeps_view = false;
        self.go(spot);
    }

    /// Asks for something, as a picture or a bar would.
    pub fn send(&mut self, command: Command) {
        self.commands.push(command);
    }

    /// What is looked at.
    #[must_use]
    pub fn view(&self) -> &ViewState {
        match (self.view.mode, self.school.parked()) {
            (Mode::Lessons, Some(bench)) => &bench.view,
            _ => &self.view,
        }
    }

    /// Where the run stands, once there is one.
    #[must_use]
    pub fn run(&self) -> Option<&RunState> {
        match (self.view.mode, self.school.parked()) {
            (Mode::Lessons, Some(bench)) => bench.run.as_deref(),
            _ => self.run.as_deref(),
        }
    }

    /// Lessons, and how far one has come.
    #[must_use]
    pub fn lessons(&self) -> &Board {
        &self.school.board
    }

    /// Whether everything that was asked for is there.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let is_idle = self.link.is_idle() && self.chat.is_idle() && !self.shelf.is_waiting();
        let is_idle = is_idle && self.sharing.is_idle() && self.drawing.is_none();
        let is_still = is_idle && self.target.is_none() && self.facts.n_layers > 0;
        is_still && (self.view.mode != Mode::Lessons || self.lessons_are_settled())
    }

    /// What went wrong lately, newest last.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        self.messages.failures()
    }

    fn read_keys(&mut self, ctx: &egui::Context) {
        catch_number(ctx, &self.view, self.board());
        let mut pressed = keys::commands(ctx, &self.view, self.labels.len(), self.facts.n_heads);
        if self.view.mode == Mode::Lessons {
            let kept = pressed
                .into_iter()
                .filter_map(|command| self.key_in_lesson(command));
            pressed = kept.collect();
        }
        self.commands.extend(pressed);
    }

    fn draw(&mut self, ui: &mut egui::Ui) {
        let n_before = self.commands.len();
        let (mut messages, mut pages) = (
            std::mem::take(&mut self.messages),
            std::mem::take(&mut self.pages),
        );
        let breakpoints = std::mem::take(&mut self.breakpoints);
        self.with_picture(|scene, picture| {
            frame::frame_ui(ui, scene, picture, &breakpoints, &mut messages, &mut pages);
        });
        (self.messages, self.pages, self.breakpoints) = (messages, pages, breakpoints);
        self.answer_by_click(n_before);
    }

    /// Gives `draw` what there is to draw from, and the picture on view.
    fn with_picture(&mut self, draw: impl FnOnce(&mut Scene<'_>, &mut dyn Picture)) {
        let run = self.run.clone().unwrap_or_default();
        let kind = self.view.picture().unwrap_or(PictureKind::Text);
        let picture = self
            .pictures
            .entry(kind)
            .or_insert_with(|| pictures::create(kind));
        let mut scene = Scene {
            run: &run,
            facts: &self.facts,
            view: &self.view,
            shelf: &self.shelf,
            settings: &self.settings,
            labels: &self.labels,
            chat: &self.chat.state,
            board: &self.school.board,
            talk: &self.lectern.talk,
            link: &mut self.link,
            commands: &mut self.commands,
        };
        draw(&mut scene, picture.as_mut());
    }

    /// Gives `draw` what there is to draw from, beside the picture.
    fn with_scene(&mut self, draw: impl FnOnce(&mut Scene<'_>)) {
        self.with_picture(|scene, _| draw(scene));
    }

    /// Opens a run on the prompt of the settings.
    fn open_run(&mut self) {
        self.leave_recording();
        let request = OpenRequest {
            cache: self.cache,
            ..open_request(&self.settings.prompt, self.model.clone())
        };
        self.link.open(request);
    }
}

/// What the engine is asked to open for a prompt.
fn open_request(prompt: &PromptSettings, model: ModelChoice) -> OpenRequest {
    OpenRequest {
        model,
        prompt: match prompt.is_chat {
            true => Prompt::Chat {
                messages: roles::messages(prompt),
                prefill_response: None,
                args: TemplateArgs::for_answer(),
            },
            false => Prompt::Raw(prompt.text.clone()),
        },
        sampling: SamplingChoice::default(),
        seed: Some(prompt.seed),
        cache: Default::default(),
        watch: Watch::Nothing,
        budget_bytes: None,
        chunks: Vec::new(),
        all_logits: false,
        edits: Vec::new(),
        sources: Vec::new(),
        script: Vec::new(),
    }
}

impl eframe::App for App {
    fn logic(&mut self, _ctx: &egui::Context, _frame: &mut eframe::Frame) {
        // While the window is hidden nothing is drawn, but an answer goes on, and is saved.
        self.link.receive();
        self.take_chat_news();
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        Self::ui(self, ui);
        // Without zoom, so that another size of everything does not change the window.
        let zoom = ui.ctx().zoom_factor();
        if let Some(inner) = ui.input(|input| input.viewport().inner_rect) {
            self.settings.window = [inner.width() * zoom, inner.height() * zoom];
        }
    }

    fn raw_input_hook(&mut self, _ctx: &egui::Context, input: &mut egui::RawInput) {
        self.hide_pointer(input);
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        self.save();
    }
}
