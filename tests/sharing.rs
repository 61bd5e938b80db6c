//! What is saved from the window: each file is what was asked for, when it was asked for.

#[path = "common/window.rs"]
mod window;

use std::path::{Path, PathBuf};

use egui_kittest::kittest::Queryable as _;
use vitrine::trace::file::{Precision, TraceFile};
use vitrine::ui::command::{Command, Pointing};
use vitrine::ui::share::Share;

fn send(shown: &mut window::Window, command: Command) {
    shown.state_mut().as_mut().unwrap().send(command);
}

fn wish(shown: &mut window::Window, wish: Share) {
    send(shown, Command::Share(wish));
}

fn names(path: &Path) -> Vec<String> {
    let file = TraceFile::open(path).unwrap();
    file.names().map(str::to_owned).collect()
}

#[test]
fn two_saves_in_a_row_keep_their_own_file_and_choice() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second, page] = ["first.safetensors", "second.safetensors", "first.html"]
        .map(|name| folder.path().join(name));
    let mut shown = window::open_at("unembed");
    let save = |path: &PathBuf, hooks: &[&str], precision| Share::SaveRun {
        path: path.clone(),
        hooks: hooks.iter().map(|hook| hook.parse().unwrap()).collect(),
        precision,
    };
    let hooks = ["hook_embed", "blocks.1.attn.hook_q"];
    wish(&mut shown, save(&first, &hooks, Precision::F32));
    wish(&mut shown, Share::SavePage(page.clone()));
    let hooks = ["blocks.2.attn.hook_pattern"];
    wish(&mut shown, save(&second, &hooks, Precision::F16));
    shown.step();
    window::settle(&mut shown);
    assert_eq!(names(&first), ["blocks.1.attn.hook_q", "hook_embed"]);
    assert_eq!(names(&second), ["blocks.2.attn.hook_pattern"]);
    let text = std::fs::read_to_string(&page).unwrap();
    assert!(text.contains("blocks.5.attn.hook_pattern"));
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 3, "nothing unfinished stays behind");
}

#[test]
fn a_saved_picture_shows_the_chosen_cell_wherever_the_pointer_lies() {
    let folder = tempfile::tempdir().unwrap();
    let [plain, hovered] = ["plain.svg", "hovered.svg"].map(|name| folder.path().join(name));
    let mut shown = window::open_at("blocks.2.attn.hook_pattern");
    send(&mut shown, Command::Point(Pointing::Key(Some(4))));
    shown.step();
    wish(&mut shown, Share::SavePicture(plain.clone()));
    shown.step();
    window::settle(&mut shown);
    let other = "blocks.2.attn.hook_pattern[3, 2, 1]".parse().unwrap();
    send(&mut shown, Command::Point(Pointing::Hover(Some(other))));
    wish(&mut shown, Share::SavePicture(hovered.clone()));
    shown.step();
    window::settle(&mut shown);
    let read = |path| std::fs::read_to_string(path).unwrap();
    assert!(read(&plain) == read(&hovered), "the pointer changed it");
}

#[test]
fn a_file_that_is_there_takes_a_second_press_and_a_name_gets_its_ending() {
    let folder = tempfile::tempdir().unwrap();
    let named = folder.path().join("mine");
    let page = folder.path().join("mine.html");
    std::fs::write(&page, "old").unwrap();
    let mut shown = window::open_at("unembed");
    window::press(&mut shown, egui::Key::S);
    window::click(&mut shown, "Page");
    shown.get_by_label("File").focus();
    shown.get_by_label("File").click();
    shown.step();
    window::press_with(&mut shown, egui::Modifiers::COMMAND, egui::Key::A);
    let text = named.display().to_string();
    shown.get_by_label("File").type_text(&text);
    shown.step();
    window::click(&mut shown, "Save the page");
    assert_eq!(std::fs::read_to_string(&page).unwrap(), "old");
    window::click(&mut shown, "Overwrite mine.html");
    assert!(std::fs::read_to_string(&page).unwrap().len() > 1000);
    assert!(!named.exists());
}

#[test]
fn a_view_that_cannot_be_opened_says_why_and_changes_nothing() {
    let mut shown = window::open_at("blocks.2.attn.hook_pattern");
    shown.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::K);
    shown.step();
    shown.step();
    let field = shown.get_by_label("Find anything");
    field.type_text("raw=\"x at=blocks.99");
    shown.step();
    shown.step();
    shown.get_by_label_contains("the quotes after raw= do not close");
    window::press(&mut shown, egui::Key::Escape);

    let seen = |shown: &window::Window| {
        let app = window::app(shown);
        (window::place(shown), app.run().unwrap().ids.clone())
    };
    let before = seen(&shown);
    window::find(&mut shown, "model=nosuch raw=\"x\" at=tokens");
    let failures = window::app(&shown).failures();
    let is_named = failures.iter().any(|why| why.contains("nosuch"));
    assert!(is_named, "{failures:?}");
    assert_eq!(seen(&shown), before);
}

#[test]
fn a_recording_comes_back_where_a_view_cannot_be_opened_and_says_what_runs_when_it_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let mut shown = window::open_at("unembed");
    let save = Share::SaveRun {
        path: path.clone(),
        hooks: vec!["blocks.2.attn.hook_pattern".parse().unwrap()],
        precision: Precision::F32,
    };
    wish(&mut shown, save);
    shown.step();
    window::settle(&mut shown);
    window::drop_file(&mut shown, &path);
    window::find(&mut shown, "blocks.2.attn.hook_pattern");
    let before = window::place(&shown);
    window::find(&mut shown, "model=nosuch raw=\"x\" at=tokens");
    shown.get_by_label("Recorded run");
    assert_eq!(window::place(&shown), before);

    let beyond = vitrine::trace::debug::DebugCommand::Tokens(5);
    send(&mut shown, Command::Tell(beyond));
    shown.step();
    window::settle(&mut shown);
    let failures = window::app(&shown).failures();
    let is_told = failures.iter().any(|why| why.contains("recording ends"));
    assert!(is_told, "{failures:?}");
    let prompt = vitrine::settings::PromptSettings {
        text: "I love".to_owned(),
        ..Default::default()
    };
    send(&mut shown, Command::Open(prompt));
    shown.step();
    window::settle(&mut shown);
    shown.get_by_label_contains("this runs on classroom");
    assert!(shown.query_by_label("Recorded run").is_none());
    let failures = window::app(&shown).failures();
    assert!(failures.is_empty(), "{failures:?}");
}
