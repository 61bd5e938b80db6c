//! The row of the chosen token, the packed word its numbers come from, and the same row elsewhere.

use egui::{Rect, StrokeKind, Ui, pos2, vec2};

use super::{id, packed, table};
use crate::engine::question::{PackedRow, Question, Told};
use crate::trace::{Address, Hook, HostTensor};
use crate::ui::answers::Asked;
use crate::ui::colormap::{ColorMap, largest};
use crate::ui::command::Pointing;
use crate::ui::picture::{Scene, Term, formula_ui, ready_ui};
use crate::ui::pictures::kit::{copy_menu, csv, field_ui, note_ui, section_ui, signed};
use crate::ui::theme::{Palette, Role, Type, space};
use crate::ui::widgets::Values;

/// The row and its inspector.
#[derive(Default)]
pub struct Row {
    packed: packed::Packed,
    other: String,
}

/// Fewest cells in a line.
const PER_LINE: usize = 64;
/// Most lines.
const MOST_LINES: usize = 6;

impl Row {
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let scroll = egui::ScrollArea::vertical().auto_shrink([false, false]);
        scroll.show(ui, |ui| {
            // The ring of the packed word stands out above, the scroll bar lies over the right edge.
            ui.add_space(4.0);
            ui.set_max_width(ui.available_width() - 10.0);
            let asked = scene.value_at(Hook::Embed);
            let Some(value) = ready_ui(ui, asked) else {
                return;
            };
            let row = value.at(&[scene.row()]).unwrap_or_default().to_vec();
            let packed = packed_row(scene);
            strip_ui(ui, scene, &row, packed.as_deref().and_then(packed_of));
            positions_ui(ui, scene);
            ui.add_space(space::MEDIUM);
            match packed.as_deref().and_then(packed_of) {
                Some(packed) => self.packed.show(ui, scene, packed, chosen(scene)),
                None => unpacked_ui(ui, scene),
            }
            ui.add_space(space::MEDIUM);
            self.elsewhere_ui(ui, scene, &row);
        });
    }

    /// The same id in other places: the same row, bit for bit.
    fn elsewhere_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, row: &[f32]) {
        section_ui(ui, "Same id, same row", "");
        let own = id(scene);
        let at = scene.position();
        let ids = scene.run.ids.iter().enumerate();
        let others: Vec<usize> = ids
            .filter(|(place, id)| **id == own && *place != at)
            .map(|(place, _)| place)
            .collect();
        ui.horizontal_wrapped(|ui| {
            field_ui(
                ui,
                "another text",
                "Another text with this token",
                &mut self.other,
                240.0,
            );
            for place in others.iter().take(12) {
                let text = format!("position {place}");
                if crate::ui::widgets::chip_ui(ui, &text, false).clicked() {
                    scene.point(Pointing::Token(*place));
                }
            }
        });
        let Some(other) = self.other_place(scene, own) else {
            if !self.other.is_empty() {
                note_ui(
                    ui,
                    &format!(
                        "“{}” is not a token of this text (id {own} does not occur).",
                        scene.name(at)
                    ),
                );
            } else if others.is_empty() {
                note_ui(
                    ui,
                    "This token stands once in the prompt. Type another text that has it, and compare the rows.",
                );
            }
            return;
        };
        let Some(stored) = table_row(scene, own) else {
            return;
        };
        let stored = stored.values();
        let map = ColorMap::diverging(Palette::of(ui));
        let width = ui.available_width();
        Values::new("the row in the other text", stored, &map)
            .per_line(stored.len())
            .height(10.0)
            .show(ui, width);
        let difference = stored
            .iter()
            .zip(row)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        let told = match difference {
            0.0 => format!(
                "There it is token {other}, again row {own}: all {} numbers are equal.",
                row.len()
            ),
            d => format!(
                "There it is token {other}, again row {own}; the largest difference of a number is {d:e}."
            ),
        };
        note_ui(ui, &told);
    }

    /// Where the other text has the token.
    fn other_place(&self, scene: &mut Scene<'_>, own: u32) -> Option<usize> {
        if self.other.is_empty() {
            return None;
        }
        let question = Question::Tokens {
            model: None,
            text: self.other.clone(),
            with_begin: false,
        };
        let told = scene.ask(&question).ready()?;
        match &*told {
            Told::Tokens(tokens) => tokens.pieces.iter().position(|piece| piece.id == own),
            _ => None,
        }
    }

    pub fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let dimension = chosen(scene);
        let address = cell(scene, dimension);
        let told = packed_row(scene);
        let terms = told
            .as_deref()
            .and_then(packed_of)
            .and_then(|row| packed_terms(row, dimension));
        if let Some((terms, group)) = terms {
            formula_ui(ui, &terms, &format!("{address} · {group}"));
            return;
        }
        let value = scene.value_at(Hook::Embed).ready();
        let number = value.and_then(|value| value.value(&[scene.row(), dimension]));
        let terms = [
            Term::words("row"),
            Term::number(id(scene).to_string()),
            Term::words("dimension"),
            Term::number(dimension.to_string()),
            Term::words("="),
            Term::result(Role::Residual, number.map_or("–".into(), signed)),
        ];
        formula_ui(ui, &terms, &address.to_string());
    }
}

/// `w = scale · q + bias`, with the numbers of one weight.
fn packed_terms(row: &PackedRow, dimension: usize) -> Option<(Vec<Term>, String)> {
    let at = dimension / row.group_size.max(1);
    let group = row.groups.get(at)?;
    let place = dimension.checked_sub(group.first_column)?;
    let (number, weight) = (group.numbers.get(place)?, group.weights.get(place)?);
    let terms = vec![
        Term::words("w = scale · q + bias ="),
        Term::number(format!("{:.5}", group.scale).replace('-', "−")),
        Term::words("·"),
        Term::number(number.to_string()),
        Term::words("+"),
        Term::number(format!("{:.5}", group.bias).replace('-', "−")),
        Term::words("="),
        Term::result(Role::Query, signed(*weight)),
    ];
    Some((terms, format!("group {at} of {}", row.groups.len())))
}

/// The dimension whose number is shown: the one under the pointer, else the locked one, else 0.
pub fn chosen(scene: &Scene<'_>) -> usize {
    let cell = scene.view.cell().filter(|cell| cell.place == cell_place());
    cell.and_then(|cell| cell.index.get(1))
        .copied()
        .unwrap_or(0)
        .min(scene.facts.d_model.saturating_sub(1))
}

fn cell_place() -> crate::trace::Place {
    crate::trace::Place::Hook(Hook::Embed)
}

/// The address of one number of the row.
pub fn cell(scene: &Scene<'_>, dimension: usize) -> Address {
    let mut address = scene.address(Hook::Embed);
    address.index = vec![scene.row(), dimension];
    address
}

/// The packed row as the engine tells it; `None` while it is not known, or where it is not packed.
fn packed_row(scene: &mut Scene<'_>) -> Option<std::sync::Arc<Told>> {
    let table = table(scene)?;
    table.packing?;
    let question = Question::Row {
        model: None,
        path: table.name,
        row: id(scene) as usize,
        columns: None,
    };
    scene.ask(&question).ready()
}

fn packed_of(told: &Told) -> Option<&PackedRow> {
    match told {
        Told::Row(row) => Some(row),
        _ => None,
    }
}

/// A row of the table itself, wherever the text has it.
fn table_row(scene: &mut Scene<'_>, row: u32) -> Option<HostTensor> {
    let path = path_of(&table(scene)?.name);
    let question = Question::Slice {
        model: None,
        path,
        rows: Some(row as usize..row as usize + 1),
        columns: None,
    };
    match &*scene.ask(&question).ready()? {
        Told::Slice(slice) => Some(slice.values.clone()),
        _ => None,
    }
}

/// The layer that a tensor belongs to.
fn path_of(tensor: &str) -> String {
    tensor.trim_end_matches(".weight").to_owned()
}

/// Cells in a line, so that the lines are few.
fn per_line(n: usize) -> usize {
    let mut per_line = PER_LINE;
    while n.div_ceil(per_line) > MOST_LINES {
        per_line *= 2;
    }
    per_line
}

/// The numbers of the row as cells; a ring marks those of the packed word.
fn strip_ui(ui: &mut Ui, scene: &mut Scene<'_>, row: &[f32], packed: Option<&PackedRow>) {
    let palette = Palette::of(ui);
    let map = ColorMap::diverging(palette);
    let per_line = per_line(row.len());
    let width = ui.available_width();
    let height = (width / per_line as f32 * 1.9).clamp(12.0, 24.0);
    let name = format!("row of {}", scene.said(scene.position()));
    let dimension = chosen(scene);
    let strip = Values::new(&name, row, &map)
        .per_line(per_line)
        .height(height);
    let strip = if packed.is_none() {
        strip.chosen(Some(dimension))
    } else {
        strip
    };
    let shown = strip.show(ui, width);
    if let Some(packed) = packed {
        let word = packed::word_of(packed.bits, dimension);
        let place = |at: usize| {
            let corner = vec2(
                (at % per_line) as f32 * width / per_line as f32,
                (at / per_line) as f32 * (height + 5.0),
            );
            Rect::from_min_size(
                shown.response.rect.min + corner,
                vec2(width / per_line as f32, height),
            )
        };
        let last = word.end.min(row.len()).saturating_sub(1);
        let ring = place(word.start).union(place(last)).expand(2.5);
        ui.painter()
            .rect_stroke(ring, 4, palette.ring(), StrokeKind::Inside);
    }
    point_ui(scene, &shown, row);
    legend_ui(ui, row, per_line);
}

/// Hovering and clicking a cell of the row, and what can be copied.
fn point_ui(scene: &mut Scene<'_>, shown: &crate::ui::widgets::ValuesResponse, row: &[f32]) {
    let hovered = shown.hovered.map(|at| cell(scene, at));
    if hovered.is_some() || scene.view.hovered.is_some() {
        scene.point(Pointing::Hover(hovered));
    }
    if let Some(at) = shown.clicked {
        scene.point(Pointing::Lock(Some(cell(scene, at))));
    }
    if let Some(at) = shown.hovered {
        let value = row.get(at).copied().unwrap_or_default();
        let tip = format!("{}\n{}", signed(value), cell(scene, at));
        shown.response.clone().on_hover_text_at_pointer(tip);
    }
    let one = row.get(chosen(scene)).copied().unwrap_or_default();
    copy_menu(
        scene,
        &shown.response,
        &[
            ("Copy the number", &|| one.to_string()),
            ("Copy the row as CSV", &|| csv(row.iter().copied())),
        ],
    );
}

fn legend_ui(ui: &mut Ui, row: &[f32], per_line: usize) {
    let palette = Palette::of(ui);
    let limit = largest(row);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let last = row.len().saturating_sub(1);
        let n_lines = row.len().div_ceil(per_line);
        let lines = if n_lines > 1 {
            format!(", {n_lines} lines of {per_line}")
        } else {
            String::new()
        };
        ui.label(Type::MonoSmall.text(format!("dimensions 0 to {last}{lines} ·"), palette.muted));
        for (name, colour) in [
            (format!("−{limit:.3}"), palette.negative),
            ("zero".to_owned(), palette.surface),
            (format!("+{limit:.3}"), palette.positive),
        ] {
            ui.label(Type::MonoSmall.text(name, palette.muted));
            let (rect, _) = ui.allocate_exact_size(vec2(9.0, 9.0), egui::Sense::hover());
            let rect =
                Rect::from_center_size(pos2(rect.center().x, rect.center().y), vec2(9.0, 9.0));
            ui.painter()
                .rect(rect, 1.0, colour, palette.hairline(), StrokeKind::Inside);
        }
    });
}

/// Where positions are learned: the position's own row, and the sum that the first block reads.
fn positions_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    if !scene.facts.hooks.contains(&Hook::PosEmbed) {
        return;
    }
    let first = Hook::Block(0, crate::trace::BlockHook::ResidPre);
    let map = ColorMap::diverging(Palette::of(ui));
    for (title, hook) in [
        ("plus the row of its position", Hook::PosEmbed),
        ("is what block 0 reads", first),
    ] {
        section_ui(ui, title, &hook.to_string());
        match scene.value_at(hook) {
            Asked::Ready(value) => {
                let row = value.at(&[scene.row()]).unwrap_or_default();
                let per_line = per_line(row.len());
                let width = ui.available_width();
                Values::new(title, row, &map)
                    .per_line(per_line)
                    .height(12.0)
                    .show(ui, width);
            }
            Asked::Waiting => note_ui(ui, "…"),
            Asked::Failed(_) => {
                let (rect, _) =
                    ui.allocate_exact_size(vec2(ui.available_width(), 16.0), egui::Sense::hover());
                crate::ui::controls::outline(ui.painter(), rect, Palette::of(ui).faint);
            }
        }
    }
}

/// Where the table is not packed.
fn unpacked_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    if let Some(table) = table(scene)
        && table.packing.is_none()
    {
        section_ui(ui, "How the row lies in the file", "");
        note_ui(
            ui,
            &format!(
                "Each number is a {} of its own: nothing is packed, and nothing was rounded to fewer bits. A 4-bit model shows its packed words here.",
                table.dtype
            ),
        );
    }
}
