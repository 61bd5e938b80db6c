//! A run as a page: small, whole in itself, and in a browser equal to the trace it was made of.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::vitrine::{finish, run, vitrine};
use vitrine::trace::file::Trace;

/// A run of 64 tokens as a trace and as a page.
fn exported(folder: &Path) -> (PathBuf, PathBuf) {
    let (trace, page) = (folder.join("run.safetensors"), folder.join("run.html"));
    let (trace_name, page_name) = (trace.display().to_string(), page.display().to_string());
    let prompt = "When Anna and Tom went to the park, Tom gave a book to";
    let hooks = "hook_embed,*hook_pattern,unembed.hook_out";
    let args = [
        "trace",
        "--raw",
        "--temp",
        "0.8",
        // A draw that does not end before the 64th token.
        "--seed",
        "1",
        "--steps",
        "50",
        "--hooks",
        hooks,
        "--out",
        &trace_name,
        prompt,
    ];
    let ran = finish(vitrine(folder, &args), "");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let args = [
        "export",
        "page",
        "--trace",
        &trace_name,
        "--out",
        &page_name,
    ];
    let ran = finish(vitrine(folder, &args), "");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    (trace, page)
}

/// The browser that the system has.
fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("VITRINE_CHROMIUM").map(PathBuf::from);
    let known = [
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
    ];
    let known = known.into_iter().map(PathBuf::from);
    named.into_iter().chain(known).find(|path| path.is_file())
}

#[test]
fn a_page_is_small_fetches_nothing_and_tells_the_numbers_of_its_trace() {
    let folder = tempfile::tempdir().unwrap();
    let (trace, page) = exported(folder.path());
    let n_tokens = Trace::open(&trace).unwrap().meta.tokens.len();
    assert_eq!(n_tokens, 64);
    let text = std::fs::read_to_string(&page).unwrap();
    assert!(text.len() < 5_000_000, "{} bytes", text.len());
    for outside in ["http://", "https://", "src=\"", "@import", "url("] {
        assert!(!text.contains(outside), "{outside} in the page");
    }
    let full = std::env::var("VITRINE_FULL_TESTS").is_ok_and(|full| full == "1");
    let Some(chromium) = chromium() else {
        assert!(
            !full,
            "Chromium is missing: apt-get install chromium, or name one in VITRINE_CHROMIUM"
        );
        println!("skipped: no Chromium");
        return;
    };
    let python = std::env::var("VITRINE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has_packages = Command::new(&python)
        .args(["-c", "import safetensors.numpy"])
        .env_remove("LD_LIBRARY_PATH")
        .output()
        .is_ok_and(|ran| ran.status.success());
    if !has_packages {
        assert!(!full, "Python with safetensors and numpy is missing");
        println!("skipped: no Python with safetensors and numpy");
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page/page.py");
    let ran = Command::new(python)
        .arg(script)
        .args([&chromium, &page, &trace])
        // Cargo puts our libmlx.so on the path; Python has its own.
        .env_remove("LD_LIBRARY_PATH")
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
    assert!(ran.status.success(), "{out}{err}");
    println!("{out}");
}

#[test]
fn values_open_in_numpy() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pattern.npy").display().to_string();
    let table = folder.path().join("pattern.csv").display().to_string();
    for out in [&file, &table] {
        let args = [
            "export",
            "values",
            "blocks.2.attn.hook_pattern[3]",
            "--raw",
            "--prompt",
            "The capital of France is",
            "--out",
            out,
        ];
        let ran = run(&args);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
    }
    let text = std::fs::read_to_string(&table).unwrap();
    assert!(
        text.starts_with("query_pos,0,1,2,3,4\n0,1,0,0,0,0\n"),
        "{text}"
    );
    let full = std::env::var("VITRINE_FULL_TESTS").is_ok_and(|full| full == "1");
    let python = std::env::var("VITRINE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let program = "import sys, numpy; a = numpy.load(sys.argv[1]); \
                   t = numpy.loadtxt(sys.argv[2], delimiter=',', skiprows=1, dtype='f4')[:, 1:]; \
                   print(a.shape, a.dtype, bool((a == t).all()), bool(abs(a.sum(-1) - 1).max() < 1e-6))";
    let ran = Command::new(python)
        .args(["-c", program, &file, &table])
        .env_remove("LD_LIBRARY_PATH")
        .output();
    match ran {
        Ok(ran) if ran.status.success() => {
            let told = String::from_utf8_lossy(&ran.stdout);
            assert_eq!(told.trim(), "(5, 5) float32 True True");
        }
        _ if full => panic!("Python with numpy is missing: {ran:?}"),
        _ => println!("skipped: no Python with numpy"),
    }
}

#[test]
fn what_cannot_be_exported_is_told_in_a_sentence() {
    run(&[
        "export",
        "values",
        "hook_embed",
        "--prompt",
        "x",
        "--out",
        "x.xlsx",
    ])
    .fails_saying(&[".csv or .npy"]);
    run(&["export", "picture", "tokens", "x", "--out", "x.png"])
        .fails_saying(&["name the file .svg", "--screenshot x.png"]);
    run(&[
        "export",
        "page",
        "--trace",
        "none.safetensors",
        "--out",
        "x.html",
    ])
    .fails_saying(&["cannot open the trace"]);
    run(&["open", "moon=3"]).fails_saying(&["'moon='", "raw="]);
    run(&["open", "none.safetensors"]).fails_saying(&["cannot open the trace"]);
}
