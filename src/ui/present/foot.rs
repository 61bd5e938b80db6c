//! Which stop it is, and the keys at hand.

use egui::Ui;

use super::PresentCommand;
use crate::ui::command::Command;
use crate::ui::controls::{Button, text_button};
use crate::ui::icons::Icon;
use crate::ui::picture::Scene;
use crate::ui::state::Mode;
use crate::ui::theme::{Palette, Type, space};

/// Draws the foot.
pub fn foot_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let palette = Palette::of(ui);
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = space::SMALL;
        let back = Button::icon(Icon::Back, "The stop before");
        if back.show(ui, 24.0).clicked() {
            scene.send(Command::Presenting(PresentCommand::Back));
        }
        let next = Button::icon(Icon::Play, "The next stop");
        if next.show(ui, 24.0).clicked() {
            scene.send(Command::Presenting(PresentCommand::Next));
        }
        ui.label(Type::Body.text(stop_told(scene), palette.muted));
        if scene.view.present.is_frozen {
            ui.label(Type::Strong.text("Frozen", palette.role(crate::ui::theme::Role::Query)));
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if text_button(ui, "Leave").clicked() {
                scene.send(Command::Present(false));
            }
            let hints = "H heads · B black · F freeze · A answer · S spotlight · N notes";
            if ui.available_width() > 420.0 {
                ui.label(Type::Body.text(hints, palette.muted));
            }
        });
    });
}

/// `Stop 3 of 7 · Heads that copy`.
fn stop_told(scene: &Scene<'_>) -> String {
    if scene.view.mode == Mode::Lessons
        && let Some(open) = &scene.board.open
    {
        let (at, n) = (open.step + 1, open.titles.len());
        return format!("Stop {at} of {n} · {}", open.card.title);
    }
    let talk = &scene.talk.stops;
    match (scene.view.present.stop, talk.stops.len()) {
        (_, 0) => "No stops prepared: M keeps what is on view as one".to_owned(),
        (Some(at), n) => match talk.title.trim() {
            "" => format!("Stop {} of {n}", at + 1),
            title => format!("Stop {} of {n} · {title}", at + 1),
        },
        (None, 1) => "1 stop prepared: PgDn goes to it".to_owned(),
        (None, n) => format!("{n} stops prepared: PgDn goes to the first"),
    }
}
