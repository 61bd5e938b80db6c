//! A map of numbers as colours: from a handful of cells to 2,048 × 2,048.
//!
//! Few cells are drawn one by one, with rounded corners and, where there is room, their numbers.
//! Many become one textured rectangle of the part that is seen, one dot per pixel at most
//! ([`pool`]), so that panning and zooming cost the same at every size. What is masked is hatched.
//!
//! Hovering tells the cell; a click locks it; dragging pans, the wheel zooms, a double click shows
//! all of it again.

mod colouring;
mod grid;
mod labels;
mod legend;
mod pool;
mod view;

pub use colouring::Recipe;
pub use grid::Grid;
pub use labels::Labels;
pub use legend::{figure, legend_ui};
pub use pool::{Pool, Pooled, Region, pool};
pub use view::MapState;

use egui::{
    Align2, Color32, CornerRadius, Painter, Pos2, Rect, Response, Sense, Stroke, StrokeKind, Ui,
    Vec2, WidgetInfo, pos2, vec2,
};

use crate::ui::colormap::ColorMap;
use crate::ui::theme::{Palette, Role, Type, corner};

/// A row and a column of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MapCell {
    /// Row, counted from 0.
    pub row: usize,
    /// Column, counted from 0.
    pub col: usize,
}

/// What happened to a map in this frame.
#[derive(Debug)]
pub struct MapResponse {
    /// The whole widget, labels included.
    pub response: Response,
    /// Where the cells are.
    pub body: Rect,
    /// The cell under the pointer, masked ones included.
    pub hovered: Option<MapCell>,
    /// The cell that was clicked.
    pub clicked: Option<MapCell>,
    /// Cells that one dot stands for, down and across: `[1, 1]` where each is seen.
    pub per_dot: [usize; 2],
}

/// A map, ready to be shown.
#[derive(Debug, Clone, Copy)]
pub struct HeatMap<'a> {
    name: &'a str,
    grid: &'a Grid,
    colours: &'a ColorMap,
    limit: f32,
    rows: Labels<'a>,
    cols: Labels<'a>,
    axes: Option<[(&'a str, Role); 2]>,
    chosen: Option<MapCell>,
    is_square: bool,
    is_still: bool,
    /// The row whose shares stand in its cells, in percent.
    figures: Option<usize>,
}

/// Cells smaller than this are drawn as a texture.
const SMALLEST_CELL: f32 = 7.0;
/// So many cells at most are drawn one by one.
const MOST_CELLS: f32 = 2_600.0;
/// A number needs this much room.
const NUMBER_ROOM: Vec2 = vec2(36.0, 17.0);
/// Widest a label may be.
const LABEL_WIDTH: f32 = 104.0;
/// Cells do not grow beyond this.
const LARGEST_CELL: f32 = 72.0;
/// The same where the numbers of a row are to be read from afar.
const LARGEST_BEFORE_A_ROOM: f32 = 150.0;

impl<'a> HeatMap<'a> {
    /// A map called `name` for those who cannot see it; its scale ends at `limit`.
    #[must_use]
    pub fn new(name: &'a str, grid: &'a Grid, colours: &'a ColorMap, limit: f32) -> Self {
        Self {
            name,
            grid,
            colours,
            limit,
            rows: Labels::NONE,
            cols: Labels::NONE,
            axes: None,
            chosen: None,
            is_square: false,
            is_still: false,
            figures: None,
        }
    }

    /// Words at the left, one per row.
    #[must_use]
    pub fn rows(mut self, rows: Labels<'a>) -> Self {
        self.rows = rows;
        self
    }

    /// Words above, one per column.
    #[must_use]
    pub fn cols(mut self, cols: Labels<'a>) -> Self {
        self.cols = cols;
        self
    }

    /// What rows and columns are, said in the corner: `[("query ↓", …), ("key →", …)]`. The chosen
    /// row and column are framed in their hues.
    #[must_use]
    pub fn axes(mut self, axes: [(&'a str, Role); 2]) -> Self {
        self.axes = Some(axes);
        self
    }

    /// The cell with the ring.
    #[must_use]
    pub fn chosen(mut self, chosen: Option<MapCell>) -> Self {
        self.chosen = chosen;
        self
    }

    /// Cells are squares.
    #[must_use]
    pub fn square(mut self) -> Self {
        self.is_square = true;
        self
    }

    /// Wheel and drag do nothing: for small maps that scroll with what is around them.
    #[must_use]
    pub fn still(mut self) -> Self {
        self.is_still = true;
        self
    }

    /// The shares of a row stand in its cells, in percent; those below one half are left out.
    #[must_use]
    pub fn figures(mut self, row: Option<usize>) -> Self {
        self.figures = row;
        self
    }

    /// Shows the map in at most `room`.
    pub fn show(&self, ui: &mut Ui, state: &mut MapState, room: Vec2) -> MapResponse {
        let frame = self.frame(ui.painter(), room);
        let (rect, response) = ui.allocate_exact_size(frame.size, self.sense());
        let body = frame.body.translate(rect.min.to_vec2());
        let window = self.move_window(ui, state, &response, body);
        let at = |place: Option<Pos2>| self.cell_at(place?, body, window);
        let hovered = at(response.hover_pos());
        let clicked = at(response
            .interact_pointer_pos()
            .filter(|_| response.clicked()));
        let mut per_dot = [1, 1];
        if ui.is_rect_visible(rect) {
            per_dot = self.paint(ui, state, body, window, hovered);
        }
        let text = self.spoken(clicked.or(self.chosen));
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, &text));
        MapResponse {
            response,
            body,
            hovered,
            clicked,
            per_dot,
        }
    }

    fn sense(&self) -> Sense {
        if self.is_still {
            Sense::click()
        } else {
            Sense::click_and_drag()
        }
    }

    /// How much room the map takes, and where in it the cells are.
    fn frame(&self, painter: &Painter, room: Vec2) -> Frame {
        let left = self.rows.width(painter, LABEL_WIDTH);
        let slant = self.cols.width(painter, LABEL_WIDTH) * std::f32::consts::FRAC_1_SQRT_2;
        let left = if left > 0.0 { left + 10.0 } else { 0.0 };
        let top = if slant > 0.0 { slant + 14.0 } else { 0.0 };
        let (left, top) = match self.axes {
            Some(_) => (left.max(52.0), top.max(50.0)),
            None => (left, top),
        };
        let right = slant * 0.75 + 3.0;
        let inner = (room - vec2(left + right, top + 3.0)).max(vec2(8.0, 8.0));
        let n = vec2(
            self.grid.n_cols().max(1) as f32,
            self.grid.n_rows().max(1) as f32,
        );
        let largest = match self.figures {
            Some(_) => LARGEST_BEFORE_A_ROOM,
            None => LARGEST_CELL,
        };
        let cell = (inner / n).min(Vec2::splat(largest));
        let cell = match self.is_square {
            true => Vec2::splat(cell.min_elem()),
            false => vec2(inner.x / n.x, cell.y.min(inner.y / n.y)),
        };
        let body = Rect::from_min_size(pos2(left, top), cell * n);
        Frame {
            size: vec2(left + body.width() + right, top + body.height() + 3.0),
            body,
        }
    }

    /// Lets wheel, drag and double click move the window; gives it, in cells.
    fn move_window(&self, ui: &Ui, state: &mut MapState, response: &Response, body: Rect) -> Rect {
        let window = state.window(self.grid);
        if self.is_still {
            return window;
        }
        let cells = window.size() / body.size();
        if response.double_clicked() {
            state.reset();
        } else if response.dragged() {
            state.pan(-response.drag_delta() * cells);
        }
        if let Some(pointer) = response.hover_pos().filter(|place| body.contains(*place)) {
            let factor = ui.input(egui::InputState::zoom_delta);
            let is_dense = body.width() / (self.grid.n_cols().max(1) as f32) < SMALLEST_CELL;
            let scroll = ui.input(|input| input.smooth_scroll_delta().y);
            let factor = match is_dense && scroll != 0.0 {
                true => (scroll / 180.0).exp(),
                false => factor,
            };
            if (factor - 1.0).abs() > 1e-4 {
                state.zoom(factor, window.min + (pointer - body.min) * cells);
            }
        }
        state.window(self.grid)
    }

    /// The cell at a place of the screen.
    fn cell_at(&self, place: Pos2, body: Rect, window: Rect) -> Option<MapCell> {
        if !body.contains(place) {
            return None;
        }
        let at = window.min + (place - body.min) * window.size() / body.size();
        let cell = MapCell {
            row: at.y.max(0.0) as usize,
            col: at.x.max(0.0) as usize,
        };
        (cell.row < self.grid.n_rows() && cell.col < self.grid.n_cols()).then_some(cell)
    }

    fn paint(
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

    /// The map in words.
    fn spoken(&self, cell: Option<MapCell>) -> String {
        let size = format!(
            "{}, {} rows, {} columns",
            self.name,
            self.grid.n_rows(),
            self.grid.n_cols()
        );
        let Some(cell) = cell else {
            return size;
        };
        let word = |labels: &Labels<'_>, at: usize| match labels.texts.get(at) {
            Some(text) => format!("{at} {text}"),
            None => at.to_string(),
        };
        let value = self
            .grid
            .value(cell.row, cell.col)
            .map_or("masked".to_owned(), figure);
        let (row, col) = (word(&self.rows, cell.row), word(&self.cols, cell.col));
        format!("{size}; row {row}, column {col}: {value}")
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

struct Frame {
    size: Vec2,
    body: Rect,
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

/// Slanting lines over `rect`: what is not there to be read.
pub fn hatch(painter: &Painter, rect: Rect, palette: &Palette) {
    const APART: f32 = 6.0;
    let painter = painter.with_clip_rect(rect.intersect(painter.clip_rect()));
    let seen = painter.clip_rect();
    if !seen.is_positive() {
        return;
    }
    let stroke = Stroke::new(1.0, palette.line.gamma_multiply(0.75));
    let height = seen.height();
    let n_lines = ((seen.width() + height) / APART).ceil() as usize;
    // Lines are counted from the map's own corner, so that they do not swim while it is clipped.
    let shift = (seen.left() - rect.left() + seen.top() - rect.top()).rem_euclid(APART);
    for line in 0..=n_lines {
        let x = seen.left() - shift + line as f32 * APART;
        painter.line_segment(
            [pos2(x, seen.top()), pos2(x - height, seen.bottom())],
            stroke,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::LIGHT;

    #[test]
    fn a_map_says_what_it_is_and_what_is_chosen() {
        let grid = Grid::new(2, 2, vec![1.0, 0.0, 0.25, 0.75])
            .unwrap()
            .causal(0);
        let colours = ColorMap::sequential(&LIGHT, Role::Attention);
        let texts = ["When".to_owned(), "Anna".to_owned()];
        let labels = Labels {
            texts: &texts,
            chosen: None,
        };
        let map = HeatMap::new("L2.H3", &grid, &colours, 1.0)
            .rows(labels)
            .cols(labels);
        assert_eq!(map.spoken(None), "L2.H3, 2 rows, 2 columns");
        assert_eq!(
            map.spoken(Some(MapCell { row: 1, col: 0 })),
            "L2.H3, 2 rows, 2 columns; row 1 Anna, column 0 When: 0.250"
        );
        let masked = map.spoken(Some(MapCell { row: 0, col: 1 }));
        assert!(masked.ends_with("masked"), "{masked}");
    }

    #[test]
    fn places_on_the_screen_are_cells() {
        let grid = Grid::new(4, 4, vec![0.0; 16]).unwrap();
        let colours = ColorMap::diverging(&LIGHT);
        let map = HeatMap::new("map", &grid, &colours, 1.0);
        let body = Rect::from_min_size(pos2(10.0, 10.0), vec2(40.0, 40.0));
        let window = Rect::from_min_size(Pos2::ZERO, vec2(4.0, 4.0));
        let cell = map.cell_at(pos2(25.0, 45.0), body, window);
        assert_eq!(cell, Some(MapCell { row: 3, col: 1 }));
        assert_eq!(map.cell_at(pos2(5.0, 20.0), body, window), None);
    }
}
