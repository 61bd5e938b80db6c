//! Horizontal bars: a label, a bar, one or two numbers, and why a bar is faint.

use egui::{
    Align2, Color32, FontId, Rect, Response, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use crate::ui::theme::{Palette, Type, corner, mix};

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// What it is, at the left.
    pub label: String,
    /// How long it is, beside the others; a negative one points left.
    pub length: f32,
    /// Its number, right of the bar.
    pub value: String,
    /// Another number in a column of its own; empty for none.
    pub second: String,
    /// Why it does not count; it is drawn faint.
    pub reason: Option<String>,
    /// Its colour.
    pub colour: Color32,
    /// Whether it is the one.
    pub is_chosen: bool,
}

impl Bar {
    /// A bar that counts.
    #[must_use]
    pub fn new(
        label: impl Into<String>,
        length: f32,
        value: impl Into<String>,
        colour: Color32,
    ) -> Self {
        Self {
            label: label.into(),
            length,
            value: value.into(),
            second: String::new(),
            reason: None,
            colour,
            is_chosen: false,
        }
    }
}

/// A column of bars on one scale.
#[derive(Debug, Clone, Copy)]
pub struct Bars<'a> {
    name: &'a str,
    bars: &'a [Bar],
    longest: Option<f32>,
    line: f32,
}

/// Room for the numbers and the reason.
const VALUE: f32 = 64.0;
const SECOND: f32 = 52.0;
const REASON: f32 = 118.0;

impl<'a> Bars<'a> {
    /// Bars called `name` for those who cannot see them.
    #[must_use]
    pub fn new(name: &'a str, bars: &'a [Bar]) -> Self {
        Self {
            name,
            bars,
            longest: None,
            line: 22.0,
        }
    }

    /// The length that fills the room; the longest bar's, if it is not set.
    #[must_use]
    pub fn longest(mut self, longest: f32) -> Self {
        self.longest = Some(longest);
        self
    }

    /// Height of a line.
    #[must_use]
    pub fn line(mut self, line: f32) -> Self {
        self.line = line;
        self
    }

    /// Shows the bars in the width there is; gives the bar that was clicked and the one hovered.
    pub fn show(&self, ui: &mut Ui) -> BarsResponse {
        let width = ui.available_width();
        let columns = self.columns(ui, width);
        let mut shown = BarsResponse::default();
        ui.spacing_mut().item_spacing.y = 0.0;
        for (place, bar) in self.bars.iter().enumerate() {
            let (_, rect) = ui.allocate_space(vec2(width, self.line));
            // An id of its own: what appears above while one presses must not swallow the click.
            let id = ui.scope_id().with((self.name, place));
            let response = ui.interact(rect, id, Sense::click());
            response.widget_info(|| {
                let text = format!("{}: {} {} {}", self.name, bar.label, bar.value, bar.second);
                WidgetInfo::selected(egui::Role::ListItem, true, bar.is_chosen, text.trim())
            });
            if ui.is_rect_visible(rect) {
                paint(ui, rect, bar, &columns, &response);
            }
            if response.clicked() {
                shown.clicked = Some(place);
            }
            if response.hovered() {
                shown.hovered = Some(place);
            }
        }
        shown
    }

    /// Where things stand in a line of this width.
    fn columns(&self, ui: &Ui, width: f32) -> Columns {
        // As wide as when it is chosen.
        let font = Type::Strong.font();
        let wide = |text: &str, font: &FontId| {
            let galley = ui
                .painter()
                .layout_no_wrap(text.to_owned(), font.clone(), Color32::WHITE);
            galley.size().x
        };
        let label = self
            .bars
            .iter()
            .map(|bar| wide(&bar.label, &font))
            .fold(30.0, f32::max);
        let label = label.min(width * 0.32);
        let second = if self.bars.iter().any(|bar| !bar.second.is_empty()) {
            SECOND
        } else {
            0.0
        };
        let reason = if self.bars.iter().any(|bar| bar.reason.is_some()) {
            REASON
        } else {
            0.0
        };
        let lengths = || self.bars.iter().map(|bar| bar.length);
        let longest = lengths()
            .map(f32::abs)
            .filter(|l| l.is_finite())
            .fold(0.0, f32::max);
        Columns {
            label,
            end: (width - VALUE - second - reason).max(label + 40.0),
            second,
            has_both_sides: lengths().any(|length| length < 0.0),
            longest: self.longest.unwrap_or(longest).max(1e-12),
        }
    }
}

/// What happened to bars in this frame, by their places.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BarsResponse {
    /// The bar that was clicked.
    pub clicked: Option<usize>,
    /// The bar under the pointer.
    pub hovered: Option<usize>,
}

struct Columns {
    label: f32,
    /// Where the longest bar ends.
    end: f32,
    second: f32,
    has_both_sides: bool,
    longest: f32,
}

impl Columns {
    /// The bar's rectangle in a line at `rect`.
    fn bar(&self, rect: Rect, length: f32) -> Rect {
        let (start, end) = (rect.left() + self.label + 10.0, rect.left() + self.end);
        let share = (length / self.longest).clamp(-1.0, 1.0);
        let share = if share.is_nan() { 0.0 } else { share };
        let zero = if self.has_both_sides {
            (start + end) / 2.0
        } else {
            start
        };
        let tip = zero + share * (end - zero);
        let y = rect.y_range().shrink(rect.height() * 0.17);
        // A bar of nothing is a hairline: it is there.
        Rect::from_x_y_ranges(zero.min(tip)..=zero.max(tip).max(zero.min(tip) + 1.0), y)
    }
}

fn paint(ui: &Ui, rect: Rect, bar: &Bar, columns: &Columns, response: &Response) {
    let palette = Palette::of(ui);
    let painter = ui.painter();
    let is_faint = bar.reason.is_some();
    if response.hovered() {
        painter.rect_filled(rect, corner::SMALL, palette.sunk);
    }
    let text = if is_faint {
        palette.muted
    } else {
        palette.text
    };
    // Below zero a bar has the colour that maps give it.
    let colour = match bar.length < 0.0 && !bar.is_chosen {
        true => palette.negative,
        false => bar.colour,
    };
    let fill = match is_faint {
        true => mix(palette.background, colour, 0.28),
        false => colour,
    };
    let body = columns.bar(rect, bar.length);
    painter.rect_filled(body, corner::CELL, fill);
    if bar.is_chosen {
        painter.rect_stroke(body.expand(1.0), 3, palette.ring(), StrokeKind::Outside);
    }
    let y = rect.center().y;
    let kind = if bar.is_chosen {
        Type::Strong
    } else {
        Type::Body
    };
    let label = painter.with_clip_rect(
        Rect::from_x_y_ranges(
            rect.left()..=rect.left() + columns.label + 2.0,
            rect.y_range(),
        )
        .intersect(ui.clip_rect()),
    );
    let place = pos2(rect.left() + columns.label, y);
    // Cut at its end, where it has no room.
    let mut job = egui::text::LayoutJob::simple_singleline(bar.label.clone(), kind.font(), text);
    job.wrap = egui::text::TextWrapping::truncate_at_width(columns.label + 2.0);
    let galley = label.layout_job(job);
    let corner = place - vec2(galley.size().x, galley.size().y / 2.0);
    label.galley(corner, galley, text);
    let after = if columns.has_both_sides {
        rect.left() + columns.end
    } else {
        body.right()
    };
    let place = pos2(after + 6.0, y);
    painter.text(
        place,
        Align2::LEFT_CENTER,
        &bar.value,
        Type::Mono.font(),
        text,
    );
    let second = rect.left() + columns.end + VALUE;
    let place = pos2(second, y);
    painter.text(
        place,
        Align2::LEFT_CENTER,
        &bar.second,
        Type::MonoSmall.font(),
        palette.muted,
    );
    if let Some(reason) = &bar.reason {
        let place = pos2(second + columns.second, y);
        painter.text(
            place,
            Align2::LEFT_CENTER,
            reason,
            Type::Small.font(),
            palette.muted,
        );
    }
    if columns.has_both_sides {
        let x = columns.bar(rect, 0.0).left();
        let line = Stroke::new(1.0, palette.line);
        painter.line_segment([pos2(x, rect.top()), pos2(x, rect.bottom())], line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(has_both_sides: bool) -> Columns {
        Columns {
            label: 40.0,
            end: 250.0,
            second: 0.0,
            has_both_sides,
            longest: 2.0,
        }
    }

    #[test]
    fn lengths_are_shares_of_the_longest() {
        let line = Rect::from_min_size(pos2(0.0, 0.0), vec2(400.0, 20.0));
        let one_sided = columns(false);
        assert_eq!(
            one_sided.bar(line, 2.0).x_range(),
            egui::Rangef::new(50.0, 250.0)
        );
        assert_eq!(one_sided.bar(line, 1.0).width(), 100.0);
        assert_eq!(one_sided.bar(line, f32::NAN).width(), 1.0);
        let two_sided = columns(true);
        assert_eq!(
            two_sided.bar(line, -1.0).x_range(),
            egui::Rangef::new(100.0, 150.0)
        );
    }
}
