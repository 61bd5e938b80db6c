//! The rows of the prompt's tokens against each other.

use std::sync::Arc;

use egui::{Ui, vec2};

use crate::engine::question::{Question, Space, Told};
use crate::trace::HostTensor;
use crate::ui::colormap::ColorMap;
use crate::ui::command::Pointing;
use crate::ui::picture::{Scene, Term, formula_ui, ready_ui};
use crate::ui::pictures::kit::{copy_menu, csv, note_ui};
use crate::ui::theme::{Palette, Role};
use crate::ui::widgets::heatmap::{Grid, HeatMap, MapCell, MapState, figure, legend_ui};

/// The map of cosines.
#[derive(Default)]
pub struct Similar {
    state: MapState,
    /// The grid of the answer it was made from.
    cut: Option<(Arc<Told>, Grid)>,
    hovered: Option<MapCell>,
}

/// Most tokens that are compared at once.
const MOST: usize = 256;

impl Similar {
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let ids: Vec<u32> = scene.run.ids.iter().copied().take(MOST).collect();
        let n = ids.len();
        let question = Question::Similarity {
            model: None,
            space: Space::Input,
            ids,
        };
        let asked = scene.ask(&question);
        let Some(told) = ready_ui(ui, asked) else {
            return;
        };
        self.cut(&told);
        let Some((_, grid)) = &self.cut else {
            return;
        };
        if scene.run.ids.len() > n {
            note_ui(
                ui,
                &format!("The first {n} of {} tokens.", scene.run.ids.len()),
            );
        }
        let names: Vec<String> = (0..n).map(|at| scene.name(at)).collect();
        let map = ColorMap::diverging(Palette::of(ui));
        let chosen = chosen(scene, n);
        let room = ui.available_size() - vec2(0.0, 30.0);
        let shown = HeatMap::new("cosines of the rows", grid, &map, 1.0)
            .labelled(&names, &names, chosen)
            .square()
            .show(ui, &mut self.state, room);
        self.hovered = shown.hovered;
        if let Some(cell) = shown.clicked {
            scene.point(Pointing::Token(cell.row));
            scene.point(Pointing::Key(Some(cell.col)));
        }
        if let Some(cell) = shown.hovered {
            let cosine = grid.value(cell.row, cell.col).map_or("–".into(), figure);
            let tip = format!(
                "{} and {}: {cosine}",
                scene.said(cell.row),
                scene.said(cell.col)
            );
            shown.response.clone().on_hover_text_at_pointer(tip);
        }
        let row = shown.hovered.or(chosen).map_or(0, |cell| cell.row);
        let copied = csv(grid.row(row).iter().copied());
        let all: Vec<String> = (0..grid.n_rows())
            .map(|row| csv(grid.row(row).iter().copied()))
            .collect();
        let all = all.join("\n");
        copy_menu(
            scene,
            &shown.response,
            &[
                ("Copy the row as CSV", &|| copied.clone()),
                ("Copy the map as CSV", &|| all.clone()),
            ],
        );
        legend_ui(ui, "cosine of the angle between two rows", &map, 1.0);
    }

    fn cut(&mut self, told: &Arc<Told>) {
        if self
            .cut
            .as_ref()
            .is_some_and(|(old, _)| Arc::ptr_eq(old, told))
        {
            return;
        }
        let Told::Similarities(similarities) = &**told else {
            return;
        };
        let n = similarities.cosines.len();
        let values: Vec<f32> = similarities
            .cosines
            .iter()
            .flatten()
            .map(|cosine| *cosine as f32)
            .collect();
        let grid = HostTensor::new(vec![n, n], values).and_then(|tensor| Grid::of(&tensor));
        self.cut = grid.map(|grid| (Arc::clone(told), grid));
    }

    pub fn formula_ui(&self, ui: &mut Ui, scene: &Scene<'_>) {
        let cell = self
            .hovered
            .or_else(|| chosen(scene, scene.run.ids.len().min(MOST)));
        let number = cell.and_then(|cell| self.cut.as_ref()?.1.value(cell.row, cell.col));
        let (Some(cell), Some(number)) = (cell, number) else {
            formula_ui(
                ui,
                &[Term::words(
                    "Point at a cell to see the cosine of two rows.",
                )],
                "",
            );
            return;
        };
        let terms = [
            Term::words("cos("),
            Term::of(Role::Residual, scene.name(cell.row)),
            Term::words(","),
            Term::of(Role::Residual, scene.name(cell.col)),
            Term::words(") = a · b ÷ (|a| |b|) ="),
            Term::result(Role::Query, figure(number)),
        ];
        formula_ui(ui, &terms, "embedding rows");
    }
}

/// The chosen token's row, and the key that was pointed at last.
fn chosen(scene: &Scene<'_>, n: usize) -> Option<MapCell> {
    let row = scene.view.token;
    let col = scene.view.key.unwrap_or(row);
    (row < n && col < n).then_some(MapCell { row, col })
}
