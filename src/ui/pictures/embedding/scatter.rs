//! Words on a plane: a dot and its name, the names that would lie on others left out.

use egui::{
    Align2, Color32, Pos2, Rect, Response, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, pos2,
    vec2,
};

use crate::ui::theme::{Palette, Type, corner};

/// A word on the plane.
#[derive(Debug, Clone, PartialEq)]
pub struct Dot {
    /// Its name.
    pub name: String,
    /// Where.
    pub at: [f64; 2],
    /// Its colour.
    pub colour: Color32,
}

/// What the four ends of the axes say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ends {
    /// At the left and the right.
    pub across: [String; 2],
    /// Below and above.
    pub up: [String; 2],
}

/// What happened to the plane in this frame.
#[derive(Debug)]
pub struct ScatterResponse {
    /// All of it.
    pub response: Response,
    /// The dot under the pointer.
    pub hovered: Option<usize>,
}

const MARGIN: f32 = 26.0;

/// Draws `dots` in `size`; zero is in the middle of neither axis unless the dots put it there.
pub fn scatter_ui(
    ui: &mut Ui,
    name: &str,
    dots: &[Dot],
    ends: &Ends,
    size: Vec2,
) -> ScatterResponse {
    let palette = Palette::of(ui);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| {
        WidgetInfo::labeled(
            egui::Role::Image,
            true,
            format!("{name}, {} words", dots.len()),
        )
    });
    let painter = ui.painter();
    painter.rect(
        rect,
        corner::CARD,
        palette.surface,
        palette.hairline(),
        StrokeKind::Inside,
    );
    let scale = Scale::of(dots, rect.shrink2(vec2(MARGIN + 24.0, MARGIN + 4.0)));
    let zero = scale.place([0.0, 0.0]);
    let line = Stroke::new(1.0, palette.line);
    if rect.x_range().shrink(8.0).contains(zero.x) {
        painter.vline(zero.x, rect.y_range().shrink(MARGIN), line);
    }
    if rect.y_range().shrink(8.0).contains(zero.y) {
        painter.hline(rect.x_range().shrink(MARGIN), zero.y, line);
    }
    ends_ui(ui, rect, ends);
    let places: Vec<Pos2> = dots.iter().map(|dot| scale.place(dot.at)).collect();
    let near = |pointer: Pos2| {
        let distances = places
            .iter()
            .map(|place| place.distance(pointer))
            .enumerate();
        distances
            .filter(|(_, d)| *d < 14.0)
            .min_by(|(_, a), (_, b)| a.total_cmp(b))
            .map(|(at, _)| at)
    };
    let hovered = response.hover_pos().and_then(near);
    paint_dots(ui, dots, &places, hovered, rect);
    ScatterResponse { response, hovered }
}

fn ends_ui(ui: &Ui, rect: Rect, ends: &Ends) {
    let palette = Palette::of(ui);
    let font = Type::Small.font();
    let put = |place: Pos2, align: Align2, text: &str| {
        ui.painter()
            .text(place, align, text, font.clone(), palette.muted);
    };
    let bottom = rect.bottom() - 8.0;
    put(
        pos2(rect.left() + 10.0, bottom),
        Align2::LEFT_BOTTOM,
        &ends.across[0],
    );
    put(
        pos2(rect.right() - 10.0, bottom),
        Align2::RIGHT_BOTTOM,
        &ends.across[1],
    );
    put(
        pos2(rect.center().x, bottom),
        Align2::CENTER_BOTTOM,
        &ends.up[0],
    );
    put(
        pos2(rect.center().x, rect.top() + 8.0),
        Align2::CENTER_TOP,
        &ends.up[1],
    );
}

fn paint_dots(ui: &Ui, dots: &[Dot], places: &[Pos2], hovered: Option<usize>, area: Rect) {
    let palette = Palette::of(ui);
    let painter = ui.painter();
    let mut taken: Vec<Rect> = places
        .iter()
        .map(|place| Rect::from_center_size(*place, vec2(8.0, 8.0)))
        .collect();
    // The hovered word's name is written whatever lies below it.
    let order = hovered
        .into_iter()
        .chain((0..dots.len()).filter(|at| Some(*at) != hovered));
    for at in order {
        let (Some(dot), Some(place)) = (dots.get(at), places.get(at)) else {
            continue;
        };
        let is_hovered = hovered == Some(at);
        let radius = if is_hovered { 5.5 } else { 4.0 };
        painter.circle_filled(*place, radius, dot.colour);
        if is_hovered {
            painter.circle_stroke(*place, radius + 1.5, palette.ring());
        }
        let font = if is_hovered { Type::Strong } else { Type::Body };
        let galley = painter.layout_no_wrap(dot.name.clone(), font.font(), palette.text);
        let size = galley.size();
        let right = Rect::from_min_size(pos2(place.x + 8.0, place.y - size.y / 2.0), size);
        let left = Rect::from_min_size(pos2(place.x - 8.0 - size.x, place.y - size.y / 2.0), size);
        let above = Rect::from_center_size(pos2(place.x, place.y - 14.0), size);
        let below = Rect::from_center_size(pos2(place.x, place.y + 14.0), size);
        let is_free = |spot: &Rect| {
            area.contains_rect(*spot)
                && !taken.iter().any(|other| other.intersects(spot.shrink(1.0)))
        };
        let spot = [right, left, above, below].into_iter().find(is_free);
        if let Some(spot) = spot.or(is_hovered.then_some(right)) {
            painter.galley(spot.min, galley, palette.text);
            taken.push(spot);
        }
    }
}

/// From coordinates to places on the screen.
struct Scale {
    low: [f64; 2],
    high: [f64; 2],
    area: Rect,
}

impl Scale {
    fn of(dots: &[Dot], area: Rect) -> Self {
        let of = |axis: usize, best: fn(f64, f64) -> f64, start: f64| {
            let values = dots.iter().filter_map(|dot| dot.at.get(axis).copied());
            values.filter(|value| value.is_finite()).fold(start, best)
        };
        Self {
            low: [
                of(0, f64::min, f64::INFINITY),
                of(1, f64::min, f64::INFINITY),
            ],
            high: [
                of(0, f64::max, f64::NEG_INFINITY),
                of(1, f64::max, f64::NEG_INFINITY),
            ],
            area,
        }
    }

    fn place(&self, at: [f64; 2]) -> Pos2 {
        let share = |value: f64, low: f64, high: f64| {
            let width = high - low;
            if width > 0.0 {
                ((value - low) / width) as f32
            } else {
                0.5
            }
        };
        let x = share(at[0], self.low[0], self.high[0]);
        let y = share(at[1], self.low[1], self.high[1]);
        pos2(
            self.area.left() + x * self.area.width(),
            self.area.bottom() - y * self.area.height(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dots_fill_the_plane() {
        let dot = |at: [f64; 2]| Dot {
            name: String::new(),
            at,
            colour: Color32::WHITE,
        };
        let area = Rect::from_min_size(pos2(10.0, 10.0), vec2(100.0, 50.0));
        let scale = Scale::of(&[dot([-1.0, 0.0]), dot([3.0, 2.0])], area);
        assert_eq!(scale.place([-1.0, 0.0]), area.left_bottom());
        assert_eq!(scale.place([3.0, 2.0]), area.right_top());
        let single = Scale::of(&[dot([1.0, 1.0])], area);
        assert_eq!(single.place([1.0, 1.0]), area.center());
    }
}
