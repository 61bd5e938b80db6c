//! A map painted: cells one by one or as a texture, then rings, lines and labels.

use egui::{
    Align2, Color32, CornerRadius, Painter, Pos2, Rect, Stroke, StrokeKind, Ui, Vec2, pos2, vec2,
};

use super::hatch::hatch;
use super::{Grid, HeatMap, Labels, MapCell, MapState, SMALLEST_CELL, figure};
use crate::ui::theme::{Palette, Type, corner};

/// So many cells at most are drawn one by one.
const MOST_CELLS: f32 = 2_600.0;
/// A number needs this much room.
const NUMBER_ROOM: Vec2 = vec2(36.0, 17.0);

impl<'a> HeatMap<'a> {
    pub(super) fn paint(
        &self,
        ui: &Ui,
        state: &mut MapState,
        body: Rect,
        window: Rect,
        hovered: Option<MapCell>,
    ) -> [usize; 2] {
        let palette = Palette::of(ui);
        let painter = ui
            .painter()
            .with_clip_rect(body.expand(2.0).intersect(ui.clip_rect()));
        hatch(&painter, body, palette);
        let cell = body.size() / window.size();
        let n_seen = window.area();
        let mut per_dot = [1, 1];
        if cell.min_elem() >= SMALLEST_CELL && n_seen <= MOST_CELLS {
            self.paint_cells(&painter, body, window, palette);
        } else if let Some((texture, covered)) =
            state.texture(ui.ctx(), self.grid, body, self.colours, self.limit)
        {
            let place = |at: Pos2| body.min + (at - window.min) * cell;
            let rect = Rect::from_min_max(place(covered.min), place(covered.max));
            let whole = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
            painter.image(texture.id(), rect, whole, Color32::WHITE);
            let [width, height] = texture.size();
            let per = |cells: f32, dots: usize| (cells / dots.max(1) as f32).round() as usize;
            per_dot = [per(covered.height(), height), per(covered.width(), width)];
        }
        self.paint_rings(&painter, body, window, palette, hovered);
        let lit = self.chosen.or(hovered);
        self.paint_edges(ui.painter(), body, window, palette, lit);
        per_dot
    }

    fn paint_cells(&self, painter: &Painter, body: Rect, window: Rect, palette: &Palette) {
        let cell = body.size() / window.size();
        let gap = (cell.min_elem() * 0.05).clamp(0.5, 1.5);
        let rounding = if cell.min_elem() >= 12.0 {
            corner::CELL
        } else {
            CornerRadius::ZERO
        };
        let has_numbers = cell.x >= NUMBER_ROOM.x && cell.y >= NUMBER_ROOM.y;
        let (rows, cols) = seen_cells(window, self.grid);
        for row in rows {
            let open = self.grid.row(row);
            // The open cells' ground hides the hatching in the gaps between them.
            let ground = cell_rect(body, window, cell, row, 0).union(cell_rect(
                body,
                window,
                cell,
                row,
                open.len().saturating_sub(1),
            ));
            painter.rect_filled(
                ground.intersect(body),
                CornerRadius::ZERO,
                palette.background,
            );
            for col in cols.clone() {
                let Some(value) = self.grid.value(row, col) else {
                    continue;
                };
                let rect = cell_rect(body, window, cell, row, col).shrink(gap);
                let fill = self.colours.colour(value, self.limit);
                painter.rect_filled(rect, rounding, fill);
                let text = match self.figures {
                    _ if self.hides_numbers => continue,
                    Some(figures) if figures == row => share(value),
                    Some(_) => continue,
                    None if has_numbers => figure(value),
                    None => continue,
                };
                let size = match self.figures {
                    Some(_) => (rect.width() * 0.36).clamp(7.0, 18.0),
                    None => Type::MonoSmall.font().size,
                };
                let font = egui::FontId::new(size, Type::MonoSmall.font().family);
                let colour = palette.text_on(fill);
                painter.text(rect.center(), Align2::CENTER_CENTER, text, font, colour);
            }
        }
    }

    /// The chosen row and column in their hues, the chosen cell's ring, the hovered cell's line.
    fn paint_rings(
        &self,
        painter: &Painter,
        body: Rect,
        window: Rect,
        palette: &Palette,
        hovered: Option<MapCell>,
    ) {
        let cell = body.size() / window.size();
        let at = |cell_at: MapCell| cell_rect(body, window, cell, cell_at.row, cell_at.col);
        if let Some(chosen) = self.chosen {
            let rect = at(chosen).expand(1.0);
            if let Some([(_, row), (_, col)]) = self.axes {
                let across = Rect::from_x_y_ranges(body.x_range().expand(1.0), rect.y_range());
                let down = Rect::from_x_y_ranges(rect.x_range(), body.y_range().expand(1.0));
                let column = Stroke::new(1.0, palette.role(col).gamma_multiply(0.55));
                painter.rect_stroke(down, 4, column, StrokeKind::Middle);
                let row = Stroke::new(1.5, palette.role(row));
                painter.rect_stroke(across, 4, row, StrokeKind::Middle);
            }
            painter.rect_stroke(rect, 3, palette.ring(), StrokeKind::Middle);
        }
        if let Some(hovered) = hovered.filter(|cell| Some(*cell) != self.chosen) {
            let line = Stroke::new(1.0, palette.muted);
            painter.rect_stroke(at(hovered), 2, line, StrokeKind::Middle);
        }
    }

    fn paint_edges(
        &self,
        painter: &Painter,
        body: Rect,
        window: Rect,
        palette: &Palette,
        lit: Option<MapCell>,
    ) {
        let with = |labels: Labels<'a>, at: Option<usize>| Labels {
            chosen: at.or(labels.chosen),
            ..labels
        };
        with(self.rows, lit.map(|cell| cell.row)).rows(painter, body, window, palette);
        with(self.cols, lit.map(|cell| cell.col)).cols(painter, body, window, palette);
        if let Some(axes) = self.axes {
            let font = Type::Small.font();
            for (line, (text, role)) in axes.into_iter().rev().enumerate() {
                let place = body.left_top() - vec2(8.0, 18.0 + 15.0 * line as f32);
                painter.text(
                    place,
                    Align2::RIGHT_BOTTOM,
                    text,
                    font.clone(),
                    palette.role(role),
                );
            }
        }
    }
}

/// A share in percent, without the sign; nothing, if it rounds to nothing.
fn share(value: f32) -> String {
    let percent = (value * 100.0).round();
    match percent >= 1.0 {
        true => percent.to_string(),
        false => String::new(),
    }
}

/// The rows and columns that `window` shows, at least in part.
fn seen_cells(window: Rect, grid: &Grid) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
    let range = |low: f32, high: f32, n: usize| {
        let end = (high.ceil().max(0.0) as usize).min(n);
        (low.floor().max(0.0) as usize).min(end)..end
    };
    (
        range(window.min.y, window.max.y, grid.n_rows()),
        range(window.min.x, window.max.x, grid.n_cols()),
    )
}

fn cell_rect(body: Rect, window: Rect, cell: Vec2, row: usize, col: usize) -> Rect {
    let min = body.min + (pos2(col as f32, row as f32) - window.min) * cell;
    Rect::from_min_size(min, cell)
}
