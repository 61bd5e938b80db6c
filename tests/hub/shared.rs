//! One cache for Vitrine and for Python's huggingface_hub, both ways.
//!
//! Needs Python with the packages of `tests/requirements.txt`, so it runs where `VITRINE_FULL_TESTS=1`.
//! `VITRINE_PYTHON` names the Python, else it is `python3`.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use vitrine::hub::cache::Cached;
use vitrine::hub::shelf;

use super::downloads::{ID, assert_is_the_classroom, scene};

/// What `python_cache.py` prints; `None` where these tests do not run.
fn python(args: &[&str]) -> Option<Value> {
    if std::env::var("VITRINE_FULL_TESTS").as_deref() != Ok("1") {
        eprintln!("skipped: needs VITRINE_FULL_TESTS=1 and Python with huggingface_hub");
        return None;
    }
    let python = std::env::var("VITRINE_PYTHON").unwrap_or("python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hub/python_cache.py");
    let mut command = Command::new(&python);
    command.arg(script).args(args).env_remove("LD_LIBRARY_PATH");
    for variable in ["HF_ENDPOINT", "HF_TOKEN", "HF_HUB_OFFLINE", "HF_HUB_CACHE"] {
        command.env_remove(variable);
    }
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {told}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn python_finds_what_vitrine_downloaded() {
    let scene = scene();
    scene.finishes();
    let cache = scene
        .request
        .environment
        .cache
        .folder()
        .display()
        .to_string();
    let Some(found) = python(&["find", &cache, ID]) else {
        return;
    };
    assert_is_the_classroom(Path::new(found["folder"].as_str().unwrap()));
    assert!(found["config"].as_str().unwrap().ends_with("config.json"));
    assert_eq!(found["warnings"], serde_json::json!([]));
    assert_eq!(found["refs"], serde_json::json!(["main"]));
    let ours = shelf::one(&scene.request.environment.cache, ID).unwrap();
    // Ours counts the 40 letters of refs/main too.
    assert_eq!(
        found["size_on_disk"].as_u64().unwrap() + 40,
        ours.disk_bytes
    );
}

#[test]
fn vitrine_finds_what_python_downloaded_and_fetches_nothing() {
    let scene = scene();
    let cache = scene
        .request
        .environment
        .cache
        .folder()
        .display()
        .to_string();
    let endpoint = scene.server.endpoint();
    let Some(found) = python(&["download", &endpoint, &cache, ID]) else {
        return;
    };
    let Cached::Complete(folder) = scene.found() else {
        panic!("{:?}", scene.found());
    };
    assert_eq!(
        found["folder"].as_str().unwrap(),
        folder.display().to_string()
    );
    assert_is_the_classroom(&folder);
    let before = scene.server.log().len();
    scene.finishes();
    let log = scene.server.log();
    assert!(
        log[before..]
            .iter()
            .all(|asked| asked.line.contains("/api/models/")),
        "{log:?}"
    );
    // And removing it leaves nothing that Python would stumble over.
    shelf::remove(&scene.request.environment.cache, ID).unwrap();
    assert_eq!(scene.found(), Cached::Absent);
}
