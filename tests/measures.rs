//! Measures say what is so: they agree with the pass they were taken from, and with what is known
//! about the embedded model (`assets/classroom/README.md`).

mod common;

use std::rc::Rc;

use common::{fixture, on_mlx};
use vitrine::engine::loaded::LoadedModel;
use vitrine::engine::measures::{Looking, probe_heads};
use vitrine::engine::message::{CancelToken, ModelChoice};
use vitrine::engine::run::{Run, RunOptions};
use vitrine::model::linear::Kernels;
use vitrine::trace::measure::heads::{HeadRole, ProbeText};
use vitrine::trace::measure::lens::{self, LensRequest};
use vitrine::trace::measure::{At, Point};

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
        let show = |role| {
            for head in report.best(role).iter().take(5) {
                eprintln!(
                    "{role:?} L{}H{} {:.3}",
                    head.layer,
                    head.head,
                    head.score(role)
                );
            }
        };
        HeadRole::ALL.into_iter().for_each(show);
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
        for term in terms.largest().iter().take(6) {
            eprintln!("{} {:.2}", term.writer, term.value);
        }
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
        eprintln!("{ranks:?}");
        assert_eq!(ranks.len(), 13);
        assert!(ranks[1].1 > 100, "{ranks:?}");
        assert_eq!(ranks[12], (Point::AfterMlp(5), 1));
        let last = views.last().unwrap();
        assert_eq!(last.top[0].token.text, " Paris");
        assert!((last.top[0].probability - 0.983).abs() < 0.01);
    });
}
