//! The few icons of the window, drawn as shapes so that they are sharp at any size.

use egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, pos2, vec2};

/// An icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    /// A triangle to the right.
    Play,
    /// Two bars.
    Pause,
    /// An angle to the left.
    Back,
    /// An angle to the right.
    Forward,
    /// A triangle at a bar, to the right.
    Layer,
    /// Two triangles to the right.
    Token,
    /// Two triangles at a bar, to the right.
    End,
    /// A triangle at a bar, to the left.
    Rewind,
    /// A small triangle down.
    Down,
    /// A small triangle to the right.
    Right,
    /// A cross.
    Close,
    /// A tick.
    Tick,
    /// A circle, half full.
    Theme,
    /// A filled dot: a breakpoint.
    Dot,
    /// Three lines: a list.
    List,
    /// Three dots in a row: more.
    More,
    /// A panel at the left.
    LeftPanel,
    /// A panel at the right.
    RightPanel,
}

impl Icon {
    /// Draws it into `rect`, which it fills as a square.
    pub fn paint(self, painter: &Painter, rect: Rect, colour: Color32) {
        let (c, r) = (rect.center(), rect.width().min(rect.height()) / 2.0);
        let line = Stroke::new(1.6, colour);
        let at = |x: f32, y: f32| pos2(c.x + x * r, c.y + y * r);
        match self {
            Self::Play => triangle(painter, at(-0.55, 0.0), at(0.75, 0.0), r * 0.8, colour),
            Self::Pause => {
                for x in [-0.4, 0.4] {
                    painter.vline(
                        at(x, 0.0).x,
                        at(0.0, -0.7).y..=at(0.0, 0.7).y,
                        Stroke::new(2.4, colour),
                    );
                }
            }
            Self::Back => {
                painter.line(vec![at(0.35, -0.75), at(-0.4, 0.0), at(0.35, 0.75)], line);
            }
            Self::Forward => {
                painter.line(vec![at(-0.35, -0.75), at(0.4, 0.0), at(-0.35, 0.75)], line);
            }
            Self::Layer => {
                triangle(painter, at(-0.8, 0.0), at(0.4, 0.0), r * 0.75, colour);
                bar(painter, at(0.75, 0.0), r * 0.75, colour);
            }
            Self::Token => {
                triangle(painter, at(-0.95, 0.0), at(0.0, 0.0), r * 0.75, colour);
                triangle(painter, at(0.0, 0.0), at(0.95, 0.0), r * 0.75, colour);
            }
            Self::End => {
                triangle(painter, at(-1.0, 0.0), at(-0.15, 0.0), r * 0.7, colour);
                triangle(painter, at(-0.15, 0.0), at(0.7, 0.0), r * 0.7, colour);
                bar(painter, at(0.95, 0.0), r * 0.7, colour);
            }
            Self::Rewind => {
                triangle(painter, at(0.8, 0.0), at(-0.5, 0.0), r * 0.8, colour);
                bar(painter, at(-0.75, 0.0), r * 0.8, colour);
            }
            Self::Down => {
                let points = vec![at(-0.6, -0.3), at(0.6, -0.3), at(0.0, 0.55)];
                painter.add(Shape::convex_polygon(points, colour, Stroke::NONE));
            }
            Self::Right => triangle(painter, at(-0.35, 0.0), at(0.5, 0.0), r * 0.6, colour),
            Self::Close => {
                painter.line_segment([at(-0.6, -0.6), at(0.6, 0.6)], line);
                painter.line_segment([at(0.6, -0.6), at(-0.6, 0.6)], line);
            }
            Self::Tick => {
                painter.line(vec![at(-0.7, 0.05), at(-0.2, 0.55), at(0.75, -0.55)], line);
            }
            Self::Theme => {
                painter.circle_stroke(c, r * 0.75, line);
                let half = (0..=16).map(|step| {
                    let angle = std::f32::consts::PI * (step as f32 / 16.0 - 0.5);
                    c + vec2(angle.cos(), angle.sin()) * r * 0.75
                });
                painter.add(Shape::convex_polygon(half.collect(), colour, Stroke::NONE));
            }
            Self::Dot => {
                painter.circle_filled(c, r * 0.6, colour);
            }
            Self::List => {
                for y in [-0.55, 0.0, 0.55] {
                    painter.hline(at(-0.7, 0.0).x..=at(0.7, 0.0).x, at(0.0, y).y, line);
                }
            }
            Self::More => {
                for x in [-0.75, 0.0, 0.75] {
                    painter.circle_filled(at(x, 0.0), r * 0.2, colour);
                }
            }
            Self::LeftPanel | Self::RightPanel => {
                let frame = Rect::from_center_size(c, vec2(r * 1.7, r * 1.4));
                let thin = Stroke::new(1.3, colour);
                painter.rect_stroke(frame, 2.0, thin, egui::StrokeKind::Middle);
                let x = if self == Self::LeftPanel { -0.3 } else { 0.3 };
                painter.vline(at(x, 0.0).x, frame.y_range(), thin);
            }
        }
    }
}

/// A triangle from its base at `from` to its tip at `to`.
fn triangle(painter: &Painter, from: Pos2, to: Pos2, half: f32, colour: Color32) {
    let points = vec![from - vec2(0.0, half), to, from + vec2(0.0, half)];
    painter.add(Shape::convex_polygon(points, colour, Stroke::NONE));
}

fn bar(painter: &Painter, at: Pos2, half: f32, colour: Color32) {
    painter.vline(at.x, at.y - half..=at.y + half, Stroke::new(2.0, colour));
}

/// The program's mark: a glass case with three tokens in it.
pub fn mark(painter: &Painter, rect: Rect, colour: Color32) {
    let line = Stroke::new(1.8, colour);
    let case = Rect::from_min_max(rect.min, rect.max - vec2(0.0, rect.height() * 0.18));
    painter.rect_stroke(case.shrink(1.0), 3.5, line, egui::StrokeKind::Middle);
    for step in [-1.0, 0.0, 1.0] {
        let centre = case.center() + vec2(step * rect.width() * 0.2, 0.0);
        painter.circle_filled(centre, rect.width() * 0.065, colour);
    }
    let foot = rect.width() * 0.28;
    painter.hline(
        rect.center().x - foot..=rect.center().x + foot,
        rect.bottom() - 1.0,
        line,
    );
}
