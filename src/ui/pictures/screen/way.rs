//! One token's way: its id, its bytes, its text.

use egui::{Rect, Sense, Stroke, StrokeKind, Ui, pos2, vec2};

use super::steps::{Step, hex};
use crate::ui::pictures::shared::text_in;
use crate::ui::theme::{Palette, Type, corner};
use crate::ui::tokens::visible;

/// One token's way: three cards.
pub(super) fn way_ui(ui: &mut Ui, step: &Step) {
    let palette = Palette::of(ui);
    let height = 78.0;
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    let gap = 44.0;
    let wide = ((rect.width() - 2.0 * gap) / 3.0).min(260.0);
    let text = match (step.is_end, step.shown.is_empty()) {
        (true, _) => "the end".to_owned(),
        (false, true) => "…".to_owned(),
        (false, false) => visible(&step.shown).replace(' ', "·"),
    };
    let below = match (step.is_end, step.held.is_empty()) {
        (true, _) => "nothing is added; the answer is over".to_owned(),
        (false, true) => "complete: it goes to the screen".to_owned(),
        (false, false) => format!("{} wait for the next token", hex(&step.held, 4)),
    };
    let n = step.bytes.len();
    let bytes = if n == 1 { "byte" } else { "bytes" };
    let cards = [
        ("id", step.id.to_string(), "what the draw gave".to_owned()),
        (
            bytes,
            hex(&step.bytes, 8),
            format!("{n} {bytes}, from the vocabulary"),
        ),
        ("text", text, below),
    ];
    for (at, (title, value, told)) in cards.into_iter().enumerate() {
        let left = rect.left() + at as f32 * (wide + gap);
        let card = Rect::from_min_size(pos2(left, rect.top()), vec2(wide, height));
        let painter = ui.painter();
        let line = palette.hairline();
        painter.rect(
            card,
            corner::CARD,
            palette.surface,
            line,
            StrokeKind::Inside,
        );
        let part = |top: f32, height: f32| {
            Rect::from_min_size(card.min + vec2(12.0, top), vec2(wide - 24.0, height))
        };
        text_in(
            painter,
            part(7.0, 16.0),
            title,
            Type::Caption,
            palette.muted,
            0.0,
        );
        let (kind, colour) = match at {
            2 => (Type::Heading, palette.text),
            _ => (Type::MonoStrong, palette.text),
        };
        text_in(painter, part(24.0, 26.0), &value, kind, colour, 0.0);
        text_in(
            painter,
            part(54.0, 16.0),
            &told,
            Type::Small,
            palette.muted,
            0.0,
        );
        if at < 2 {
            let from = pos2(card.right() + 9.0, card.center().y);
            let arrow = vec2(gap - 18.0, 0.0);
            painter.arrow(from, arrow, Stroke::new(1.4, palette.muted));
        }
    }
}
