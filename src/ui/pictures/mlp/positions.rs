//! Which neurons work at which position.

use egui::{Ui, vec2};

use crate::trace::{BlockHook, Hook};
use crate::ui::colormap::ColorMap;
use crate::ui::command::Pointing;
use crate::ui::picture::{Scene, ready_ui};
use crate::ui::pictures::parts::limit_of_most;
use crate::ui::theme::Palette;
use crate::ui::widgets::heatmap::{Grid, HeatMap, Labels, MapCell, MapState, figure, legend_ui};

/// The map of all activations.
#[derive(Default)]
pub struct Positions {
    state: MapState,
}

impl Positions {
    /// Shows the activations, positions down, neurons across.
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let palette = Palette::of(ui);
        let hook = Hook::Block(scene.view.layer, BlockHook::Post);
        let asked = scene.value_at(hook);
        let Some(value) = ready_ui(ui, asked) else {
            return;
        };
        let Some(grid) = Grid::of(&value) else {
            return;
        };
        let start = scene.pass_range().start;
        let names: Vec<String> = (start..start + grid.n_rows())
            .map(|at| scene.name(at))
            .collect();
        let rows = Labels {
            texts: &names,
            chosen: Some(scene.row()),
        };
        let colours = ColorMap::diverging(palette);
        let limit = limit_of_most(value.values());
        let neuron = scene
            .view
            .locked
            .as_ref()
            .and_then(|at| at.index.get(1))
            .copied();
        let chosen = neuron.filter(|neuron| *neuron < grid.n_cols());
        let chosen = chosen.map(|col| MapCell {
            row: scene.row(),
            col,
        });
        let map = HeatMap::new("activations", &grid, &colours, limit)
            .rows(rows)
            .chosen(chosen);
        ui.add_space(8.0);
        let room = vec2(
            ui.available_width(),
            (ui.available_height() - 40.0).max(60.0),
        );
        let seen = map.show(ui, &mut self.state, room);
        legend_ui(ui, "activation", &colours, limit);
        let address = |cell: MapCell| {
            let mut address = scene.address(hook);
            address.index = vec![cell.row, cell.col];
            address
        };
        let (hovered, clicked) = (seen.hovered.map(address), seen.clicked);
        if let Some(cell) = clicked {
            let at = address(cell);
            scene.point(Pointing::Token(start + cell.row));
            scene.point(Pointing::Lock(Some(at)));
        }
        if let Some(cell) = seen.hovered {
            let value = grid
                .value(cell.row, cell.col)
                .map_or_else(String::new, figure);
            let name = scene.said(start + cell.row);
            let tip = format!("{name}, neuron {}: {value}", cell.col);
            seen.response.on_hover_text_at_pointer(tip);
        }
        if hovered.is_some() || scene.view.hovered.is_some() {
            scene.point(Pointing::Hover(hovered));
        }
    }
}
