//! The weights as an area: each part as large as it is in the file, its tensors inside.

use egui::{Rect, Sense, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::treemap::squarified;
use super::{Picked, colour, shape, storage};
use crate::engine::question::{Group, Half, Inspection, TensorRow};
use crate::trace::units;
use crate::ui::controls::segmented;
use crate::ui::picture::Scene;
use crate::ui::pictures::kit::{copy_menu, csv_text};
use crate::ui::theme::{Palette, Type, mix, space};

/// What the areas stand for.
#[derive(Default)]
pub struct Areas {
    is_parameters: bool,
}

/// A part of the model with its tensors.
struct Part<'a> {
    group: Group,
    size: u64,
    rows: Vec<&'a TensorRow>,
}

impl Areas {
    pub fn show(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        inspection: &Inspection,
        chosen: Option<&str>,
    ) -> Picked {
        self.controls_ui(ui, inspection);
        ui.add_space(space::TINY);
        let size = ui.available_size().max(vec2(200.0, 160.0));
        let (area, response) = ui.allocate_exact_size(size, Sense::click());
        response.widget_info(|| {
            WidgetInfo::labeled(
                egui::Role::Image,
                true,
                "parts of the model, as large as they are",
            )
        });
        let parts = self.parts(inspection);
        let sizes: Vec<f64> = parts.iter().map(|part| part.size as f64).collect();
        let places = squarified(&sizes, area);
        let pointer = response.hover_pos();
        let mut hovered = None;
        for (part, place) in parts.iter().zip(places) {
            let inside = self.part_ui(ui, part, place.shrink(1.5), chosen, pointer);
            hovered = hovered.or(inside);
        }
        if let Some(row) = &hovered {
            let share = self.size(row) as f64 / self.total(inspection).max(1) as f64;
            let tip = format!(
                "{}\n{} · {}\n{}, {} of all",
                row.name,
                shape(&row.shape),
                storage(row),
                units::bytes(row.bytes),
                units::percent(share)
            );
            response.clone().on_hover_text_at_pointer(tip);
        }
        let copied = table_csv(inspection);
        copy_menu(
            scene,
            &response,
            &[("Copy the table as CSV", &|| copied.clone())],
        );
        Picked {
            clicked: hovered
                .as_ref()
                .filter(|_| response.clicked())
                .map(|row| row.name.clone()),
            hovered,
        }
    }

    fn controls_ui(&mut self, ui: &mut Ui, inspection: &Inspection) {
        let palette = Palette::of(ui);
        ui.horizontal(|ui| {
            if let Some(at) = segmented(
                ui,
                "size",
                &["Bytes", "Parameters"],
                usize::from(self.is_parameters),
            ) {
                self.is_parameters = at == 1;
            }
            let total = match self.is_parameters {
                true => format!("{} parameters in all", units::count(inspection.parameters)),
                false => format!("{} in all", units::bytes(inspection.tensor_bytes)),
            };
            ui.label(Type::Body.text(total, palette.muted));
        });
    }

    fn size(&self, row: &TensorRow) -> u64 {
        if self.is_parameters {
            row.parameters
        } else {
            row.bytes
        }
    }

    fn total(&self, inspection: &Inspection) -> u64 {
        inspection.tensors.iter().map(|row| self.size(row)).sum()
    }

    /// The parts by size; those of a block stay two parts.
    fn parts<'a>(&self, inspection: &'a Inspection) -> Vec<Part<'a>> {
        let mut parts: Vec<Part<'a>> = Vec::new();
        for row in &inspection.tensors {
            let part = match parts.iter_mut().position(|part| part.group == row.group) {
                Some(at) => parts.get_mut(at),
                None => {
                    parts.push(Part {
                        group: row.group,
                        size: 0,
                        rows: Vec::new(),
                    });
                    parts.last_mut()
                }
            };
            if let Some(part) = part {
                part.size += self.size(row);
                part.rows.push(row);
            }
        }
        for part in &mut parts {
            part.rows
                .sort_by_key(|row| std::cmp::Reverse(self.size(row)));
        }
        parts.sort_by_key(|part| std::cmp::Reverse(part.size));
        parts
    }

    /// One part with its tensors; gives the tensor under the pointer.
    fn part_ui(
        &self,
        ui: &Ui,
        part: &Part<'_>,
        place: Rect,
        chosen: Option<&str>,
        pointer: Option<egui::Pos2>,
    ) -> Option<TensorRow> {
        let palette = Palette::of(ui);
        let hue = colour(palette, part.group);
        let painter = ui
            .painter()
            .with_clip_rect(place.expand(2.0).intersect(ui.clip_rect()));
        let ground = mix(palette.surface, hue, 0.10);
        painter.rect(
            place,
            4,
            ground,
            egui::Stroke::new(1.0, mix(palette.line, hue, 0.35)),
            StrokeKind::Inside,
        );
        let has_title = place.width() > 60.0 && place.height() > 44.0;
        let mut inner = place.shrink(3.0);
        if has_title {
            title_ui(ui, part, place);
            inner.min.y += 19.0;
        }
        let sizes: Vec<f64> = part.rows.iter().map(|row| self.size(row) as f64).collect();
        let mut hovered = None;
        for (row, cell) in part.rows.iter().zip(squarified(&sizes, inner)) {
            let cell = cell.shrink(if cell.width().min(cell.height()) > 6.0 {
                1.0
            } else {
                0.25
            });
            let is_under = pointer.is_some_and(|pointer| cell.contains(pointer));
            let fill = mix(palette.surface, hue, if is_under { 0.62 } else { 0.38 });
            painter.rect_filled(cell, 3, fill);
            if chosen == Some(row.name.as_str()) {
                painter.rect_stroke(cell, 3, palette.ring(), StrokeKind::Inside);
            }
            name_ui(ui, row, cell, palette.text_on(fill));
            if is_under {
                hovered = Some((*row).clone());
            }
        }
        hovered
    }
}

fn title_ui(ui: &Ui, part: &Part<'_>, place: Rect) {
    let palette = Palette::of(ui);
    let painter = ui
        .painter()
        .with_clip_rect(place.shrink(2.0).intersect(ui.clip_rect()));
    let at = pos2(place.left() + 7.0, place.top() + 11.0);
    let room = place.width() - 14.0;
    let layout = |text: String| painter.layout_no_wrap(text, Type::Caption.font(), palette.text);
    let mut name = layout(part.group.to_string());
    if name.size().x > room {
        name = layout(short_name(part.group));
    }
    let name_end = at.x + name.size().x;
    painter.galley(at - vec2(0.0, name.size().y / 2.0), name, palette.text);
    let size = units::bytes(part.rows.iter().map(|row| row.bytes).sum());
    let galley = painter.layout_no_wrap(size, Type::MonoSmall.font(), palette.muted);
    if name_end + 10.0 + galley.size().x < place.right() - 6.0 {
        let corner = pos2(
            place.right() - 7.0 - galley.size().x,
            at.y - galley.size().y / 2.0,
        );
        painter.galley(corner, galley, palette.muted);
    }
}

/// A part in few letters.
fn short_name(group: Group) -> String {
    match group {
        Group::Block(block, Half::Attention) => format!("{block} attn"),
        Group::Block(block, Half::Mlp) => format!("{block} MLP"),
        other => other.to_string(),
    }
}

/// The short name of a tensor, where it has room.
fn name_ui(ui: &Ui, row: &TensorRow, cell: Rect, colour: egui::Color32) {
    let name = row.name.trim_end_matches(".weight");
    let name = name.rsplit('.').next().unwrap_or_default();
    let galley = ui
        .painter()
        .layout_no_wrap(name.to_owned(), Type::MonoSmall.font(), colour);
    if galley.size().x + 8.0 < cell.width() && galley.size().y + 4.0 < cell.height() {
        ui.painter()
            .galley(cell.center() - galley.size() / 2.0, galley, colour);
    }
}

/// Every tensor as a line of a CSV file.
pub fn table_csv(inspection: &Inspection) -> String {
    let line = |row: &TensorRow| {
        let bits = row
            .packing
            .map_or(String::new(), |packing| packing.bits.to_string());
        let shape = csv_text(&shape(&row.shape));
        format!(
            "{},{shape},{},{bits},{},{}",
            csv_text(&row.name),
            row.dtype,
            row.bytes,
            row.parameters
        )
    };
    let lines: Vec<String> = inspection.tensors.iter().map(line).collect();
    format!(
        "name,shape,type,bits,bytes,parameters\n{}",
        lines.join("\n")
    )
}
