//! What stands beside a picture: what happens, what to look for, what to try, a question.

use egui::{Ui, pos2, vec2};

use super::{Check, Picture, Scene};
use crate::ui::command::Command;
use crate::ui::controls::{Button, caption, card, paragraph, text_button};
use crate::ui::icons::Icon;
use crate::ui::state::Mode;
use crate::ui::theme::{Palette, Type, space};
use crate::ui::widgets;

/// Draws what stands beside a picture.
pub fn side_ui(ui: &mut Ui, scene: &mut Scene<'_>, picture: &mut dyn Picture) {
    let side = picture.side(scene);
    let palette = Palette::of(ui);
    let section = |ui: &mut Ui, title: &str, text: &str| {
        if !text.is_empty() {
            caption(ui, title);
            ui.add_space(-2.0);
            widgets::prose_ui(ui, text);
            ui.add_space(space::TINY);
        }
    };
    let foot = side.meta.len() as f32 * 18.0 + space::LARGE;
    let height = (ui.available_height() - foot).max(80.0);
    egui::ScrollArea::vertical()
        .id_salt("side")
        .max_height(height)
        .auto_shrink([false, false])
        .show(ui, |ui| {
            section(ui, "What happens here", &side.happens);
            if scene.view.mode == Mode::Explore {
                why_ui(ui, scene);
            }
            section(ui, "Look for", &side.look_for);
            section(ui, "What it does not say", &side.does_not_say);
            if !side.tries.is_empty() && scene.is_computed(&scene.view.spot.clone()) {
                caption(ui, "Try");
                ui.horizontal_wrapped(|ui| {
                    ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
                    for (label, command) in &side.tries {
                        if Button::new(label).show(ui, space::TARGET).clicked() {
                            scene.send(command.clone());
                        }
                    }
                });
                ui.add_space(space::TINY);
            }
            if let Some(check) = &side.check {
                ui.add_space(space::TINY);
                folding_check_ui(ui, check, height);
            }
        });
    ui.add_space(space::TINY);
    for line in &side.meta {
        ui.label(Type::MonoSmall.text(line, palette.muted));
        ui.add_space(-4.0);
    }
}

/// The way to the lesson that explains the place on view.
fn why_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let why = text_button(ui, "Why? Open the lesson");
    if why.clicked() {
        scene.send(Command::Why(scene.view.spot.address.clone()));
    }
    ui.add_space(space::TINY);
}

/// The question; where it would be cut off at the bottom, folded to a line that opens it.
fn folding_check_ui(ui: &mut Ui, check: &Check, height: f32) {
    // A caption, two lines of question, a row for each answer, and the card's margins.
    let needed = 84.0 + 38.0 * check.answers.len() as f32;
    let has_room = ui.min_rect().height() + needed <= height;
    let id = ui.scope_id().with(("open", &check.question));
    let is_open = has_room || ui.data(|data| data.get_temp(id)).unwrap_or(false);
    if is_open {
        return check_ui(ui, check);
    }
    let mut open = Button::new("Check yourself");
    open.icon = Some(Icon::Right);
    if open.show(ui, space::TARGET).clicked() {
        ui.data_mut(|data| data.insert_temp(id, true));
        // The card takes the line's place, and more below it.
        let card = ui.min_rect().translate(vec2(0.0, needed));
        ui.scroll_to_rect(card, Some(egui::Align::BOTTOM));
    }
}

fn check_ui(ui: &mut Ui, check: &Check) {
    let palette = Palette::of(ui);
    // The answer is forgotten when the question changes, so it cannot mark another one.
    let id = ui.scope_id().with(("check", &check.question));
    let mut chosen: Option<usize> = ui.data(|data| data.get_temp(id)).flatten();
    card(ui).show(ui, |ui| {
        ui.set_width(ui.available_width());
        caption(ui, "Check yourself");
        paragraph(ui, &check.question);
        for (at, answer) in check.answers.iter().enumerate() {
            let is_chosen = chosen == Some(at);
            let is_right = at == check.right;
            let line = match (is_chosen, is_right) {
                (true, true) => egui::Stroke::new(1.0, palette.good),
                (true, false) => egui::Stroke::new(1.0, palette.bad),
                (false, _) => palette.hairline(),
            };
            let size = vec2(ui.available_width(), space::TARGET + 2.0);
            let (rect, response) = ui.allocate_exact_size(size, egui::Sense::click());
            response.widget_info(|| {
                egui::WidgetInfo::selected(egui::Role::RadioButton, true, is_chosen, answer)
            });
            ui.painter().rect(
                rect,
                7.0,
                palette.background,
                line,
                egui::StrokeKind::Inside,
            );
            let mark = match (is_chosen, is_right) {
                (true, true) => "✓  ",
                (true, false) => "×  ",
                _ => "",
            };
            let at_left = pos2(rect.left() + 10.0, rect.center().y);
            let font = Type::Body.font();
            let text = format!("{mark}{answer}");
            ui.painter()
                .text(at_left, egui::Align2::LEFT_CENTER, text, font, palette.text);
            if is_chosen && is_right {
                let at_right = pos2(rect.right() - 10.0, rect.center().y);
                let font = Type::MonoSmall.font();
                ui.painter().text(
                    at_right,
                    egui::Align2::RIGHT_CENTER,
                    &check.because,
                    font,
                    palette.muted,
                );
            }
            if response
                .on_hover_cursor(egui::CursorIcon::PointingHand)
                .clicked()
            {
                chosen = Some(at);
            }
        }
    });
    ui.data_mut(|data| data.insert_temp(id, chosen));
}
