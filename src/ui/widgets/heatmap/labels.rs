//! The words along a map's edges: one per row at the left, one per column slanting up above it.

use egui::epaint::TextShape;
use egui::{Align2, Color32, FontId, Painter, Pos2, Rect, Shape, pos2};

use crate::ui::theme::{Palette, Type};

/// The words of one edge.
#[derive(Debug, Clone, Copy)]
pub struct Labels<'a> {
    /// One for each row or column; fewer leave the rest without.
    pub texts: &'a [String],
    /// The one that is chosen: semi-bold.
    pub chosen: Option<usize>,
}

/// Least distance between two words, in points.
const APART: f32 = 13.0;

/// Least room a column's word needs, measured along the edge.
const APART_COLS: f32 = 20.0;

impl Labels<'_> {
    /// No words.
    pub const NONE: Labels<'static> = Labels {
        texts: &[],
        chosen: None,
    };

    /// Room that the widest word takes, at most `most`.
    #[must_use]
    pub fn width(&self, painter: &Painter, most: f32) -> f32 {
        let width = |text: &String| {
            let galley = painter.layout_no_wrap(short(text), font(false), Color32::WHITE);
            galley.size().x
        };
        // The widest of the first few hundred is near enough, and a long prompt costs no frame.
        self.texts
            .iter()
            .take(300)
            .map(width)
            .fold(0.0, f32::max)
            .min(most)
    }

    /// The words left of `area`, for the rows that `window` (in cells) shows there.
    pub fn rows(&self, painter: &Painter, area: Rect, window: Rect, palette: &Palette) {
        let scale = area.height() / window.height().max(1e-6);
        for (row, text, is_chosen) in self.thinned(window.min.y, window.max.y, scale, APART) {
            let y = area.top() + (row as f32 + 0.5 - window.min.y) * scale;
            if y < area.top() || y > area.bottom() {
                continue;
            }
            let place = pos2(area.left() - 7.0, y);
            let colour = if is_chosen {
                palette.text
            } else {
                palette.muted
            };
            painter.text(
                place,
                Align2::RIGHT_CENTER,
                short(text),
                font(is_chosen),
                colour,
            );
        }
    }

    /// The words above `area`, turned by 45°, for the columns that `window` shows there.
    pub fn cols(&self, painter: &Painter, area: Rect, window: Rect, palette: &Palette) {
        let scale = area.width() / window.width().max(1e-6);
        for (col, text, is_chosen) in self.thinned(window.min.x, window.max.x, scale, APART_COLS) {
            let x = area.left() + (col as f32 + 0.5 - window.min.x) * scale;
            if x < area.left() || x > area.right() {
                continue;
            }
            let colour = if is_chosen {
                palette.text
            } else {
                palette.muted
            };
            let galley = painter.layout_no_wrap(short(text), font(is_chosen), colour);
            let place = slanted_place(pos2(x, area.top() - 6.0), galley.size().y);
            let shape = TextShape::new(place, galley, colour);
            painter.add(Shape::Text(shape.with_angle(-std::f32::consts::FRAC_PI_4)));
        }
    }

    /// The words between `low` and `high` that have room, the chosen one always among them.
    fn thinned(
        &self,
        low: f32,
        high: f32,
        scale: f32,
        apart: f32,
    ) -> impl Iterator<Item = (usize, &String, bool)> {
        let every = (apart / scale.max(1e-6)).ceil().max(1.0) as usize;
        let chosen = self.chosen;
        // Neighbours of the chosen word give way to it.
        let near = move |at: usize| chosen.is_some_and(|chosen| at.abs_diff(chosen) < every);
        let first = low.floor().max(0.0) as usize;
        let n = (high.ceil().max(0.0) as usize).saturating_sub(first);
        let seen = self.texts.iter().enumerate().skip(first).take(n);
        seen.filter_map(move |(at, text)| {
            let is_chosen = chosen == Some(at);
            let has_turn = at.is_multiple_of(every) && !near(at);
            (is_chosen || has_turn).then_some((at, text, is_chosen))
        })
    }
}

/// Where a galley of this height begins, so that its turned baseline starts at `foot`.
fn slanted_place(foot: Pos2, height: f32) -> Pos2 {
    let half = height / 2.0 * std::f32::consts::FRAC_1_SQRT_2;
    pos2(foot.x - half, foot.y - half)
}

fn font(is_chosen: bool) -> FontId {
    let kind = if is_chosen { Type::Strong } else { Type::Body };
    FontId::new(11.5, kind.font().family)
}

/// A label of at most 14 characters.
fn short(text: &str) -> String {
    const MOST: usize = 14;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    let start: String = text.chars().take(MOST - 1).collect();
    format!("{start}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_thinned_and_the_chosen_one_stays() {
        let texts: Vec<String> = (0..100).map(|at| at.to_string()).collect();
        let labels = Labels {
            texts: &texts,
            chosen: Some(41),
        };
        let seen: Vec<usize> = labels
            .thinned(0.0, 100.0, 1.3, 13.0)
            .map(|(at, ..)| at)
            .collect();
        assert_eq!(seen, [0, 10, 20, 30, 41, 60, 70, 80, 90]);
        let few: Vec<usize> = labels
            .thinned(39.5, 42.5, 20.0, 13.0)
            .map(|(at, ..)| at)
            .collect();
        assert_eq!(few, [39, 40, 41, 42]);
    }

    #[test]
    fn long_words_are_cut() {
        assert_eq!(short("unbelievable"), "unbelievable");
        assert_eq!(short("incomprehensibility"), "incomprehensi…");
    }
}
