//! One value of both runs, and the difference.

use egui::{DragValue, Rect, Ui, UiBuilder, pos2, vec2};

use super::answers::to_logits_ui;
use super::other_name;
use crate::engine::question::{Question, Seen, Told};
use crate::trace::debug::RunState;
use crate::trace::{Address, BlockHook, Hook, HostTensor, Place, Stage};
use crate::ui::answers::Asked;
use crate::ui::colormap::ColorMap;
use crate::ui::command::Pointing;
use crate::ui::controls::segmented;
use crate::ui::picture::{Scene, Term, formula_ui, ready_ui};
use crate::ui::pictures::kit::{copy_menu, csv, note_ui, section_ui, signed};
use crate::ui::theme::{Palette, Role, Type};
use crate::ui::widgets::heatmap::{Grid, HeatMap, MapCell, MapState, figure, legend_ui};

/// The three maps.
#[derive(Default)]
pub struct Difference {
    kind: usize,
    maps: [MapState; 3],
    cut: Option<Cut>,
    shown: Option<(MapCell, [f32; 3])>,
    address: String,
}

/// The values that the maps were made from, and the maps.
struct Cut {
    of: (HostTensor, HostTensor),
    head: Option<usize>,
    grids: [Grid; 3],
}

const KINDS: [(&str, BlockHook); 4] = [
    ("Stream", BlockHook::ResidPost),
    ("Attention share", BlockHook::Pattern),
    ("Attention's write", BlockHook::AttnOut),
    ("MLP's write", BlockHook::MlpOut),
];

impl Difference {
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, other: &RunState) {
        self.shown = None;
        self.controls_ui(ui, scene);
        let hook = KINDS
            .get(self.kind)
            .map_or(BlockHook::ResidPost, |(_, hook)| *hook);
        let address = Address::at(Place::Hook(Hook::Block(scene.view.layer, hook)));
        self.address = address.to_string();
        if !scene.run.has_stage(0, Stage::Block(scene.view.layer)) {
            return to_logits_ui(ui, scene);
        }
        let own = scene.value(&address);
        let theirs = other_value(scene, &address);
        let (Some(own), Some(theirs)) = (ready_ui(ui, own), ready_ui(ui, theirs)) else {
            return;
        };
        let head = (hook == BlockHook::Pattern).then_some(scene.view.head);
        self.cut(&own, &theirs, head);
        if self.cut.is_none() {
            note_ui(
                ui,
                "The two values have different widths, so one cannot be taken from the other.",
            );
            return;
        }
        self.maps_ui(ui, scene, other, head.is_some());
    }

    fn controls_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let palette = Palette::of(ui);
        ui.horizontal(|ui| {
            let names = KINDS.map(|(name, _)| name);
            if let Some(kind) = segmented(ui, "value", &names, self.kind) {
                self.kind = kind;
            }
            let mut layer = scene.view.layer;
            ui.label(Type::Body.text("block", palette.muted));
            let drag = ui.add(
                DragValue::new(&mut layer)
                    .range(0..=scene.facts.n_layers.saturating_sub(1))
                    .speed(0.05),
            );
            drag.widget_info(|| egui::WidgetInfo::labeled(egui::Role::SpinButton, true, "block"));
            if layer != scene.view.layer {
                scene.point(Pointing::Layer(layer));
            }
            if self.kind == 1 {
                let mut head = scene.view.head;
                ui.label(Type::Body.text("head", palette.muted));
                let drag = ui.add(
                    DragValue::new(&mut head)
                        .range(0..=scene.facts.n_heads.saturating_sub(1))
                        .speed(0.05),
                );
                drag.widget_info(|| {
                    egui::WidgetInfo::labeled(egui::Role::SpinButton, true, "head")
                });
                if head != scene.view.head {
                    scene.point(Pointing::Head(head));
                }
            }
        });
    }

    fn cut(&mut self, own: &HostTensor, theirs: &HostTensor, head: Option<usize>) {
        let same = |a: &HostTensor, b: &HostTensor| std::ptr::eq(a.values(), b.values());
        let is_there =
            |cut: &Cut| same(&cut.of.0, own) && same(&cut.of.1, theirs) && cut.head == head;
        if self.cut.as_ref().is_some_and(is_there) {
            return;
        }
        self.cut = grids(own, theirs, head).map(|grids| Cut {
            of: (own.clone(), theirs.clone()),
            head,
            grids,
        });
    }

    fn maps_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, other: &RunState, is_share: bool) {
        let Some(cut) = &self.cut else {
            return;
        };
        let palette = Palette::of(ui);
        let [own, theirs, less] = &cut.grids;
        let limit = if is_share {
            1.0
        } else {
            own.largest().max(theirs.largest())
        };
        let apart = less.largest();
        let map = match is_share {
            true => ColorMap::sequential(palette, Role::Attention),
            false => ColorMap::diverging(palette),
        };
        let diverging = ColorMap::diverging(palette);
        let names = |n: usize, name: &dyn Fn(usize) -> String| -> Vec<String> {
            (0..n).map(name).collect()
        };
        let own_names = names(own.n_rows(), &|at| scene.name(at));
        let other_names = names(theirs.n_rows(), &|at| other_name(other, at));
        let room = ui.available_rect_before_wrap();
        let width = (room.width() - 32.0) / 3.0;
        let sides = [
            ("This run", own, &own_names, &map, limit),
            ("The other", theirs, &other_names, &map, limit),
            (
                "This less the other",
                less,
                &own_names,
                &diverging,
                apart.max(1e-9),
            ),
        ];
        let mut hovered = None;
        for ((at, (title, grid, labels, map, limit)), state) in
            sides.into_iter().enumerate().zip(&mut self.maps)
        {
            let left = room.left() + at as f32 * (width + 16.0);
            let place =
                Rect::from_min_max(pos2(left, room.top()), pos2(left + width, room.bottom()));
            ui.scope_builder(UiBuilder::new().max_rect(place).id_salt(at), |ui| {
                section_ui(ui, title, "");
                let size = vec2(width, (ui.available_height() - 30.0).max(60.0));
                let columns: &[String] = if is_share { labels } else { &[] };
                let shown = HeatMap::new(title, grid, map, limit)
                    .labelled(labels, columns, None)
                    .show(ui, state, size);
                hovered = hovered.or(shown.hovered);
                let row = csv(grid
                    .row(shown.hovered.map_or(0, |cell| cell.row))
                    .iter()
                    .copied());
                copy_menu(
                    scene,
                    &shown.response,
                    &[("Copy the row as CSV", &|| row.clone())],
                );
                let legend = if at == 2 { "difference" } else { "value" };
                legend_ui(ui, legend, map, limit);
            });
        }
        self.shown = hovered.and_then(|cell| {
            let value = |grid: &Grid| grid.value(cell.row, cell.col);
            Some((cell, [value(own)?, value(theirs)?, value(less)?]))
        });
    }

    pub fn formula_ui(&self, ui: &mut Ui) {
        let Some((cell, [own, theirs, less])) = self.shown else {
            formula_ui(
                ui,
                &[Term::words(
                    "Point at a cell of any of the three to see its numbers.",
                )],
                &self.address,
            );
            return;
        };
        let terms = [
            Term::number(figure(own)),
            Term::words("−"),
            Term::number(figure(theirs)),
            Term::words("="),
            Term::result(Role::Query, signed(less)),
        ];
        formula_ui(
            ui,
            &terms,
            &format!("{}[{}, {}]", self.address, cell.row, cell.col),
        );
    }
}

/// Both values and the one less the other, over the rows that both have.
fn grids(own: &HostTensor, theirs: &HostTensor, head: Option<usize>) -> Option<[Grid; 3]> {
    let grid = |value: &HostTensor| match head {
        Some(head) => Grid::inside(value, &[head.min(value.shape().first()?.saturating_sub(1))]),
        None => Grid::of(value),
    };
    let (a, b) = (grid(own)?, grid(theirs)?);
    let n_rows = a.n_rows().min(b.n_rows());
    // A map of shares has a column per position; other values must be equally wide.
    let n_cols = a.n_cols().min(b.n_cols());
    if head.is_none() && a.n_cols() != b.n_cols() {
        return None;
    }
    let cells = (0..n_rows).flat_map(|row| (0..n_cols).map(move |col| (row, col)));
    let less = cells.map(|(row, col)| match (a.value(row, col), b.value(row, col)) {
        (Some(a), Some(b)) => a - b,
        _ => f32::NAN,
    });
    let less = Grid::new(n_rows, n_cols, less.collect())?;
    Some(match head {
        Some(_) => [a.causal(0), b.causal(0), less.causal(0)],
        None => [a, b, less],
    })
}

/// The other run's value at an address.
fn other_value(scene: &mut Scene<'_>, address: &Address) -> Asked<HostTensor> {
    let told = match scene
        .link
        .ask_other(&Question::Values(vec![address.clone()]))
    {
        Asked::Ready(told) => told,
        Asked::Waiting => return Asked::Waiting,
        Asked::Failed(why) => return Asked::Failed(why),
    };
    match &*told {
        Told::Values(seen) => match seen.first() {
            Some(Seen {
                value: Ok(value), ..
            }) => Asked::Ready(std::sync::Arc::new(value.clone())),
            Some(Seen {
                value: Err(why), ..
            }) => Asked::Failed(why.as_str().into()),
            None => Asked::Failed("nothing was seen there".into()),
        },
        _ => Asked::Failed("the engine answered another question".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_is_over_what_both_have() {
        let value = |shape: [usize; 2], values: &[f32]| {
            HostTensor::new(shape.to_vec(), values.to_vec()).unwrap()
        };
        let own = value([2, 2], &[1.0, 2.0, 3.0, 4.0]);
        let theirs = value([1, 2], &[0.5, 2.0]);
        let [_, _, less] = grids(&own, &theirs, None).unwrap();
        assert_eq!((less.n_rows(), less.row(0)), (1, &[0.5, 0.0][..]));
        assert!(grids(&own, &value([1, 3], &[0.0; 3]), None).is_none());
    }
}
