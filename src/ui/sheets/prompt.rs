//! Another prompt: raw or as a chat message, with examples to begin from.

use egui::Ui;

use super::title_ui;
use crate::settings::{EXAMPLE, PromptSettings};
use crate::ui::command::Command;
use crate::ui::controls::{Button, caption, segmented};
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Type, space};

/// Prompts that show something on the model inside the program; whether each is a chat.
const EXAMPLES: [(&str, bool); 6] = [
    (EXAMPLE, false),
    ("The capital of France is", false),
    ("I love eating", false),
    ("Max likes tea. Lily likes milk. Max likes", false),
    ("The dog bit the man. Who was hurt?", true),
    ("What is the capital of Japan?", true),
];

/// Forgets what was typed, once the sheet is closed.
pub fn forget(ctx: &egui::Context) {
    ctx.data_mut(|data| data.remove::<PromptSettings>(draft_id()));
}

fn draft_id() -> egui::Id {
    egui::Id::unique("prompt-draft")
}

/// Draws the sheet. What was typed stays until it is run or the sheet is closed.
pub fn prompt_ui(ui: &mut Ui, scene: &mut Scene<'_>, is_new: bool) {
    let palette = Palette::of(ui);
    let id = draft_id();
    let stored: Option<PromptSettings> = ui.data(|data| data.get_temp(id));
    let mut draft = stored.unwrap_or_else(|| scene.settings.prompt.clone());
    ui.set_width(560.0_f32.min(ui.ctx().content_rect().width() - 80.0));
    // Before the field sees it. The key knows whether Ctrl was held when it went down; by the end of
    // the frame both may be up again.
    let enter = ui.input_mut(|input| input.consume_key(egui::Modifiers::COMMAND, egui::Key::Enter));
    title_ui(ui, scene, "Prompt");
    ui.horizontal(|ui| {
        if let Some(chosen) = segmented(ui, "form", &["Raw", "Chat"], usize::from(draft.is_chat)) {
            draft.is_chat = chosen == 1;
        }
        let told = match draft.is_chat {
            true => "Your text as a message, in the model's chat template.",
            false => "Exactly this text; the model goes on with it.",
        };
        ui.label(Type::Body.text(told, palette.muted));
    });
    if draft.is_chat {
        let label = caption(ui, "System message, may stay empty");
        let field = egui::TextEdit::singleline(&mut draft.system).desired_width(f32::INFINITY);
        ui.add(field).labelled_by(label.id);
    }
    let label = caption(ui, if draft.is_chat { "Message" } else { "Text" });
    let field = egui::TextEdit::multiline(&mut draft.text)
        .desired_rows(4)
        .desired_width(f32::INFINITY);
    let field = egui::ScrollArea::vertical()
        .max_height(260.0)
        .show(ui, |ui| ui.add(field))
        .inner;
    let field = field.labelled_by(label.id);
    if is_new {
        field.request_focus();
    }
    ui.add_space(space::TINY);
    caption(ui, "Examples");
    ui.horizontal_wrapped(|ui| {
        for (text, is_chat) in EXAMPLES {
            if Button::new(text).show(ui, space::TARGET).clicked() {
                text.clone_into(&mut draft.text);
                draft.is_chat = is_chat;
            }
        }
    });
    ui.add_space(space::SMALL);
    let mut run = Button::new("Run");
    run.is_primary = true;
    run.key = "Ctrl ⏎";
    run.is_disabled = draft.text.is_empty();
    let is_run = run.show(ui, 32.0).clicked() || enter;
    if is_run && !draft.text.is_empty() {
        scene.send(Command::Open(draft));
        forget(ui.ctx());
    } else {
        ui.data_mut(|data| data.insert_temp(id, draft));
    }
}
