//! One number of a query, key or value as the dot product that it is, and the table it comes from.

use egui::{Ui, vec2};

use super::{chosen, place_of, shown};
use crate::engine::question::{Question, Told};
use crate::trace::measure::cell::Cell;
use crate::ui::colormap::ColorMap;
use crate::ui::picture::{Scene, ready_ui, times};
use crate::ui::pictures::parts::{heading_ui, limit_of_most};
use crate::ui::theme::{Palette, Role, Type, space};
use crate::ui::widgets::heatmap::{Grid, HeatMap, MapCell, MapState, figure, legend_ui};
use crate::ui::widgets::{Bar, Bars};

/// The table of the chosen head, with its view.
#[derive(Default)]
pub struct Product {
    weights: MapState,
}

/// Products that are listed.
const LISTED: usize = 14;

impl Product {
    /// The largest products of the chosen number, the rest, and what they add up to.
    pub fn sum_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let place = chosen(scene);
        let asked = place.cell(scene, LISTED);
        let Some(told) = ready_ui(ui, asked) else {
            return;
        };
        let Told::Cell(cell) = &*told else {
            return;
        };
        let palette = Palette::of(ui);
        let token = scene.said(scene.pass_range().start + place.row);
        let letter = place.kind.letter();
        let title = format!("Number {} of {letter}{} at {token}", place.dim, place.head);
        heading_ui(ui, &title);
        let text = format!(
            "{} products: each number of the state ({}) times the same place of row {} of {}. The largest {}:",
            cell.n_products,
            cell.reads,
            cell.output,
            cell.path,
            cell.largest.len()
        );
        ui.add(egui::Label::new(Type::Body.text(text, palette.muted)).wrap());
        ui.add_space(space::SMALL);
        let bars = bars(cell, palette, palette.role(place.kind.role()));
        let line = (ui.available_height() / (bars.len() as f32 + 1.0)).clamp(18.0, 26.0);
        Bars::new("products", &bars).line(line).show(ui);
    }

    /// The rows of the projection that make the chosen head.
    pub fn weights_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let place = chosen(scene);
        let Some((path, output)) = place.output(scene) else {
            return;
        };
        let first = output - place.dim;
        let rows = first..first + scene.facts.head_dim;
        let question = Question::Slice {
            model: None,
            path: path.clone(),
            rows: Some(rows.clone()),
            columns: None,
        };
        let asked = scene.ask(&question);
        let Some(told) = ready_ui(ui, asked) else {
            return;
        };
        let Told::Slice(slice) = &*told else {
            return;
        };
        let palette = Palette::of(ui);
        heading_ui(
            ui,
            &format!(
                "Rows {} to {} of {path}",
                rows.start,
                rows.end.saturating_sub(1)
            ),
        );
        let text = format!(
            "Each row makes one number of this head; each column reads one number of the state. {} · {} × {}",
            slice.format, slice.shape[0], slice.shape[1]
        );
        ui.add(egui::Label::new(Type::Body.text(text, palette.muted)).wrap());
        ui.add_space(space::SMALL);
        let Some(grid) = Grid::of(&slice.values) else {
            return;
        };
        let colours = ColorMap::diverging(palette);
        let limit = limit_of_most(slice.values.values());
        let hovered = scene
            .view
            .hovered
            .as_ref()
            .and_then(|at| place_of(scene, at));
        let ring = MapCell {
            row: shown(scene).dim,
            col: 0,
        };
        let map = HeatMap::new("weights of a head", &grid, &colours, limit);
        let map = map.chosen(hovered.is_none().then_some(ring));
        let room = vec2(
            ui.available_width(),
            (ui.available_height() - 44.0).max(60.0),
        );
        let seen = map.show(ui, &mut self.weights, room);
        if let Some(cell) = seen.hovered {
            let value = grid
                .value(cell.row, cell.col)
                .map_or_else(String::new, figure);
            let tip = format!("{path}[{}, {}] = {value}", rows.start + cell.row, cell.col);
            seen.response.on_hover_text_at_pointer(tip);
        }
        if let Some(cell) = seen.clicked {
            let place = super::Place {
                dim: cell.row,
                ..place
            };
            super::point(scene, place);
        }
        legend_ui(ui, "weight", &colours, limit);
    }
}

/// The largest products, the rest together, the bias, and the sum.
fn bars(cell: &Cell, palette: &Palette, hue: egui::Color32) -> Vec<Bar> {
    let mut bars: Vec<Bar> = cell
        .largest
        .iter()
        .map(|product| {
            let label = times(product.x, product.w);
            let value = product.product as f32;
            let mut bar = Bar::new(label, value, figure(value), hue);
            bar.second = format!("[{}]", product.column);
            bar
        })
        .collect();
    let listed: f64 = cell.largest.iter().map(|product| product.product).sum();
    let rest = (cell.sum - listed) as f32;
    let n_rest = cell.n_products.saturating_sub(cell.largest.len());
    let grey = palette.role(Role::Residual);
    bars.push(Bar::new(
        format!("the other {n_rest}"),
        rest,
        figure(rest),
        grey,
    ));
    if cell.bias != 0.0 {
        bars.push(Bar::new("bias", cell.bias, figure(cell.bias), grey));
    }
    let mut sum = Bar::new("together", cell.value, figure(cell.value), palette.text);
    sum.is_chosen = true;
    bars.push(sum);
    bars
}
