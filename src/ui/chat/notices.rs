//! What stands between the messages: the opening, what the model no longer reads, an answer about
//! to come, a full context, a failure.

use egui::Ui;

use super::{ChatCommand, Composer, Talk, gauge};
use crate::chat::MessageId;
use crate::trace::units;
use crate::ui::command::Command;
use crate::ui::controls::{Button, card, paragraph};
use crate::ui::picture::Scene;
use crate::ui::state::Mode;
use crate::ui::theme::{Palette, Type, space};

/// The models inside the program.
const INSIDE: &str = "classroom";
/// What one may ask a model that knows little.
const SIMPLE: [&str; 4] = [
    "What is the capital of France?",
    "What is 7 + 5?",
    "The dog bit the man. Who was hurt?",
    "What is a token?",
];
/// What one may ask any other.
const OTHERS: [&str; 4] = [
    "Explain the KV cache in one sentence.",
    "Write a short story about a fox.",
    "What is attention in a language model?",
    "Write a function that reverses a string.",
];

/// What stands before the first message.
pub(super) fn opening_ui(ui: &mut Ui, scene: &mut Scene<'_>, composer: &mut Composer) {
    let palette = Palette::of(ui);
    if !scene.chat.branch().is_empty() {
        ui.add_space(space::MEDIUM);
        return;
    }
    let name = scene.facts.name.clone();
    ui.add_space(64.0);
    ui.label(Type::Title.text("Ask something", palette.text));
    let told = "Every word of an answer can be opened as the pass that made it.";
    ui.label(Type::Body.text(told, palette.muted));
    ui.add_space(space::SMALL);
    let is_inside = name.starts_with(INSIDE);
    if is_inside {
        inside_ui(ui, scene);
        ui.add_space(space::SMALL);
    }
    ui.horizontal_wrapped(|ui| {
        for text in if is_inside { SIMPLE } else { OTHERS } {
            if Button::new(text).show(ui, space::TARGET).clicked() {
                scene.tell_chat(ChatCommand::Send(text.to_owned()));
                composer.wants_focus = true;
            }
        }
    });
}

/// What the model inside the program is, and the next one.
fn inside_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    card(ui).show(ui, |ui| {
        paragraph(
            ui,
            "**classroom is a teaching model.** It has 3 million parameters and knows little: capitals, small sums, \
             what a language model is. It says so where it does not know.",
        );
        let Some(next) = &scene.chat.next_model else {
            return;
        };
        let size = units::bytes(next.about_bytes);
        paragraph(
            ui,
            &format!("The next one is **{}** ({}): {}, about {size}.", next.name, next.id, next.what),
        );
        if Button::new("Get it in Models").show(ui, space::TARGET).clicked() {
            scene.send(Command::Mode(Mode::Models));
        }
    });
}

/// The line under which the model reads.
pub(super) fn dropped_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let palette = Palette::of(ui);
    ui.add_space(space::SMALL);
    ui.horizontal(|ui| {
        let text = "The model no longer reads what stands above: the context had no room for it.";
        ui.label(Type::Small.text(text, palette.muted));
        let again = Button::new("Give it all again");
        if again.show(ui, 24.0).clicked() {
            scene.tell_chat(ChatCommand::DropNone);
        }
    });
    let rect = ui.min_rect();
    ui.painter()
        .hline(rect.x_range(), rect.bottom() + 3.0, palette.hairline());
    ui.add_space(space::SMALL);
}

/// What stands after the last message.
pub(super) fn ending_ui(ui: &mut Ui, scene: &mut Scene<'_>, talk: &mut Talk) {
    let palette = Palette::of(ui);
    let chat = scene.chat;
    if let Some(writing) = chat.writing.as_ref().filter(|writing| writing.id.is_none()) {
        let secs = writing.since.elapsed().as_secs();
        let text = match (writing.is_stopping, secs) {
            (true, _) => "Stopping …".to_owned(),
            (false, 0..2) => "Reading …".to_owned(),
            (false, secs) => format!("Reading … {secs} s"),
        };
        ui.label(Type::MonoSmall.text(text, palette.muted));
    } else if let Some(writing) = &chat.writing
        && let Some((done, total)) = writing.prefill.filter(|(done, total)| done < total)
    {
        let text = format!("read {done} of {total} new tokens");
        ui.label(Type::MonoSmall.text(text, palette.muted));
    }
    other_model_ui(ui, scene);
    if let Some((_, why)) = &chat.failed {
        failed_ui(ui, scene, why);
    }
    if let Some(id) = chat.is_full {
        match alone(scene, id) {
            Some(n_tokens) => too_long_ui(ui, scene, talk, id, n_tokens),
            None => full_ui(ui, scene),
        }
    }
    ui.add_space(space::LARGE);
}

/// The model that answered last, where another one answers next.
fn other_model_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let branch = scene.chat.branch();
    let Some(reply) = branch
        .iter()
        .rev()
        .find_map(|message| message.reply.as_ref())
    else {
        return;
    };
    let (before, label) = (
        &reply.setup.model,
        reply.answer.as_ref().map(|answer| &answer.model),
    );
    let now = &scene.facts.name;
    if scene.chat.writing.is_some()
        || now.is_empty()
        || before.is_empty()
        || label.is_none_or(|label| label == now)
    {
        return;
    }
    let palette = Palette::of(ui);
    ui.horizontal_wrapped(|ui| {
        let text = format!("{before} wrote this; {now} answers from here on.");
        ui.label(Type::Small.text(text, palette.muted));
        let label = format!("Back to {before}");
        if Button::new(&label).show(ui, 24.0).clicked() {
            scene.send(Command::Model(before.clone()));
        }
    });
}

fn failed_ui(ui: &mut Ui, scene: &mut Scene<'_>, why: &str) {
    let palette = Palette::of(ui);
    let frame = card(ui).stroke(egui::Stroke::new(1.0, palette.bad));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        paragraph(ui, &format!("**There is no answer.** {why}"));
        if Button::new("Try again").show(ui, space::TARGET).clicked() {
            scene.tell_chat(ChatCommand::Retry);
        }
    });
}

/// The tokens of a message that leaves no room for an answer, whatever is left out before it.
fn alone(scene: &mut Scene<'_>, id: MessageId) -> Option<usize> {
    let chat = scene.chat;
    let message = chat.conversation().message(id)?;
    let n_tokens = match chat.counts.get(&id) {
        Some(n) => *n,
        None => gauge::count(scene, &message.text),
    };
    let system = gauge::count(scene, &chat.setup().system);
    let n_context = scene.facts.n_context? as usize;
    (n_tokens + system >= n_context).then_some(n_tokens)
}

/// One message alone is too long: nothing that could be left out before it would help.
fn too_long_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    talk: &mut Talk,
    id: MessageId,
    n_tokens: usize,
) {
    /// A longer text is no fun to edit: it is sent anew, in parts.
    const EDITABLE: usize = 200_000;
    let palette = Palette::of(ui);
    let amber = palette.role(crate::ui::theme::Role::Logits);
    let frame = card(ui).stroke(egui::Stroke::new(1.0, amber));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        let (count, most) = (
            units::count(n_tokens as u64),
            units::count(scene.facts.n_context.unwrap_or_default()),
        );
        paragraph(
            ui,
            &format!(
                "**This message alone is too long.** It has {count} tokens, and this model reads at most {most} at \
                 once: leaving out older turns would not help. Shorten it, ask about a part of it, or use a model with \
                 a longer context."
            ),
        );
        ui.horizontal_wrapped(|ui| {
            let message = scene.chat.conversation().message(id);
            let short = message.filter(|message| message.text.len() <= EDITABLE);
            if let Some(message) = short
                && Button::new("Shorten it").show(ui, space::TARGET).clicked()
            {
                talk.edit(message);
            }
            let label = "Choose another model";
            if Button::new(label).show(ui, space::TARGET).clicked() {
                scene.send(Command::Mode(Mode::Models));
            }
            if Button::new("New chat").show(ui, space::TARGET).clicked() {
                scene.tell_chat(ChatCommand::New);
            }
        });
    });
}

/// The context is full: what can be done.
fn full_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let palette = Palette::of(ui);
    let frame = card(ui).stroke(egui::Stroke::new(
        1.0,
        palette.role(crate::ui::theme::Role::Logits),
    ));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        let n_context = scene.facts.n_context.unwrap_or_default();
        paragraph(
            ui,
            &format!(
                "**The context is full.** This model reads at most {} tokens at once, and the conversation leaves no room \
                 for an answer. Nothing is lost; choose how to go on:",
                units::count(n_context)
            ),
        );
        ui.horizontal_wrapped(|ui| {
            let choices = [
                (
                    "Drop the oldest turns",
                    "The model no longer gets the oldest turns, so many that half of the context is free; they stay here to read",
                    ChatCommand::DropOldest,
                ),
                (
                    "Rotating cache",
                    "The KV cache keeps the first and the newest positions and overwrites the others as it goes",
                    ChatCommand::Rotate,
                ),
                ("New chat", "Begin anew; this conversation stays", ChatCommand::New),
            ];
            for (label, told, command) in choices {
                let button = Button::new(label).show(ui, space::TARGET).on_hover_text(told);
                if button.clicked() {
                    scene.tell_chat(command);
                }
            }
        });
    });
}
