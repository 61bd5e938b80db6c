//! The reference numbers in `tests/fixtures` are what mlx-lm computes: its scripts compute them again and compare.
//!
//! Needs Python with the packages of `tests/requirements.txt`, so it runs where `VITRINE_FULL_TESTS=1` (`.ci/run` sets
//! it), and a missing package is a failure there. `VITRINE_PYTHON` names the Python, else it is `python3`.

use std::path::Path;
use std::process::Command;

/// Runs `tests/fixtures/<script>`, and fails with what it printed if it fails.
fn check(script: &str, args: &[&str]) {
    if std::env::var("VITRINE_FULL_TESTS").as_deref() != Ok("1") {
        eprintln!("skipped: needs VITRINE_FULL_TESTS=1 and Python with mlx-lm");
        return;
    }
    let python = std::env::var("VITRINE_PYTHON").unwrap_or("python3".to_owned());
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let output = Command::new(&python)
        .arg(fixtures.join(script))
        .args(args)
        // Cargo puts our libmlx.so on the path; Python has its own.
        .env_remove("LD_LIBRARY_PATH")
        .output();
    match output {
        Ok(output) => assert!(
            output.status.success(),
            "{script} disagrees or does not run:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => panic!("{python} does not start: {error}"),
    }
}

#[test]
fn the_models_references_are_what_mlx_lm_computes() {
    check("models/make.py", &["--check", "--no-torch"]);
}

#[test]
fn the_samplers_references_are_what_mlx_lm_computes() {
    check("sampler/make.py", &["--check"]);
}
