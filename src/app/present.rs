//! Presenting: from stop to stop, what the room sees, and the speaker's own window.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use egui::{Context, ViewportBuilder, ViewportCommand, ViewportId};

use super::App;
use crate::lesson::stops::{Stop, Stops};
use crate::settings::PromptSettings;
use crate::trace::NoAddress;
use crate::ui::command::Command;
use crate::ui::lessons::LessonCommand;
use crate::ui::picture::Picture;
use crate::ui::present::{self, PresentCommand, Presenting, SCALES, Talk};
use crate::ui::sheets::view_line;
use crate::ui::spot::PictureKind;
use crate::ui::state::Mode;
use crate::ui::view_line::ViewLine;

/// The talk, and when it began.
#[derive(Default)]
pub struct Lectern {
    pub(super) talk: Talk,
    /// Where it is kept; nowhere if `None`.
    file: Option<PathBuf>,
    begun: Option<Instant>,
    /// The pictures that a frozen room sees.
    resting: BTreeMap<PictureKind, Box<dyn Picture>>,
}

impl Lectern {
    /// The talk that was prepared last; what cannot be read is told, and left alone.
    pub fn new(home: Option<&PathBuf>) -> (Self, Option<String>) {
        let file = home.map(|home| home.join("stops.toml"));
        let read = file.as_deref().map_or(Ok(Stops::default()), Stops::load);
        let (stops, told, file) = match read {
            Ok(stops) => (stops, None, file),
            Err(error) => (Stops::default(), Some(format!("{error:#}")), None),
        };
        let talk = Talk {
            stops,
            file: file.as_ref().map(|file| file.display().to_string()),
        };
        let lectern = Self {
            talk,
            file,
            begun: None,
            resting: BTreeMap::new(),
        };
        (lectern, told)
    }
}

impl App {
    /// Begins to present, or ends.
    pub(super) fn present(&mut self, on: bool) {
        self.view.is_presenting = on;
        self.view.present = Presenting::default();
        self.lectern.begun = on.then(Instant::now);
    }

    /// Carries out what someone who presents asks for.
    pub(super) fn apply_presenting(&mut self, ctx: &Context, command: PresentCommand) {
        let shown = &mut self.view.present;
        match command {
            PresentCommand::Next => self.pass_on(1),
            PresentCommand::Back => self.pass_on(-1),
            PresentCommand::Stop(at) => self.go_to_stop(at),
            PresentCommand::Heads => shown.shows_heads ^= true,
            PresentCommand::Black => shown.is_black ^= true,
            PresentCommand::Freeze => shown.is_frozen ^= true,
            PresentCommand::Answer => shown.shows_answer ^= true,
            PresentCommand::Spotlight => shown.has_spotlight ^= true,
            PresentCommand::Notes => {
                shown.has_notes ^= true;
                if ctx.embed_viewports() {
                    shown.has_notes = false;
                    let text = "This platform gives one window only: the notes stand under T.";
                    self.messages.tell(text.to_owned());
                }
            }
            PresentCommand::Larger(by) => self.enlarge(ctx, by),
            PresentCommand::Add => self.keep_stop(),
            PresentCommand::Save(stops) => self.save_stops(stops),
        }
    }

    /// To the next stop or the one before; in a lesson, step by step.
    fn pass_on(&mut self, by: isize) {
        let shown = &mut self.view.present;
        (shown.is_black, shown.shows_answer) = (false, false);
        if self.view.mode == Mode::Lessons {
            let command = if by > 0 {
                LessonCommand::Next
            } else {
                LessonCommand::Back
            };
            self.in_lesson(command);
            return;
        }
        let last = self.lectern.talk.stops.stops.len().checked_sub(1);
        let next = match self.view.present.stop {
            None if by > 0 => Some(0),
            None => None,
            Some(at) => at.checked_add_signed(by),
        };
        if let (Some(next), Some(last)) = (next, last) {
            self.go_to_stop(next.min(last));
        }
    }

    fn go_to_stop(&mut self, at: usize) {
        let Some(stop) = self.lectern.talk.stops.stops.get(at).cloned() else {
            return;
        };
        self.view.present.stop = Some(at);
        match line_of(stop, &self.settings.prompt) {
            Ok(line) => self.open_view(line),
            Err(error) => self.messages.tell(format!("Stop {}: {error}", at + 1)),
        }
    }

    /// Keeps what is on view as the last stop of the talk.
    fn keep_stop(&mut self) {
        let mut line = ViewLine::default();
        self.with_scene(|scene| line = view_line(scene));
        let mut stops = self.lectern.talk.stops.clone();
        stops.stops.push(stop_of(line));
        let n = stops.stops.len();
        self.view.present.stop = n.checked_sub(1);
        self.save_stops(stops);
        self.messages
            .tell(format!("Kept as stop {n}; T shows them all."));
    }

    fn save_stops(&mut self, stops: Stops) {
        self.lectern.talk.stops = stops;
        let Some(file) = &self.lectern.file else {
            return;
        };
        if let Err(error) = self.lectern.talk.stops.save(file) {
            self.messages.tell(format!("{error:#}"));
            self.lectern.file = None;
            self.lectern.talk.file = None;
        }
    }

    /// To the next larger or smaller size.
    fn enlarge(&mut self, ctx: &Context, by: i32) {
        let at = SCALES
            .iter()
            .position(|scale| *scale >= self.settings.present_scale - 0.01);
        let at = at.unwrap_or(SCALES.len() - 1);
        let next = if by > 0 { at + 1 } else { at.saturating_sub(1) };
        if let Some(scale) = SCALES.get(next) {
            self.settings.present_scale = *scale;
            if !self.view.present.is_frozen {
                self.dress(ctx);
            }
            self.save();
        }
    }

    /// Keeps what the room sees while it is frozen. The textures in it belong to the pictures that
    /// drew them, so these rest; others show what the speaker does meanwhile.
    pub(super) fn keep_frozen(&mut self, ctx: &Context) {
        let wants = self.view.is_presenting && self.view.present.is_frozen;
        match (wants, present::still::is_there(ctx)) {
            (true, false) => {
                present::still::freeze(ctx);
                self.lectern.resting = std::mem::take(&mut self.pictures);
            }
            (false, true) => {
                present::still::thaw(ctx);
                self.pictures = std::mem::take(&mut self.lectern.resting);
                // What was made larger meanwhile.
                self.dress(ctx);
                ctx.request_repaint();
            }
            _ => {}
        }
    }

    /// Draws the speaker's window, where the platform gives a second one.
    pub(super) fn speak(&mut self, ctx: &Context) {
        let wants = self.view.is_presenting && self.view.present.has_notes;
        if !wants || ctx.embed_viewports() {
            return;
        }
        let builder = ViewportBuilder::default()
            .with_title("Vitrine: notes")
            .with_inner_size([560.0, 640.0]);
        let id = ViewportId::from_hash_of("speaker");
        let since = self
            .lectern
            .begun
            .map_or(0, |begun| begun.elapsed().as_secs());
        let told = format!("{}:{:02}", since / 60, since % 60);
        ctx.show_viewport_immediate(id, builder, |ui, _| {
            let ctx = ui.ctx().clone();
            self.read_keys(&ctx);
            self.with_picture(|scene, picture| present::notes_ui(ui, scene, picture, &told));
            let is_closed = ctx.input(|input| input.viewport().close_requested());
            if is_closed {
                ctx.send_viewport_cmd(ViewportCommand::CancelClose);
                self.commands
                    .push(Command::Presenting(PresentCommand::Notes));
            }
        });
        ctx.request_repaint_after(std::time::Duration::from_secs(1));
    }
}

/// A view as a stop of a talk, with nothing said about it yet.
fn stop_of(line: ViewLine) -> Stop {
    let mut stop = Stop {
        at: line.spot.map(|spot| spot.to_string()).unwrap_or_default(),
        model: line.model,
        head: line.head,
        pos: line.pos,
        key: line.key,
        steps: line.steps,
        ..Stop::default()
    };
    if let Some(prompt) = line.prompt {
        stop.seed = Some(prompt.seed);
        stop.system = Some(prompt.system).filter(|system| prompt.is_chat && !system.is_empty());
        stop.chat = prompt.is_chat;
        stop.prompt = Some(prompt.text);
    }
    stop
}

/// The view of a stop; what it leaves out is as in `now`.
fn line_of(stop: Stop, now: &PromptSettings) -> Result<ViewLine, NoAddress> {
    let prompt = stop.prompt.map(|text| PromptSettings {
        text,
        is_chat: stop.chat,
        system: stop.system.unwrap_or_else(|| now.system.clone()),
        seed: stop.seed.unwrap_or(now.seed),
    });
    Ok(ViewLine {
        model: stop.model,
        prompt,
        spot: Some(stop.at.parse()?),
        head: stop.head,
        pos: stop.pos,
        key: stop.key,
        steps: stop.steps,
    })
}
