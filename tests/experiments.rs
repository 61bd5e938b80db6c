//! Sweeps, comparisons and head labels from the command line.

mod common;

use common::vitrine::run;
use serde_json::Value;

fn json(args: &[&str]) -> Value {
    let ran = run(args);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn a_sweep_marks_its_strongest_cells() {
    let prompt = "The capital of France is";
    let args = [
        "sweep",
        prompt,
        "--raw",
        "--measure",
        "logit(Paris)",
        "--top",
        "3",
    ];
    let ran = run(&args);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(
        ran.out.matches("* ").count() + ran.out.matches("*\n").count(),
        3,
        "{}",
        ran.out
    );
    assert!(ran.out.contains("logit of ' Paris'") && ran.out.contains("This is one prompt"));
    let table = json(&[
        "sweep",
        prompt,
        "--raw",
        "--measure",
        "logit(Paris)",
        "--json",
    ]);
    assert_eq!(table["table"]["values"].as_array().unwrap().len(), 6);
    assert_eq!(table["strongest"].as_array().unwrap().len(), 5);
}

#[test]
fn a_patch_shows_where_the_country_is_read() {
    let args = [
        "sweep",
        "The capital of France is",
        "--raw",
        "--over",
        "layers-x-positions",
        "--edit",
        "patch(The capital of Italy is)",
        "--measure",
        "diff(Rome,Paris)",
        "--json",
    ];
    let strongest = json(&args)["strongest"][0].clone();
    assert!(strongest["effect"].as_f64().unwrap() > 1.0);
    let column = strongest["column"].as_u64().unwrap();
    assert!(
        column == 3 || column == 4,
        "the country, or where the answer is given: {strongest}"
    );
}

#[test]
fn wrong_sweeps_are_refused_in_a_sentence() {
    let sweep = |more: &[&str]| {
        let mut args = vec!["sweep", "Hello there", "--raw"];
        args.extend(more);
        run(&args)
    };
    sweep(&["--edit", "explode"]).fails_saying(&["is no change"]);
    sweep(&["--measure", "joy"]).fails_saying(&["is no measure"]);
    sweep(&["--measure", "logit(one two three)"]).fails_saying(&["name one of them"]);
    sweep(&["--edit", "patch(One)"]).fails_saying(&["as many"]);
}

#[test]
fn prompts_and_traces_are_compared_alike() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.safetensors");
    let file = file.to_str().unwrap();
    let (france, italy) = ("The capital of France is", "The capital of Italy is");
    let traced = run(&["trace", "--raw", france, "--out", file]);
    assert_eq!(traced.code, Some(0), "{}", traced.err);
    let of_prompts = json(&["compare", france, italy, "--raw", "--json"]);
    let of_trace = json(&["compare", file, italy, "--raw", "--json"]);
    for comparison in [&of_prompts, &of_trace] {
        assert_eq!(comparison["comparison"]["first_other_token"], 3);
        assert_eq!(comparison["first_layer"]["position"], 3);
        assert_eq!(comparison["first_layer"]["gap"]["point"], "embed");
    }
    assert_eq!(
        of_prompts["comparison"]["states"],
        of_trace["comparison"]["states"]
    );
    let same = run(&["compare", file, france, "--raw"]);
    assert!(
        same.out
            .contains("equal at every layer and position, bit for bit"),
        "{}",
        same.out
    );
}

#[test]
fn an_edit_parts_the_run_from_itself_where_it_acts() {
    let edit = "blocks.2.attn.hook_z[:, 3]=zero";
    let compared = json(&[
        "compare",
        "The capital of France is",
        "--raw",
        "--edit-b",
        edit,
        "--json",
    ]);
    assert_eq!(compared["comparison"]["first_other_token"], Value::Null);
    assert_eq!(
        compared["first_layer"]["gap"]["point"]["after_attention"],
        2
    );
}

#[test]
fn two_models_are_compared_by_tokens_and_answers() {
    let ran = run(&[
        "compare",
        "The capital of France is",
        "--raw",
        "--model-b",
        "classroom-16bit",
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("the tokens are the same"), "{}", ran.out);
    assert!(
        ran.out.contains("first layer that differs: embedding"),
        "{}",
        ran.out
    );
    run(&["compare", "no/such.safetensors", "Hi"]).fails_saying(&["cannot open the trace"]);
}

#[test]
fn heads_are_labelled_on_the_probe_text_and_on_a_prompt() {
    let reports = json(&["heads", "--json"]);
    assert_eq!(reports.as_array().unwrap().len(), 1);
    let ran = run(&["heads"]);
    assert!(
        ran.out.contains("block 2 head 3") && ran.out.contains("previous token"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("induction"), "{}", ran.out);
    let both = json(&[
        "heads",
        "one two three one two three",
        "--raw",
        "--probe",
        "--json",
    ]);
    assert_eq!(both.as_array().unwrap().len(), 2);
    assert_eq!(both[0]["text"], "prompt");
}

#[test]
fn recording_everything_costs_little_and_a_cache_saves_much() {
    let args = [
        "bench",
        "--recording",
        "--without-cache",
        "--prompt-tokens",
        "200",
        "--gen-tokens",
        "4",
        "--json",
    ];
    let report = json(&args);
    let seconds = |name: &str| report["recording"][name].as_f64().unwrap();
    assert_eq!(report["recording"]["n_tokens"], 64);
    // At most twice where nothing else runs; tests run beside each other.
    assert!(seconds("recorded_s") < 5.0 * seconds("plain_s"), "{report}");
    let cost = &report["without_cache"];
    assert_eq!(cost["positions"], 204);
    assert!(cost["without_cache_s"].as_f64() > cost["with_cache_s"].as_f64());
}
