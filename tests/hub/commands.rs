//! `vitrine models`, as people and scripts use it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use vitrine::hub::cache::{Cached, ModelCache};

use super::common::vitrine::{Ran, finish, vitrine, wait};
use super::downloads::{ID, assert_is_the_classroom};
use super::server::{Server, Trouble};

/// A hub with the classroom model, and an empty home.
fn scene() -> (Server, tempfile::TempDir) {
    let server = Server::start();
    server.add_classroom(ID);
    (server, tempfile::tempdir().unwrap())
}

/// The program with `args`, pointed at `server`.
fn command(server: &Server, home: &Path, args: &[&str]) -> Command {
    let mut command = vitrine(home, args);
    for variable in [
        "HF_TOKEN",
        "HF_HUB_OFFLINE",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
    ] {
        command.env_remove(variable);
    }
    command
        .env("HF_ENDPOINT", server.endpoint())
        .env("HF_HUB_CACHE", home.join("hub"))
        .env("VITRINE_HOME", home.join("settings"));
    command
}

fn run(server: &Server, home: &Path, args: &[&str]) -> Ran {
    finish(command(server, home, args), "")
}

#[test]
fn a_model_is_pulled_listed_used_and_removed() {
    let (server, home) = scene();
    let run = |args: &[&str]| run(&server, home.path(), args);
    let missing = ["generate", "--model", ID, "--raw", "x"];
    run(&missing).fails_saying(&["vitrine models pull school/classroom"]);

    let pulled = run(&["models", "pull", ID]);
    assert_eq!(pulled.code, Some(0), "{pulled:?}");
    assert!(pulled.out.contains("is here and checked"), "{pulled:?}");
    assert!(
        pulled.err.contains("model.safetensors"),
        "the list of files: {pulled:?}"
    );
    let again = run(&["models", "pull", ID, "--json"]).json();
    assert_eq!(again["fetched_bytes"], 0);

    let folder = run(&["models", "where", ID]).out.trim().to_owned();
    assert_is_the_classroom(Path::new(&folder));
    let listed = run(&["models", "--json"]).json();
    let rows = listed["models"].as_array().unwrap();
    let row = rows.iter().find(|row| row["id"] == ID).unwrap();
    assert_eq!(
        (&row["parameters"], &row["bits"]),
        (&json!(3_150_144), &json!(4))
    );
    assert!(row["memory"]["weight_bytes"].as_u64().unwrap() > 1_700_000);
    assert!(row["page"].as_str().unwrap().ends_with(ID));

    let shown = run(&["models", "show", ID, "--context", "100"]);
    for text in [
        "3.15 million",
        "4 bits",
        "KV cache of 100",
        "qwen2",
        &folder,
    ] {
        assert!(shown.out.contains(text), "{text} in {}", shown.out);
    }

    // The cache alone is enough: nobody is asked.
    let mut offline = command(&server, home.path(), &[]);
    offline.args([
        "generate",
        "--model",
        ID,
        "--raw",
        "--temp",
        "0",
        "--max-tokens",
        "1",
    ]);
    offline
        .arg("The capital of France is")
        .env("HF_HUB_OFFLINE", "1");
    let before = server.log().len();
    assert!(finish(offline, "").out.starts_with(" Paris"));
    assert_eq!(server.log().len(), before);

    run(&["models", "remove", ID]).fails_saying(&["--yes"]);
    let removed = run(&["models", "remove", ID, "--yes", "--json"]).json();
    assert!(removed["freed_bytes"].as_u64().unwrap() > 2_000_000);
    run(&missing).fails_saying(&["vitrine models pull"]);
}

#[test]
fn a_short_name_that_is_not_here_says_how_to_get_it() {
    let (server, home) = scene();
    let ran = run(
        &server,
        home.path(),
        &["generate", "--model", "tiny", "hello"],
    );
    ran.fails_saying(&[
        "`vitrine models pull tiny`",
        "Qwen2.5-0.5B-Instruct-4bit",
        "278 MB",
    ]);
}

#[test]
fn the_list_tells_sizes_and_what_cannot_run() {
    let (server, home) = scene();
    let ran = run(
        &server,
        home.path(),
        &["models", "list", "--context", "1000"],
    );
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for text in [
        "classroom",
        "built in",
        "tiny",
        "494 M",
        "~278 MB",
        "1,000 positions",
    ] {
        assert!(ran.out.contains(text), "{text} in {}", ran.out);
    }
}

#[test]
fn a_name_of_ones_own_leads_to_a_model() {
    let (server, home) = scene();
    let run = |args: &[&str]| run(&server, home.path(), args);
    assert_eq!(run(&["models", "name", "mine", ID]).code, Some(0));
    assert_eq!(run(&["models", "pull", "mine"]).code, Some(0));
    let answer = run(&[
        "generate",
        "--model",
        "mine",
        "--raw",
        "--json",
        "--max-tokens",
        "1",
        "x",
    ]);
    assert_eq!(answer.json()["model"], ID);
    assert!(run(&["models", "list"]).out.contains("mine"));
    run(&["models", "name", "tiny", ID]).fails_saying(&["another name"]);
    assert_eq!(run(&["models", "name", "mine"]).code, Some(0));
    run(&["models", "where", "mine"]).fails_saying(&["no model called"]);
}

#[test]
fn a_search_tells_what_runs_here_and_fits() {
    let (server, home) = scene();
    server.finds(json!([
        {"id": "mlx-community/Good-4bit", "tags": ["mlx", "license:mit"], "downloads": 12_345, "gated": false,
         "config": {"model_type": "qwen2"}, "safetensors": {"parameters": {"U32": 1_000_000, "F16": 500_000}}},
        {"id": "org/Strange", "gated": "manual", "config": {"model_type": "strange"},
         "safetensors": {"parameters": {"BF16": 9_000_000_000_000_u64}}},
        {"id": "org/Bare"},
    ]));
    let search = ["models", "search", "good 4bit"];
    let ran = run(&server, home.path(), &search);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(
        lines[1].contains("5.0 MB") && lines[1].contains("runs here, fits in memory"),
        "{ran:?}"
    );
    assert!(
        lines[2].contains("cannot run yet, does not fit in memory, gated"),
        "{ran:?}"
    );
    let asked = server.log().pop().unwrap().line;
    assert!(
        asked.contains("search=good+4bit") && asked.contains("filter=mlx"),
        "{asked}"
    );
    let found = run(&server, home.path(), &[&search[..], &["--json"]].concat()).json();
    assert_eq!(found[0]["licence"], "mit");
    assert_eq!(found[2]["weight_bytes"], serde_json::Value::Null);
}

#[test]
fn a_folder_can_be_the_target() {
    let (server, home) = scene();
    let ran = run(
        &server,
        home.path(),
        &["models", "pull", ID, "--to", "mine", "--json"],
    );
    assert!(ran.json()["folder"].as_str().unwrap().ends_with("mine"));
    assert_is_the_classroom(&home.path().join("mine"));
    let inspected = run(
        &server,
        home.path(),
        &["inspect", "--model", "mine", "--json"],
    );
    assert_eq!(inspected.json()["parameters"], 3_150_144);
}

#[test]
fn what_cannot_be_removed_is_said() {
    let (server, home) = scene();
    let remove = |name| run(&server, home.path(), &["models", "remove", name, "--yes"]);
    remove("classroom").fails_saying(&["inside the program"]);
    remove(ID).fails_saying(&["nothing of school/classroom"]);
    remove("./here").fails_saying(&["a folder of your own"]);
}

#[test]
fn a_proxy_is_used_where_one_is_set() {
    let (server, home) = scene();
    let mut pull = command(&server, home.path(), &["models", "pull", ID]);
    // No such host: only the proxy, which is our server, can answer for it.
    pull.env("HF_ENDPOINT", "http://hub.invalid")
        .env("HTTP_PROXY", server.endpoint());
    let ran = finish(pull, "");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let log = server.log();
    assert!(
        log.iter().all(|asked| asked.line.contains(" http://")),
        "{log:?}"
    );
}

/// A hub with weights of 40 MB that come at some 50 MB/s.
fn heavy() -> (Server, tempfile::TempDir, Vec<u8>) {
    let server = Server::start();
    server.add(
        ID,
        "config.json",
        b"{\"model_type\": \"qwen2\"}".to_vec(),
        false,
    );
    // xorshift: bytes that repeat nowhere.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut weights = Vec::with_capacity(40 << 20);
    while weights.len() < 40 << 20 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        weights.extend(state.to_le_bytes());
    }
    server.add(ID, "model.safetensors", weights.clone(), true);
    let slow = Trouble::Slow(256 << 10, Duration::from_millis(20));
    server.trouble("model.safetensors", vec![slow; 1_000]);
    (server, tempfile::tempdir().unwrap(), weights)
}

fn start(server: &Server, home: &Path) -> Child {
    let mut pull = command(server, home, &["models", "pull", ID]);
    pull.stdout(Stdio::null()).stderr(Stdio::null());
    pull.spawn().unwrap()
}

#[test]
fn a_download_that_is_killed_at_any_moment_leaves_nothing_half() {
    let (server, home, weights) = heavy();
    let cache = ModelCache::new(home.path().join("hub"));
    let mut n_killed = 0;
    // Moments that are as good as random, and the same at every run.
    for round in 0_u64..60 {
        let mut child = start(&server, home.path());
        let started = Instant::now();
        let moment = Duration::from_millis(20 + round * 197 % 700);
        while started.elapsed() < moment && child.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(2));
        }
        // One that has ended takes no harm.
        child.kill().unwrap();
        n_killed += usize::from(child.wait().unwrap().code().is_none());
        match cache.find(ID) {
            Cached::Complete(folder) => {
                // Found is whole, whenever it is found.
                assert!(std::fs::read(folder.join("model.safetensors")).unwrap() == weights);
                assert!(folder.join("config.json").exists());
                break;
            }
            Cached::Incomplete { .. } | Cached::Absent => {}
        }
    }
    assert!(n_killed >= 3, "{n_killed}");
    server.calm();
    assert_eq!(
        run(&server, home.path(), &["models", "pull", ID]).code,
        Some(0)
    );
    assert!(matches!(cache.find(ID), Cached::Complete(_)));
    assert!(!cache.folder_of(ID).join(".vitrine").exists());
    // What had arrived was not fetched again: far less than all of it for each round.
    let parts = server
        .log()
        .iter()
        .filter(|asked| asked.at_files && asked.line.starts_with("GET"))
        .count();
    assert!(
        parts < n_killed * 6 + 10,
        "{parts} requests in {n_killed} rounds"
    );
}

#[test]
fn ctrl_c_stops_a_download_cleanly_and_the_next_goes_on() {
    let (server, home, _) = heavy();
    let mut pull = command(&server, home.path(), &["models", "pull", ID]);
    pull.stdout(Stdio::null());
    let mut child = pull.spawn().unwrap();
    let pid = rustix_pid(&child);
    thread::sleep(Duration::from_millis(900));
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let started = Instant::now();
    let code = wait(&mut child, started);
    let mut told = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut told).unwrap();
    assert_eq!(code, Some(130), "{told}");
    assert!(told.contains("what arrived is kept"), "{told}");
    assert!(started.elapsed() < Duration::from_secs(5));
    server.calm();
    assert_eq!(
        run(&server, home.path(), &["models", "pull", ID]).code,
        Some(0)
    );
}

fn rustix_pid(child: &Child) -> rustix::process::Pid {
    rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap()
}
