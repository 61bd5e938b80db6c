//! The program itself, run as a person or a script would run it.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a run left.
#[derive(Debug)]
pub struct Ran {
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// Exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// How long it took.
    pub took: Duration,
}

impl Ran {
    /// Standard output as JSON, one value per line.
    pub fn json_lines(&self) -> Vec<Value> {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Standard output as one JSON value.
    pub fn json(&self) -> Value {
        let mut lines = self.json_lines();
        assert_eq!(lines.len(), 1, "{self:?}");
        lines.remove(0)
    }

    /// The program ended by itself with code 1 and told one line, which holds each of `says`.
    #[track_caller]
    pub fn fails_saying(&self, says: &[&str]) {
        let lines: Vec<&str> = self
            .err
            .lines()
            .filter(|line| !line.starts_with("note: "))
            .collect();
        assert_eq!(self.code, Some(1), "{self:?}");
        assert_eq!(lines.len(), 1, "one sentence: {self:?}");
        let is_told = lines[0].starts_with("vitrine: ") || lines[0].starts_with("error: ");
        assert!(is_told && lines[0].len() > 40, "a clear sentence: {self:?}");
        for accident in ["panick", "RUST_BACKTRACE", "src/", "mistake of its own"] {
            assert!(!lines[0].contains(accident), "no accident: {self:?}");
        }
        for word in says {
            assert!(lines[0].contains(word), "{word:?} in {self:?}");
        }
        assert!(self.took < Duration::from_secs(10), "soon: {self:?}");
    }
}

/// The program in an empty folder, with no settings from outside.
pub fn vitrine(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vitrine"));
    command.args(args).current_dir(folder);
    command
        .env_remove("VITRINE_MODEL")
        .env_remove("DEFAULT_MODEL")
        .env_remove("HF_HUB_CACHE");
    // No settings of whoever runs the tests, and no window on their screen.
    command
        .env("HF_HOME", folder.join("no-cache"))
        .env("VITRINE_HOME", folder.join("no-settings"))
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY");
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .stdin(Stdio::null());
    command
}

/// Runs the program with `args` in a fresh empty folder.
pub fn run(args: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    finish(vitrine(folder.path(), args), "")
}

/// Runs the program with `stdin` coming through a pipe.
pub fn run_with_stdin(args: &[&str], stdin: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let mut command = vitrine(folder.path(), args);
    command.stdin(Stdio::piped());
    finish(command, stdin)
}

/// Runs `command` to its end; kills it, and fails, if it takes too long.
pub fn finish(mut command: Command, stdin: &str) -> Ran {
    let started = Instant::now();
    let mut child = command.spawn().unwrap();
    if let Some(mut pipe) = child.stdin.take() {
        // A program that has ended reads no more, which is no fault here.
        let _ = pipe.write_all(stdin.as_bytes());
    }
    let (out, err) = (reader(child.stdout.take()), reader(child.stderr.take()));
    let code = wait(&mut child, started);
    Ran {
        out: out.join().unwrap(),
        err: err.join().unwrap(),
        code,
        took: started.elapsed(),
    }
}

/// Waits for a child, but not for ever.
pub fn wait(child: &mut Child, started: Instant) -> Option<i32> {
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if started.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("the program did not end within {PATIENCE:?}");
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Reads a pipe to its end on a thread, so that the program never waits for us.
fn reader(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    let read = move || {
        let mut text = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut text).unwrap();
        }
        String::from_utf8_lossy(&text).into_owned()
    };
    let thread = thread::Builder::new().name("pipe-reader".into());
    thread.spawn(read).unwrap()
}
