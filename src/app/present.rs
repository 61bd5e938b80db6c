//! Presenting: from stop to stop, what the room sees, and the speaker's own window.

use std::path::PathBuf;
use std::time::Instant;

use egui::{Context, ViewportBuilder, ViewportCommand, ViewportId};

use super::App;
use crate::lesson::stops::{Stop, Stops};
use crate::settings::PromptSettings;
use crate::ui::command::Command;
use crate::ui::lessons::LessonCommand;
use crate::ui::present::{self, PresentCommand, Presenting, SCALES, Talk};
use crate::ui::spot::Spot;
use crate::ui::state::Mode;

/// The talk, and when it began.
#[derive(Debug, Default)]
pub struct Lectern {
    pub(super) talk: Talk,
    /// Where it is kept; nowhere if `None`.
    file: Option<PathBuf>,
    begun: Option<Instant>,
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
        (shown.is_frozen, shown.is_black, shown.shows_answer) = (false, false, false);
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
        let spot: Spot = match stop.at.parse() {
            Ok(spot) => spot,
            Err(error) => {
                self.messages.tell(format!("Stop {}: {error}", at + 1));
                return;
            }
        };
        let prompt = stop.prompt.map(|text| PromptSettings {
            text,
            is_chat: stop.chat,
            ..self.settings.prompt.clone()
        });
        match prompt.filter(|prompt| *prompt != self.settings.prompt) {
            Some(prompt) => {
                self.settings.prompt = prompt;
                self.target = Some(spot);
                self.open_run();
            }
            None => self.visit(spot),
        }
    }

    /// Keeps what is on view as the last stop of the talk.
    fn keep_stop(&mut self) {
        let mut spot = self.view.spot.clone();
        if let Some(locked) = &self.view.locked
            && locked.place == spot.address.place
        {
            spot = Spot::from(locked.clone());
        }
        let prompt = self.settings.prompt.clone();
        let mut stops = self.lectern.talk.stops.clone();
        stops.stops.push(Stop {
            at: spot.to_string(),
            prompt: Some(prompt.text),
            chat: prompt.is_chat,
            ..Stop::default()
        });
        let n = stops.stops.len();
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
            self.dress(ctx);
            self.save();
        }
    }

    /// What may happen while the picture is frozen: nothing that the room would see.
    pub(super) fn hold_still(&mut self) {
        if !(self.view.is_presenting && self.view.present.is_frozen) {
            return;
        }
        self.commands.retain(|command| {
            matches!(
                command,
                Command::Presenting(_)
                    | Command::Present(_)
                    | Command::Overlay(_)
                    | Command::Dismiss(_)
                    | Command::Theme(_)
            )
        });
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
            self.with_scene(|scene| present::notes_ui(ui, scene, &told));
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
