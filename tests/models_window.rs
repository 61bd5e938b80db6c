//! The Models tab, driven by what is written on it; the hub is a server on this machine.
//!
//! The engine looks for models where the environment says, so each test runs in a process of its own, whose
//! environment leads to an empty home.

mod common;
#[path = "common/window.rs"]
mod harness;
#[path = "hub/server.rs"]
#[allow(dead_code, reason = "the tests of the hub use the rest")]
mod server;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use egui::Key;
use egui_kittest::kittest::Queryable as _;
use harness::{Window, app, click, open, press, settle, start, wait};
use serde_json::json;
use server::{Server, Trouble};
use vitrine::hub::cache::ModelCache;
use vitrine::hub::environment::HubEnvironment;

const ID: &str = "school/classroom";
/// The field above the table.
const FIELD: &str = "Find on the hub, or type an id or a folder";
/// Set in the process that a test runs in.
const HOME: &str = "VITRINE_HOME";

/// Runs `test` in a process of its own, with an empty home.
fn at_home(name: &str, test: impl FnOnce(&Path)) {
    if std::env::var_os("VITRINE_TEST_AT_HOME").is_some() {
        return test(&PathBuf::from(std::env::var_os(HOME).unwrap()));
    }
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([name, "--exact", "--nocapture"]);
    command
        .env("VITRINE_TEST_AT_HOME", "1")
        .env(HOME, home.path());
    command.env("HF_HUB_CACHE", home.path().join("hub"));
    for variable in [
        "HF_TOKEN",
        "HF_HUB_OFFLINE",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
    ] {
        command.env_remove(variable);
    }
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && told.contains("1 passed"),
        "{told}\n{error}"
    );
}

/// The window on its Models tab, with `server` as the hub.
fn models(server: &Server, home: &Path) -> Window {
    let mut start = start();
    start.hub = Some(HubEnvironment {
        endpoint: server.endpoint(),
        token: None,
        is_offline: false,
        cache: ModelCache::new(home.join("hub")),
    });
    start.target = Some("models".parse().unwrap());
    let mut window = open(start);
    until(&mut window, "model tiny");
    window
}

/// Draws frames until something is called `label`.
fn until(window: &mut Window, label: &str) {
    let begun = std::time::Instant::now();
    while window.query_by_label(label).is_none() {
        window.step();
        std::thread::sleep(Duration::from_millis(5));
        let failures = app(window).failures();
        assert!(
            begun.elapsed().as_secs() < 60,
            "no {label:?}; the window says {failures:?}"
        );
    }
}

/// Looks for `text` with the field above the table.
fn find(window: &mut Window, text: &str) {
    window.get_by_label(FIELD).focus();
    window.step();
    window.get_by_label(FIELD).type_text(text);
    window.step();
    click(window, "Find");
}

/// Clicks what is called `label` once it rests: rows move while the list of models comes in.
fn press_button(window: &mut Window, label: &str) {
    let mut place = None;
    let mut n_rested = 0;
    while n_rested < 10 {
        window.step();
        std::thread::sleep(Duration::from_millis(5));
        let now = Some(window.get_by_label(label).rect());
        n_rested = if now == place { n_rested + 1 } else { 0 };
        place = now;
    }
    window.get_by_label(label).click();
    window.step();
}

fn runs(window: &mut Window, model: &str) {
    let name = model.to_owned();
    wait(window, "the other model", move |app| {
        app.run().is_some_and(|run| run.model == name)
    });
    settle(window);
}

#[test]
fn a_model_is_found_got_used_and_removed() {
    at_home("a_model_is_found_got_used_and_removed", |home| {
        let server = Server::start();
        server.add_classroom(ID);
        server.finds(json!([{"id": ID, "config": {"model_type": "qwen2"}, "downloads": 12}]));
        let slow = Trouble::Slow(16_000, Duration::from_millis(20));
        server.trouble("model.safetensors", vec![slow; 40]);
        let mut window = models(&server, home);
        find(&mut window, ID);
        window.get_by_label_contains("12 downloads last month");

        // What it would fetch, before it is fetched.
        click(&mut window, "What would be fetched?");
        window.get_by_label_contains("are free on the disk");
        window.get_by_label("model.safetensors");
        press_button(&mut window, &format!("Get {ID}"));
        until(&mut window, &format!("Pause {ID}"));
        until(&mut window, "On its way");
        press_button(&mut window, &format!("Pause {ID}"));
        until(&mut window, "Paused");
        server.calm();
        press_button(&mut window, &format!("Go on {ID}"));
        until(&mut window, &format!("Use {ID}"));

        // It takes the place of the one in use, which is given up; the prompt and the tab stay.
        let ids = app(&window).run().unwrap().ids.clone();
        press_button(&mut window, &format!("Use {ID}"));
        runs(&mut window, ID);
        assert_eq!(app(&window).run().unwrap().ids, ids);
        window.get_by_label("In use");
        window.get_by_label_contains("Use another model first");

        click(&mut window, "Close what was found");
        press_button(&mut window, "Use classroom");
        runs(&mut window, "classroom");
        // The field filters the table, without asking the hub.
        window.get_by_label(FIELD).focus();
        window.step();
        window.get_by_label(FIELD).type_text(ID);
        window.step();
        click(&mut window, &format!("model {ID}"));
        let remove = window.get_by_label_contains("Remove, frees 2.");
        remove.click();
        settle(&mut window);
        click(&mut window, "Yes, remove it");
        window.get_by_label_contains("are free again");
        assert!(!home.join("hub/models--school--classroom").exists());
        assert_eq!(app(&window).failures(), Vec::<String>::new());
    });
}

#[test]
fn a_download_that_fails_or_is_cancelled_says_so_and_goes_on_later() {
    let name = "a_download_that_fails_or_is_cancelled_says_so_and_goes_on_later";
    at_home(name, |home| {
        let server = Server::start();
        for id in [ID, "school/gated"] {
            server.add_classroom(id);
        }
        server.gate("school/gated", "hf_right");
        server.finds(json!([
            {"id": ID, "config": {"model_type": "qwen2"}},
            {"id": "school/gated", "gated": "manual", "config": {"model_type": "strange"}},
        ]));
        let mut window = models(&server, home);
        find(&mut window, "school");
        window.get_by_label("runs here");
        window.get_by_label("cannot run yet");
        press_button(&mut window, "Get school/gated");
        until(&mut window, "Try again school/gated");
        let failures = app(&window).failures();
        assert!(failures[0].contains("HF_TOKEN"), "{failures:?}");

        let slow = Trouble::Slow(16_000, Duration::from_millis(20));
        server.trouble("model.safetensors", vec![slow; 40]);
        press_button(&mut window, &format!("Get {ID}"));
        until(&mut window, "On its way");
        press_button(&mut window, "Cancel");
        until(&mut window, "Stopped; what arrived is kept");
        server.calm();
        press_button(&mut window, &format!("Go on {ID}"));
        until(&mut window, &format!("Use {ID}"));
    });
}

#[test]
fn a_model_that_cannot_be_loaded_leaves_the_one_in_use() {
    at_home(
        "a_model_that_cannot_be_loaded_leaves_the_one_in_use",
        |home| {
            let server = Server::start();
            let broken = common::broken::classroom();
            // Noticed only when weights are read: by then the old model had to make room.
            common::broken::set_config(broken.path(), "num_hidden_layers", json!(7));
            let folder = broken.path().display().to_string();
            let mut window = models(&server, home);
            find(&mut window, &folder);
            let ids = app(&window).run().unwrap().ids.clone();
            press_button(&mut window, &format!("Use {folder}"));
            wait(&mut window, "the complaint", |app| {
                !app.failures().is_empty()
            });
            settle(&mut window);
            let failures = app(&window).failures();
            assert!(failures[0].contains("model.layers.6"), "{failures:?}");
            let run = app(&window).run().unwrap();
            assert_eq!((run.model.as_str(), &run.ids), ("classroom", &ids));
            window.get_by_label(&format!("Use {folder}"));
            click(&mut window, "Explore");
            press(&mut window, Key::ArrowRight);
            press(&mut window, Key::ArrowRight);
            assert_eq!(harness::place(&window), "embed");
            assert!(
                app(&window)
                    .run()
                    .unwrap()
                    .has_stage(0, vitrine::trace::Stage::Embed)
            );

            // A path that leads nowhere is told of under the field.
            click(&mut window, "Models");
            window.get_by_label(FIELD).focus();
            window.key_press_modifiers(egui::Modifiers::COMMAND, Key::A);
            window.step();
            find(&mut window, "./nowhere");
            window.get_by_label_contains("no folder ./nowhere");
        },
    );
}
