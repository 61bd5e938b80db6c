//! A vector as a strip of coloured cells, in as many lines as it takes.

use egui::{Color32, Rect, Response, Sense, StrokeKind, Ui, Vec2, WidgetInfo, pos2, vec2};

use super::heatmap::figure;
use crate::ui::colormap::{ColorMap, largest};
use crate::ui::theme::{Palette, corner};

/// A vector, ready to be shown.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    name: &'a str,
    values: &'a [f32],
    colours: &'a ColorMap,
    limit: Option<f32>,
    chosen: Option<usize>,
    is_quiet: bool,
    per_line: usize,
    height: f32,
    order: Option<&'a [usize]>,
}

impl<'a> Values<'a> {
    /// A vector called `name` for those who cannot see it.
    #[must_use]
    pub fn new(name: &'a str, values: &'a [f32], colours: &'a ColorMap) -> Self {
        Self {
            name,
            values,
            colours,
            limit: None,
            chosen: None,
            is_quiet: false,
            per_line: usize::MAX,
            height: 20.0,
            order: None,
        }
    }

    /// Where the scale ends; the largest value's size, if it is not set.
    #[must_use]
    pub fn limit(mut self, limit: f32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The one with the ring.
    #[must_use]
    pub fn chosen(mut self, chosen: Option<usize>) -> Self {
        self.chosen = chosen;
        self
    }

    /// The chosen one has a thin line in place of the ring, where several strips show it.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.is_quiet = true;
        self
    }

    /// Most cells of a line.
    #[must_use]
    pub fn per_line(mut self, per_line: usize) -> Self {
        self.per_line = per_line.max(1);
        self
    }

    /// Height of a line.
    #[must_use]
    pub fn height(mut self, height: f32) -> Self {
        self.height = height;
        self
    }

    /// Shows the values in another order; hovering and clicking still tell their own places.
    #[must_use]
    pub fn order(mut self, order: &'a [usize]) -> Self {
        self.order = Some(order);
        self
    }

    /// Shows the strip `width` wide; gives the place that is hovered, and the one clicked.
    pub fn show(&self, ui: &mut Ui, width: f32) -> ValuesResponse {
        let n = self.values.len();
        let per_line = n.min(self.per_line).max(1);
        let n_lines = n.div_ceil(per_line).max(1);
        let gap = if n_lines > 1 { 5.0 } else { 0.0 };
        let size = vec2(width, n_lines as f32 * (self.height + gap) - gap);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let cell = vec2(width / per_line as f32, self.height);
        let place = |at: usize| {
            let corner = vec2(
                (at % per_line) as f32 * cell.x,
                (at / per_line) as f32 * (cell.y + gap),
            );
            Rect::from_min_size(rect.min + corner, cell)
        };
        let hovered = response.hover_pos().and_then(|pointer| {
            let line = ((pointer.y - rect.top()) / (cell.y + gap)).floor().max(0.0) as usize;
            let col = ((pointer.x - rect.left()) / cell.x).floor().max(0.0) as usize;
            let slot = line * per_line + col.min(per_line - 1);
            self.own_place(slot).filter(|at| *at < n)
        });
        if ui.is_rect_visible(rect) {
            self.paint(ui, place, cell, hovered);
        }
        let text = self.spoken(hovered.or(self.chosen));
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, &text));
        let clicked = hovered.filter(|_| response.clicked());
        ValuesResponse {
            response,
            hovered,
            clicked,
        }
    }

    /// The place in the vector of what stands in `slot` of the strip.
    fn own_place(&self, slot: usize) -> Option<usize> {
        match self.order {
            Some(order) => order.get(slot).copied(),
            None => Some(slot),
        }
    }

    fn paint(&self, ui: &Ui, place: impl Fn(usize) -> Rect, cell: Vec2, hovered: Option<usize>) {
        let palette = Palette::of(ui);
        let limit = self.limit.unwrap_or_else(|| largest(self.values));
        let gap = if cell.x >= 5.0 { 0.6 } else { 0.0 };
        let rounding = if cell.x >= 5.0 {
            corner::CELL
        } else {
            egui::CornerRadius::ZERO
        };
        let pixels_per_point = ui.ctx().pixels_per_point();
        // Values that share a pixel: the one of largest size is seen.
        let per_pixel = (1.0 / (cell.x * pixels_per_point)).floor().max(1.0) as usize;
        let slots: Vec<usize> = (0..self.values.len()).collect();
        for slots in slots.chunks(per_pixel) {
            let values = slots.iter().filter_map(|slot| {
                let at = self.own_place(*slot)?;
                self.values.get(at).copied()
            });
            let value = values.fold(0.0_f32, |a, b| if b.abs() > a.abs() { b } else { a });
            let (Some(first), Some(last)) = (slots.first(), slots.last()) else {
                continue;
            };
            let rect = place(*first).union(place(*last)).shrink2(vec2(gap, 0.0));
            ui.painter()
                .rect_filled(rect, rounding, self.colours.colour(value, limit));
        }
        let slot_of = |at: usize| match self.order {
            Some(order) => order.iter().position(|other| *other == at),
            None => Some(at),
        };
        let ring = match self.is_quiet {
            true => egui::Stroke::new(1.0, palette.muted),
            false => palette.ring(),
        };
        for (at, stroke) in [
            (hovered, egui::Stroke::new(1.0, palette.muted)),
            (self.chosen, ring),
        ] {
            if let Some(slot) = at.and_then(slot_of) {
                let rect = place(slot).expand(1.0);
                ui.painter()
                    .rect_stroke(rect, 2, stroke, StrokeKind::Outside);
            }
        }
    }

    fn spoken(&self, at: Option<usize>) -> String {
        let size = format!("{}, {} numbers", self.name, self.values.len());
        match at.and_then(|at| Some((at, self.values.get(at)?))) {
            Some((at, value)) => format!("{size}; number {at}: {}", figure(*value)),
            None => size,
        }
    }
}

/// What happened to a strip in this frame.
#[derive(Debug)]
pub struct ValuesResponse {
    /// The whole strip.
    pub response: Response,
    /// The place under the pointer.
    pub hovered: Option<usize>,
    /// The place that was clicked.
    pub clicked: Option<usize>,
}

/// A small strip painted into a rectangle that is there already, for cards and thumbnails.
pub fn paint_strip(ui: &Ui, rect: Rect, values: &[f32], colours: &ColorMap, limit: Option<f32>) {
    let limit = limit.unwrap_or_else(|| largest(values));
    let n_slots = values
        .len()
        .min((rect.width() * ui.ctx().pixels_per_point()) as usize)
        .max(1);
    let per_slot = values.len().div_ceil(n_slots).max(1);
    let n_slots = values.len().div_ceil(per_slot).max(1);
    let width = rect.width() / n_slots as f32;
    for (slot, values) in values.chunks(per_slot).enumerate() {
        let value = values
            .iter()
            .fold(0.0_f32, |a, b| if b.abs() > a.abs() { *b } else { a });
        let x = rect.left() + slot as f32 * width;
        let cell = Rect::from_min_max(pos2(x, rect.top()), pos2(x + width, rect.bottom()));
        ui.painter()
            .rect_filled(cell, 0, colour_or_clear(colours, value, limit));
    }
}

fn colour_or_clear(colours: &ColorMap, value: f32, limit: f32) -> Color32 {
    if value.is_nan() {
        return Color32::TRANSPARENT;
    }
    colours.colour(value, limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::LIGHT;

    #[test]
    fn a_strip_tells_the_number_under_the_pointer() {
        let colours = ColorMap::diverging(&LIGHT);
        let values = [0.5, -0.335];
        let strip = Values::new("state of gave", &values, &colours);
        assert_eq!(strip.spoken(None), "state of gave, 2 numbers");
        assert_eq!(
            strip.spoken(Some(1)),
            "state of gave, 2 numbers; number 1: −0.335"
        );
        assert_eq!(strip.order(&[1, 0]).own_place(0), Some(1));
    }
}
