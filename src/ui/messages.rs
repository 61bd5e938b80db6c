//! Messages: what went wrong with what to do, what one should know, and what is under way.

use std::time::{Duration, Instant};

use egui::{Align2, Area, Context, Id, Order, Ui, vec2};

use super::command::Command;
use super::controls::{Button, card};
use super::icons::Icon;
use super::link::Activity;
use super::picture::Scene;
use super::theme::{Palette, Type, corner, space};
use super::words::flags::without_flags;

/// The messages on screen.
#[derive(Debug, Default)]
pub struct Messages {
    shown: Vec<Message>,
    next_id: u64,
}

#[derive(Debug)]
struct Message {
    id: u64,
    text: String,
    is_failure: bool,
    /// Since when it can be read.
    since: Instant,
}

/// Most messages on screen; the oldest goes first.
const N_SHOWN: usize = 3;
/// What is only told goes by itself after this; a failure stays until it is closed.
const READ: Duration = Duration::from_secs(6);
/// Work that takes longer shows itself.
const PATIENCE: Duration = Duration::from_millis(400);

impl Messages {
    /// Tells something that people should know.
    pub fn tell(&mut self, text: String) {
        self.push(text, false);
    }

    /// Tells that `what` did not work, and why.
    pub fn failed(&mut self, what: &str, why: &str) {
        self.push(format!("Could not {what}: {why}"), true);
    }

    /// Tells that something did not work, in a sentence of its own.
    pub fn complain(&mut self, why: String) {
        self.push(why, true);
    }

    /// Closes what is only told: failures stay until they were read.
    pub fn clear_notices(&mut self) {
        self.shown.retain(|message| message.is_failure);
    }

    /// Closes all: what they speak of is gone.
    pub fn clear(&mut self) {
        self.shown.clear();
    }

    /// Closes a message.
    pub fn dismiss(&mut self, id: u64) {
        self.shown.retain(|message| message.id != id);
    }

    /// What went wrong, newest last.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        let failures = self.shown.iter().filter(|message| message.is_failure);
        failures.map(|message| message.text.clone()).collect()
    }

    fn push(&mut self, text: String, is_failure: bool) {
        let text = without_flags(&text);
        // The same thing said twice is one message.
        self.shown.retain(|message| message.text != text);
        self.next_id += 1;
        self.shown.push(Message {
            id: self.next_id,
            text,
            is_failure,
            since: Instant::now(),
        });
        if self.shown.len() > N_SHOWN {
            self.shown.remove(0);
        }
    }

    /// Lets go of what was there long enough to be read, unless the pointer is on it.
    fn age(&mut self, ctx: &Context, is_held: bool) {
        if is_held {
            for message in &mut self.shown {
                message.since = Instant::now();
            }
        }
        self.shown
            .retain(|message| message.is_failure || message.since.elapsed() < READ);
        let notices = self.shown.iter().filter(|message| !message.is_failure);
        if let Some(next) = notices.map(|message| message.since.elapsed()).max() {
            ctx.request_repaint_after(READ.saturating_sub(next));
        }
    }

    /// Draws them in the middle, `above` the lower edge of the window.
    pub fn show(&mut self, ctx: &Context, scene: &mut Scene<'_>, above: f32) {
        let activity = scene
            .link
            .activity()
            .filter(|activity| activity.since > PATIENCE);
        if scene.link.is_busy() && activity.is_none() {
            ctx.request_repaint_after(PATIENCE);
        }
        let id = Id::unique("messages");
        let lies_on =
            |place: egui::Rect| ctx.pointer_hover_pos().is_some_and(|at| place.contains(at));
        let is_held = ctx
            .memory(|memory| memory.area_rect(id))
            .is_some_and(lies_on);
        self.age(ctx, is_held && !self.shown.is_empty());
        if self.shown.is_empty() && activity.is_none() {
            return;
        }
        let area = Area::new(id).order(Order::Foreground);
        let area = area
            .anchor(Align2::CENTER_BOTTOM, vec2(0.0, -above))
            .interactable(true);
        area.show(ctx, |ui| {
            ui.set_max_width(560.0);
            for message in &self.shown {
                message_ui(ui, scene, message);
            }
            if let Some(activity) = activity {
                activity_ui(ui, scene, &activity);
            }
        });
    }
}

fn message_ui(ui: &mut Ui, scene: &mut Scene<'_>, message: &Message) {
    let palette = Palette::of(ui);
    let edge = if message.is_failure {
        palette.bad
    } else {
        palette.line
    };
    let frame = card(ui)
        .stroke(egui::Stroke::new(1.0, edge))
        .shadow(ui.visuals().popup_shadow);
    frame.show(ui, |ui| {
        ui.horizontal_top(|ui| {
            let text = Type::Body.text(&message.text, palette.text);
            ui.allocate_ui(vec2(480.0, 0.0), |ui| ui.add(egui::Label::new(text).wrap()));
            let close = Button::icon(Icon::Close, "Close this message");
            if close.show(ui, 22.0).clicked() {
                scene.send(Command::Dismiss(message.id));
            }
        });
    });
    ui.add_space(space::TINY);
}

fn activity_ui(ui: &mut Ui, scene: &mut Scene<'_>, activity: &Activity) {
    let palette = Palette::of(ui);
    card(ui).shadow(ui.visuals().popup_shadow).show(ui, |ui| {
        ui.horizontal(|ui| {
            let secs = activity.since.as_secs();
            let text = match activity.progress {
                Some((done, total)) => {
                    format!("Trying to {} … {done} of {total}, {secs} s", activity.what)
                }
                None => format!("Trying to {} … {secs} s", activity.what),
            };
            ui.label(Type::Body.text(text, palette.text));
            let (done, total) = activity.progress.unwrap_or((0, 0));
            if total > 0 {
                let bar = egui::ProgressBar::new(done as f32 / total as f32);
                ui.add(
                    bar.desired_width(120.0)
                        .desired_height(6.0)
                        .corner_radius(corner::SMALL),
                );
            }
            let mut cancel = Button::new("Cancel");
            cancel.key = "Esc";
            if cancel.show(ui, 26.0).clicked() {
                scene.send(Command::Cancel);
            }
        });
    });
    ui.ctx().request_repaint_after(Duration::from_millis(250));
}
