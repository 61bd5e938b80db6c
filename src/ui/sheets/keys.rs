//! Every key, from the one table that is obeyed.

use egui::Ui;

use super::title_ui;
use crate::ui::controls::{caption, key_cap};
use crate::ui::keys;
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Type, space};

/// Draws the sheet.
pub fn keys_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    ui.set_width(620.0_f32.min(ui.ctx().content_rect().width() - 80.0));
    title_ui(ui, scene, "Keys");
    let mut groups: Vec<&str> = Vec::new();
    for shortcut in &keys::ALL {
        if !groups.contains(&shortcut.group) {
            groups.push(shortcut.group);
        }
    }
    ui.columns(2, |columns| {
        for (at, group) in groups.iter().enumerate() {
            // The longest group has a column to itself.
            let Some(ui) = columns.get_mut(usize::from(at > 0)) else {
                return;
            };
            group_ui(ui, group);
        }
    });
}

fn group_ui(ui: &mut Ui, group: &str) {
    let palette = Palette::of(ui);
    caption(ui, group);
    for shortcut in keys::ALL.iter().filter(|shortcut| shortcut.group == group) {
        ui.horizontal(|ui| {
            let width = key_cap(ui, shortcut.cap).rect.width();
            ui.add_space((44.0 - width).max(0.0));
            ui.label(Type::Body.text(shortcut.does, palette.text));
        });
    }
    ui.add_space(space::SMALL);
}
