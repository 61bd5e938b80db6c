//! Only the distance counts: the same query and key, put at other positions.

use egui::{Slider, Ui, vec2};

use super::{Turns, key_position, rate};
use crate::ui::controls::Button;
use crate::ui::picture::Scene;
use crate::ui::pictures::parts::heading_ui;
use crate::ui::theme::{Palette, Role, Type, space};
use crate::ui::widgets::heatmap::figure;
use crate::ui::widgets::{Curve, Mark};

/// Where query and key are put, for trying.
#[derive(Default)]
pub struct Distance {
    /// The positions they really stand at, and those they are put at.
    moved: Option<([usize; 2], [usize; 2])>,
}

/// q · k of the two vectors as if they stood `distance` apart, the key before the query.
pub fn product(turns: &Turns, distance: usize) -> f64 {
    let pairs = turns.query.pairs.iter().zip(&turns.key.pairs);
    let sum = pairs.map(|(query, key)| {
        let rate = match turns.query.position {
            0 => rate(key, turns.key.position),
            position => rate(query, position),
        };
        let angle = -f64::from(rate) * distance as f64;
        let [qx, qy] = query.before.map(f64::from);
        let [kx, ky] = key.before.map(f64::from);
        (qx * kx + qy * ky) * angle.cos() + (qy * kx - qx * ky) * angle.sin()
    });
    sum.sum()
}

impl Distance {
    /// Draws the two positions, and the product as a function of their distance.
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, turns: &Turns) {
        let palette = Palette::of(ui);
        let real = [scene.position(), key_position(scene)];
        let mut put = match self.moved {
            Some((known, put)) if known == real => put,
            _ => real,
        };
        heading_ui(ui, "Only the distance counts");
        let most = (2 * scene.run.ids.len()).clamp(64, 4_096);
        let names = [scene.name(real[0]), scene.name(real[1])];
        position_ui(ui, "query", Role::Query, &names[0], &mut put[0], most);
        position_ui(ui, "key", Role::Key, &names[1], &mut put[1], most);
        put[1] = put[1].min(put[0]);
        ui.horizontal_wrapped(|ui| {
            if Button::new("Both one further")
                .show(ui, space::TARGET)
                .clicked()
            {
                put = put.map(|at| at + 1);
            }
            if Button::new("Query one further")
                .show(ui, space::TARGET)
                .clicked()
            {
                put[0] += 1;
            }
            if put != real
                && Button::new("Where they stand")
                    .show(ui, space::TARGET)
                    .clicked()
            {
                put = real;
            }
        });
        self.moved = Some((real, put));
        let words = "Move both: q · k stays. Move one: it follows the curve.";
        ui.label(Type::Body.text(words, palette.muted));
        let apart = put[0] - put[1];
        let real_apart = real[0].saturating_sub(real[1]);
        self.curve_ui(ui, turns, apart, real_apart);
    }

    fn curve_ui(&self, ui: &mut Ui, turns: &Turns, apart: usize, real_apart: usize) {
        let palette = Palette::of(ui);
        let far = (apart.max(real_apart) + 4).max(32);
        let points: Vec<[f64; 2]> = (0..=far)
            .map(|at| [at as f64, product(turns, at)])
            .collect();
        let value = product(turns, apart);
        let where_ = match apart {
            0 => "at the same place".to_owned(),
            1 => "one back".to_owned(),
            apart => format!("{apart} back"),
        };
        let marks = [Mark {
            at: [apart as f64, value],
            text: format!("{where_}: {}", figure(value as f32)),
            colour: palette.role(Role::Attention),
        }];
        let curve = Curve {
            name: "q · k by distance",
            points: &points,
            colour: palette.role(Role::Attention),
            x_label: "positions between query and key",
            marks: &marks,
            include_y: Some(0.0),
        };
        let height = (ui.available_height() - 24.0).clamp(90.0, 460.0);
        curve.show(ui, vec2(ui.available_width(), height));
    }
}

/// One position with its slider.
fn position_ui(ui: &mut Ui, what: &str, role: Role, token: &str, at: &mut usize, most: usize) {
    let palette = Palette::of(ui);
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(96.0, space::TARGET), egui::Sense::hover());
        let place = rect.left_center();
        let text = format!("{what} {token}");
        let font = Type::Label.font();
        ui.painter().text(
            place,
            egui::Align2::LEFT_CENTER,
            text,
            font,
            palette.role(role),
        );
        ui.spacing_mut().slider_width = (ui.available_width() - 76.0).clamp(60.0, 260.0);
        let slider = ui.add(Slider::new(at, 0..=most));
        let value = *at as f64;
        slider.widget_info(|| egui::WidgetInfo::slider(true, value, format!("{what} position")));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::measure::rope::{RopePair, Rotation, Turned};

    fn rotation(of: Turned, position: usize, before: [f32; 2]) -> Rotation {
        let frequency = 0.3;
        let angle = position as f32 * frequency;
        let (sin, cos) = angle.sin_cos();
        let [x, y] = before;
        let pair = RopePair {
            places: [0, 1],
            frequency,
            angle,
            before,
            after: [x * cos - y * sin, x * sin + y * cos],
        };
        Rotation {
            layer: 0,
            of,
            head: 0,
            position,
            pairs: vec![pair],
        }
    }

    #[test]
    fn the_curve_goes_through_the_product_of_the_turned_vectors() {
        let turns = Turns {
            query: rotation(Turned::Queries, 9, [1.0, 2.0]),
            key: rotation(Turned::Keys, 4, [-0.5, 3.0]),
        };
        let [query, key] = [&turns.query, &turns.key].map(|rotation| rotation.pairs[0].after);
        let real = query[0] * key[0] + query[1] * key[1];
        assert!((product(&turns, 5) - f64::from(real)).abs() < 1e-4);
        assert!((product(&turns, 4) - f64::from(real)).abs() > 1e-2);
    }
}
