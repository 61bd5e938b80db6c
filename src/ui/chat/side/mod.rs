//! With what the next answer is made: system prompt, presets, sampling, limits, the KV cache. Kept
//! with the conversation.

mod limits;
mod presets;
mod sampling;
mod system;

use egui::{Response, ScrollArea, Ui};

pub(super) use limits::{can_think, set_thinking, thinks};

use super::ChatCommand;
use crate::chat::Setup;
use crate::ui::controls::quiet_button;
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Type, space};

/// What the side panel remembers.
#[derive(Debug, Default)]
pub struct SidePage {
    /// The setup while one changes it.
    draft: Setup,
    /// Whether the draft was changed, and is not yet kept.
    is_changed: bool,
    /// Whether one types in one of the fields.
    is_typing: bool,
    /// What one types as stop strings, as maximum and as seed.
    typed: limits::Typed,
    /// The name for a system prompt that is to be kept.
    name: String,
    /// Whether the rarer settings are shown.
    shows_more: bool,
}

impl SidePage {
    /// Takes note of a field: what is typed is kept once the field is left.
    fn note(&mut self, response: &Response) {
        self.is_changed |= response.changed();
        self.is_typing |= response.has_focus();
    }
}

/// Draws the settings.
pub(super) fn side_ui(ui: &mut Ui, scene: &mut Scene<'_>, page: &mut SidePage) {
    if !page.is_changed {
        page.draft.clone_from(scene.chat.setup());
    }
    page.is_typing = false;
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        // The bar stands beside the controls, not on them.
        ui.set_max_width(ui.available_width() - 10.0);
        ui.spacing_mut().item_spacing.y = space::TINY;
        heading_ui(ui, page);
        system::system_ui(ui, scene, page);
        part(ui);
        presets::presets_ui(ui, page);
        sampling::sampling_ui(ui, scene, page);
        part(ui);
        limits::limits_ui(ui, scene, page);
    });
    // While one drags or types, nothing is kept: every change would be a line of the file.
    let is_held = ui.input(|input| input.pointer.any_down());
    if page.is_changed && !is_held && !page.is_typing {
        page.is_changed = false;
        if page.draft != *scene.chat.setup() {
            scene.tell_chat(ChatCommand::Setup(Box::new(page.draft.clone())));
        }
    }
}

fn heading_ui(ui: &mut Ui, page: &mut SidePage) {
    let palette = Palette::of(ui);
    ui.horizontal(|ui| {
        ui.label(Type::Strong.text("Settings", palette.text));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let told = "Everything as the model's makers have it, without a system prompt";
            if quiet_button(ui, "Reset all", told, true).clicked() {
                page.draft = Setup {
                    model: page.draft.model.clone(),
                    revision: page.draft.revision.clone(),
                    first: page.draft.first,
                    ..Setup::default()
                };
                page.is_changed = true;
                page.typed = limits::Typed::default();
            }
        });
    });
}

/// Sets a part off from the one before.
fn part(ui: &mut Ui) {
    ui.add_space(space::SMALL);
    ui.separator();
    ui.add_space(space::TINY);
}

/// The name of a setting at the left, its value at the right, and `reset` where it was chosen.
/// Returns whether that was clicked.
fn row_ui(ui: &mut Ui, name: &str, told: &str, value: &str, is_chosen: bool) -> bool {
    let palette = Palette::of(ui);
    let mut is_reset = false;
    ui.horizontal(|ui| {
        ui.spacing_mut().interact_size.y = 22.0;
        ui.set_min_height(22.0);
        ui.label(Type::Body.text(name, palette.text))
            .on_hover_text(told);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let colour = if is_chosen {
                palette.text
            } else {
                palette.muted
            };
            ui.label(Type::MonoSmall.text(value, colour));
            if is_chosen {
                let told = format!("{name}: as the model's makers have it");
                is_reset = quiet_button(ui, "reset", &told, true).clicked();
            }
        });
    });
    is_reset
}
