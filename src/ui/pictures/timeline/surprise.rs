//! Surprise along the text: for each token, how many bits it told, and how many were expected.

use egui::{Rect, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::tokens::told_at;
use crate::ui::command::Pointing;
use crate::ui::picture::Scene;
use crate::ui::pictures::shared::{Chart, chart_title, text_in, ticks};
use crate::ui::theme::{Palette, Role, Type, corner, mix};

/// Most positions of the chart: those around the chosen one.
const N_MOST: usize = 160;

/// Draws bars of −log₂ p and the entropy as a line. Gives the position under the pointer.
pub fn surprise_ui(ui: &mut Ui, scene: &mut Scene<'_>) -> Option<usize> {
    let palette = Palette::of(ui);
    let room = ui.available_rect_before_wrap();
    let response = ui.allocate_rect(room, Sense::click());
    let painter = ui.painter().clone();
    let rest = "bits that each token told, −log₂ p; line: the entropy, what was to be expected";
    chart_title(&painter, palette, room.left_top(), "Surprise", rest);
    let n = scene.run.ids.len();
    let first = scene
        .view
        .token
        .saturating_sub(N_MOST / 2)
        .min(n.saturating_sub(N_MOST));
    let shown = first..n.min(first + N_MOST);
    let told: Vec<(usize, f64, f64)> = shown
        .clone()
        .filter_map(|at| {
            let told = told_at(scene, at)?;
            // A share too small for a float still tells a finite number of bits.
            let bits = -told.probability.max(1e-12).log2();
            Some((at, bits.max(0.0), told.bits))
        })
        .collect();
    let most = told
        .iter()
        .map(|(_, told, open)| told.max(*open))
        .fold(2.0, f64::max);
    let area = Rect::from_min_max(room.min + vec2(40.0, 30.0), room.max - vec2(8.0, 22.0));
    let across = (
        shown.start as f64 - 0.5,
        (shown.end as f64 - 0.5).max(shown.start as f64 + 11.5),
    );
    let chart = Chart::new(area, across, (0.0, most * 1.08));
    let lines: Vec<_> = ticks(most, 4)
        .into_iter()
        .map(|bits| (bits, format!("{bits}")))
        .collect();
    chart.lines(&painter, palette, &lines);
    let hue = palette.role(Role::Logits);
    let apart = chart.place(1.0, 0.0).x - chart.place(0.0, 0.0).x;
    let under = response.hover_pos().and_then(|pointer| {
        let at = chart.x_at(pointer).round();
        shown.clone().find(|position| *position as f64 == at)
    });
    for (at, bits, _) in &told {
        let top = chart.place(*at as f64, *bits);
        let half = (apart * 0.36).clamp(0.5, 16.0);
        let bar = Rect::from_min_max(pos2(top.x - half, top.y), pos2(top.x + half, area.bottom()));
        let is_marked = under == Some(*at) || scene.view.token == *at;
        let fill = if is_marked {
            hue
        } else {
            mix(palette.background, hue, 0.5)
        };
        painter.rect_filled(bar, corner::CELL, fill);
        if apart > 34.0 {
            let foot =
                Rect::from_center_size(pos2(top.x, area.bottom() + 12.0), vec2(apart - 3.0, 16.0));
            let colour = if is_marked {
                palette.text
            } else {
                palette.muted
            };
            text_in(&painter, foot, &scene.name(*at), Type::Small, colour, 0.5);
        }
    }
    let open: Vec<[f64; 2]> = told
        .iter()
        .map(|(at, _, open)| [*at as f64, *open])
        .collect();
    chart.curve(&painter, &open, Stroke::new(1.6, palette.text));
    response.widget_info(|| {
        let text = format!("surprise of {} tokens, in bits", told.len());
        WidgetInfo::labeled(egui::Role::Image, true, text)
    });
    if let Some(at) = under.filter(|_| response.clicked()) {
        scene.point(Pointing::Token(at));
    }
    under
}
