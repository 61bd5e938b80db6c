//! The Models tab: what runs on this machine, what it needs, and how to get it.
//!
//! The table is the librarian's list as it is; nothing is counted here but shares of a bar. What is typed but not
//! yet asked for lives in a `Draft`, as in the sheets.

mod entry;
mod getting;
mod menu;
mod removing;
mod shelf;
mod side;
mod status;
mod table;

use egui::{Align, CentralPanel, Frame, Key, Layout, Margin, Panel, ScrollArea, Ui};

use super::command::Command;
use super::controls::Button;
use super::picture::Scene;
use super::pictures::kit::field_ui;
use super::theme::{Palette, Type, space};
use crate::hub::message::ModelList;
use crate::trace::units;

pub use entry::Entry;
pub use menu::menu_ui;
pub use shelf::{Download, DownloadState, Next, Search, Shelf, ShelfCommand, USUAL_POSITIONS};

/// Below this width the details stand under the table.
const NARROW: f32 = 800.0;

/// What is typed or about to be confirmed.
#[derive(Debug, Clone, Default)]
struct Draft {
    /// The field above the table.
    find: String,
    /// A name of one's own, being typed.
    name: String,
    /// What waits for a second click.
    asks: Option<Asks>,
    /// Whether this machine's speed was asked for.
    wants_speed: bool,
}

/// What waits for a second click, and for which model.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asks {
    Remove(String),
    Load(String),
}

/// Draws the tab.
pub fn models_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    if scene.shelf.is_new() {
        let n_positions = scene.shelf.n_positions;
        scene.send(Command::Shelf(ShelfCommand::List(n_positions)));
    }
    let id = egui::Id::unique("models-draft");
    let mut draft: Draft = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    let room = ui.available_size();
    let frame = panel_frame(ui, 16, 16);
    let side = |ui: &mut Ui, scene: &mut Scene<'_>, draft: &mut Draft| {
        let area = ScrollArea::vertical().auto_shrink(false);
        area.show(ui, |ui| side::side_ui(ui, scene, draft));
    };
    if room.x < NARROW {
        let panel = Panel::bottom("model-below").resizable(true);
        let panel = panel.default_size(room.y * 0.45).frame(frame);
        panel.show(ui, |ui| side(ui, scene, &mut draft));
    } else {
        let panel = Panel::right("model-beside").default_size(304.0);
        let panel = panel.size_range(250.0..=480.0).frame(frame);
        panel.show(ui, |ui| side(ui, scene, &mut draft));
    }
    let page = CentralPanel::default().frame(panel_frame(ui, 26, 20));
    page.show(ui, |ui| {
        head_ui(ui, scene, &mut draft);
        ui.add_space(space::SMALL);
        table::table_ui(ui, scene, &mut draft);
    });
    ui.data_mut(|data| data.insert_temp(id, draft));
}

fn panel_frame(ui: &Ui, x: i8, y: i8) -> Frame {
    let fill = Palette::of(ui).background;
    Frame::new()
        .fill(fill)
        .inner_margin(Margin::symmetric(x, y))
}

/// The title, the machine, and the field to look for more.
fn head_ui(ui: &mut Ui, scene: &mut Scene<'_>, draft: &mut Draft) {
    let palette = Palette::of(ui);
    let title = |ui: &mut Ui, scene: &Scene<'_>| {
        ui.label(Type::Title.text("Models", palette.text));
        if let Some(list) = &scene.shelf.list {
            let told = Type::Body.text(machine(list), palette.muted);
            ui.add(egui::Label::new(told).truncate());
        }
    };
    if ui.available_width() < 760.0 {
        ui.horizontal(|ui| title(ui, scene));
        ui.horizontal(|ui| find_ui(ui, scene, draft, ui.available_width() - 80.0));
        return;
    }
    ui.horizontal(|ui| {
        ui.set_height(32.0);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            find_ui(ui, scene, draft, 270.0);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| title(ui, scene));
        });
    });
}

/// `this machine: 24.0 GB memory, 12.1 GB of it free · 46.0 GB disk free`.
fn machine(list: &ModelList) -> String {
    let mut parts = Vec::new();
    match (list.memory_bytes, list.free_memory_bytes) {
        (Some(all), Some(free)) => {
            let (all, free) = (units::bytes(all), units::bytes(free));
            parts.push(format!("{all} memory, {free} of it free"));
        }
        (Some(all), None) => parts.push(format!("{} memory", units::bytes(all))),
        (None, _) => {}
    }
    if let Some(free) = list.free_disk_bytes {
        parts.push(format!("{} disk free", units::bytes(free)));
    }
    format!("this machine: {}", parts.join(" · "))
}

/// The field: what is typed filters the table; Enter looks further.
fn find_ui(ui: &mut Ui, scene: &mut Scene<'_>, draft: &mut Draft, width: f32) {
    let hint = "Find on the hub, or type an id or a folder";
    let mut button = Button::new("Find");
    button.is_disabled = draft.find.trim().is_empty();
    // The field stands left of the button whichever way the row is laid out.
    let is_backward = ui.layout().prefer_right_to_left();
    let mut clicked = is_backward && button.show(ui, space::TARGET).clicked();
    let field = field_ui(ui, hint, hint, &mut draft.find, width);
    if !is_backward {
        clicked = button.show(ui, space::TARGET).clicked();
    }
    let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    let text = draft.find.trim().to_owned();
    if text.is_empty() && field.changed() {
        scene.send(Command::Shelf(ShelfCommand::Unfind));
    }
    if (entered || clicked) && !text.is_empty() {
        scene.send(Command::Shelf(ShelfCommand::Find(text)));
    }
}
