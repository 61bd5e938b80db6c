//! Every key, from the one table that is obeyed.

use egui::Ui;

use super::title_ui;
use crate::ui::controls::{caption, key_cap};
use crate::ui::keys;
use crate::ui::picture::Scene;
use crate::ui::present;
use crate::ui::theme::{Palette, Type, space};

/// Draws the sheet.
pub fn keys_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    ui.set_width(620.0_f32.min(ui.ctx().content_rect().width() - 80.0));
    title_ui(ui, scene, "Keys");
    if scene.view.is_presenting {
        for (_, cap, does) in present::keys::ALL {
            row_ui(ui, cap, does);
        }
        return;
    }
    let mut groups: Vec<&str> = Vec::new();
    for shortcut in &keys::ALL {
        if !groups.contains(&shortcut.group) {
            groups.push(shortcut.group);
        }
    }
    ui.columns(2, |columns| {
        for (at, group) in groups.iter().enumerate() {
            // The longest group has a column to itself, but for the chat's keys below it.
            let Some(ui) = columns.get_mut(usize::from(at > 0)) else {
                return;
            };
            group_ui(ui, group);
        }
        if let Some(ui) = columns.get_mut(0) {
            caption(ui, "Chat");
            for (cap, does) in keys::IN_CHAT {
                row_ui(ui, cap, does);
            }
        }
    });
}

fn group_ui(ui: &mut Ui, group: &str) {
    caption(ui, group);
    for shortcut in keys::ALL.iter().filter(|shortcut| shortcut.group == group) {
        row_ui(ui, shortcut.cap, shortcut.does);
    }
    ui.add_space(space::SMALL);
}

fn row_ui(ui: &mut Ui, cap: &str, does: &str) {
    let palette = Palette::of(ui);
    ui.horizontal(|ui| {
        let width = key_cap(ui, cap).rect.width();
        ui.add_space((44.0 - width).max(0.0));
        ui.add(egui::Label::new(Type::Body.text(does, palette.text)).wrap());
    });
}
