//! The model's special tokens, and where they stand in this text.

use egui::{Ui, vec2};

use crate::engine::question::Told;
use crate::ui::picture::{Scene, ready_ui};
use crate::ui::pictures::kit::note_ui;
use crate::ui::roles::template;
use crate::ui::theme::{Palette, Role, Type, space};

/// The model's special tokens, and where they stand in this text.
pub(super) fn specials_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let palette = Palette::of(ui);
    let asked = scene.ask(&template(&scene.settings.prompt.clone()));
    let Some(told) = ready_ui(ui, asked) else {
        return;
    };
    let Told::Template(view) = &*told else {
        return;
    };
    note_ui(
        ui,
        "Special tokens have an id like all others, but no merge makes them. Text that is written exactly like one is read as one.",
    );
    ui.add_space(space::SMALL);
    for special in &view.special_tokens {
        let places: Vec<usize> = (0..scene.run.ids.len())
            .filter(|at| scene.run.ids.get(*at) == Some(&special.id))
            .collect();
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing = vec2(space::MEDIUM, 0.0);
            ui.add_sized(
                [60.0, 22.0],
                egui::Label::new(Type::Mono.text(special.id.to_string(), palette.muted)),
            );
            ui.label(Type::Mono.text(&special.content, palette.role(Role::Attention)));
            let told = match places.as_slice() {
                [] => "not in this text".to_owned(),
                [one] => format!("at position {one}"),
                many => format!(
                    "at {} positions, first at {}",
                    many.len(),
                    many.first().copied().unwrap_or_default()
                ),
            };
            ui.label(Type::Body.text(told, palette.muted));
        });
    }
}
