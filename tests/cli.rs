//! The commands, as people and scripts use them: the real program, its output and exit codes.

mod common;

use std::fs;
use std::io::Read;
use std::time::Instant;

use common::vitrine::{finish, run, run_with_stdin, vitrine, wait};
use serde_json::Value;

const QUESTION: &str = "What is the capital of France?";
const ANSWER: &str = "The capital of France is Paris.";

/// `vitrine generate --temp 0 --json` with `more` flags.
fn generate(more: &[&str]) -> Value {
    run(&[&["generate", "--temp", "0", "--json"], more].concat()).json()
}

/// The texts of all tokens, joined.
fn joined(answer: &Value) -> String {
    let tokens = answer["tokens"].as_array().unwrap();
    tokens
        .iter()
        .map(|token| token["text"].as_str().unwrap())
        .collect()
}

#[test]
fn the_readmes_command_says_paris() {
    let ran = run(&[
        "generate",
        "--raw",
        "--temp",
        "0",
        "--max-tokens",
        "3",
        "The capital of France is",
    ]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.starts_with(" Paris"), "{ran:?}");
    assert!(ran.err.contains("tok/s"), "{ran:?}");
}

#[test]
fn the_json_of_an_answer_has_the_published_keys() {
    let answer = generate(&["--top-logprobs", "5", QUESTION]);
    assert_eq!(answer["model"], "classroom");
    assert_eq!(answer["text"], ANSWER);
    assert_eq!(answer["stop_reason"], "stop");
    assert_eq!(joined(&answer), ANSWER);
    assert!(
        answer["prompt_tokens"]
            .as_array()
            .unwrap()
            .iter()
            .all(Value::is_u64)
    );
    for speed in [
        "prompt_tps",
        "generation_tps",
        "ttft_s",
        "peak_memory_bytes",
    ] {
        assert!(answer[speed].as_f64().unwrap() > 0.0, "{speed}");
    }
    for token in answer["tokens"].as_array().unwrap() {
        let top = token["top_logprobs"].as_array().unwrap();
        let logprobs: Vec<f64> = top
            .iter()
            .map(|top| top["logprob"].as_f64().unwrap())
            .collect();
        assert_eq!(top.len(), 5);
        assert!(logprobs.is_sorted_by(|a, b| a >= b), "{logprobs:?}");
        assert!(logprobs.iter().all(|logprob| *logprob <= 0.0));
        // Greedy took the first of them.
        assert_eq!(
            (&token["id"], &token["logprob"]),
            (&top[0]["id"], &top[0]["logprob"])
        );
        assert!(top.iter().all(|top| top["text"].is_string()));
    }
}

#[test]
fn a_file_of_prompts_gives_one_object_per_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prompts.txt");
    fs::write(
        &file,
        format!("{QUESTION}\n\nWhat is the capital of Italy?\n"),
    )
    .unwrap();
    let ran = run(&[
        "generate",
        "--temp",
        "0",
        "--json",
        "--prompts",
        file.to_str().unwrap(),
    ]);
    let answers = ran.json_lines();
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0]["text"], ANSWER);
    assert!(answers[1]["text"].as_str().unwrap().contains("Rome"));
}

#[test]
fn the_same_seed_gives_the_same_text() {
    let text = |seed: &str| {
        let wide = ["--temp", "1", "--top-p", "1", "--top-k", "0"];
        let flags = [
            "--raw",
            "--json",
            "--seed",
            seed,
            "--max-tokens",
            "24",
            "Once",
        ];
        run(&[&["generate"], &wide[..], &flags].concat()).json()["text"].clone()
    };
    let first = text("1");
    assert_eq!(first, text("1"));
    assert!(["2", "3", "4"].iter().any(|seed| text(seed) != first));
}

#[test]
fn a_stop_text_cuts_exactly_wherever_tokens_end() {
    for (stop, kept) in [
        (" is", "The capital of France"),
        ("ance is Pa", "The capital of Fr"),
    ] {
        let answer = generate(&["--stop", stop, QUESTION]);
        assert_eq!(answer["text"], kept);
        assert_eq!(joined(&answer), kept);
        assert_eq!(answer["stop_reason"], "stop");
        let shown = run(&["generate", "--temp", "0", "--stop", stop, QUESTION]);
        assert_eq!(shown.out, format!("{kept}\n"));
    }
    assert_eq!(generate(&["--stop", "London", QUESTION])["text"], ANSWER);
}

#[test]
fn the_largest_length_is_kept() {
    for (max, n) in [("0", 0), ("1", 1)] {
        let answer = generate(&["--max-tokens", max, QUESTION]);
        assert_eq!(answer["tokens"].as_array().unwrap().len(), n);
        assert_eq!(answer["stop_reason"], "length");
    }
}

#[test]
fn ids_stand_for_the_text_they_came_from() {
    let raw = generate(&["--raw", "--max-tokens", "4", "The capital of France is"]);
    let ids = raw["prompt_tokens"].as_array().unwrap();
    let ids: Vec<String> = ids.iter().map(Value::to_string).collect();
    let from_ids = generate(&["--max-tokens", "4", "--ids", &ids.join(",")]);
    assert_eq!(from_ids["text"], raw["text"]);
    let beyond = run(&["generate", "--ids", "1,999999"]);
    beyond.fails_saying(&["999999", "vocabulary"]);
}

#[test]
fn a_prompt_comes_from_standard_input_too() {
    for args in [
        &["generate", "--temp", "0", "-"][..],
        &["generate", "--temp", "0"],
    ] {
        let ran = run_with_stdin(args, &format!("{QUESTION}\n"));
        assert_eq!(ran.out, format!("{ANSWER}\n"));
    }
    run_with_stdin(&["generate", "--raw", "-"], "").fails_saying(&["empty"]);
}

#[test]
fn a_given_beginning_is_continued() {
    let answer = generate(&["--prefill-response", "The capital of France is", QUESTION]);
    assert_eq!(answer["text"], " Paris.");
}

#[test]
fn small_caches_still_give_sense() {
    assert_eq!(generate(&["--kv-bits", "8", QUESTION])["text"], ANSWER);
    // A rotating cache that never fills up changes nothing; one that does still runs.
    assert_eq!(generate(&["--max-kv-size", "64", QUESTION])["text"], ANSWER);
    let flags = [
        "--raw",
        "--max-tokens",
        "100",
        "--max-kv-size",
        "64",
        "Once upon a time",
    ];
    let endless = ["--logit-bias", "0:-99", "--logit-bias", "2:-99"];
    let long = generate(&[&flags[..], &endless].concat());
    assert_eq!(long["tokens"].as_array().unwrap().len(), 100);
    run(&["generate", "--kv-bits", "5", "Hi"]).fails_saying(&["--kv-bits 8"]);
    run(&["generate", "--max-kv-size", "3", "Hi"]).fails_saying(&["--max-kv-size"]);
}

#[test]
fn a_prompt_cache_is_written_and_reused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cache.safetensors");
    let file = file.to_str().unwrap();
    for more in [&[][..], &["--kv-bits", "8"], &["--max-kv-size", "16"]] {
        let ask = || generate(&[&["--prompt-cache", file, QUESTION], more].concat());
        let (first, second) = (ask(), ask());
        assert_eq!(first["cached_tokens"], 0);
        // A rotated cache cannot go back to where the prompt ended.
        let reused = second["cached_tokens"].as_u64().unwrap();
        assert_eq!(
            reused > 5,
            more != ["--max-kv-size", "16"],
            "{more:?}: {reused}"
        );
        assert_eq!(first["text"], second["text"]);
        fs::remove_file(file).unwrap();
    }
}

#[test]
fn a_prompt_cache_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cache.safetensors");
    let file = file.to_str().unwrap();
    let ask = |model| {
        run(&[
            "generate",
            "--prompt-cache",
            file,
            "--model",
            model,
            QUESTION,
        ])
    };
    assert_eq!(ask("classroom").code, Some(0));
    ask("classroom-16bit").fails_saying(&["cache.safetensors", "classroom, not classroom-16bit"]);
    let mut bytes = fs::read(file).unwrap();
    bytes.truncate(bytes.len() / 2);
    for damaged in [&bytes[..], b"", b"junk", &[0xff; 4096]] {
        fs::write(file, damaged).unwrap();
        ask("classroom").fails_saying(&["cache.safetensors", "--prompt-cache"]);
    }
}

#[test]
fn the_model_comes_from_the_strongest_place() {
    let folder = tempfile::tempdir().unwrap();
    let model = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = vitrine(folder.path(), args);
        command.envs(variables.iter().copied());
        finish(command, "").json()["model"].clone()
    };
    let plain = ["inspect", "--json"];
    assert_eq!(model(&plain, &[]), "classroom");
    fs::write(
        folder.path().join(".env"),
        "DEFAULT_MODEL=classroom-16bit\n",
    )
    .unwrap();
    assert_eq!(model(&plain, &[]), "classroom-16bit");
    assert_eq!(
        model(&plain, &[("DEFAULT_MODEL", "classroom")]),
        "classroom"
    );
    let both = [
        ("DEFAULT_MODEL", "classroom"),
        ("VITRINE_MODEL", "classroom-16bit"),
    ];
    assert_eq!(model(&plain, &both), "classroom-16bit");
    assert_eq!(
        model(&["inspect", "--json", "--model", "classroom"], &both),
        "classroom"
    );
}

#[test]
fn an_unknown_model_is_told_with_what_is_possible() {
    let ran = run(&["generate", "--model", "clasroom", "Hi"]);
    ran.fails_saying(&["clasroom", "Did you mean classroom", "Hugging Face"]);
    run(&["inspect", "--model", "org/name"]).fails_saying(&["org/name", "vitrine models pull"]);
    run(&["bench", "--model", "./none"]).fails_saying(&["no folder"]);
}

#[test]
fn without_a_display_the_window_names_the_commands_that_need_none() {
    if cfg!(target_os = "macos") {
        return; // There a display cannot be taken away by its name.
    }
    run(&[]).fails_saying(&["no display", "vitrine chat", "vitrine generate"]);
    let help = run(&["--help"]);
    assert_eq!(help.code, Some(0), "{help:?}");
    for command in ["generate", "chat", "inspect", "bench"] {
        assert!(help.out.contains(command), "{command} in {help:?}");
    }
}

#[test]
fn a_setting_out_of_range_is_told() {
    run(&["generate", "--temp=-1", "Hi"]).fails_saying(&["--temp"]);
    run(&["generate", "--extra-eos", "nix", "Hi"]).fails_saying(&["--extra-eos nix"]);
    let wrong = run(&["generate", "--logit-bias", "x", "Hi"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
}

#[test]
fn ctrl_c_ends_a_single_answer() {
    let folder = tempfile::tempdir().unwrap();
    let endless = [
        "--logit-bias",
        "0:-99",
        "--logit-bias",
        "2:-99",
        "--max-tokens",
        "100000",
    ];
    let args = [&["generate", "--temp", "0"], &endless[..], &["Hi"]].concat();
    let mut child = vitrine(folder.path(), &args).spawn().unwrap();
    let started = Instant::now();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 16]).unwrap();
    // SAFETY: sends a signal to a process that we started and have not waited for.
    unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
    out.read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(wait(&mut child, started), Some(130));
}

#[test]
fn inspect_counts_the_classroom_model() {
    let told = run(&["inspect", "--json"]).json();
    assert_eq!(told["parameters"], 3_150_144);
    assert_eq!(told["tensor_bytes"], 1_778_304);
    assert_eq!(told["architecture"]["tied"], true);
    let groups = told["groups"].as_array().unwrap();
    let sum = |key: &str| {
        groups
            .iter()
            .map(|group| group[key].as_u64().unwrap())
            .sum::<u64>()
    };
    assert_eq!((sum("parameters"), sum("bytes")), (3_150_144, 1_778_304));
    let embedding = &told["tensors"][0];
    assert_eq!(embedding["shape"], serde_json::json!([4096, 192]));
    assert_eq!(embedding["packed_shape"], serde_json::json!([4096, 24]));
    assert_eq!(embedding["packing"]["bits"], 4);
    let text = run(&["inspect"]).out;
    for said in [
        "3,150,144 parameters",
        "1,778,304 bytes",
        "tied to the embedding",
        "4.52 bits",
    ] {
        assert!(text.contains(said), "{said:?} in {text}");
    }
    assert!(text.lines().all(|line| line == line.trim_end()));
}

#[test]
fn inspect_explains_what_a_family_drops_and_renames() {
    let folder = common::fixture("models/gpt2-hf-prefixed");
    let text = run(&["inspect", "--model", folder.to_str().unwrap()]).out;
    for said in [
        "the causal mask follows",
        "8 of them have rows and columns exchanged",
        "learned",
    ] {
        assert!(text.contains(said), "{said:?} in {text}");
    }
}

#[test]
fn bench_measures() {
    let told = run(&[
        "bench",
        "--json",
        "--prompt-tokens",
        "16",
        "--gen-tokens",
        "4",
    ])
    .json();
    assert_eq!(
        (&told["prompt_tokens"], &told["gen_tokens"]),
        (&16.into(), &4.into())
    );
    for key in [
        "load_s",
        "prefill_tps",
        "decode_tps",
        "peak_memory_bytes",
        "peak_resident_bytes",
        "bandwidth_gbs",
        "gflops",
        "bandwidth_share",
        "gflops_share",
    ] {
        assert!(told[key].as_f64().unwrap() > 0.0, "{key} in {told}");
    }
    assert!(told["blas"].is_string() && told["kernels"].is_string());
    run(&["bench", "--prompt-tokens", "0"]).fails_saying(&["--prompt-tokens"]);
}
