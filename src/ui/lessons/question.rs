//! A question: how it is answered, what was said to it, and what helps on.

use egui::{Color32, Stroke, Ui};

use super::choices::choices_ui;
use super::{Attempt, LessonCommand, LessonsPage, OpenLesson};
use crate::lesson::{Answer, Click, Right, ShownKind, ShownQuestion};
use crate::ui::command::Command;
use crate::ui::controls::{Button, card, text_button};
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Type, space};

impl LessonsPage {
    /// Draws a question with what was answered so far.
    pub(super) fn question_ui(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        open: &OpenLesson,
        question: &ShownQuestion,
    ) {
        let attempt = open.attempts.get(&question.id).cloned().unwrap_or_default();
        let palette = Palette::of(ui);
        let frame = match attempt.is_done() {
            true => card(ui),
            false => card(ui).stroke(Stroke::new(1.0, palette.muted)),
        };
        frame.show(ui, |ui| {
            ui.set_width(ui.available_width());
            let name = if question.is_prediction {
                "Predict"
            } else {
                "Your turn"
            };
            let strong = egui::FontId::new(11.5, Type::Strong.font().family);
            ui.label(egui::RichText::new(name).font(strong).color(palette.text));
            ui.add_space(-4.0);
            self.reader.show(ui, &question.ask);
            match &question.kind {
                ShownKind::Choice(choices) => choices_ui(ui, scene, question, choices, &attempt),
                ShownKind::Number(unit) => self.number_ui(ui, scene, question, unit, &attempt),
                ShownKind::Click(on) => click_ui(ui, scene, *on, &attempt),
            }
            // What was said to the last answer does not belong to what cannot be read.
            if !self.is_unreadable(question, &attempt) {
                self.judged_ui(ui, question, &attempt, open, scene);
            }
            if !attempt.is_done() {
                ways_on_ui(ui, scene, open.shows_answers);
            }
        });
    }

    /// What is said to the answer.
    fn judged_ui(
        &mut self,
        ui: &mut Ui,
        question: &ShownQuestion,
        attempt: &Attempt,
        open: &OpenLesson,
        scene: &mut Scene<'_>,
    ) {
        let palette = Palette::of(ui);
        let told = |ui: &mut Ui, mark: &str, text: &str, colour: Color32| {
            let text = Type::Strong.text(format!("{mark} {text}"), colour);
            ui.add(egui::Label::new(text).wrap());
        };
        if attempt.is_right {
            told(ui, "✓", "Right.", palette.good);
            self.reader.show_in(ui, &question.why, palette.good);
        } else if attempt.is_told {
            let right = right_in_words(question, scene);
            told(ui, "→", &right, palette.text);
            self.reader.show(ui, &question.why);
        } else if attempt.is_skipped {
            ui.horizontal(|ui| {
                ui.label(Type::Small.text("Left open.", palette.muted));
                if text_button(ui, "Answer it now").clicked() {
                    let command = LessonCommand::TakeUp(question.id.clone());
                    scene.send(Command::Lesson(command));
                }
            });
        } else if attempt.last.is_none() {
            before_ui(ui, scene, open, question);
        } else if let Some(last) = &attempt.last {
            told(
                ui,
                "×",
                &format!("{} is not it.", self.in_words(question, last, scene)),
                palette.bad,
            );
            let hint = question.hint_for(last).filter(|_| open.shows_hints);
            if let Some(hint) = hint.filter(|hint| !hint.text.trim().is_empty()) {
                self.reader.show_in(ui, hint, palette.text);
            }
        }
    }
}

/// How the question went when the lesson was open before.
fn before_ui(ui: &mut Ui, scene: &Scene<'_>, open: &OpenLesson, question: &ShownQuestion) {
    let lesson = scene.board.progress.lessons.get(&open.card.name);
    let Some(tried) = lesson.and_then(|lesson| lesson.questions.get(&question.id)) else {
        return;
    };
    let told = match (tried.at_first, tried.is_right, tried.was_shown) {
        (true, ..) => "Before, you had this right at the first try.",
        (_, true, _) => "Before, you found this after some tries.",
        (_, _, true) => "Before, you had the answer shown.",
        _ => "Before, you have not found this yet.",
    };
    let palette = Palette::of(ui);
    ui.add(egui::Label::new(Type::Small.text(told, palette.muted)).wrap());
}

/// What to click on; and, without a pointer, the way to answer with what is chosen.
fn click_ui(ui: &mut Ui, scene: &mut Scene<'_>, on: Click, attempt: &Attempt) {
    if attempt.is_done() {
        return;
    }
    let palette = Palette::of(ui);
    let row = scene.board.open.as_ref().and_then(OpenLesson::asked_row);
    let in_row = row.map(|row| {
        let name = scene.name(row);
        format!("Click its token above, or its cell in the row of “{name}”.")
    });
    let told = match on {
        Click::Token => in_row
            .as_deref()
            .unwrap_or("Click its token above, or its cell in the picture."),
        Click::Cell => "Click the cell in the map.",
        Click::Head => "Click the head in the picture.",
        Click::Block => "Click the block in the picture.",
        Click::Neuron => "Click the neuron in the picture.",
    };
    ui.add(egui::Label::new(Type::Small.text(told, palette.muted)).wrap());
    let view = scene.view;
    let chosen = match on {
        Click::Token => Some(vec![view.token]),
        Click::Cell => view
            .key
            .filter(|key| !scene.name(*key).is_empty())
            .map(|key| vec![view.token, key]),
        Click::Head => Some(vec![view.layer, view.head]),
        Click::Block => Some(vec![view.layer]),
        Click::Neuron => None,
    };
    if let Some(place) = chosen {
        let label = format!("Answer with {}", place_in_words(on, &place, scene));
        if Button::new(&label).show(ui, 26.0).clicked() {
            let answer = LessonCommand::Answer(Answer::Place(place));
            scene.send(Command::Lesson(answer));
        }
    }
}

/// How to go on without an answer.
fn ways_on_ui(ui: &mut Ui, scene: &mut Scene<'_>, shows_answers: bool) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::MEDIUM;
        if shows_answers && text_button(ui, "Show the answer").clicked() {
            scene.commands.push(Command::Lesson(LessonCommand::Reveal));
        }
        if text_button(ui, "Skip").clicked() {
            scene.commands.push(Command::Lesson(LessonCommand::Skip));
        }
    });
}

impl LessonsPage {
    /// An answer as people say it.
    fn in_words(&self, question: &ShownQuestion, answer: &Answer, scene: &Scene<'_>) -> String {
        match (answer, &question.kind) {
            (Answer::Number(number), ShownKind::Number(unit)) => {
                self.as_typed(question, *number, unit)
            }
            (Answer::Place(place), ShownKind::Click(on)) => place_in_words(*on, place, scene),
            _ => "That".to_owned(),
        }
    }
}

fn place_in_words(on: Click, place: &[usize], scene: &Scene<'_>) -> String {
    match (on, place) {
        (Click::Token, [token]) => format!("“{}”", scene.name(*token)),
        (Click::Cell, [query, key]) => {
            format!("“{}” reading “{}”", scene.name(*query), scene.name(*key))
        }
        (Click::Head, [layer, head]) => format!("L{layer}.H{head}"),
        (Click::Block, [layer]) => format!("block {layer}"),
        (Click::Neuron, [neuron]) => format!("neuron {neuron}"),
        _ => "that".to_owned(),
    }
}

/// What is right, as people say it.
#[must_use]
pub fn right_in_words(question: &ShownQuestion, scene: &Scene<'_>) -> String {
    match (&question.right, &question.kind) {
        (Right::Number(number, _), ShownKind::Number(unit)) => {
            let number = crate::ui::widgets::heatmap::figure(*number as f32);
            format!("{number} {unit}").trim().to_owned()
        }
        (Right::Places(places), ShownKind::Click(on)) => {
            let places: Vec<String> = (places.iter().take(6))
                .map(|place| place_in_words(*on, place, scene))
                .collect();
            places.join(", ")
        }
        _ => "The marked one.".to_owned(),
    }
}
