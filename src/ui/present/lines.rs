//! What is said, line by line, in the sizes that it is tried in.

use std::sync::Arc;

use egui::text::LayoutJob;
use egui::{Color32, FontId, Galley, Label, TextFormat, Ui};

use crate::ui::fonts;
use crate::ui::theme::Type;

/// Sizes, from the largest, and what is still said at each: what is missed least goes first.
pub(super) const STEPS: [(f32, Rank); 10] = [
    (1.0, Rank::Name),
    (0.86, Rank::Name),
    (0.86, Rank::Before),
    (0.74, Rank::Before),
    (0.64, Rank::Before),
    (0.56, Rank::Before),
    (0.86, Rank::Number),
    (0.74, Rank::Number),
    (0.8, Rank::Sentence),
    (0.64, Rank::Sentence),
];

/// Whether what a question speaks of is still said at this size.
pub(super) fn keeps_before(step: usize) -> bool {
    STEPS
        .get(step)
        .is_some_and(|(_, least)| *least <= Rank::Before)
}

/// How much a line would be missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// The name of the picture.
    Name,
    /// What a question speaks of.
    Before,
    /// The number behind the sentence.
    Number,
    /// The sentence, the question with its choices, the answer.
    Sentence,
}

/// A text with its size, whether it is strong, and its colour.
#[derive(Debug)]
pub(super) struct Line {
    /// Stands before the text, and stays out of its lines.
    mark: String,
    pub text: String,
    size: f32,
    is_strong: bool,
    colour: Color32,
    pub rank: Rank,
}

impl Line {
    pub fn new(text: &str, size: f32, is_strong: bool, colour: Color32) -> Self {
        Self {
            mark: String::new(),
            text: text.to_owned(),
            size,
            is_strong,
            colour,
            rank: Rank::Sentence,
        }
    }

    pub fn marked(self, mark: String) -> Self {
        Self { mark, ..self }
    }

    pub fn ranked(self, rank: Rank) -> Self {
        Self { rank, ..self }
    }

    /// The text as it is laid out.
    pub fn set(&self, ui: &Ui, scale: f32, accent: Color32, width: f32) -> Text {
        let size = (self.size * scale).max(SMALLEST);
        let indent = if self.mark.is_empty() {
            0.0
        } else {
            size * 1.6
        };
        let lay = |text: &str| {
            let job = job(text, size, self.is_strong, self.colour, accent);
            let mut job = job;
            job.wrap.max_width = width - indent;
            ui.painter().layout_job(job)
        };
        Text {
            mark: (!self.mark.is_empty()).then(|| lay(&self.mark)),
            indent,
            galley: lay(&self.text),
        }
    }
}

/// One text; `**words**` stand out in `accent`.
fn job(text: &str, size: f32, is_strong: bool, colour: Color32, accent: Color32) -> LayoutJob {
    let mut job = LayoutJob::default();
    for (at, piece) in text.split("**").enumerate() {
        let is_figure = at % 2 == 1;
        let family = match is_strong || is_figure {
            true => fonts::semibold(),
            false => Type::Body.font().family,
        };
        let colour = if is_figure { accent } else { colour };
        let format = TextFormat::simple(FontId::new(size, family), colour);
        job.append(piece, 0.0, format);
    }
    job
}

/// Letters before a room are never smaller than this, in points of the enlarged window.
const SMALLEST: f32 = 10.0;

/// A text, laid out, and the mark before it.
#[derive(Debug, Clone)]
pub(super) struct Text {
    mark: Option<Arc<Galley>>,
    indent: f32,
    galley: Arc<Galley>,
}

/// What is said, laid out.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// Which of the sizes it is, from 0, the largest.
    pub step: usize,
    pub(super) texts: Vec<Text>,
    pub(super) gap: f32,
}

impl Fitted {
    /// How much room it takes.
    #[must_use]
    pub fn height(&self) -> f32 {
        let texts: f32 = self.texts.iter().map(|text| text.galley.size().y).sum();
        texts + self.gap * self.texts.len().saturating_sub(1) as f32
    }

    /// Draws it.
    pub fn show(self, ui: &mut Ui) {
        ui.spacing_mut().item_spacing.y = self.gap;
        for text in self.texts {
            let Some(mark) = text.mark else {
                ui.add(Label::new(text.galley));
                continue;
            };
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = 0.0;
                let indent = text.indent - mark.size().x;
                ui.add(Label::new(mark));
                ui.add_space(indent);
                ui.add(Label::new(text.galley));
            });
        }
    }
}
