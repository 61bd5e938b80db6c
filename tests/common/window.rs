//! The window as a test drives it: the real app with the real engine, drawn without being painted.

#![allow(dead_code, reason = "each test binary uses a part of this")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::{Key, Vec2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use vitrine::app::{App, Start};
use vitrine::engine::question::ModelChoice;
use vitrine::model::linear::Kernels;
use vitrine::settings::Settings;
use vitrine::ui::state::ViewState;
use vitrine::ui::theme;

/// A window on the embedded model.
pub type Window = Harness<'static, Option<App>>;

/// Nothing here takes longer, even on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// The first start, with nothing saved.
pub fn start() -> Start {
    let settings = Settings {
        motion: false,
        ..Settings::default()
    };
    let model = ModelChoice {
        name: "classroom".to_owned(),
        kernels: Kernels::Auto,
    };
    Start {
        view: ViewState::default(),
        ..Start::new(settings, model)
    }
}

/// Opens the window and waits until it has its run.
pub fn open(start: Start) -> Window {
    open_sized(start, vec2(1280.0, 800.0))
}

/// Opens a window of another size, in points.
pub fn open_sized(start: Start, size: Vec2) -> Window {
    let mut start = Some(start);
    let draw = move |ui: &mut egui::Ui, app: &mut Option<App>| {
        if let Some(start) = start.take() {
            *app = Some(App::new(ui.ctx(), start).unwrap());
        }
        app.as_mut().unwrap().ui(ui);
    };
    let builder = Harness::builder().with_size(size);
    let builder = builder
        .with_context_setup(theme::install)
        .allow_missing_glyphs();
    let mut window = builder.build_ui_state(draw, None);
    wait(&mut window, "the run to be opened", |app| {
        app.run().is_some()
    });
    settle(&mut window);
    window
}

/// The app in it.
pub fn app(window: &Window) -> &App {
    window.state().as_ref().unwrap()
}

/// Draws frames until `is_there` holds.
pub fn wait(window: &mut Window, what: &str, is_there: impl Fn(&App) -> bool) {
    let begun = Instant::now();
    loop {
        window.step();
        if is_there(app(window)) {
            return;
        }
        let failures = app(window).failures();
        assert!(
            begun.elapsed() < DEADLINE,
            "waited for {what}; the window says {failures:?}"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Draws frames until nothing is under way any more.
pub fn settle(window: &mut Window) {
    for _ in 0..4 {
        wait(window, "everything to be answered", App::is_settled);
    }
}

/// Presses a key, and waits until all is answered.
pub fn press(window: &mut Window, key: Key) {
    window.key_press(key);
    window.step();
    settle(window);
}

/// Presses a key with others that are held.
pub fn press_with(window: &mut Window, modifiers: egui::Modifiers, key: Key) {
    window.key_press_modifiers(modifiers, key);
    window.step();
    settle(window);
}

/// Clicks what is called `label`, and waits until all is answered.
pub fn click(window: &mut Window, label: &str) {
    window.get_by_label(label).click();
    window.step();
    settle(window);
}

/// A file as a file manager drops it.
#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

/// Drops a file on the window, and waits until all is answered.
pub fn drop_file(window: &mut Window, file: &Path) {
    let dropped = Arc::new(Dropped(file.to_owned()));
    window.input_mut().dropped_files.push(dropped);
    window.step();
    settle(window);
}

/// Opens the palette, types, and chooses the first that is found.
pub fn find(window: &mut Window, typed: &str) {
    window.key_press_modifiers(egui::Modifiers::COMMAND, Key::K);
    window.step();
    window.step();
    window.get_by_label("Find anything").type_text(typed);
    window.step();
    window.step();
    press(window, Key::Enter);
}

/// The address on view.
pub fn place(window: &Window) -> String {
    app(window).view().spot.to_string()
}

/// Opens the window at an address, at token 10 of the example: " gave".
pub fn open_at(place: &str) -> Window {
    let mut start = start();
    start.target = Some(place.parse().unwrap());
    start.token = Some(10);
    open(start)
}
