//! The settings of the next answer.

use egui::Ui;

use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Type};

/// What the side panel remembers.
#[derive(Debug, Default)]
pub struct SidePage {}

/// Draws the settings.
pub(super) fn side_ui(ui: &mut Ui, _scene: &mut Scene<'_>, _page: &mut SidePage) {
    let palette = Palette::of(ui);
    ui.label(Type::Strong.text("Settings", palette.text));
}
