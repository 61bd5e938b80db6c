//! Arcs between tokens: attention as lines from the one who reads to those who are read.

use egui::{
    Align2, Color32, Pos2, Rect, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo,
    epaint::CubicBezierShape, pos2, vec2,
};

use crate::ui::theme::{Palette, Type, corner, mix};

/// One arc.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arc {
    /// Place of the token that reads.
    pub from: usize,
    /// Place of the token that is read.
    pub to: usize,
    /// Its share, 0 to 1: how strong the line is.
    pub share: f32,
}

/// Tokens in a column on both sides, and arcs between them.
#[derive(Debug, Clone, Copy)]
pub struct Arcs<'a> {
    /// For those who cannot see it.
    pub name: &'a str,
    /// The tokens that read, at the right; the first is position `start`.
    pub readers: &'a [String],
    /// The tokens that are read, at the left.
    pub read: &'a [String],
    /// The arcs, by places in the two columns.
    pub arcs: &'a [Arc],
    /// The reader whose arcs stand out.
    pub chosen: Option<usize>,
    /// Their colour.
    pub colour: Color32,
}

/// What happened in this frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ArcsResponse {
    /// The reader under the pointer.
    pub hovered: Option<usize>,
    /// The reader that was clicked.
    pub clicked: Option<usize>,
}

impl Arcs<'_> {
    /// Shows the columns in `size`; lines get thinner where there are many tokens.
    pub fn show(&self, ui: &mut Ui, size: Vec2) -> ArcsResponse {
        let n_lines = self.readers.len().max(self.read.len()).max(1);
        let line = (size.y / n_lines as f32).clamp(3.0, 26.0);
        let size = vec2(size.x, line * n_lines as f32);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        response.widget_info(|| {
            let text = format!("{}, arcs between {} tokens", self.name, self.read.len());
            WidgetInfo::labeled(egui::Role::Image, true, text)
        });
        let inner =
            Rect::from_x_y_ranges(rect.left() + COLUMN..=rect.right() - COLUMN, rect.y_range());
        // Readers of a decode pass stand at the end of the text.
        let shift = self.read.len().saturating_sub(self.readers.len());
        let hovered = response.hover_pos().and_then(|place| {
            let at = ((place.y - rect.top()) / line) as usize;
            at.checked_sub(shift).filter(|at| *at < self.readers.len())
        });
        if ui.is_rect_visible(rect) {
            let lit = hovered.or(self.chosen);
            self.paint_arcs(ui, inner, line, shift, lit);
            self.paint_words(ui, inner, line, shift, lit);
        }
        ArcsResponse {
            hovered,
            clicked: hovered.filter(|_| response.clicked()),
        }
    }

    fn paint_arcs(&self, ui: &Ui, inner: Rect, line: f32, shift: usize, lit: Option<usize>) {
        let palette = Palette::of(ui);
        let y = |at: usize| inner.top() + (at as f32 + 0.5) * line;
        for is_lit in [false, true] {
            let arcs = self
                .arcs
                .iter()
                .filter(|arc| (lit == Some(arc.from)) == is_lit);
            for arc in arcs.filter(|arc| arc.share >= LEAST) {
                let ends = [
                    pos2(inner.right(), y(arc.from + shift)),
                    pos2(inner.left(), y(arc.to)),
                ];
                let strength = arc.share.clamp(0.0, 1.0).powf(0.6);
                let strength = match (lit, is_lit) {
                    (Some(_), false) => strength * 0.16,
                    _ => strength,
                };
                let colour = mix(palette.background, self.colour, strength);
                let stroke = Stroke::new(0.6 + 3.4 * arc.share, colour);
                ui.painter().add(bow(ends, stroke));
            }
        }
    }

    fn paint_words(&self, ui: &Ui, inner: Rect, line: f32, shift: usize, lit: Option<usize>) {
        let palette = Palette::of(ui);
        let painter = ui.painter();
        let every = (12.0 / line).ceil().max(1.0) as usize;
        let share_of = |at: usize| {
            let arcs = self
                .arcs
                .iter()
                .filter(|arc| lit == Some(arc.from) && arc.to == at);
            arcs.map(|arc| arc.share).fold(0.0, f32::max)
        };
        for (at, text) in self.read.iter().enumerate() {
            let place = pos2(inner.left() - 8.0, inner.top() + (at as f32 + 0.5) * line);
            let share = share_of(at);
            if share >= LEAST {
                let ground = Rect::from_min_size(
                    pos2(inner.left() - COLUMN, place.y - line / 2.0),
                    vec2(COLUMN - 2.0, line),
                );
                let wash = mix(palette.background, self.colour, share * 0.5);
                painter.rect_filled(ground, corner::CELL, wash);
            }
            if at.is_multiple_of(every) || share >= 0.1 {
                let colour = if share >= LEAST {
                    palette.text
                } else {
                    palette.muted
                };
                painter.text(place, Align2::RIGHT_CENTER, text, Type::Body.font(), colour);
            }
        }
        for (at, text) in self.readers.iter().enumerate() {
            let row = at + shift;
            let place = pos2(inner.right() + 8.0, inner.top() + (row as f32 + 0.5) * line);
            let is_lit = lit == Some(at);
            if row.is_multiple_of(every) || is_lit {
                let kind = if is_lit { Type::Strong } else { Type::Body };
                let colour = if is_lit { palette.text } else { palette.muted };
                painter.text(place, Align2::LEFT_CENTER, text, kind.font(), colour);
            }
        }
    }
}

/// Shares below this have no line: so many lines would hide the rest.
const LEAST: f32 = 0.02;

/// Room for words on each side.
const COLUMN: f32 = 104.0;

fn bow([from, to]: [Pos2; 2], stroke: Stroke) -> Shape {
    let reach = (from.x - to.x) * 0.45;
    let points = [from, from - vec2(reach, 0.0), to + vec2(reach, 0.0), to];
    Shape::CubicBezier(CubicBezierShape::from_points_stroke(
        points,
        false,
        Color32::TRANSPARENT,
        stroke,
    ))
}
