//! A line of a list of tokens: its ground, and words at places of their own.

use egui::{Align2, Color32, Painter, Rect, Response, Ui, pos2, vec2};

use crate::ui::theme::{Palette, Type, corner};
use crate::ui::tokens::label;

/// What a line of the list is written on.
pub(super) struct Line<'a> {
    painter: &'a Painter,
    palette: &'a Palette,
    rect: Rect,
}

impl<'a> Line<'a> {
    /// The line in `rect`; its ground tells whether it is chosen or under the pointer.
    pub(super) fn new(ui: &'a Ui, rect: Rect, response: &Response, is_chosen: bool) -> Self {
        let (palette, painter) = (Palette::of(ui), ui.painter());
        if is_chosen || response.hovered() {
            let fill = match is_chosen {
                true => palette.chosen,
                false => palette.sunk,
            };
            let line = rect.expand2(vec2(0.0, ui.spacing().item_spacing.y / 2.0));
            painter.rect_filled(line, corner::SMALL, fill);
        }
        Self {
            painter,
            palette,
            rect,
        }
    }

    /// The width that there is.
    pub(super) fn width(&self) -> f32 {
        self.rect.width()
    }

    /// Writes `text` so that it begins at `x` from the left edge.
    pub(super) fn put(&self, x: f32, text: &str, font: Type, colour: Color32) {
        self.write(x, Align2::LEFT_CENTER, text, font, colour);
    }

    /// Writes `text` so that it ends at `x` from the left edge.
    pub(super) fn put_right(&self, x: f32, text: &str, font: Type, colour: Color32) {
        self.write(x, Align2::RIGHT_CENTER, text, font, colour);
    }

    /// A token's number, which ends at the first of `places`, and its first `n_letters` letters from
    /// the second on, a space before them as `·`.
    pub(super) fn token(&self, id: u32, text: &str, places: [f32; 2], n_letters: usize) {
        let [number, name] = places;
        self.put_right(number, &id.to_string(), Type::Mono, self.palette.muted);
        let label = label(text);
        let marked = match label.has_space {
            true => format!("·{}", label.text),
            false => label.text,
        };
        let marked: String = marked.chars().take(n_letters).collect();
        self.put(name, &marked, Type::Label, self.palette.text);
    }

    fn write(&self, x: f32, align: Align2, text: &str, font: Type, colour: Color32) {
        let place = pos2(self.rect.left() + x, self.rect.center().y);
        self.painter.text(place, align, text, font.font(), colour);
    }
}
