//! Pictures drawn off: from the open window, and headless, for a command or a handout.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use egui::{Context, Pos2, RawInput, Rect, Vec2, vec2};

use super::{App, Start};
use crate::engine::message::OpenRequest;
use crate::settings::Settings;
use crate::trace::debug::DebugCommand;
use crate::ui::picture::Scene;
use crate::ui::pictures;
use crate::ui::spot::Spot;
use crate::ui::still::Still;

/// Frames without anything to wait for before a picture counts as finished.
const CALM_FRAMES: usize = 4;
/// A state that is not settled by then is not coming.
const DEADLINE: Duration = Duration::from_secs(300);
/// Room around a picture on its sheet, beside what the window gives it.
const SHEET: Vec2 = vec2(880.0, 620.0);

/// A picture that is being drawn off.
pub(super) struct Drawing {
    path: PathBuf,
    still: Still,
    calm: usize,
}

impl App {
    /// Begins to draw off the picture on view; it is written once its answers are there.
    pub(super) fn draw_off(&mut self, ctx: &Context, path: PathBuf) {
        match self.still(SHEET, ctx.theme() == egui::Theme::Dark) {
            Some(still) => {
                self.drawing = Some(Drawing {
                    path,
                    still,
                    calm: 0,
                })
            }
            None => self
                .messages
                .tell("There is no picture on view.".to_owned()),
        }
    }

    /// Goes on with the drawing that is under way.
    pub(super) fn go_on_drawing(&mut self, ctx: &Context) {
        let Some(mut drawing) = self.drawing.take() else {
            return;
        };
        let svg = self.draw_still(&mut drawing.still);
        drawing.calm = if self.link.is_idle() {
            drawing.calm + 1
        } else {
            0
        };
        if drawing.calm >= CALM_FRAMES {
            self.write_soon(ctx, drawing.path, svg.into_bytes());
        } else {
            self.drawing = Some(drawing);
        }
        ctx.request_repaint();
    }

    fn still(&self, size: Vec2, is_dark: bool) -> Option<Still> {
        let kind = self.view.picture()?;
        Some(Still::new(pictures::create(kind), size, is_dark))
    }

    fn draw_still(&mut self, still: &mut Still) -> String {
        let run = self.run.clone().unwrap_or_default();
        let settings = Settings {
            motion: false,
            ..self.settings.clone()
        };
        // Where the pointer happens to lie says nothing on paper.
        let mut view = self.view.clone();
        (view.hovered, view.is_still) = (None, true);
        // What a picture on paper wishes for is nobody's wish.
        let mut commands = Vec::new();
        still.draw(&mut Scene {
            run: &run,
            facts: &self.facts,
            view: &view,
            settings: &settings,
            labels: &self.labels,
            talk: &self.lectern.talk,
            shelf: &self.shelf,
            chat: &self.chat.state,
            board: &self.school.board,
            link: &mut self.link,
            commands: &mut commands,
        })
    }
}

/// The app without a window.
pub struct Studio {
    app: App,
    ctx: Context,
    is_dark: bool,
}

impl Studio {
    /// Opens the app on `start`, and waits until it has its run.
    ///
    /// # Errors
    /// If the run cannot be opened.
    pub fn open(start: Start, is_dark: bool) -> Result<Self> {
        let ctx = Context::default();
        let start = Start {
            target: None,
            steps: 0,
            folder: None,
            ..start
        };
        let app = App::new(&ctx, start)?;
        let mut studio = Self { app, ctx, is_dark };
        studio.settle()?;
        Ok(studio)
    }

    /// Opens another run, and generates `n_tokens` after its prompt.
    ///
    /// # Errors
    /// If it cannot be opened or run.
    pub fn run(&mut self, request: OpenRequest, n_tokens: usize) -> Result<()> {
        self.app.link.open(request);
        self.settle()?;
        if n_tokens > 0 {
            self.generate(n_tokens)?;
        }
        Ok(())
    }

    /// Pictures show and conclude nothing from now on: they stand beside questions.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.app.view.is_quiet = true;
        self
    }

    /// Opens a run beside the one that is open, and generates `n_tokens` after its prompt, which
    /// people know as `text`.
    ///
    /// # Errors
    /// If it cannot be opened or run.
    pub fn beside(&mut self, request: OpenRequest, n_tokens: usize, text: String) -> Result<()> {
        let to_end = DebugCommand::Tokens(n_tokens);
        self.app.link.open_other(|other| *other = request, to_end);
        self.app.view.beside = Some(text);
        self.settle()
    }

    /// Generates tokens.
    ///
    /// # Errors
    /// If it fails.
    pub fn generate(&mut self, n_tokens: usize) -> Result<()> {
        self.app.link.tell(DebugCommand::Tokens(n_tokens));
        self.settle()
    }

    /// The picture of `spot` as SVG.
    ///
    /// # Errors
    /// If it cannot be computed, or is none.
    pub fn picture(&mut self, spot: Spot, size: [f32; 2]) -> Result<String> {
        let name = spot.to_string();
        self.app.visit(spot);
        self.settle()?;
        let Some(mut still) = self.app.still(Vec2::from(size), self.is_dark) else {
            bail!("{name} is no picture");
        };
        let (begun, mut calm) = (Instant::now(), 0);
        loop {
            self.frame();
            let svg = self.app.draw_still(&mut still);
            calm = if self.app.link.is_idle() { calm + 1 } else { 0 };
            if calm >= CALM_FRAMES {
                return Ok(svg);
            }
            self.check(begun)?;
        }
    }

    fn settle(&mut self) -> Result<()> {
        let (begun, mut calm) = (Instant::now(), 0);
        while calm < CALM_FRAMES {
            self.frame();
            calm = if self.app.is_settled() { calm + 1 } else { 0 };
            self.check(begun)?;
        }
        Ok(())
    }

    fn frame(&mut self) {
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(1280.0, 800.0))),
            ..RawInput::default()
        };
        let app = &mut self.app;
        let mut output = self.ctx.run_ui(input, |ui| app.ui(ui));
        // Nobody paints it.
        output.textures_delta.set.clear();
        output.textures_delta.free.clear();
        thread::sleep(Duration::from_millis(2));
    }

    fn check(&self, begun: Instant) -> Result<()> {
        if let Some(failure) = self.app.failures().pop() {
            bail!(failure);
        }
        ensure!(
            begun.elapsed() < DEADLINE,
            "what was asked for was not computed within {} seconds",
            DEADLINE.as_secs()
        );
        Ok(())
    }
}
