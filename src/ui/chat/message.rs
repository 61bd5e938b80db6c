//! One message: what was said, how it was made, and what can be done with it.

use egui::{Align, Frame, Key, Layout, Margin, Modifiers, TextEdit, Ui, vec2};

use super::talk::{Editing, Part, Talk};
use super::{ChatCommand, figures, tokens};
use crate::chat::{Message, MessageId, Role};
use crate::trace::units;
use crate::ui::command::Command;
use crate::ui::controls::{Button, name_field, quiet_button, quiet_icon};
use crate::ui::icons::Icon;
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Type, mix, space};

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
        Part::Whole(_) => folded_ui(ui, talk, message),
        Part::Reasoning(_) => reasoning_ui(ui, scene, talk, message),
        Part::Piece(_, number) => {
            let body = talk.body(message.id);
            let piece = body.and_then(|body| body.pieces.get(number)).cloned();
            let is_last = body.is_some_and(|body| number + 1 == body.pieces.len());
            let text = piece.and_then(|piece| message.text.get(piece));
            ui.add_space(space::TINY);
            let is_growing = is_last && scene.chat.is_writing(message.id);
            talk.markdown.show(ui, text.unwrap_or_default(), is_growing);
            if is_growing {
                caret_ui(ui);
            }
            ui.add_space(space::TINY);
        }
        Part::Tokens(_, number) => {
            let reply = message.reply.as_ref();
            let lines = reply.map(|reply| tokens::lines(&reply.tokens));
            if let Some(line) = lines.and_then(|lines| lines.into_iter().nth(number)) {
                tokens::line_ui(ui, scene, message, line);
            }
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

/// A question; of a very long one its beginning, until one asks for more.
fn folded_ui(ui: &mut Ui, talk: &mut Talk, message: &Message) {
    let is_open = talk.unfolded.contains(&message.id);
    let shown = shown_of(&message.text, is_open);
    if shown.len() == message.text.trim_end().len() && !is_open {
        question_ui(ui, shown);
        return;
    }
    question_ui(
        ui,
        &match shown.len() < message.text.trim_end().len() {
            true => format!("{} …", shown.trim_end()),
            false => shown.to_owned(),
        },
    );
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let size = units::bytes(message.text.len() as u64);
        let label = match is_open {
            true => format!("Show less of {size}"),
            false => format!("Show more of {size}"),
        };
        if quiet_button(ui, &label, "Copy has all of it", true).clicked() {
            match is_open {
                true => talk.unfolded.remove(&message.id),
                false => talk.unfolded.insert(message.id),
            };
        }
    });
}

/// As much of a question as is laid out: of a long one its first lines, and where it is open as much as one may want
/// to read.
pub(super) fn shown_of(text: &str, is_open: bool) -> &str {
    /// Bytes and lines at first, and at most: more takes long to lay out.
    const FOLDED: (usize, usize) = (1_500, 14);
    const OPEN: (usize, usize) = (12_000, 400);
    let text = text.trim_end();
    let (bytes, lines) = if is_open { OPEN } else { FOLDED };
    let end = text.floor_char_boundary(bytes);
    let start = text.get(..end).unwrap_or(text);
    let last = start.match_indices('\n').nth(lines).map(|(at, _)| at);
    start.get(..last.unwrap_or(end)).unwrap_or(start)
}

/// A question: at the right, on a ground of its own, no wider than its text.
fn question_ui(ui: &mut Ui, text: &str) {
    let palette = Palette::of(ui);
    let text = text.trim_end();
    let most = ui.available_width() - 100.0;
    // egui keeps what it has laid out: this costs little in the frames that follow.
    let font = Type::Talk.font();
    let galley = ui
        .painter()
        .layout(text.to_owned(), font, palette.text, most);
    let width = galley.size().x.ceil() + 1.0;
    ui.add_space(space::MEDIUM);
    ui.with_layout(Layout::top_down(Align::Max), |ui| {
        let frame = Frame::new()
            .fill(mix(palette.background, palette.text, 0.09))
            .stroke(palette.hairline())
            .corner_radius(egui::CornerRadius {
                nw: 12,
                ne: 12,
                sw: 12,
                se: 3,
            })
            .inner_margin(Margin::symmetric(14, 9));
        frame.show(ui, |ui| {
            ui.set_max_width(width);
            ui.style_mut().interaction.selectable_labels = true;
            let text = Type::Talk.text(text, palette.text).line_height(Some(20.0));
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
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
    name_field(&field, &editing.text, "Edit the message");
    if !editing.is_begun {
        field.request_focus();
        editing.is_begun = true;
    }
    let mut is_over = field.has_focus() && enter;
    let mut is_left = false;
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
    let is_answer = message.role == Role::Assistant;
    let order = match is_answer {
        true => Layout::left_to_right(Align::Center),
        false => Layout::right_to_left(Align::Center),
    };
    ui.spacing_mut().item_spacing = vec2(2.0, 0.0);
    if is_answer {
        figures::figures_ui(ui, scene, message);
    }
    if !scene.chat.is_writing(message.id) {
        let row = vec2(ui.available_width(), 24.0);
        ui.allocate_ui_with_layout(row, order, |ui| {
            // Words in a row begin where the text does.
            ui.add_space(if is_answer { -6.0 } else { 0.0 });
            actions_ui(ui, scene, talk, message, is_answer);
            // After the others: it comes and goes, and nothing is to move under the pointer.
            siblings_ui(ui, scene, message.id, is_answer);
        });
    }
    ui.add_space(space::SMALL);
}

/// `‹ 2/3 ›`: the message among those that stand in for it.
fn siblings_ui(ui: &mut Ui, scene: &mut Scene<'_>, id: MessageId, is_forward: bool) {
    let siblings = scene.chat.conversation().siblings(id);
    let place = siblings.iter().position(|sibling| *sibling == id);
    let Some(place) = place.filter(|_| siblings.len() > 1) else {
        return;
    };
    let is_free = scene.chat.writing.is_none();
    let to = |at: Option<usize>| at.and_then(|at| siblings.get(at)).copied();
    let before = (Icon::Back, to(place.checked_sub(1)), "The version before");
    let after = (Icon::Forward, to(Some(place + 1)), "The version after");
    let (first, last) = if is_forward {
        (before, after)
    } else {
        (after, before)
    };
    let mut step = |ui: &mut Ui, (icon, sibling, told): (Icon, Option<MessageId>, &str)| {
        let is_there = is_free && sibling.is_some();
        let clicked = quiet_icon(ui, icon, told, is_there).clicked();
        if let Some(sibling) = sibling.filter(|_| clicked) {
            scene.tell_chat(ChatCommand::Show(sibling));
        }
    };
    step(ui, first);
    let text = format!("{}/{}", place + 1, siblings.len());
    ui.label(Type::MonoSmall.text(text, Palette::of(ui).text));
    step(ui, last);
}

/// Something that can be done with a message: its name, what it does, and whether it can be done now.
type Action = (&'static str, &'static str, bool);

fn actions_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    talk: &mut Talk,
    message: &Message,
    is_forward: bool,
) {
    let is_free = scene.chat.writing.is_none();
    let mut actions: Vec<Action> = vec![
        ("Copy", "Copy the message", true),
        ("Edit", "Edit; what stands here stays as a branch", is_free),
    ];
    if message.role == Role::Assistant && message.parent.is_some() {
        actions.push(("Again", "Answer once more; this answer stays", is_free));
    }
    let has_tokens = (message.reply.as_ref()).is_some_and(|reply| !reply.tokens.is_empty());
    if has_tokens {
        let label = match talk.coloured.contains(&message.id) {
            true => "As text",
            false => "Tokens",
        };
        let told = "Token by token, coloured by probability; click one to look inside";
        actions.push((label, told, true));
    }
    if figures::ended_early(message) {
        actions.push(("Continue", "Go on where the answer ended", is_free));
    }
    actions.push((
        "Delete",
        "Delete it with what follows; can be undone",
        is_free,
    ));
    if !is_forward {
        actions.reverse();
    }
    for (label, told, is_enabled) in actions {
        if !quiet_button(ui, label, told, is_enabled).clicked() {
            continue;
        }
        match label {
            "Copy" => scene.send(Command::Copy(message.text.clone())),
            "Edit" => talk.edit(message),
            "Again" => scene.tell_chat(ChatCommand::Again(message.id)),
            "Tokens" => drop(talk.coloured.insert(message.id)),
            "As text" => drop(talk.coloured.remove(&message.id)),
            "Continue" => scene.tell_chat(ChatCommand::Continue(message.id)),
            _ => scene.tell_chat(ChatCommand::RemoveMessage(message.id)),
        }
    }
}
