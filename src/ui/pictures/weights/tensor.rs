//! One tensor: part of it as a map, and how all its numbers are spread.

use std::ops::Range;
use std::sync::Arc;

use egui::{DragValue, Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use super::{Picked, colour, shape};
use crate::engine::question::{Inspection, Question, TensorRow, Told};
use crate::trace::measure::histogram::Histogram;
use crate::trace::units;
use crate::ui::answers::Asked;
use crate::ui::colormap::ColorMap;
use crate::ui::picture::{Scene, Term, formula_ui, ready_ui};
use crate::ui::pictures::kit::{copy_menu, csv, note_ui, section_ui, signed};
use crate::ui::theme::{Palette, Role, Type};
use crate::ui::widgets::heatmap::{Grid, HeatMap, MapCell, MapState, figure, legend_ui};

/// The part that is looked at.
#[derive(Default)]
pub struct Tensor {
    state: MapState,
    cut: Option<(Arc<Told>, Grid, f32)>,
    rows_from: usize,
    cols_from: usize,
    name: String,
    hovered: Option<(MapCell, f32)>,
    locked: Option<MapCell>,
}

/// Rows and columns of a part.
const SIDE: usize = 512;
const N_BINS: usize = 96;

impl Tensor {
    pub fn show(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        inspection: &Inspection,
        row: Option<&TensorRow>,
    ) -> Picked {
        let Some(row) = row else {
            return Picked::default();
        };
        if self.name != row.name {
            self.name.clone_from(&row.name);
            (self.rows_from, self.cols_from, self.locked) = (0, 0, None);
            self.state.reset();
        }
        let mut picked = Picked::default();
        self.controls_ui(ui, inspection, row, &mut picked);
        let room = ui.available_rect_before_wrap();
        let beside = (room.width() * 0.36).clamp(200.0, 420.0);
        let left = Rect::from_min_max(room.min, pos2(room.right() - beside - 20.0, room.bottom()));
        let right = Rect::from_min_max(pos2(room.right() - beside, room.top()), room.max);
        ui.scope_builder(egui::UiBuilder::new().max_rect(left), |ui| {
            self.map_ui(ui, scene, row)
        });
        ui.scope_builder(egui::UiBuilder::new().max_rect(right), |ui| {
            spread_ui(ui, scene, row)
        });
        picked
    }

    /// Which tensor, and from which row and column on.
    fn controls_ui(
        &mut self,
        ui: &mut Ui,
        inspection: &Inspection,
        row: &TensorRow,
        picked: &mut Picked,
    ) {
        let palette = Palette::of(ui);
        let (n_rows, n_cols) = sides(row);
        ui.horizontal(|ui| {
            let combo = egui::ComboBox::from_id_salt("tensor")
                .width(300.0)
                .height(420.0);
            let shown = combo
                .selected_text(Type::MonoSmall.text(&row.name, palette.text))
                .show_ui(ui, |ui| {
                    for other in &inspection.tensors {
                        let name = Type::MonoSmall.text(&other.name, palette.text);
                        if ui.selectable_label(other.name == row.name, name).clicked() {
                            picked.clicked =
                                Some(other.name.clone()).filter(|name| *name != row.name);
                        }
                    }
                });
            shown
                .response
                .widget_info(|| WidgetInfo::labeled(egui::Role::ComboBox, true, "tensor"));
            for (label, from, n) in [
                ("rows from", &mut self.rows_from, n_rows),
                ("columns from", &mut self.cols_from, n_cols),
            ] {
                if n > SIDE {
                    ui.label(Type::Body.text(label, palette.muted));
                    let drag = ui.add(DragValue::new(from).range(0..=n - SIDE).speed(8.0));
                    drag.widget_info(|| WidgetInfo::labeled(egui::Role::SpinButton, true, label));
                }
            }
        });
    }

    fn map_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, row: &TensorRow) {
        let (n_rows, n_cols) = sides(row);
        let part = |from: usize, n: usize| -> Range<usize> { from..(from + SIDE).min(n) };
        let (rows, cols) = (part(self.rows_from, n_rows), part(self.cols_from, n_cols));
        let title = format!(
            "Rows {} to {}, columns {} to {}",
            rows.start,
            rows.end.saturating_sub(1),
            cols.start,
            cols.end.saturating_sub(1)
        );
        section_ui(ui, &title, &format!("of {}", shape(&row.shape)));
        if row.shape.len() != 2 {
            note_ui(
                ui,
                "This tensor is one line of numbers, and part of a norm or a bias: the picture of its stage shows it at work.",
            );
            return;
        }
        let question = Question::Slice {
            model: None,
            path: path_of(&row.name),
            rows: Some(rows.clone()),
            columns: Some(cols.clone()),
        };
        let asked = scene.ask(&question);
        let Some(told) = ready_ui(ui, asked) else {
            return;
        };
        self.cut(&told);
        let Some((_, grid, limit)) = &self.cut else {
            return;
        };
        let map = ColorMap::diverging(Palette::of(ui));
        let room = ui.available_size() - vec2(0.0, 30.0);
        let shown = HeatMap::new(&row.name, grid, &map, *limit)
            .chosen(self.locked)
            .show(ui, &mut self.state, room);
        let value = |cell: MapCell| Some((cell, grid.value(cell.row, cell.col)?));
        self.hovered = shown
            .hovered
            .and_then(value)
            .or_else(|| self.locked.and_then(value));
        if let Some((cell, value)) = shown.hovered.and_then(value) {
            let tip = format!(
                "{}\n{}[{}, {}]",
                signed(value),
                row.name,
                rows.start + cell.row,
                cols.start + cell.col
            );
            shown.response.clone().on_hover_text_at_pointer(tip);
        }
        let line = grid
            .row(self.hovered.map_or(0, |(cell, _)| cell.row))
            .to_vec();
        copy_menu(
            scene,
            &shown.response,
            &[("Copy the row as CSV", &|| csv(line.iter().copied()))],
        );
        if shown.clicked.is_some() {
            self.locked = shown.clicked;
        }
        legend_ui(ui, "weight", &map, *limit);
    }

    fn cut(&mut self, told: &Arc<Told>) {
        if self
            .cut
            .as_ref()
            .is_some_and(|(old, ..)| Arc::ptr_eq(old, told))
        {
            return;
        }
        let Told::Slice(slice) = &**told else {
            return;
        };
        self.cut = Grid::of(&slice.values).map(|grid| {
            let limit = grid.largest();
            (Arc::clone(told), grid, limit)
        });
    }

    pub fn formula_ui(&self, ui: &mut Ui) {
        let Some((cell, value)) = self.hovered else {
            formula_ui(
                ui,
                &[Term::words(
                    "Point at a cell to see its number; the wheel zooms, a drag moves.",
                )],
                &self.name,
            );
            return;
        };
        let (row, col) = (self.rows_from + cell.row, self.cols_from + cell.col);
        let terms = [
            Term::words("output"),
            Term::number(row.to_string()),
            Term::words("takes input"),
            Term::number(col.to_string()),
            Term::words("times"),
            Term::result(Role::Query, signed(value)),
        ];
        formula_ui(ui, &terms, &format!("{}[{row}, {col}]", self.name));
    }
}

/// The layer that a tensor belongs to.
fn path_of(tensor: &str) -> String {
    tensor.trim_end_matches(".weight").to_owned()
}

fn sides(row: &TensorRow) -> (usize, usize) {
    match row.shape.as_slice() {
        [n_rows, n_cols] => (*n_rows, *n_cols),
        [n] => (1, *n),
        _ => (0, 0),
    }
}

/// How the numbers of the whole tensor are spread.
fn spread_ui(ui: &mut Ui, scene: &mut Scene<'_>, row: &TensorRow) {
    section_ui(ui, "All its numbers", &units::count(row.parameters));
    if row.shape.len() != 2 {
        return;
    }
    let question = Question::WeightHistogram {
        model: None,
        path: path_of(&row.name),
        n_bins: N_BINS,
    };
    match scene.ask(&question) {
        Asked::Ready(told) => {
            if let Told::Histogram(histogram) = &*told {
                histogram_ui(ui, scene, histogram, colour(Palette::of(ui), row.group));
            }
        }
        Asked::Waiting => note_ui(ui, "Counting …"),
        Asked::Failed(why) => note_ui(ui, &why),
    }
}

fn histogram_ui(ui: &mut Ui, scene: &mut Scene<'_>, histogram: &Histogram, hue: egui::Color32) {
    let palette = Palette::of(ui);
    let height = (ui.available_height() - 96.0).clamp(80.0, 240.0);
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
    response
        .widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, "histogram of the weights"));
    let most = histogram.counts.iter().copied().max().unwrap_or(0).max(1) as f32;
    let n = histogram.counts.len().max(1);
    let width = rect.width() / n as f32;
    let under = response
        .hover_pos()
        .map(|pointer| ((pointer.x - rect.left()) / width) as usize);
    let zero_at = (0.0 - histogram.low) / (histogram.high - histogram.low).max(f32::MIN_POSITIVE);
    let zero = rect.left() + rect.width() * zero_at;
    let bin = |at: usize| {
        let step = (histogram.high - histogram.low) / n as f32;
        (
            histogram.low + at as f32 * step,
            histogram.low + (at + 1) as f32 * step,
        )
    };
    for (at, count) in histogram.counts.iter().enumerate() {
        let tall = rect.height() * *count as f32 / most;
        let bar = Rect::from_min_max(
            pos2(rect.left() + at as f32 * width, rect.bottom() - tall),
            pos2(rect.left() + (at + 1) as f32 * width - 0.6, rect.bottom()),
        );
        let fill = if under == Some(at) {
            hue
        } else {
            hue.gamma_multiply(0.65)
        };
        ui.painter().rect_filled(bar, 0, fill);
    }
    ui.painter()
        .hline(rect.x_range(), rect.bottom(), palette.hairline());
    if rect.x_range().contains(zero) {
        ui.painter().vline(zero, rect.y_range(), palette.hairline());
    }
    if let Some((at, count)) = under.and_then(|at| Some((at, histogram.counts.get(at)?))) {
        let (low, high) = bin(at);
        response.clone().on_hover_text_at_pointer(format!(
            "{} weights from {} to {}",
            units::count(*count),
            figure(low),
            figure(high)
        ));
    }
    let rows = histogram
        .counts
        .iter()
        .enumerate()
        .map(|(at, count)| format!("{},{count}", bin(at).0));
    let copied = format!("from,count\n{}", rows.collect::<Vec<_>>().join("\n"));
    copy_menu(
        scene,
        &response,
        &[("Copy the histogram as CSV", &|| copied.clone())],
    );
    ui.horizontal(|ui| {
        ui.label(Type::MonoSmall.text(figure(histogram.low), palette.muted));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.label(Type::MonoSmall.text(figure(histogram.high), palette.muted));
        });
    });
    note_ui(
        ui,
        &format!(
            "Mean {}, standard deviation {}.",
            figure(histogram.mean as f32),
            figure(histogram.deviation as f32)
        ),
    );
}
