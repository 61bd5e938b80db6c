//! The values that are read, each times its share, and their sum.

use egui::{Align2, Rect, Sense, Ui, pos2, vec2};

use super::{Mix, at, dim, head};
use crate::trace::BlockHook;
use crate::ui::colormap::ColorMap;
use crate::ui::command::Pointing;
use crate::ui::picture::Scene;
use crate::ui::pictures::parts::{heading_ui, limit_of_most};
use crate::ui::theme::{Palette, Role, Type, corner, space};
use crate::ui::widgets::Values;
use crate::ui::widgets::heatmap::{figure, legend_ui};

/// The keys read most: share and value of each, and their sum.
pub(super) fn sum_ui(ui: &mut Ui, scene: &mut Scene<'_>, mix: &Mix) {
    let palette = Palette::of(ui);
    heading_ui(ui, "Values, each times its share");
    ui.add_space(space::TINY);
    let all: Vec<f32> = mix
        .keys
        .iter()
        .flat_map(|(_, _, value)| value.values())
        .copied()
        .collect();
    let colours = ColorMap::diverging(palette);
    let limit = limit_of_most(&all);
    let n_lines = mix.keys.len() as f32 + 4.0;
    let line = ((ui.available_height() - 40.0) / n_lines).clamp(24.0, 66.0);
    let mut hovered = None;
    for (key, share, value) in &mix.keys {
        let name = scene.name(*key);
        // Colours fade with the share: what is seen is what is added.
        let scaled: Vec<f32> = value.values().iter().map(|v| v * share).collect();
        let place = line_ui(
            ui,
            line,
            &name,
            Some(*share),
            &scaled,
            &colours,
            limit,
            dim(scene),
        );
        hovered = hovered.or(place);
    }
    if mix.rest > 0.0005 {
        let text = format!("all other positions together: {}", figure(mix.rest));
        ui.label(Type::Body.text(text, palette.muted));
    }
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 9.0), Sense::hover());
    let ends = [rect.left_center(), rect.right_center()];
    ui.painter().line_segment(ends, palette.hairline());
    let place = line_ui(
        ui,
        line,
        "z, their sum",
        None,
        mix.z.values(),
        &colours,
        limit,
        dim(scene),
    );
    hovered = hovered.or(place);
    ui.add_space(space::SMALL);
    legend_ui(ui, "share × value", &colours, limit);
    let z = |dim| at(scene, BlockHook::Z, vec![scene.row(), head(scene), dim]);
    let hovered = hovered.map(|(dim, is_clicked)| (z(dim), is_clicked));
    if let Some((address, true)) = &hovered {
        scene.point(Pointing::Lock(Some(address.clone())));
    }
    if hovered.is_some() || scene.view.hovered.is_some() {
        scene.point(Pointing::Hover(hovered.map(|(address, _)| address)));
    }
}

/// A token, its share as a bar, and numbers; gives the number under the pointer, and whether it
/// was clicked.
#[expect(
    clippy::too_many_arguments,
    reason = "a line of a table, used in two places"
)]
fn line_ui(
    ui: &mut Ui,
    height: f32,
    name: &str,
    share: Option<f32>,
    values: &[f32],
    colours: &ColorMap,
    limit: f32,
    dim: usize,
) -> Option<(usize, bool)> {
    let palette = Palette::of(ui);
    let width = ui.available_width();
    let (words, bar) = (92.0, 110.0);
    let mut found = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let (rect, response) = ui.allocate_exact_size(vec2(words + bar, height), Sense::hover());
        response.widget_info(|| {
            let share = share.map(|share| format!(", share {}", figure(share)));
            let text = format!("{name}{}", share.unwrap_or_default());
            egui::WidgetInfo::labeled(egui::Role::Label, true, text)
        });
        let y = rect.center().y;
        let kind = if share.is_some() {
            Type::Body
        } else {
            Type::Strong
        };
        let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
        let place = pos2(rect.left() + words - 8.0, y);
        match share {
            Some(share) => {
                painter.text(place, Align2::RIGHT_CENTER, name, kind.font(), palette.text);
                let full = bar - 52.0;
                let filled = Rect::from_min_size(
                    pos2(rect.left() + words, y - 6.0),
                    vec2((full * share).max(1.0), 12.0),
                );
                painter.rect_filled(filled, corner::CELL, palette.role(Role::Attention));
                let place = pos2(filled.right() + 5.0, y);
                let font = Type::MonoSmall.font();
                painter.text(
                    place,
                    Align2::LEFT_CENTER,
                    figure(share),
                    font,
                    palette.text,
                );
            }
            None => {
                let place = pos2(rect.left() + words + bar - 14.0, y);
                let colour = palette.role(Role::Value);
                painter.text(place, Align2::RIGHT_CENTER, name, kind.font(), colour);
            }
        }
        let strip = Values::new(name, values, colours)
            .limit(limit)
            .chosen(Some(dim));
        let strip = if share.is_some() {
            strip.quiet()
        } else {
            strip
        };
        let seen = strip.height(height - 8.0).show(ui, width - words - bar);
        found = seen.hovered.map(|dim| (dim, seen.clicked.is_some()));
        if let Some(at) = seen.hovered {
            let value = values
                .get(at)
                .map_or_else(String::new, |value| figure(*value));
            seen.response
                .on_hover_text_at_pointer(format!("{name}, number {at}: {value}"));
        }
    });
    found
}
