//! All positions of a block: how large the stream is, and how much each part wrote.

use std::sync::Arc;

use egui::{Align2, Rect, Sense, StrokeKind, Ui, WidgetInfo, vec2};

use crate::trace::measure::vector::size;
use crate::trace::{BlockHook, Hook, HostTensor};
use crate::ui::answers::Asked;
use crate::ui::command::Pointing;
use crate::ui::picture::{Scene, ready_ui};
use crate::ui::theme::{Palette, Role, Type, corner};
use crate::ui::widgets::heatmap::figure;

/// The columns: hook, heading, hue.
const COLUMNS: [(BlockHook, &str, Role); 5] = [
    (BlockHook::ResidPre, "stream", Role::Residual),
    (BlockHook::AttnOut, "attention wrote", Role::Attention),
    (BlockHook::ResidMid, "stream", Role::Residual),
    (BlockHook::MlpOut, "MLP wrote", Role::Mlp),
    (BlockHook::ResidPost, "stream", Role::Residual),
];

/// A table of sizes, one row per position.
pub fn positions_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let palette = Palette::of(ui);
    let layer = scene.view.layer;
    let mut columns: Vec<Vec<f32>> = Vec::new();
    for (hook, ..) in COLUMNS {
        match scene.value_at(Hook::Block(layer, hook)) {
            Asked::Ready(value) => columns.push(sizes(&value)),
            Asked::Failed(_) => columns.push(Vec::new()),
            Asked::Waiting => {
                ready_ui(ui, Asked::<Arc<HostTensor>>::Waiting);
                return;
            }
        }
    }
    let largest = columns.iter().flatten().copied().fold(1e-9, f32::max);
    let range = scene.pass_range();
    let words = 110.0;
    let width = ((ui.available_width() - words - 12.0) / COLUMNS.len() as f32).min(190.0);
    let (head, _) = ui.allocate_exact_size(vec2(words + width * 5.0, 22.0), Sense::hover());
    for (place, (_, name, role)) in COLUMNS.iter().enumerate() {
        let at = head.left_center() + vec2(words + place as f32 * width + 4.0, 0.0);
        let colour = palette.role(*role);
        ui.painter()
            .text(at, Align2::LEFT_CENTER, *name, Type::Label.font(), colour);
    }
    let line = (ui.available_height() / range.len().max(1) as f32).clamp(20.0, 30.0);
    let chosen = scene.row();
    egui::ScrollArea::vertical()
        .id_salt("positions")
        .auto_shrink([false, false])
        .show_rows(
            ui,
            line - ui.spacing().item_spacing.y,
            range.len(),
            |ui, rows| {
                for row in rows {
                    let height = line - ui.spacing().item_spacing.y;
                    let size = vec2(words + width * 5.0, height);
                    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
                    let position = range.start + row;
                    let name = scene.name(position);
                    row_ui(ui, rect, &name, row, &columns, (words, width, largest));
                    if row == chosen {
                        ui.painter().rect_stroke(
                            rect.expand(1.0),
                            corner::SMALL,
                            palette.ring(),
                            StrokeKind::Inside,
                        );
                    }
                    response.widget_info(|| {
                        let sizes = columns
                            .iter()
                            .map(|column| column.get(row).map_or("–".into(), |s| figure(*s)));
                        let text = format!("{name}: {}", sizes.collect::<Vec<String>>().join(", "));
                        WidgetInfo::selected(egui::Role::ListItem, true, row == chosen, text)
                    });
                    if response.clicked() {
                        scene.point(Pointing::Token(position));
                    }
                }
            },
        );
}

fn row_ui(
    ui: &Ui,
    rect: Rect,
    name: &str,
    row: usize,
    columns: &[Vec<f32>],
    (words, width, largest): (f32, f32, f32),
) {
    let palette = Palette::of(ui);
    let painter = ui.painter();
    let place = rect.left_center() + vec2(words - 12.0, 0.0);
    painter.text(
        place,
        Align2::RIGHT_CENTER,
        name,
        Type::Body.font(),
        palette.text,
    );
    for (place, ((_, _, role), sizes)) in COLUMNS.iter().zip(columns).enumerate() {
        let left = rect.left() + words + place as f32 * width + 4.0;
        let Some(size) = sizes.get(row) else {
            continue;
        };
        let full = width - 60.0;
        let bar = Rect::from_min_size(
            egui::pos2(left, rect.center().y - 5.0),
            vec2((full * size / largest).max(1.0), 10.0),
        );
        painter.rect_filled(bar, corner::CELL, palette.role(*role));
        let at = bar.right_center() + vec2(5.0, 0.0);
        painter.text(
            at,
            Align2::LEFT_CENTER,
            figure(*size),
            Type::MonoSmall.font(),
            palette.text,
        );
    }
}

/// The size of each row of `[pos, d_model]`.
fn sizes(value: &HostTensor) -> Vec<f32> {
    let width = value.shape().last().copied().unwrap_or(1).max(1);
    value
        .values()
        .chunks(width)
        .map(|row| size(row) as f32)
        .collect()
}
