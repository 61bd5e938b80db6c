//! The answer on the screen so far, and what each token brings to it.

use egui::{Rect, Sense, Ui, WidgetInfo, vec2};

use super::steps::{Step, hex};
use crate::trace::{Place, View};
use crate::ui::command::Command;
use crate::ui::picture::Scene;
use crate::ui::pictures::shared::text_in;
use crate::ui::spot::Spot;
use crate::ui::theme::{Palette, Role, Type, corner, space};
use crate::ui::tokens::visible;

const LINE: f32 = 30.0;

/// Every token of the answer: its bytes, and what it brings to the screen.
pub(super) fn answer_ui(ui: &mut Ui, scene: &mut Scene<'_>, steps: &[Step]) {
    let palette = Palette::of(ui);
    let text: String = steps.iter().map(|step| step.shown.as_str()).collect();
    ui.label(Type::Strong.text("On the screen so far", palette.text));
    let mut job = egui::text::LayoutJob::default();
    let font = egui::FontId::new(16.0, Type::Body.font().family);
    let written = egui::TextFormat::simple(font.clone(), palette.text);
    job.append(&text, 0.0, written);
    if let Some(last) = steps.last().filter(|step| !step.held.is_empty()) {
        let held = egui::TextFormat::simple(Type::Mono.font(), palette.muted);
        job.append(&format!(" {} held back", hex(&last.held, 4)), 2.0, held);
    }
    job.wrap.max_width = ui.available_width();
    egui::ScrollArea::vertical()
        .id_salt("answer")
        .max_height(72.0)
        .show(ui, |ui| {
            ui.label(job);
        });
    ui.add_space(space::SMALL);
    egui::ScrollArea::vertical()
        .id_salt("steps")
        .auto_shrink([false, true])
        .show_rows(ui, LINE - 6.0, steps.len(), |ui, rows| {
            for step in steps.get(rows).unwrap_or_default() {
                step_ui(ui, scene, step);
            }
        });
}

fn step_ui(ui: &mut Ui, scene: &mut Scene<'_>, step: &Step) {
    let palette = Palette::of(ui);
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), LINE - 6.0), Sense::click());
    let is_chosen = step.pass == scene.view.pass();
    let text = visible(&step.shown).replace(' ', "·");
    response.widget_info(|| {
        let spoken = format!("pass {}: id {}, {text}", step.pass, step.id);
        WidgetInfo::selected(egui::Role::ListItem, true, is_chosen, spoken)
    });
    let painter = ui.painter();
    if is_chosen || response.hovered() {
        let fill = if is_chosen {
            palette.chosen
        } else {
            palette.sunk
        };
        painter.rect_filled(rect, corner::SMALL, fill);
    }
    let column = |from: f32, to: f32| {
        let at = |share: f32| rect.left() + 8.0 + (rect.width() - 16.0) * share;
        Rect::from_x_y_ranges(at(from)..=at(to), rect.y_range())
    };
    let muted = palette.muted;
    text_in(
        painter,
        column(0.0, 0.09),
        &format!("{}", step.pass),
        Type::MonoSmall,
        muted,
        0.0,
    );
    text_in(
        painter,
        column(0.09, 0.22),
        &step.id.to_string(),
        Type::Mono,
        palette.text,
        0.0,
    );
    text_in(
        painter,
        column(0.22, 0.58),
        &hex(&step.bytes, 12),
        Type::Mono,
        muted,
        0.0,
    );
    let (told, colour) = match (step.is_end, step.shown.is_empty()) {
        (true, _) => (
            "end token, not shown".to_owned(),
            palette.role(Role::Logits),
        ),
        (false, true) => (
            format!("{} held back", hex(&step.held, 4)),
            palette.role(Role::Logits),
        ),
        (false, false) => (text, palette.text),
    };
    text_in(painter, column(0.6, 1.0), &told, Type::Body, colour, 0.0);
    if response
        .on_hover_cursor(egui::CursorIcon::PointingHand)
        .clicked()
    {
        scene.send(Command::Look(Spot::at(
            Place::View(View::Screen),
            Some(step.pass),
        )));
    }
}
