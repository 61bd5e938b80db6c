//! The speaker's own window. It is as large as everything is usually, whatever the size before the
//! room: egui has one size for all windows, so it is another one while this window is drawn.

use std::time::Duration;

use egui::{
    Context, Event, MouseWheelUnit, Plugin, RawInput, ViewportBuilder, ViewportCommand, ViewportId,
};

use super::App;
use crate::ui::command::Command;
use crate::ui::present::{self, PresentCommand};

impl App {
    /// Draws the speaker's window, where the platform gives a second one.
    pub(super) fn speak(&mut self, ctx: &Context) {
        let wants = self.view.is_presenting && self.view.present.has_notes;
        if !wants || ctx.embed_viewports() {
            return;
        }
        let builder = ViewportBuilder::default()
            .with_title("Vitrine: notes")
            .with_inner_size([560.0, 640.0])
            .with_min_inner_size([320.0, 240.0]);
        let since = self.lectern.elapsed().as_secs();
        let told = format!("{}:{:02}", since / 60, since % 60);
        let (room, own) = (ctx.zoom_factor(), self.settings.scale);
        ctx.add_plugin(Rescale { by: 1.0 });
        ctx.with_plugin(|rescale: &mut Rescale| rescale.by = room / own);
        ctx.options_mut(|options| options.zoom_factor = own);
        ctx.show_viewport_immediate(id(), builder, |ui, _| {
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
        ctx.options_mut(|options| options.zoom_factor = room);
        ctx.request_repaint_after(Duration::from_secs(1));
    }
}

fn id() -> ViewportId {
    ViewportId::from_hash_of("speaker")
}

/// Where the pointer is in the speaker's window is told in points of the room's size.
struct Rescale {
    /// One of the room's points, in the speaker's.
    by: f32,
}

impl Plugin for Rescale {
    fn debug_name(&self) -> &'static str {
        "pointer of the speaker's window"
    }

    fn input_hook(&mut self, _ctx: &Context, input: &mut RawInput) {
        if input.viewport_id != id() {
            return;
        }
        for event in &mut input.events {
            match event {
                Event::PointerMoved(at)
                | Event::PointerButton { pos: at, .. }
                | Event::Touch { pos: at, .. } => *at = (at.to_vec2() * self.by).to_pos2(),
                Event::MouseWheel {
                    unit: MouseWheelUnit::Point,
                    delta,
                    ..
                } => *delta *= self.by,
                _ => {}
            }
        }
    }
}
