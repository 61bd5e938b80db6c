//! Modes that have no page of their own yet: what will be there, and what does it today.

use egui::Ui;

use super::chat::ChatPage;
use super::command::Command;
use super::controls::{Button, card, paragraph};
use super::picture::Scene;
use super::state::Mode;
use super::theme::{Palette, Type, space};

/// What the pages of the modes remember between two frames.
#[derive(Default)]
pub struct Pages {
    /// Of the chat.
    pub chat: ChatPage,
}

/// Draws the page of a mode.
pub fn page_ui(ui: &mut Ui, scene: &mut Scene<'_>, mode: Mode) {
    let palette = Palette::of(ui);
    let (sentence, today, command) = told(mode);
    ui.set_max_width(560.0);
    ui.label(Type::Title.text(mode.name(), palette.text));
    ui.label(Type::Body.text(sentence, palette.muted));
    ui.add_space(space::MEDIUM);
    card(ui).show(ui, |ui| {
        paragraph(ui, today);
        ui.add_space(space::TINY);
        ui.horizontal(|ui| {
            ui.label(Type::Mono.text(command, palette.text));
            if Button::new("Copy").show(ui, space::TARGET).clicked() {
                scene.send(Command::Copy(command.to_owned()));
            }
        });
    });
    ui.add_space(space::MEDIUM);
    if Button::new("Back to the explorer")
        .show(ui, space::TARGET)
        .clicked()
    {
        scene.send(Command::Mode(Mode::Explore));
    }
}

/// What a mode is for, what does it today, and the command.
fn told(mode: Mode) -> (&'static str, &'static str, &'static str) {
    match mode {
        Mode::Explore | Mode::Chat => ("Stepping through a pass.", "It is here.", "vitrine"),
        Mode::Lessons => (
            "Lessons beside the same live pictures.",
            "The window has no lessons yet. In a terminal one can step through a pass:",
            "vitrine step \"The capital of France is\"",
        ),
        Mode::Models => (
            "What runs on this machine.",
            "It is here.",
            "vitrine models",
        ),
    }
}
