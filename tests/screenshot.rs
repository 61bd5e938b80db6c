//! Pictures of the window from the command line, and what is said where there is no display.

mod common;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::vitrine::{Ran, finish, vitrine};

/// A display in memory; it goes when this is dropped.
struct Screen {
    server: Child,
    name: String,
}

impl Screen {
    /// `None` where there is no Xvfb; `.ci/run` installs it.
    fn open() -> Option<Self> {
        let args = [
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1600x1000x24",
            "-nolisten",
            "tcp",
        ];
        let server = Command::new("Xvfb")
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut server) = server else {
            let must = std::env::var("VITRINE_FULL_TESTS").is_ok_and(|full| full == "1");
            assert!(!must, "VITRINE_FULL_TESTS=1 needs Xvfb");
            eprintln!("skipped: needs Xvfb");
            return None;
        };
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap())
            .read_line(&mut number)
            .unwrap();
        let name = format!(":{}", number.trim());
        Some(Self { server, name })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

/// Runs the program on `display`, or on none.
fn on_display(display: Option<&str>, folder: &Path, args: &[&str]) -> Ran {
    let mut command = vitrine(folder, args);
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
        command.env_remove(name);
    }
    command
        .env("VITRINE_HOME", folder.join("settings"))
        .env("LIBGL_ALWAYS_SOFTWARE", "1");
    if let Some(display) = display {
        command.env("DISPLAY", display);
    }
    finish(command, "")
}

fn picture(file: &Path) -> (u32, u32, Vec<u8>) {
    let mut reader = png::Decoder::new(BufReader::new(File::open(file).unwrap()))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    (info.width, info.height, pixels)
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_display_one_sentence_names_what_works_without() {
    let folder = tempfile::tempdir().unwrap();
    let ran = on_display(None, folder.path(), &[]);
    ran.fails_saying(&["no display", "vitrine chat", "vitrine step"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_display_that_does_not_answer_is_told_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let ran = on_display(Some(":4711"), folder.path(), &[]);
    ran.fails_saying(&["window", "vitrine chat"]);
}

#[test]
fn places_are_listed_with_their_tabs() {
    let folder = tempfile::tempdir().unwrap();
    let ran = on_display(None, folder.path(), &["--list-places"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for place in [
        "text",
        "blocks.N.attn.hook_pattern",
        "kv-cache",
        "compare",
        "chat",
    ] {
        assert!(
            ran.out
                .lines()
                .any(|line| line.split(' ').next() == Some(place)),
            "{place}"
        );
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_state_is_drawn_to_a_file_and_the_program_ends() {
    let Some(screen) = Screen::open() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("attention.png");
    let path = file.to_str().unwrap();
    let at = "blocks.2.attn.hook_pattern[3, 10, 9]";
    let args = [
        "--at",
        at,
        "--theme",
        "dark",
        "--size",
        "1280x800",
        "--screenshot",
        path,
    ];
    let ran = on_display(Some(&screen.name), folder.path(), &args);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let (width, height, pixels) = picture(&file);
    assert_eq!((width, height), (1280, 800));
    // The dark background, and the hue of attention somewhere on it.
    assert_eq!(pixels[..3], [0x12, 0x14, 0x18]);
    let is_violet = |pixel: &[u8]| pixel[2] > 200 && pixel[0] > 150 && pixel[1] < 180;
    assert!(
        pixels
            .chunks_exact(3)
            .filter(|pixel| is_violet(pixel))
            .count()
            > 500
    );
    assert!(
        !folder.path().join("settings").exists(),
        "a picture leaves no settings"
    );
}
