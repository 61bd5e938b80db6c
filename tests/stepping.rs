//! A run can be stepped, looked into, rewound and changed, and the numbers stay what they were.

mod common;

use std::cell::Cell;
use std::rc::Rc;

use common::{fixture, on_mlx};
use mlx_rs::Array;
use vitrine::engine::loaded::LoadedModel;
use vitrine::engine::message::{CancelToken, ModelChoice};
use vitrine::engine::run::{Next, Run, RunOptions};
use vitrine::engine::watch::{EditState, Enough, Watch};
use vitrine::model::cache::{CacheOptions, KvCache};
use vitrine::model::linear::Kernels;
use vitrine::model::probe::{Probe, Unwatched};
use vitrine::trace::edit::Edit;
use vitrine::trace::{Axis, BlockHook, Hook, Stage};

/// One model of each family.
const FAMILIES: [&str; 5] = ["qwen2", "qwen3", "llama", "mistral", "gpt2"];

fn load(name: &str) -> Rc<LoadedModel> {
    let folder = fixture("models").join(name);
    let name = match folder.is_dir() {
        true => folder.display().to_string(),
        false => name.to_owned(),
    };
    let kernels = Kernels::Auto;
    Rc::new(LoadedModel::load(&ModelChoice { name, kernels }).unwrap().0)
}

fn run(loaded: &Rc<LoadedModel>, ids: &[u32], options: RunOptions) -> Run {
    Run::new(Rc::clone(loaded), ids.to_vec(), &[], options).unwrap()
}

fn edited(loaded: &Rc<LoadedModel>, ids: &[u32], edits: &[&str]) -> Run {
    let edits: Vec<Edit> = edits.iter().map(|edit| edit.parse().unwrap()).collect();
    let options = RunOptions::default();
    let mut run = Run::new(Rc::clone(loaded), ids.to_vec(), &edits, options).unwrap();
    run.finish_pass(&go()).unwrap();
    run
}

fn go() -> CancelToken {
    CancelToken::default()
}

fn everything() -> RunOptions {
    RunOptions {
        watch: Watch::Everything,
        all_logits: true,
        ..RunOptions::default()
    }
}

fn logits(run: &Run) -> Vec<f32> {
    run.passes().last().unwrap().logits().unwrap().to_vec()
}

fn worst(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

#[test]
fn every_declared_hook_fires_once_with_its_documented_shape() {
    on_mlx(|| {
        for name in FAMILIES {
            let loaded = load(name);
            let config = loaded.model.config().clone();
            let ids: Vec<u32> = (1..10).collect();
            let chunks = vec![4, 5];
            let mut run = run(
                &loaded,
                &ids,
                RunOptions {
                    chunks,
                    ..everything()
                },
            );
            run.generate(1, &go()).unwrap();
            run.finish_pass(&go()).unwrap();
            for (number, (n_pos, n_keys)) in [(9, 9), (1, 10)].into_iter().enumerate() {
                let seen = run.passes()[number].recorded();
                let fired: Vec<Hook> = seen.keys().copied().collect();
                let mut declared = loaded.model.hooks();
                declared.sort();
                assert_eq!(fired, declared, "{name}, pass {number}");
                for (hook, value) in seen {
                    let size = |axis: &Axis| match axis {
                        Axis::Pos | Axis::QueryPos => n_pos,
                        Axis::KeyPos => n_keys,
                        Axis::Head => config.num_attention_heads,
                        Axis::KvHead => config.num_key_value_heads,
                        Axis::HeadDim => config.head_dim,
                        Axis::DModel => config.hidden_size,
                        Axis::DMlp => config.intermediate_size,
                        Axis::Vocab => config.vocab_size,
                    };
                    let documented: Vec<usize> = hook.axes().iter().map(size).collect();
                    assert_eq!(value.shape(), documented, "{name}, {hook}, pass {number}");
                }
            }
        }
    });
}

#[test]
fn values_inside_a_pass_are_those_of_transformers() {
    on_mlx(|| {
        // 1e-4 in float32: two programs add in different orders.
        for name in [
            "qwen2",
            "qwen3",
            "llama",
            "llama-rope-llama3",
            "mistral",
            "gpt2",
            "qwen2-4bit",
        ] {
            let loaded = load(name);
            let path = fixture("models").join(name).join("hooks.safetensors");
            let reference = Array::load_safetensors(path).unwrap();
            let ids = reference
                .get("prompt_ids")
                .or(reference.get("ids"))
                .unwrap();
            let ids: Vec<u32> = ids
                .to_vec_exact::<i32>()
                .unwrap()
                .iter()
                .map(|id| *id as u32)
                .collect();
            let mut run = run(&loaded, &ids, everything());
            run.finish_pass(&go()).unwrap();
            let mut n_compared = 0;
            for (key, theirs) in &reference {
                let Ok(hook) = key.parse::<Hook>() else {
                    continue;
                };
                let ours = &run.passes()[0].recorded()[&hook];
                let shape: Vec<usize> = theirs.shape().iter().map(|dim| *dim as usize).collect();
                assert_eq!(ours.shape(), shape, "{name}, {hook}");
                let theirs = theirs.to_vec_cast::<f32>().unwrap();
                let off = worst(ours.values(), &theirs);
                assert!(off <= 1e-4, "{name}, {hook}: off by {off}");
                n_compared += 1;
            }
            assert!(
                n_compared >= 10,
                "{name}: only {n_compared} hooks were compared"
            );
        }
    });
}

#[test]
fn a_step_executes_one_stage_and_nothing_beyond_it() {
    on_mlx(|| {
        let loaded = load("llama");
        let mut run = run(&loaded, &[1, 2, 3], everything());
        for stage in Stage::of_pass(loaded.model.n_layers()) {
            assert_eq!(run.next(), Next::Stage(stage));
            run.step(&go()).unwrap();
            let later = run.passes()[0]
                .recorded()
                .keys()
                .any(|hook| hook.stage() > stage);
            assert!(!later, "something after {stage} was computed");
            let filled = run
                .context()
                .layers()
                .iter()
                .filter(|cache| !cache.positions().is_empty());
            let executed = match stage {
                Stage::Embed => 0,
                Stage::Block(layer) => layer + 1,
                Stage::FinalNorm | Stage::Logits => loaded.model.n_layers(),
            };
            assert_eq!(filled.count(), executed, "caches after {stage}");
        }
        assert_eq!(run.next(), Next::Sample);
    });
}

/// Counts the hooks that a stage comes by, and stops it at one of them.
struct StopsAt {
    hook: Hook,
    n_passed: Cell<usize>,
}

impl Probe for StopsAt {
    fn wants(&self, hook: Hook) -> bool {
        hook == self.hook
    }

    fn see(&mut self, _hook: Hook, _value: &Array) -> anyhow::Result<Option<Array>> {
        Err(Enough.into())
    }

    fn check(&self) -> anyhow::Result<()> {
        self.n_passed.set(self.n_passed.get() + 1);
        Ok(())
    }
}

#[test]
fn a_block_that_is_stopped_at_a_hook_goes_no_further() {
    on_mlx(|| {
        for name in FAMILIES {
            let loaded = load(name);
            let hidden = loaded.model.embed(&[1, 2, 3], 0, &mut Unwatched).unwrap();
            // Scores, pattern and sizes of writes are computed for watchers only.
            let beside = [BlockHook::Scores, BlockHook::Pattern, BlockHook::ResultNorm];
            let hooks = loaded.model.block_hooks().iter();
            let hooks = hooks.filter(|hook| !beside.contains(hook));
            for (at, hook) in hooks.enumerate() {
                let mut cache = KvCache::new(&CacheOptions::default());
                let mut probe = StopsAt {
                    hook: Hook::Block(0, *hook),
                    n_passed: Cell::new(0),
                };
                let stopped = loaded.model.block(0, &hidden, &mut cache, &mut probe);
                assert!(stopped.unwrap_err().is::<Enough>());
                assert_eq!(probe.n_passed.get(), at + 1, "{name}, {}", hook.name());
                let has_attended = *hook >= BlockHook::Z;
                assert_eq!(!cache.positions().is_empty(), has_attended, "{name}");
            }
        }
    });
}

#[test]
fn a_run_stops_at_every_hook_of_a_block_and_ends_with_the_same_bits() {
    on_mlx(|| {
        for name in FAMILIES {
            let loaded = load(name);
            let ids: Vec<u32> = (1..10).collect();
            let pieces = || RunOptions {
                chunks: vec![4, 5],
                all_logits: true,
                ..RunOptions::default()
            };
            let mut whole = run(&loaded, &ids, pieces());
            let mut stopping = run(&loaded, &ids, pieces());
            for pass in 0..2 {
                whole.generate(pass, &go()).unwrap();
                whole.finish_pass(&go()).unwrap();
                stopping.generate(pass, &go()).unwrap();
                while stopping.next() != Next::Sample {
                    let hook = stopping.next_hook().unwrap();
                    assert!(
                        stopping.look(pass, hook, None, &go()).is_err(),
                        "{name}, {hook}"
                    );
                    stopping.step_into(&go()).unwrap();
                    let value = stopping.look(pass, hook, None, &go()).unwrap();
                    let expected = whole.look(pass, hook, None, &go()).unwrap();
                    assert_eq!(value, expected, "{name}, {hook} of pass {pass}");
                }
                assert_eq!(logits(&stopping), logits(&whole), "{name}, pass {pass}");
            }
        }
    });
}

#[test]
fn several_hooks_of_a_stage_are_looked_at_together() {
    on_mlx(|| {
        let loaded = load("qwen3");
        let mut run = run(&loaded, &[5, 6, 7, 8], RunOptions::default());
        run.finish_pass(&go()).unwrap();
        let hooks = [BlockHook::Q, BlockHook::Pattern, BlockHook::MlpOut];
        let hooks = hooks.map(|hook| Hook::Block(1, hook));
        let values = run.look_all(0, &hooks, None, &go()).unwrap();
        for hook in hooks {
            assert_eq!(values[&hook], run.look(0, hook, None, &go()).unwrap());
        }
        let apart = [Hook::Embed, Hook::FinalNorm];
        assert!(run.look_all(0, &apart, None, &go()).is_err());
    });
}

#[test]
fn a_mean_and_a_copied_position_are_those_of_the_whole_prompt() {
    on_mlx(|| {
        let loaded = load("llama");
        let ids = [4, 9, 16, 25, 36, 49, 64];
        let hook = Hook::Block(0, BlockHook::MlpOut);
        let mut plain = run(&loaded, &ids, RunOptions::default());
        plain.finish_pass(&go()).unwrap();
        let values = plain.look(0, hook, None, &go()).unwrap();
        for chunks in [vec![7], vec![3, 4], vec![2, 2, 3]] {
            let changed = |edit: &str| {
                let options = RunOptions {
                    chunks: chunks.clone(),
                    ..RunOptions::default()
                };
                let edits = [edit.parse().unwrap()];
                let mut run = Run::new(Rc::clone(&loaded), ids.to_vec(), &edits, options).unwrap();
                run.generate(1, &go()).unwrap();
                run.finish_pass(&go()).unwrap();
                [0, 1].map(|pass| run.look(pass, hook, None, &go()).unwrap())
            };
            let [means, later] = changed(&format!("{hook}=mean"));
            for (column, mean) in means.at(&[0]).unwrap().iter().enumerate() {
                let rows = (0..ids.len()).map(|row| values.value(&[row, column]).unwrap());
                assert!((rows.sum::<f32>() / ids.len() as f32 - mean).abs() < 1e-5);
            }
            assert_eq!(means.at(&[6]), means.at(&[0]), "the same at every position");
            assert_eq!(later.at(&[0]), means.at(&[0]), "and of a generated token");
            // Position 1 is in another piece than position 6, and later pieces come after it.
            for (to, from) in [(6, 1), (1, 6)] {
                let [copied, _] = changed(&format!("{hook}[{to}]=patch_pos({from})"));
                assert!(worst(copied.at(&[to]).unwrap(), values.at(&[from]).unwrap()) < 1e-5);
                assert!(worst(copied.at(&[3]).unwrap(), values.at(&[3]).unwrap()) < 1e-5);
            }
        }
    });
}

#[test]
fn an_edit_of_the_logits_acts_at_the_position_it_names() {
    on_mlx(|| {
        let loaded = load("llama");
        let ids = [4, 9, 16, 25, 36];
        let here = edited(&loaded, &ids, &["unembed.hook_out[4, 42]=block"]);
        let elsewhere = edited(&loaded, &ids, &["unembed.hook_out[0, 42]=block"]);
        assert_eq!(logits(&here)[42], f32::NEG_INFINITY);
        assert!(logits(&elsewhere)[42].is_finite());
        let mut here = here;
        let all = here.look(0, Hook::Logits, None, &go()).unwrap();
        assert_eq!(all.value(&[4, 42]), Some(f32::NEG_INFINITY));
        assert!(all.value(&[3, 42]).unwrap().is_finite());
        let row = here.look_at_row(0, Hook::Logits, 4, &go()).unwrap();
        assert_eq!(row.values(), logits(&here));
    });
}

#[test]
fn rewinding_and_stepping_again_gives_the_same_bits() {
    on_mlx(|| {
        let plain = CacheOptions::default();
        let rotating = CacheOptions {
            max_size: Some(9),
            ..plain
        };
        let quantized = CacheOptions {
            bits: Some(8),
            ..plain
        };
        for (name, cache) in [
            ("qwen3-4bit", plain),
            ("classroom", plain),
            ("classroom", rotating),
            ("classroom", quantized),
        ] {
            let loaded = load(name);
            let options = RunOptions {
                cache,
                chunks: vec![5, 3],
                ..everything()
            };
            let mut run = run(&loaded, &[3, 5, 7, 11, 13, 17, 19, 23], options);
            run.generate(5, &go()).unwrap();
            run.finish_pass(&go()).unwrap();
            let before: Vec<_> = run
                .passes()
                .iter()
                .map(|pass| {
                    (
                        pass.recorded().clone(),
                        pass.logits().map(<[f32]>::to_vec),
                        pass.draw().cloned(),
                    )
                })
                .collect();
            let ids = run.ids().to_vec();
            for (pass, stage) in [
                (3, Stage::Block(1)),
                (1, Stage::Embed),
                (0, Stage::Logits),
                (0, Stage::Embed),
            ] {
                run.rewind(pass, stage, &go()).unwrap();
                assert_eq!(run.next(), Next::Stage(stage));
                run.generate(5 - pass, &go()).unwrap();
                run.finish_pass(&go()).unwrap();
                assert_eq!(
                    run.ids(),
                    ids,
                    "{name} {cache:?} from {stage} of pass {pass}"
                );
                for (number, (recorded, logits, draw)) in before.iter().enumerate() {
                    let again = &run.passes()[number];
                    assert_eq!(
                        again.logits(),
                        logits.as_deref(),
                        "{name} {cache:?} pass {number}"
                    );
                    assert_eq!(again.draw(), draw.as_ref());
                    assert_eq!(again.recorded(), recorded);
                }
            }
        }
    });
}

#[test]
fn what_was_not_recorded_is_recomputed_to_the_same_bits() {
    on_mlx(|| {
        for name in ["classroom", "qwen3", "gpt2"] {
            let loaded = load(name);
            let ids: Vec<u32> = (10..30).collect();
            let chunks = vec![11, 9];
            let mut watched = run(
                &loaded,
                &ids,
                RunOptions {
                    chunks: chunks.clone(),
                    ..everything()
                },
            );
            let mut plain = run(
                &loaded,
                &ids,
                RunOptions {
                    chunks,
                    all_logits: true,
                    ..RunOptions::default()
                },
            );
            for run in [&mut watched, &mut plain] {
                run.generate(2, &go()).unwrap();
                run.finish_pass(&go()).unwrap();
            }
            for pass in 0..3 {
                assert!(plain.passes()[pass].recorded().is_empty());
                for hook in loaded.model.hooks() {
                    let seen = watched.look(pass, hook, None, &go()).unwrap();
                    let again = plain.look(pass, hook, None, &go()).unwrap();
                    assert_eq!(seen, again, "{name}, {hook} of pass {pass}");
                }
            }
            let pattern = Hook::Block(1, BlockHook::Pattern);
            let all = watched.look(0, pattern, None, &go()).unwrap();
            let one = plain.look(0, pattern, Some(2), &go()).unwrap();
            assert_eq!(
                one.values(),
                all.at(&[2]).unwrap(),
                "{name}: one head of the pattern"
            );
        }
    });
}

#[test]
fn recording_does_not_change_the_logits() {
    on_mlx(|| {
        let loaded = load("classroom");
        let ids: Vec<u32> = (100..164).collect();
        let mut plain = run(&loaded, &ids, RunOptions::default());
        let mut watched = run(
            &loaded,
            &ids,
            RunOptions {
                watch: Watch::Everything,
                ..RunOptions::default()
            },
        );
        plain.finish_pass(&go()).unwrap();
        watched.finish_pass(&go()).unwrap();
        assert_eq!(logits(&plain), logits(&watched));
    });
}

#[test]
fn ablating_a_head_equals_zeroing_its_columns_of_o_proj() {
    on_mlx(|| {
        // Without that head, attention writes the sum of the others: z with the head zeroed,
        // through o_proj. The same from the weights: z @ (o_proj with its columns zeroed)^T.
        let loaded = load("llama");
        let ids = [4, 9, 16, 25, 36];
        let (layer, head) = (0, 2);
        let mut plain = run(&loaded, &ids, everything());
        plain.finish_pass(&go()).unwrap();
        let z = plain
            .look(0, Hook::Block(layer, BlockHook::Z), None, &go())
            .unwrap();
        let edit = format!("blocks.{layer}.attn.hook_z[:, {head}]=zero");
        let mut ablated = edited(&loaded, &ids, &[&edit]);
        let out = ablated
            .look(0, Hook::Block(layer, BlockHook::AttnOut), None, &go())
            .unwrap();

        let folder = fixture("models/llama");
        let weights = Array::load_safetensors(folder.join("model.safetensors")).unwrap();
        let o_proj = &weights[&format!("model.layers.{layer}.self_attn.o_proj.weight")];
        let (d_model, width) = (o_proj.dim(0) as usize, o_proj.dim(1) as usize);
        let o_proj = o_proj.to_vec_cast::<f32>().unwrap();
        let head_dim = loaded.model.config().head_dim;
        for pos in 0..ids.len() {
            let z = z.at(&[pos]).unwrap();
            for row in 0..d_model {
                let weights = &o_proj[row * width..(row + 1) * width];
                let without = weights.iter().zip(z).enumerate();
                let without = without.filter(|(at, _)| at / head_dim != head);
                let expected: f32 = without.map(|(_, (w, z))| w * z).sum();
                let found = out.value(&[pos, row]).unwrap();
                assert!(
                    (found - expected).abs() < 1e-4,
                    "row {row} of position {pos}"
                );
            }
        }
    });
}

#[test]
fn patching_every_residual_from_another_run_gives_its_logits() {
    on_mlx(|| {
        let loaded = load("classroom");
        let (a, b) = ([10, 20, 30, 40], [15, 25, 35, 45]);
        // Logits for the last position in both: one row and several add up in another order.
        let watch = Watch::Everything;
        let mut other = run(
            &loaded,
            &b,
            RunOptions {
                watch,
                ..RunOptions::default()
            },
        );
        other.finish_pass(&go()).unwrap();
        let hook = Hook::Block(2, BlockHook::ResidPre);
        let edit: Edit = format!("{hook}=patch(b)").parse().unwrap();
        let mut patched = Run::new(
            Rc::clone(&loaded),
            a.to_vec(),
            &[edit],
            RunOptions::default(),
        )
        .unwrap();
        let value = other.look(0, hook, None, &go()).unwrap();
        patched.provide("b", hook, value);
        patched.finish_pass(&go()).unwrap();
        assert_eq!(logits(&patched), logits(&other));
    });
}

#[test]
fn forcing_a_token_equals_typing_it() {
    on_mlx(|| {
        let loaded = load("classroom");
        let prompt = [389, 414, 330, 2319, 289];
        let mut forced = edited(&loaded, &prompt, &["sample=force(17)"]);
        forced.generate(1, &go()).unwrap();
        forced.finish_pass(&go()).unwrap();
        let typed: Vec<u32> = prompt.iter().copied().chain([17]).collect();
        let chunks = vec![prompt.len(), 1];
        let mut typed = run(
            &loaded,
            &typed,
            RunOptions {
                chunks,
                ..RunOptions::default()
            },
        );
        typed.finish_pass(&go()).unwrap();
        assert_eq!(logits(&forced), logits(&typed));
    });
}

#[test]
fn an_edit_from_a_kept_state_equals_the_whole_run_with_it() {
    on_mlx(|| {
        let loaded = load("classroom");
        let ids: Vec<u32> = (200..230).collect();
        let edit = "blocks.3.attn.hook_z[:, 1]=zero";
        let mut plain = run(&loaded, &ids, RunOptions::default());
        plain.finish_pass(&go()).unwrap();
        let mut state = EditState::new(&[edit.parse().unwrap()]);
        let quick = plain.logits_with(0, 3, &mut state, &go()).unwrap();
        assert_eq!(quick, logits(&edited(&loaded, &ids, &[edit])));
    });
}

#[test]
fn a_causal_model_cannot_look_ahead() {
    on_mlx(|| {
        let loaded = load("classroom");
        let tokenizer = loaded.tokenizer().unwrap();
        let states = |text: &str| {
            let ids = tokenizer.encode_ids(text, true).unwrap();
            let crane = tokenizer.encode_ids(" crane", false).unwrap();
            let at = ids.iter().rposition(|id| crane.contains(id)).unwrap();
            let mut run = run(&loaded, &ids, RunOptions::default());
            run.finish_pass(&go()).unwrap();
            let layers = (0..loaded.model.n_layers()).map(Stage::Block);
            let layers = layers.map(|stage| run.hidden_after(0, stage).unwrap());
            layers
                .map(|state| state.at(&[at]).unwrap().to_vec())
                .collect::<Vec<_>>()
        };
        assert_eq!(states("The crane ate a"), states("The crane lifted the"));
        let (builders, lake) = (
            states("The builders used a crane"),
            states("By the lake stood a crane"),
        );
        assert!(
            worst(&builders[0], &lake[0]) > 0.01,
            "a clue before it is seen from the first block on"
        );
    });
}

#[test]
fn a_cancelled_step_leaves_the_run_where_it_stood() {
    on_mlx(|| {
        let loaded = load("classroom");
        let ids: Vec<u32> = (100..140).collect();
        let mut run = run(&loaded, &ids, everything());
        run.step(&go()).unwrap();
        run.step(&go()).unwrap();
        let cancel = CancelToken::default();
        cancel.cancel();
        assert!(run.step(&cancel).is_err());
        assert_eq!(run.next(), Next::Stage(Stage::Block(1)));
        run.finish_pass(&go()).unwrap();
        let mut fresh = self::run(&loaded, &ids, everything());
        fresh.finish_pass(&go()).unwrap();
        assert_eq!(logits(&run), logits(&fresh));
    });
}
