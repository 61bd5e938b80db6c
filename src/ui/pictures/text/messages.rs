//! What was typed, message by message, beside what the template makes of it.

use egui::{RichText, Ui};

use super::pieces::{format_of, kind_of, shown};
use super::{large_card, plain_form_ui};
use crate::engine::question::Told;
use crate::ui::picture::{Scene, ready_ui};
use crate::ui::pictures::kit::{note_ui, section_ui};
use crate::ui::pictures::shared::whole_characters;
use crate::ui::roles::{messages, template};
use crate::ui::theme::{Palette, Type, space};
use crate::ui::widgets::{Span, flow_ui};

/// What was typed, message by message, beside what becomes of it.
pub(super) fn messages_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let palette = Palette::of(ui);
    let prompt = scene.settings.prompt.clone();
    if !prompt.is_chat {
        note_ui(
            ui,
            "This text is read as it is: there are no messages. As a chat, the template would write it like this:",
        );
    }
    for message in messages(&prompt) {
        section_ui(
            ui,
            &message.role,
            &format!("{} characters", message.text().chars().count()),
        );
        large_card(ui, |ui| {
            ui.add(egui::Label::new(RichText::new(message.text()).font(Type::Body.font())).wrap());
        });
    }
    ui.add_space(space::SMALL);
    let asked = scene.ask(&template(&prompt));
    let Some(told) = ready_ui(ui, asked) else {
        return;
    };
    let Told::Template(view) = &*told else {
        return;
    };
    let note = format!(
        "{} tokens, {} characters",
        view.pieces.len(),
        view.rendered.text.chars().count()
    );
    section_ui(ui, "What the template makes of it", &note);
    plain_form_ui(ui, view);
    large_card(ui, |ui| {
        let spans: Vec<Span> = whole_characters(&view.pieces)
            .into_iter()
            .filter_map(|group| {
                let tokens = view.pieces.get(group)?;
                let kind = kind_of(tokens.first()?, &view.rendered.segments);
                Some(Span {
                    text: shown(tokens),
                    format: format_of(palette, kind, false),
                })
            })
            .collect();
        flow_ui(ui, "the rendered template", &spans);
    });
}
