//! A trace opens without the model, here and in Python, and holds what reading it needs.

mod common;

use std::process::Command;

use common::vitrine::run;
use vitrine::trace::file::{Precision, Trace, TraceFile};
use vitrine::trace::measure::parity::Parity;
use vitrine::trace::{BlockHook, Hook, HostTensor, units};

/// Traces a prompt and two tokens after it; `more` are further flags.
fn trace(more: &[&str]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.safetensors");
    let out = file.display().to_string();
    let prompt = "The capital of France is";
    let mut args = vec![
        "trace", "--raw", "--temp", "0", "--steps", "2", "--out", &out, prompt,
    ];
    args.extend(more);
    let ran = run(&args);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    (folder, file)
}

#[test]
fn a_trace_holds_every_pass_and_what_it_measured() {
    let (_folder, file) = trace(&[]);
    let trace = Trace::open(&file).unwrap();
    let texts: Vec<&str> = trace
        .meta
        .tokens
        .iter()
        .map(|token| token.text.as_str())
        .collect();
    assert_eq!(texts.concat(), "The capital of France is Paris.");
    assert_eq!(trace.meta.passes.len(), 3);
    let pattern = Hook::Block(5, BlockHook::Pattern);
    assert_eq!(trace.tensor(0, pattern).unwrap().shape(), [6, 5, 5]);
    assert_eq!(trace.tensor(2, pattern).unwrap().shape(), [6, 1, 7]);
    let all = [
        "heads",
        "logit_lens",
        "costs",
        "kv_ledgers",
        "next_tokens",
        "parity",
    ];
    for measure in all {
        assert!(
            trace.meta.measures.contains_key(measure),
            "{measure} is missing"
        );
    }
    let parity = trace.meta.measures["parity"].clone();
    let parity: Vec<Parity> = serde_json::from_value(parity).unwrap();
    assert_eq!([parity[0].pass, parity[1].pass], [0, 2]);
    assert!(parity.iter().all(Parity::is_good), "{parity:?}");
    assert!(trace.meta.passes[0].cache.positions == 5 && trace.meta.passes[2].cache.positions == 7);
}

#[test]
fn hooks_and_layers_choose_what_is_kept() {
    let (_folder, file) = trace(&[
        "--hooks",
        "blocks.*.attn.hook_pattern",
        "--layers",
        "1..3",
        "--f16",
    ]);
    let names: Vec<String> = Trace::open(&file).unwrap().tensors.into_keys().collect();
    assert_eq!(names.len(), 2 * 3);
    assert!(names.contains(&"pass.1.blocks.2.attn.hook_pattern".to_owned()));
}

#[test]
fn the_size_is_told_before_anything_runs_and_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.safetensors");
    let out = file.display().to_string();
    let prompt = "The capital of France is";
    let ran = run(&["trace", "--raw", "--steps", "1", "--out", &out, prompt]);
    let (before, writing) = ran.err.split_once('\n').unwrap();
    let n_values: usize = Trace::open(&file)
        .unwrap()
        .tensors
        .values()
        .map(|t| t.values().len())
        .sum();
    let values = format!("tensors, {} of values", units::bytes(4 * n_values as u64));
    assert!(
        before.starts_with("5 tokens: ") && before.contains(&values),
        "{}",
        ran.err
    );
    let size = units::bytes(std::fs::metadata(&file).unwrap().len());
    assert!(
        writing.contains(&format!("tensors, {size}, to ")),
        "{size} in {}",
        ran.err
    );
    assert!(ran.out.contains("parity ✓"), "{}", ran.out);
}

#[test]
fn what_is_no_file_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (
        folder.path().join("run.safetensors"),
        folder.path().join("link.safetensors"),
    );
    let to = |out: &std::path::Path| {
        let out = out.display().to_string();
        run(&[
            "trace",
            "--raw",
            "--hooks",
            "hook_embed",
            "--out",
            &out,
            "Hello",
        ])
    };
    to(folder.path()).fails_saying(&["is not a file", "give the name of a file"]);
    assert!(folder.path().is_dir());
    std::fs::write(&file, "old").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert_eq!(to(&link).code, Some(0));
    assert!(link.is_symlink());
    TraceFile::open(&file).unwrap();
}

#[test]
fn a_value_of_another_length_than_its_pass_is_damage() {
    let (_folder, file) = trace(&["--hooks", "*hook_resid_post"]);
    let mut trace = Trace::open(&file).unwrap();
    let name = "blocks.2.hook_resid_post";
    let value = &trace.tensors[name];
    let rows = value.values()[..3 * value.shape()[1]].to_vec();
    let short = HostTensor::new(vec![3, value.shape()[1]], rows).unwrap();
    trace.tensors.insert(name.to_owned(), short);
    trace.save(&file, Precision::F32).unwrap();
    let problem = format!("{:#}", TraceFile::open(&file).unwrap_err());
    assert!(
        problem.contains("damaged: blocks.2.hook_resid_post has 3 positions"),
        "{problem}"
    );
}

#[test]
fn what_is_no_number_is_a_difference() {
    let (folder, file) = trace(&["--hooks", "*hook_resid_post"]);
    let mut trace = Trace::open(&file).unwrap();
    let value = &trace.tensors["blocks.2.hook_resid_post"];
    let nothing =
        HostTensor::new(value.shape().to_vec(), vec![f32::NAN; value.values().len()]).unwrap();
    trace
        .tensors
        .insert("blocks.2.hook_resid_post".to_owned(), nothing);
    let broken = folder.path().join("broken.safetensors");
    trace.save(&broken, Precision::F32).unwrap();
    let (a, b) = (file.display().to_string(), broken.display().to_string());
    let ran = run(&["compare", &a, &b]);
    assert!(
        ran.out.contains("first layer that differs: block 2"),
        "{ran:?}"
    );
}

#[test]
fn what_does_not_fit_into_the_budget_is_left_out_and_named() {
    let (_folder, file) = trace(&["--budget", "100KB"]);
    let trace = TraceFile::open(&file).unwrap();
    let left_out = trace.meta.measures["left_out"].as_array().unwrap().len();
    assert!(left_out > 0);
    let n_bytes: usize = trace
        .names()
        .map(|name| trace.shape(name).unwrap().iter().product::<usize>() * 4)
        .sum();
    assert!(n_bytes > 50_000 && n_bytes <= 100_000, "{n_bytes}");
    let all = (3 * (1 + 6 * 19 + 2)) as usize;
    assert_eq!(trace.names().count() + left_out, all);
}

#[test]
fn an_edit_copies_from_another_prompt() {
    let edit = "blocks.5.hook_resid_post[4]=patch(b)";
    let source = "b=The capital of Italy is";
    let (_folder, file) = trace(&["--source", source, "--edit", edit]);
    let trace = Trace::open(&file).unwrap();
    assert_eq!(trace.meta.edits[0].name, edit);
    assert_eq!(trace.meta.tokens[5].text, " Rome");
}

#[test]
fn hooks_are_listed_with_shapes_and_other_names() {
    let ran = run(&["trace", "--list-hooks"]);
    let line = ran
        .out
        .lines()
        .find(|line| line.contains("blocks.3.attn.hook_k "));
    let line = line.unwrap();
    assert!(line.contains("[pos, kv_head 2, head_dim 32]"), "{line}");
    assert!(line.contains("model.layers.3.self_attn.k_proj"), "{line}");
    let json: serde_json::Value =
        serde_json::from_str(&run(&["trace", "--list-hooks", "--json"]).out).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 1 + 6 * 19 + 2);
}

#[test]
fn what_can_never_match_is_refused() {
    for (flags, why) in [
        (
            ["--edit", "blocks.2.attn.hook_z[:, 99]=zero"],
            "99 is not among the 6",
        ),
        (["--layers", "3..1"], "names no layers"),
        (["--layers", "0..99"], "ends beyond this model, which has"),
        (
            ["--edit", "blocks.2.hook_resid_pre=patch(b)"],
            "--source b=",
        ),
        (["--edit", "logit( Xyzzy)=ban"], "tokens"),
        (["--hooks", "blocks.9.mlp.hook_post"], "no hook"),
    ] {
        let mut args = vec!["trace", "--raw", "--out", "never.safetensors", "Hello"];
        args.extend(flags);
        run(&args).fails_saying(&[why]);
    }
}

#[test]
fn a_trace_opens_in_python() {
    let full = std::env::var("VITRINE_FULL_TESTS").is_ok_and(|full| full == "1");
    let python = std::env::var("VITRINE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let (_folder, file) = trace(&[]);
    let program = "import sys, safetensors.numpy as s; t = s.load_file(sys.argv[1]); \
                   print(t['blocks.0.attn.hook_pattern'].sum(-1).round(4).min())";
    let ran = Command::new(python)
        .args(["-c", program])
        .arg(&file)
        // Cargo puts our libmlx.so on the path; Python has its own.
        .env_remove("LD_LIBRARY_PATH")
        .output();
    match ran {
        Ok(ran) if ran.status.success() => {
            let smallest = String::from_utf8_lossy(&ran.stdout);
            assert_eq!(smallest.trim(), "1.0", "each row of a pattern sums to 1");
        }
        _ if full => panic!("Python with safetensors and numpy is missing: {ran:?}"),
        _ => println!("skipped: no Python with safetensors and numpy"),
    }
}
