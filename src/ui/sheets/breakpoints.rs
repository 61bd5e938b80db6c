//! Breakpoints as a list, with their conditions.

use egui::Ui;

use super::title_ui;
use crate::trace::debug::Breakpoint;
use crate::ui::command::Command;
use crate::ui::controls::{Button, caption, paragraph};
use crate::ui::icons::Icon;
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Type, space};

/// Conditions to begin from.
const EXAMPLES: [&str; 3] = ["blocks.2", "sample if p<0.5", "blocks.2 if head(3,0)>0.4"];

/// Draws the sheet.
pub fn breakpoints_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    breakpoints: &[Breakpoint],
    is_new: bool,
) {
    let palette = Palette::of(ui);
    ui.set_width(480.0_f32.min(ui.ctx().content_rect().width() - 80.0));
    title_ui(ui, scene, "Breakpoints");
    paragraph(
        ui,
        "The run stops where one of these is reached and its condition holds. A click on a dot of the rail sets one, too.",
    );
    for (at, breakpoint) in breakpoints.iter().enumerate() {
        ui.horizontal(|ui| {
            let remove = Button::icon(Icon::Close, "Remove this breakpoint");
            if remove.show(ui, 24.0).clicked() {
                let mut changed = breakpoints.to_vec();
                changed.remove(at);
                scene.send(Command::Breakpoints(changed));
            }
            ui.label(Type::Mono.text(breakpoint.to_string(), palette.text));
        });
    }
    ui.add_space(space::SMALL);
    add_ui(ui, scene, breakpoints, is_new);
}

fn add_ui(ui: &mut Ui, scene: &mut Scene<'_>, breakpoints: &[Breakpoint], is_new: bool) {
    let palette = Palette::of(ui);
    let id = egui::Id::unique("breakpoint-draft");
    let mut draft: String = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    let label = caption(
        ui,
        "Where, and if you like: if token= TEXT, if p<0.5, if head(HEAD,POSITION)>0.4",
    );
    let parsed = ui
        .horizontal(|ui| {
            let field = egui::TextEdit::singleline(&mut draft)
                .desired_width(300.0)
                .hint_text("sample if p<0.5");
            let field = ui.add(field).labelled_by(label.id);
            if is_new {
                field.request_focus();
            }
            let enter = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            let parsed = draft.parse::<Breakpoint>();
            let mut add = Button::new("Add");
            add.is_disabled = parsed.is_err();
            let is_added = add.show(ui, space::TARGET).clicked() || enter;
            if let (true, Ok(breakpoint)) = (is_added, &parsed) {
                let mut changed = breakpoints.to_vec();
                changed.push(breakpoint.clone());
                scene.commands.push(Command::Breakpoints(changed));
                draft.clear();
                field.request_focus();
            }
            parsed
        })
        .inner;
    if let (false, Err(error)) = (draft.is_empty(), parsed) {
        ui.add(egui::Label::new(Type::Small.text(error.to_string(), palette.bad)).wrap());
    }
    ui.horizontal_wrapped(|ui| {
        for example in EXAMPLES {
            if Button::new(example).show(ui, space::TARGET).clicked() {
                example.clone_into(&mut draft);
            }
        }
    });
    ui.data_mut(|data| data.insert_temp(id, draft));
}
