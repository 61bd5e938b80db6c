//! How far the states lie apart, at every point of the way and every position.

use std::sync::Arc;

use egui::{Ui, vec2};

use crate::engine::question::Told;
use crate::trace::measure::Point;
use crate::trace::measure::compare::{Comparison, Parting};
use crate::trace::measure::state::Gap;
use crate::ui::colormap::ColorMap;
use crate::ui::command::Pointing;
use crate::ui::controls::segmented;
use crate::ui::picture::{Scene, Term, formula_ui};
use crate::ui::pictures::kit::{copy_menu, csv, note_ui};
use crate::ui::theme::{Palette, Role};
use crate::ui::widgets::heatmap::{Grid, HeatMap, MapCell, MapState, figure, legend_ui};

/// The map of gaps.
#[derive(Default)]
pub struct States {
    state: MapState,
    is_relative: bool,
    cut: Option<(Arc<Told>, bool, Grid)>,
    shown: Option<(String, Gap)>,
    chosen: Option<MapCell>,
}

impl States {
    pub fn show(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        comparison: &Comparison,
        told: &Arc<Told>,
    ) {
        self.shown = None;
        if let Some(why) = &comparison.no_states {
            note_ui(ui, &format!("{why}. The answers can."));
            return;
        }
        if comparison.states.is_empty() {
            note_ui(
                ui,
                "One of the two runs has not computed any state yet: step on, and they are compared.",
            );
            return;
        }
        if !scene.keeps_quiet() {
            note_ui(ui, &parting_told(comparison));
        }
        if let Some(at) = segmented(
            ui,
            "measure",
            &["1 − cosine", "Relative difference"],
            usize::from(self.is_relative),
        ) {
            self.is_relative = at == 1;
        }
        self.cut(comparison, told);
        let Some((_, _, grid)) = &self.cut else {
            return;
        };
        let map = ColorMap::sequential(Palette::of(ui), Role::Residual);
        let limit = grid.largest().max(1e-9);
        let rows: Vec<String> = comparison
            .states
            .iter()
            .map(|(point, _)| short(*point))
            .collect();
        let cols: Vec<String> = (0..comparison.n_aligned)
            .map(|at| name(comparison, scene, at))
            .collect();
        let room = vec2(ui.available_width(), ui.available_height() - 30.0);
        let shown = HeatMap::new("how far the states lie apart", grid, &map, limit)
            .labelled(&rows, &cols, self.chosen)
            .show(ui, &mut self.state, room);
        if let Some(cell) = shown.clicked {
            self.chosen = Some(cell);
            scene.point(Pointing::Token(cell.col));
            if let Some((Point::AfterAttention(layer) | Point::AfterMlp(layer), _)) =
                comparison.states.get(cell.row)
            {
                scene.point(Pointing::Layer(*layer));
            }
        }
        let gap = |cell: MapCell| {
            let (point, gaps) = comparison.states.get(cell.row)?;
            Some((
                format!("{point}, {}", name(comparison, scene, cell.col)),
                *gaps.get(cell.col)?,
            ))
        };
        self.shown = shown.hovered.or(self.chosen).and_then(gap);
        if let Some((place, gap)) = shown.hovered.and_then(gap) {
            let tip = format!(
                "{place}\ncosine {:.6}\nlargest difference of a number {}",
                gap.cosine,
                figure(gap.largest)
            );
            shown.response.clone().on_hover_text_at_pointer(tip);
        }
        let lines: Vec<String> = (0..grid.n_rows())
            .map(|row| csv(grid.row(row).iter().copied()))
            .collect();
        let copied = lines.join("\n");
        copy_menu(
            scene,
            &shown.response,
            &[("Copy the map as CSV", &|| copied.clone())],
        );
        let what = if self.is_relative {
            "size of the difference ÷ size of the state"
        } else {
            "1 − cosine of the two states"
        };
        legend_ui(ui, what, &map, limit);
    }

    fn cut(&mut self, comparison: &Comparison, told: &Arc<Told>) {
        let is_there = |(old, is_relative, _): &(Arc<Told>, bool, Grid)| {
            Arc::ptr_eq(old, told) && *is_relative == self.is_relative
        };
        if self.cut.as_ref().is_some_and(is_there) {
            return;
        }
        let value = |gap: &Gap| match self.is_relative {
            true => gap.relative as f32,
            false => (1.0 - gap.cosine).max(0.0) as f32,
        };
        let values = comparison
            .states
            .iter()
            .flat_map(|(_, gaps)| gaps)
            .map(value)
            .collect();
        let n_cols = comparison.states.first().map_or(0, |(_, gaps)| gaps.len());
        let grid = Grid::new(comparison.states.len(), n_cols, values);
        self.cut = grid.map(|grid| (Arc::clone(told), self.is_relative, grid));
    }

    pub fn formula_ui(&self, ui: &mut Ui) {
        let Some((place, gap)) = &self.shown else {
            formula_ui(
                ui,
                &[Term::words(
                    "Point at a cell to see how far two states lie apart.",
                )],
                "",
            );
            return;
        };
        let terms = [
            Term::words("cos ="),
            Term::result(Role::Residual, format!("{:.6}", gap.cosine)),
            Term::words("|a − b| ÷ |a| ="),
            Term::number(figure(gap.relative as f32)),
            Term::words("largest"),
            Term::number(figure(gap.largest)),
        ];
        formula_ui(ui, &terms, place);
    }
}

/// A position's token; both where they differ.
fn name(comparison: &Comparison, scene: &Scene<'_>, at: usize) -> String {
    let own = scene.said(at);
    let text = |side: &crate::trace::measure::compare::Side| {
        side.tokens
            .get(at)
            .map(|token| (token.id, token.text.trim().to_owned()))
    };
    match (text(&comparison.a), text(&comparison.b)) {
        (Some((a, _)), Some((b, other))) if a != b => {
            format!("{own}|{}", crate::ui::tokens::visible(&other))
        }
        _ => own,
    }
}

fn short(point: Point) -> String {
    match point {
        Point::Embed => "embedding".into(),
        Point::AfterAttention(layer) => format!("{layer} attention"),
        Point::AfterMlp(layer) => format!("{layer} MLP"),
    }
}

/// Where the states part, in words.
fn parting_told(comparison: &Comparison) -> String {
    let at = |parting: &Parting| {
        let token = comparison
            .a
            .tokens
            .get(parting.position)
            .map(|token| crate::ui::tokens::visible(token.text.trim()));
        format!(
            "{}, at position {} ({})",
            parting.gap.point,
            parting.position,
            token.unwrap_or_default()
        )
    };
    let than = match comparison.tolerance {
        0.0 => String::new(),
        tolerance => format!(" by more than {tolerance}"),
    };
    match (comparison.first_layer(), comparison.first_position()) {
        (Some(layer), Some(position)) if layer == position => {
            format!("The states part{than} first at {}.", at(&layer))
        }
        (Some(layer), Some(position)) => format!(
            "The first layer that parts{than}: {}. The first position that does: {}.",
            at(&layer),
            at(&position)
        ),
        _ => format!(
            "No state differs{than} at the {} positions that both have.",
            comparison.n_aligned
        ),
    }
}
