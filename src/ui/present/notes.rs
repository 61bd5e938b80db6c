//! The speaker's own window: notes, what comes next, the answer; the room does not see it.

use egui::{
    CentralPanel, FontId, Frame, Label, Margin, Panel, ScrollArea, TextEdit, Ui, UiBuilder,
};

use super::PresentCommand;
use super::room::{fitted_ui, least_room};
use super::says::plain;
use crate::lesson::ShownPart;
use crate::ui::command::Command;
use crate::ui::controls::{Button, caption};
use crate::ui::lessons::LessonCommand;
use crate::ui::picture::{Picture, Scene};
use crate::ui::state::Mode;
use crate::ui::theme::{Palette, Role, Type, space};

/// Draws the speaker's window; `told` is the time since the talk began.
///
/// While the room sees a still, the picture that it will see next stands over the notes.
pub fn notes_ui(ui: &mut Ui, scene: &mut Scene<'_>, picture: &mut dyn Picture, told: &str) {
    let fill = Palette::of(ui).background;
    let frame = Frame::new().fill(fill).inner_margin(Margin::same(16));
    Panel::bottom("notes foot")
        .frame(frame)
        .show(ui, |ui| moves_ui(ui, scene, told));
    if scene.view.present.is_frozen {
        let height = ui.available_height() * 0.55;
        let live = Panel::top("live").exact_size(height).frame(frame);
        live.show(ui, |ui| live_ui(ui, scene, picture));
    }
    CentralPanel::default().frame(frame).show(ui, |ui| {
        ScrollArea::vertical()
            .auto_shrink([false, false])
            .show(ui, |ui| {
                // Beside the bar that scrolls.
                let inside = Frame::new().inner_margin(Margin {
                    right: 14,
                    ..Margin::ZERO
                });
                inside.show(ui, |ui| match scene.view.mode {
                    Mode::Lessons => lesson_ui(ui, scene),
                    _ => stops_ui(ui, scene),
                });
            });
    });
}

/// Where the speaker is by now, while the room sees a still.
fn live_ui(ui: &mut Ui, scene: &mut Scene<'_>, picture: &mut dyn Picture) {
    let palette = Palette::of(ui);
    let heading = picture.heading(scene);
    let what = format!("{} {}", heading.title, heading.detail).replace("**", "");
    let told = "Frozen: the room does not see this until F.";
    ui.label(Type::Strong.text(told, palette.role(Role::Query)));
    caption(ui, what.trim());
    let room = ui.available_rect_before_wrap();
    ui.scope_builder(UiBuilder::new().max_rect(room), |ui| {
        fitted_ui(ui, room, least_room(scene.view), |ui| {
            picture.main_ui(ui, scene);
        });
    });
}

fn moves_ui(ui: &mut Ui, scene: &mut Scene<'_>, told: &str) {
    let palette = Palette::of(ui);
    ui.horizontal_wrapped(|ui| {
        for (label, command) in [
            ("Back", PresentCommand::Back),
            ("Next", PresentCommand::Next),
            ("Black", PresentCommand::Black),
            ("Freeze", PresentCommand::Freeze),
            ("Answer", PresentCommand::Answer),
        ] {
            if Button::new(label).show(ui, space::TARGET).clicked() {
                scene.send(Command::Presenting(command));
            }
        }
        ui.label(Type::Mono.text(told, palette.muted));
    });
}

fn big(ui: &mut Ui, text: &str) {
    let palette = Palette::of(ui);
    let font = FontId::new(18.0, Type::Body.font().family);
    let text = egui::RichText::new(text).font(font).color(palette.text);
    ui.add(Label::new(text).wrap());
}

/// The notes of the stop on view, and every stop to go to.
fn stops_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let talk = scene.talk;
    let here = scene.view.present.stop;
    let label = caption(ui, "Notes");
    match here.filter(|at| *at < talk.stops.stops.len()) {
        Some(at) => field_ui(ui, scene, at, label.id),
        None => big(ui, "Before the first stop."),
    }
    ui.add_space(space::MEDIUM);
    caption(ui, "Stops");
    for (at, stop) in talk.stops.stops.iter().enumerate() {
        let label = match stop.says.trim() {
            "" => format!("{}  {}", at + 1, stop.at),
            says => format!("{}  {says}", at + 1),
        };
        let button = Button {
            is_on: here == Some(at),
            ..Button::new(&label)
        };
        if button.show(ui, space::TARGET).clicked() {
            scene.send(Command::Presenting(PresentCommand::Stop(at)));
        }
    }
}

/// The notes of a stop, to read and to change. They are saved as they are written.
fn field_ui(ui: &mut Ui, scene: &mut Scene<'_>, at: usize, label: egui::Id) {
    let mut stops = scene.talk.stops.clone();
    let Some(stop) = stops.stops.get_mut(at) else {
        return;
    };
    ui.push_id(("notes", at), |ui| {
        let field = TextEdit::multiline(&mut stop.notes)
            .desired_width(f32::INFINITY)
            .desired_rows(3)
            .font(FontId::new(18.0, Type::Body.font().family))
            .hint_text("What you will say here: only you see it.");
        ui.add(field).labelled_by(label);
    });
    if stops != scene.talk.stops {
        scene.send(Command::Presenting(PresentCommand::Save(stops)));
    }
}

/// The step of the lesson, with the answers to its questions.
fn lesson_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let palette = Palette::of(ui);
    let Some(open) = &scene.board.open else {
        return;
    };
    caption(ui, &open.card.title);
    big(ui, open.titles.get(open.step).map_or("", String::as_str));
    let parts = open.shown().map_or(&[][..], |step| &step.parts);
    let asked = open.waiting().map(|question| question.id.as_str());
    for (at, part) in parts.iter().enumerate() {
        match part {
            ShownPart::Text(text) => big(ui, &plain(text)),
            ShownPart::Question(question) => {
                let is_asked = asked == Some(question.id.as_str());
                caption(ui, if is_asked { "Ask now" } else { "Ask" });
                big(ui, &plain(&question.ask));
                caption(ui, "Answer");
                big(ui, &plain(&question.why));
            }
            ShownPart::Try(attempt) => {
                let button = Button::new(attempt.label.text.trim());
                if button.show(ui, space::TARGET).clicked() {
                    let follow = LessonCommand::Follow(at);
                    scene.commands.push(Command::Lesson(follow));
                }
            }
            ShownPart::Go(_) | ShownPart::Failed(_) => {}
        }
    }
    if let Some(next) = open.titles.get(open.step + 1) {
        ui.add_space(space::SMALL);
        ui.label(Type::Body.text(format!("Next: {next}"), palette.muted));
    }
}
