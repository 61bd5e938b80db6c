//! Explaining text: words that wrap, the prompt's words semi-bold, terms dotted with their entry on
//! hover.

use egui::{Response, Sense, Ui, pos2, vec2};

use crate::ui::theme::{Palette, Type, space};
use crate::ui::words::{Run, glossary, runs};

/// Shows a text with marks (see [`crate::ui::words`]) in the width there is.
pub fn prose_ui(ui: &mut Ui, text: &str) {
    let palette = Palette::of(ui);
    ui.scope(|ui| {
        // A row is as high as its words, not as a button.
        ui.spacing_mut().interact_size.y = LINE;
        ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
        ui.horizontal_wrapped(|ui| {
            for run in runs(text) {
                match run {
                    Run::Plain(words) => {
                        ui.label(line(Type::Body.text(words, palette.text)));
                    }
                    Run::Strong(words) => {
                        ui.label(line(Type::Strong.text(words, palette.text)));
                    }
                    Run::Term { shown, name } => {
                        term_ui(ui, shown, name);
                    }
                }
            }
        });
    });
}

/// Height of a line of explaining text.
const LINE: f32 = 18.5;

fn line(text: egui::RichText) -> egui::RichText {
    text.line_height(Some(LINE))
}

/// Shows a word that has an entry in the glossary: dotted underline, the entry on hover.
pub fn term_ui(ui: &mut Ui, shown: &str, name: &str) -> Response {
    let palette = Palette::of(ui);
    let label = egui::Label::new(line(Type::Body.text(shown, palette.text))).sense(Sense::hover());
    let response = ui.add(label);
    let rect = response.rect;
    let y = rect.bottom() - 2.0;
    let dots = egui::Shape::dotted_line(
        &[pos2(rect.left() + 1.0, y), pos2(rect.right() - 1.0, y)],
        palette.faint,
        3.0,
        0.7,
    );
    ui.painter().extend(dots);
    match glossary::term(name) {
        Some(term) => response.on_hover_ui(|ui| entry_ui(ui, term)),
        None => response,
    }
}

/// A glossary entry: name, explanation, and what code calls it.
pub fn entry_ui(ui: &mut Ui, term: &glossary::Term) {
    let palette = Palette::of(ui);
    ui.set_max_width(300.0);
    ui.spacing_mut().item_spacing.y = space::TINY;
    ui.label(Type::Strong.text(term.name, palette.text));
    ui.label(Type::Body.text(term.text, palette.text));
    if let Some(code) = term.code {
        ui.label(Type::MonoSmall.text(code, palette.muted));
    }
}
