//! Which stop it is, and the keys at hand.

use egui::Ui;

use super::PresentCommand;
use crate::ui::command::Command;
use crate::ui::controls::{Button, text_button};
use crate::ui::icons::Icon;
use crate::ui::picture::Scene;
use crate::ui::state::Mode;
use crate::ui::theme::{Palette, Role, Type, space};

/// Below this width there is room for the stop, and no more.
const NARROW: f32 = 520.0;

/// Draws the foot.
pub fn foot_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let palette = Palette::of(ui);
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = space::SMALL;
        let size = (ui.available_height() - 4.0).min(24.0);
        let back = Button::icon(Icon::Back, "The stop before");
        if back.show(ui, size).clicked() {
            scene.send(Command::Presenting(PresentCommand::Back));
        }
        let next = Button::icon(Icon::Play, "The next stop");
        if next.show(ui, size).clicked() {
            scene.send(Command::Presenting(PresentCommand::Next));
        }
        let is_narrow = ui.available_width() < NARROW;
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if text_button(ui, "Leave").clicked() {
                scene.send(Command::Present(false));
            }
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                told_ui(ui, scene, is_narrow);
                let hints = Type::Body.text(hints(scene.view.mode), palette.muted);
                let galley = egui::WidgetText::from(hints).into_galley(
                    ui,
                    Some(egui::TextWrapMode::Extend),
                    f32::INFINITY,
                    egui::TextStyle::Body,
                );
                // All of them, or none.
                if galley.size().x + space::LARGE < ui.available_width() {
                    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                        ui.label(galley);
                    });
                }
            });
        });
    });
}

/// Which stop it is; while the picture is frozen, that it is: where the speaker is by now is not said.
fn told_ui(ui: &mut Ui, scene: &Scene<'_>, is_narrow: bool) {
    let palette = Palette::of(ui);
    let text = match scene.view.present.is_frozen {
        true if is_narrow => Type::Strong.text("Frozen", palette.role(Role::Query)),
        true => {
            let told = "Frozen: what you do is shown after F";
            Type::Strong.text(told, palette.role(Role::Query))
        }
        false => Type::Body.text(stop_told(scene, is_narrow), palette.muted),
    };
    ui.add(egui::Label::new(text).truncate());
}

/// The keys that do something in this mode.
fn hints(mode: Mode) -> &'static str {
    match mode {
        Mode::Lessons => "A answer · H heads · B black · F freeze · S spotlight · N notes",
        _ => "H heads · B black · F freeze · S spotlight · N notes · M keep",
    }
}

/// `Stop 3 of 7 · Heads that copy`.
fn stop_told(scene: &Scene<'_>, is_narrow: bool) -> String {
    if scene.view.mode == Mode::Lessons
        && let Some(open) = &scene.board.open
    {
        let (at, n) = (open.step + 1, open.titles.len());
        return match is_narrow {
            true if open.is_over => "The end".to_owned(),
            false if open.is_over => format!("End of the lesson · {}", open.card.title),
            true => format!("{at} of {n}"),
            false => format!("Stop {at} of {n} · {}", open.card.title),
        };
    }
    let talk = &scene.talk.stops;
    match (scene.view.present.stop, talk.stops.len()) {
        (_, 0) if is_narrow => "M keeps a stop".to_owned(),
        (Some(at), n) if is_narrow => format!("{} of {n}", at + 1),
        (None, n) if is_narrow => format!("{n} to go"),
        (_, 0) => "No stops prepared: M keeps what is on view as one".to_owned(),
        (Some(at), n) => match talk.title.trim() {
            "" => format!("Stop {} of {n}", at + 1),
            title => format!("Stop {} of {n} · {title}", at + 1),
        },
        (None, 1) => "1 stop prepared: PgDn goes to it".to_owned(),
        (None, n) => format!("{n} stops prepared: PgDn goes to the first"),
    }
}
