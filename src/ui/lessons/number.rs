//! The answer to a question that asks for a number: its field, and how what is typed is read.

use egui::text::{CCursor, CCursorRange};
use egui::{Event, Id, Key, Ui, WidgetInfo};

use super::{Attempt, Board, LessonCommand, LessonsPage, OpenLesson};
use crate::lesson::{Answer, ShownKind, ShownQuestion};
use crate::ui::command::Command;
use crate::ui::controls::Button;
use crate::ui::picture::Scene;
use crate::ui::state::{Mode, ViewState};
use crate::ui::theme::{Palette, Type, space};

impl LessonsPage {
    /// Whether something is typed that is no number.
    pub(super) fn is_unreadable(&self, question: &ShownQuestion, attempt: &Attempt) -> bool {
        let ShownKind::Number(unit) = &question.kind else {
            return false;
        };
        let is_typed = self.typed_for == question.id && !self.typed.trim().is_empty();
        !attempt.is_done() && is_typed && number(&self.typed, unit).is_none()
    }

    /// A number that was answered, as it was typed; as short as it goes, where that is not known.
    pub(super) fn as_typed(&self, question: &ShownQuestion, answer: f64, unit: &str) -> String {
        let typed = self.typed.trim();
        let is_this = self.typed_for == question.id && number(typed, unit) == Some(answer);
        match is_this {
            true if typed.ends_with(unit) || typed.ends_with('%') => typed.to_owned(),
            true => format!("{typed} {unit}").trim().to_owned(),
            false => format!("{} {unit}", plain(answer)).trim().to_owned(),
        }
    }

    pub(super) fn number_ui(
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
                let told = self.as_typed(question, number, unit);
                ui.label(Type::Mono.text(told, palette.text));
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

/// A number without the dust that arithmetic leaves: 0.808, not 0.8079999999999999.
fn plain(number: f64) -> f64 {
    let fine = 1e10;
    match number.abs() < 1e5 {
        true => (number * fine).round() / fine,
        false => number,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_said_back_as_it_was_typed() {
        let question = ShownQuestion {
            id: "q".into(),
            ask: crate::lesson::Filled::default(),
            is_prediction: false,
            hides_formula: false,
            kind: ShownKind::Number(String::new()),
            right: crate::lesson::Right::Number(0.8, 0.1),
            hint: crate::lesson::Filled::default(),
            why: crate::lesson::Filled::default(),
        };
        let mut page = LessonsPage::default();
        let answer = number("80.8 %", "").unwrap();
        assert_eq!(page.as_typed(&question, answer, ""), "0.808");
        page.typed = "80.8 %".into();
        page.typed_for = "q".into();
        assert_eq!(page.as_typed(&question, answer, ""), "80.8 %");
        page.typed = "12".into();
        assert_eq!(page.as_typed(&question, 12.0, "GB"), "12 GB");
    }

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
