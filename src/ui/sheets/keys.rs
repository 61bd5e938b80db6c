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
    let n_keys = |group: &str| keys::ALL.iter().filter(|key| key.group == group).count();
    // Groups fill the first column until it has half of the keys.
    let mut n_before = 0;
    ui.columns(2, |columns| {
        for group in groups {
            let column = usize::from(2 * n_before >= keys::ALL.len());
            n_before += n_keys(group);
            let Some(ui) = columns.get_mut(column) else {
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
        ui.label(Type::Body.text(does, palette.text));
    });
}
