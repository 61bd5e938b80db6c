//! The six stops: the shortest way through a pass, for the first time.

use egui::{Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use super::command::Command;
use super::controls::key_cap;
use super::picture::Scene;
use super::spot::Spot;
use super::state::Depth;
use super::theme::{Palette, Type, mix, space};
use super::walk;
use crate::trace::{Place, View};

/// Draws the stops in a row, with the one on view marked.
pub fn stops_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let palette = Palette::of(ui);
    let pass = scene.view.pass();
    // The token on the screen is where the story ends, not a stop of it.
    let stops: Vec<Place> = walk::stations(scene.facts, Depth::Stops, 0)
        .into_iter()
        .filter(|place| *place != Place::View(View::Screen))
        .collect();
    let here = walk::order(scene.view.spot.address.place);
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        for (at, place) in stops.iter().enumerate() {
            let is_prompt = matches!(place, Place::View(View::Text | View::Tokens));
            let spot = Spot::at(*place, Some(pass).filter(|_| !is_prompt));
            let is_here = here == walk::order(*place);
            if at > 0 {
                let (rect, _) = ui.allocate_exact_size(vec2(18.0, 2.0), Sense::hover());
                ui.painter().hline(
                    rect.x_range().shrink(3.0),
                    rect.center().y,
                    palette.hairline(),
                );
            }
            stop_ui(ui, scene, at + 1, spot, is_here);
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if ui.available_width() > 130.0 {
                ui.spacing_mut().item_spacing.x = space::SMALL;
                key_cap(ui, "↓");
                if super::controls::text_button(ui, "Go deeper").clicked() {
                    scene.send(Command::Move(super::command::Move::Into));
                }
            }
        });
    });
}

fn stop_ui(ui: &mut Ui, scene: &mut Scene<'_>, number: usize, spot: Spot, is_here: bool) {
    let palette = Palette::of(ui);
    let is_computed = scene.is_computed(&spot);
    let name = walk::name(spot.address.place);
    let (font, colour) = match (is_here, is_computed) {
        (true, _) => (Type::Strong, palette.text),
        (false, true) => (Type::Body, palette.text),
        (false, false) => (Type::Body, palette.muted),
    };
    let text = ui
        .painter()
        .layout_no_wrap(name.clone(), font.font(), colour);
    let size = vec2(text.size().x + 30.0, 28.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| {
        WidgetInfo::selected(
            egui::Role::RadioButton,
            true,
            is_here,
            format!("stop {number}: {name}"),
        )
    });
    let painter = ui.painter();
    let disc = pos2(rect.left() + 11.0, rect.center().y);
    let fill = match (is_here, is_computed) {
        (true, _) => palette.primary,
        (false, true) => mix(palette.background, palette.text, 0.16),
        (false, false) => palette.background,
    };
    painter.circle(
        disc,
        9.0,
        fill,
        egui::Stroke::new(1.0, mix(palette.line, palette.text, 0.15)),
    );
    let on = if is_here { palette.on_primary } else { colour };
    let font = egui::FontId::new(10.5, super::fonts::medium());
    painter.text(
        disc,
        egui::Align2::CENTER_CENTER,
        number.to_string(),
        font,
        on,
    );
    let at = pos2(rect.left() + 25.0, rect.center().y - text.size().y / 2.0);
    painter.galley(at, text, colour);
    if response.hovered() {
        let line = Rect::from_min_max(
            pos2(at.x, rect.bottom() - 4.0),
            pos2(rect.right() - 4.0, rect.bottom() - 3.0),
        );
        painter.rect_filled(line, 0.0, palette.faint);
    }
    if response
        .on_hover_cursor(egui::CursorIcon::PointingHand)
        .clicked()
    {
        scene.send(Command::Go(spot));
    }
}
