//! Formulas: terms with the hues of their roles, and the cell's own numbers.

use std::sync::Arc;

use egui::Ui;

use super::copying::{self, FormulaText};
use crate::ui::controls::format;
use crate::ui::theme::{Palette, Role, Type, space};
use crate::ui::widgets::heatmap::figure;

/// One piece of a formula.
#[derive(Debug, Clone)]
pub struct Term {
    text: String,
    font: Type,
    role: Option<Role>,
    is_muted: bool,
    is_result: bool,
}

/// A product as formulas have it: `0.41 × (−1.07)`.
#[must_use]
pub fn times(a: f32, b: f32) -> String {
    let factor = |value: f32| match value < 0.0 {
        true => format!("({})", figure(value)),
        false => figure(value),
    };
    format!("{} × {}", factor(a), factor(b))
}

impl Term {
    /// Words: `softmax over 11`.
    pub fn words(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            font: Type::Body,
            role: None,
            is_muted: true,
            is_result: false,
        }
    }

    /// A name with a role's hue: `q`.
    pub fn of(role: Role, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            font: Type::Label,
            role: Some(role),
            is_muted: false,
            is_result: false,
        }
    }

    /// A number.
    pub fn number(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            font: Type::Mono,
            role: None,
            is_muted: false,
            is_result: false,
        }
    }

    /// The number that all of it comes to.
    pub fn result(role: Role, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            font: Type::MonoStrong,
            role: Some(role),
            is_muted: false,
            is_result: true,
        }
    }
}

/// Draws a formula from left to right, with the address of its cell at the right end.
pub fn formula_ui(ui: &mut Ui, terms: &[Term], address: &str) {
    let palette = Palette::of(ui);
    keep(ui, terms, address);
    let mut job = egui::text::LayoutJob::default();
    for (at, term) in terms.iter().enumerate() {
        let colour = match (term.role, term.is_muted) {
            // Below zero it has the colour that maps give it.
            (Some(_), _) if term.is_result && term.text.starts_with('−') => palette.negative,
            (Some(role), _) => palette.role(role),
            (None, true) => palette.muted,
            (None, false) => palette.text,
        };
        let gap = if at == 0 { 0.0 } else { 7.0 };
        job.append(&term.text, gap, format(term.font, colour));
    }
    let wide = ui.painter().layout_job(job.clone()).size().x;
    let address = fitting(ui, address, ui.available_width() - wide - space::MEDIUM);
    let room = ui.available_width() - address.size().x - space::MEDIUM;
    job.wrap = egui::text::TextWrapping::truncate_at_width(room.max(40.0));
    // Laid out here: a label in a row would take its own width.
    let formula = ui.painter().layout_job(job);
    ui.label(formula);
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        ui.label(address);
    });
}

/// Keeps the formula as text, for whoever copies it.
fn keep(ui: &Ui, terms: &[Term], address: &str) {
    let texts: Vec<&str> = terms.iter().map(|term| term.text.as_str()).collect();
    let result = terms.iter().rfind(|term| term.is_result);
    let told = FormulaText {
        formula: texts.join(" "),
        result: result.map(|term| term.text.clone()).unwrap_or_default(),
        address: address.to_owned(),
    };
    ui.data_mut(|data| data.insert_temp(copying::formula_id(), told));
}

/// The address, its last part (`hook_pattern[3, 10, 9]`), or nothing: whatever fits into `room`.
fn fitting(ui: &Ui, address: &str, room: f32) -> Arc<egui::Galley> {
    let muted = Palette::of(ui).muted;
    let lay = |text: &str| {
        let font = Type::MonoSmall.font();
        ui.painter().layout_no_wrap(text.to_owned(), font, muted)
    };
    let short = address.rsplit('.').next().unwrap_or_default();
    let mut forms = [address, short].into_iter().map(lay);
    let found = forms.find(|galley| galley.size().x <= room);
    found.unwrap_or_else(|| lay(""))
}
