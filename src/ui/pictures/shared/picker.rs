//! A token of the vocabulary, chosen by typing.

use egui::{PopupCloseBehavior, Ui};

use crate::engine::question::{Question, Told};
use crate::trace::measure::NamedToken;
use crate::ui::answers::Asked;
use crate::ui::controls::Button;
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Type, space};
use crate::ui::tokens;
use crate::ui::widgets::chip_ui;

/// A button that opens a search of the vocabulary.
#[derive(Debug, Default)]
pub struct TokenPicker {
    text: String,
    /// Whether Enter was pressed: the first that is found is chosen, as soon as it is.
    takes_first: bool,
}

/// Most tokens that are offered.
const N_OFFERED: usize = 24;

impl TokenPicker {
    /// Shows the button; gives the token that was chosen.
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, label: &str) -> Option<NamedToken> {
        let response = Button::new(label).show(ui, space::TARGET);
        let popup = egui::Popup::from_toggle_button_response(&response)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside);
        let shown = popup.show(|ui| {
            ui.set_width(300.0);
            self.search_ui(ui, scene)
        });
        if shown.is_none() {
            // What was looked for last time is not looked for again.
            *self = Self::default();
        }
        let chosen = shown.and_then(|shown| shown.inner);
        if chosen.is_some() {
            *self = Self::default();
            egui::Popup::close_all(ui.ctx());
        }
        chosen
    }

    fn search_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) -> Option<NamedToken> {
        let palette = Palette::of(ui);
        let label = ui.label(Type::Caption.text("A token's text or id", palette.muted));
        let field = egui::TextEdit::singleline(&mut self.text)
            .hint_text("Paris")
            .desired_width(f32::INFINITY);
        let field = ui.add(field).labelled_by(label.id);
        if field.changed() {
            self.takes_first = false;
        }
        if field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter)) {
            self.takes_first = true;
        }
        if !ui.memory(|memory| memory.focused().is_some_and(|id| id == field.id)) {
            field.request_focus();
        }
        if self.text.is_empty() {
            return None;
        }
        let question = Question::SearchVocabulary {
            model: None,
            text: self.text.clone(),
            limit: N_OFFERED,
        };
        let Asked::Ready(told) = scene.ask(&question) else {
            return None;
        };
        let Told::Vocabulary(found) = &*told else {
            return None;
        };
        let (n_shown, n_found) = (found.entries.len(), found.n_found);
        let mut chosen = None;
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = egui::vec2(5.0, 5.0);
            for (place, entry) in found.entries.iter().enumerate() {
                let label = tokens::label(&entry.text);
                let dot = if label.has_space { "·" } else { "" };
                let text: String = label.text.chars().take(24).collect();
                // The one that Enter takes is marked.
                let chip = chip_ui(ui, &format!("{dot}{text}"), place == 0);
                let is_taken = self.takes_first && place == 0;
                let chip = chip.on_hover_text(format!("id {}", entry.id));
                if chip.clicked() || is_taken {
                    chosen = Some(NamedToken {
                        id: entry.id,
                        text: entry.text.clone(),
                    });
                }
            }
        });
        let told = match n_found {
            0 => "No token has this text.".to_owned(),
            _ if n_found > n_shown => {
                format!("{n_shown} of {n_found}; the dot is a space; ⏎ takes the first")
            }
            _ => "The dot is a space. ⏎ takes the first.".to_owned(),
        };
        ui.label(Type::Small.text(told, palette.muted));
        chosen
    }
}
