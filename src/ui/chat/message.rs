//! One message: what was said, how it was made, and what can be done with it.

use egui::{Align, Frame, Key, Layout, Margin, Modifiers, TextEdit, Ui, vec2};

use super::talk::{Editing, Part, Talk};
use super::{ChatCommand, figures};
use crate::chat::{Message, MessageId, Role};
use crate::ui::command::Command;
use crate::ui::controls::{Button, quiet_button};
use crate::ui::icons::Icon;
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Type, space};

/// Draws a part of a message.
pub(super) fn part_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    talk: &mut Talk,
    message: &Message,
    part: Part,
) {
    match part {
        Part::Whole(_) if is_edited(talk, message.id) => editing_ui(ui, scene, talk, message),
        Part::Whole(_) => question_ui(ui, &message.text),
        Part::Reasoning(_) => reasoning_ui(ui, scene, talk, message),
        Part::Piece(_, number) => {
            let body = talk.body(message.id);
            let piece = body.and_then(|body| body.pieces.get(number)).cloned();
            let is_last = body.is_some_and(|body| number + 1 == body.pieces.len());
            let text = piece.and_then(|piece| message.text.get(piece));
            ui.add_space(space::TINY);
            talk.markdown.show(ui, text.unwrap_or_default());
            if is_last && scene.chat.is_writing(message.id) {
                caret_ui(ui);
            }
            ui.add_space(space::TINY);
        }
        Part::Foot(_) => foot_ui(ui, scene, talk, message),
        Part::Opening | Part::Dropped(_) | Part::Ending => {}
    }
}

fn is_edited(talk: &Talk, id: MessageId) -> bool {
    talk.editing
        .as_ref()
        .is_some_and(|editing| editing.id == id)
}

/// A question: at the right, on a ground of its own.
fn question_ui(ui: &mut Ui, text: &str) {
    let palette = Palette::of(ui);
    ui.add_space(space::MEDIUM);
    ui.with_layout(Layout::top_down(Align::Max), |ui| {
        let frame = Frame::new()
            .fill(palette.sunk)
            .corner_radius(egui::CornerRadius {
                nw: 12,
                ne: 12,
                sw: 12,
                se: 3,
            })
            .inner_margin(Margin::symmetric(14, 9));
        frame.show(ui, |ui| {
            ui.set_max_width(ui.available_width() - 72.0);
            ui.style_mut().interaction.selectable_labels = true;
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                let text = Type::Talk.text(text.trim_end(), palette.text);
                ui.add(egui::Label::new(text).wrap());
            });
        });
    });
}

/// What a model thought before it answered: folded, unless one wants to read it.
fn reasoning_ui(ui: &mut Ui, scene: &mut Scene<'_>, talk: &mut Talk, message: &Message) {
    let palette = Palette::of(ui);
    let Some(range) = talk
        .body(message.id)
        .and_then(|body| body.reasoning.clone())
    else {
        return;
    };
    let is_open = talk.unfolded.contains(&message.id);
    let has_ended = range.end < message.text.len();
    let thought = message.text.get(range).unwrap_or_default().trim();
    let n_words = thought.split_whitespace().count();
    let label = match (has_ended, scene.chat.is_writing(message.id)) {
        (false, true) => format!("Thinking … {n_words} words"),
        _ => format!("Thought for {n_words} words"),
    };
    ui.add_space(space::SMALL);
    let mut button = Button::new(&label);
    button.icon = Some(if is_open { Icon::Down } else { Icon::Right });
    if button.show(ui, space::TARGET).clicked() {
        match is_open {
            true => talk.unfolded.remove(&message.id),
            false => talk.unfolded.insert(message.id),
        };
    }
    if is_open {
        let frame = Frame::new().inner_margin(Margin {
            left: 14,
            right: 0,
            top: 4,
            bottom: 4,
        });
        let shown = frame.show(ui, |ui| {
            ui.style_mut().interaction.selectable_labels = true;
            ui.set_width(ui.available_width());
            let text = Type::Body.text(thought, palette.muted);
            ui.add(egui::Label::new(text.line_height(Some(19.5))).wrap());
        });
        let rect = shown.response.rect;
        ui.painter()
            .vline(rect.left() + 4.0, rect.y_range(), palette.hairline());
    }
}

/// Where the next token will stand.
fn caret_ui(ui: &mut Ui) {
    let palette = Palette::of(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(8.0, 16.0), egui::Sense::hover());
    ui.painter().rect_filled(rect, 1.0, palette.text);
}

/// A message being edited.
fn editing_ui(ui: &mut Ui, scene: &mut Scene<'_>, talk: &mut Talk, message: &Message) {
    let Some(mut editing) = talk.editing.take() else {
        return;
    };
    ui.add_space(space::MEDIUM);
    let enter = ui.input(|input| input.key_pressed(Key::Enter) && !input.modifiers.shift);
    let field = TextEdit::multiline(&mut editing.text)
        .font(Type::Talk.font())
        .desired_width(f32::INFINITY)
        .desired_rows(2)
        .return_key(egui::KeyboardShortcut::new(Modifiers::SHIFT, Key::Enter));
    let field = ui.add(field);
    field.widget_info(|| {
        egui::WidgetInfo::text_edit(true, &editing.text, &editing.text, "Edit the message")
    });
    if !editing.is_begun {
        field.request_focus();
        editing.is_begun = true;
    }
    let mut is_over = field.has_focus() && enter;
    let mut is_left = field.has_focus() && ui.input(|input| input.key_pressed(Key::Escape));
    ui.horizontal(|ui| {
        let (label, told) = match message.role {
            Role::User => ("Ask this", "The question before stays as a branch."),
            Role::Assistant => ("Keep this", "The answer before stays as a branch."),
        };
        let mut keep = Button::new(label);
        keep.is_primary = true;
        keep.key = "⏎";
        is_over |= keep.show(ui, space::TARGET).clicked();
        is_left |= Button::new("Leave it").show(ui, space::TARGET).clicked();
        ui.label(Type::Small.text(told, Palette::of(ui).muted));
    });
    if is_over && !editing.text.trim().is_empty() {
        scene.tell_chat(ChatCommand::Edit(message.id, editing.text));
    } else if !is_left {
        talk.editing = Some(Editing { ..editing });
    }
}

/// What stands under a message: how it was made, and what can be done with it.
fn foot_ui(ui: &mut Ui, scene: &mut Scene<'_>, talk: &mut Talk, message: &Message) {
    let is_writing = scene.chat.is_writing(message.id);
    let side = match message.role {
        Role::User => Layout::right_to_left(Align::Center),
        Role::Assistant => Layout::left_to_right(Align::Center),
    };
    ui.spacing_mut().item_spacing = vec2(2.0, 0.0);
    ui.spacing_mut().interact_size.y = 24.0;
    if message.role == Role::Assistant {
        figures::figures_ui(ui, scene, message);
    }
    if is_writing {
        ui.add_space(space::MEDIUM);
        return;
    }
    ui.with_layout(side.with_main_wrap(true), |ui| {
        ui.set_min_height(24.0);
        siblings_ui(ui, scene, message.id);
        actions_ui(ui, scene, talk, message);
    });
    ui.add_space(space::SMALL);
}

/// `‹ 2/3 ›`: the message among those that stand in for it.
fn siblings_ui(ui: &mut Ui, scene: &mut Scene<'_>, id: MessageId) {
    let siblings = scene.chat.conversation().siblings(id);
    let place = siblings.iter().position(|sibling| *sibling == id);
    let Some(place) = place.filter(|_| siblings.len() > 1) else {
        return;
    };
    let to = |at: Option<usize>| at.and_then(|at| siblings.get(at)).copied();
    let (before, after) = (to(place.checked_sub(1)), to(Some(place + 1)));
    ui.scope(|ui| {
        ui.set_max_width(120.0);
        ui.horizontal(|ui| {
            for (name, sibling, told) in [
                ("‹", before, "The version before"),
                ("›", after, "The version after"),
            ] {
                if name == "›" {
                    let text = format!("{}/{}", place + 1, siblings.len());
                    ui.label(Type::MonoSmall.text(text, Palette::of(ui).text));
                }
                let clicked = quiet_button(ui, name, told, sibling.is_some()).clicked();
                if let Some(sibling) = sibling.filter(|_| clicked) {
                    scene.tell_chat(ChatCommand::Show(sibling));
                }
            }
        });
    });
}

fn actions_ui(ui: &mut Ui, scene: &mut Scene<'_>, talk: &mut Talk, message: &Message) {
    let is_free = scene.chat.writing.is_none();
    let id = message.id;
    if quiet_button(ui, "Copy", "Copy the message", true).clicked() {
        scene.send(Command::Copy(message.text.clone()));
    }
    if quiet_button(
        ui,
        "Edit",
        "Edit; what stands here stays as a branch",
        is_free,
    )
    .clicked()
    {
        talk.edit(message);
    }
    if message.role == Role::Assistant && message.parent.is_some() {
        let again = quiet_button(ui, "Again", "Answer once more; this answer stays", is_free);
        if again.clicked() {
            scene.tell_chat(ChatCommand::Again(id));
        }
    }
    if figures::ended_early(message)
        && quiet_button(ui, "Continue", "Go on where the answer ended", is_free).clicked()
    {
        scene.tell_chat(ChatCommand::Continue(id));
    }
    if quiet_button(
        ui,
        "Delete",
        "Delete it with what follows; can be undone",
        is_free,
    )
    .clicked()
    {
        scene.tell_chat(ChatCommand::RemoveMessage(id));
    }
}
