//! Embedding: a token's number picks one row of a table.

use egui::{Rect, Sense, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use crate::trace::{Address, Hook};
use crate::ui::colormap::{ColorMap, largest};
use crate::ui::command::Pointing;
use crate::ui::picture::{Heading, Picture, Scene, Side, Term, formula_ui, ready_ui};
use crate::ui::theme::{Palette, Role, Type, corner, space};

/// The row of the chosen token, as cells.
pub struct EmbeddingPicture;

/// Cells in a line.
const PER_LINE: usize = 64;

impl Picture for EmbeddingPicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        let at = scene.position();
        let id = scene.run.ids.get(at).copied().unwrap_or_default();
        let n_rows = crate::trace::units::count(scene.facts.vocab_size as u64);
        Heading {
            title: "Embedding".into(),
            detail: format!("token {at}, **{}**, row {id} of {n_rows}", scene.name(at)),
            sentence: format!(
                "A token's number picks one row of a table. The row, {} numbers long, is all the model knows of the token so far.",
                scene.facts.d_model
            ),
        }
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let asked = scene.value_at(Hook::Embed);
        let Some(value) = ready_ui(ui, asked) else {
            return;
        };
        let row = value.at(&[scene.row()]).unwrap_or_default();
        row_ui(ui, scene, row);
        legend_ui(ui, row);
    }

    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let (row, dimension) = (scene.row(), chosen(scene));
        let value = scene.value_at(Hook::Embed).ready();
        let number = value.and_then(|value| value.value(&[row, dimension]));
        let id = scene
            .run
            .ids
            .get(scene.position())
            .copied()
            .unwrap_or_default();
        let terms = [
            Term::words("row"),
            Term::number(id.to_string()),
            Term::words("dimension"),
            Term::number(dimension.to_string()),
            Term::words("="),
            Term::result(
                Role::Residual,
                number.map_or("–".into(), |number| format!("{number:+.4}")),
            ),
        ];
        formula_ui(ui, &terms, &cell(scene, dimension).to_string());
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        let n = scene.facts.d_model;
        Side {
            happens: format!("The table has a row of {n} numbers for every token. Looking one up is all that happens here; the numbers were learned."),
            look_for: "The same token id always has the same row, wherever it stands. What sets two of them apart comes later.".into(),
            meta: vec![
                format!("[pos {}, d_model {n}] · f32", scene.pass_range().len()),
                "hook_embed".into(),
            ],
            ..Side::default()
        }
    }
}

/// The dimension whose number is shown: the one under the pointer, else the locked one, else 0.
fn chosen(scene: &Scene<'_>) -> usize {
    let cell = scene.view.cell();
    cell.and_then(|cell| cell.index.get(1))
        .copied()
        .unwrap_or(0)
}

fn cell(scene: &Scene<'_>, dimension: usize) -> Address {
    let mut address = scene.address(Hook::Embed);
    address.index = vec![scene.row(), dimension];
    address
}

/// The numbers of a row as cells, in lines of 64.
fn row_ui(ui: &mut Ui, scene: &mut Scene<'_>, row: &[f32]) {
    let palette = Palette::of(ui);
    let map = ColorMap::diverging(palette);
    let limit = largest(row);
    let step = (ui.available_width() / PER_LINE as f32).clamp(6.0, 16.0);
    let height = step * 1.9;
    let n_lines = row.len().div_ceil(PER_LINE);
    let size = vec2(
        step * PER_LINE as f32,
        (height + space::TINY) * n_lines as f32,
    );
    let (area, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| {
        WidgetInfo::labeled(egui::Role::Image, true, "the row, one cell per dimension")
    });
    let place = |at: usize| {
        let (line, column) = (at / PER_LINE, at % PER_LINE);
        let corner = vec2(column as f32 * step, line as f32 * (height + space::TINY));
        Rect::from_min_size(area.min + corner, vec2(step - 1.0, height))
    };
    for (at, value) in row.iter().enumerate() {
        ui.painter()
            .rect_filled(place(at), corner::CELL, map.colour(*value, limit));
    }
    let under = response.hover_pos().map(|pointer| {
        let offset = pointer - area.min;
        (offset.y / (height + space::TINY)) as usize * PER_LINE + (offset.x / step) as usize
    });
    let under = under.filter(|at| *at < row.len());
    scene.point(Pointing::Hover(under.map(|at| cell(scene, at))));
    if let Some(at) = under.filter(|_| response.clicked()) {
        scene.point(Pointing::Lock(Some(cell(scene, at))));
    }
    let marked = place(chosen(scene)).expand(2.0);
    ui.painter()
        .rect_stroke(marked, 4.0, palette.ring(), StrokeKind::Inside);
}

fn legend_ui(ui: &mut Ui, row: &[f32]) {
    let palette = Palette::of(ui);
    let limit = largest(row);
    ui.horizontal(|ui| {
        let last = row.len().saturating_sub(1);
        ui.label(Type::MonoSmall.text(format!("dimensions 0 to {last} ·"), palette.muted));
        for (name, colour) in [
            (format!("−{limit:.3}"), palette.negative),
            ("0".to_owned(), palette.surface),
            (format!("+{limit:.3}"), palette.positive),
        ] {
            ui.label(Type::MonoSmall.text(name, palette.muted));
            let (rect, _) = ui.allocate_exact_size(vec2(9.0, 9.0), Sense::hover());
            let rect =
                Rect::from_center_size(pos2(rect.center().x, rect.center().y), vec2(9.0, 9.0));
            ui.painter()
                .rect(rect, 1.0, colour, palette.hairline(), StrokeKind::Inside);
        }
    });
}
