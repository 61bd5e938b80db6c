//! A large map costs no frame: colour mapping and layout of 2,048 × 2,048 cells stay under 16 ms.
//!
//! What is measured is the work on the processor before drawing: the frame that lays the map out,
//! and the image that the colouring thread makes. Run with `--release --nocapture` for the figures.

use std::time::{Duration, Instant};

use egui::{Pos2, Rect, pos2, vec2};
use vitrine::ui::colormap::ColorMap;
use vitrine::ui::theme::{LIGHT, Role};
use vitrine::ui::widgets::heatmap::{Grid, HeatMap, Labels, MapState, Pool, Recipe, Region};

const SIDE: usize = 2_048;

/// A frame at 60 per second.
const FRAME: Duration = Duration::from_millis(16);

/// What a machine busy with other tests may take more, in a build that is not optimised fully.
const ALLOWANCE: u32 = if cfg!(debug_assertions) { 6 } else { 1 };

fn pattern() -> Grid {
    let share = |at: usize| ((at * 2_654_435_761) % 1_000) as f32 / 1_000.0;
    let values = (0..SIDE * SIDE).map(share).collect();
    Grid::new(SIDE, SIDE, values).unwrap().causal(0)
}

/// The median of some runs.
fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..9)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

#[test]
fn colouring_a_large_map_takes_less_than_a_frame() {
    let mut recipe = Recipe {
        grid: pattern(),
        region: Region {
            row: 0,
            col: 0,
            n_rows: SIDE,
            n_cols: SIDE,
        },
        per_pixel: [4, 4],
        pool: Pool::Max,
        colours: ColorMap::sequential(&LIGHT, Role::Attention),
        limit: 1.0,
    };
    for per_pixel in [[4, 4], [2, 2], [1, 1]] {
        recipe.per_pixel = per_pixel;
        let time = median(|| {
            std::hint::black_box(recipe.image());
        });
        println!("{SIDE}² cells, {per_pixel:?} per dot: {time:.1?}");
        assert!(time < FRAME * ALLOWANCE, "{per_pixel:?}: {time:.1?}");
    }
}

#[test]
fn a_frame_with_a_large_map_is_laid_out_in_time() {
    let ctx = egui::Context::default();
    let grid = pattern();
    let colours = ColorMap::sequential(&LIGHT, Role::Attention);
    let words: Vec<String> = (0..SIDE).map(|at| format!("word{at}")).collect();
    let labels = Labels {
        texts: &words,
        chosen: Some(1_000),
    };
    let mut state = MapState::default();
    let mut frame = |zoom: f32| {
        let input = egui::RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(1_920.0, 1_080.0))),
            ..egui::RawInput::default()
        };
        let mut output = ctx.run_ui(input, |ui| {
            egui::CentralPanel::default().show(ui, |ui| {
                let map = HeatMap::new("L2.H3", &grid, &colours, 1.0).square();
                let map = map.rows(labels).cols(labels);
                map.show(ui, &mut state, vec2(1_000.0, 1_000.0));
            });
        });
        state.zoom(zoom, pos2(900.0, 700.0));
        output.textures_delta.clear();
        let n_shapes = output.shapes.len();
        std::hint::black_box(ctx.tessellate(output.shapes, output.pixels_per_point));
        n_shapes
    };
    for (name, zoom) in [("at rest", 1.0), ("zooming in", 1.1), ("zooming out", 0.9)] {
        let time = median(|| {
            assert!(frame(zoom) > 10);
        });
        println!("frame with {SIDE}² cells, {name}: {time:.1?}");
        assert!(time < FRAME * ALLOWANCE, "{name}: {time:.1?}");
    }
}
