//! One entry of the glossary, and the way to its neighbours.

use egui::Ui;

use super::title_ui;
use crate::ui::command::Command;
use crate::ui::controls::{Button, caption, paragraph};
use crate::ui::picture::Scene;
use crate::ui::state::Overlay;
use crate::ui::theme::{Palette, Type, space};
use crate::ui::words::glossary;

/// Most neighbours that are offered.
const N_NEIGHBOURS: usize = 8;

/// Draws the entry called `name`.
pub fn term_ui(ui: &mut Ui, scene: &mut Scene<'_>, name: &str) {
    let palette = Palette::of(ui);
    ui.set_width(520.0_f32.min(ui.ctx().content_rect().width() - 80.0));
    title_ui(ui, scene, name);
    let Some(term) = glossary::term(name) else {
        return;
    };
    paragraph(ui, term.text);
    if let Some(code) = term.code {
        ui.add_space(space::TINY);
        ui.label(Type::MonoSmall.text(code, palette.muted));
    }
    let others = glossary::find(name);
    let others = others.into_iter().filter(|other| other.name != term.name);
    let others: Vec<_> = others.take(N_NEIGHBOURS).collect();
    if !others.is_empty() {
        ui.add_space(space::SMALL);
        caption(ui, "Terms that speak of it");
        ui.horizontal_wrapped(|ui| {
            for other in others {
                if Button::new(other.name).show(ui, space::TARGET).clicked() {
                    scene.send(Command::Overlay(Some(Overlay::Term(other.name))));
                }
            }
        });
    }
    ui.add_space(space::SMALL);
    let mut all = Button::new("Find another");
    all.key = "Ctrl K";
    if all.show(ui, space::TARGET).clicked() {
        scene.send(Command::Overlay(Some(Overlay::Palette)));
    }
}
