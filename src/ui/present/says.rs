//! The one sentence that stands beside a picture before a room.

use egui::{FontId, Label, RichText, Ui};

use crate::lesson::{Filled, ShownQuestion};
use crate::ui::fonts;
use crate::ui::picture::{Picture, Scene};
use crate::ui::state::Mode;
use crate::ui::theme::{Palette, Type, space};

/// What is said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Says {
    /// Which picture: `Attention L2.H3`.
    of: String,
    sentence: String,
    /// The number behind it, or the answer.
    detail: String,
}

impl Says {
    /// What the lesson asks or points at, what was prepared, or what the picture says of itself.
    pub fn of(scene: &mut Scene<'_>, picture: &mut dyn Picture) -> Self {
        let heading = picture.heading(scene);
        let of = match heading.detail.is_empty() {
            true => heading.title.clone(),
            false => format!("{} · {}", heading.title, heading.detail).replace("**", ""),
        };
        let spoken = picture.spoken(scene);
        if let Some((sentence, detail)) = of_lesson(scene) {
            return Self {
                of,
                sentence,
                detail,
            };
        }
        let (sentence, detail) = spoken.unwrap_or((heading.sentence, String::new()));
        match prepared(scene) {
            Some(says) => Self {
                of,
                detail: sentence,
                sentence: says,
            },
            None => Self {
                of,
                sentence,
                detail,
            },
        }
    }

    /// Draws it: large beside the picture, in two lines under it.
    pub fn show(&self, ui: &mut Ui, is_beside: bool) {
        let palette = Palette::of(ui);
        let large = if is_beside { 24.0 } else { 17.0 };
        let sentence = RichText::new(&self.sentence)
            .font(FontId::new(large, fonts::semibold()))
            .color(palette.text);
        let detail = RichText::new(&self.detail)
            .font(FontId::new(14.0, Type::Body.font().family))
            .color(palette.muted);
        if is_beside {
            ui.add_space((ui.available_height() * 0.30).max(0.0));
            ui.label(Type::Heading.text(&self.of, palette.muted));
            ui.add(Label::new(sentence).wrap());
            ui.add_space(space::TINY);
            if !self.detail.is_empty() {
                ui.add(Label::new(detail).wrap());
            }
            return;
        }
        ui.horizontal(|ui| {
            ui.label(Type::Body.text(&self.of, palette.muted));
        });
        ui.add_space(-4.0);
        ui.add(Label::new(sentence).truncate());
        if !self.detail.is_empty() {
            ui.add_space(-4.0);
            ui.add(Label::new(detail).truncate());
        }
    }
}

/// In a lesson: the question that waits, else where it leads.
fn of_lesson(scene: &Scene<'_>) -> Option<(String, String)> {
    if scene.view.mode != Mode::Lessons {
        return None;
    }
    let open = scene.board.open.as_ref()?;
    let shows = scene.view.present.shows_answer;
    if let Some(question) = open.waiting() {
        return Some((plain(&question.ask), answer(question, shows)));
    }
    let look = plain(&open.place()?.look);
    (!look.is_empty()).then_some((look, String::new()))
}

fn answer(question: &ShownQuestion, shows: bool) -> String {
    match shows {
        true => plain(&question.why),
        false => String::new(),
    }
}

/// A text of a lesson without its marks.
pub fn plain(text: &Filled) -> String {
    let words: Vec<&str> = text.text.split_whitespace().collect();
    words.join(" ").replace("**", "").replace('`', "")
}

/// What was prepared for the stop on view.
fn prepared(scene: &Scene<'_>) -> Option<String> {
    let stop = scene.talk.stops.stops.get(scene.view.present.stop?)?;
    let is_here = scene.view.mode == Mode::Explore && !stop.says.trim().is_empty();
    is_here.then(|| stop.says.clone())
}
