//! The controls of the frame: buttons, segmented choices, key caps, cards, outlines.

use egui::text::LayoutJob;
use egui::{
    Align, Color32, CornerRadius, Frame, Margin, Rect, Response, RichText, Sense, Shape, Stroke,
    StrokeKind, TextFormat, Ui, WidgetInfo, pos2, vec2,
};

use super::icons::Icon;
use super::theme::{Palette, Type, corner, mix, space};

/// A button: an icon, a label, what it leads to, and its key.
#[derive(Debug, Clone, Copy, Default)]
pub struct Button<'a> {
    /// Drawn before the label.
    pub icon: Option<Icon>,
    /// Its name; also for those who hear the window, so it is there even if `is_icon`.
    pub label: &'a str,
    /// Said after the label in another weight: `: mix values`.
    pub detail: &'a str,
    /// The key that does the same.
    pub key: &'a str,
    /// The one button that leads on.
    pub is_primary: bool,
    /// Shows its icon alone.
    pub is_icon: bool,
    /// Cannot be pressed now.
    pub is_disabled: bool,
    /// Is switched on.
    pub is_on: bool,
}

impl<'a> Button<'a> {
    /// A plain button.
    #[must_use]
    pub fn new(label: &'a str) -> Self {
        Self {
            label,
            ..Self::default()
        }
    }

    /// A button with an icon alone.
    #[must_use]
    pub fn icon(icon: Icon, label: &'a str) -> Self {
        Self {
            icon: Some(icon),
            is_icon: true,
            label,
            ..Self::default()
        }
    }

    /// Draws it, `height` high.
    pub fn show(self, ui: &mut Ui, height: f32) -> Response {
        let palette = Palette::of(ui);
        let (fill, line, text) = self.colours(palette);
        let galley = (!self.is_icon).then(|| {
            let mut job = LayoutJob::default();
            let font = if self.is_primary {
                Type::Strong
            } else {
                Type::Label
            };
            job.append(self.label, 0.0, format(font, text));
            if !self.detail.is_empty() {
                job.append(self.detail, 3.0, format(Type::Body, mix(fill, text, 0.72)));
            }
            ui.painter().layout_job(job)
        });
        let cap = (!self.key.is_empty() && !self.is_icon).then(|| key_galley(ui, self.key, text));
        let icon_width = if self.icon.is_some() { 12.0 } else { 0.0 };
        let text_width = galley.as_ref().map_or(0.0, |galley| galley.size().x);
        let cap_width = cap.as_ref().map_or(0.0, |cap| cap.size().x + 10.0);
        let gaps = [icon_width, text_width, cap_width]
            .iter()
            .filter(|width| **width > 0.0)
            .count();
        let padding = if self.is_icon {
            (height - 12.0) / 2.0
        } else {
            12.0
        };
        let width = 2.0 * padding
            + icon_width
            + text_width
            + cap_width
            + 8.0 * gaps.saturating_sub(1) as f32;
        let sense = if self.is_disabled {
            Sense::hover()
        } else {
            Sense::click()
        };
        let (rect, response) = ui.allocate_exact_size(vec2(width, height), sense);
        response
            .widget_info(|| WidgetInfo::labeled(egui::Role::Button, !self.is_disabled, self.label));
        if !ui.is_rect_visible(rect) {
            return response;
        }
        let fill = match (response.is_pointer_button_down_on(), response.hovered()) {
            (true, _) => mix(fill, text, 0.12),
            (false, true) if !self.is_disabled => mix(fill, text, 0.06),
            _ => fill,
        };
        let painter = ui.painter();
        painter.rect(rect, corner::BUTTON, fill, line, StrokeKind::Inside);
        focus_ring(ui, &response, rect);
        let mut x = rect.left() + padding;
        if let Some(icon) = self.icon {
            let area = Rect::from_center_size(pos2(x + 6.0, rect.center().y), vec2(12.0, 12.0));
            icon.paint(painter, area, text);
            x += icon_width + 8.0;
        }
        if let Some(galley) = galley {
            painter.galley(
                pos2(x, rect.center().y - galley.size().y / 2.0),
                galley,
                text,
            );
            x += text_width + 8.0;
        }
        if let Some(cap) = cap {
            paint_cap(
                ui,
                Rect::from_min_size(pos2(x, rect.center().y - 9.0), vec2(cap_width, 18.0)),
                cap,
                text,
                fill,
            );
        }
        let response = response.on_hover_cursor(egui::CursorIcon::PointingHand);
        match (self.is_icon, self.key) {
            (false, _) => response,
            (true, "") => response.on_hover_text(self.label),
            (true, key) => response.on_hover_text(format!("{} ({key})", self.label)),
        }
    }

    fn colours(&self, palette: &Palette) -> (Color32, Stroke, Color32) {
        let (fill, line, text) = match (self.is_primary, self.is_on) {
            (true, _) => (palette.primary, Stroke::NONE, palette.on_primary),
            (false, true) => (palette.chosen, palette.hairline(), palette.text),
            (false, false) => (palette.surface, palette.hairline(), palette.text),
        };
        match (self.is_disabled, self.is_primary) {
            // Its label still says what it would do.
            (true, true) => (palette.sunk, palette.hairline(), palette.muted),
            (true, false) => (mix(fill, palette.background, 0.6), line, palette.faint),
            (false, _) => (fill, line, text),
        }
    }
}

/// Marks the control that has the keyboard.
pub fn focus_ring(ui: &Ui, response: &Response, rect: Rect) {
    if response.has_focus() {
        let ring = Stroke::new(2.0, Palette::of(ui).role(super::theme::Role::Query));
        ui.painter()
            .rect_stroke(rect.expand(2.0), corner::CARD, ring, StrokeKind::Middle);
    }
}

/// Paints the ground of a button, or of several in one frame.
pub fn plate(ui: &Ui, rect: Rect) {
    tile(ui, rect, corner::BUTTON, false, false);
}

/// Paints something that can be clicked: filled when it is on, sunk under the pointer.
pub fn tile(ui: &Ui, rect: Rect, radius: CornerRadius, is_on: bool, is_hovered: bool) {
    let palette = Palette::of(ui);
    let fill = match (is_on, is_hovered) {
        (true, _) => palette.chosen,
        (false, true) => palette.sunk,
        (false, false) => palette.surface,
    };
    let line = palette.hairline();
    ui.painter()
        .rect(rect, radius, fill, line, StrokeKind::Inside);
}

/// A format for a piece of text.
#[must_use]
pub fn format(font: Type, colour: Color32) -> TextFormat {
    TextFormat {
        valign: Align::Center,
        ..TextFormat::simple(font.font(), colour)
    }
}

fn key_galley(ui: &Ui, key: &str, text: Color32) -> std::sync::Arc<egui::Galley> {
    ui.painter()
        .layout_no_wrap(key.to_owned(), Type::MonoSmall.font(), text)
}

fn paint_cap(ui: &Ui, rect: Rect, cap: std::sync::Arc<egui::Galley>, text: Color32, fill: Color32) {
    let line = Stroke::new(1.0, mix(fill, text, 0.3));
    ui.painter()
        .rect_stroke(rect, 4.0, line, StrokeKind::Inside);
    let at = rect.center() - cap.size() / 2.0;
    ui.painter()
        .galley_with_override_text_color(at, cap, mix(fill, text, 0.72));
}

/// A key as a cap, by itself.
pub fn key_cap(ui: &mut Ui, key: &str) -> Response {
    let palette = Palette::of(ui);
    let cap = key_galley(ui, key, palette.text);
    let size = vec2((cap.size().x + 12.0).max(22.0), 20.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, key));
    ui.painter().rect_filled(rect, 4.0, palette.surface);
    paint_cap(ui, rect, cap, palette.text, palette.surface);
    response
}

/// One choice out of a few, as a row of segments. Returns the one that was clicked.
pub fn segmented(ui: &mut Ui, name: &str, options: &[&str], chosen: usize) -> Option<usize> {
    let palette = Palette::of(ui);
    let height = space::TARGET;
    let galleys: Vec<_> = options
        .iter()
        .enumerate()
        .map(|(at, option)| {
            let (font, colour) = match at == chosen {
                true => (Type::Strong, palette.text),
                false => (Type::Body, palette.muted),
            };
            ui.painter()
                .layout_no_wrap((*option).to_owned(), font.font(), colour)
        })
        .collect();
    let widths: Vec<f32> = galleys
        .iter()
        .map(|galley| galley.size().x + 24.0)
        .collect();
    let size = vec2(widths.iter().sum(), height);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    plate(ui, rect);
    let (mut x, mut clicked) = (rect.left(), None);
    for (at, (galley, width)) in galleys.into_iter().zip(&widths).enumerate() {
        let part = Rect::from_min_size(pos2(x, rect.top()), vec2(*width, height));
        let response = ui.interact(part, ui.scope_id().with((name, at)), Sense::click());
        let label = options.get(at).copied().unwrap_or_default();
        response.widget_info(|| {
            WidgetInfo::selected(egui::Role::RadioButton, true, at == chosen, label)
        });
        let fill = match (at == chosen, response.hovered()) {
            (true, _) => Some(palette.chosen),
            (false, true) => Some(palette.sunk),
            (false, false) => None,
        };
        if let Some(fill) = fill {
            ui.painter()
                .rect_filled(part.shrink(1.0), corner::SMALL, fill);
        }
        if at > 0 && at != chosen && at != chosen + 1 {
            ui.painter()
                .vline(x, part.shrink(1.0).y_range(), palette.hairline());
        }
        focus_ring(ui, &response, part);
        ui.painter()
            .galley(part.center() - galley.size() / 2.0, galley, palette.text);
        if response
            .on_hover_cursor(egui::CursorIcon::PointingHand)
            .clicked()
        {
            clicked = Some(at);
        }
        x += width;
    }
    clicked
}

/// A card: one level above the background.
pub fn card(ui: &Ui) -> Frame {
    let palette = Palette::of(ui);
    Frame::new()
        .fill(palette.surface)
        .stroke(palette.hairline())
        .corner_radius(corner::CARD)
        .inner_margin(Margin::same(space::MEDIUM as i8))
}

/// The dashed outline of what is not computed yet.
pub fn outline(painter: &egui::Painter, rect: Rect, colour: Color32) {
    let corners = [
        rect.left_top(),
        rect.right_top(),
        rect.right_bottom(),
        rect.left_bottom(),
        rect.left_top(),
    ];
    painter.extend(Shape::dashed_line(
        &corners,
        Stroke::new(1.0, colour),
        4.0,
        3.0,
    ));
}

/// A small heading, as over the parts of the side panel.
pub fn caption(ui: &mut Ui, text: &str) -> Response {
    let palette = Palette::of(ui);
    ui.label(Type::Caption.text(text, palette.muted))
}

/// A paragraph in which `**words**` are set off.
pub fn paragraph(ui: &mut Ui, text: &str) -> Response {
    let palette = Palette::of(ui);
    let mut job = words(text, Type::Body, Type::Strong, palette.text);
    job.wrap.max_width = ui.available_width();
    ui.label(job)
}

/// Text in which `**words**` are set in another type.
#[must_use]
pub fn words(text: &str, plain: Type, strong: Type, colour: Color32) -> LayoutJob {
    let mut job = LayoutJob::default();
    for (at, piece) in text.split("**").enumerate() {
        let font = if at % 2 == 1 { strong } else { plain };
        let mut format = TextFormat::simple(font.font(), colour);
        format.line_height = Some(plain.font().size * 1.45);
        job.append(piece, 0.0, format);
    }
    job
}

/// A link within text: clickable words.
pub fn text_button(ui: &mut Ui, text: &str) -> Response {
    let palette = Palette::of(ui);
    let label = egui::Label::new(
        RichText::new(text)
            .font(Type::Label.font())
            .color(palette.muted)
            .underline(),
    );
    let response = ui.add(label.sense(Sense::click()));
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, text));
    response.on_hover_cursor(egui::CursorIcon::PointingHand)
}

/// A word to click, without a frame: for rows of many small actions.
pub fn quiet_button(ui: &mut Ui, label: &str, told: &str, is_enabled: bool) -> Response {
    let palette = Palette::of(ui);
    let galley =
        ui.painter()
            .layout_no_wrap(label.to_owned(), Type::Caption.font(), Color32::PLACEHOLDER);
    let sense = if is_enabled {
        Sense::click()
    } else {
        Sense::hover()
    };
    let (rect, response) = ui.allocate_exact_size(vec2(galley.size().x + 12.0, 24.0), sense);
    // A sign says nothing to those who hear the window.
    let name = if label.is_ascii() { label } else { told };
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, is_enabled, name));
    let colour = match (is_enabled, response.hovered()) {
        (false, _) => palette.faint,
        (true, true) => palette.text,
        (true, false) => palette.muted,
    };
    if is_enabled && response.hovered() {
        ui.painter().rect_filled(rect, corner::SMALL, palette.sunk);
    }
    focus_ring(ui, &response, rect);
    ui.painter()
        .galley(rect.center() - galley.size() / 2.0, galley, colour);
    match is_enabled {
        true => response
            .on_hover_cursor(egui::CursorIcon::PointingHand)
            .on_hover_text(told),
        false => response,
    }
}

/// A small icon to click, without a frame.
pub fn quiet_icon(ui: &mut Ui, icon: Icon, told: &str, is_enabled: bool) -> Response {
    let palette = Palette::of(ui);
    let sense = if is_enabled {
        Sense::click()
    } else {
        Sense::hover()
    };
    let (rect, response) = ui.allocate_exact_size(vec2(22.0, 24.0), sense);
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, is_enabled, told));
    if is_enabled && response.hovered() {
        ui.painter().rect_filled(rect, corner::SMALL, palette.sunk);
    }
    focus_ring(ui, &response, rect);
    let colour = if is_enabled {
        palette.text
    } else {
        palette.faint
    };
    let area = Rect::from_center_size(rect.center(), vec2(9.0, 9.0));
    icon.paint(ui.painter(), area, colour);
    response.on_hover_text(told)
}

/// Gives a text field its name, for those who hear the window.
pub fn name_field(field: &Response, text: &str, name: &str) {
    field.widget_info(|| WidgetInfo {
        label: Some(name.to_owned()),
        ..WidgetInfo::text_edit(true, text, text, "")
    });
}
