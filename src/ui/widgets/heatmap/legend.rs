//! The legend of a map: what is counted, the colours, and where the scale ends.

use egui::{Color32, Mesh, Rect, Response, Sense, Shape, Ui, WidgetInfo, pos2, vec2};

use crate::ui::colormap::ColorMap;
use crate::ui::theme::{Palette, Type, space};

const BAR: egui::Vec2 = vec2(100.0, 9.0);

/// Draws the legend: a name, the ends of the scale as numbers, the colours between them.
pub fn legend_ui(ui: &mut Ui, name: &str, colours: &ColorMap, limit: f32) -> Response {
    let palette = Palette::of(ui);
    let low = if colours.is_diverging() { -limit } else { 0.0 };
    let row = ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::TINY + 2.0;
        ui.label(Type::Body.text(name, palette.muted));
        ui.label(Type::MonoSmall.text(figure(low), palette.text));
        let (rect, response) = ui.allocate_exact_size(BAR, Sense::hover());
        ui.painter().add(Shape::mesh(ramp(rect, colours.table())));
        ui.painter()
            .rect_stroke(rect, 2, palette.hairline(), egui::StrokeKind::Outside);
        if colours.is_diverging() {
            let x = rect.center().x;
            let tick = [pos2(x, rect.bottom()), pos2(x, rect.bottom() + 3.0)];
            ui.painter().line_segment(tick, palette.hairline());
        }
        ui.label(Type::MonoSmall.text(signed(limit, colours), palette.text));
        response
    });
    let text = format!("{name}, from {} to {}", figure(low), figure(limit));
    row.response
        .widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, &text));
    row.inner.on_hover_text(text)
}

/// A ramp through `table`, from left to right.
fn ramp(rect: Rect, table: &[Color32]) -> Mesh {
    let mut mesh = Mesh::default();
    let last = table.len().saturating_sub(1).max(1) as f32;
    for (place, colour) in (0_u32..).zip(table.iter().step_by(5)) {
        let x = rect.left() + rect.width() * (place * 5) as f32 / last;
        mesh.colored_vertex(pos2(x, rect.top()), *colour);
        mesh.colored_vertex(pos2(x, rect.bottom()), *colour);
        if let Some(before) = (2 * place).checked_sub(2) {
            mesh.add_triangle(before, before + 1, before + 2);
            mesh.add_triangle(before + 1, before + 2, before + 3);
        }
    }
    mesh
}

fn signed(limit: f32, colours: &ColorMap) -> String {
    match colours.is_diverging() {
        true => format!("+{}", figure(limit)),
        false => figure(limit),
    }
}

/// A number of a map in few characters: three digits, a true minus sign.
#[must_use]
pub fn figure(value: f32) -> String {
    let size = value.abs();
    let text = match size {
        _ if value.is_nan() => return "–".to_owned(),
        _ if value == f32::NEG_INFINITY => return "−∞".to_owned(),
        _ if value == f32::INFINITY => return "∞".to_owned(),
        0.0 => "0".to_owned(),
        s if s < 0.000_1 => format!("{s:.0e}"),
        s if s < 0.01 => format!("{s:.4}"),
        s if s < 0.999_5 => format!("{s:.3}"),
        s if s < 9.995 => trimmed(&format!("{s:.2}")),
        s if s < 99.95 => trimmed(&format!("{s:.1}")),
        s => format!("{s:.0}"),
    };
    if value < 0.0 {
        format!("−{text}")
    } else {
        text
    }
}

/// Without zeros after the point: `1.00` is `1`.
fn trimmed(text: &str) -> String {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_keep_their_sign() {
        let cases = [
            (0.0, "0"),
            (0.807, "0.807"),
            (1.0, "1"),
            (-0.335, "−0.335"),
            (10.06, "10.1"),
            (56.94, "56.9"),
            (123.4, "123"),
            (0.000_02, "2e-5"),
            (f32::NEG_INFINITY, "−∞"),
        ];
        for (value, expected) in cases {
            assert_eq!(figure(value), expected);
        }
    }
}
