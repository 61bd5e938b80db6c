//! How the cache grows with the text: as measured after every pass, and as the formula says it
//! would be if every query head kept keys and values of its own.

use egui::{Align2, Rect, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::n_held;
use crate::trace::measure::ledger::Ledger;
use crate::trace::units::{bytes, count};
use crate::ui::picture::Scene;
use crate::ui::pictures::shared::{Chart, chart_title, ticks};
use crate::ui::theme::{Palette, Role, Type, mix};

/// Draws the plot.
pub fn growth_ui(ui: &mut Ui, scene: &mut Scene<'_>, ledger: &Ledger) {
    let palette = Palette::of(ui);
    let room = ui.available_rect_before_wrap();
    let response = ui.allocate_rect(room, Sense::hover());
    let painter = ui.painter().clone();
    let held = n_held(ledger);
    let per_token = ledger.formula_bytes as f64 / held.max(1) as f64;
    let text = format!("{} for every token", bytes(per_token.round() as u64));
    chart_title(&painter, palette, room.left_top(), "Growth", &text);
    let area = Rect::from_min_max(room.min + vec2(62.0, 30.0), room.max - vec2(16.0, 22.0));
    let most_tokens = (held as f64 * 1.8).max(24.0);
    let without = ledger.without_gqa_bytes as f64 / held.max(1) as f64;
    let most = per_token * most_tokens * 1.12;
    let chart = Chart::new(area, (0.0, most_tokens), (0.0, most.max(1.0)));
    let lines = ticks(most, 3).into_iter();
    let label = |line: f64| match line > 0.0 {
        true => bytes(line as u64),
        false => "0".to_owned(),
    };
    let lines: Vec<_> = lines.map(|line| (line, label(line))).collect();
    chart.lines(&painter, palette, &lines);
    for tick in ticks(most_tokens, 6).into_iter().skip(1) {
        let place = pos2(chart.place(tick, 0.0).x, area.bottom() + 6.0);
        let (text, font) = (count(tick as u64), Type::Small.font());
        painter.text(place, Align2::CENTER_TOP, text, font, palette.muted);
    }
    let place = pos2(area.left(), area.bottom() + 6.0);
    painter.text(
        place,
        Align2::CENTER_TOP,
        "0 tokens",
        Type::Small.font(),
        palette.muted,
    );
    let hue = palette.role(Role::Cache);
    if ledger.without_gqa_bytes > ledger.formula_bytes {
        // It leaves the chart at the top: the dashes end there.
        let end = most / without;
        chart.dashes(&painter, &[[0.0, 0.0], [end, most]], palette.muted);
        let place = chart.place(end, most) + vec2(10.0, 4.0);
        let text = format!(
            "if each of {} query heads kept its own: {} per token",
            ledger.n_heads,
            bytes(without.round() as u64)
        );
        painter.text(
            place,
            Align2::LEFT_TOP,
            text,
            Type::Small.font(),
            palette.muted,
        );
    }
    if ledger.max_size.is_none() {
        let to_come = [
            [held as f64, per_token * held as f64],
            [most_tokens, per_token * most_tokens],
        ];
        let faint = Stroke::new(1.5, mix(palette.background, hue, 0.35));
        chart.curve(&painter, &to_come, faint);
    }
    let shown = scene.view.pass();
    let measured = scene.run.passes.iter().enumerate();
    let measured: Vec<(usize, [f64; 2])> = measured
        .filter(|(pass, state)| *pass <= shown && state.cache.positions > 0)
        .map(|(pass, state)| {
            let cache = state.cache;
            (pass, [cache.positions as f64, cache.used_bytes as f64])
        })
        .collect();
    let start = std::iter::once([0.0, 0.0]);
    let curve: Vec<[f64; 2]> = start
        .chain(measured.iter().map(|(_, point)| *point))
        .collect();
    chart.curve(&painter, &curve, Stroke::new(2.0, hue));
    for (pass, [x, y]) in &measured {
        let place = chart.place(*x, *y);
        let is_shown = *pass == shown;
        painter.circle_filled(place, if is_shown { 5.0 } else { 3.0 }, hue);
        if is_shown {
            let text = format!("{} tokens, {}", count(*x as u64), bytes(*y as u64));
            let at = place + vec2(8.0, 5.0);
            painter.text(at, Align2::LEFT_TOP, text, Type::Small.font(), palette.text);
        }
    }
    response.widget_info(|| {
        let text = format!("growth of the cache over {} passes", measured.len());
        WidgetInfo::labeled(egui::Role::Image, true, text)
    });
    response.on_hover_text(
        "Dots: measured after each pass. Pale: what the formula says of later ones.",
    );
}
