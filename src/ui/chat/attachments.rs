//! Texts that go with the next question: long pastes and dropped files, each as a chip that says how
//! many tokens it is.

use egui::text::{LayoutJob, TextWrapping};
use egui::{Event, Rect, ScrollArea, Sense, StrokeKind, Ui, UiBuilder, WidgetInfo, pos2, vec2};

use super::ChatCommand;
use crate::trace::units;
use crate::ui::controls::{format, quiet_icon};
use crate::ui::icons::Icon;
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Type, corner, space};

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

/// Height of a chip.
const CHIP: f32 = 26.0;
/// The widest that a chip is.
const WIDEST: f32 = 420.0;
/// More lines of chips than this are scrolled.
const LINES: f32 = 3.0;

/// Draws the chips, so many to a line as there is room for.
pub(super) fn attachments_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let chat = scene.chat;
    if chat.attachments.is_empty() {
        return;
    }
    let area = ScrollArea::vertical()
        .id_salt("attachments")
        .max_height(LINES * (CHIP + space::TINY))
        .auto_shrink([false, true]);
    area.show(ui, |ui| {
        let room = ui.available_width() - 10.0;
        ui.set_max_width(room);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(space::TINY, space::TINY);
            for attachment in &chat.attachments {
                chip_ui(ui, scene, attachment, room);
            }
        });
    });
    ui.add_space(space::TINY);
}

/// What is said of an attached text, and whether it is bad news.
fn told(attachment: &Attachment, n_context: usize) -> (String, bool) {
    let (text, n_tokens) = match &attachment.state {
        Attached::Reading => return ("reading …".to_owned(), false),
        Attached::Failed(why) => return (format!("is not sent: {why}"), true),
        Attached::Ready { text, n_tokens } => (text, n_tokens),
    };
    let size = units::bytes(text.len() as u64);
    match n_tokens {
        None => (format!("{size}, counting tokens …"), false),
        Some(n) => {
            let count = units::count(*n as u64);
            match *n >= n_context {
                true => {
                    let most = units::count(n_context as u64);
                    (format!("{count} tokens: this model reads {most}"), true)
                }
                false => (format!("{count} tokens"), false),
            }
        }
    }
}

/// One text: its name, what is said of it, and a way to let it go. What has no room shows on hover.
fn chip_ui(ui: &mut Ui, scene: &mut Scene<'_>, attachment: &Attachment, room: f32) {
    const CLOSE: f32 = 20.0;
    let palette = Palette::of(ui);
    let n_context = scene.facts.n_context.unwrap_or(u64::MAX) as usize;
    let (told, is_bad) = told(attachment, n_context);
    let colour = if is_bad { palette.bad } else { palette.muted };
    let widest = match attachment.state {
        // A reason takes the line.
        Attached::Failed(_) => room,
        _ => room.min(WIDEST),
    };
    let mut words = LayoutJob::default();
    let name = one_line(&attachment.name);
    words.append(&name, 0.0, format(Type::Label, palette.text));
    words.append(&one_line(&told), 8.0, format(Type::Small, colour));
    words.wrap = TextWrapping::truncate_at_width(widest - CLOSE - 20.0);
    let galley = ui.painter().layout_job(words);
    let size = vec2(galley.size().x + CLOSE + 20.0, CHIP);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let said = format!("{}: {told}", attachment.name);
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, &said));
    ui.painter().rect(
        rect,
        corner::BUTTON,
        palette.sunk,
        palette.hairline(),
        StrokeKind::Inside,
    );
    let at = pos2(rect.left() + 10.0, rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, palette.text);
    let close = Rect::from_center_size(
        pos2(rect.right() - CLOSE / 2.0 - 4.0, rect.center().y),
        vec2(CLOSE, CLOSE),
    );
    let builder = UiBuilder::new().max_rect(close).id_salt(attachment.id);
    let mut corner = ui.new_child(builder);
    let name = format!("Remove {}", attachment.name);
    if quiet_icon(&mut corner, Icon::Close, &name, true).clicked() {
        scene.tell_chat(ChatCommand::Detach(attachment.id));
    }
    response.on_hover_text(said);
}

/// A name, or a reason, without breaks: a chip is one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
