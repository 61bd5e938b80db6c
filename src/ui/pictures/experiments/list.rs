//! The edits in their order: switch, name, move, take out, undo.

use egui::{Rect, Sense, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use crate::trace::debug::{DebugCommand, EditChange};
use crate::trace::edit::Edit;
use crate::ui::command::Command;
use crate::ui::controls::Button;
use crate::ui::icons::Icon;
use crate::ui::picture::Scene;
use crate::ui::pictures::kit::{field_ui, section_ui};
use crate::ui::theme::{Palette, Role, Type, space};

/// The name that is being changed.
#[derive(Default)]
pub struct List {
    renamed: Option<(usize, String)>,
}

impl List {
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let edits = scene.run.edits.edits().to_vec();
        self.head_ui(ui, scene, &edits);
        for (at, edit) in edits.iter().enumerate() {
            self.row_ui(ui, scene, at, edit);
        }
    }

    fn head_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, edits: &[Edit]) {
        ui.horizontal(|ui| {
            section_ui(ui, "Edits, in the order in which they act", "");
            let (can_undo, can_redo) = (scene.run.edits.can_undo(), scene.run.edits.can_redo());
            let mut button = |ui: &mut Ui, label: &str, is_there: bool, change: EditChange| {
                let mut button = Button::new(label);
                button.is_disabled = !is_there;
                if button.show(ui, 24.0).clicked() && is_there {
                    send(scene, change);
                }
            };
            button(ui, "Undo", can_undo, EditChange::Undo);
            button(ui, "Redo", can_redo, EditChange::Redo);
            if !edits.is_empty() {
                let acts = edits.iter().any(|edit| edit.is_on);
                button(
                    ui,
                    if acts { "All off" } else { "All on" },
                    true,
                    EditChange::SwitchAll(!acts),
                );
                button(ui, "Clear", true, EditChange::Clear);
            }
        });
    }

    fn row_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, at: usize, edit: &Edit) {
        let palette = Palette::of(ui);
        ui.horizontal(|ui| {
            if switch_ui(ui, &edit.name, edit.is_on).clicked() {
                send(
                    scene,
                    EditChange::Switch {
                        at,
                        is_on: !edit.is_on,
                    },
                );
            }
            match &mut self.renamed {
                Some((place, name)) if *place == at => {
                    let field = field_ui(ui, "name of the edit", "A name", name, 220.0);
                    if field.lost_focus() {
                        let name = name.clone();
                        self.renamed = None;
                        if name != edit.name && !name.is_empty() {
                            send(scene, EditChange::Rename { at, name });
                        }
                    } else {
                        field.request_focus();
                    }
                }
                _ => self.name_ui(ui, at, edit),
            }
            let action = edit.action.to_string();
            if action != edit.name {
                ui.label(Type::MonoSmall.text(action, palette.muted));
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if Button::icon(Icon::Close, "Take this edit out")
                    .show(ui, 24.0)
                    .clicked()
                {
                    send(scene, EditChange::Remove(at));
                }
                if at > 0 && Button::new("Earlier").show(ui, 24.0).clicked() {
                    send(
                        scene,
                        EditChange::Move {
                            from: at,
                            to: at - 1,
                        },
                    );
                }
            });
        });
    }

    fn name_ui(&mut self, ui: &mut Ui, at: usize, edit: &Edit) {
        let palette = Palette::of(ui);
        let colour = if edit.is_on {
            palette.text
        } else {
            palette.muted
        };
        let label = egui::Label::new(Type::Mono.text(&edit.name, colour)).sense(Sense::click());
        let response = ui.add(label).on_hover_text("Click to give it another name");
        if response.clicked() {
            self.renamed = Some((at, edit.name.clone()));
        }
    }
}

fn send(scene: &mut Scene<'_>, change: EditChange) {
    scene.send(Command::Tell(DebugCommand::Edit {
        change,
        catch_up: true,
    }));
}

/// A switch, on or off.
fn switch_ui(ui: &mut Ui, name: &str, is_on: bool) -> egui::Response {
    let palette = Palette::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(34.0, space::TARGET), Sense::click());
    response.widget_info(|| WidgetInfo::selected(egui::Role::Switch, true, is_on, name));
    let body = Rect::from_center_size(rect.center(), vec2(32.0, 18.0));
    let fill = if is_on {
        palette.role(Role::Query)
    } else {
        palette.sunk
    };
    ui.painter()
        .rect(body, 9, fill, palette.hairline(), StrokeKind::Inside);
    let x = if is_on {
        body.right() - 9.0
    } else {
        body.left() + 9.0
    };
    ui.painter().circle(
        pos2(x, body.center().y),
        6.5,
        palette.surface,
        palette.hairline(),
    );
    crate::ui::controls::focus_ring(ui, &response, body);
    response.on_hover_cursor(egui::CursorIcon::PointingHand)
}
