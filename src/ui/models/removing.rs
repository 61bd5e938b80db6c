//! Removing a model: what it frees, and a second click.

use egui::{Label, Ui};

use super::status::is_in_use;
use super::{Asks, Draft, Entry, ShelfCommand};
use crate::hub::message::ModelPlace;
use crate::trace::units;
use crate::ui::command::Command;
use crate::ui::controls::Button;
use crate::ui::picture::Scene;
use crate::ui::pictures::kit::note_ui;
use crate::ui::theme::{Palette, Type, space};

/// Draws the way to remove a model, where there is something that Vitrine may remove.
pub(super) fn removing_ui(ui: &mut Ui, scene: &mut Scene<'_>, draft: &mut Draft, entry: &Entry) {
    let Some(id) = entry.id.clone() else {
        return;
    };
    let is_moving = scene.shelf.downloads.get(&id);
    if is_moving.is_some_and(super::Download::is_under_way) {
        return;
    }
    let freed = match &entry.place {
        ModelPlace::Here { freed_bytes, .. } => *freed_bytes,
        ModelPlace::Partial { .. } => entry.bytes,
        ModelPlace::Embedded | ModelPlace::Hub => return,
    };
    let freed = units::bytes(freed);
    if is_in_use(scene, entry) {
        note_ui(
            ui,
            &format!("Removing it would free {freed}. Use another model first."),
        );
        return;
    }
    let asks = Asks::Remove(entry.key.clone());
    if draft.asks.as_ref() != Some(&asks) {
        let label = format!("Remove, frees {freed}");
        if Button::new(&label).show(ui, 32.0).clicked() {
            draft.asks = Some(asks);
        }
        return;
    }
    let palette = Palette::of(ui);
    let told =
        format!("Remove {id} from the disk? Python's tools will not find it any more either.");
    ui.add(Label::new(Type::Body.text(told, palette.text)).wrap());
    ui.horizontal(|ui| {
        if Button::new("Yes, remove it").show(ui, 32.0).clicked() {
            draft.asks = None;
            scene.send(Command::Shelf(ShelfCommand::Remove(id)));
        }
        if Button::new("Keep it").show(ui, 32.0).clicked() {
            draft.asks = None;
        }
    });
    ui.add_space(space::SMALL);
}
