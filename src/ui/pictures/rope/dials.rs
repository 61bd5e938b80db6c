//! Each pair as a hand on a dial: dashed before it turns, solid after.

use egui::{Align2, Pos2, Rect, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::{address, degrees, pair_of, role, shown_pair};
use crate::trace::measure::rope::{RopePair, Rotation};
use crate::ui::command::Pointing;
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Type, mix};
use crate::ui::widgets::heatmap::figure;

/// Height of the angle under a dial.
const CAPTION: f32 = 18.0;

/// Draws the dials of one vector, the fastest first.
pub fn dials_ui(ui: &mut Ui, scene: &mut Scene<'_>, rotation: &Rotation) {
    let n_pairs = rotation.pairs.len().max(1);
    let n_cols = match n_pairs {
        0..=16 => 4,
        17..=32 => 6,
        _ => 8,
    };
    let n_rows = n_pairs.div_ceil(n_cols);
    let room = ui.available_size() - vec2(4.0, 10.0);
    let step = vec2(room.x / n_cols as f32, (room.y / n_rows as f32).max(44.0));
    let radius = (step.x.min(step.y - CAPTION) / 2.0 - 5.0).clamp(11.0, 84.0);
    let longest = rotation.pairs.iter().map(length).fold(1e-6, f32::max);
    let mut hovered = None;
    egui::ScrollArea::vertical()
        .id_salt("dials")
        .show(ui, |ui| {
            let height = 2.0 * radius + CAPTION + 8.0;
            let line = step.y.min(height + 40.0);
            let size = vec2(room.x, line * n_rows as f32 + 6.0);
            let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
            for (at, pair) in rotation.pairs.iter().enumerate() {
                let (row, col) = (at / n_cols, at % n_cols);
                let x = rect.left() + (col as f32 + 0.5) * step.x;
                let y = rect.top() + row as f32 * line + radius + 4.0;
                let dial = Dial {
                    centre: pos2(x, y),
                    radius,
                    longest,
                };
                if dial_ui(ui, scene, rotation, at, pair, &dial) {
                    hovered = Some(address(scene, rotation, pair));
                }
            }
        });
    let was_ours = scene
        .view
        .hovered
        .as_ref()
        .is_some_and(|at| pair_of(scene, rotation, at).is_some());
    if hovered.is_some() || was_ours {
        scene.point(Pointing::Hover(hovered));
    }
}

struct Dial {
    centre: Pos2,
    radius: f32,
    longest: f32,
}

impl Dial {
    /// Where a hand ends; long ones reach the rim, and none is too short to be seen.
    fn tip(&self, [x, y]: [f32; 2]) -> Pos2 {
        let size = x.hypot(y);
        if size <= 0.0 {
            return self.centre;
        }
        let reach = self.radius * (0.3 + 0.55 * (size / self.longest).sqrt());
        self.centre + vec2(x, -y) / size * reach
    }
}

fn length(pair: &RopePair) -> f32 {
    let [x, y] = pair.after;
    x.hypot(y)
}

/// Draws one dial; gives whether the pointer is over it.
fn dial_ui(
    ui: &Ui,
    scene: &mut Scene<'_>,
    rotation: &Rotation,
    at: usize,
    pair: &RopePair,
    dial: &Dial,
) -> bool {
    let palette = Palette::of(ui);
    let size = vec2(2.0 * dial.radius, 2.0 * dial.radius + CAPTION);
    let rect = Rect::from_min_size(dial.centre - vec2(dial.radius, dial.radius), size);
    if !ui.is_rect_visible(rect) {
        return false;
    }
    let response = ui.interact(rect, ui.scope_id().with(("pair", at)), Sense::click());
    let is_chosen = shown_pair(scene, rotation) == at;
    let angle = degrees(f64::from(pair.angle).to_degrees());
    response.widget_info(|| {
        let text = format!("pair {at}, turned by {angle}");
        WidgetInfo::selected(egui::Role::Button, true, is_chosen, text)
    });
    let painter = ui.painter();
    let line = if is_chosen {
        palette.ring()
    } else {
        palette.hairline()
    };
    painter.circle(dial.centre, dial.radius, palette.surface, line);
    painter.add(arc(
        dial,
        pair,
        Stroke::new(1.2, mix(palette.surface, palette.muted, 0.75)),
    ));
    let dashed = Stroke::new(1.5, palette.muted);
    painter.extend(Shape::dashed_line(
        &[dial.centre, dial.tip(pair.before)],
        dashed,
        3.0,
        3.0,
    ));
    let hue = palette.role(role(rotation.of));
    painter.line_segment([dial.centre, dial.tip(pair.after)], Stroke::new(2.6, hue));
    painter.circle_filled(dial.tip(pair.after), 3.6, hue);
    let below = dial.centre + vec2(0.0, dial.radius + 5.0);
    painter.text(
        below,
        Align2::CENTER_TOP,
        angle,
        Type::MonoSmall.font(),
        palette.muted,
    );
    if response.has_focus() {
        painter.rect_stroke(rect, 6, palette.ring(), StrokeKind::Outside);
    }
    if response.clicked() {
        let place = address(scene, rotation, pair);
        scene.point(Pointing::Lock(Some(place)));
    }
    let is_hovered = response.hovered();
    if is_hovered {
        let vector = |[x, y]: [f32; 2]| format!("({}, {})", figure(x), figure(y));
        let text = format!(
            "pair {at}: numbers {} and {}\n{} → {}\none turn in {:.0} positions",
            pair.places[0],
            pair.places[1],
            vector(pair.before),
            vector(pair.after),
            pair.period(),
        );
        response.on_hover_text(text);
    }
    is_hovered
}

/// The way that the hand has turned: an arc from before to after, at most one turn.
fn arc(dial: &Dial, pair: &RopePair, stroke: Stroke) -> Shape {
    const STEPS: usize = 40;
    let start = pair.before[1].atan2(pair.before[0]);
    let angle = pair
        .angle
        .clamp(-std::f32::consts::TAU, std::f32::consts::TAU);
    let points = (0..=STEPS).map(|step| {
        let turned = start + angle * step as f32 / STEPS as f32;
        dial.centre + vec2(turned.cos(), -turned.sin()) * dial.radius * 0.36
    });
    Shape::line(points.collect(), stroke)
}
