//! The large map of one head, and the same as arcs.

use std::sync::Arc as Shared;

use egui::{Ui, vec2};

use super::options::Options;
use super::{TABS, head, step};
use crate::engine::question::{Question, Told};
use crate::trace::measure::maps::ScoreMaps;
use crate::ui::answers::Asked;
use crate::ui::colormap::ColorMap;
use crate::ui::picture::Scene;
use crate::ui::pictures::kit::copy_menu;
use crate::ui::theme::{Palette, Role};
use crate::ui::widgets::heatmap::{Grid, HeatMap, MapCell, MapResponse, MapState, figure};
use crate::ui::widgets::{Arc, Arcs};

/// The first tab whose map is that of a hook: the masked scores, then the shares.
const MASKED: usize = 2;

/// What was pointed at in this frame.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pointed {
    /// The cell under the pointer.
    pub hovered: Option<MapCell>,
    /// The cell that was clicked.
    pub clicked: Option<MapCell>,
}

/// What a map's colours mean, for its legend.
#[derive(Debug, Clone)]
pub struct Legend {
    /// What is counted.
    pub name: String,
    /// The colours.
    pub colours: ColorMap,
    /// Where the scale ends.
    pub limit: f32,
    /// Where a dot stands for several cells: what it shows.
    pub note: Option<String>,
}

/// The map, with what it keeps between frames.
#[derive(Default)]
pub struct MapPart {
    state: MapState,
    per_dot: [usize; 2],
    /// The cell that was clicked with the other button last.
    menu_cell: Option<MapCell>,
    /// The grid of each tab, cut out of the answer it belongs to.
    cut: Option<Cut>,
    /// The value-weighted map.
    weighted: Option<(Shared<Told>, Grid)>,
}

struct Cut {
    told: Shared<Told>,
    grids: [Grid; 4],
    /// The largest size in each, and that of the shares without the first token.
    limits: [f32; 4],
    without_first: f32,
}

impl MapPart {
    /// Shows the map of the open tab.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        told: &Shared<Told>,
        maps: &ScoreMaps,
        options: &Options,
        chosen: Option<MapCell>,
    ) -> Pointed {
        self.cut(told, maps);
        self.ask_weighted(scene, maps, options);
        let Some((grid, legend)) = self.on_view(ui, scene, options) else {
            return Pointed::default();
        };
        let names: Vec<String> = (0..maps.start + grid.n_rows())
            .map(|at| scene.name(at))
            .collect();
        let rows = names.get(maps.start..).unwrap_or_default();
        let name = format!("{} of L{}.H{}", legend.name, scene.view.layer, head(scene));
        let map = HeatMap::new(&name, &grid, &legend.colours, legend.limit)
            .labelled(rows, &names, chosen)
            .axes([("query ↓", Role::Query), ("key →", Role::Key)])
            .square();
        // Before a room, the chosen row's shares stand in its cells.
        let is_share = step(scene) + 1 == TABS.len() && !options.is_weighted;
        let figures = chosen.filter(|_| scene.view.is_presenting && is_share);
        let hides = scene.hides_numbers();
        let map = map.figures(figures.map(|cell| cell.row));
        let map = map.without_numbers(hides);
        let room = ui.available_size();
        let shown = map.show(ui, &mut self.state, room);
        self.per_dot = shown.per_dot;
        let tip = shown.hovered.map(|cell| {
            let value = grid
                .value(cell.row, cell.col)
                .map_or("masked".into(), figure);
            let (query, key) = (scene.said(maps.start + cell.row), scene.said(cell.col));
            format!(
                "{query} reads {key}: {value}\n{}",
                super::address(scene, cell)
            )
        });
        let is_hook = step(scene) >= MASKED && !options.is_weighted;
        if !is_hook {
            self.shown_menu(scene, &shown, &grid);
        }
        // Before a room the sentence says it.
        if let Some(tip) = tip.filter(|_| !scene.view.is_presenting && !hides) {
            shown.response.on_hover_text_at_pointer(tip);
        }
        Pointed {
            hovered: shown.hovered,
            clicked: shown.clicked,
        }
    }

    /// Where the map shows what no hook holds, its own numbers are copied.
    fn shown_menu(&mut self, scene: &mut Scene<'_>, shown: &MapResponse, grid: &Grid) {
        if shown.response.secondary_clicked() {
            self.menu_cell = shown.hovered;
        }
        let Some(cell) = self.menu_cell else {
            return;
        };
        let number = |col: usize| {
            let value = grid.value(cell.row, col);
            value.map_or("masked".to_owned(), |value| value.to_string())
        };
        let value = || number(cell.col);
        let row = || {
            let numbers: Vec<String> = (0..grid.n_cols()).map(number).collect();
            numbers.join(",")
        };
        let copies: [(&str, &dyn Fn() -> String); 2] =
            [("Copy the value", &value), ("Copy the row as CSV", &row)];
        copy_menu(scene, &shown.response, &copies);
    }

    /// The same head as arcs: from each query to the keys it reads.
    pub fn arcs_ui(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        maps: &ScoreMaps,
        chosen: Option<MapCell>,
    ) -> Pointed {
        /// With more tokens than this only the chosen one's arcs are drawn.
        const MANY: usize = 96;
        let [n_rows, n_keys] = *maps.pattern.shape() else {
            return Pointed::default();
        };
        let names: Vec<String> = (0..n_keys).map(|at| scene.name(at)).collect();
        let rows =
            (0..n_rows).filter(|row| n_rows <= MANY || chosen.is_some_and(|at| at.row == *row));
        let arcs: Vec<Arc> = rows
            .flat_map(|from| {
                let shares = maps.pattern.at(&[from]).unwrap_or_default();
                let arc = move |(to, share): (usize, &f32)| Arc {
                    from,
                    to,
                    share: *share,
                };
                shares.iter().enumerate().map(arc)
            })
            .collect();
        let palette = Palette::of(ui);
        let arcs = Arcs {
            name: "attention",
            readers: names.get(maps.start..).unwrap_or_default(),
            read: &names,
            arcs: &arcs,
            chosen: chosen.map(|cell| cell.row),
            colour: palette.role(Role::Attention),
        };
        ui.add_space(14.0);
        let size = vec2(ui.available_width(), ui.available_height());
        let shown = egui::ScrollArea::vertical()
            .id_salt("arcs")
            .show(ui, |ui| arcs.show(ui, size))
            .inner;
        let cell = |row: usize| {
            let shares = maps.pattern.at(&[row])?;
            let col = super::largest_at(shares)?;
            Some(MapCell { row, col })
        };
        Pointed {
            hovered: shown.hovered.and_then(cell),
            clicked: shown.clicked.and_then(cell),
        }
    }

    /// The legend of the map on view.
    pub fn legend(
        &mut self,
        ui: &Ui,
        scene: &Scene<'_>,
        maps: Option<&ScoreMaps>,
        options: &Options,
    ) -> Option<Legend> {
        maps?;
        let (_, mut legend) = self.on_view(ui, scene, options)?;
        let [down, across] = self.per_dot;
        if down > 1 || across > 1 {
            legend.note = Some(format!(
                "each dot: the largest of {down} × {across}; scroll to zoom"
            ));
        }
        Some(legend)
    }

    /// Cuts the four grids out of an answer, once.
    fn cut(&mut self, told: &Shared<Told>, maps: &ScoreMaps) {
        if self
            .cut
            .as_ref()
            .is_some_and(|cut| Shared::ptr_eq(&cut.told, told))
        {
            return;
        }
        let grid = |tensor| Grid::of(tensor);
        let all = (
            grid(&maps.dot),
            grid(&maps.scaled),
            grid(&maps.masked),
            grid(&maps.pattern),
        );
        let (Some(dot), Some(scaled), Some(masked), Some(pattern)) = all else {
            self.cut = None;
            return;
        };
        let grids = [
            dot,
            scaled,
            masked.causal(maps.start),
            pattern.causal(maps.start),
        ];
        let limits = grids.each_ref().map(Grid::largest);
        let without_first = grids[3].largest_from(1);
        self.cut = Some(Cut {
            told: Shared::clone(told),
            grids,
            limits,
            without_first,
        });
    }

    fn ask_weighted(&mut self, scene: &mut Scene<'_>, maps: &ScoreMaps, options: &Options) {
        if !options.is_weighted || step(scene) + 1 < TABS.len() {
            return;
        }
        let question = Question::WeightedAttention {
            pass: scene.view.pass(),
            layer: maps.layer,
            head: maps.head,
        };
        let Asked::Ready(told) = scene.ask(&question) else {
            return;
        };
        if self
            .weighted
            .as_ref()
            .is_some_and(|(known, _)| Shared::ptr_eq(known, &told))
        {
            return;
        }
        let Told::WeightedAttention(weighted) = &*told else {
            return;
        };
        let n_cols = weighted.weighted.first().map_or(0, Vec::len);
        let grid = Grid::new(weighted.weighted.len(), n_cols, weighted.weighted.concat());
        let grid = grid.map(|grid| grid.causal(maps.start));
        self.weighted = grid.map(|grid| (told, grid));
    }

    /// The grid of the open tab and what its colours mean.
    fn on_view(&self, ui: &Ui, scene: &Scene<'_>, options: &Options) -> Option<(Grid, Legend)> {
        let palette = Palette::of(ui);
        let cut = self.cut.as_ref()?;
        let step = step(scene).min(3);
        let legend = |name: &str, colours, limit| Legend {
            name: name.to_owned(),
            colours,
            limit,
            note: None,
        };
        let weighted = self
            .weighted
            .as_ref()
            .filter(|_| options.is_weighted && step == 3);
        if let Some((_, grid)) = weighted {
            let colours = ColorMap::sequential(palette, Role::Attention);
            let limit = match options.leaves_first_out {
                true => grid.largest_from(1),
                false => grid.largest(),
            };
            return Some((
                grid.clone(),
                legend("share × size of value", colours, limit),
            ));
        }
        let grid = cut.grids.get(step)?.clone();
        if step == 3 {
            let colours = match scene.view.is_presenting {
                true => ColorMap::strong(palette, Role::Attention),
                false => ColorMap::sequential(palette, Role::Attention),
            };
            let limit = if options.leaves_first_out {
                cut.without_first
            } else {
                1.0
            };
            return Some((grid, legend("attention share", colours, limit)));
        }
        let name = ["q · k", "scaled score", "masked score"]
            .get(step)
            .copied()?;
        let limit = cut.limits.get(step).copied()?;
        Some((grid, legend(name, ColorMap::diverging(palette), limit)))
    }
}
