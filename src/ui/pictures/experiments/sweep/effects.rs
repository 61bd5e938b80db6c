//! The effects of a sweep as a map: one cell for each run.

use std::sync::Arc;

use egui::{Ui, vec2};

use super::Sweep;
use super::words::{edit_at, signed, strongest, sweep_csv, unit};
use crate::engine::question::Told;
use crate::trace::measure::sweep::{Outcome, Over, SweepTable};
use crate::trace::measure::verdict::REMINDER;
use crate::ui::colormap::ColorMap;
use crate::ui::command::Pointing;
use crate::ui::picture::Scene;
use crate::ui::pictures::kit::{copy_menu, csv, note_ui};
use crate::ui::theme::{Palette, Role};
use crate::ui::tokens::visible;
use crate::ui::widgets::heatmap::{Grid, HeatMap, MapCell, legend_ui};

impl Sweep {
    /// The effects as a grid, made once for an answer. The strongest is chosen, unless a lesson asks
    /// for it.
    pub(super) fn cut(&mut self, told: &Arc<Told>, keeps_quiet: bool) {
        if self
            .cut
            .as_ref()
            .is_some_and(|(old, _)| Arc::ptr_eq(old, told))
        {
            return;
        }
        let Told::Sweep(table) = &**told else {
            return;
        };
        let (n_rows, n_cols) = (table.values.len(), table.values.first().map_or(0, Vec::len));
        let effects = table
            .values
            .iter()
            .flatten()
            .map(|value| (value - table.before) as f32);
        self.cut =
            Grid::new(n_rows, n_cols, effects.collect()).map(|grid| (Arc::clone(told), grid));
        let strongest = table.strongest(1).first().map(|cell| MapCell {
            row: cell.row,
            col: cell.column,
        });
        self.chosen = strongest.filter(|_| !keeps_quiet);
    }

    pub(super) fn map_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, table: &SweepTable) {
        let Some((_, grid)) = &self.cut else {
            return;
        };
        let palette = Palette::of(ui);
        let map = match table.outcome {
            Outcome::KlBits => ColorMap::sequential(palette, Role::Logits),
            _ => ColorMap::diverging(palette),
        };
        let limit = grid.largest().max(1e-9);
        let cols: Vec<String> = match table.over {
            Over::Heads => (0..table.columns.len())
                .map(|head| format!("H{head}"))
                .collect(),
            Over::LayersXPositions => (0..table.columns.len())
                .map(|at| scene.name(table.first_position + at))
                .collect(),
        };
        let room = vec2(ui.available_width(), ui.available_height() - 74.0);
        let shown = HeatMap::new("effects of the sweep", grid, &map, limit)
            .labelled(&table.rows, &cols, self.chosen)
            .show(ui, &mut self.state, room);
        self.hovered = shown.hovered;
        if let Some(cell) = shown.clicked {
            self.chosen = Some(cell);
            scene.point(Pointing::Layer(cell.row));
            scene.point(match table.over {
                Over::Heads => Pointing::Head(cell.col),
                Over::LayersXPositions => Pointing::Token(table.first_position + cell.col),
            });
        }
        if let Some((cell, effect)) = shown
            .hovered
            .and_then(|cell| Some((cell, grid.value(cell.row, cell.col)?)))
        {
            let tip = format!(
                "{}\n{} {}",
                edit_at(table, cell),
                signed(effect),
                unit(table)
            );
            shown.response.clone().on_hover_text_at_pointer(tip);
        }
        let copied = sweep_csv(table);
        let row = csv(grid
            .row(shown.hovered.or(self.chosen).map_or(0, |cell| cell.row))
            .iter()
            .copied());
        copy_menu(
            scene,
            &shown.response,
            &[
                ("Copy the row as CSV", &|| row.clone()),
                ("Copy the table as CSV", &|| copied.clone()),
            ],
        );
        legend_ui(
            ui,
            &format!("change of the {}", visible(&table.what())),
            &map,
            limit,
        );
        match scene.keeps_quiet() {
            true => note_ui(ui, REMINDER),
            false => note_ui(ui, &strongest(table)),
        }
    }
}
