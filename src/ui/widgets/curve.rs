//! Curves in the look of the window, on `egui_plot`.

use egui::{Color32, Ui, Vec2};
use egui_plot::{AxisHints, Line, MarkerShape, Plot, PlotPoint, PlotPoints, Points, Text};

use crate::ui::theme::{Palette, Type};

/// A curve through points with whole-number places.
#[derive(Debug, Clone)]
pub struct Curve<'a> {
    /// For those who cannot see it, and egui's memory of it.
    pub name: &'a str,
    /// `[x, y]`, by x.
    pub points: &'a [[f64; 2]],
    /// Its colour.
    pub colour: Color32,
    /// What the axis below counts.
    pub x_label: &'a str,
    /// Points with a dot and a word.
    pub marks: &'a [Mark],
    /// Keeps this y in sight.
    pub include_y: Option<f64>,
}

/// A point with a dot and a word.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Where.
    pub at: [f64; 2],
    /// What stands beside it.
    pub text: String,
    /// Its colour.
    pub colour: Color32,
}

/// Round steps, so that an axis has four to eight figures.
fn steps(axis: egui_plot::GridInput) -> [f64; 3] {
    let (least, most) = axis.bounds;
    let rough = ((most - least) / 6.0).max(1e-9);
    let power = 10_f64.powf(rough.log10().floor());
    let round = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    let step = round.into_iter().find(|step| *step >= rough);
    let step = step.unwrap_or(power);
    [step, step * 10.0, step * 100.0]
}

impl Curve<'_> {
    /// Shows the curve; gives the place under the pointer.
    pub fn show(&self, ui: &mut Ui, size: Vec2) -> Option<PlotPoint> {
        let palette = Palette::of(ui);
        // Lines and figures of the axes are quieter than the curve.
        ui.visuals_mut().widgets.noninteractive.fg_stroke.color = palette.muted;
        let axis = AxisHints::new_x().label(Type::Small.text(self.x_label, palette.muted));
        let plot = Plot::new(self.name)
            .width(size.x)
            .height(size.y)
            .show_background(false)
            .show_grid([false, true])
            .cursor_color(palette.faint)
            .allow_zoom(false)
            .allow_drag(false)
            .allow_scroll(false)
            .allow_boxed_zoom(false)
            .allow_double_click_reset(false)
            .custom_x_axes(vec![axis.label_spacing(egui::Rangef::new(22.0, 34.0))])
            .x_grid_spacer(egui_plot::uniform_grid_spacer(steps))
            .set_margin_fraction(egui::vec2(0.02, 0.12));
        let plot = match self.include_y {
            Some(y) => plot.include_y(y),
            None => plot,
        };
        // Near the left edge a name stands on the other side of its dot, where there is room for it.
        let (first, last) = (self.points.first(), self.points.last());
        let turn = match (first, last) {
            (Some([first, _]), Some([last, _])) => first + 0.3 * (last - first),
            _ => f64::NEG_INFINITY,
        };
        let shown = plot.show(ui, |plot| {
            let points = PlotPoints::from(self.points.to_vec());
            plot.line(Line::new(self.name, points).color(self.colour).width(2.0));
            let mut written: Vec<PlotPoint> = Vec::new();
            for mark in self.marks {
                let dot = Points::new("", vec![mark.at])
                    .radius(4.5)
                    .color(mark.colour);
                plot.points(dot.shape(MarkerShape::Circle));
                let place = PlotPoint::new(mark.at[0], mark.at[1]);
                // A name over another one could be read by nobody; the stronger mark comes first.
                let away = |other: &PlotPoint| {
                    let between = plot.screen_from_plot(place) - plot.screen_from_plot(*other);
                    between.y.abs() > 12.0 || between.x.abs() > 40.0
                };
                if mark.text.is_empty() || !written.iter().all(away) {
                    continue;
                }
                written.push(place);
                let text = Type::Small.text(format!("  {}  ", mark.text), palette.text);
                let label = Text::new("", place, text);
                plot.text(label.anchor(match mark.at[0] < turn {
                    true => egui::Align2::LEFT_BOTTOM,
                    false => egui::Align2::RIGHT_BOTTOM,
                }));
            }
            plot.pointer_coordinate()
        });
        shown.response.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::Image, true, format!("curve: {}", self.name))
        });
        shown.inner.filter(|_| shown.response.hovered())
    }
}
