//! The cumulative curve laid out as a strip: every token that can be drawn has its stretch of it,
//! and the random number points at one.

use egui::{Align2, Rect, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::address;
use crate::engine::question::SamplingView;
use crate::ui::command::Pointing;
use crate::ui::picture::Scene;
use crate::ui::pictures::shared::{text_in, written};
use crate::ui::theme::{Palette, Role, Type, corner};

/// Draws the strip; `chosen` has the ring, `forced` is a token that was put there by hand.
pub fn strip_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    view: &SamplingView,
    chosen: Option<u32>,
    forced: Option<&str>,
) {
    let palette = Palette::of(ui);
    ui.spacing_mut().item_spacing.y = 2.0;
    let (title, detail) = match (forced, view.settings.is_greedy()) {
        (Some(name), _) => (
            "No draw",
            format!("“{name}” was put here by hand; a draw would have had these stretches"),
        ),
        (None, true) => ("No draw", "the likeliest token has all of it".to_owned()),
        (None, false) => (
            "The draw",
            "every token that is left has a stretch as long as its share".to_owned(),
        ),
    };
    ui.horizontal(|ui| {
        ui.label(Type::Strong.text(title, palette.text));
        ui.label(Type::Body.text(detail, palette.muted));
    });
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 50.0), Sense::hover());
    let strip = Rect::from_min_size(rect.min + vec2(0.0, 5.0), vec2(rect.width(), 26.0));
    let drawn = view.draw.as_ref().map(|draw| draw.token);
    let kept = view.filtered.candidates.iter().zip(&view.texts);
    let kept = kept.filter(|(candidate, _)| candidate.share > 0.0);
    let most = kept.clone().map(|(one, _)| one.share).fold(1e-9, f64::max);
    let mut covered = 0.0_f64;
    for (candidate, text) in kept {
        let (id, name) = (candidate.token, written(text));
        let from = covered;
        covered += candidate.share;
        let part = stretch(strip, from, covered);
        let is_drawn = drawn == Some(id);
        let share = (candidate.share / most) as f32;
        let fill = match is_drawn {
            true => palette.role(Role::Logits),
            false => palette.wash(Role::Logits, 0.25 + 0.4 * share),
        };
        if part.width() < 1.0 {
            ui.painter().rect_filled(part, 0, fill);
            continue;
        }
        let response = ui.interact(part, ui.scope_id().with(("stretch", id)), Sense::click());
        response.widget_info(|| {
            let spoken = format!("{name}: from {from:.3} to {covered:.3}");
            WidgetInfo::selected(egui::Role::Button, true, is_drawn, spoken)
        });
        ui.painter().rect_filled(part, corner::CELL, fill);
        if chosen == Some(id) && !is_drawn {
            let line = Stroke::new(1.5, palette.text);
            ui.painter()
                .rect_stroke(part, corner::CELL, line, StrokeKind::Inside);
        }
        if part.width() > 22.0 {
            let text = palette.text_on(fill);
            let kind = if is_drawn { Type::Caption } else { Type::Small };
            text_in(
                ui.painter(),
                part.shrink2(vec2(3.0, 0.0)),
                &name,
                kind,
                text,
                0.5,
            );
        }
        if response.clicked() {
            let at = address(scene, id);
            scene.point(Pointing::Lock(Some(at)));
        }
        response.on_hover_text(format!("{name}: from {from:.3} to {covered:.3}"));
    }
    let n_listed = view
        .filtered
        .candidates
        .iter()
        .filter(|one| one.share > 0.0)
        .count();
    if covered < 0.9995 && n_listed > 0 {
        let rest = stretch(strip, covered, 1.0);
        let line = palette.hairline();
        ui.painter()
            .rect(rest, corner::CELL, palette.sunk, line, StrokeKind::Inside);
        let text = format!("{} others", view.filtered.n_kept.saturating_sub(n_listed));
        text_in(
            ui.painter(),
            rest.shrink2(vec2(3.0, 0.0)),
            &text,
            Type::Small,
            palette.muted,
            0.5,
        );
    }
    if let Some(random) = view.draw.as_ref().and_then(|draw| draw.random) {
        needle_ui(ui, strip, random);
    }
}

/// The stretch of the strip from one share to another.
fn stretch(strip: Rect, from: f64, to: f64) -> Rect {
    let at = |share: f64| strip.left() + strip.width() * share.clamp(0.0, 1.0) as f32;
    Rect::from_x_y_ranges(
        at(from)..=(at(to) - 1.0).max(at(from) + 0.5),
        strip.y_range(),
    )
}

/// The random number; it moves to its place when there is a new one.
fn needle_ui(ui: &Ui, strip: Rect, random: f64) {
    let palette = Palette::of(ui);
    let motion = ui.style().animation_time * 2.0;
    let id = ui.scope_id().with("needle");
    let share = ui.ctx().animate_value_with_time(id, random as f32, motion);
    let x = strip.left() + strip.width() * share;
    let line = Stroke::new(2.0, palette.text);
    ui.painter()
        .vline(x, strip.top() - 6.0..=strip.bottom() + 3.0, line);
    let (tip, foot) = (strip.bottom() + 2.0, strip.bottom() + 9.0);
    let corners = vec![pos2(x, tip), pos2(x + 5.0, foot), pos2(x - 5.0, foot)];
    ui.painter()
        .add(Shape::convex_polygon(corners, palette.text, Stroke::NONE));
    let is_late = x > strip.right() - 90.0;
    let (at, align) = match is_late {
        true => (pos2(x - 10.0, strip.bottom() + 2.0), Align2::RIGHT_TOP),
        false => (pos2(x + 10.0, strip.bottom() + 2.0), Align2::LEFT_TOP),
    };
    let (text, font) = (format!("u = {random:.3}"), Type::MonoSmall.font());
    ui.painter().text(at, align, text, font, palette.text);
}
