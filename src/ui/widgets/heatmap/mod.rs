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
mod hatch;
mod labels;
mod legend;
mod paint;
mod pool;
mod view;

pub use colouring::Recipe;
pub use grid::Grid;
pub use labels::Labels;
pub use legend::{figure, legend_ui};
pub use pool::{Pool, Pooled, Region, pool};
pub use view::MapState;

use egui::{Painter, Pos2, Rect, Response, Sense, Ui, Vec2, WidgetInfo, pos2, vec2};

use crate::ui::colormap::ColorMap;
use crate::ui::theme::Role;

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
    hides_numbers: bool,
}

/// Cells smaller than this are drawn as a texture.
const SMALLEST_CELL: f32 = 7.0;
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
            hides_numbers: false,
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

    /// Words at the left and above; those of the `chosen` cell, which gets the ring, are semi-bold.
    #[must_use]
    pub fn labelled(self, rows: &'a [String], cols: &'a [String], chosen: Option<MapCell>) -> Self {
        let labels = |texts, chosen| Labels { texts, chosen };
        self.rows(labels(rows, chosen.map(|cell| cell.row)))
            .cols(labels(cols, chosen.map(|cell| cell.col)))
            .chosen(chosen)
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

    /// No cell tells its number, whatever room it has, if `hides`.
    #[must_use]
    pub fn without_numbers(mut self, hides: bool) -> Self {
        self.hides_numbers = hides;
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

struct Frame {
    size: Vec2,
    body: Rect,
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
