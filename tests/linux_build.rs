//! The Linux build (`.cargo/linux`) says what is missing in one sentence, and repairs what was interrupted.
//!
//! Its parts are compiled into this test and run with a Python that only pretends: nothing is downloaded or built.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "the helpers of a test fail by panicking"
)]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

#[path = "../.cargo/linux/choice.rs"]
mod choice;
#[path = "../.cargo/linux/explain.rs"]
mod explain;
#[path = "../.cargo/linux/install.rs"]
mod install;

use choice::{LIBCLANG, Mlx, Wheels};
use install::Installation;
use tempfile::TempDir;

const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// A folder to install into, and the script that stands in for Python.
struct Bench {
    folder: TempDir,
}

impl Bench {
    /// `download` is what the script does, in shell, when it is asked to download; `$2` is the folder for the wheels.
    fn new(download: &str) -> Self {
        let bench = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        bench.script(&format!(
            r#"case "$*" in
                "-m pip --version") ;;
                "-m pip download "*)
                    echo "require_virtualenv=$PIP_REQUIRE_VIRTUALENV" >> "$0.log"
                    while [ "$1" != --dest ]; do shift; done
                    mkdir -p "$2" && {download} ;;
                "-m zipfile -e "*)
                    mkdir -p "$5/mlx/lib" "$5/mlx_cpu.dist-info"
                    printf library > "$5/mlx/lib/libmlx.so"
                    printf 'mlx/lib/libmlx.so,sha256=x,7\nmlx_cpu.dist-info/RECORD,,\n' > "$5/mlx_cpu.dist-info/RECORD" ;;
                *) exit 1 ;;
            esac"#
        ));
        bench
    }

    fn script(&self, text: &str) {
        write_script(&self.python(), text);
    }

    fn python(&self) -> PathBuf {
        self.folder.path().join("python3")
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("target/mlx-linux")
    }

    fn install(&self) -> Result<PathBuf, String> {
        self.install_with(self.python().as_os_str())
    }

    fn install_with(&self, python: &OsStr) -> Result<PathBuf, String> {
        Installation {
            wheels: &mlx_cpu(),
            home: &self.home(),
            triple: TRIPLE,
            python,
        }
        .ensure()
    }

    fn n_downloads(&self) -> usize {
        let log = fs::read_to_string(self.folder.path().join("python3.log"));
        log.map_or(0, |log| log.lines().count())
    }
}

/// Writes a shell script that can be run.
///
/// A process of its own does it: a script cannot be started while it is open for writing, and a test that runs beside
/// this one would inherit the open file for a moment when it starts a process.
fn write_script(path: &Path, text: &str) {
    let status = Command::new("sh")
        .args([
            "-c",
            r#"printf '#!/bin/sh\n%s\n' "$1" > "$2" && chmod +x "$2""#,
        ])
        .arg("sh")
        .arg(text)
        .arg(path)
        .status();
    assert!(status.unwrap().success());
}

const DOWNLOADS: &str = r#"touch "$2/mlx.whl""#;

fn mlx_cpu() -> Wheels {
    let mlx = Mlx::choose(|_| None, Path::new("/home")).unwrap();
    mlx.wheels.unwrap()
}

/// Fails unless `sentence` is one line, with all of `parts` in it.
fn assert_says(sentence: &str, parts: &[&str]) {
    assert_eq!(sentence.lines().count(), 1, "{sentence}");
    for part in parts {
        assert!(sentence.contains(part), "{part:?} is not in: {sentence}");
    }
}

#[test]
fn a_missing_python_is_named_with_its_package() {
    let sentence = Bench::new(DOWNLOADS)
        .install_with(OsStr::new("/nowhere/python3"))
        .unwrap_err();
    assert_says(
        &sentence,
        &["no Python", "python3-pip", "VITRINE_MLX_DIR", "mlx-cpu"],
    );
}

#[test]
fn a_python_without_pip_and_venv_is_named_with_the_package_to_install() {
    let bench = Bench::new(DOWNLOADS);
    bench.script("echo 'No module named pip' >&2; exit 1");
    assert_says(
        &bench.install().unwrap_err(),
        &["has no pip", "apt-get install python3-pip"],
    );
}

#[test]
fn a_python_without_pip_makes_one_in_a_virtual_environment() {
    let bench = Bench::new(DOWNLOADS);
    let whole = bench.folder.path().join("whole");
    fs::rename(bench.python(), &whole).unwrap();
    bench.script(&format!(
        r#"[ "$2" = venv ] && mkdir -p "$3/bin" && cp '{}' "$3/bin/python3""#,
        whole.display()
    ));
    assert!(bench.install().unwrap().join("mlx/lib/libmlx.so").is_file());
}

#[test]
fn what_pip_says_becomes_a_sentence_about_its_cause() {
    let no_wheel = "ERROR: No matching distribution found for mlx-cpu==0.0";
    let cases = [
        (
            format!(
                "WARNING: Retrying: NewConnectionError: Failed to establish a new connection\n{no_wheel}"
            ),
            vec!["cannot be reached", "network", "PIP_FIND_LINKS"],
        ),
        (
            no_wheel.to_owned(),
            vec!["has no mlx-cpu", "glibc 2.35", "64-bit Arm"],
        ),
        (
            "OSError: [Errno 28] No space left on device".to_owned(),
            vec!["is full", "60 MB", "CARGO_TARGET_DIR"],
        ),
        (
            "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] …".to_owned(),
            vec!["certificate", "PIP_CERT"],
        ),
        (
            "ERROR: HTTP error 403 while getting the wheel".to_owned(),
            vec!["HTTP error 403", "VITRINE_MLX_DIR"],
        ),
    ];
    for (said, parts) in cases {
        let said = said.replace('\'', "");
        let bench = Bench::new(&format!("printf '%s' '{said}' >&2; exit 1"));
        let sentence = bench.install().unwrap_err();
        assert_says(&sentence, &parts);
        assert_says(&sentence, &["pip.log"]);
        let log = fs::read_to_string(bench.home().join("pip.log")).unwrap();
        assert!(log.contains(&said), "{log}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let bench = Bench::new(DOWNLOADS);
    fs::write(bench.folder.path().join("target"), "a file").unwrap();
    let sentence = bench.install().unwrap_err();
    assert_says(&sentence, &["target/mlx-linux", "CARGO_TARGET_DIR"]);
}

#[test]
fn a_wheel_without_the_library_is_refused() {
    let bench = Bench::new("true");
    let sentence = bench.install().unwrap_err();
    assert_says(&sentence, &["mlx/lib/libmlx.so"]);
    assert!(!bench.home().join("cpu").exists());
}

#[test]
fn what_is_installed_is_kept() {
    let bench = Bench::new(DOWNLOADS);
    let first = bench.install().unwrap();
    assert_eq!(first, bench.home().join("cpu"));
    assert_eq!(bench.install().unwrap(), first);
    assert_eq!(bench.n_downloads(), 1);
    assert!(!bench.home().join("cpu.partial").exists());
}

#[test]
fn a_setting_that_forbids_pip_outside_virtual_environments_is_lifted() {
    let bench = Bench::new(DOWNLOADS);
    bench.install().unwrap();
    let log = fs::read_to_string(bench.folder.path().join("python3.log")).unwrap();
    assert_eq!(log, "require_virtualenv=0\n");
}

#[test]
fn an_interrupted_installation_repairs_itself() {
    let bench = Bench::new(DOWNLOADS);
    let left_over = bench.home().join("cpu.partial/unpacked/mlx");
    fs::create_dir_all(&left_over).unwrap();
    fs::create_dir_all(bench.home().join("cpu/mlx/lib")).unwrap();
    let installed = bench.install().unwrap();
    assert!(installed.join("mlx/lib/libmlx.so").is_file());
    assert!(!left_over.exists());
}

#[test]
fn a_damaged_or_outdated_installation_is_replaced() {
    let bench = Bench::new(DOWNLOADS);
    let installed = bench.install().unwrap();
    for (file, text) in [
        ("mlx/lib/libmlx.so", "libr"),
        ("installed.txt", "mlx-cpu 0.0.1 x86_64-unknown-linux-gnu\n"),
    ] {
        let before = fs::read_to_string(installed.join(file)).unwrap();
        fs::write(installed.join(file), text).unwrap();
        bench.install().unwrap();
        assert_eq!(fs::read_to_string(installed.join(file)).unwrap(), before);
    }
    assert_eq!(bench.n_downloads(), 3);
}

#[test]
fn two_builds_at_once_install_once() {
    let bench = Bench::new(&format!("sleep 0.3; {DOWNLOADS}"));
    thread::scope(|scope| {
        let builds = [
            scope.spawn(|| bench.install()),
            scope.spawn(|| bench.install()),
        ];
        for build in builds {
            build.join().unwrap().unwrap();
        }
    });
    assert_eq!(bench.n_downloads(), 1);
}

#[test]
fn the_library_lies_in_the_target_folder_whatever_its_layout() {
    for out in [
        "/t/debug/build/mlx-sys-1/out",
        "/t/release/build/mlx-sys/1/out",
        "/t/x86_64-unknown-linux-gnu/debug/build/mlx-sys-1/out",
    ] {
        let home = choice::home(Path::new(out), TRIPLE).unwrap();
        assert_eq!(home, Path::new("/t/mlx-linux"), "{out}");
    }
    assert_says(
        &choice::home(Path::new("/elsewhere"), TRIPLE).unwrap_err(),
        &["/elsewhere", "VITRINE_MLX_DIR"],
    );
}

#[test]
fn vitrine_mlx_names_the_wheels() {
    let package = |value: &str| {
        let env = |name: &str| (name == "VITRINE_MLX").then(|| value.to_owned());
        Mlx::choose(env, Path::new("/home")).map(|mlx| mlx.wheels.map(|wheels| wheels.package))
    };
    assert_eq!(package(""), Ok(Some("mlx-cpu")));
    assert_eq!(package("cpu"), Ok(Some("mlx-cpu")));
    assert_eq!(package("cuda"), Ok(Some("mlx-cuda-12")));
    assert_eq!(package("cuda13"), Ok(Some("mlx-cuda-13")));
    assert_says(
        &package("gpu").unwrap_err(),
        &["`gpu`", "`cpu`, `cuda`, `cuda12` or `cuda13`"],
    );
}

#[test]
fn vitrine_mlx_dir_takes_an_installation_or_an_unpacked_wheel() {
    let folder = tempfile::tempdir().unwrap();
    let choose = |dir: PathBuf| {
        let dir = dir.display().to_string();
        let env = |name: &str| (name == "VITRINE_MLX_DIR").then(|| dir.clone());
        Mlx::choose(env, Path::new("/home"))
    };
    assert_says(
        &choose(folder.path().into()).unwrap_err(),
        &["include/mlx/mlx.h", "lib/libmlx.so"],
    );
    assert_says(&choose("mlx".into()).unwrap_err(), &["full path"]);

    let root = folder.path().join("mlx");
    fs::create_dir_all(root.join("include/mlx")).unwrap();
    fs::create_dir_all(root.join("lib64")).unwrap();
    fs::write(root.join("include/mlx/mlx.h"), "").unwrap();
    fs::write(root.join("lib64/libmlx.so"), "").unwrap();
    for dir in [folder.path().to_path_buf(), root.clone()] {
        let mlx = choose(dir).unwrap();
        assert_eq!((mlx.lib, mlx.wheels), (root.join("lib64"), None));
    }
}

#[test]
fn the_versions_are_written_down() {
    for wheels in [mlx_cpu(), LIBCLANG] {
        assert_eq!(wheels.version().split('.').count(), 3, "{wheels:?}");
    }
}

#[test]
fn the_compiler_script_swaps_the_build_script_of_mlx_sys_alone() {
    let folder = tempfile::tempdir().unwrap();
    let rustc = folder.path().join("rustc");
    write_script(&rustc, "printf '%s\\n' \"$@\"");
    let linux = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cargo/linux");
    let called = |package: &str, krate: &str, source: &str| {
        let output = Command::new(linux.join("rustc"))
            .args(["--crate-name", krate, source, "--cfg", "a b"])
            .env("PATH", format!("{}:/usr/bin:/bin", folder.path().display()))
            .env_remove("RUSTUP_TOOLCHAIN")
            .env("CARGO_PKG_NAME", package)
            .env("CARGO_CRATE_NAME", krate)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        said.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let expected = |krate: &str, source: &str| {
        ["--crate-name", krate, source, "--cfg", "a b"].map(str::to_owned)
    };
    let ours = linux.canonicalize().unwrap().join("build.rs");
    let script = "build_script_build";
    assert_eq!(
        called("mlx-sys", script, "/registry/mlx-sys/build.rs"),
        expected(script, &ours.display().to_string())
    );
    for (package, krate, source) in [
        ("mlx-sys", "mlx_sys", "/registry/mlx-sys/src/lib.rs"),
        ("vitrine", script, "build.rs"),
    ] {
        assert_eq!(called(package, krate, source), expected(krate, source));
    }
}

#[test]
fn the_program_finds_its_library_when_it_is_started_by_hand() {
    let output = Command::new(env!("CARGO_BIN_EXE_vitrine"))
        .arg("--help")
        .env_clear()
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}
