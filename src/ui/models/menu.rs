//! The short list of models in the menu of the top bar.

use egui::{ScrollArea, Ui};

use super::{Entry, ShelfCommand};
use crate::trace::units;
use crate::ui::command::Command;
use crate::ui::controls::caption;
use crate::ui::picture::Scene;
use crate::ui::state::Mode;
use crate::ui::theme::{Palette, Type, space};

/// Draws the list: what is here can be used at once, the rest leads to the Models tab.
pub fn menu_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    if scene.shelf.is_new() {
        let n_positions = scene.shelf.n_positions;
        scene.send(Command::Shelf(ShelfCommand::List(n_positions)));
    }
    let entries: Vec<Entry> = scene.shelf.rows().map(Entry::of_row).collect();
    let (here, away): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(Entry::is_here);
    let runs = |entry: &&Entry| entry.cannot_run.is_none();
    ui.set_min_width(340.0);
    let area = ScrollArea::vertical().max_height(440.0);
    area.show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.style_mut().wrap_mode = Some(egui::TextWrapMode::Extend);
        caption(ui, "Here");
        for entry in here.iter().filter(runs) {
            let is_used = entry.is_called(&scene.facts.name);
            if item_ui(ui, entry, is_used) {
                scene.send(Command::Model(entry.load.clone()));
                ui.close();
            }
        }
        ui.add_space(space::TINY);
        caption(ui, "To get");
        for entry in away.iter().filter(runs) {
            if item_ui(ui, entry, false) {
                scene.send(Command::Mode(Mode::Models));
                scene.send(Command::Shelf(ShelfCommand::Choose(entry.key.clone())));
                ui.close();
            }
        }
        ui.add_space(space::TINY);
        if ui.selectable_label(false, "All models …").clicked() {
            scene.send(Command::Mode(Mode::Models));
            ui.close();
        }
    });
}

/// A model with its size; whether it was clicked.
fn item_ui(ui: &mut Ui, entry: &Entry, is_used: bool) -> bool {
    let palette = Palette::of(ui);
    let about = if entry.is_about { "about " } else { "" };
    let size = match entry.bytes {
        0 => String::new(),
        bytes => format!("{about}{}", units::bytes(bytes)),
    };
    let name = entry.repository().map_or("", |(name, _)| name);
    let name = if name == entry.key || entry.key.contains('/') {
        ""
    } else {
        name
    };
    let mut text = egui::text::LayoutJob::default();
    let format = crate::ui::controls::format;
    let key = entry.key.rsplit('/').next().unwrap_or(&entry.key);
    text.append(key, 0.0, format(Type::Label, palette.text));
    text.append(name, 8.0, format(Type::Small, palette.muted));
    text.append(&size, 8.0, format(Type::MonoSmall, palette.muted));
    let response = ui.selectable_label(is_used, text);
    response.widget_info(|| {
        egui::WidgetInfo::selected(egui::Role::MenuItemRadio, true, is_used, &entry.key)
    });
    response.clicked()
}
