//! Texts that go with the next question: long pastes and dropped files, each as a chip that says how
//! many tokens it is.

use egui::{Event, Ui};

use super::ChatCommand;
use crate::trace::units;
use crate::ui::controls::{Button, card};
use crate::ui::icons::Icon;
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Type, space};

/// A longer paste is no part of what is typed: it would make the field slow, and hide the question.
const LONG_PASTE: usize = 20_000;

/// A text that goes with the next question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Tells it from others.
    pub id: u64,
    /// What it is called.
    pub name: String,
    /// How far it is.
    pub state: Attached,
}

/// How far an attached text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attached {
    /// It is being read.
    Reading,
    /// It is here.
    Ready {
        /// The text.
        text: String,
        /// Its tokens, once they are counted.
        n_tokens: Option<usize>,
    },
    /// Why it cannot be read, and what to do.
    Failed(String),
}

/// Takes in what was dropped on the window, and pastes that are too long for the field.
pub(super) fn take_in(ui: &Ui, scene: &mut Scene<'_>) {
    for file in ui.input(|input| input.raw.dropped_files.clone()) {
        let path = file.path().to_owned();
        // A recorded run is opened, not read to the model.
        let is_run = path
            .extension()
            .is_some_and(|ending| ending == "safetensors");
        if !is_run {
            scene.tell_chat(ChatCommand::AttachFile(path));
        }
    }
    let mut pasted = Vec::new();
    ui.input_mut(|input| {
        input.events.retain_mut(|event| match event {
            Event::Paste(text) if text.len() > LONG_PASTE => {
                pasted.push(std::mem::take(text));
                false
            }
            _ => true,
        });
    });
    for text in pasted {
        scene.tell_chat(ChatCommand::AttachText("Pasted text".to_owned(), text));
    }
}

/// Draws the chips.
pub(super) fn attachments_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let chat = scene.chat;
    if chat.attachments.is_empty() {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        for attachment in &chat.attachments {
            chip_ui(ui, scene, attachment);
        }
    });
    ui.add_space(space::TINY);
}

fn chip_ui(ui: &mut Ui, scene: &mut Scene<'_>, attachment: &Attachment) {
    let palette = Palette::of(ui);
    let n_context = scene.facts.n_context.unwrap_or(u64::MAX) as usize;
    let (told, colour) = match &attachment.state {
        Attached::Reading => ("reading …".to_owned(), palette.muted),
        Attached::Failed(why) => (why.clone(), palette.bad),
        Attached::Ready { text, n_tokens } => {
            let size = units::bytes(text.len() as u64);
            match n_tokens {
                None => (format!("{size}, counting tokens …"), palette.muted),
                Some(n) if *n > n_context => (
                    format!(
                        "{} tokens: more than the {} this model reads",
                        units::count(*n as u64),
                        units::count(n_context as u64)
                    ),
                    palette.bad,
                ),
                Some(n) => (format!("{} tokens", units::count(*n as u64)), palette.muted),
            }
        }
    };
    card(ui)
        .inner_margin(egui::Margin::symmetric(8, 4))
        .show(ui, |ui| {
            ui.set_max_width(ui.available_width().min(560.0));
            ui.label(Type::Label.text(&attachment.name, palette.text));
            ui.label(Type::Small.text(told, colour));
            let name = format!("Remove {}", attachment.name);
            if Button::icon(Icon::Close, &name).show(ui, 20.0).clicked() {
                scene.tell_chat(ChatCommand::Detach(attachment.id));
            }
        });
}
