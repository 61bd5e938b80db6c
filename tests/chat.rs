//! `vitrine chat`, through a pipe: turns, commands, mistakes, Ctrl-C.

mod common;

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use common::vitrine::{Ran, run_with_stdin, vitrine, wait};
use serde_json::{Value, json};

const QUESTION: &str = "What is the capital of France?";
const ANSWER: &str = "The capital of France is Paris.";

/// Talks through a pipe, greedily.
fn talk(lines: &str) -> Ran {
    run_with_stdin(&["chat", "--temp", "0"], lines)
}

/// How many prompt tokens of each answer came from the cache, and how many ran.
fn reused_and_run(ran: &Ran) -> Vec<(usize, usize)> {
    let number_before = |text: &str, end: &str| -> Option<usize> {
        text.split(end)
            .next()?
            .rsplit([' ', '('])
            .next()?
            .parse()
            .ok()
    };
    let speeds = ran.err.lines().filter(|line| line.starts_with("prompt "));
    let counts = speeds.map(|line| {
        let all = number_before(line, " tokens").unwrap();
        let is_reused = line.contains(" of them");
        let reused = if is_reused {
            number_before(line, " of them").unwrap()
        } else {
            0
        };
        (reused, all - reused)
    });
    counts.collect()
}

#[test]
fn a_chat_through_a_pipe_reads_each_token_once() {
    let ran = talk(&format!("{QUESTION}\nAnd of Italy?\n"));
    assert_eq!(
        ran.out,
        format!("{ANSWER}\nThe capital of Italy is Rome.\n")
    );
    assert_eq!(ran.code, Some(0));
    let counts = reused_and_run(&ran);
    assert_eq!(counts.len(), 2, "{ran:?}");
    let (prompt, answer_tokens) = (counts[0].1, 7);
    // Everything but the end of the last answer and the new question was there already.
    assert_eq!(counts[1].0, prompt + answer_tokens, "{ran:?}");
    assert!(counts[1].1 < 20, "{ran:?}");
}

#[test]
fn the_commands_of_a_chat_work() {
    let folder = tempfile::tempdir().unwrap();
    let (markdown, json) = (
        folder.path().join("talk.md"),
        folder.path().join("talk.json"),
    );
    let lines = [
        "/help",
        QUESTION,
        "/set max-tokens 2",
        "What is the capital of Italy?",
        "/stats",
        "/set max-tokens default",
        "/set",
        &format!("/save {}", markdown.display()),
        &format!("/save {}", json.display()),
        "/model classroom-16bit",
        "Hello!",
        "/reset",
        "/system You are brief.",
        QUESTION,
        "/exit",
        "never read",
    ];
    let ran = talk(&lines.join("\n"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for said in [
        "/save FILE",
        ANSWER,
        "KV cache",
        "the rest of the prompt is new",
        "repetition-penalty",
    ] {
        assert!(ran.out.contains(said), "{said:?} in {}", ran.out);
    }
    for told in [
        "max-tokens = 2",
        "largest length",
        "Talking to classroom-16bit",
        "anew",
    ] {
        assert!(ran.err.contains(told), "{told:?} in {}", ran.err);
    }
    let markdown = fs::read_to_string(markdown).unwrap();
    assert!(
        markdown.contains(QUESTION) && markdown.contains(ANSWER),
        "{markdown}"
    );
    let saved: Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    assert_eq!(saved["messages"].as_array().unwrap().len(), 4);
    assert_eq!(saved["messages"][1]["content"], ANSWER);
}

#[test]
fn a_chat_goes_on_after_a_mistake_and_a_script_learns_of_it() {
    let ran = talk(&format!("/sats\n/model nix\n/set temp warm\n{QUESTION}\n"));
    assert_eq!(ran.out, format!("{ANSWER}\n"), "{ran:?}");
    assert_eq!(ran.code, Some(1));
    for told in ["did you mean /stats", "no model called", "cannot set temp"] {
        assert!(ran.err.contains(told), "{told:?} in {}", ran.err);
    }
}

/// A copy of the classroom model with this chat template, or none.
fn classroom_with(template: Option<&str>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/classroom");
    for file in [
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
    ] {
        fs::copy(assets.join(file), folder.path().join(file)).unwrap();
    }
    let config = json!({"eos_token": "<|im_end|>", "chat_template": template});
    fs::write(
        folder.path().join("tokenizer_config.json"),
        config.to_string(),
    )
    .unwrap();
    folder
}

/// Talks to the model in `folder` through a pipe, greedily.
fn talk_to(folder: &Path, lines: &str) -> Ran {
    let model = ["--model", folder.to_str().unwrap()];
    let ran = run_with_stdin(
        &[&["chat", "--temp", "0", "--max-tokens", "12"], &model[..]].concat(),
        lines,
    );
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran
}

#[test]
fn a_chat_without_a_template_says_so_once() {
    let folder = classroom_with(None);
    let ran = talk_to(folder.path(), "Hi\nHello\n");
    assert_eq!(ran.err.matches("no chat template").count(), 1, "{ran:?}");
    // The answer ends where the model would speak for the user.
    assert!(!ran.out.contains("User:"), "{ran:?}");
}

#[test]
fn a_template_that_rewrites_answers_is_reported() {
    let folder = classroom_with(Some(
        "{% for message in messages %}<|im_start|>{{ message.role }}\n\
         {{ message.content | replace('Paris', 'a city') }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n",
    ));
    let ran = talk_to(
        folder.path(),
        &format!("{QUESTION}\nThanks!\nHello!\n/stats\n"),
    );
    assert_eq!(
        ran.err
            .matches("writes earlier answers in another way")
            .count(),
        1,
        "{ran:?}"
    );
    let counts = reused_and_run(&ran);
    // Up to the changed word the cache still holds.
    assert!(
        counts[1].0 >= counts[0].1 && counts[1].0 < counts[0].1 + 7,
        "{ran:?}"
    );
}

#[test]
fn ctrl_c_stops_the_answer_and_not_the_chat() {
    let folder = tempfile::tempdir().unwrap();
    let endless = [
        "--logit-bias",
        "0:-99",
        "--logit-bias",
        "2:-99",
        "--max-tokens",
        "100000",
    ];
    let mut command = vitrine(
        folder.path(),
        &[&["chat", "--temp", "0"], &endless[..]].concat(),
    );
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let started = Instant::now();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"Hi\n/set max-tokens 3\nHello\n").unwrap();
    let mut first = [0; 16];
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut first).unwrap();
    // SAFETY: sends a signal to a process that we started and have not waited for.
    unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
    drop(stdin);
    let (mut rest, mut err) = (String::new(), String::new());
    out.read_to_string(&mut rest).unwrap();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut err)
        .unwrap();
    assert_eq!(wait(&mut child, started), Some(0), "{err}");
    assert!(
        err.contains("cancelled") && err.contains("max-tokens = 3"),
        "{err}"
    );
    // What was stopped stays in the conversation, and in the cache.
    assert!(
        err.lines().last().unwrap().contains("from the cache"),
        "{err}"
    );
}
