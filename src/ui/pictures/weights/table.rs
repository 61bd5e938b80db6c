//! The weights as a table: shape, type, bits, bytes, parameters.

use egui::{Align2, Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use super::areas::table_csv;
use super::{Picked, colour, shape};
use crate::engine::question::{Inspection, TensorRow};
use crate::trace::units;
use crate::ui::picture::Scene;
use crate::ui::pictures::kit::{copy_menu, field_ui, note_ui};
use crate::ui::theme::{Palette, Type, corner, space};
use crate::ui::widgets::chip_ui;

/// What is searched for, and how the rows are sorted.
#[derive(Default)]
pub struct Table {
    query: String,
    by_bytes: bool,
}

const ROW: f32 = 25.0;

/// Where the columns end or begin, as shares of the width: shape, type, bits, bytes, parameters.
const COLUMNS: [f32; 5] = [0.46, 0.61, 0.75, 0.86, 1.0];

impl Table {
    pub fn show(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        inspection: &Inspection,
        chosen: Option<&str>,
    ) -> Picked {
        ui.horizontal(|ui| {
            field_ui(
                ui,
                "search the tensors",
                "Search: layers.2, mlp, norm",
                &mut self.query,
                220.0,
            );
            if chip_ui(ui, "Largest first", self.by_bytes).clicked() {
                self.by_bytes = !self.by_bytes;
            }
        });
        let fits = |row: &&TensorRow| row.name.contains(self.query.trim());
        let mut rows: Vec<&TensorRow> = inspection.tensors.iter().filter(fits).collect();
        if self.by_bytes {
            rows.sort_by_key(|row| std::cmp::Reverse(row.bytes));
        }
        head_ui(ui);
        let mut picked = Picked::default();
        let height = ROW - ui.spacing().item_spacing.y;
        let below = if inspection.not_used.is_empty() {
            0.0
        } else {
            24.0
        };
        let scroll = egui::ScrollArea::vertical().auto_shrink([false, false]);
        let scroll = scroll.max_height((ui.available_height() - below).max(80.0));
        let copied = table_csv(inspection);
        scroll.show_rows(ui, height, rows.len(), |ui, range| {
            for row in rows.get(range).unwrap_or_default() {
                let response = row_ui(ui, row, chosen == Some(row.name.as_str()));
                if response.hovered() {
                    picked.hovered = Some((*row).clone());
                }
                if response.clicked() {
                    picked.clicked = Some(row.name.clone());
                }
                copy_menu(
                    scene,
                    &response,
                    &[
                        ("Copy the name", &|| row.name.clone()),
                        ("Copy the table as CSV", &|| copied.clone()),
                    ],
                );
            }
        });
        for left in &inspection.not_used {
            note_ui(
                ui,
                &format!(
                    "{} more in the file are not used: {}.",
                    left.names.len(),
                    left.reason
                ),
            );
        }
        picked
    }
}

fn head_ui(ui: &mut Ui) {
    let palette = Palette::of(ui);
    // The rows below give some of their width to the scroll bar.
    let bar = ui.spacing().scroll.allocated_width();
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width() - bar, 20.0), Sense::hover());
    let [shape, dtype, bits, bytes, parameters] = columns(rect);
    let put = |x: f32, align: Align2, text: &str| {
        ui.painter().text(
            pos2(x, rect.center().y),
            align,
            text,
            Type::Caption.font(),
            palette.muted,
        );
    };
    put(rect.left() + 22.0, Align2::LEFT_CENTER, "tensor");
    put(shape, Align2::LEFT_CENTER, "shape");
    put(dtype, Align2::LEFT_CENTER, "type");
    put(bits, Align2::RIGHT_CENTER, "bits");
    put(bytes, Align2::RIGHT_CENTER, "bytes");
    put(parameters, Align2::RIGHT_CENTER, "parameters");
    ui.add_space(-space::TINY);
}

fn columns(rect: Rect) -> [f32; 5] {
    let width = rect.width() - 14.0;
    COLUMNS.map(|share| rect.left() + share * width)
}

fn row_ui(ui: &mut Ui, row: &TensorRow, is_chosen: bool) -> egui::Response {
    let palette = Palette::of(ui);
    let size = vec2(ui.available_width(), ROW - ui.spacing().item_spacing.y);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| {
        let text = format!(
            "{}, {}, {}",
            row.name,
            shape(&row.shape),
            units::bytes(row.bytes)
        );
        WidgetInfo::selected(egui::Role::ListItem, true, is_chosen, text)
    });
    let line = rect.expand2(vec2(0.0, ui.spacing().item_spacing.y / 2.0));
    if is_chosen || response.hovered() {
        let fill = if is_chosen {
            palette.chosen
        } else {
            palette.sunk
        };
        ui.painter().rect_filled(line, corner::SMALL, fill);
    }
    let painter = ui.painter();
    let y = rect.center().y;
    let dot = Rect::from_center_size(pos2(rect.left() + 10.0, y), vec2(8.0, 8.0));
    painter.rect_filled(dot, 2, colour(palette, row.group));
    let [shape_at, dtype, bits, bytes, parameters] = columns(rect);
    let name_room = Rect::from_min_max(rect.min, pos2(shape_at - 8.0, rect.max.y));
    let name = painter.with_clip_rect(name_room.intersect(ui.clip_rect()));
    name.text(
        pos2(rect.left() + 22.0, y),
        Align2::LEFT_CENTER,
        &row.name,
        Type::MonoSmall.font(),
        palette.text,
    );
    let put = |x: f32, align: Align2, text: String| {
        painter.text(
            pos2(x, y),
            align,
            text,
            Type::MonoSmall.font(),
            palette.muted,
        );
    };
    put(shape_at, Align2::LEFT_CENTER, shape(&row.shape));
    put(dtype, Align2::LEFT_CENTER, row.dtype.clone());
    put(
        bits,
        Align2::RIGHT_CENTER,
        row.packing
            .map_or("–".into(), |packing| packing.bits.to_string()),
    );
    put(bytes, Align2::RIGHT_CENTER, units::count(row.bytes));
    put(
        parameters,
        Align2::RIGHT_CENTER,
        units::count(row.parameters),
    );
    response.on_hover_cursor(egui::CursorIcon::PointingHand)
}
