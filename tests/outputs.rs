//! The pictures of what comes out: residual stream, logits, draw, screen, cache, timeline; driven
//! by what is written on them, with the real engine on the embedded model.

#[path = "common/window.rs"]
mod harness;

use egui::Key;
use egui_kittest::kittest::Queryable as _;
use harness::{Window, app, click, settle};
use vitrine::settings::PromptSettings;
use vitrine::trace::debug::RunState;
use vitrine::ui::state::Depth;

/// A window on `prompt` that has run to `place` and shows it.
fn open(prompt: &str, place: &str) -> Window {
    let mut start = harness::start();
    start.view.depth = Depth::Stages;
    start.settings.prompt = PromptSettings {
        text: prompt.to_owned(),
        ..PromptSettings::default()
    };
    start.target = Some(place.parse().unwrap());
    let mut window = harness::open(start);
    settle(&mut window);
    assert_eq!(harness::place(&window), place);
    window
}

fn run(window: &Window) -> &RunState {
    app(window).run().unwrap()
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
    for _ in 0..3 {
        println!("before {:?}", window.get_by_label(soup).rect());
        window.get_by_label(soup).click();
        for _ in 0..3 {
            window.step();
            println!(
                "{:?} {:?} {:?}",
                window.query_by_label(soup).map(|n| n.rect()),
                app(&window).view().hovered,
                app(&window).view().locked
            );
        }
        settle(&mut window);
        println!(
            "{:?} {:?} {:?}",
            window.query_by_label(soup).map(|n| n.rect()),
            app(&window).view().hovered,
            app(&window).view().locked
        );
    }
    let locked = app(&window).view().locked.as_ref().unwrap().to_string();
    assert!(locked.starts_with("unembed.hook_out[2, "), "{locked}");
    click(&mut window, "All tokens");
    assert!(
        window
            .query_by_label_contains("histogram of 4096 logits")
            .is_some()
    );
}
