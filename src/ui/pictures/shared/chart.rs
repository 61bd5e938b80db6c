//! A small chart: places on a plane, lines with their numbers, curves.

use egui::{Align2, Color32, Painter, Pos2, Rect, Shape, Stroke, pos2, vec2};

use crate::ui::theme::{Palette, Type};

/// Writes a chart's title at `place`, and beside it what the chart shows.
pub fn chart_title(painter: &Painter, palette: &Palette, place: Pos2, title: &str, rest: &str) {
    let put = |place: Pos2, text: &str, font: Type, colour| {
        painter.text(place, Align2::LEFT_TOP, text, font.font(), colour)
    };
    let title = put(place, title, Type::Strong, palette.text);
    put(
        title.right_top() + vec2(8.0, 0.0),
        rest,
        Type::Body,
        palette.muted,
    );
}

/// A rectangle in which numbers have places.
#[derive(Debug, Clone, Copy)]
pub struct Chart {
    /// Where curves are drawn.
    pub area: Rect,
    x: (f64, f64),
    y: (f64, f64),
    is_log: bool,
}

impl Chart {
    /// A chart in `area` from `x.0` to `x.1` and, upwards, from `y.0` to `y.1`.
    #[must_use]
    pub fn new(area: Rect, x: (f64, f64), y: (f64, f64)) -> Self {
        Self {
            area,
            x,
            y,
            is_log: false,
        }
    }

    /// The same with the logarithm of y; `y` must be positive.
    #[must_use]
    pub fn log(mut self) -> Self {
        self.is_log = true;
        self
    }

    /// Where a point is drawn.
    #[must_use]
    pub fn place(&self, x: f64, y: f64) -> Pos2 {
        let level = |y: f64| if self.is_log { y.max(1e-12).ln() } else { y };
        let share = |value: f64, (low, high): (f64, f64)| match high == low {
            true => 0.5,
            false => (value - low) / (high - low),
        };
        let across = share(x, self.x).clamp(-0.5, 1.5) as f32;
        let up = share(level(y), (level(self.y.0), level(self.y.1))).clamp(-0.5, 1.5) as f32;
        let up = if up.is_nan() { 0.0 } else { up };
        pos2(
            self.area.left() + across * self.area.width(),
            self.area.bottom() - up * self.area.height(),
        )
    }

    /// The x under a place of the screen.
    #[must_use]
    pub fn x_at(&self, place: Pos2) -> f64 {
        let share = f64::from((place.x - self.area.left()) / self.area.width().max(1.0));
        self.x.0 + share * (self.x.1 - self.x.0)
    }

    /// Lines across, each with its number at the left.
    pub fn lines(&self, painter: &Painter, palette: &Palette, lines: &[(f64, String)]) {
        for (y, text) in lines {
            let at = self.place(self.x.0, *y);
            painter.hline(self.area.x_range(), at.y, palette.hairline());
            painter.text(
                pos2(self.area.left() - 8.0, at.y),
                Align2::RIGHT_CENTER,
                text,
                Type::MonoSmall.font(),
                palette.muted,
            );
        }
    }

    /// A curve.
    pub fn curve(&self, painter: &Painter, points: &[[f64; 2]], stroke: Stroke) {
        let places: Vec<Pos2> = points.iter().map(|[x, y]| self.place(*x, *y)).collect();
        painter.add(Shape::line(places, stroke));
    }

    /// A curve that was not measured.
    pub fn dashes(&self, painter: &Painter, points: &[[f64; 2]], colour: Color32) {
        let places: Vec<Pos2> = points.iter().map(|[x, y]| self.place(*x, *y)).collect();
        let stroke = Stroke::new(1.3, colour);
        painter.extend(Shape::dashed_line(&places, stroke, 4.0, 4.0));
    }
}

/// About `n` round numbers from 0 to `most`.
#[must_use]
pub fn ticks(most: f64, n: usize) -> Vec<f64> {
    if !(most.is_finite() && most > 0.0) {
        return vec![0.0];
    }
    let rough = most / n.max(1) as f64;
    let unit = 10_f64.powf(rough.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0].into_iter();
    let step = factors
        .map(|factor| factor * unit)
        .find(|step| *step >= rough);
    let step = step.unwrap_or(10.0 * unit);
    let n_ticks = (most / step + 1e-9).floor() as usize;
    (0..=n_ticks).map(|tick| tick as f64 * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::vec2;

    #[test]
    fn ticks_are_round_and_reach_no_further() {
        assert_eq!(ticks(10.0, 4), [0.0, 5.0, 10.0]);
        assert_eq!(ticks(0.7, 3), [0.0, 0.5]);
        assert_eq!(ticks(0.0, 3), [0.0]);
        assert_eq!(ticks(f64::NAN, 3), [0.0]);
    }

    #[test]
    fn numbers_have_places() {
        let area = Rect::from_min_size(pos2(10.0, 0.0), vec2(100.0, 50.0));
        let chart = Chart::new(area, (0.0, 4.0), (1.0, 100.0)).log();
        assert_eq!(chart.place(2.0, 10.0), pos2(60.0, 25.0));
        assert_eq!(chart.x_at(pos2(60.0, 3.0)), 2.0);
        // A rank axis runs the other way: 1 is on top.
        let ranks = Chart::new(area, (0.0, 4.0), (100.0, 1.0)).log();
        assert_eq!(ranks.place(0.0, 1.0).y, 0.0);
    }
}
