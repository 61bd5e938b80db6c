//! Small things that several pictures share: headings within a picture, fields, copying.

use egui::{Response, TextEdit, Ui};

use crate::ui::command::Command;
use crate::ui::picture::{Heading, Scene, Side, is_still};
use crate::ui::theme::{Palette, Type, space};
use crate::ui::words::fill;
use crate::ui::words::stages::PictureText;

/// A heading within a picture: what comes, and a figure in small type beside it.
pub fn section_ui(ui: &mut Ui, title: &str, note: &str) {
    let palette = Palette::of(ui);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        ui.label(Type::Strong.text(title, palette.text));
        if !note.is_empty() {
            let note = egui::Label::new(Type::MonoSmall.text(note, palette.muted));
            ui.add(note.truncate());
        }
    });
}

/// A muted line that wraps: what one sees, or why there is nothing to see.
pub fn note_ui(ui: &mut Ui, text: &str) {
    let palette = Palette::of(ui);
    ui.add(egui::Label::new(Type::Body.text(text, palette.muted)).wrap());
}

/// A field for one line of text, called `name` for those who cannot see it.
pub fn field_ui(ui: &mut Ui, name: &str, hint: &str, text: &mut String, width: f32) -> Response {
    let palette = Palette::of(ui);
    if is_still(ui) {
        let text = Type::Body.text(text.as_str(), palette.text);
        return ui.add(egui::Label::new(text).truncate());
    }
    let hint = Type::Body.text(hint, palette.muted);
    let field = TextEdit::singleline(text)
        .desired_width(width)
        .hint_text(hint)
        .align(egui::Align2::LEFT_CENTER)
        .margin(egui::Margin::symmetric(8, 5));
    let response = ui.add(field);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, name));
    response
}

/// What a click with the other button offers to copy: each with its label.
pub fn copy_menu(
    scene: &mut Scene<'_>,
    response: &Response,
    copies: &[(&str, &dyn Fn() -> String)],
) {
    response.context_menu(|ui| {
        ui.spacing_mut().item_spacing.y = space::TINY;
        for (label, text) in copies {
            if ui.button(*label).clicked() {
                scene.send(Command::Copy(text()));
                ui.close();
            }
        }
    });
}

/// Numbers as a line of a CSV file, with all the digits that they have.
#[must_use]
pub fn csv(values: impl IntoIterator<Item = f32>) -> String {
    let numbers: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    numbers.join(",")
}

/// A field of a CSV file: quoted where it has to be.
#[must_use]
pub fn csv_text(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

/// The heading of a picture by its words.
#[must_use]
pub fn heading(words: &PictureText, detail: impl Into<String>) -> Heading {
    Heading {
        title: words.title.into(),
        detail: detail.into(),
        sentence: words.sentence.into(),
    }
}

/// What stands beside a picture by its words, filled in with `values`.
#[must_use]
pub fn side(words: &PictureText, values: &[(&str, &str)]) -> Side {
    Side {
        happens: fill(words.happens, values),
        look_for: fill(words.look_for, values),
        does_not_say: words.not_said.unwrap_or_default().into(),
        ..Side::default()
    }
}

/// A figure with its sign and four places, as formulas have it.
#[must_use]
pub fn signed(value: f32) -> String {
    format!("{value:+.4}").replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_copied_with_all_its_digits() {
        assert_eq!(csv([0.1, -2.0, 1.5e-7]), "0.1,-2,0.00000015");
        assert_eq!(csv_text("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(csv_text(" to"), " to");
    }

    #[test]
    fn a_figure_has_a_true_minus_sign() {
        assert_eq!(signed(-0.0217), "−0.0217");
        assert_eq!(signed(0.25), "+0.2500");
    }
}
