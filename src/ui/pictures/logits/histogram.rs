//! Every logit of the vocabulary, counted, with the likeliest tokens above their bins.

use egui::{Align2, Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use super::softened::Softened;
use crate::trace::measure::logits::LogitsView;
use crate::trace::units::count;
use crate::ui::picture::Scene;
use crate::ui::pictures::shared::{Chart, hover, percent, written};
use crate::ui::theme::{Palette, Role, Type, corner, mix};
use crate::ui::widgets::heatmap::figure;

/// Every logit of the vocabulary, counted; the heights are on a logarithmic scale.
pub(super) fn histogram_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    view: &LogitsView,
    softened: &Softened,
) {
    let palette = Palette::of(ui);
    let histogram = &view.histogram;
    let held = |n: usize| -> f64 {
        let top = view.top.iter().take(n);
        top.map(|share| softened.probability(share.token.id)).sum()
    };
    let text = format!(
        "{} logits; the first ten tokens hold {} of the probability, the first forty {}. Heights grow tenfold from line to line.",
        count(histogram.n),
        percent(held(10)),
        percent(held(40))
    );
    ui.add(egui::Label::new(Type::Body.text(text, palette.muted)).wrap());
    let size = ui.available_size();
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let area = Rect::from_min_max(rect.min + vec2(52.0, 44.0), rect.max - vec2(16.0, 44.0));
    let (low, high) = (f64::from(histogram.low), f64::from(histogram.high));
    let most = histogram.counts.iter().copied().max().unwrap_or(1).max(10) as f64;
    // A bin of one token must be seen: the axis begins below one.
    let chart = Chart::new(area, (low, high), (0.6, most * 1.3)).log();
    let painter = ui.painter().clone();
    let lines = (0..8)
        .map(|power| 10_f64.powi(power))
        .filter(|line| *line <= most);
    let lines: Vec<_> = lines.map(|line| (line, count(line as u64))).collect();
    chart.lines(&painter, palette, &lines);
    let n_bins = histogram.counts.len().max(1);
    let wide = (high - low) / n_bins as f64;
    let under = response.hover_pos().map(|pointer| {
        let bin = (chart.x_at(pointer) - low) / wide.max(1e-9);
        (bin.max(0.0) as usize).min(n_bins - 1)
    });
    for (bin, n) in histogram.counts.iter().enumerate() {
        if *n == 0 {
            continue;
        }
        let left = chart.place(low + bin as f64 * wide, *n as f64);
        let right = chart.place(low + (bin + 1) as f64 * wide, *n as f64);
        let bar = Rect::from_min_max(left, pos2(right.x - 1.0, area.bottom()));
        let hue = palette.role(Role::Logits);
        let fill = if under == Some(bin) {
            hue
        } else {
            mix(palette.background, hue, 0.6)
        };
        painter.rect_filled(bar, corner::CELL, fill);
    }
    marks_ui(ui, &chart, view);
    for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let x = low + share * (high - low);
        let place = pos2(chart.place(x, 1.0).x, area.bottom() + 8.0);
        let (text, font) = (figure(x as f32), Type::MonoSmall.font());
        painter.text(place, Align2::CENTER_TOP, text, font, palette.muted);
    }
    let place = pos2(area.right(), area.bottom() + 24.0);
    painter.text(
        place,
        Align2::RIGHT_TOP,
        "logit",
        Type::Small.font(),
        palette.muted,
    );
    if let Some((bin, n)) = under.and_then(|bin| Some((bin, histogram.counts.get(bin)?))) {
        let from = low + bin as f64 * wide;
        let text = format!(
            "{} tokens with a logit from {} to {}",
            count(*n),
            figure(from as f32),
            figure((from + wide) as f32)
        );
        let place = pos2(area.left(), area.bottom() + 24.0);
        painter.text(
            place,
            Align2::LEFT_TOP,
            text,
            Type::Small.font(),
            palette.text,
        );
    }
    response.widget_info(|| {
        let text = format!(
            "histogram of {} logits, from {low:.2} to {high:.2}",
            histogram.n
        );
        WidgetInfo::labeled(egui::Role::Image, true, text)
    });
    hover(scene, None);
}

/// The likeliest tokens by name, above their bins.
fn marks_ui(ui: &Ui, chart: &Chart, view: &LogitsView) {
    let palette = Palette::of(ui);
    let mut free = f32::INFINITY;
    for share in &view.top {
        let Some(logit) = view.row.get(share.token.id as usize) else {
            continue;
        };
        let x = chart.place(f64::from(*logit), 1.0).x;
        let text = written(&share.token.text);
        let font = Type::Small.font();
        let galley = ui.painter().layout_no_wrap(text, font, palette.text);
        let left = (x - galley.size().x / 2.0).min(chart.area.right() - galley.size().x);
        if left + galley.size().x > free - 10.0 {
            continue;
        }
        let top = chart.area.top() - 30.0;
        let line = egui::Stroke::new(1.0, palette.faint);
        ui.painter()
            .vline(x, top + 17.0..=chart.area.bottom(), line);
        ui.painter().galley(pos2(left, top), galley, palette.text);
        free = left;
    }
}
