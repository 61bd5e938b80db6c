//! A picture of one state: the real window, drawn until everything on it has been computed.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use egui::ColorImage;

use super::App;
use super::aim::Aim;
use super::launch::{Start, run_native};
use crate::export;
use crate::ui::spot::Spot;

/// A state that is not settled by then is not coming.
const DEADLINE: Duration = Duration::from_secs(300);
/// Frames without anything to wait for, before the picture is taken: answers may lead to questions.
const CALM_FRAMES: usize = 6;

/// Draws `start` off to `file` once everything on view is there.
///
/// # Errors
/// If there is no display, the state is not reached in time, or the file cannot be written.
pub fn shoot(start: Start, file: &Path) -> Result<()> {
    let (result, outcome) = channel();
    let (target, steps) = (start.target.clone(), start.steps);
    let aim = Aim::of_flags(start.token, start.head);
    let start = Start {
        target: None,
        steps: 0,
        token: None,
        head: None,
        ..start
    };
    run_native(start, move |app| Shooter {
        app,
        target,
        steps,
        aim,
        calm: 0,
        begun: Instant::now(),
        state: State::Opening,
        result,
    })?;
    let image = outcome
        .try_recv()
        .context("the window closed before it was drawn")??;
    save_png(&image, file)
}

/// The window with a camera.
struct Shooter {
    app: App,
    target: Option<Spot>,
    steps: usize,
    aim: Aim,
    calm: usize,
    begun: Instant,
    state: State,
    result: Sender<Result<Arc<ColorImage>>>,
}

enum State {
    /// The model is loaded and the run opened.
    Opening,
    /// The run goes to the place that was asked for.
    Going,
    /// The camera has clicked.
    Waiting(Receiver<Arc<ColorImage>>),
    Done,
}

impl Shooter {
    /// Whether nothing has been under way for some frames.
    fn is_calm(&mut self) -> bool {
        match self.app.is_settled() {
            true => self.calm += 1,
            false => self.calm = 0,
        }
        self.calm > CALM_FRAMES
    }

    fn end(&mut self, ctx: &egui::Context, outcome: Result<Arc<ColorImage>>) {
        // Nobody listens only if the window was closed by hand.
        let _ = self.result.send(outcome);
        self.state = State::Done;
        ctx.send_viewport_cmd(egui::ViewportCommand::Close);
    }

    fn advance(&mut self, ctx: &egui::Context) -> Result<Option<Arc<ColorImage>>> {
        if let Some(failure) = self.app.failures().pop() {
            bail!(failure);
        }
        ensure!(
            self.begun.elapsed() < DEADLINE,
            "what was asked for was not computed within {} seconds",
            DEADLINE.as_secs()
        );
        let is_calm = self.is_calm();
        match &self.state {
            State::Opening if is_calm => {
                self.calm = 0;
                self.state = State::Going;
                self.app.run_first(self.steps, self.target.as_ref());
                if let Some(target) = self.target.take() {
                    self.app.go(target);
                }
                self.app.aim = std::mem::take(&mut self.aim);
            }
            State::Going if is_calm => {
                let (shot, photo) = channel();
                ctx.request_screenshot(move |image| {
                    // Nobody waits any more if the deadline has passed.
                    let _ = shot.send(image);
                });
                self.state = State::Waiting(photo);
            }
            State::Waiting(photo) => return Ok(photo.try_recv().ok()),
            State::Opening | State::Going | State::Done => {}
        }
        Ok(None)
    }
}

impl eframe::App for Shooter {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.app.ui(ui);
        let ctx = ui.ctx().clone();
        if !matches!(self.state, State::Done) {
            match self.advance(&ctx) {
                Ok(None) => {}
                Ok(Some(image)) => self.end(&ctx, Ok(image)),
                Err(error) => self.end(&ctx, Err(error)),
            }
        }
        ctx.request_repaint_after(Duration::from_millis(10));
    }

    /// Whatever the pointer and the keyboard do on that screen, the picture is of what was asked for.
    fn raw_input_hook(&mut self, _ctx: &egui::Context, input: &mut egui::RawInput) {
        input.events.retain(|event| {
            use egui::Event::{Key, MouseMoved, MouseWheel, PointerButton, PointerMoved, Text};
            !matches!(
                event,
                Key { .. }
                    | MouseMoved(_)
                    | MouseWheel { .. }
                    | PointerButton { .. }
                    | PointerMoved(_)
                    | Text(_)
            )
        });
    }
}

/// Writes a picture, all of it or nothing.
pub(super) fn save_png(image: &ColorImage, file: &Path) -> Result<()> {
    let [width, height] = image.size;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, u32::try_from(width)?, u32::try_from(height)?);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let pixels = image
        .pixels
        .iter()
        .flat_map(|pixel| [pixel.r(), pixel.g(), pixel.b()]);
    let pixels: Vec<u8> = pixels.collect();
    encoder.write_header()?.write_image_data(&pixels)?;
    export::write(file, &bytes)
}
