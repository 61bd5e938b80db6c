//! The one sentence that stands beside a picture before a room; in a lesson, the question with its
//! choices.

use std::ops::Range;
use std::sync::Arc;

use egui::text::LayoutJob;
use egui::{Color32, FontId, Galley, Label, TextFormat, Ui, Vec2};

use crate::lesson::{Answer, Filled, ShownKind, ShownQuestion};
use crate::ui::fonts;
use crate::ui::lessons::right_in_words;
use crate::ui::picture::{Picture, Scene, Spoken};
use crate::ui::state::Mode;
use crate::ui::theme::{Palette, Role, Type};

/// What is said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Says {
    /// Which picture: `Attention L2.H3`.
    of: String,
    sentence: String,
    /// What one may choose from, and whether it is shown to be right.
    choices: Vec<(String, bool)>,
    /// What is right, where it is no choice.
    answer: String,
    /// The number behind it, or why an answer is right.
    detail: String,
    /// In whose colour the number stands.
    role: Option<Role>,
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
        if let Some(of_lesson) = of_lesson(scene) {
            return Self { of, ..of_lesson };
        }
        let spoken = spoken.unwrap_or(Spoken {
            sentence: heading.sentence,
            detail: String::new(),
            role: Role::Residual,
        });
        let (sentence, detail) = match prepared(scene) {
            Some(says) => (says, spoken.sentence),
            None => (spoken.sentence, spoken.detail),
        };
        Self {
            of,
            sentence,
            detail,
            role: Some(spoken.role),
            ..Self::default()
        }
    }

    /// Whether it is a question with choices: they want a column of their own.
    #[must_use]
    pub fn has_choices(&self) -> bool {
        !self.choices.is_empty()
    }

    /// Everything that is said.
    fn lines(&self, palette: &Palette, is_beside: bool) -> Vec<Line> {
        let large = if is_beside { 24.0 } else { 17.0 };
        let mut lines = vec![
            (self.of.clone(), 13.0, is_beside, palette.muted),
            (self.sentence.clone(), large, true, palette.text),
        ];
        let choices = self
            .choices
            .iter()
            .enumerate()
            .map(|(at, (choice, is_right))| {
                let letter = char::from(b'A' + at.min(25) as u8);
                let (mark, colour) = match is_right {
                    true => (" ✓", palette.good),
                    false => ("", palette.text),
                };
                (
                    format!("{letter}   {choice}{mark}"),
                    16.0,
                    *is_right,
                    colour,
                )
            });
        match is_beside {
            true => lines.extend(choices),
            // Under a picture every line is taken from it.
            false => {
                let all: Vec<String> = choices.map(|(text, ..)| text).collect();
                lines.push((all.join("      "), 14.0, false, palette.text));
            }
        }
        let answer = (self.answer.clone(), 16.0, true, palette.good);
        lines.push(answer);
        lines.push((self.detail.clone(), 14.0, false, palette.muted));
        lines.retain(|(text, ..)| !text.trim().is_empty());
        lines
    }

    /// Laid out in the largest of a few sizes at which all of it fits.
    #[must_use]
    pub fn fitted(&self, ui: &Ui, room: Vec2, is_beside: bool) -> Fitted {
        let palette = Palette::of(ui);
        let lines = self.lines(palette, is_beside);
        let accent = self.role.map_or(palette.text, |role| palette.role(role));
        let laid_out = |(scale, shown): (f32, Range<usize>)| Fitted {
            gap: if is_beside { 10.0 * scale } else { 2.0 },
            galleys: lines
                .get(shown)
                .unwrap_or_default()
                .iter()
                .map(|line| ui.painter().layout_job(job(line, scale, accent, room.x)))
                .collect(),
        };
        let n = lines.len();
        // Under a picture its name is what is missed least, then the number behind the sentence.
        let named = usize::from(!is_beside && n > 1);
        let numbered = n - usize::from(!is_beside && self.role.is_some() && n > 2);
        let sizes = [
            (1.0, 0..n),
            (0.86, 0..n),
            (0.86, named..n),
            (0.74, named..n),
            (0.8, named..numbered),
            (0.64, named..numbered),
        ];
        let [rest @ .., last] = sizes.map(laid_out);
        let mut fitting = rest.into_iter();
        fitting
            .find(|fitted| fitted.height() <= room.y)
            .unwrap_or(last)
    }
}

/// One text as it is laid out; `**words**` stand out in `accent`.
fn job(
    (text, size, is_strong, colour): &Line,
    scale: f32,
    accent: Color32,
    width: f32,
) -> LayoutJob {
    let mut job = LayoutJob::default();
    job.wrap.max_width = width;
    for (at, piece) in text.split("**").enumerate() {
        let is_figure = at % 2 == 1;
        let family = match *is_strong || is_figure {
            true => fonts::semibold(),
            false => Type::Body.font().family,
        };
        let font = FontId::new((size * scale).max(SMALLEST), family);
        let colour = if is_figure { accent } else { *colour };
        job.append(piece, 0.0, TextFormat::simple(font, colour));
    }
    job
}

/// A text with its size, whether it is strong, and its colour.
type Line = (String, f32, bool, Color32);

/// Letters before a room are never smaller than this, in points of the enlarged window.
const SMALLEST: f32 = 10.0;

/// What is said, laid out.
#[derive(Debug, Clone)]
pub struct Fitted {
    galleys: Vec<Arc<Galley>>,
    gap: f32,
}

impl Fitted {
    /// How much room it takes.
    #[must_use]
    pub fn height(&self) -> f32 {
        let texts: f32 = self.galleys.iter().map(|galley| galley.size().y).sum();
        texts + self.gap * self.galleys.len().saturating_sub(1) as f32
    }

    /// Draws it.
    pub fn show(self, ui: &mut Ui) {
        ui.spacing_mut().item_spacing.y = self.gap;
        for galley in self.galleys {
            ui.add(Label::new(galley));
        }
    }
}

/// In a lesson: the question that waits, else where it leads.
fn of_lesson(scene: &Scene<'_>) -> Option<Says> {
    if scene.view.mode != Mode::Lessons {
        return None;
    }
    let open = scene.board.open.as_ref()?;
    if let Some(question) = open.waiting() {
        return Some(asked(question, scene));
    }
    let sentence = plain(&open.place()?.look);
    (!sentence.is_empty()).then(|| Says {
        sentence,
        ..Says::default()
    })
}

/// A question; with its answer, once the speaker shows it.
fn asked(question: &ShownQuestion, scene: &Scene<'_>) -> Says {
    let shows = scene.view.present.shows_answer;
    let choices = match &question.kind {
        ShownKind::Choice(choices) => choices.as_slice(),
        ShownKind::Number(_) | ShownKind::Click(_) => &[],
    };
    let choices = choices.iter().enumerate().map(|(at, [choice, _])| {
        let is_right = question.right.accepts(&Answer::Choice(at));
        (plain(choice), shows && is_right)
    });
    let answer = match (shows, &question.kind) {
        (false, _) | (true, ShownKind::Choice(_)) => String::new(),
        (true, _) => right_in_words(question, scene),
    };
    Says {
        sentence: plain(&question.ask),
        choices: choices.collect(),
        answer,
        detail: if shows {
            plain(&question.why)
        } else {
            String::new()
        },
        ..Says::default()
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
