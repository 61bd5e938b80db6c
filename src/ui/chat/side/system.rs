//! The system prompt, and those that were kept.

use egui::{TextEdit, Ui};

use super::SidePage;
use crate::ui::chat::ChatCommand;
use crate::ui::controls::{Button, caption, name_field, quiet_button};
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Type, space};

/// What a longer name is cut to.
const MOST_LETTERS: usize = 40;

pub(super) fn system_ui(ui: &mut Ui, scene: &mut Scene<'_>, page: &mut SidePage) {
    let label = caption(ui, "System prompt");
    label.on_hover_text(
        "Stands before everything else: who the model is to be, and how it is to answer.",
    );
    let palette = Palette::of(ui);
    let hint = Type::Body.text(
        "None. For example: You are a helpful assistant.",
        palette.faint,
    );
    let field = TextEdit::multiline(&mut page.draft.system)
        .hint_text(hint)
        .desired_rows(2)
        .desired_width(f32::INFINITY);
    let field = ui.add(field);
    name_field(&field, &page.draft.system, "System prompt");
    page.note(&field);
    ui.horizontal(|ui| {
        let saved = Button::new("Saved prompts").show(ui, 24.0);
        egui::Popup::menu(&saved)
            .accessible_name("Saved prompts")
            .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
            .show(|ui| saved_ui(ui, scene, page));
    });
}

/// The prompts that were kept, and a way to keep this one.
fn saved_ui(ui: &mut Ui, scene: &mut Scene<'_>, page: &mut SidePage) {
    let palette = Palette::of(ui);
    ui.set_min_width(240.0);
    let prompts = &scene.settings.prompts;
    if prompts.is_empty() {
        ui.label(Type::Body.text("None was kept so far.", palette.muted));
    }
    for prompt in prompts {
        ui.horizontal(|ui| {
            let chosen = ui.selectable_label(page.draft.system == prompt.text, &prompt.name);
            if chosen.on_hover_text(&prompt.text).clicked() {
                page.draft.system.clone_from(&prompt.text);
                page.is_changed = true;
                ui.close();
            }
            let told = format!("Forget the prompt {}", prompt.name);
            if quiet_button(ui, "forget", &told, true).clicked() {
                scene
                    .commands
                    .push(crate::ui::command::Command::Chat(Box::new(
                        ChatCommand::ForgetPrompt(prompt.name.clone()),
                    )));
            }
        });
    }
    ui.add_space(space::TINY);
    let text = page.draft.system.trim().to_owned();
    ui.horizontal(|ui| {
        let field = TextEdit::singleline(&mut page.name)
            .hint_text("Name for this one")
            .align(egui::Align2::LEFT_CENTER)
            .margin(egui::Margin::symmetric(8, 4))
            .desired_width(140.0);
        let field = ui.add(field);
        name_field(&field, &page.name, "Name of the prompt");
        let mut keep = Button::new("Keep");
        keep.is_disabled = text.is_empty() || page.name.trim().is_empty();
        if keep.show(ui, 26.0).clicked() {
            let name: String = page.name.trim().chars().take(MOST_LETTERS).collect();
            scene.tell_chat(ChatCommand::SavePrompt(name, text));
            page.name.clear();
        }
    });
}
