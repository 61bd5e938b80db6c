//! The cache as it lies there: for every block two rows, keys and values, a column per position.

use egui::{Align2, Color32, Rect, Sense, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::{Kept, address, n_held};
use crate::engine::message::CacheOptions;
use crate::trace::Address;
use crate::trace::measure::ledger::Ledger;
use crate::ui::answers::Asked;
use crate::ui::colormap::ColorMap;
use crate::ui::command::Pointing;
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Role, Type, mix};
use crate::ui::widgets::paint_strip;

const LEFT: f32 = 78.0;
/// Columns that are shown at least, where so many are allocated.
const N_LEAST: usize = 64;
/// Narrower columns are drawn as stretches.
const NARROW: f32 = 3.0;

/// Where things stand.
struct Layout {
    area: Rect,
    /// Width of a column and height of a block.
    cell: egui::Vec2,
    /// The position in each column.
    positions: Vec<usize>,
    n_cols: usize,
    /// Columns that the cache has room for.
    n_allocated: usize,
}

/// Draws the blocks. Gives the address of what is under the pointer.
pub fn blocks_ui(ui: &mut Ui, scene: &mut Scene<'_>, ledger: &Ledger) -> Option<Address> {
    let palette = Palette::of(ui);
    let room = ui.available_rect_before_wrap();
    let layout = layout(room, ledger);
    let response = ui.allocate_rect(room, Sense::click());
    let under = response.hover_pos().and_then(|at| layout.kept(at, ledger));
    let is_new = |position: usize| scene.view.pass() > 0 && scene.pass_range().contains(&position);
    let n_layers = ledger.layers.len();
    for (line, layer) in ledger.layers.iter().enumerate() {
        let label = format!("block {}", layer.layer);
        let step = (13.0 / layout.cell.y).ceil().max(1.0) as usize;
        if line.is_multiple_of(step) {
            let y = layout.area.top() + (line as f32 + 0.45) * layout.cell.y;
            let place = pos2(layout.area.left() - 20.0, y);
            let font = Type::Small.font();
            ui.painter()
                .text(place, Align2::RIGHT_CENTER, label, font, palette.muted);
        }
        for is_value in [false, true] {
            letter_ui(ui, &layout, line, is_value);
            row_ui(ui, &layout, (line, is_value), layer.positions, &is_new);
        }
    }
    let locked = scene
        .view
        .locked
        .as_ref()
        .and_then(|at| super::kept_at(scene, at));
    if let Some(kept) = under.or(locked) {
        let rect = layout.rect(kept).expand(1.5);
        ui.painter()
            .rect_stroke(rect, 3, palette.ring(), StrokeKind::Outside);
    }
    axis_ui(ui, scene, &layout, ledger);
    response.widget_info(|| {
        let held = n_held(ledger);
        let text = format!("{n_layers} blocks with keys and values of {held} positions");
        WidgetInfo::labeled(egui::Role::Image, true, text)
    });
    let at = under.map(|kept| address(scene, kept));
    if let Some(kept) = under.filter(|_| response.clicked()) {
        scene.point(Pointing::Token(kept.position));
        scene.point(Pointing::Layer(kept.layer));
        scene.point(Pointing::Lock(at.clone()));
    }
    if let (Some(kept), Some(at)) = (under, &at) {
        response.on_hover_ui_at_pointer(|ui| kept_ui(ui, scene, ledger, kept, at));
    }
    at
}

fn layout(room: Rect, ledger: &Ledger) -> Layout {
    let held = n_held(ledger);
    let (used, taken) = (ledger.used_bytes(), ledger.allocated_bytes());
    let n_allocated = match used {
        0 => held,
        used => (taken as f64 / used as f64 * held as f64).round() as usize,
    };
    let n_cols = (held + 8).max(N_LEAST).min(n_allocated).max(held).max(1);
    let area = Rect::from_min_max(
        pos2(room.left() + LEFT, room.top() + 2.0),
        pos2(room.right() - 14.0, room.bottom() - 24.0),
    );
    let n_layers = ledger.layers.len().max(1);
    let cell = vec2(
        (area.width() / n_cols as f32).min(22.0),
        (area.height() / n_layers as f32).min(44.0),
    );
    let dropped = ledger.positions.saturating_sub(held);
    let position = |column: usize| match ledger.has_dropped && column >= CacheOptions::KEEP {
        // The first positions stay; after them come the newest.
        true => column + dropped,
        false => column,
    };
    Layout {
        area,
        cell,
        positions: (0..held).map(position).collect(),
        n_cols,
        n_allocated,
    }
}

impl Layout {
    fn column(&self, line: usize, is_value: bool, columns: std::ops::Range<usize>) -> Rect {
        let gap = if self.cell.y > 20.0 { 2.0 } else { 0.5 };
        let height = (self.cell.y * 0.76 - gap) / 2.0;
        let top = self.area.top() + line as f32 * self.cell.y;
        let top = if is_value { top + height + gap } else { top };
        let left = self.area.left() + columns.start as f32 * self.cell.x;
        let right = self.area.left() + columns.end as f32 * self.cell.x;
        Rect::from_min_max(pos2(left, top), pos2(right, top + height))
    }

    fn rect(&self, kept: Kept) -> Rect {
        let place = |position: &usize| *position == kept.position;
        let column = self.positions.iter().position(place).unwrap_or_default();
        self.column(kept.layer, kept.is_value, column..column + 1)
    }

    fn kept(&self, at: egui::Pos2, ledger: &Ledger) -> Option<Kept> {
        let offset = at - self.area.min;
        if offset.x < 0.0 || offset.y < 0.0 {
            return None;
        }
        let column = (offset.x / self.cell.x) as usize;
        let line = (offset.y / self.cell.y) as usize;
        let layer = ledger.layers.get(line)?;
        let position = *self.positions.get(column)?;
        let is_value = (offset.y / self.cell.y).fract() > 0.4;
        (column < layer.positions).then_some(Kept {
            layer: layer.layer,
            is_value,
            position,
        })
    }
}

/// K or V before its row, where there is room.
fn letter_ui(ui: &Ui, layout: &Layout, line: usize, is_value: bool) {
    let row = layout.column(line, is_value, 0..1);
    if row.height() < 9.0 {
        return;
    }
    let (role, letter) = match is_value {
        true => (Role::Value, "V"),
        false => (Role::Key, "K"),
    };
    let place = pos2(layout.area.left() - 5.0, row.center().y);
    let colour = Palette::of(ui).role(role);
    let font = Type::MonoSmall.font();
    ui.painter()
        .text(place, Align2::RIGHT_CENTER, letter, font, colour);
}

/// The keys or the values of one block.
fn row_ui(
    ui: &Ui,
    layout: &Layout,
    (line, is_value): (usize, bool),
    held: usize,
    is_new: &dyn Fn(usize) -> bool,
) {
    let palette = Palette::of(ui);
    let painter = ui.painter();
    let role = if is_value { Role::Value } else { Role::Key };
    let old = mix(palette.surface, palette.role(role), 0.45);
    let fill = |position: usize| -> Color32 {
        if is_new(position) {
            palette.role(Role::Cache)
        } else {
            old
        }
    };
    let line_colour = palette.hairline();
    if layout.cell.x < NARROW {
        let n_new = layout
            .positions
            .iter()
            .take(held)
            .filter(|at| is_new(**at))
            .count();
        let whole = layout.column(line, is_value, 0..held);
        painter.rect_filled(whole, 1, old);
        if n_new > 0 {
            let mut new = layout.column(line, is_value, held - n_new..held);
            new.min.x = new.min.x.min(new.max.x - 2.0);
            painter.rect_filled(new, 0, palette.role(Role::Cache));
        }
        let rest = layout.column(line, is_value, held..layout.n_cols);
        painter.rect_stroke(rest, 1, line_colour, StrokeKind::Inside);
        return;
    }
    let gap = (layout.cell.x * 0.06).clamp(0.4, 1.0);
    let rounding = if layout.cell.x > 7.0 { 2 } else { 0 };
    for column in 0..layout.n_cols {
        let rect = layout
            .column(line, is_value, column..column + 1)
            .shrink2(vec2(gap, 0.0));
        match layout.positions.get(column).filter(|_| column < held) {
            Some(position) => {
                painter.rect_filled(rect, rounding, fill(*position));
            }
            None => {
                painter.rect_stroke(rect, rounding, line_colour, StrokeKind::Inside);
            }
        }
    }
}

/// Positions below the columns.
fn axis_ui(ui: &Ui, scene: &Scene<'_>, layout: &Layout, ledger: &Ledger) {
    let palette = Palette::of(ui);
    let font = Type::Small.font();
    let bottom = layout.area.top() + ledger.layers.len() as f32 * layout.cell.y + 2.0;
    let x = |column: f32| layout.area.left() + column * layout.cell.x;
    let painter = ui.painter();
    let first = pos2(x(0.0), bottom);
    let shown = painter.text(first, Align2::LEFT_TOP, "0", font.clone(), palette.muted);
    let end = pos2(x(layout.n_cols as f32), bottom);
    let held = layout.positions.len();
    // Not every column that is allocated has room here.
    let last = match layout.n_cols > held {
        true => format!("of {} allocated", layout.n_allocated),
        false => layout.n_cols.saturating_sub(1).to_string(),
    };
    let end = painter.text(end, Align2::RIGHT_TOP, last, font.clone(), palette.muted);
    let Some(newest) = layout.positions.last() else {
        return;
    };
    let is_new = scene.view.pass() > 0;
    let text = match is_new {
        true => format!("{newest} new: {}", scene.name(*newest)),
        false => format!("{newest}: {}", scene.name(*newest)),
    };
    let colour = if is_new {
        palette.role(Role::Cache)
    } else {
        palette.muted
    };
    let galley = painter.layout_no_wrap(text, font.clone(), colour);
    let middle = x(held as f32 - 0.5);
    let left = (middle - galley.size().x / 2.0).max(shown.right() + 12.0);
    if left + galley.size().x < end.left() - 10.0 {
        painter.galley(pos2(left, bottom), galley, colour);
    }
    if ledger.has_dropped {
        let place = pos2(x(CacheOptions::KEEP as f32), layout.area.top() - 2.0);
        let n = ledger.positions.saturating_sub(held);
        let stroke = egui::Stroke::new(1.5, palette.bad);
        painter.vline(place.x, place.y..=bottom, stroke);
        let text = format!("{n} dropped here");
        painter.text(
            pos2(place.x + 4.0, bottom),
            Align2::LEFT_TOP,
            text,
            font,
            palette.bad,
        );
    }
}

/// The numbers of one kept key or value, a strip per head.
fn kept_ui(ui: &mut Ui, scene: &mut Scene<'_>, ledger: &Ledger, kept: Kept, at: &Address) {
    let palette = Palette::of(ui);
    ui.spacing_mut().item_spacing.y = 3.0;
    let name = if kept.is_value { "value" } else { "key" };
    let title = format!(
        "{name} of {}, block {}",
        scene.said(kept.position),
        kept.layer
    );
    ui.label(Type::Strong.text(title, palette.text));
    let whole = Address {
        index: Vec::new(),
        ..at.clone()
    };
    if let Asked::Ready(value) = scene.value(&whole)
        && let Some(row) = at.index.first()
    {
        let colours = ColorMap::diverging(palette);
        for head in 0..ledger.n_kv_heads.min(8) {
            let (rect, _) = ui.allocate_exact_size(vec2(240.0, 10.0), Sense::hover());
            let values = value.at(&[*row, head]).unwrap_or_default();
            paint_strip(ui, rect, values, &colours, None);
        }
    }
    let shape = format!(
        "[kv_head {}, head_dim {}]",
        ledger.n_kv_heads, ledger.head_dim
    );
    ui.label(Type::MonoSmall.text(format!("{at} · {shape}"), palette.muted));
}
