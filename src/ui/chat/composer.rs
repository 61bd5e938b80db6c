//! The composer: where one types, how full the context is, and the way to send or to stop.

use egui::text::{CCursor, CCursorRange};
use egui::text_edit::TextEditState;
use egui::{Frame, Key, Layout, Margin, Modifiers, ScrollArea, TextEdit, Ui};

use super::talk::COLUMN;
use super::{ChatCommand, Talk, attachments, gauge, side};
use crate::chat::Role;
use crate::ui::controls::{Button, name_field};
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Type, corner, space};

/// The text being typed.
#[derive(Debug, Default)]
pub struct Composer {
    /// What was typed so far.
    pub text: String,
    /// Whether the field is to have the keyboard.
    pub wants_focus: bool,
    /// How high it is, with its margins.
    pub height: f32,
    /// Whether the page was drawn before: at first the field takes the keyboard.
    was_there: bool,
}

/// Draws the composer.
pub fn composer_ui(ui: &mut Ui, scene: &mut Scene<'_>, composer: &mut Composer, talk: &mut Talk) {
    let palette = Palette::of(ui);
    let width = (COLUMN + 40.0).min(ui.available_width());
    let margin = (ui.available_width() - width) / 2.0;
    let frame = Frame::new()
        .fill(palette.surface)
        .stroke(palette.hairline())
        .corner_radius(corner::CARD)
        .outer_margin(Margin::symmetric(margin as i8, 0))
        .inner_margin(Margin::symmetric(14, 10));
    frame.show(ui, |ui| {
        attachments::take_in(ui, scene);
        attachments::attachments_ui(ui, scene);
        let is_sent = field_ui(ui, scene, composer, talk);
        ui.add_space(space::TINY);
        ui.horizontal(|ui| {
            ui.set_min_height(32.0);
            pause_ui(ui, scene);
            think_ui(ui, scene);
            ui.with_layout(Layout::right_to_left(egui::Align::Center), |ui| {
                let filling = gauge::filling(scene, &composer.text);
                let too_long = filling.too_long();
                send_ui(ui, scene, composer, is_sent, too_long);
                gauge::gauge_ui(ui, &filling);
                if let Some(why) = too_long {
                    let why = Type::Small.text(why, palette.bad);
                    ui.add(egui::Label::new(why).truncate());
                }
            });
        });
    });
}

/// The field. Returns whether what is in it is to be sent.
fn field_ui(ui: &mut Ui, scene: &mut Scene<'_>, composer: &mut Composer, talk: &mut Talk) -> bool {
    let palette = Palette::of(ui);
    let id = ui.scope_id().with("composer");
    if take_letters(ui, scene, composer) {
        composer.wants_focus = true;
        to_the_end(ui, id, composer.text.chars().count());
    }
    let has_focus = ui.memory(|memory| memory.has_focus(id));
    let is_free = has_focus && scene.view.overlay.is_none();
    // Shift makes a new line; egui would count it as the same key.
    let is_plain = ui.input(|input| !input.modifiers.any());
    let enter =
        is_free && is_plain && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter));
    let is_empty = composer.text.is_empty();
    if is_free
        && is_empty
        && scene.chat.writing.is_none()
        && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::ArrowUp))
    {
        let branch = scene.chat.branch();
        let last = branch
            .iter()
            .rev()
            .find(|message| message.role == Role::User);
        if let Some(message) = last {
            talk.edit(message);
        }
    }
    let hint = Type::Talk.text("Ask something, or paste a text", palette.faint);
    let field = TextEdit::multiline(&mut composer.text)
        .id(id)
        .font(Type::Talk.font())
        .frame(Frame::NONE)
        .hint_text(hint)
        .desired_rows(1)
        .desired_width(f32::INFINITY)
        .return_key(egui::KeyboardShortcut::new(Modifiers::SHIFT, Key::Enter));
    let field = ScrollArea::vertical()
        .max_height(180.0)
        .show(ui, |ui| ui.add(field))
        .inner;
    name_field(&field, &composer.text, "Message");
    let is_first = !composer.was_there;
    if (composer.wants_focus || is_first) && scene.view.overlay.is_none() {
        field.request_focus();
    }
    composer.was_there = true;
    composer.wants_focus = false;
    enter
}

/// Letters that are typed while nothing has the keyboard are meant for the field. Returns whether
/// there were any.
fn take_letters(ui: &Ui, scene: &Scene<'_>, composer: &mut Composer) -> bool {
    let ctx = ui.ctx();
    let is_free = ctx.memory(|memory| memory.focused().is_none()) && scene.view.overlay.is_none();
    if !is_free || egui::Popup::is_any_open(ctx) {
        return false;
    }
    let before = composer.text.len();
    ui.input(|input| {
        let held = input.modifiers.command || input.modifiers.alt;
        for event in &input.events {
            match event {
                egui::Event::Text(text) if !held && text != "\n" => composer.text.push_str(text),
                egui::Event::Paste(text) => composer.text.push_str(text),
                _ => {}
            }
        }
    });
    composer.text.len() > before
}

/// Puts the cursor behind what was taken, where the next letter belongs.
fn to_the_end(ui: &Ui, field: egui::Id, n_letters: usize) {
    let mut state = TextEditState::load(ui.ctx(), field).unwrap_or_default();
    let end = CCursorRange::one(CCursor::new(n_letters));
    state.cursor.set_char_range(Some(end));
    state.store(ui.ctx(), field);
}

/// The way into the answer that is being written.
fn pause_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let Some(writing) = &scene.chat.writing else {
        return;
    };
    let mut pause = Button::new("Pause and look inside");
    pause.is_disabled = writing.is_stopping || writing.id.is_none();
    let pause = pause.show(ui, 30.0);
    let told = "Stops before the next token, and opens it in the explorer; the answer can go on from there";
    if pause.on_hover_text(told).clicked() {
        scene.tell_chat(ChatCommand::Pause);
    }
}

/// Whether the model thinks before the next answer, where it can.
fn think_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    if !side::can_think(scene) {
        return;
    }
    let mut setup = scene.chat.setup().clone();
    let mut button = Button::new("Think");
    button.is_on = side::thinks(&setup.template_args);
    let told = "Whether the model thinks before it answers; its reasoning is folded";
    if button.show(ui, space::TARGET).on_hover_text(told).clicked() {
        side::set_thinking(&mut setup.template_args, !button.is_on);
        scene.tell_chat(ChatCommand::Setup(Box::new(setup)));
    }
}

/// The button that sends, or stops.
fn send_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    composer: &mut Composer,
    is_sent: bool,
    too_long: Option<&str>,
) {
    if let Some(writing) = &scene.chat.writing {
        let mut stop = Button::new("Stop");
        stop.is_primary = true;
        stop.key = "Esc";
        stop.is_disabled = writing.is_stopping;
        if stop.show(ui, 30.0).clicked() {
            scene.tell_chat(ChatCommand::Stop);
        }
        return;
    }
    let mut send = Button::new("Send");
    send.key = "⏎";
    let has_text = !composer.text.trim().is_empty() || scene.chat.has_attached();
    send.is_disabled = !has_text || scene.chat.is_reading() || too_long.is_some();
    send.is_primary = !send.is_disabled;
    let mut shown = send.show(ui, 30.0);
    if let Some(why) = too_long {
        shown = shown.on_hover_text(why);
    }
    let is_sent = is_sent || shown.clicked();
    if is_sent && !send.is_disabled {
        let text = std::mem::take(&mut composer.text);
        scene.tell_chat(ChatCommand::Send(text));
        composer.wants_focus = true;
    }
}
