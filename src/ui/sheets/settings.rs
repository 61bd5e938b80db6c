//! Theme, size and motion.

use egui::Ui;

use super::title_ui;
use crate::settings::ThemeChoice;
use crate::ui::command::Command;
use crate::ui::controls::{caption, segmented};
use crate::ui::picture::Scene;
use crate::ui::theme::space;

/// Sizes of everything, in percent.
const SCALES: [(&str, f32); 6] = [
    ("75 %", 0.75),
    ("100 %", 1.0),
    ("125 %", 1.25),
    ("150 %", 1.5),
    ("200 %", 2.0),
    ("300 %", 3.0),
];
/// Steps per second while it steps by itself.
const SPEEDS: [(&str, f32); 4] = [("½", 0.5), ("1", 1.0), ("2", 2.0), ("8", 8.0)];
/// Sizes of everything before a room, in percent.
const PRESENT_SCALES: [(&str, f32); 5] = [
    ("150 %", 1.5),
    ("175 %", 1.75),
    ("200 %", 2.0),
    ("250 %", 2.5),
    ("300 %", 3.0),
];
const THEMES: [(&str, ThemeChoice); 3] = [
    ("System", ThemeChoice::System),
    ("Light", ThemeChoice::Light),
    ("Dark", ThemeChoice::Dark),
];

/// Draws the sheet.
pub fn settings_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    ui.set_width(420.0_f32.min(ui.ctx().content_rect().width() - 80.0));
    title_ui(ui, scene, "Settings");
    let settings = scene.settings;
    choice_ui(ui, scene, "Theme", &THEMES, &settings.theme, Command::Theme);
    choice_ui(
        ui,
        scene,
        "Size of everything",
        &SCALES,
        &settings.scale,
        Command::Scale,
    );
    choice_ui(
        ui,
        scene,
        "Size before a room, when presenting",
        &PRESENT_SCALES,
        &settings.present_scale,
        Command::PresentScale,
    );
    choice_ui(
        ui,
        scene,
        "Steps per second, when it steps by itself",
        &SPEEDS,
        &settings.speed,
        Command::Speed,
    );
    let motion = [
        ("Things move when they change", true),
        ("Reduced: they jump", false),
    ];
    choice_ui(
        ui,
        scene,
        "Motion",
        &motion,
        &settings.motion,
        Command::Motion,
    );
}

fn choice_ui<T: PartialEq + Copy>(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    name: &str,
    options: &[(&str, T)],
    chosen: &T,
    command: impl Fn(T) -> Command,
) {
    caption(ui, name);
    let labels: Vec<&str> = options.iter().map(|(label, _)| *label).collect();
    let at = options.iter().position(|(_, option)| option == chosen);
    let clicked = segmented(ui, name, &labels, at.unwrap_or(usize::MAX - 1));
    if let Some((_, option)) = clicked.and_then(|at| options.get(at)) {
        scene.send(command(*option));
    }
    ui.add_space(space::SMALL);
}
