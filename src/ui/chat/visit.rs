//! The explorer on a visit from the chat: which word of which answer is looked at, and the way back.

use egui::Ui;

use super::ChatCommand;
use crate::chat::MessageId;
use crate::ui::controls::Button;
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Type, space};
use crate::ui::tokens;

/// What the explorer was opened on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// The conversation.
    pub conversation: String,
    /// Its title.
    pub title: String,
    /// The answer.
    pub message: MessageId,
    /// What is looked at.
    pub at: VisitAt,
}

/// What of an answer is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VisitAt {
    /// The pass that chose a token: its number and its text.
    Token(usize, String),
    /// An answer that was paused before its next token.
    Pause,
}

/// Draws the line that says where one comes from.
pub fn visit_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let Some(visit) = scene.chat.visit.clone() else {
        return;
    };
    let palette = Palette::of(ui);
    ui.horizontal_centered(|ui| {
        let mut back = Button::new("Back to the conversation");
        back.is_primary = true;
        if back.show(ui, space::TARGET).clicked() {
            scene.tell_chat(ChatCommand::Return);
        }
        let mut go_on = Button::new("Go on with the answer");
        go_on.is_disabled = scene.link.is_busy();
        if visit.at == VisitAt::Pause && go_on.show(ui, space::TARGET).clicked() {
            scene.tell_chat(ChatCommand::GoOn);
        }
        let text = match &visit.at {
            VisitAt::Token(number, text) => format!(
                "“{}”: token {number} of an answer, and the pass that chose it, with the same ids, pieces and draws.",
                tokens::visible(text.trim())
            ),
            VisitAt::Pause => "The answer is paused before its next token. Step as far as you like: what is \
                               drawn here is what it goes on with."
                .to_owned(),
        };
        ui.add(egui::Label::new(Type::Body.text(text, palette.muted)).truncate())
            .on_hover_text(format!("From the conversation “{}”.", visit.title));
    });
}
