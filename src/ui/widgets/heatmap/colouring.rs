//! From numbers to pixels, on the frame for small maps and on a thread of its own for large ones.

use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use egui::{Color32, ColorImage, Context};

use super::grid::{Grid, is_open};
use super::pool::{Pool, Region, pool};
use crate::ui::colormap::ColorMap;

/// Everything an image of a map depends on.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The numbers.
    pub grid: Grid,
    /// The part of them.
    pub region: Region,
    /// Cells per pixel, down and across.
    pub per_pixel: [usize; 2],
    /// What a pixel of several cells shows.
    pub pool: Pool,
    /// Colours.
    pub colours: ColorMap,
    /// Where the scale ends.
    pub limit: f32,
}

impl Recipe {
    /// Whether `other` gives the same colours on the same resolution, wherever it is cut out.
    pub fn is_same_look(&self, other: &Self) -> bool {
        self.grid.is_same(&other.grid)
            && self.per_pixel == other.per_pixel
            && self.pool == other.pool
            && self.limit.to_bits() == other.limit.to_bits()
            && self.colours == other.colours
    }

    /// The image: one pixel per square of cells, transparent where all of them are masked.
    #[must_use]
    pub fn image(&self) -> ColorImage {
        let [rows_per, cols_per] = self.per_pixel;
        let dye = Dye::new(&self.colours, self.limit);
        if self.per_pixel == [1, 1] {
            return self.image_of_cells(&dye);
        }
        let pooled = pool(&self.grid, self.region, rows_per, cols_per, self.pool);
        let pixels = pooled.values.iter().map(|value| dye.colour(*value));
        ColorImage::new([pooled.n_cols, pooled.n_rows], pixels.collect())
    }

    /// The image with a pixel for each cell: nothing to pool.
    fn image_of_cells(&self, dye: &Dye<'_>) -> ColorImage {
        let Region {
            row,
            col,
            n_rows,
            n_cols,
        } = self.region;
        let mut pixels = Vec::with_capacity(n_rows * n_cols);
        for line in 0..n_rows {
            let open = self.grid.row(row + line).get(col..).unwrap_or_default();
            let open = open.get(..n_cols).unwrap_or(open);
            pixels.extend(open.iter().map(|value| dye.colour(*value)));
            pixels.resize((line + 1) * n_cols, Color32::TRANSPARENT);
        }
        ColorImage::new([n_cols, n_rows], pixels)
    }
}

/// A colour table with its scale worked out: one multiplication and one look-up per value.
struct Dye<'a> {
    table: &'a [Color32],
    factor: f32,
    shift: f32,
    end: f32,
}

impl<'a> Dye<'a> {
    fn new(colours: &'a ColorMap, limit: f32) -> Self {
        let table = colours.table();
        let end = table.len().saturating_sub(1) as f32;
        let (span, shift) = match colours.is_diverging() {
            true => (end / 2.0, end / 2.0),
            false => (end, 0.0),
        };
        let factor = if limit > 0.0 { span / limit } else { 0.0 };
        Self {
            table,
            factor,
            shift,
            end,
        }
    }

    /// The colour of a value; transparent where it is masked (NaN, −∞).
    fn colour(&self, value: f32) -> Color32 {
        if !is_open(value) {
            return Color32::TRANSPARENT;
        }
        let place = (value * self.factor + self.shift).clamp(0.0, self.end) + 0.5;
        self.table.get(place as usize).copied().unwrap_or_default()
    }
}

/// An image that is being made on the colouring thread.
#[derive(Debug)]
pub struct Pending {
    recipe: Recipe,
    image: Receiver<ColorImage>,
}

impl Pending {
    /// Asks for the image of `recipe`; `ctx` is repainted when it is there. `None` if the system
    /// gives no thread.
    #[must_use]
    pub fn start(recipe: Recipe, ctx: &Context) -> Option<Self> {
        let (reply, image) = channel();
        let job = Job {
            recipe: recipe.clone(),
            reply,
            ctx: ctx.clone(),
        };
        worker()?.send(job).ok()?;
        Some(Self { recipe, image })
    }

    /// What it was asked for.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The image, once.
    pub fn take(&self) -> Option<ColorImage> {
        self.image.try_recv().ok()
    }
}

struct Job {
    recipe: Recipe,
    reply: Sender<ColorImage>,
    ctx: Context,
}

/// The one thread that colours large maps.
fn worker() -> Option<&'static Sender<Job>> {
    static WORKER: OnceLock<Option<Sender<Job>>> = OnceLock::new();
    WORKER
        .get_or_init(|| {
            let (jobs, inbox) = channel::<Job>();
            let thread = thread::Builder::new().name("heat maps".to_owned());
            thread.spawn(move || colour_jobs(&inbox)).ok()?;
            Some(jobs)
        })
        .as_ref()
}

fn colour_jobs(inbox: &Receiver<Job>) {
    for job in inbox {
        // Whoever asked may be gone: then nobody waits for the image.
        if job.reply.send(job.recipe.image()).is_ok() {
            job.ctx.request_repaint();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::{LIGHT, Role};

    #[test]
    fn the_quick_look_up_gives_the_map_s_own_colours() {
        let values = [-2.0, -1.0, -0.4, 0.0, 0.1, 0.77, 1.0, 3.0];
        for colours in [
            ColorMap::diverging(&LIGHT),
            ColorMap::sequential(&LIGHT, Role::Attention),
        ] {
            let dye = Dye::new(&colours, 1.0);
            let quick: Vec<Color32> = values.iter().map(|v| dye.colour(*v)).collect();
            let slow: Vec<Color32> = values.iter().map(|v| colours.colour(*v, 1.0)).collect();
            assert_eq!(quick, slow);
        }
    }

    #[test]
    fn masked_pixels_are_transparent_and_a_flat_map_is_not() {
        let colours = ColorMap::diverging(&LIGHT);
        let dye = Dye::new(&colours, 0.0);
        assert_eq!(dye.colour(f32::NAN), Color32::TRANSPARENT);
        assert_eq!(dye.colour(f32::NEG_INFINITY), Color32::TRANSPARENT);
        assert_eq!(dye.colour(0.0), colours.colour(0.0, 0.0));
    }

    #[test]
    fn the_thread_gives_the_same_image() {
        let grid = Grid::new(3, 3, (0..9).map(|v| v as f32).collect()).unwrap();
        let region = Region {
            row: 0,
            col: 0,
            n_rows: 3,
            n_cols: 3,
        };
        let recipe = Recipe {
            grid,
            region,
            per_pixel: [1, 1],
            pool: Pool::Max,
            colours: ColorMap::sequential(&LIGHT, Role::Key),
            limit: 8.0,
        };
        let pending = Pending::start(recipe.clone(), &Context::default()).unwrap();
        let image = pending.image.recv().unwrap();
        assert_eq!(image.pixels, recipe.image().pixels);
    }
}
