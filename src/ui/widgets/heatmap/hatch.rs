//! Hatching: what is not there to be read.

use egui::{Painter, Rect, Stroke, pos2};

use crate::ui::theme::Palette;

/// Slanting lines over `rect`: what is not there to be read.
pub(super) fn hatch(painter: &Painter, rect: Rect, palette: &Palette) {
    const APART: f32 = 6.0;
    let painter = painter.with_clip_rect(rect.intersect(painter.clip_rect()));
    let seen = painter.clip_rect();
    if !seen.is_positive() {
        return;
    }
    let stroke = Stroke::new(1.0, palette.line.gamma_multiply(0.75));
    let height = seen.height();
    let n_lines = ((seen.width() + height) / APART).ceil() as usize;
    // Lines are counted from the map's own corner, so that they do not swim while it is clipped.
    let shift = (seen.left() - rect.left() + seen.top() - rect.top()).rem_euclid(APART);
    for line in 0..=n_lines {
        let x = seen.left() - shift + line as f32 * APART;
        painter.line_segment(
            [pos2(x, seen.top()), pos2(x - height, seen.bottom())],
            stroke,
        );
    }
}
