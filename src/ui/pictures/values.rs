//! Values: the numbers at a hook as a map, for places that have no picture of their own.

use egui::{Rect, Sense, Ui, WidgetInfo, vec2};

use crate::trace::{BlockHook, Hook, HostTensor, Place, Stage};
use crate::ui::colormap::{ColorMap, largest};
use crate::ui::command::Pointing;
use crate::ui::picture::{Heading, Picture, Scene, Side, Term, formula_ui, ready_ui};
use crate::ui::spot::PictureKind;
use crate::ui::theme::{Palette, Role, Type};
use crate::ui::walk;

/// A tensor as rows of cells: positions down, values across; one head of it where it has heads.
pub struct ValuesPicture {
    kind: PictureKind,
}

impl ValuesPicture {
    /// The values that belong to a picture of this kind.
    #[must_use]
    pub fn of(kind: PictureKind) -> Self {
        Self { kind }
    }
}

/// The hook whose values stand for the place on view; `None` for views.
fn hook(scene: &Scene<'_>) -> Option<Hook> {
    match scene.view.spot.address.place {
        Place::Hook(hook) => Some(hook),
        Place::Stage(Stage::Embed) => Some(Hook::Embed),
        Place::Stage(Stage::Block(layer)) => Some(Hook::Block(layer, BlockHook::ResidPost)),
        Place::Stage(Stage::FinalNorm) => Some(Hook::FinalNorm),
        Place::Stage(Stage::Logits) => Some(Hook::Logits),
        Place::View(_) => None,
    }
}

impl Picture for ValuesPicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        let place = scene.view.spot.address.place;
        let sentence = match hook(scene) {
            Some(hook) => format!("The numbers at {hook}, one row per position."),
            None => format!("{:?} in figures.", self.kind),
        };
        Heading {
            title: walk::name(place),
            detail: scene
                .view
                .spot
                .layer()
                .map(|layer| format!("block {layer}"))
                .unwrap_or_default(),
            sentence,
        }
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        match hook(scene) {
            Some(hook) => {
                let asked = scene.value_at(hook);
                if let Some(value) = ready_ui(ui, asked) {
                    map_ui(ui, scene, hook, &value);
                }
            }
            None => figures_ui(ui, scene),
        }
    }

    fn has_formula(&self) -> bool {
        !matches!(
            self.kind,
            PictureKind::Weights | PictureKind::Experiments | PictureKind::Compare
        )
    }

    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let cell = scene.view.cell().cloned();
        let (Some(hook), Some(cell)) = (hook(scene), cell) else {
            formula_ui(ui, &[Term::words("Point at a cell to see its number.")], "");
            return;
        };
        let value = scene.value_at(hook).ready();
        let number = value.and_then(|value| value.value(&cell.index));
        let number = number.map_or("–".into(), |number| format!("{number:+.4}"));
        formula_ui(
            ui,
            &[Term::result(Role::Residual, number)],
            &cell.to_string(),
        );
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        let mut meta = Vec::new();
        if let Some(hook) = hook(scene) {
            let value = scene.value_at(hook).ready();
            meta.extend(value.map(|value| format!("{:?} · f32", value.shape())));
            meta.push(hook.to_string());
        }
        Side {
            happens: "Every cell is one number of this value, in the order the model has them."
                .into(),
            meta,
            ..Side::default()
        }
    }
}

/// A head of the value where it has heads, as rows and columns.
fn rows(
    scene: &Scene<'_>,
    hook: Hook,
    value: &HostTensor,
) -> Option<(Vec<f32>, usize, Vec<usize>)> {
    match value.shape() {
        [_, columns] => Some((value.values().to_vec(), *columns, Vec::new())),
        [n_outer, n_rows, columns] if is_by_head(hook) => {
            let head = scene.view.head.min(n_outer.saturating_sub(1));
            let _ = n_rows;
            Some((value.at(&[head])?.to_vec(), *columns, vec![head]))
        }
        [_, n_heads, columns] => {
            let head = scene.view.head.min(n_heads.saturating_sub(1));
            let width = n_heads * columns;
            let of_row = |row: &[f32]| {
                row.get(head * columns..(head + 1) * columns)
                    .map(<[f32]>::to_vec)
            };
            let rows = value
                .values()
                .chunks_exact(width)
                .map(of_row)
                .collect::<Option<Vec<_>>>()?;
            Some((rows.concat(), *columns, vec![head]))
        }
        _ => None,
    }
}

fn is_by_head(hook: Hook) -> bool {
    matches!(hook, Hook::Block(_, BlockHook::Scores | BlockHook::Pattern))
}

fn map_ui(ui: &mut Ui, scene: &mut Scene<'_>, hook: Hook, value: &HostTensor) {
    const MAX_CELLS: usize = 400;
    let palette = Palette::of(ui);
    let Some((values, columns, head)) = rows(scene, hook, value) else {
        return;
    };
    let is_share = matches!(hook, Hook::Block(_, BlockHook::Pattern));
    let map = match is_share {
        true => ColorMap::sequential(palette, Role::Attention),
        false => ColorMap::diverging(palette),
    };
    let limit = if is_share { 1.0 } else { largest(&values) };
    let n_rows = values.len() / columns.max(1);
    let (shown_rows, shown_columns) = (n_rows.min(MAX_CELLS), columns.min(MAX_CELLS));
    let step = vec2(
        (ui.available_width() / shown_columns.max(1) as f32).min(26.0),
        ((ui.available_height() - 20.0) / shown_rows.max(1) as f32).min(26.0),
    );
    let size = vec2(step.x * shown_columns as f32, step.y * shown_rows as f32);
    let (area, response) = ui.allocate_exact_size(size, Sense::click());
    response
        .widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, format!("values at {hook}")));
    for row in 0..shown_rows {
        for column in 0..shown_columns {
            let value = values
                .get(row * columns + column)
                .copied()
                .unwrap_or_default();
            let corner = area.min + vec2(step.x * column as f32, step.y * row as f32);
            let gap = if step.x > 8.0 { 1.0 } else { 0.0 };
            let cell = Rect::from_min_size(
                corner,
                step - vec2(gap, if step.y > 8.0 { 1.0 } else { 0.0 }),
            );
            ui.painter()
                .rect_filled(cell, 0.0, map.colour(value, limit));
        }
    }
    let under = response.hover_pos().map(|pointer| {
        let offset = pointer - area.min;
        ((offset.y / step.y) as usize, (offset.x / step.x) as usize)
    });
    let under = under.filter(|(row, column)| *row < shown_rows && *column < shown_columns);
    let address = |(row, column): (usize, usize)| {
        let mut address = scene.address(hook);
        address.index = match (head.first(), is_by_head(hook)) {
            (Some(head), true) => vec![*head, row, column],
            (Some(head), false) => vec![row, *head, column],
            (None, _) => vec![row, column],
        };
        address
    };
    let cell = under.map(address);
    if response.clicked() {
        scene.point(Pointing::Lock(cell.clone()));
    }
    scene.point(Pointing::Hover(cell));
    if shown_rows < n_rows || shown_columns < columns {
        let text =
            format!("{shown_rows} × {shown_columns} of {n_rows} × {columns} cells are shown");
        ui.label(Type::Small.text(text, palette.muted));
    }
}

/// What the run says about a view that has no hook of its own.
fn figures_ui(ui: &mut Ui, scene: &Scene<'_>) {
    let palette = Palette::of(ui);
    let cache = scene.run.cache;
    let mut lines = vec![
        format!(
            "{} tokens, {} of them the prompt",
            scene.run.ids.len(),
            scene.run.prompt_len
        ),
        format!("{} passes", scene.run.passes.len()),
        format!(
            "KV cache: {} positions, {} used of {}",
            cache.positions,
            crate::trace::units::bytes(cache.used_bytes as u64),
            crate::trace::units::bytes(cache.allocated_bytes as u64)
        ),
    ];
    for token in &scene.run.likeliest {
        let share = crate::trace::units::percent(f64::from(token.logprob.exp()));
        lines.push(format!("{share}  {}", token.text));
    }
    for line in lines {
        ui.label(Type::Mono.text(line, palette.text));
    }
}
