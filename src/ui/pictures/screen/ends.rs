//! How likely the end was: the probability of an end token at each place of the answer.

use egui::{Align2, Rect, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::steps::drawn;
use crate::engine::question::{Question, Told};
use crate::trace::Stage;
use crate::trace::measure::lens::LensRequest;
use crate::trace::measure::{At, Point};
use crate::ui::picture::Scene;
use crate::ui::pictures::shared::{Chart, chart_title, percent, text_in};
use crate::ui::theme::{Palette, Role, Type, mix};
use crate::ui::tokens::visible;

/// The probability of an end token after each pass, of those whose blocks have all run.
fn end_shares(scene: &mut Scene<'_>) -> Vec<(usize, f64)> {
    let tokens: Vec<u32> = scene.run.end_tokens.iter().map(|end| end.id).collect();
    let Some(last) = scene
        .facts
        .n_layers
        .checked_sub(1)
        .filter(|_| !tokens.is_empty())
    else {
        return Vec::new();
    };
    // As many as a chart has room for; the newest are those one looks at.
    let first = scene.run.passes.len().saturating_sub(64);
    let mut shares = Vec::new();
    for pass in first..scene.run.passes.len() {
        let Some(row) = scene
            .run
            .passes
            .get(pass)
            .and_then(|pass| pass.n_pos.checked_sub(1))
        else {
            continue;
        };
        if !scene.run.has_stage(pass, Stage::Block(last)) {
            continue;
        }
        let question = Question::Lens(LensRequest {
            rows: vec![At { pass, row }],
            points: vec![Point::AfterMlp(last)],
            top_k: 1,
            tokens: tokens.clone(),
        });
        let told = scene.ask(&question).ready();
        if let Some(Told::Lens(views)) = told.as_deref()
            && let Some(view) = views.first()
        {
            shares.push((
                pass,
                view.chosen.iter().map(|share| share.probability).sum(),
            ));
        }
    }
    shares
}

pub(super) fn ends_ui(ui: &mut Ui, scene: &mut Scene<'_>, n_steps: usize) {
    let palette = Palette::of(ui);
    let shares = end_shares(scene);
    let rect = ui.available_rect_before_wrap();
    let response = ui.allocate_rect(rect, Sense::hover());
    let painter = ui.painter().clone();
    let title = "How likely the end was";
    let rest = "probability of an end token at each place of the answer";
    chart_title(&painter, palette, rect.left_top(), title, rest);
    if shares.is_empty() && scene.view.recorded.is_some() {
        let told = "Not recorded: it takes the logits of each place.";
        let (place, font) = (rect.left_top() + vec2(0.0, 26.0), Type::Body.font());
        painter.text(place, Align2::LEFT_TOP, told, font, palette.muted);
        return;
    }
    let area = Rect::from_min_max(rect.min + vec2(46.0, 36.0), rect.max - vec2(12.0, 24.0));
    let first = shares.first().map_or(0, |(pass, _)| *pass);
    let n = n_steps
        .max(first + 8)
        .max(shares.last().map_or(0, |(pass, _)| pass + 1));
    let chart = Chart::new(area, (first as f64 - 0.5, n as f64 - 0.5), (0.0, 1.0));
    let lines = [0.0, 0.5, 1.0].map(|share| (share, percent(share)));
    chart.lines(&painter, palette, &lines);
    let hue = palette.role(Role::Logits);
    let points: Vec<[f64; 2]> = shares
        .iter()
        .map(|(pass, share)| [*pass as f64, *share])
        .collect();
    chart.curve(
        &painter,
        &points,
        Stroke::new(1.5, mix(palette.background, hue, 0.6)),
    );
    let apart = area.width() / (n - first).max(1) as f32;
    for (pass, share) in &shares {
        let place = chart.place(*pass as f64, *share);
        let is_chosen = *pass == scene.view.pass();
        painter.circle_filled(place, if apart > 14.0 { 4.0 } else { 2.5 }, hue);
        if is_chosen {
            painter.circle_stroke(place, 6.5, palette.ring());
            let (text, font) = (percent(*share), Type::MonoSmall.font());
            painter.text(
                place - vec2(0.0, 9.0),
                Align2::CENTER_BOTTOM,
                text,
                font,
                palette.text,
            );
        }
    }
    let every = ((44.0 / apart).ceil() as usize).max(1);
    for (pass, id) in drawn(scene.run) {
        if pass < first || !(pass - first).is_multiple_of(every) {
            continue;
        }
        let x = chart.place(pass as f64, 0.0).x;
        let wide = apart * every as f32 - 4.0;
        let place = Rect::from_center_size(pos2(x, area.bottom() + 13.0), vec2(wide, 16.0));
        let state = scene
            .run
            .passes
            .get(pass)
            .and_then(|pass| pass.draw.as_ref());
        let text = state.map_or_else(|| format!("#{id}"), |draw| visible(draw.text.trim()));
        text_in(&painter, place, &text, Type::Small, palette.muted, 0.5);
    }
    let hovered = response.hover_pos().and_then(|pointer| {
        let pass = chart.x_at(pointer).round();
        shares.iter().find(|(at, _)| *at as f64 == pass).copied()
    });
    response.widget_info(|| {
        let told: Vec<String> = shares.iter().map(|(_, share)| percent(*share)).collect();
        let text = format!(
            "probability of the end, place by place: {}",
            told.join(", ")
        );
        WidgetInfo::labeled(egui::Role::Image, true, text)
    });
    if let Some((pass, share)) = hovered {
        response.on_hover_text(format!("pass {pass}: {}", percent(share)));
    }
}
