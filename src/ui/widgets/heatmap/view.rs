//! What a map remembers between frames: the part that is looked at, and its picture.

use egui::{Context, Pos2, Rect, TextureHandle, TextureOptions, Vec2, pos2, vec2};

use super::colouring::{Pending, Recipe};
use super::grid::Grid;
use super::pool::{Pool, Region};
use crate::ui::colormap::ColorMap;

/// Maps with more cells than this are coloured on their own thread.
const CELLS_ON_FRAME: usize = 1 << 17;

/// Fewest cells that one can zoom to, across.
const CLOSEST: f32 = 6.0;

/// View state of one map: pan, zoom and the texture. Belongs to the picture that shows it.
#[derive(Default)]
pub struct MapState {
    /// What is seen, in cells; all of the map if `None`.
    window: Option<Rect>,
    size: (usize, usize),
    shown: Option<Shown>,
    pending: Option<Pending>,
    /// What a pixel of several cells shows.
    pub pool: Pool,
}

/// A texture, and what it shows.
struct Shown {
    recipe: Recipe,
    texture: TextureHandle,
}

impl MapState {
    /// What is seen of a map of this size, in cells. Another size shows all of it again.
    pub fn window(&mut self, grid: &Grid) -> Rect {
        let size = (grid.n_rows(), grid.n_cols());
        if self.size != size {
            self.size = size;
            self.window = None;
        }
        self.window.unwrap_or_else(|| self.whole())
    }

    fn whole(&self) -> Rect {
        let (n_rows, n_cols) = self.size;
        Rect::from_min_size(Pos2::ZERO, vec2(n_cols as f32, n_rows as f32))
    }

    /// Whether only a part is seen.
    #[must_use]
    pub fn is_zoomed(&self) -> bool {
        self.window.is_some()
    }

    /// Shows everything again.
    pub fn reset(&mut self) {
        self.window = None;
    }

    /// Zooms by `factor` around the place `at`, given in cells.
    pub fn zoom(&mut self, factor: f32, at: Pos2) {
        let whole = self.whole();
        let window = self.window.unwrap_or(whole);
        let closest = CLOSEST / window.width().min(window.height()).max(1.0);
        let factor = (1.0 / factor.max(0.01)).max(closest);
        let size = window.size() * factor;
        let min = at + (window.min - at) * factor;
        self.settle(Rect::from_min_size(min, size));
    }

    /// Moves the window by so many cells.
    pub fn pan(&mut self, by: Vec2) {
        if let Some(window) = self.window {
            self.settle(window.translate(by));
        }
    }

    /// Brings a cell into view, if it is not.
    pub fn reveal(&mut self, row: usize, col: usize) {
        let cell = pos2(col as f32 + 0.5, row as f32 + 0.5);
        if let Some(window) = self.window.filter(|window| !window.contains(cell)) {
            self.settle(Rect::from_center_size(cell, window.size()));
        }
    }

    /// Keeps the window inside the map; all of the map is no window.
    fn settle(&mut self, window: Rect) {
        let whole = self.whole();
        if window.width() >= whole.width() && window.height() >= whole.height() {
            self.window = None;
            return;
        }
        let size = window.size().min(whole.size());
        let min = window.min.max(whole.min).min(whole.max - size);
        self.window = Some(Rect::from_min_size(min, size));
    }

    /// The texture for what is seen in `area`, and the rectangle of cells that it covers; the best
    /// there is, while a better one is being made.
    pub fn texture(
        &mut self,
        ctx: &Context,
        grid: &Grid,
        area: Rect,
        colours: &ColorMap,
        limit: f32,
    ) -> Option<(&TextureHandle, Rect)> {
        let window = self.window(grid);
        let max_side = ctx.input(|input| input.max_texture_side);
        let per_pixel = cells_per_pixel(window, area.size() * ctx.pixels_per_point());
        let seen = seen_region(window, self.size, per_pixel, 0.0);
        let wanted = Recipe {
            grid: grid.clone(),
            region: seen,
            per_pixel,
            pool: self.pool,
            colours: colours.clone(),
            limit,
        };
        let is_there = self.shown.as_ref().is_some_and(|shown| {
            shown.recipe.is_same_look(&wanted) && shown.recipe.region.holds(&seen)
        });
        if !is_there {
            let mut region = seen_region(window, self.size, per_pixel, 0.25);
            if region.n_rows / per_pixel[0] >= max_side || region.n_cols / per_pixel[1] >= max_side
            {
                region = seen;
            }
            self.make(ctx, Recipe { region, ..wanted });
        }
        let shown = self.shown.as_ref()?;
        Some((&shown.texture, covered(&shown.recipe)))
    }

    /// Makes the image of `recipe`, now if it is small, else on the colouring thread.
    fn make(&mut self, ctx: &Context, recipe: Recipe) {
        if recipe.region.n_cells() <= CELLS_ON_FRAME {
            let image = recipe.image();
            self.pending = None;
            self.show(ctx, recipe, image);
            return;
        }
        let is_asked = |pending: &Pending| {
            let asked = pending.recipe();
            asked.is_same_look(&recipe) && asked.region.holds(&recipe.region)
        };
        if !self.pending.as_ref().is_some_and(is_asked) {
            self.pending = Pending::start(recipe, ctx);
        }
        let ready = self.pending.as_ref().and_then(|pending| {
            let image = pending.take()?;
            Some((pending.recipe().clone(), image))
        });
        match ready {
            Some((recipe, image)) => {
                self.pending = None;
                self.show(ctx, recipe, image);
            }
            None => ctx.request_repaint(),
        }
    }

    fn show(&mut self, ctx: &Context, recipe: Recipe, image: egui::ColorImage) {
        match &mut self.shown {
            Some(shown) => {
                shown.texture.set(image, TextureOptions::NEAREST);
                shown.recipe = recipe;
            }
            None => {
                let texture = ctx.load_texture("map", image, TextureOptions::NEAREST);
                self.shown = Some(Shown { recipe, texture });
            }
        }
    }
}

/// Cells per pixel, down and across, in powers of two: at least one pixel for each dot.
fn cells_per_pixel(window: Rect, pixels: Vec2) -> [usize; 2] {
    let per = |cells: f32, pixels: f32| {
        let cells = (cells / pixels.max(1.0)).ceil().max(1.0);
        (cells as usize).next_power_of_two()
    };
    [
        per(window.height(), pixels.y),
        per(window.width(), pixels.x),
    ]
}

/// The cells of `window`, with `margin` of its size around it, in whole dots.
fn seen_region(window: Rect, size: (usize, usize), per_pixel: [usize; 2], margin: f32) -> Region {
    let span = |low: f32, high: f32, n: usize, per: usize| {
        let wide = (high - low) * margin;
        let first = ((low - wide).max(0.0).floor() as usize / per) * per;
        let end = ((high + wide).ceil().max(0.0) as usize).div_ceil(per) * per;
        let end = end.min(n);
        (first.min(end), end.saturating_sub(first))
    };
    let [rows_per, cols_per] = per_pixel;
    let (row, n_rows) = span(window.min.y, window.max.y, size.0, rows_per);
    let (col, n_cols) = span(window.min.x, window.max.x, size.1, cols_per);
    Region {
        row,
        col,
        n_rows,
        n_cols,
    }
}

/// The rectangle that an image covers, in cells: its last dots may reach beyond the map.
fn covered(recipe: &Recipe) -> Rect {
    let region = recipe.region;
    let [rows_per, cols_per] = recipe.per_pixel;
    let size = vec2(
        (region.n_cols.div_ceil(cols_per) * cols_per) as f32,
        (region.n_rows.div_ceil(rows_per) * rows_per) as f32,
    );
    Rect::from_min_size(pos2(region.col as f32, region.row as f32), size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(n: usize) -> (MapState, Grid) {
        let grid = Grid::new(n, n, vec![0.5; n * n]).unwrap();
        let mut state = MapState::default();
        state.window(&grid);
        (state, grid)
    }

    #[test]
    fn zooming_keeps_the_place_under_the_pointer() {
        let (mut state, grid) = state(100);
        state.zoom(2.0, pos2(20.0, 80.0));
        let window = state.window(&grid);
        assert_eq!(
            window,
            Rect::from_min_size(pos2(10.0, 40.0), vec2(50.0, 50.0))
        );
        state.zoom(0.1, pos2(20.0, 80.0));
        assert!(!state.is_zoomed());
    }

    #[test]
    fn one_cannot_leave_the_map_nor_zoom_into_nothing() {
        let (mut state, grid) = state(100);
        state.zoom(4.0, pos2(0.0, 0.0));
        state.pan(vec2(-50.0, 500.0));
        let window = state.window(&grid);
        assert_eq!(window.min, pos2(0.0, 75.0));
        state.zoom(1e6, window.center());
        assert!(state.window(&grid).width() >= CLOSEST - 0.01);
    }

    #[test]
    fn a_large_map_has_a_dot_for_many_cells() {
        let window = Rect::from_min_size(Pos2::ZERO, vec2(2048.0, 2048.0));
        assert_eq!(cells_per_pixel(window, vec2(700.0, 700.0)), [4, 4]);
        assert_eq!(cells_per_pixel(window, vec2(2048.0, 4000.0)), [1, 1]);
    }

    #[test]
    fn a_small_map_is_there_at_once_and_a_large_one_soon() {
        let ctx = Context::default();
        let colours = ColorMap::diverging(&crate::ui::theme::LIGHT);
        let area = Rect::from_min_size(Pos2::ZERO, vec2(300.0, 300.0));
        let (mut small, grid) = state(64);
        let shown = small.texture(&ctx, &grid, area, &colours, 1.0);
        assert_eq!(shown.unwrap().1, small_rect(64.0));
        let (mut large, grid) = state(512);
        let started = std::time::Instant::now();
        while large.texture(&ctx, &grid, area, &colours, 1.0).is_none() {
            assert!(started.elapsed().as_secs() < 20, "no image came");
            std::thread::yield_now();
        }
        let (texture, covered) = large.texture(&ctx, &grid, area, &colours, 1.0).unwrap();
        assert_eq!((texture.size(), covered), ([256, 256], small_rect(512.0)));
    }

    fn small_rect(side: f32) -> Rect {
        Rect::from_min_size(Pos2::ZERO, vec2(side, side))
    }
}
