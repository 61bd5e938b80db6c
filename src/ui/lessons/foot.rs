//! From step to step: back, on, a dot per step, and the ways out of the lesson.

use egui::{Rect, Sense, Ui, WidgetInfo, vec2};

use super::{LessonCommand, OpenLesson};
use crate::lesson::ShownPart;
use crate::ui::command::Command;
use crate::ui::controls::Button;
use crate::ui::icons::Icon;
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, space};

/// Height of the buttons.
const HEIGHT: f32 = 32.0;

/// Draws the foot; `explains` is whether the picture is explained beside it.
pub fn foot_ui(ui: &mut Ui, scene: &mut Scene<'_>, explains: &mut bool) {
    let Some(open) = &scene.board.open else {
        return;
    };
    let middle = ui.max_rect().center();
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = space::SMALL;
        let back = Button {
            icon: Some(Icon::Back),
            is_disabled: open.step == 0 && !open.is_over,
            ..Button::new("Back")
        };
        if back.show(ui, HEIGHT).clicked() {
            scene.commands.push(Command::Lesson(LessonCommand::Back));
        }
        let is_last = open.step + 1 >= open.titles.len();
        let next = Button {
            icon: Some(Icon::Play),
            is_primary: true,
            is_disabled: open.is_over && open.number >= scene.board.cards.len(),
            key: "→",
            ..Button::new(match (open.is_over, is_last) {
                (true, _) => "Next lesson",
                (false, true) => "Finish",
                (false, false) => "Next step",
            })
        };
        if next.show(ui, HEIGHT).clicked() {
            scene.commands.push(Command::Lesson(LessonCommand::Next));
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if Button::new("Open in Explore").show(ui, HEIGHT).clicked() {
                scene.commands.push(Command::Lesson(LessonCommand::Explore));
            }
            let why = Button {
                is_on: *explains,
                ..Button::new("Why?")
            };
            let why = why.show(ui, HEIGHT);
            *explains ^= why.clicked();
            why.on_hover_text("What the picture shows, in words");
        });
    });
    dots_ui(ui, scene, open, middle);
}

/// One dot per step, in the middle.
fn dots_ui(ui: &Ui, scene: &mut Scene<'_>, open: &OpenLesson, middle: egui::Pos2) {
    const APART: f32 = 24.0;
    let palette = Palette::of(ui);
    let width = APART * open.titles.len().saturating_sub(1) as f32;
    for (at, title) in open.titles.iter().enumerate() {
        let x = middle.x - width / 2.0 + APART * at as f32;
        let rect = Rect::from_center_size(egui::pos2(x, middle.y), vec2(APART, space::TARGET));
        let response = ui.interact(rect, ui.scope_id().with(("step", at)), Sense::click());
        let is_here = at == open.step && !open.is_over;
        let label = format!("step {}: {title}", at + 1);
        response
            .widget_info(|| WidgetInfo::selected(egui::Role::RadioButton, true, is_here, &label));
        let painter = ui.painter();
        let fill = match is_done(scene, open, at) {
            true => palette.good,
            false if response.hovered() => palette.muted,
            false => palette.line,
        };
        if is_here {
            let bar = Rect::from_center_size(rect.center(), vec2(20.0, 8.0));
            painter.rect_filled(bar, 4.0, palette.text);
        } else {
            painter.circle_filled(rect.center(), 4.0, fill);
        }
        let response = response.on_hover_cursor(egui::CursorIcon::PointingHand);
        if response.clicked() {
            scene
                .commands
                .push(Command::Lesson(LessonCommand::Step(at)));
        }
        response.on_hover_text(title);
    }
}

/// Whether every question of a step is behind one: now, or answered right before.
fn is_done(scene: &Scene<'_>, open: &OpenLesson, at: usize) -> bool {
    let Some(step) = open.steps.get(at).and_then(Option::as_ref) else {
        let left = scene.board.progress.lessons.get(&open.card.name);
        return left.is_some_and(|left| left.is_finished || at < left.step);
    };
    let past = scene.board.progress.lessons.get(&open.card.name);
    let was_right = |id: &str| {
        let tried = past.and_then(|past| past.questions.get(id));
        tried.is_some_and(|tried| tried.is_right)
    };
    let mut questions = step.parts.iter().filter_map(|part| match part {
        ShownPart::Question(question) => Some(&question.id),
        _ => None,
    });
    let is_behind = at < open.step || open.is_over;
    let answered = questions.all(|id| open.is_answered(id) || was_right(id));
    is_behind && answered
}
