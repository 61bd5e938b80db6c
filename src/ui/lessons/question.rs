//! A question: how it is answered, what was said to it, and what helps on.

use egui::text::{CCursor, CCursorRange};
use egui::{Color32, Event, Id, Key, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::{Attempt, Board, LessonCommand, LessonsPage, OpenLesson};
use crate::lesson::{Answer, Click, Filled, Right, ShownKind, ShownQuestion};
use crate::ui::command::Command;
use crate::ui::controls::{Button, card, focus_ring, text_button};
use crate::ui::picture::Scene;
use crate::ui::state::{Mode, ViewState};
use crate::ui::theme::{Palette, Type, corner, mix, space};

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

    /// Whether something is typed that is no number.
    fn is_unreadable(&self, question: &ShownQuestion, attempt: &Attempt) -> bool {
        let ShownKind::Number(unit) = &question.kind else {
            return false;
        };
        let is_typed = self.typed_for == question.id && !self.typed.trim().is_empty();
        !attempt.is_done() && is_typed && number(&self.typed, unit).is_none()
    }

    /// What is said to the answer.
    fn judged_ui(
        &mut self,
        ui: &mut Ui,
        question: &ShownQuestion,
        attempt: &Attempt,
        open: &OpenLesson,
        scene: &Scene<'_>,
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
            ui.label(Type::Small.text("Left open.", palette.muted));
        } else if attempt.last.is_none() {
            before_ui(ui, scene, open, question);
        } else if let Some(last) = &attempt.last {
            told(
                ui,
                "×",
                &format!("{} is not it.", in_words(question, last, scene)),
                palette.bad,
            );
            let hint = question.hint_for(last).filter(|_| open.shows_hints);
            if let Some(hint) = hint.filter(|hint| !hint.text.trim().is_empty()) {
                self.reader.show_in(ui, hint, palette.text);
            }
        }
    }

    fn number_ui(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        question: &ShownQuestion,
        unit: &str,
        attempt: &Attempt,
    ) {
        let palette = Palette::of(ui);
        if attempt.is_done() {
            if let Some(Answer::Number(number)) = attempt.last {
                ui.label(Type::Mono.text(format!("{number} {unit}"), palette.text));
            }
            return;
        }
        if self.typed_for != question.id {
            self.typed.clear();
            self.typed_for.clone_from(&question.id);
        }
        let mut is_given = false;
        ui.horizontal(|ui| {
            let field = egui::TextEdit::singleline(&mut self.typed)
                .id(number_field())
                .desired_width(92.0)
                .hint_text("a number");
            let field = ui.add(field);
            field.widget_info(|| WidgetInfo::labeled(egui::Role::TextInput, true, "your answer"));
            is_given = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            // After a wrong answer the next one is typed in its place.
            if is_given {
                field.request_focus();
                select_all(ui, self.typed.chars().count());
            }
            if !unit.is_empty() {
                ui.label(Type::Body.text(unit, palette.muted));
            }
            let mut check = Button::new("Check");
            check.is_primary = !self.typed.trim().is_empty();
            check.is_disabled = self.typed.trim().is_empty();
            is_given |= check.show(ui, space::TARGET).clicked();
        });
        let read = number(&self.typed, unit);
        match read {
            Some(number) if is_given => {
                let answer = LessonCommand::Answer(Answer::Number(number));
                scene.send(Command::Lesson(answer));
            }
            None if !self.typed.trim().is_empty() => {
                let told = "Write a number, such as 12, 0.25 or 25 %.";
                ui.label(Type::Small.text(told, palette.bad));
            }
            _ => {}
        }
    }
}

/// The field for a number, of which there is one at a time.
fn number_field() -> Id {
    Id::unique("lesson number")
}

fn select_all(ui: &Ui, n_letters: usize) {
    let id = number_field();
    let mut state = egui::text_edit::TextEditState::load(ui.ctx(), id).unwrap_or_default();
    let all = CCursorRange::two(CCursor::new(0), CCursor::new(n_letters));
    state.cursor.set_char_range(Some(all));
    state.store(ui.ctx(), id);
}

/// Someone types a number while a question waits for one: it goes into its field, wherever the
/// focus is not taken, and never to the keys of the window.
pub fn catch_number(ctx: &egui::Context, view: &ViewState, board: &Board) {
    let is_here = view.mode == Mode::Lessons && !view.is_presenting && view.overlay.is_none();
    let waits = board.open.as_ref().and_then(OpenLesson::waiting);
    let waits = waits.is_some_and(|question| matches!(question.kind, ShownKind::Number(_)));
    if !is_here || !waits || ctx.egui_wants_keyboard_input() {
        return;
    }
    let begins = |event: &Event| match event {
        Event::Text(text) => text
            .chars()
            .all(|c| c.is_ascii_digit() || "-−.".contains(c)),
        _ => false,
    };
    if ctx.input(|input| input.events.iter().any(begins)) {
        ctx.memory_mut(|memory| memory.request_focus(number_field()));
    }
}

/// The number that was typed: with a point or a comma, in percent, with spaces.
fn number(text: &str, unit: &str) -> Option<f64> {
    let text: String = text
        .chars()
        .filter(|letter| !letter.is_whitespace() && *letter != '_')
        .collect();
    let (text, is_percent) = match text.strip_suffix('%') {
        Some(rest) => (rest, unit != "%"),
        None => (text.as_str(), false),
    };
    let text = text.replace('−', "-");
    // 4,096 has a comma every three digits; 0,25 has one before its fraction.
    let mut groups = text.split(',');
    let first = groups.next().unwrap_or_default();
    let is_grouped = !first.is_empty()
        && first != "0"
        && first.trim_start_matches('-').len() <= 3
        && groups.clone().count() > 0
        && groups.all(|group| {
            group
                .split('.')
                .next()
                .is_some_and(|group| group.len() == 3)
        });
    let plain = if is_grouped {
        text.replace(',', "")
    } else {
        text.replace(',', ".")
    };
    let number: f64 = plain
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())?;
    Some(if is_percent { number / 100.0 } else { number })
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

fn choices_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    question: &ShownQuestion,
    choices: &[[Filled; 2]],
    attempt: &Attempt,
) {
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 6.0;
        for (at, [choice, _]) in choices.iter().enumerate() {
            let is_right = question.right.accepts(&Answer::Choice(at));
            let is_chosen = attempt.last == Some(Answer::Choice(at));
            let shows_right = is_right && (attempt.is_told || attempt.is_right);
            let is_clicked = choice_ui(ui, choice.text.trim(), (is_chosen, shows_right, is_right));
            if is_clicked && !attempt.is_done() {
                let answer = LessonCommand::Answer(Answer::Choice(at));
                scene.send(Command::Lesson(answer));
            }
        }
    });
}

/// A choice: whether it was chosen, whether it is shown to be right, whether it is.
fn choice_ui(
    ui: &mut Ui,
    text: &str,
    (is_chosen, shows_right, is_right): (bool, bool, bool),
) -> bool {
    let palette = Palette::of(ui);
    let plain = text.replace("**", "").replace('`', "");
    let font = egui::FontId::new(13.5, egui::FontFamily::Proportional);
    let width = ui.available_width();
    let galley = ui
        .painter()
        .layout(plain.clone(), font, palette.text, width - 40.0);
    let size = vec2(width, galley.size().y + 14.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::selected(egui::Role::RadioButton, true, is_chosen, &plain));
    let (line, fill) = match (is_chosen, shows_right) {
        (_, true) => (
            Stroke::new(1.2, palette.good),
            mix(palette.surface, palette.good, 0.08),
        ),
        (true, false) if !is_right => (
            Stroke::new(1.2, palette.bad),
            mix(palette.surface, palette.bad, 0.06),
        ),
        _ if response.hovered() => (Stroke::new(1.0, palette.muted), palette.sunk),
        _ => (palette.hairline(), palette.background),
    };
    let painter = ui.painter();
    painter.rect(rect, corner::BUTTON, fill, line, StrokeKind::Inside);
    focus_ring(ui, &response, rect);
    let mark = pos2(rect.left() + 16.0, rect.top() + 16.0);
    let painter = ui.painter();
    painter.circle_stroke(
        mark,
        5.5,
        Stroke::new(
            1.2,
            if shows_right {
                palette.good
            } else {
                palette.muted
            },
        ),
    );
    if is_chosen || shows_right {
        let colour = match (shows_right, is_right) {
            (true, _) => palette.good,
            (false, true) => palette.text,
            (false, false) => palette.bad,
        };
        painter.circle_filled(mark, 3.0, colour);
    }
    painter.galley(
        pos2(rect.left() + 30.0, rect.top() + 7.0),
        galley,
        palette.text,
    );
    response
        .on_hover_cursor(egui::CursorIcon::PointingHand)
        .clicked()
}

/// What to click on; and, without a pointer, the way to answer with what is chosen.
fn click_ui(ui: &mut Ui, scene: &mut Scene<'_>, on: Click, attempt: &Attempt) {
    if attempt.is_done() {
        return;
    }
    let palette = Palette::of(ui);
    let told = match on {
        Click::Token => "Click its token above, or its cell in the picture.",
        Click::Cell => "Click the cell in the map.",
        Click::Head => "Click the head in the picture.",
        Click::Block => "Click the block in the picture.",
        Click::Neuron => "Click the neuron in the picture.",
    };
    ui.add(egui::Label::new(Type::Small.text(told, palette.muted)).wrap());
    let view = scene.view;
    let chosen = match on {
        Click::Token => Some(vec![view.token]),
        Click::Cell => view.key.map(|key| vec![view.token, key]),
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

/// An answer as people say it.
fn in_words(question: &ShownQuestion, answer: &Answer, scene: &Scene<'_>) -> String {
    match (answer, &question.kind) {
        (Answer::Choice(_), _) => "That".to_owned(),
        (Answer::Number(number), ShownKind::Number(unit)) => {
            format!("{number} {unit}").trim().to_owned()
        }
        (Answer::Place(place), ShownKind::Click(on)) => place_in_words(*on, place, scene),
        _ => "That".to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, expected) in [
            ("12", 12.0),
            (" 0.25 ", 0.25),
            ("0,25", 0.25),
            ("0,250", 0.25),
            ("4,096", 4096.0),
            ("1,234,567.5", 1_234_567.5),
            ("25 %", 0.25),
            ("−3", -3.0),
            ("4 096", 4096.0),
        ] {
            assert_eq!(number(text, ""), Some(expected), "{text}");
        }
        assert_eq!(number("25 %", "%"), Some(25.0));
        for text in ["", "many", "1.2.3", "inf"] {
            assert_eq!(number(text, ""), None, "{text}");
        }
    }
}
