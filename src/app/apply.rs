//! Carrying out what was asked for while a frame was drawn.

use std::time::{Duration, Instant};

use egui::style::ScrollAnimation;

use super::App;
use crate::engine::message::CacheOptions;
use crate::settings::ThemeChoice;
use crate::trace::debug::{DebugCommand, Next};
use crate::trace::{Address, Place, Stage};
use crate::ui::command::{Command, Move, Pointing};
use crate::ui::spot::Spot;
use crate::ui::state::{Depth, Mode};
use crate::ui::theme::MOTION_SECS;
use crate::ui::walk;

impl App {
    pub(super) fn apply(&mut self, ctx: &egui::Context, command: Command) {
        let Some(command) = self.apply_to_lessons(command) else {
            return;
        };
        match command {
            Command::Look(spot) => self.look(spot),
            Command::Go(spot) => {
                self.keeps_view = false;
                self.toggle_fold(&spot);
                self.go(spot);
            }
            Command::Move(way) => {
                self.keeps_view = true;
                self.step(way);
            }
            Command::Tell(command) => self.link.tell(command),
            Command::Point(pointing) => {
                let is_token = matches!(pointing, Pointing::Token(_));
                self.view.point(pointing);
                self.follow_token();
                if is_token {
                    self.show_pass_of_token();
                }
            }
            Command::Tab(tab) => self.view.open_tab(&tab),
            Command::Depth(depth) => self.set_depth(depth),
            Command::Mode(mode) => self.view.mode = mode,
            Command::Open(prompt) => {
                self.settings.prompt = prompt;
                self.reopen();
                self.save();
            }
            Command::Cache(cache) => self.keep_otherwise(cache),
            Command::Model(name) => self.load_model(name),
            Command::Shelf(command) => self.ask_shelf(command),
            Command::Breakpoints(breakpoints) => {
                self.breakpoints.clone_from(&breakpoints);
                self.link.tell(DebugCommand::Breakpoints(breakpoints));
            }
            Command::Overlay(overlay) => self.view.overlay = overlay,
            Command::Play(on) => self.view.is_playing = on,
            Command::Cancel => {
                self.link.cancel();
                self.view.is_playing = false;
                if self.view.mode == Mode::Chat {
                    self.leave_chat();
                }
            }
            Command::Presenting(command) => self.apply_presenting(ctx, command),
            Command::Share(wish) => self.share(ctx, wish),
            Command::Dismiss(id) => self.messages.dismiss(id),
            Command::Copy(text) => ctx.copy_text(text),
            Command::Chat(command) => self.apply_chat(*command),
            choice => self.choose(ctx, choice),
        }
    }

    /// Commands that change what is saved.
    fn choose(&mut self, ctx: &egui::Context, command: Command) {
        match command {
            Command::Speed(speed) => self.settings.speed = speed,
            Command::Theme(theme) => {
                self.settings.theme = theme;
                self.theme = None;
            }
            Command::Scale(scale) => self.settings.scale = scale,
            Command::Motion(on) => self.settings.motion = on,
            Command::Rail => self.settings.rail = !self.settings.rail,
            Command::Side => self.settings.side = !self.settings.side,
            Command::Present(on) => self.present(on),
            Command::PresentScale(scale) => self.settings.present_scale = scale,
            _ => return,
        }
        self.dress(ctx);
        self.save();
    }

    /// Gives the window the chosen theme, size and motion.
    pub(super) fn dress(&self, ctx: &egui::Context) {
        ctx.set_theme(match self.theme.unwrap_or(self.settings.theme) {
            ThemeChoice::System => egui::ThemePreference::System,
            ThemeChoice::Light => egui::ThemePreference::Light,
            ThemeChoice::Dark => egui::ThemePreference::Dark,
        });
        // Before a room its own size counts, whatever is usual on this screen.
        ctx.set_zoom_factor(match self.view.is_presenting {
            true => self.zoom_before_room(ctx),
            false => self.settings.scale,
        });
        let moves = self.settings.motion;
        ctx.all_styles_mut(|style| {
            (style.animation_time, style.scroll_animation) = match moves {
                true => (MOTION_SECS, ScrollAnimation::default()),
                false => (0.0, ScrollAnimation::none()),
            };
            style.visuals.text_cursor.blink = moves;
        });
    }

    /// Saves the settings; a failure is told once, and loses nothing but the wish.
    pub(super) fn save(&mut self) {
        let Some(folder) = &self.folder else {
            return;
        };
        let mut settings = self.settings.clone();
        // The prompt of a lesson is not what was open last.
        if let Some(prompt) = self.prompt_of_explorer() {
            settings.prompt = prompt;
        }
        if let Some(prompt) = self.sharing.own_prompt() {
            settings.prompt.clone_from(prompt);
        }
        if let Err(error) = settings.save(folder) {
            self.messages.tell(format!("{error:#}"));
            self.folder = None;
        }
    }

    /// Steps by itself, at the chosen speed, one step at a time.
    pub(super) fn play(&mut self, ctx: &egui::Context) {
        if !self.view.is_playing {
            return;
        }
        let pause = Duration::from_secs_f32(1.0 / self.settings.speed.max(0.1));
        let waited = self.stepped_at.elapsed();
        if self.link.is_busy() || waited < pause {
            ctx.request_repaint_after(pause.saturating_sub(waited));
            return;
        }
        self.stepped_at = Instant::now();
        let is_over = self.run.as_ref().is_some_and(|run| {
            run.next == Next::Ended
                && self.view.spot == walk::newest(&self.facts, self.depth(), run)
        });
        match is_over {
            true => self.view.is_playing = false,
            false => self.commands.push(Command::Move(Move::Step)),
        }
    }

    /// Runs the prompt with another cache, as far as it has run.
    fn keep_otherwise(&mut self, cache: CacheOptions) {
        let reached = self.run.as_ref().map(|run| {
            let newest = run.passes.len().saturating_sub(1);
            let mut address = Address::at(Place::Stage(Stage::Logits));
            address.pass = Some(newest);
            address
        });
        self.cache = cache;
        self.reopen();
        if let Some(address) = reached {
            self.link.tell(DebugCommand::To(address));
        }
    }

    /// Runs the prompt with another model. The tab on view stays, and so does the model in use until the other one
    /// is there.
    fn load_model(&mut self, name: String) {
        self.shelf.loading = Some(name.clone());
        self.model.name = name;
        let mode = self.view.mode;
        self.reopen();
        self.view.mode = mode;
    }

    /// Opens the prompt anew; the picture on view is run to again.
    pub(super) fn reopen(&mut self) {
        self.target = Some(self.view.spot.clone());
        // The prompt of the settings takes the place of what the chat had opened.
        self.leave_visit();
        if self.view.mode != Mode::Lessons {
            self.view.mode = Mode::Explore;
        }
        self.view.overlay = None;
        self.view.is_playing = false;
        self.open_run();
    }

    /// Chooses how far a step goes; who has left the six stops is not shown them again.
    pub(super) fn set_depth(&mut self, depth: Depth) {
        self.view.depth = depth;
        if depth != Depth::Stops && !self.settings.has_walked {
            self.settings.has_walked = true;
            self.save();
        }
    }

    /// A click on the row of a block that is on view folds or unfolds it.
    fn toggle_fold(&mut self, spot: &Spot) {
        let crate::trace::Place::Stage(crate::trace::Stage::Block(layer)) = spot.address.place
        else {
            return;
        };
        self.view.unfolded = match self.view.unfolded == Some(layer) {
            true => None,
            false => Some(layer),
        };
    }
}
