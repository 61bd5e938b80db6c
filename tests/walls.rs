//! The walls of the house stand: which module may name which other, and who may touch MLX.
//!
//! Read from the sources as text, so that a wrong `use` fails here with its file and line.

use std::fs;
use std::path::{Path, PathBuf};

/// A module, the modules of this crate it may name, and whether it may name MLX or egui.
struct Room {
    name: &'static str,
    may_use: &'static [&'static str],
    mlx: bool,
    egui: bool,
}

/// Arrows point down: a room may name the rooms below it, never one above.
const HOUSE: [Room; 14] = [
    room("trace", &[]),
    room("tokenizer", &["trace"]),
    Room {
        mlx: true,
        ..room("model", &["trace"])
    },
    // hub opens a model's weight files, whose format is the model's own.
    room("hub", &["trace", "model::weights"]),
    Room {
        mlx: true,
        ..room("engine", &["trace", "tokenizer", "model", "hub"])
    },
    room("settings", &["trace"]),
    room("chat", &["trace"]),
    room("lesson", &["trace"]),
    room("export", &["trace", "lesson"]),
    // Stands in for the engine, so it names the engine's messages, and the sampler's arithmetic.
    room(
        "recorded",
        &[
            "trace",
            "engine::message",
            "engine::question",
            "engine::sampler",
        ],
    ),
    room("tutor", &["trace", "lesson", "engine", "model"]),
    Room {
        egui: true,
        // The engine and the hub in their messages alone.
        ..room(
            "ui",
            &[
                "trace",
                "settings",
                "chat",
                "engine::message",
                "engine::question",
                "hub::message",
                "lesson",
                "export",
            ],
        )
    },
    Room {
        egui: true,
        ..room(
            "app",
            &[
                "trace", "settings", "chat", "hub", "engine", "lesson", "tutor", "recorded",
                "export", "ui",
            ],
        )
    },
    room(
        "cli",
        &[
            "trace",
            "settings",
            "chat",
            "tokenizer",
            "model",
            "hub",
            "engine",
            "lesson",
            "tutor",
            "recorded",
            "export",
            "ui",
            "app",
        ],
    ),
];

const fn room(name: &'static str, may_use: &'static [&'static str]) -> Room {
    Room {
        name,
        may_use,
        mlx: false,
        egui: false,
    }
}

/// The files of a module: its own, and those of its folder.
fn files_of(room: &Room) -> Vec<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (file, folder) = (
        source.join(room.name).with_extension("rs"),
        source.join(room.name),
    );
    let mut files = Vec::new();
    if folder.is_dir() {
        files.extend(rust_files(&folder));
    }
    if file.is_file() {
        files.push(file);
    }
    assert!(!files.is_empty(), "there is no module {}", room.name);
    files
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The code of `line`, without a comment.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

/// What stands after each `crate::` in `code`.
fn names_in(code: &str) -> impl Iterator<Item = &str> {
    code.split("crate::").skip(1)
}

fn complaints(room: &Room) -> Vec<String> {
    let mut found = Vec::new();
    for file in files_of(room) {
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            let (code, place) = (code(line), format!("{}:{}", file.display(), number + 1));
            if !room.mlx && (code.contains("mlx_rs") || code.contains("mlx_sys")) {
                found.push(format!("{place}: {} must not name MLX", room.name));
            }
            if !room.egui && (code.contains("egui::") || code.contains("eframe::")) {
                found.push(format!("{place}: {} must not name egui", room.name));
            }
            for name in names_in(code) {
                let allowed = room.may_use.iter().chain([&room.name]);
                if !allowed.into_iter().any(|allowed| name.starts_with(allowed)) {
                    let name: String = name.chars().take(30).collect();
                    found.push(format!("{place}: {} must not name {name}", room.name));
                }
            }
        }
    }
    found
}

#[test]
fn arrows_point_down() {
    let complaints: Vec<String> = HOUSE.iter().flat_map(complaints).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn every_module_has_its_room() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let known = HOUSE.iter().any(|room| room.name == name);
        let is_root = name == "main" || name == "lib";
        assert!(
            known || is_root,
            "{name} has no place in the house: add it to HOUSE"
        );
    }
}

#[test]
fn a_wrong_arrow_would_be_seen() {
    let names: Vec<&str> = names_in("use crate::engine::Engine;").collect();
    assert_eq!(names, ["engine::Engine;"]);
    assert_eq!(code("let x = 1; // crate::engine"), "let x = 1; ");
}
