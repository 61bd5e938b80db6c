//! A norm: every position's vector before and after, and one position's numbers in the formula.

use std::sync::Arc;

use egui::{Ui, UiBuilder, vec2};

use crate::trace::measure::Point;
use crate::trace::measure::neurons::NormEffect;
use crate::trace::{Address, BlockHook, Hook, HostTensor, Place, Stage};
use crate::ui::answers::Asked;
use crate::ui::colormap::ColorMap;
use crate::ui::command::Pointing;
use crate::ui::picture::{Check, Heading, Picture, Scene, Side, Term, formula_ui, ready_ui};
use crate::ui::pictures::parts::{heading_ui, limit_of_most};
use crate::ui::theme::{Palette, Role, Type, space};
use crate::ui::widgets::Values;
use crate::ui::widgets::heatmap::{Grid, HeatMap, Labels, MapCell, MapState, figure, legend_ui};
use crate::ui::words::{fill, stages};

/// Before and after a norm.
#[derive(Default)]
pub struct NormPicture {
    before: MapState,
    after: MapState,
}

/// The norm on view: what it reads and what it gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Norm {
    reads: Hook,
    gives: Hook,
}

impl Norm {
    fn on_view(scene: &Scene<'_>) -> Self {
        let layer = scene.view.layer;
        match scene.view.spot.address.place {
            Place::Hook(Hook::FinalNorm) | Place::Stage(Stage::FinalNorm) => {
                let last = scene.facts.n_layers.saturating_sub(1);
                Self {
                    reads: Hook::Block(last, BlockHook::ResidPost),
                    gives: Hook::FinalNorm,
                }
            }
            Place::Hook(Hook::Block(_, BlockHook::Ln2)) => Self {
                reads: Hook::Block(layer, BlockHook::ResidMid),
                gives: Hook::Block(layer, BlockHook::Ln2),
            },
            _ => Self {
                reads: Hook::Block(layer, BlockHook::ResidPre),
                gives: Hook::Block(layer, BlockHook::Ln1),
            },
        }
    }

    /// Which norm it is, in words.
    fn name(self) -> String {
        match self.gives {
            Hook::Block(layer, BlockHook::Ln2) => format!("block {layer}, before the MLP"),
            Hook::Block(layer, _) => format!("block {layer}, before attention"),
            _ => "after the last block".to_owned(),
        }
    }
}

/// GPT-2's kind takes the mean away too; it is the only family here without RoPE.
fn takes_mean(scene: &Scene<'_>) -> bool {
    !scene.facts.has(BlockHook::RotQ)
}

/// What goes in and what comes out, `[pos, d_model]` each.
fn both(scene: &mut Scene<'_>) -> Result<[Arc<HostTensor>; 2], Asked<HostTensor>> {
    let norm = Norm::on_view(scene);
    let mut value = |hook| match scene.value_at(hook) {
        Asked::Ready(value) => Ok(value),
        other => Err(other),
    };
    Ok([value(norm.reads)?, value(norm.gives)?])
}

impl Picture for NormPicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        let title = match Norm::on_view(scene).gives {
            Hook::FinalNorm => "Final norm",
            _ => stages::NORM.title,
        };
        Heading {
            title: title.into(),
            detail: Norm::on_view(scene).name(),
            sentence: stages::NORM.sentence.into(),
        }
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let [before, after] = match both(scene) {
            Ok(both) => both,
            Err(state) => {
                ready_ui(ui, state);
                return;
            }
        };
        let room = ui.available_rect_before_wrap();
        let strips = 176.0_f32.min(room.height() * 0.42);
        let gap = 26.0;
        let half = (room.width() - gap) / 2.0;
        let maps = room.height() - strips - space::MEDIUM;
        for (place, tensor) in [&before, &after].into_iter().enumerate() {
            let mut part = room;
            part.min.x += place as f32 * (half + gap);
            part.max.x = part.min.x + half;
            part.max.y = part.min.y + maps;
            ui.scope_builder(UiBuilder::new().max_rect(part), |ui| {
                self.map_ui(ui, scene, tensor, place == 1);
            });
        }
        let mut below = room;
        below.min.y = room.bottom() - strips;
        ui.scope_builder(UiBuilder::new().max_rect(below), |ui| {
            steps_ui(ui, scene, &before, &after);
        });
    }

    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let Ok([before, after]) = both(scene) else {
            formula_ui(ui, &[], "");
            return;
        };
        let (row, dim) = shown(scene);
        let (Some(x), Some(y)) = (before.at(&[row]), after.at(&[row])) else {
            return;
        };
        let (Some(from), Some(to)) = (x.get(dim), y.get(dim)) else {
            return;
        };
        let effect = NormEffect::of(Point::Embed, x, y);
        let mut terms = vec![
            Term::of(Role::Residual, format!("x[{dim}]")),
            Term::words("="),
        ];
        terms.push(Term::number(figure(*from)));
        if takes_mean(scene) {
            let mean = figure(effect.mean_before as f32);
            terms.push(Term::words(format!(
                "→ − mean {mean}, ÷ deviation, × gain, + bias →"
            )));
        } else {
            terms.push(Term::words("→ ÷"));
            terms.push(Term::number(figure(effect.rms_before as f32)));
            terms.push(Term::words("→ × gain"));
            let gain = f64::from(*to) * effect.rms_before / f64::from(*from);
            terms.push(Term::number(figure(gain as f32)));
            terms.push(Term::words("="));
        }
        terms.push(Term::result(Role::Residual, figure(*to)));
        let mut address = scene.address(Norm::on_view(scene).gives);
        address.index = vec![row, dim];
        formula_ui(ui, &terms, &address.to_string());
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        let words = &stages::NORM;
        let happens = match takes_mean(scene) {
            true => stages::LAYER_NORM_HAPPENS,
            false => words.happens,
        };
        let token = scene.said(scene.position());
        let n_pos = scene.pass_range().len();
        Side {
            happens: fill(happens, &[("token", &token)]),
            look_for: words.look_for.into(),
            check: both(scene)
                .ok()
                .and_then(|[before, _]| check(scene, &before)),
            meta: vec![
                format!("[pos {n_pos}, d_model {}] · f32", scene.facts.d_model),
                scene.address(Norm::on_view(scene).gives).to_string(),
            ],
            ..Side::default()
        }
    }
}

/// Row and dimension whose numbers are shown.
fn shown(scene: &Scene<'_>) -> (usize, usize) {
    let hovered = scene
        .view
        .hovered
        .as_ref()
        .and_then(|at| cell_of(scene, at));
    let locked = || scene.view.locked.as_ref().and_then(|at| cell_of(scene, at));
    let chosen = || (scene.row(), locked().map_or(0, |(_, dim)| dim));
    hovered.unwrap_or_else(chosen)
}

fn cell_of(scene: &Scene<'_>, at: &Address) -> Option<(usize, usize)> {
    let norm = Norm::on_view(scene);
    let is_ours = [norm.reads, norm.gives]
        .map(Place::Hook)
        .contains(&at.place);
    match (is_ours, at.index.as_slice()) {
        (true, [row, dim]) => Some((*row, *dim)),
        _ => None,
    }
}

impl NormPicture {
    fn map_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, tensor: &HostTensor, is_after: bool) {
        let palette = Palette::of(ui);
        heading_ui(ui, if is_after { "After" } else { "Before" });
        let Some(grid) = Grid::of(tensor) else {
            return;
        };
        let start = scene.pass_range().start;
        let names: Vec<String> = (start..start + grid.n_rows())
            .map(|at| scene.name(at))
            .collect();
        let (row, dim) = shown(scene);
        let rows = Labels {
            texts: &names,
            chosen: Some(scene.row()),
        };
        let colours = ColorMap::diverging(palette);
        let limit = limit_of_most(tensor.values());
        let name = if is_after {
            "after the norm"
        } else {
            "before the norm"
        };
        let chosen = Some(MapCell { row, col: dim });
        let map = HeatMap::new(name, &grid, &colours, limit).chosen(chosen);
        let map = if is_after { map } else { map.rows(rows) };
        let room = vec2(
            ui.available_width(),
            (ui.available_height() - 26.0).max(40.0),
        );
        let state = if is_after {
            &mut self.after
        } else {
            &mut self.before
        };
        let seen = map.show(ui, state, room);
        legend_ui(ui, "value", &colours, limit);
        let norm = Norm::on_view(scene);
        let address = |cell: MapCell| {
            let hook = if is_after { norm.gives } else { norm.reads };
            let mut address = scene.address(hook);
            address.index = vec![cell.row, cell.col];
            address
        };
        let hovered = seen.hovered.map(address);
        let clicked = seen.clicked.map(|cell| (cell, address(cell)));
        if let Some(address) = hovered {
            let tip = address.to_string();
            scene.point(Pointing::Hover(Some(address)));
            seen.response.on_hover_text_at_pointer(tip);
        } else if is_after && scene.view.hovered.is_some() && !ui.ui_contains_pointer() {
            scene.point(Pointing::Hover(None));
        }
        if let Some((cell, address)) = clicked {
            scene.point(Pointing::Token(start + cell.row));
            scene.point(Pointing::Lock(Some(address)));
        }
    }
}

/// The chosen position in steps: as it comes in, at standard size, with the gain.
fn steps_ui(ui: &mut Ui, scene: &Scene<'_>, before: &HostTensor, after: &HostTensor) {
    let palette = Palette::of(ui);
    let (row, dim) = shown(scene);
    let (Some(x), Some(y)) = (before.at(&[row]), after.at(&[row])) else {
        return;
    };
    let effect = NormEffect::of(Point::Embed, x, y);
    let mean = if takes_mean(scene) {
        effect.mean_before as f32
    } else {
        0.0
    };
    let centred: Vec<f32> = x.iter().map(|x| x - mean).collect();
    let root = NormEffect::of(Point::Embed, &centred, y).rms_before as f32;
    let scaled: Vec<f32> = centred.iter().map(|x| x / root.max(1e-12)).collect();
    let token = scene.said(scene.pass_range().start + row);
    let what = if takes_mean(scene) {
        "less the mean, ÷ deviation"
    } else {
        "÷ root mean square"
    };
    let learned = if takes_mean(scene) {
        "× gain, + bias"
    } else {
        "× gain"
    };
    heading_ui(ui, &format!("Step by step for {token}"));
    let colours = ColorMap::diverging(palette);
    ui.spacing_mut().item_spacing.y = 3.0;
    for (name, values, size) in [
        ("as it comes in".to_owned(), x, effect.rms_before as f32),
        (format!("{what} {}", figure(root)), scaled.as_slice(), 1.0),
        (learned.to_owned(), y, effect.rms_after as f32),
    ] {
        ui.horizontal(|ui| {
            ui.label(Type::Body.text(&name, palette.muted));
            let text = format!("root mean square {}", figure(size));
            ui.label(Type::MonoSmall.text(text, palette.muted));
        });
        let strip = Values::new(&name, values, &colours).height(16.0);
        let width = ui.available_width();
        strip
            .limit(limit_of_most(values))
            .chosen(Some(dim))
            .show(ui, width);
    }
}

/// Which of three positions comes in largest.
fn check(scene: &Scene<'_>, before: &HostTensor) -> Option<Check> {
    let range = scene.pass_range();
    if range.len() < 3 {
        return None;
    }
    let size = |row: usize| {
        let x = before.at(&[row]).unwrap_or_default();
        NormEffect::of(Point::Embed, x, x).rms_before
    };
    let rows = [0, range.len() / 2, range.len() - 1];
    let right = (0..3).max_by(|a, b| {
        let of = |at: &usize| rows.get(*at).map_or(0.0, |row| size(*row));
        of(a).total_cmp(&of(b))
    })?;
    let best = rows.get(right).map(|row| size(*row))?;
    Some(Check {
        question: "Which of these is divided by the largest number?".into(),
        answers: rows
            .iter()
            .map(|row| scene.name(range.start + row))
            .collect(),
        right,
        because: figure(best as f32),
    })
}
