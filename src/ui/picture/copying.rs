//! What a click with the other button offers to copy: of a cell its value, its row and its address;
//! of the formula its text.

use egui::{Id, Popup, PopupKind, Pos2, Rect, Response, Ui};

use super::Scene;
use crate::trace::{Address, HostTensor, Place};
use crate::ui::answers::Asked;
use crate::ui::command::Command;
use crate::ui::sheets;
use crate::ui::state::Overlay;
use crate::ui::theme::{Palette, Type};

/// A formula as text, and the address of its cell.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct FormulaText {
    pub formula: String,
    pub result: String,
    pub address: String,
}

/// Where the formula that was drawn last is kept.
pub(super) fn formula_id() -> Id {
    Id::unique("formula-text")
}

/// Forgets the formula of the picture before: this one may have none.
pub(super) fn forget(ui: &Ui) {
    ui.data_mut(|data| data.remove::<FormulaText>(formula_id()));
}

/// The menu of the cell under the pointer, anywhere in `room`. Where something opens a menu of its own,
/// that one stays alone.
pub fn cell_menu(ui: &Ui, scene: &mut Scene<'_>, room: Rect) {
    let id = Id::unique("copy-cell");
    let at = ui.input(|input| {
        let is_clicked = input.pointer.secondary_clicked();
        input
            .pointer
            .interact_pos()
            .filter(|at| is_clicked && room.contains(*at))
    });
    let cell = scene.view.hovered.clone();
    let cell = cell.filter(|cell| matches!(cell.place, Place::Hook(_)) && !cell.index.is_empty());
    if let (Some(at), Some(cell), false) = (at, cell, Popup::is_any_open(ui.ctx())) {
        ui.data_mut(|data| data.insert_temp(id, (cell, at)));
        Popup::open_id(ui.ctx(), id);
    }
    if !Popup::is_id_open(ui.ctx(), id) {
        return;
    }
    let Some((cell, at)) = ui.data(|data| data.get_temp::<(Address, Pos2)>(id)) else {
        return;
    };
    let popup = Popup::new(id, ui.ctx().clone(), at, ui.layer_id());
    popup
        .kind(PopupKind::Menu)
        .layout(egui::Layout::top_down_justified(egui::Align::Min))
        .style(egui::containers::menu::menu_style)
        .gap(0.0)
        .open_memory(None)
        .show(|ui| cell_ui(ui, scene, &cell));
}

fn cell_ui(ui: &mut Ui, scene: &mut Scene<'_>, cell: &Address) {
    ui.style_mut().wrap_mode = Some(egui::TextWrapMode::Extend);
    let whole = Address {
        index: Vec::new(),
        ..cell.clone()
    };
    match scene.value(&whole) {
        Asked::Ready(value) => {
            let (number, row) = of_cell(&value, &cell.index);
            copy_ui(ui, scene, "Copy the value", number);
            copy_ui(ui, scene, "Copy the row as CSV", row);
        }
        Asked::Waiting => {
            ui.label(Type::Body.text("Computing …", Palette::of(ui).muted));
        }
        Asked::Failed(_) => {}
    }
    copy_ui(ui, scene, "Copy the address", Some(cell.to_string()));
    picture_ui(ui, scene);
}

/// A cell's number with all its digits, and the row along the last axis that it stands in.
fn of_cell(value: &HostTensor, index: &[usize]) -> (Option<String>, Option<String>) {
    let number = value.value(index).map(|number| number.to_string());
    let row = index.split_last().and_then(|(_, row)| value.at(row));
    let row = row.map(|row| {
        let numbers: Vec<String> = row.iter().map(f32::to_string).collect();
        numbers.join(",")
    });
    (number, row)
}

/// The menu of the formula strip.
pub(super) fn formula_menu(ui: &Ui, scene: &mut Scene<'_>, strip: &Response) {
    let told: Option<FormulaText> = ui.data(|data| data.get_temp(formula_id()));
    let Some(told) = told else {
        return;
    };
    let text = |text: &String| (!text.is_empty()).then(|| text.clone());
    strip.context_menu(|ui| {
        ui.style_mut().wrap_mode = Some(egui::TextWrapMode::Extend);
        copy_ui(ui, scene, "Copy the result", text(&told.result));
        copy_ui(ui, scene, "Copy the formula", text(&told.formula));
        copy_ui(ui, scene, "Copy the address", text(&told.address));
        picture_ui(ui, scene);
    });
}

fn copy_ui(ui: &mut Ui, scene: &mut Scene<'_>, label: &str, text: Option<String>) {
    let Some(text) = text else {
        return;
    };
    if ui.button(label).clicked() {
        scene.send(Command::Copy(text));
        ui.close();
    }
}

/// The way to the picture as a file.
fn picture_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    if ui.button("Save the picture …").clicked() {
        sheets::share_the_picture(ui.ctx());
        scene.send(Command::Overlay(Some(Overlay::Share)));
        ui.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_copied_with_the_row_it_stands_in() {
        let value = HostTensor::new(vec![2, 2], vec![0.5, -2.0, 3.0, 0.1]).unwrap();
        let (number, row) = of_cell(&value, &[1, 1]);
        assert_eq!(number.as_deref(), Some("0.1"));
        assert_eq!(row.as_deref(), Some("3,0.1"));
        assert_eq!(of_cell(&value, &[7, 0]), (None, None));
    }
}
