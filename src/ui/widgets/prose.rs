//! Explaining text: words that wrap, the prompt's words semi-bold, terms dotted with their entry on
//! hover.

use egui::{Response, Sense, Shape, Ui, pos2, vec2};

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
            let mut after_term = false;
            let mut runs = runs(text).into_iter().peekable();
            while let Some(run) = runs.next() {
                match run {
                    Run::Plain(words) => {
                        // The sign after a term stands with it already.
                        let words = if after_term { after_sign(words) } else { words };
                        ui.label(line(Type::Body.text(words, palette.text)));
                    }
                    Run::Strong(words) => {
                        ui.label(line(Type::Strong.text(words, palette.text)));
                    }
                    Run::Term { shown, name } => {
                        let sign = match runs.peek() {
                            Some(Run::Plain(next)) => leading_sign(next),
                            _ => "",
                        };
                        term_with_sign_ui(ui, shown, sign, name);
                    }
                }
                after_term = matches!(run, Run::Term { .. });
            }
        });
    });
}

/// The punctuation that `words` begin with: it must not begin a line.
///
/// The space after it stays with the words: a label that begins with a word which has no room on the line would be
/// drawn over the next line.
fn leading_sign(words: &str) -> &str {
    let is_sign = |c: char| ".,;:!?)”…".contains(c);
    let end = words.find(|c| !is_sign(c)).unwrap_or(words.len());
    words.get(..end).unwrap_or_default()
}

/// The rest of `words`.
fn after_sign(words: &str) -> &str {
    words.strip_prefix(leading_sign(words)).unwrap_or(words)
}

/// Height of a line of explaining text.
const LINE: f32 = 18.5;

fn line(text: egui::RichText) -> egui::RichText {
    text.line_height(Some(LINE))
}

/// Shows a word that has an entry in the glossary: dotted underline, the entry on hover.
pub fn term_ui(ui: &mut Ui, shown: &str, name: &str) -> Response {
    term_with_sign_ui(ui, shown, "", name)
}

/// The same with a sign after it, which is not underlined. A term is never broken over two lines.
fn term_with_sign_ui(ui: &mut Ui, shown: &str, sign: &str, name: &str) -> Response {
    let palette = Palette::of(ui);
    let text = line(Type::Body.text(format!("{shown}{sign}"), palette.text));
    let label = egui::Label::new(text).sense(Sense::hover()).extend();
    let response = ui.add(label);
    let rect = response.rect;
    let font = Type::Body.font();
    let width = ui
        .painter()
        .layout_no_wrap(shown.to_owned(), font, palette.text)
        .size()
        .x;
    let y = rect.bottom() - 2.0;
    let ends = [
        pos2(rect.left() + 1.0, y),
        pos2(rect.left() + width - 1.0, y),
    ];
    ui.painter()
        .extend(Shape::dotted_line(&ends, palette.faint, 3.0, 0.7));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_stays_with_the_term_before_it() {
        let cut = |words| (leading_sign(words), after_sign(words));
        assert_eq!(cut(", and adds"), (",", " and adds"));
        assert_eq!(cut(" of it."), ("", " of it."));
        assert_eq!(cut("."), (".", ""));
    }
}
