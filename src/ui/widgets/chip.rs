//! Chips: small things one can click, on or off.

use egui::{Align2, Color32, Response, Sense, StrokeKind, Ui, WidgetInfo, vec2};

use crate::ui::theme::{Palette, Type, corner};

/// A small button with a text; `is_on` fills it.
pub fn chip_ui(ui: &mut Ui, text: &str, is_on: bool) -> Response {
    chip(ui, text, None, is_on)
}

/// A small button with a coloured dot before its text.
pub fn dot_chip_ui(ui: &mut Ui, text: &str, dot: Color32, is_on: bool) -> Response {
    chip(ui, text, Some(dot), is_on)
}

fn chip(ui: &mut Ui, text: &str, dot: Option<Color32>, is_on: bool) -> Response {
    let palette = Palette::of(ui);
    let font = egui::FontId::new(11.5, Type::Body.font().family);
    let galley = ui
        .painter()
        .layout_no_wrap(text.to_owned(), font, palette.text);
    let dot_room = if dot.is_some() { 13.0 } else { 0.0 };
    let size = vec2(galley.size().x + dot_room + 18.0, 24.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::selected(egui::Role::Button, true, is_on, text));
    if ui.is_rect_visible(rect) {
        let fill = if is_on {
            palette.chosen
        } else {
            palette.surface
        };
        let line = match (response.hovered() || response.has_focus(), is_on) {
            (true, _) => egui::Stroke::new(1.0, palette.muted),
            (false, true) => egui::Stroke::new(1.0, palette.faint),
            (false, false) => palette.hairline(),
        };
        let painter = ui.painter();
        painter.rect_filled(rect, corner::SMALL, fill);
        painter.rect_stroke(rect, corner::SMALL, line, StrokeKind::Inside);
        if let Some(dot) = dot {
            painter.circle_filled(egui::pos2(rect.left() + 13.0, rect.center().y), 3.5, dot);
        }
        let place = Align2::LEFT_CENTER.anchor_size(
            egui::pos2(rect.left() + 9.0 + dot_room, rect.center().y),
            galley.size(),
        );
        painter.galley(place.min, galley, palette.text);
    }
    response
}
