//! The sheet of prepared stops: the place, the sentence for the room, notes for the speaker.

use egui::{ScrollArea, TextEdit, Ui};

use super::PresentCommand;
use crate::lesson::stops::Stop;
use crate::ui::command::Command;
use crate::ui::controls::{Button, caption};
use crate::ui::icons::Icon;
use crate::ui::picture::Scene;
use crate::ui::spot::Spot;
use crate::ui::theme::{Palette, Type, space};

/// What is asked of a row.
enum Wish {
    Go,
    Earlier,
    Remove,
}

/// Draws the inside of the sheet. Changes are saved as they are made.
pub fn talk_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let palette = Palette::of(ui);
    let mut stops = scene.talk.stops.clone();
    // The room reads along.
    let has_notes = !scene.view.is_presenting;
    let height = (ui.ctx().content_rect().height() - 260.0).max(120.0);
    ui.horizontal(|ui| {
        let label = caption(ui, "Title of the talk");
        let field = TextEdit::singleline(&mut stops.title).desired_width(320.0);
        ui.add(field).labelled_by(label.id);
    });
    ScrollArea::vertical().max_height(height).show(ui, |ui| {
        let mut wish = None;
        for (at, stop) in stops.stops.iter_mut().enumerate() {
            wish = row_ui(ui, at, stop, has_notes)
                .map(|wish| (at, wish))
                .or(wish);
        }
        match wish {
            Some((at, Wish::Remove)) => {
                stops.stops.remove(at);
            }
            Some((at, Wish::Earlier)) if at > 0 => stops.stops.swap(at - 1, at),
            Some((at, Wish::Go)) => {
                scene.send(Command::Overlay(None));
                scene.send(Command::Presenting(PresentCommand::Stop(at)));
            }
            _ => {}
        }
    });
    let told = match (stops.stops.is_empty(), has_notes) {
        (true, _) => "No stops yet. Go to a place that you will show, and keep it.",
        (false, false) => {
            "Notes stand in the speaker's window, N, where the room does not see them."
        }
        (false, true) => "Notes stand in the speaker's window while you present: key N.",
    };
    ui.add(egui::Label::new(Type::Body.text(told, palette.muted)).wrap());
    ui.add_space(space::SMALL);
    ui.horizontal(|ui| {
        let mut add = Button::new("Keep what is on view");
        add.is_primary = true;
        if add.show(ui, space::TARGET).clicked() {
            scene.send(Command::Presenting(PresentCommand::Add));
        }
        let told = match &scene.talk.file {
            Some(file) => format!("kept in {file}"),
            None => scene.talk.until_closed(),
        };
        ui.add(egui::Label::new(Type::MonoSmall.text(told, palette.muted)).truncate());
    });
    if stops != scene.talk.stops {
        scene.send(Command::Presenting(PresentCommand::Save(stops)));
    }
}

fn row_ui(ui: &mut Ui, at: usize, stop: &mut Stop, has_notes: bool) -> Option<Wish> {
    let palette = Palette::of(ui);
    let mut wish = None;
    ui.push_id(at, |ui| {
        ui.horizontal(|ui| {
            ui.label(Type::Strong.text(format!("{}", at + 1), palette.text));
            let field = TextEdit::singleline(&mut stop.at)
                .desired_width(290.0)
                .font(Type::Mono.font());
            let field = ui.add(field);
            let name = format!("place of stop {}", at + 1);
            field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, &name));
            for (button, asked) in [
                (Button::new("Go"), Wish::Go),
                (Button::new("Earlier"), Wish::Earlier),
                (Button::icon(Icon::Close, "Remove this stop"), Wish::Remove),
            ] {
                if button.show(ui, 24.0).clicked() {
                    wish = Some(asked);
                }
            }
        });
        if let Err(why) = stop.at.parse::<Spot>() {
            ui.add(egui::Label::new(Type::Small.text(why.to_string(), palette.bad)).wrap());
        }
        let says = Some((&mut stop.says, "the sentence for the room"));
        let notes = has_notes.then_some((&mut stop.notes, "notes, for you alone"));
        for (text, hint) in says.into_iter().chain(notes) {
            let field = TextEdit::singleline(text)
                .desired_width(f32::INFINITY)
                .hint_text(hint);
            let field = ui.add(field);
            let name = format!("{hint}, stop {}", at + 1);
            field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, &name));
        }
        ui.add_space(space::SMALL);
    });
    wish
}
