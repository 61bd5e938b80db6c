//! The window, driven by what is written on it, with the real engine on the embedded model.
//!
//! No display and no graphics card: the app is drawn without being painted.

#[path = "common/window.rs"]
mod harness;

use egui::{Key, vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use harness::{app, click, find, open, open_sized, place, press, settle, start};
use vitrine::trace::debug::Next;

#[test]
fn the_first_start_shows_the_example_at_its_first_stop() {
    let window = open(start());
    assert_eq!(place(&window), "text");
    window.get_by_label("stop 1: Text");
    window.get_by_label("token 10: gave");
    window.get_by_label("Embedding, not computed yet");
    let run = app(&window).run().unwrap();
    assert_eq!((run.ids.len(), run.passes[0].executed.len()), (14, 0));
    assert_eq!(app(&window).failures(), Vec::<String>::new());
}

#[test]
fn six_presses_lead_from_the_text_to_the_chosen_word() {
    let mut window = open(start());
    let mut seen = Vec::new();
    for _ in 0..6 {
        press(&mut window, Key::ArrowRight);
        seen.push(place(&window));
    }
    let story = [
        "tokens",
        "embed",
        "blocks.2.attn.hook_pattern",
        "unembed",
        "sample",
        "screen",
    ];
    assert_eq!(seen, story);
    let run = app(&window).run().unwrap();
    assert_eq!(run.ids.len(), 15, "the chosen token stands in the text");
    window.get_by_label("token 14: Anna₁₄");
}

#[test]
fn the_strip_marks_the_position_on_view() {
    let mut window = open(start());
    for _ in 0..6 {
        press(&mut window, Key::ArrowRight);
    }
    let marked = |window: &_| app(window).view().token;
    assert_eq!(marked(&window), 14, "the token that was drawn");
    click(&mut window, "stop 4: Attention");
    assert_eq!(marked(&window), 13, "it has no part in the prefill");
    click(&mut window, "token 10: gave");
    assert_eq!((marked(&window), app(&window).view().pass()), (10, 0));
    // A token of another pass brings its pass along.
    click(&mut window, "token 14: Anna₁₄");
    assert_eq!((marked(&window), app(&window).view().pass()), (14, 1));
    click(&mut window, "Run to here");
    assert_eq!((marked(&window), app(&window).view().pass()), (14, 1));
}

#[test]
fn a_sheet_takes_the_keyboard_and_forgets_what_was_not_run() {
    let mut window = open(start());
    press(&mut window, Key::E);
    window.event(egui::Event::Text("abandoned".to_owned()));
    settle(&mut window);
    press(&mut window, Key::Escape);
    press(&mut window, Key::Escape);
    press(&mut window, Key::E);
    window.event(egui::Event::Text(" Anna".to_owned()));
    settle(&mut window);
    window.key_press_modifiers(egui::Modifiers::COMMAND, Key::Enter);
    window.step();
    settle(&mut window);
    let run = app(&window).run().unwrap();
    let text = run.texts.concat();
    assert!(text.ends_with("a book to Anna"), "{text}");
}

#[test]
fn nothing_is_computed_beyond_where_one_looks() {
    let mut window = open(start());
    for _ in 0..3 {
        press(&mut window, Key::ArrowRight);
    }
    let run = app(&window).run().unwrap();
    assert_eq!(run.passes[0].executed.len(), 3, "embedding and two blocks");
    assert!(run.cursor.is_some(), "inside the third");
    assert!(run.likeliest.is_empty());
    window.get_by_label("Logits, not computed yet");
}

#[test]
fn stage_by_stage_through_the_prompt_and_the_first_token_and_back() {
    let mut window = open(start());
    press(&mut window, Key::ArrowDown);
    let mut seen = vec![place(&window)];
    for _ in 0..13 {
        press(&mut window, Key::ArrowRight);
        seen.push(place(&window));
    }
    let expected = [
        "text",
        "tokens",
        "embed",
        "blocks.0",
        "blocks.1",
        "blocks.2",
        "blocks.3",
        "blocks.4",
        "blocks.5",
        "ln_final",
        "unembed",
        "sample",
        "screen",
        "pass.1.embed",
    ];
    assert_eq!(seen, expected);
    for expected in expected.iter().rev().skip(1) {
        press(&mut window, Key::ArrowLeft);
        assert_eq!(place(&window), *expected);
    }
    let run = app(&window).run().unwrap();
    assert_eq!((run.ids.len(), run.passes.len()), (14, 1));
    assert_eq!(run.next, Next::Stage(vitrine::trace::Stage::Embed));
}

#[test]
fn part_by_part_through_a_block() {
    let mut window = open(start());
    press(&mut window, Key::ArrowDown);
    press(&mut window, Key::ArrowDown);
    for _ in 0..9 {
        press(&mut window, Key::ArrowRight);
    }
    assert_eq!(place(&window), "blocks.1.ln1.hook_out");
    let run = app(&window).run().unwrap();
    assert_eq!(run.passes[0].executed.len(), 2, "embedding and block 0");
    press(&mut window, Key::ArrowLeft);
    assert_eq!(place(&window), "blocks.0.mlp.hook_post");
    press(&mut window, Key::ArrowLeft);
    assert_eq!(place(&window), "blocks.0.attn.hook_z");
    let run = app(&window).run().unwrap();
    assert!(!run.has_stage(0, vitrine::trace::Stage::Block(0)));
}

#[test]
fn a_click_in_the_rail_runs_to_a_later_stage() {
    let mut window = open(start());
    click(&mut window, "Logits, not computed yet");
    assert_eq!(place(&window), "unembed");
    assert!(!app(&window).run().unwrap().likeliest.is_empty());
    click(&mut window, "Embedding");
    assert_eq!(place(&window), "embed");
    assert!(
        !app(&window).run().unwrap().likeliest.is_empty(),
        "looking undoes nothing"
    );
}

#[test]
fn a_breakpoint_stops_a_run_to_the_end() {
    let mut window = open(start());
    click(&mut window, "breakpoint at Block 3");
    press(&mut window, Key::End);
    let run = app(&window).run().unwrap();
    assert_eq!(run.stopped_by.as_deref(), Some("blocks.3"));
    assert_eq!(run.passes[0].executed.len(), 5);
    click(&mut window, "breakpoint at Block 3");
    press(&mut window, Key::End);
    assert!(app(&window).run().unwrap().passes.len() > 1);
}

#[test]
fn a_breakpoint_shows_where_it_stopped_whatever_was_looked_at() {
    let mut window = open(start());
    click(&mut window, "breakpoint at Block 3");
    click(&mut window, "Timeline");
    press(&mut window, Key::End);
    assert_eq!(
        app(&window).run().unwrap().stopped_by.as_deref(),
        Some("blocks.3")
    );
    assert_eq!(place(&window), "blocks.3");
}

#[test]
fn another_prompt_is_run_to_the_picture_on_view() {
    let mut window = open(start());
    click(&mut window, "Logits, not computed yet");
    press(&mut window, Key::E);
    click(&mut window, "The capital of France is");
    click(&mut window, "Run");
    let run = app(&window).run().unwrap();
    assert_eq!(run.ids.len(), 5);
    assert_eq!(place(&window), "unembed");
    assert_eq!(run.likeliest[0].text, " Paris");
}

#[test]
fn a_model_that_fails_to_load_gives_a_message_and_the_window_goes_on() {
    let mut broken = start();
    broken.model.name = "no/such-model".to_owned();
    let mut window = open(broken);
    let failures = app(&window).failures();
    assert!(failures[0].contains("no/such-model"), "{failures:?}");
    assert_eq!(app(&window).run().unwrap().model, "classroom");
    press(&mut window, Key::ArrowRight);
    assert_eq!(place(&window), "tokens");
}

#[test]
fn every_place_can_be_looked_at_without_a_failure() {
    let mut window = open(start());
    for place in [
        "text",
        "tokens",
        "embed",
        "blocks.1.ln1.hook_out",
        "blocks.1.attn.hook_q",
        "blocks.1.attn.hook_rot_q",
        "blocks.1.attn.hook_pattern",
        "blocks.1.attn.hook_z",
        "blocks.1.mlp.hook_post",
        "blocks.1",
        "ln_final",
        "unembed",
        "sample",
        "screen",
        "kv-cache",
        "timeline",
        "residual",
        "weights",
        "experiments",
        "compare",
    ] {
        let spot = place.parse().unwrap();
        window.state_mut().as_mut().unwrap().visit(spot);
        settle(&mut window);
        assert_eq!(harness::place(&window), place);
        assert_eq!(app(&window).failures(), Vec::<String>::new(), "{place}");
    }
}

#[test]
fn a_small_window_and_large_type_lose_no_control() {
    for (size, scale) in [(vec2(1024.0, 700.0), 1.0), (vec2(1280.0, 800.0), 2.0)] {
        let mut start = start();
        start.settings.scale = scale;
        let mut window = open_sized(start, size);
        for _ in 0..3 {
            press(&mut window, Key::ArrowRight);
        }
        let inside = egui::Rect::from_min_size(egui::Pos2::ZERO, size / scale);
        for label in ["Step", "Back", "Layer", "Token", "Run to the end"] {
            let rect = window.get_by_label(label).rect();
            assert!(inside.contains_rect(rect), "{label} at {rect} in {inside}");
        }
        assert_eq!(place(&window), "blocks.2.attn.hook_pattern");
    }
}

#[test]
fn the_palette_finds_places_addresses_and_commands_by_keyboard_alone() {
    let mut window = open(start());
    find(&mut window, "kv ca");
    assert_eq!(place(&window), "kv-cache");
    find(&mut window, "blocks.1.attn.hook_pattern[2, 5, 3]");
    assert_eq!(place(&window), "blocks.1.attn.hook_pattern");
    let locked = app(&window).view().locked.as_ref();
    let locked = locked.map(ToString::to_string);
    assert_eq!(
        locked.as_deref(),
        Some("blocks.1.attn.hook_pattern[2, 5, 3]")
    );
    assert_eq!(app(&window).view().layer, 1);
    find(&mut window, "merges");
    assert!(window.query_by_label("Find anything").is_none(), "closed");
    assert_eq!(place(&window), "tokens");
    find(&mut window, "chat mode");
    assert_eq!(app(&window).view().mode, vitrine::ui::state::Mode::Chat);
    find(&mut window, "show hide rail");
    assert_eq!(app(&window).failures(), Vec::<String>::new());
}

#[test]
fn a_choice_has_a_name_and_says_whether_it_is_made() {
    let window = open(start());
    let explore = window.get_by_label("Explore");
    assert!(
        explore.accesskit_node().is_selected() == Some(true)
            || explore.accesskit_node().toggled().is_some()
    );
}
