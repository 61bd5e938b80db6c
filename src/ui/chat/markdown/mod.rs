//! Formatted text, as models write it: Markdown with tables, code and formulas.

mod pieces;

use egui::Ui;

use crate::ui::theme::{Palette, Type};

pub use pieces::{pieces, reasoning};

/// How formatted text was laid out.
#[derive(Default)]
pub struct Markdown {}

impl Markdown {
    /// Forgets what was laid out.
    pub fn forget(&mut self) {}

    /// Draws a piece of formatted text.
    pub fn show(&mut self, ui: &mut Ui, text: &str) {
        let palette = Palette::of(ui);
        ui.label(Type::Talk.text(text.trim_end(), palette.text));
    }
}
