//! Measures say what is so: they agree with the pass they were taken from, and with what is known
//! about the embedded model (`assets/classroom/README.md`).

mod common;

use std::rc::Rc;

use common::{fixture, on_mlx};
use vitrine::engine::loaded::LoadedModel;
use vitrine::engine::measures::{
    EmbeddingSpace, Looking, probe_heads, quantized_row, twin_of, weight_bytes_per_token,
};
use vitrine::engine::message::{CancelToken, ModelChoice};
use vitrine::engine::run::{Run, RunOptions};
use vitrine::model::linear::Kernels;
use vitrine::model::linear::Matrix;
use vitrine::trace::edit::Edit;
use vitrine::trace::measure::costs::PassCost;
use vitrine::trace::measure::heads::{HeadReport, HeadRole, HeadText, ProbeText};
use vitrine::trace::measure::ledger::Ledger;
use vitrine::trace::measure::lens::{self, LensRequest, LensView};
use vitrine::trace::measure::quantized::{Reference, rounded};
use vitrine::trace::measure::{At, Point, TokenShare};
use vitrine::trace::{BlockHook, Hook, Stage};

fn load(name: &str) -> Rc<LoadedModel> {
    let choice = ModelChoice {
        name: name.to_owned(),
        kernels: Kernels::Auto,
    };
    Rc::new(LoadedModel::load(&choice).unwrap().0)
}

fn tiny(name: &str) -> Rc<LoadedModel> {
    load(&fixture("models").join(name).display().to_string())
}

/// A run over `ids` that has come to its logits.
fn run(loaded: &Rc<LoadedModel>, ids: Vec<u32>) -> Run {
    let mut run = Run::new(Rc::clone(loaded), ids, &[], RunOptions::default()).unwrap();
    run.finish_pass(&CancelToken::default()).unwrap();
    run
}

fn run_text(loaded: &Rc<LoadedModel>, text: &str) -> Run {
    let ids = loaded.tokenizer().unwrap().encode_ids(text, true).unwrap();
    run(loaded, ids)
}

/// The id of a text that is one token.
fn token(loaded: &LoadedModel, text: &str) -> u32 {
    let ids = loaded.tokenizer().unwrap().encode_ids(text, false).unwrap();
    assert_eq!(ids.len(), 1, "'{text}' is not one token");
    ids[0]
}

fn last_of(run: &Run) -> At {
    At {
        pass: 0,
        row: run.ids().len() - 1,
    }
}

/// Every shape of model: five families, tied and not, biased, normed, quantized, in 16 bits.
const TINY: [&str; 9] = [
    "gpt2",
    "gpt2-4bit",
    "llama-biased",
    "llama-mixed",
    "mistral",
    "qwen2",
    "qwen2-untied",
    "qwen3-4bit",
    "llama-bf16",
];

fn tiny_ids() -> Vec<u32> {
    (0..23)
        .map(|place| (place * 7 + place * place * 3) % 90 + 3)
        .collect()
}

#[test]
fn the_known_heads_are_found_on_the_probe_text() {
    on_mlx(|| {
        let loaded = load("classroom");
        let cancel = CancelToken::default();
        let report = probe_heads(&loaded, ProbeText::default(), &[], &cancel).unwrap();
        let best = report.best(HeadRole::PreviousToken)[0];
        assert_eq!((best.layer, best.head), (2, 3));
        assert!((best.score(HeadRole::PreviousToken) - 0.962).abs() < 0.05);
        let best = report.best(HeadRole::Induction);
        assert!(best.iter().take(5).all(|head| head.layer >= 4));
        assert!((best[0].score(HeadRole::Induction) - 0.951).abs() < 0.05);
        let labelled = report
            .heads
            .iter()
            .filter(|head| !head.labels().is_empty())
            .count();
        assert!(labelled > 4 && labelled < report.heads.len());
    });
}

#[test]
fn contributions_sum_to_the_logit() {
    on_mlx(|| {
        for name in TINY {
            let loaded = tiny(name);
            let mut run = run(&loaded, tiny_ids());
            let (at, cancel) = (last_of(&run), CancelToken::default());
            let logits = run.passes()[0].logits().unwrap().to_vec();
            let mut looking = Looking::new(&mut run, &cancel);
            let one = looking.contributions(at, 5, None).unwrap();
            assert!(
                (one.logit - f64::from(logits[5])).abs() < 1e-4,
                "{name}: not the logit"
            );
            assert!(
                one.left_over().abs() < 1e-3,
                "{name}: {} is left over",
                one.left_over()
            );
            let middle = At { pass: 0, row: 7 };
            let two = looking.contributions(middle, 5, Some(9)).unwrap();
            assert!(
                two.left_over().abs() < 1e-3,
                "{name}: {} is left over",
                two.left_over()
            );
        }
        let loaded = load("classroom");
        let mut run = run_text(&loaded, "The capital of France is");
        let (at, cancel) = (last_of(&run), CancelToken::default());
        let paris = token(&loaded, " Paris");
        let terms = Looking::new(&mut run, &cancel)
            .contributions(at, paris, None)
            .unwrap();
        assert_eq!(terms.terms.len(), 1 + 6 * (6 + 1));
        assert!(
            terms.left_over().abs() < 1e-3,
            "{} is left over",
            terms.left_over()
        );
    });
}

#[test]
fn the_lens_at_the_last_layer_shows_the_logits() {
    on_mlx(|| {
        for name in TINY {
            let loaded = tiny(name);
            let mut run = run(&loaded, tiny_ids());
            let (at, cancel) = (last_of(&run), CancelToken::default());
            let logits = run.passes()[0].logits().unwrap().to_vec();
            let mut looking = Looking::new(&mut run, &cancel);
            assert_eq!(looking.logits_at(at).unwrap(), logits, "{name}");
            let last = Point::AfterMlp(loaded.model.n_layers() - 1);
            let request = LensRequest {
                rows: vec![At { pass: 0, row: 3 }, at],
                points: vec![last],
                top_k: 4,
                tokens: Vec::new(),
            };
            let views = looking.lens(&request).unwrap();
            let shown: Vec<f64> = views[1].top.iter().map(|share| share.probability).collect();
            let answer = looking.shares(&logits, 4, &[]);
            for (lens, answer) in shown.iter().zip(&answer) {
                assert!((lens - answer.probability).abs() < 1e-5, "{name}");
            }
        }
    });
}

#[test]
fn a_capital_rises_through_the_layers() {
    on_mlx(|| {
        let loaded = load("classroom");
        let mut run = run_text(&loaded, "The capital of France is");
        let (at, cancel) = (last_of(&run), CancelToken::default());
        let request = LensRequest {
            rows: vec![at],
            points: Vec::new(),
            top_k: 3,
            tokens: vec![token(&loaded, " Paris")],
        };
        let views = Looking::new(&mut run, &cancel).lens(&request).unwrap();
        let ranks = lens::ranks(&views, at, 0);
        assert_eq!(ranks.len(), 13);
        assert!(ranks[1].1 > 100, "{ranks:?}");
        assert_eq!(ranks[12], (Point::AfterMlp(5), 1));
        let last = views.last().unwrap();
        assert_eq!(last.top[0].token.text, " Paris");
        assert!((last.top[0].probability - 0.983).abs() < 0.01);
    });
}

#[test]
fn a_state_turns_from_the_embedding_to_the_answer() {
    on_mlx(|| {
        let loaded = load("classroom");
        let cancel = CancelToken::default();
        let mut ate = run_text(&loaded, "The crane ate a");
        let mut lifted = run_text(&loaded, "The crane lifted the");
        let crane = At { pass: 0, row: 1 };
        let a = Looking::new(&mut ate, &cancel).path(crane).unwrap();
        let b = Looking::new(&mut lifted, &cancel).path(crane).unwrap();
        assert_eq!(a.states.len(), 13);
        assert_eq!(
            a.first_difference(&b, 0.0),
            None,
            "a causal model cannot look ahead"
        );
        let next = At { pass: 0, row: 2 };
        let a = Looking::new(&mut ate, &cancel).path(next).unwrap();
        let b = Looking::new(&mut lifted, &cancel).path(next).unwrap();
        assert_eq!(a.first_difference(&b, 0.0).unwrap().point, Point::Embed);
        let turns = a.turns();
        assert!(turns[12].to_first < 0.5 && turns[12].to_last > 0.999_999);
    });
}

#[test]
fn a_clue_before_the_word_parts_it_from_the_first_block_on() {
    on_mlx(|| {
        let loaded = load("classroom");
        let cancel = CancelToken::default();
        let path = |text: &str| {
            let mut run = run_text(&loaded, text);
            let at = last_of(&run);
            Looking::new(&mut run, &cancel).path(at).unwrap()
        };
        let (builders, lake) = (
            path("The builders used a crane"),
            path("By the lake stood a crane"),
        );
        let gap = builders.first_difference(&lake, 0.0).unwrap();
        assert_eq!(gap.point, Point::AfterAttention(0));
    });
}

#[test]
fn a_verdict_tells_what_switching_a_part_off_did() {
    on_mlx(|| {
        let loaded = load("classroom");
        let cancel = CancelToken::default();
        let mut plain = run_text(&loaded, "The capital of France is");
        let off = Edit::new("blocks.5.hook_mlp_out=zero".parse().unwrap());
        let ids = plain.ids().to_vec();
        let options = RunOptions::default();
        let mut edited = Run::new(Rc::clone(&loaded), ids, &[off], options).unwrap();
        edited.finish_pass(&cancel).unwrap();
        let looking = Looking::new(&mut plain, &cancel);
        let verdict = looking.verdict(0, &edited).unwrap();
        assert_eq!(verdict.before.token.text, " Paris");
        assert!(verdict.changed && verdict.kl_bits.unwrap() > 0.0);
        let same = looking.verdict_on(&[1.0, 0.0], &[1.0, 0.0]);
        assert_eq!((same.changed, same.kl_bits), (false, Some(0.0)));
    });
}

#[test]
fn switching_off_the_previous_token_heads_lowers_the_induction_score() {
    on_mlx(|| {
        let loaded = load("classroom");
        let cancel = CancelToken::default();
        let probe = ProbeText::default();
        let off = [(1, 3), (1, 5), (2, 1), (2, 3)].map(|(layer, head)| {
            Edit::new(
                format!("blocks.{layer}.attn.hook_z[:, {head}]=zero")
                    .parse()
                    .unwrap(),
            )
        });
        let best = |edits: &[Edit]| {
            let report = probe_heads(&loaded, probe, edits, &cancel).unwrap();
            report.best(HeadRole::Induction)[0].score(HeadRole::Induction)
        };
        let (before, after) = (best(&[]), best(&off));
        assert!(after < before - 0.2, "{before} -> {after}");
    });
}

#[test]
fn sizes_of_writes_are_those_of_the_vectors() {
    on_mlx(|| {
        for name in ["gpt2", "qwen3-4bit", "llama-biased"] {
            let loaded = tiny(name);
            let mut run = run(&loaded, tiny_ids());
            let cancel = CancelToken::default();
            let writes = Looking::new(&mut run, &cancel)
                .writes(0, 1, &[4, 22])
                .unwrap();
            let hook = Hook::Block(1, BlockHook::MlpOut);
            let mlp = run.look(0, hook, None, &cancel).unwrap();
            let squares = mlp.at(&[22]).unwrap().iter().map(|x| f64::from(*x).powi(2));
            assert!((writes[1].mlp - squares.sum::<f64>().sqrt()).abs() < 1e-9);
            assert!(writes[1].relative_mlp() > 0.0 && writes[1].relative_attention() > 0.0);
            assert_eq!(
                writes[1].heads.len(),
                loaded.model.config().num_attention_heads
            );
        }
    });
}

#[test]
fn a_head_that_reads_one_key_writes_its_value() {
    on_mlx(|| {
        for name in ["gpt2", "qwen3-4bit", "mistral"] {
            let loaded = tiny(name);
            let mut run = run(&loaded, tiny_ids());
            let cancel = CancelToken::default();
            let mut looking = Looking::new(&mut run, &cancel);
            // The first query can only read itself: its share is 1.
            let writes = looking.writes(0, 0, &[0]).unwrap();
            for head in 0..loaded.model.config().num_attention_heads {
                let weighted = looking.weighted_attention(0, 0, head).unwrap();
                assert_eq!(weighted.weighted.len(), 23);
                let off = f64::from(weighted.weighted[0][0]) - writes[0].heads[head];
                assert!(off.abs() < 1e-4, "{name}, head {head}: off by {off}");
            }
        }
    });
}

#[test]
fn a_score_taken_apart_comes_to_the_share_of_the_pass() {
    on_mlx(|| {
        for name in ["gpt2", "qwen3-4bit", "mistral", "qwen2"] {
            let loaded = tiny(name);
            let cancel = CancelToken::default();
            let mut run = run(&loaded, tiny_ids());
            run.generate(2, &cancel).unwrap();
            run.finish_pass(&cancel).unwrap();
            let mut looking = Looking::new(&mut run, &cancel);
            for (pass, row, key) in [(0, 12, 5), (0, 12, 12), (1, 0, 20), (2, 0, 23)] {
                let parts = looking.score_parts(pass, 1, 3, row, key).unwrap();
                let of_products: f64 = parts.products.iter().map(|x| f64::from(*x)).sum();
                assert!((of_products - parts.dot).abs() < 1e-4);
                let off = parts.share - f64::from(parts.pattern);
                assert!(off.abs() < 1e-5, "{name}: share off by {off}");
                if !parts.is_masked {
                    let weight = (parts.score - parts.largest).exp() / parts.total;
                    let off = weight - parts.share;
                    assert!(off.abs() < 1e-4, "{name}: score off by {off}");
                }
            }
            let ahead = looking.score_parts(0, 0, 0, 3, 9).unwrap();
            assert!(ahead.is_masked && ahead.share == 0.0 && ahead.pattern == 0.0);
        }
    });
}

#[test]
fn a_packed_row_comes_out_as_mlx_unpacks_it() {
    on_mlx(|| {
        let widths = [
            "llama-2bit",
            "llama-3bit",
            "llama-4bit",
            "llama-6bit",
            "llama-8bit",
        ];
        for name in widths
            .into_iter()
            .chain(["llama-4bit-g32", "llama-mixed", "gpt2-4bit"])
        {
            let loaded = tiny(name);
            for part in loaded.model.parts() {
                let Matrix::Quantized(_) = part.weight else {
                    continue;
                };
                let row = quantized_row(&loaded, &part.path, 5, None, None).unwrap();
                let ours: Vec<f32> = row
                    .groups
                    .into_iter()
                    .flat_map(|group| group.weights)
                    .collect();
                let theirs = part
                    .weight
                    .rows(&[5])
                    .unwrap()
                    .to_vec_exact::<f32>()
                    .unwrap();
                let pairs = ours.iter().zip(&theirs);
                let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(worst <= 1e-7, "{name}, {}: off by {worst}", part.path);
                assert_eq!(ours.len(), theirs.len());
            }
        }
    });
}

#[test]
fn rounding_is_mlxs_rounding() {
    on_mlx(|| {
        let group: Vec<f32> = (0..64)
            .map(|x| ((x * 29 % 61) as f32 - 20.0) / 33.0)
            .collect();
        let rows: Vec<f32> = [group.clone(), group.iter().map(|x| -x * 0.3).collect()].concat();
        let array = mlx_rs::Array::from_slice(&rows, &[2, 64]);
        for bits in [2, 3, 4, 6, 8] {
            let (words, scales, biases) = mlx_rs::ops::quantize(&array, 64, bits).unwrap();
            let theirs = mlx_rs::ops::dequantize(words, scales, &biases, 64, bits).unwrap();
            let theirs = theirs.to_vec_exact::<f32>().unwrap();
            let ours: Vec<f32> = rows
                .chunks(64)
                .flat_map(|row| rounded(row, bits as usize))
                .collect();
            let pairs = ours.iter().zip(&theirs);
            let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst <= 1e-6, "{bits} bits: off by {worst}");
        }
    });
}

#[test]
fn rounding_errors_are_measured_against_the_twin() {
    on_mlx(|| {
        let (loaded, twin) = (load("classroom"), load(twin_of("classroom").unwrap()));
        let path = "model.layers.3.mlp.up_proj";
        let row = quantized_row(&loaded, path, 17, Some(70..80), Some(&twin)).unwrap();
        assert_eq!(row.against, Reference::Twin("classroom-16bit".to_owned()));
        assert_eq!((row.groups.len(), row.groups[0].first_column), (1, 64));
        let (stored, errors) = (row.stored.unwrap(), row.errors);
        // The file's weights were rounded in the same way.
        assert!((stored.rms / errors[2].rms - 1.0).abs() < 0.1);
        assert!(errors[0].rms > 3.0 * errors[2].rms && errors[4].rms < errors[2].rms / 8.0);
        let alone = quantized_row(&loaded, path, 17, None, None).unwrap();
        assert_eq!((alone.against, alone.stored), (Reference::Itself, None));
        assert!(alone.errors[2].max < 1e-5);
        let dense = quantized_row(&twin, path, 17, None, None).unwrap_err();
        assert!(dense.to_string().contains("is not quantized"), "{dense}");
    });
}

#[test]
fn the_products_of_a_cell_sum_to_its_value() {
    on_mlx(|| {
        for name in TINY {
            let loaded = tiny(name);
            let mut run = run(&loaded, tiny_ids());
            let cancel = CancelToken::default();
            for part in loaded
                .model
                .parts()
                .into_iter()
                .filter(|part| part.reads.is_some())
            {
                let (path, output) = (part.path, part.weight.n_out() - 5);
                let mut looking = Looking::new(&mut run, &cancel);
                let cell = looking
                    .cell(&path, At { pass: 0, row: 22 }, output, 3)
                    .unwrap();
                assert!(
                    cell.left_over().abs() < 1e-3,
                    "{name}, {path}: {}",
                    cell.left_over()
                );
                assert!(cell.largest[0].product.abs() >= cell.largest[2].product.abs());
            }
        }
    });
}

#[test]
fn the_embedding_space_knows_kings_queens_and_food() {
    on_mlx(|| {
        let loaded = load("classroom");
        let space = EmbeddingSpace::input(Rc::clone(&loaded));
        let id = |word: &str| token(&loaded, &format!(" {word}"));
        let sum = space
            .arithmetic(&[id("king"), id("woman")], &[id("man")], 5)
            .unwrap();
        assert_eq!(sum[0].token.text, " queen");
        let own = space.vector(id("king")).unwrap();
        let nearest = space.nearest(&own, 3, &[]).unwrap();
        assert_eq!(nearest[0].token.text, " king");
        assert!((nearest[0].cosine - 1.0).abs() < 1e-5);

        // Foods that the axis was not made of (assets/classroom/README.md: hot and cold).
        let pairs = [
            ("pizza", "salad"),
            ("soup", "sushi"),
            ("stew", "pickles"),
            ("pancakes", "sorbet"),
        ];
        let axis = space
            .axis(&pairs.map(|(hot, cold)| (id(hot), id(cold))))
            .unwrap();
        let hot = ["curry", "pasta", "steak", "ramen", "waffles"].map(id);
        let cold = ["lemonade", "soda", "jelly", "milkshakes", "cucumbers"].map(id);
        assert!(
            space
                .placed(&axis, &hot)
                .unwrap()
                .iter()
                .all(|food| food.place > 0.0)
        );
        assert!(
            space
                .placed(&axis, &cold)
                .unwrap()
                .iter()
                .all(|food| food.place < 0.0)
        );

        let words = [
            "one", "two", "three", "four", "Paris", "London", "Rome", "Berlin",
        ];
        let plane = space.plane(&words.map(id)).unwrap();
        let (numbers, cities) = plane.points.split_at(4);
        let apart = numbers
            .iter()
            .all(|a| cities.iter().all(|b| (a[0] > 0.0) != (b[0] > 0.0)));
        assert!(apart, "{plane:?}");
        assert_eq!(plane, space.plane(&words.map(id)).unwrap());
    });
}

#[test]
fn neurons_and_norms_are_told_for_every_family() {
    on_mlx(|| {
        for name in ["gpt2", "qwen3-4bit", "mistral", "qwen2", "llama"] {
            let loaded = tiny(name);
            let mut run = run(&loaded, tiny_ids());
            let (at, cancel) = (last_of(&run), CancelToken::default());
            let mut looking = Looking::new(&mut run, &cancel);
            let neurons = looking.neurons(at, 1, 4).unwrap();
            assert_eq!(neurons.n_neurons, loaded.model.config().intermediate_size);
            assert!(neurons.top[0].post.abs() >= neurons.top[3].post.abs());
            assert_eq!(neurons.top[0].pre_linear.is_some(), name != "gpt2");
            let norms = looking.norms(at).unwrap();
            assert_eq!(norms.len(), 2 * loaded.model.n_layers() + 1);
            assert!(
                norms
                    .iter()
                    .all(|norm| norm.size_before > 0.0 && norm.size_after > 0.0)
            );
        }
    });
}

#[test]
fn a_pass_costs_the_weights_it_reads() {
    on_mlx(|| {
        let loaded = load("classroom");
        let cancel = CancelToken::default();
        let mut run = run_text(&loaded, "The capital of France is");
        run.generate(1, &cancel).unwrap();
        run.finish_pass(&cancel).unwrap();
        let looking = Looking::new(&mut run, &cancel);
        let (prefill, decode) = (looking.cost(0).unwrap(), looking.cost(1).unwrap());
        assert_eq!(decode.stages.len(), 9);
        assert_eq!(decode.weight_bytes(), weight_bytes_per_token(&loaded.model));
        let row = decode.stages[0].weight_bytes;
        let counted = loaded.model.work().bytes_per_token as u64;
        assert_eq!(decode.weight_bytes(), counted + row);
        assert_eq!(prefill.weight_bytes(), decode.weight_bytes() + 4 * row);
        assert!(prefill.weight_bytes_per_token() < decode.weight_bytes_per_token() / 4.0);
        assert_eq!(decode.stages[8].stage, Stage::Logits);
        assert_eq!(
            decode.stages[8].formats,
            ["4-bit in groups of 64 (float32 scales)"]
        );
    });
}

#[test]
fn a_summary_is_read_back_without_the_model() {
    on_mlx(|| {
        let loaded = tiny("llama");
        let cancel = CancelToken::default();
        let mut run = run(&loaded, tiny_ids());
        run.generate(2, &cancel).unwrap();
        run.step(&cancel).unwrap(); // a third pass that has only been begun
        let mut summary = Looking::new(&mut run, &cancel).summary().unwrap();
        let mut take = |name: &str| summary.remove(name).unwrap();
        let heads: HeadReport = serde_json::from_value(take("heads")).unwrap();
        assert_eq!((heads.text, heads.heads.len()), (HeadText::Prompt, 2 * 4));
        let views: Vec<LensView> = serde_json::from_value(take("logit_lens")).unwrap();
        // Every row of the prompt and the one of the pass after it, at 5 points of 2 layers.
        assert_eq!(views.len(), (tiny_ids().len() + 1) * 5);
        let drawn = run.passes()[1].draw().unwrap().token;
        assert_eq!(views.last().unwrap().chosen[0].token.id, drawn);
        let costs: Vec<PassCost> = serde_json::from_value(take("costs")).unwrap();
        let ledgers: Vec<Ledger> = serde_json::from_value(take("kv_ledgers")).unwrap();
        let next: Vec<Vec<TokenShare>> = serde_json::from_value(take("next_tokens")).unwrap();
        assert_eq!((costs.len(), ledgers.len(), next.len()), (2, 2, 2));
        assert!(summary.is_empty());
    });
}
