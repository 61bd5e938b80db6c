//! What stands around a picture: its heading and tabs above, its formula below.

use std::sync::Arc;

use egui::{Rect, Ui, UiBuilder, pos2, vec2};

use super::{Picture, Scene, copying};
use crate::trace::Place;
use crate::ui::command::Command;
use crate::ui::controls::{self, Button, segmented};
use crate::ui::spot::Spot;
use crate::ui::theme::{self, Palette, Type, space};

/// Height of the formula strip.
const FORMULA_HEIGHT: f32 = 38.0;

/// Where the picture was drawn last, in points.
#[must_use]
pub fn picture_area(ctx: &egui::Context) -> Option<Rect> {
    ctx.data(|data| data.get_temp(egui::Id::unique("picture-area")))
}

/// Draws `picture` with its heading, tabs and formula into all the room of `ui`.
pub fn picture_ui(ui: &mut Ui, scene: &mut Scene<'_>, picture: &mut dyn Picture) {
    let is_recorded = scene.view.recorded.is_some();
    ui.data_mut(|data| data.insert_temp(super::is_recorded_id(), is_recorded));
    let is_still = scene.view.is_still;
    ui.data_mut(|data| data.insert_temp(super::is_still_id(), is_still));
    let area = ui.max_rect().expand(space::SMALL);
    ui.data_mut(|data| data.insert_temp(egui::Id::unique("picture-area"), area));
    heading_ui(ui, scene, picture);
    // What others asked for is not this picture's matter.
    scene.link.take_refusal();
    ui.add_space(space::SMALL);
    let mut room = ui.available_rect_before_wrap();
    let spot = scene.view.spot.clone();
    if !scene.is_computed(&spot) {
        ui.data_mut(|data| data.remove::<Option<Arc<str>>>(egui::Id::unique("refused")));
        not_computed_ui(ui, scene, room, &spot);
        return;
    }
    if picture.has_formula() {
        let strip = Rect::from_min_max(pos2(room.left(), room.bottom() - FORMULA_HEIGHT), room.max);
        room.max.y = strip.top() - space::MEDIUM;
        let palette = Palette::of(ui);
        let line = palette.hairline();
        ui.painter()
            .rect(strip, 8.0, palette.surface, line, egui::StrokeKind::Inside);
        // Below what stands on it: that takes its own clicks.
        let id = ui.scope_id().with("formula");
        let under = ui.interact(strip, id, egui::Sense::click());
        copying::forget(ui);
        let inside = strip.shrink2(vec2(14.0, 0.0));
        let layout = egui::Layout::left_to_right(egui::Align::Center);
        ui.scope_builder(UiBuilder::new().max_rect(inside).layout(layout), |ui| {
            ui.spacing_mut().item_spacing.x = 10.0;
            ui.shrink_clip_rect(strip);
            match scene.hides_numbers() {
                true => {
                    let told = "The formula shows itself when you have answered.";
                    ui.label(Type::Body.text(told, palette.muted));
                }
                false => picture.formula_ui(ui, scene),
            }
        });
        copying::formula_menu(ui, scene, &under);
    }
    let opacity = fade_in(ui, scene, &spot);
    ui.scope_builder(UiBuilder::new().max_rect(room), |ui| {
        ui.shrink_clip_rect(room.expand(4.0));
        ui.set_opacity(opacity);
        picture.main_ui(ui, scene);
        copying::cell_menu(ui, scene, room);
    });
    let refused = scene.link.take_refusal();
    ui.data_mut(|data| data.insert_temp(egui::Id::unique("refused"), refused));
    ui.advance_cursor_after_rect(ui.max_rect());
}

/// How much of a picture shows: one that has just come into view fades in, unless nothing may move.
fn fade_in(ui: &Ui, scene: &Scene<'_>, spot: &Spot) -> f32 {
    if !scene.settings.motion {
        return 1.0;
    }
    let now = ui.input(|input| input.time);
    let id = ui.scope_id().with("shown");
    let place = (spot.address.place, spot.pass());
    let shown: Option<((Place, usize), f64)> = ui.data(|data| data.get_temp(id));
    let since = match shown {
        Some((shown, since)) if shown == place => since,
        _ => {
            ui.data_mut(|data| data.insert_temp(id, (place, now)));
            now
        }
    };
    let share = ((now - since) as f32 / theme::MOTION_SECS).clamp(0.0, 1.0);
    if share < 1.0 {
        ui.ctx().request_repaint();
    }
    0.25 + 0.75 * share
}

fn heading_ui(ui: &mut Ui, scene: &mut Scene<'_>, picture: &dyn Picture) {
    let palette = Palette::of(ui);
    let heading = picture.heading(scene);
    let tabs = picture.tabs();
    ui.horizontal(|ui| {
        ui.set_min_height(space::TARGET + 2.0);
        ui.label(Type::Title.text(&heading.title, palette.text));
        if !tabs.is_empty() {
            let open = scene.tab_or(tabs, picture.default_tab());
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if let Some(tab) = segmented(ui, "tabs", tabs, open) {
                    let tab = tabs.get(tab).copied().unwrap_or_default();
                    scene.send(Command::Tab(tab.to_lowercase()));
                }
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    detail_ui(ui, &heading.detail);
                });
            });
        } else {
            detail_ui(ui, &heading.detail);
        }
    });
    ui.add_space(-4.0);
    ui.add(egui::Label::new(Type::Body.text(&heading.sentence, palette.muted)).wrap());
    recorded_ui(ui, scene);
}

/// Of a recorded run: says that a part of the picture was not recorded, and why.
fn recorded_ui(ui: &mut Ui, scene: &Scene<'_>) {
    let refused: Option<Arc<str>> = ui
        .data(|data| data.get_temp(egui::Id::unique("refused")))
        .flatten();
    if let (Some(_), Some(why)) = (&scene.view.recorded, refused) {
        let text = Type::Small.text("Not all of this was recorded.", Palette::of(ui).text);
        ui.label(text).on_hover_text(why.to_string());
    }
}

fn detail_ui(ui: &mut Ui, detail: &str) {
    let palette = Palette::of(ui);
    let lay = |detail: &str| controls::words(detail, Type::Body, Type::Strong, palette.muted);
    // As many of its parts as there is room for.
    let mut parts: Vec<&str> = detail.split(", ").collect();
    let mut job = lay(detail);
    while parts.len() > 1 && ui.painter().layout_job(job.clone()).size().x > ui.available_width() {
        parts.pop();
        job = lay(&parts.join(", "));
    }
    ui.add(egui::Label::new(job).truncate());
}

/// In place of a picture whose values do not exist yet.
fn not_computed_ui(ui: &mut Ui, scene: &mut Scene<'_>, room: Rect, spot: &Spot) {
    let palette = Palette::of(ui);
    controls::outline(ui.painter(), room.shrink(1.0), palette.faint);
    let inside = Rect::from_center_size(room.center(), vec2(room.width().min(420.0), 90.0));
    ui.scope_builder(UiBuilder::new().max_rect(inside), |ui| {
        ui.vertical_centered(|ui| {
            ui.label(Type::Heading.text("Not computed yet", palette.text));
            let text = "The run has not come here. Nothing is shown that was not computed.";
            ui.label(Type::Body.text(text, palette.muted));
            let mut button = Button::new("Run to here");
            button.is_primary = true;
            if button.show(ui, space::TARGET + 4.0).clicked() {
                scene.send(Command::Go(spot.clone()));
            }
        });
    });
}
