//! Text to read: Markdown with the model's values in it.
//!
//! Paragraphs with **strong words** and `code` may have a colour. What has more to it, a list, a
//! table, a link, is drawn as the chat draws it.

use egui::text::{LayoutJob, TextFormat};
use egui::{Color32, FontFamily, FontId, Ui};

use crate::lesson::Filled;
use crate::ui::chat::Markdown;
use crate::ui::fonts;
use crate::ui::theme::{Palette, Role, Type, space};

/// Draws texts.
#[derive(Default)]
pub struct Reader {
    markdown: Markdown,
}

/// Size of the text of a lesson: that of the chat.
const SIZE: f32 = 14.5;
/// Height of a line of it.
const LINE: f32 = 22.0;

impl Reader {
    /// Draws a text, and says where it does not hold on this model.
    pub fn show(&mut self, ui: &mut Ui, filled: &Filled) {
        let palette = Palette::of(ui);
        self.show_in(ui, filled, palette.text);
    }

    /// Draws a text in a colour.
    pub fn show_in(&mut self, ui: &mut Ui, filled: &Filled, colour: Color32) {
        let text = unbroken(filled.text.trim());
        let text = text.as_str();
        match is_plain(text) {
            true => {
                for paragraph in paragraphs(text) {
                    let mut job = set(&paragraph, colour);
                    job.wrap.max_width = ui.available_width();
                    ui.label(job);
                }
            }
            false => {
                let flowing = flowing(text);
                ui.scope(|ui| self.markdown.show(ui, &flowing, false));
            }
        }
        if !filled.broken.is_empty() {
            let palette = Palette::of(ui);
            let told = "On this model and prompt this does not hold as it is written.";
            let text = Type::Small.text(told, palette.role(Role::Logits));
            ui.add(egui::Label::new(text).wrap());
            ui.add_space(space::TINY);
        }
    }
}

/// The text with spaces that no line may end at: the space of a token, `' gave'`, belongs to it.
pub(super) fn unbroken(text: &str) -> String {
    let mut unbroken = String::with_capacity(text.len());
    let mut before = [' ', ' '];
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let [outer, quote] = before;
        let opens = matches!(quote, '\'' | '"' | '“' | '‘' | '`') && !outer.is_alphanumeric();
        let begins = letters.peek().is_some_and(|next| !next.is_whitespace());
        unbroken.push(match letter == ' ' && opens && begins {
            true => '\u{a0}',
            false => letter,
        });
        before = [quote, letter];
    }
    unbroken
}

/// Whether a text has nothing but paragraphs with strong words and code.
fn is_plain(text: &str) -> bool {
    !text.lines().any(is_block) && !["](", "$$", "<http"].iter().any(|mark| text.contains(mark))
}

/// Whether a line begins something other than a paragraph, or belongs to code.
fn is_block(line: &str) -> bool {
    let inside = line.trim_start();
    let numbered = inside
        .split_once(". ")
        .is_some_and(|(number, _)| number.parse::<u32>().is_ok());
    let marks = ["- ", "* ", "+ ", "#", ">", "|", "```"];
    numbered || line.starts_with("    ") || marks.iter().any(|mark| inside.starts_with(mark))
}

/// The text with each paragraph and each item on one line: in a file a line ends where it is full,
/// and that is no end on the screen.
fn flowing(text: &str) -> String {
    let mut flowing = String::with_capacity(text.len());
    let mut is_code = false;
    let mut is_open = false;
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```");
        let goes_on = is_open && !is_code && !line.trim().is_empty() && !is_block(line);
        if goes_on {
            flowing.push(' ');
            flowing.push_str(line.trim());
        } else {
            flowing.push('\n');
            flowing.push_str(line);
        }
        is_code ^= is_fence;
        is_open = !is_code && !is_fence && !line.trim().is_empty();
    }
    flowing
}

/// Paragraphs, each on one line.
fn paragraphs(text: &str) -> Vec<String> {
    let mut paragraphs = vec![String::new()];
    for line in text.lines() {
        let line = line.trim();
        match paragraphs.last_mut() {
            Some(last) if !line.is_empty() => {
                if !last.is_empty() {
                    last.push(' ');
                }
                last.push_str(line);
            }
            _ => paragraphs.push(String::new()),
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
}

/// A paragraph, set.
fn set(text: &str, colour: Color32) -> LayoutJob {
    let mut job = LayoutJob::default();
    for (at, part) in text.split("**").enumerate() {
        for (in_code, piece) in part.split('`').enumerate() {
            let is_code = in_code % 2 == 1;
            let font = match (at % 2 == 1, is_code) {
                (_, true) => FontId::new(SIZE - 1.0, FontFamily::Monospace),
                (true, false) => FontId::new(SIZE, fonts::semibold()),
                (false, false) => FontId::new(SIZE, FontFamily::Proportional),
            };
            let stars = piece.matches('*').count();
            // One star alone is a star.
            let mark = if is_code || stars % 2 == 1 { "**" } else { "*" };
            for (in_stars, words) in piece.split(mark).enumerate() {
                let mut format = TextFormat::simple(font.clone(), colour);
                format.italics = in_stars % 2 == 1;
                format.line_height = Some(LINE);
                job.append(words, 0.0, format);
            }
        }
    }
    job
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_space_of_a_token_stays_with_it() {
        let text = unbroken("Click ' gave' in the cat's row: ' to'.");
        assert_eq!(text, "Click '\u{a0}gave' in the cat's row: '\u{a0}to'.");
    }

    #[test]
    fn paragraphs_are_told_from_richer_text() {
        assert!(is_plain(
            "A **head** reads `x`.\nOn two lines.\n\nAnd more: 3.5 is a number."
        ));
        for rich in ["- one", "1. first", "| a | b |", "see [here](x)"] {
            assert!(!is_plain(rich), "{rich}");
        }
        assert_eq!(paragraphs("a\nb\n\n\nc "), ["a b", "c"]);
    }

    #[test]
    fn items_and_paragraphs_flow_and_code_does_not() {
        let text = "One\ntwo.\n\n- **a** *p*\n  together\n- b\n\n    x = 1\n    y = 2";
        let expected = "\nOne two.\n\n- **a** *p* together\n- b\n\n    x = 1\n    y = 2";
        assert_eq!(flowing(text), expected);
    }

    #[test]
    fn every_letter_of_a_paragraph_is_set() {
        let job = set("A **head** reads `x`, *not* 2 * 3.", Color32::BLACK);
        assert_eq!(
            job.text, "A head reads x, *not* 2 * 3.",
            "three stars are no pairs"
        );
        let job = set("A **head** reads `*x`, *not* y.", Color32::BLACK);
        assert_eq!(job.text, "A head reads *x, not y.");
        let slanted = job.sections.iter().filter(|section| section.format.italics);
        assert_eq!(slanted.count(), 1);
    }
}
