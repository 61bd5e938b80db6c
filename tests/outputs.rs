//! The pictures of what comes out: residual stream, logits, draw, screen, cache, timeline; driven
//! by what is written on them, with the real engine on the embedded model.

use std::time::{Duration, Instant};

use egui::{Key, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use vitrine::app::{App, Start};
use vitrine::engine::question::ModelChoice;
use vitrine::model::linear::Kernels;
use vitrine::settings::{PromptSettings, Settings};
use vitrine::trace::debug::RunState;
use vitrine::ui::state::{Depth, ViewState};
use vitrine::ui::theme;

type Window = Harness<'static, Option<App>>;

/// Nothing here takes longer, even on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// A window on `prompt` that has run to `place` and shows it.
fn open(prompt: &str, place: &str) -> Window {
    let mut view = ViewState::default();
    view.depth = Depth::Stages;
    let start = Start {
        settings: Settings {
            motion: false,
            prompt: PromptSettings {
                text: prompt.to_owned(),
                ..PromptSettings::default()
            },
            ..Settings::default()
        },
        folder: None,
        view,
        target: Some(place.parse().unwrap()),
        token: None,
        model: ModelChoice {
            name: "classroom".to_owned(),
            kernels: Kernels::Auto,
        },
        notice: None,
        chats: None,
        ask: None,
    };
    let mut start = Some(start);
    let draw = move |ui: &mut egui::Ui, app: &mut Option<App>| {
        if let Some(start) = start.take() {
            *app = Some(App::new(ui.ctx(), start).unwrap());
        }
        app.as_mut().unwrap().ui(ui);
    };
    let builder = Harness::builder().with_size(vec2(1280.0, 800.0));
    let builder = builder
        .with_context_setup(theme::install)
        .allow_missing_glyphs();
    let mut window = builder.build_ui_state(draw, None);
    settle(&mut window);
    assert_eq!(app(&window).view().spot.to_string(), place);
    window
}

fn app(window: &Window) -> &App {
    window.state().as_ref().unwrap()
}

fn run(window: &Window) -> &RunState {
    app(window).run().unwrap()
}

/// Draws frames until nothing is under way for a while: answers may lead to questions.
fn settle(window: &mut Window) {
    let begun = Instant::now();
    let mut n_calm = 0;
    while n_calm < 6 {
        window.step();
        n_calm = if app(window).is_settled() {
            n_calm + 1
        } else {
            0
        };
        let failures = app(window).failures();
        assert!(begun.elapsed() < DEADLINE, "the window says {failures:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(app(window).failures(), Vec::<String>::new());
}

fn click(window: &mut Window, label: &str) {
    window.get_by_label(label).click();
    window.step();
    settle(window);
}

#[test]
fn the_lens_shows_the_answer_take_shape_and_a_click_opens_a_cell() {
    let mut window = open("The capital of France is", "unembed");
    click(&mut window, "Residual stream");
    window.get_by_label("after block 5, is: Paris 98 %");
    window.get_by_label("rank after each block: 198, 100, 14, 10, 1, 1");
    click(&mut window, "after block 0, is: made 54 %");
    let locked = app(&window).view().locked.as_ref().unwrap().to_string();
    assert_eq!(locked, "blocks.0.hook_resid_post[4]");
}

#[test]
fn a_block_that_has_not_run_has_an_empty_row_in_the_lens() {
    let mut window = open("The capital of France is", "blocks.2");
    click(&mut window, "Residual stream");
    assert!(
        window
            .query_by_label_contains("after block 2, is:")
            .is_some()
    );
    assert!(
        window
            .query_by_label_contains("after block 3, is:")
            .is_none()
    );
}

#[test]
fn contributions_wait_for_the_last_block() {
    let mut window = open("The capital of France is", "blocks.2");
    click(&mut window, "Residual stream");
    click(&mut window, "Contributions");
    click(&mut window, "Run to Logits");
    assert!(run(&window).passes[0].executed.len() > 7);
    assert!(
        window
            .query_by_label_contains("contributions: MLP 5 +")
            .is_some()
    );
}

#[test]
fn a_forced_token_opens_a_branch_and_the_first_way_can_be_gone_again() {
    let mut window = open("I love eating", "sample");
    let first = run(&window).passes[0].draw.clone().unwrap();
    let soup = "share and share of the draw: soup 3.4 % 8.5 %";
    click(&mut window, soup);
    click(&mut window, "Force “soup”");
    assert_eq!(run(&window).branches.len(), 2);
    assert_eq!(run(&window).texts.last().unwrap(), " soup");
    click(&mut window, "Timeline");
    click(&mut window, "Branches");
    click(&mut window, "branch 0: start");
    let again = run(&window).passes[0].draw.clone().unwrap();
    assert_eq!(run(&window).branch, 0);
    assert_eq!((again.token, again.random), (first.token, first.random));
}

#[test]
fn drawing_again_takes_other_random_numbers_and_keeps_one_branch_for_them() {
    let mut window = open("I love eating", "sample");
    let first = run(&window).passes[0].draw.clone().unwrap();
    let mut seen = vec![first.random.unwrap()];
    for _ in 0..3 {
        window.key_press(Key::D);
        window.step();
        settle(&mut window);
        seen.push(run(&window).passes[0].draw.clone().unwrap().random.unwrap());
        assert_eq!(run(&window).branches.len(), 2);
    }
    seen.sort_by(f64::total_cmp);
    assert!(seen.windows(2).all(|pair| pair[0] != pair[1]), "{seen:?}");
}

#[test]
fn a_cache_in_8_bits_takes_less_and_the_run_comes_back_to_where_it_stood() {
    let mut window = open("I love eating", "pass.1.unembed");
    let plain = run(&window).cache;
    click(&mut window, "KV cache");
    assert!(
        window
            .query_by_label_contains("6 blocks with keys and values of 4 positions")
            .is_some()
    );
    click(&mut window, "8-bit cache");
    let packed = run(&window).cache;
    assert_eq!(packed.positions, plain.positions);
    assert!(
        packed.used_bytes * 2 < plain.used_bytes,
        "{packed:?} {plain:?}"
    );
    click(&mut window, "Plain cache");
    assert_eq!(run(&window).cache.used_bytes, plain.used_bytes);
}

#[test]
fn what_the_cache_saves_is_measured() {
    let mut window = open("I love eating", "unembed");
    click(&mut window, "KV cache");
    click(&mut window, "What it saves");
    assert!(
        window
            .query_by_label_contains("time of one token: without")
            .is_some()
    );
}

#[test]
fn the_timeline_says_how_likely_each_token_was() {
    let mut window = open("The capital of France is", "pass.1.unembed");
    click(&mut window, "Timeline");
    let paris = window.query_by_label_contains("Paris at 5: 98 %");
    assert!(paris.is_some());
    assert!(window.query_by_label_contains("The at 0: –").is_some());
}

#[test]
fn the_screen_shows_bytes_and_looks_for_the_end() {
    let window = open("The capital of France is", "screen");
    assert!(window.query_by_label_contains("pass 0: id").is_some());
    let ends = window.query_by_label_contains("probability of the end, place by place:");
    assert!(ends.is_some());
    assert!(!run(&window).end_tokens.is_empty());
}

#[test]
fn a_logit_keeps_its_ring_and_heat_is_live() {
    let mut window = open("I love eating", "unembed");
    let soup = "probability and logit: soup 3.4 % 9.32";
    click(&mut window, soup);
    let locked = app(&window).view().locked.as_ref().unwrap().to_string();
    assert!(locked.starts_with("unembed.hook_out[2, "), "{locked}");
    click(&mut window, "All tokens");
    assert!(
        window
            .query_by_label_contains("histogram of 4096 logits")
            .is_some()
    );
}
