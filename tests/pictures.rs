//! The pictures inside a block, with the real engine on the embedded model: what they show is what
//! the run computed, and pointing in one is kept in the next.

#[path = "common/window.rs"]
mod harness;

use egui_kittest::kittest::{NodeT as _, Queryable as _};
use harness::{Window, app, click, open_at, place, settle};

/// The accessible name that begins with `start`.
fn spoken(window: &Window, start: &str) -> String {
    let mut nodes = window.query_all_by(|node| {
        let label = node.label();
        label.is_some_and(|label| label.starts_with(start))
    });
    let node = nodes.next().unwrap_or_else(|| {
        let all = window.query_all_by(|node| node.label().is_some());
        let all: Vec<String> = all
            .filter_map(|node| node.accesskit_node().label())
            .collect();
        panic!("nothing is called {start} …; there are {all:#?}")
    });
    node.accesskit_node().label().unwrap_or_default()
}

#[test]
fn the_attention_map_shows_the_shares_of_the_run() {
    let window = open_at("blocks.2.attn.hook_pattern");
    // Nobody chose a head: the one with the strongest label is shown.
    let text = spoken(&window, "attention share of L2.H3");
    assert!(text.contains("14 rows, 14 columns"), "{text}");
    assert!(text.contains("row 10 gave"), "{text}");
    let window = open_at("blocks.2.attn.hook_pattern[3, 10, 9]");
    let text = spoken(&window, "attention share of L2.H3");
    // classroom/README.md: L2.H3 reads the token before.
    assert!(text.contains("column 9 Tom₉: 0.8"), "{text}");
}

#[test]
fn the_four_steps_of_a_score_are_tabs() {
    let mut window = open_at("blocks.2.attn.hook_pattern[3, 10, 9]");
    for (tab, map) in [
        ("q · k", "q · k of L2.H3"),
        ("÷ √d", "scaled score of L2.H3"),
        ("mask", "masked score of L2.H3"),
        ("softmax", "attention share of L2.H3"),
    ] {
        click(&mut window, tab);
        spoken(&window, map);
    }
}

#[test]
fn a_head_chosen_in_the_grid_stays_chosen_in_the_next_picture() {
    let mut window = open_at("blocks.2.attn.hook_pattern");
    click(&mut window, "L1.H4");
    assert_eq!(place(&window), "blocks.1.attn.hook_pattern");
    spoken(&window, "attention share of L1.H4");
    click(&mut window, "Mix values");
    let view = app(&window).view();
    assert_eq!((view.layer, view.head), (1, 4));
}

#[test]
fn a_head_that_was_not_computed_is_run_to() {
    let mut window = open_at("blocks.1.attn.hook_pattern");
    let run = app(&window).run().unwrap();
    assert!(!run.has_stage(0, vitrine::trace::Stage::Block(3)));
    click(&mut window, "L4.H2");
    assert_eq!(place(&window), "blocks.4.attn.hook_pattern");
    spoken(&window, "attention share of L4.H2");
}

#[test]
fn a_head_is_switched_off_from_its_picture() {
    let mut window = open_at("blocks.2.attn.hook_pattern[3, 10, 9]");
    click(&mut window, "Switch the head off");
    let run = app(&window).run().unwrap();
    assert_eq!(app(&window).failures(), Vec::<String>::new());
    assert_eq!(run.edits.edits().len(), 1);
}

#[test]
fn a_decode_pass_shows_one_row_against_the_cached_keys() {
    let mut window = open_at("pass.1.blocks.2.attn.hook_pattern[0]");
    settle(&mut window);
    spoken(&window, "L2.H0: Anna₁ ");
    assert_eq!(app(&window).failures(), Vec::<String>::new());
}

#[test]
fn a_number_of_a_query_is_shown_as_its_products() {
    let window = open_at("blocks.2.attn.hook_q[10, 3, 5]#one dot product");
    spoken(&window, "products: the other 178");
    spoken(&window, "products: together");
}

#[test]
fn queries_keys_and_values_have_a_map_for_each_head() {
    let window = open_at("blocks.2.attn.hook_q");
    for head in ["Q 0", "Q 5", "K 0", "K 1", "V 0", "V 1"] {
        spoken(&window, &format!("{head} of block 2"));
    }
}

#[test]
fn moving_query_and_key_together_keeps_their_product() {
    let mut window = open_at("blocks.2.attn.hook_rot_q");
    spoken(&window, "pair 0, turned by 1.6 turns");
    spoken(&window, "curve: q · k by distance");
    click(&mut window, "Both one further");
    assert_eq!(app(&window).failures(), Vec::<String>::new());
}

#[test]
fn the_parts_of_a_block_lead_into_it() {
    let mut window = open_at("blocks.2");
    click(&mut window, "Attention: 6 maps");
    assert_eq!(place(&window), "blocks.2.attn.hook_pattern");
}

#[test]
fn the_mlp_names_its_strongest_neurons() {
    let window = open_at("blocks.2.mlp.hook_post");
    spoken(&window, "activation: neuron 436 −4.56");
    spoken(&window, "SiLU(gate) × up, 512 numbers");
}

#[test]
fn a_norm_shows_both_sides_and_the_steps_between() {
    for place in ["blocks.2.ln1.hook_out", "blocks.2.ln2.hook_out", "ln_final"] {
        let window = open_at(place);
        spoken(&window, "before the norm, 14 rows, 192 columns");
        spoken(&window, "after the norm, 14 rows, 192 columns");
        spoken(&window, "as it comes in, 192 numbers");
    }
}

#[test]
fn values_are_mixed_by_their_shares() {
    let window = open_at("blocks.2.attn.hook_z[10, 3, 0]");
    spoken(&window, "z, their sum");
    spoken(&window, "write of a head: H3");
}

#[test]
fn a_comparison_tells_the_next_tokens_after_the_same_text() {
    let mut window = open_at("sample");
    // The token that was drawn has not been read yet: the other side must not read it either.
    click(&mut window, "Step");
    click(&mut window, "Compare");
    click(&mut window, "4 and 16 bits");
    window.get_by_label_contains(
        "Both read the same 14 tokens; this run has gone on. After “ to” at position 13, the next \
         token is the same: “ Anna”",
    );
    // Another kind says nothing until it is compared itself.
    click(&mut window, "Another prompt");
    let same = window.query_all_by_label_contains("Both read the same");
    assert_eq!(same.count(), 0);
}

#[test]
fn an_edit_to_a_finished_answer_has_its_verdict_where_the_answer_begins() {
    let mut window = open_at("unembed");
    click(&mut window, "Run to the end");
    click(&mut window, "Block 0");
    // Without it the answer is another one.
    click(&mut window, "Switch this MLP off");
    click(&mut window, "Experiments");
    click(&mut window, "Compare where the answer begins");
    assert_eq!(app(&window).failures(), Vec::<String>::new());
    let run = app(&window).run().unwrap();
    assert_eq!(run.verdict.as_ref().map(|told| told.pass), Some(0));
}
