//! The choices of a question, and what each says once the question is answered.

use egui::{Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::text::unbroken;
use super::{Attempt, LessonCommand};
use crate::lesson::{Answer, Filled, ShownQuestion};
use crate::ui::command::Command;
use crate::ui::controls::focus_ring;
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, corner, mix};

pub(super) fn choices_ui(
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
        .layout(unbroken(&plain), font, palette.text, width - 40.0);
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
