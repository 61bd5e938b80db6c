//! Figures of a long prompt on a large model: measured on request, since no such model lies here.
//!
//! `VITRINE_FIGURES_MODEL=FOLDER cargo test --release --test figures -- --ignored --nocapture`

mod common;

use std::rc::Rc;
use std::time::Instant;

use common::on_mlx;
use vitrine::engine::loaded::LoadedModel;
use vitrine::engine::measures::Looking;
use vitrine::engine::memory::{peak_resident, resident};
use vitrine::engine::message::{CancelToken, ModelChoice};
use vitrine::engine::run::{Run, RunOptions};
use vitrine::model::linear::Kernels;
use vitrine::trace::{BlockHook, Hook, Stage};

const N_TOKENS: usize = 2048;

#[test]
#[ignore = "needs a model of some size: see the top of this file"]
fn a_long_prompt_stays_below_a_gigabyte_and_its_maps_come_soon() {
    let name = std::env::var("VITRINE_FIGURES_MODEL").expect("VITRINE_FIGURES_MODEL is not set");
    on_mlx(move || {
        let choice = ModelChoice {
            name,
            kernels: Kernels::Auto,
        };
        let loaded = Rc::new(LoadedModel::load(&choice).unwrap().0);
        let n_layers = loaded.model.n_layers();
        let cancel = CancelToken::default();
        let vocab = loaded.model.config().vocab_size as u32;
        let ids: Vec<u32> = (0..N_TOKENS as u32).map(|at| at * 7919 % vocab).collect();
        // One token first: what is made once, is made.
        let warm = Run::new(Rc::clone(&loaded), vec![1], &[], RunOptions::default());
        warm.unwrap().finish_pass(&cancel).unwrap();
        let before = resident().unwrap();
        let mut run = Run::new(Rc::clone(&loaded), ids, &[], RunOptions::default()).unwrap();
        let mut blocks = 0.0;
        let mut worst = 0.0_f64;
        run.finish_pass(&cancel).unwrap();
        for (stage, time) in run.passes()[0].times() {
            if matches!(stage, Stage::Block(_)) {
                blocks += time.as_secs_f64();
            }
        }
        let share = blocks / n_layers as f64;
        println!("prefill {blocks:.2} s, {share:.3} s for a block");
        println!(
            "hidden states {} MB",
            run.passes()[0].hidden_bytes() / 1_000_000
        );
        for layer in [0, n_layers / 2, n_layers - 1] {
            let pattern = Hook::Block(layer, BlockHook::Pattern);
            let started = Instant::now();
            let map = run.look(0, pattern, Some(1), &cancel).unwrap();
            let seconds = started.elapsed().as_secs_f64();
            assert_eq!(map.shape(), [1, N_TOKENS, N_TOKENS]);
            println!(
                "a head's map of block {layer}: {seconds:.3} s, {:.2} of a block's share",
                seconds / share
            );
            worst = worst.max(seconds);
        }
        let mut looking = Looking::new(&mut run, &cancel);
        let started = Instant::now();
        looking.miniatures(0, 1, 32).unwrap();
        println!(
            "every head of a block in small: {:.2} s",
            started.elapsed().as_secs_f64()
        );
        looking.score_maps(0, 2, 3).unwrap();
        let beyond = peak_resident().unwrap().saturating_sub(before);
        println!("peak beyond weights: {} MB", beyond / 1_000_000);
        assert!(beyond < 1_000_000_000, "{beyond} bytes");
        assert!(
            worst < 1.5 * share,
            "{worst} s for a map, a block takes {share} s"
        );
    });
}
