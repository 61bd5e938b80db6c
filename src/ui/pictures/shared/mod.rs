//! What several pictures draw with: charts, a token picker, text that is cut to its room.

mod characters;
mod chart;
mod picker;

use std::sync::Arc;

use egui::text::{LayoutJob, TextWrapping};
use egui::{Color32, Galley, Painter, Rect, Ui, UiBuilder, vec2};

use crate::engine::question::{Question, Told};
use crate::trace::{Address, Place, Stage};
use crate::ui::command::{Command, Pointing};
use crate::ui::controls::{Button, format, outline};
use crate::ui::picture::{Scene, ready_ui};
use crate::ui::spot::Spot;
use crate::ui::theme::{Palette, Type, space};
use crate::ui::tokens;

pub use characters::{text_of, whole_characters};
pub use chart::{Chart, chart_title, ticks};
pub use picker::TokenPicker;

/// A share as people read it; one that is not nothing is never written as nothing.
#[must_use]
pub fn percent(share: f64) -> String {
    crate::trace::units::percent(share)
}

/// A token's text as people read it: marks for what cannot be seen, no space before it.
#[must_use]
pub fn written(text: &str) -> String {
    tokens::label(text).text
}

/// `text` in one line that ends in `…` where it has no more room.
#[must_use]
pub fn cut(painter: &Painter, text: &str, kind: Type, colour: Color32, width: f32) -> Arc<Galley> {
    let mut job = LayoutJob::default();
    // A token may be a line break or a thousand characters: one line of a few is what fits.
    let short: String = text.chars().take(120).collect();
    job.append(&short, 0.0, format(kind, colour));
    job.wrap = TextWrapping::truncate_at_width(width.max(8.0));
    painter.layout_job(job)
}

/// Draws `text` cut to `rect`, centred from top to bottom; `align` is 0 for left, 0.5, 1 for right.
pub fn text_in(painter: &Painter, rect: Rect, text: &str, kind: Type, colour: Color32, align: f32) {
    let galley = cut(painter, text, kind, colour, rect.width());
    let free = rect.size() - galley.size();
    painter.galley(
        rect.min + vec2(free.x * align, free.y / 2.0),
        galley,
        colour,
    );
}

/// A slider whose groove is seen on every ground; gives whether it was moved.
pub fn slider_ui(
    ui: &mut Ui,
    value: &mut f32,
    range: std::ops::RangeInclusive<f32>,
    label: egui::Id,
) -> bool {
    let palette = Palette::of(ui);
    let groove = ui.scope(|ui| {
        // Who asks for a shorter one than usual gets it.
        let asked = ui.spacing().slider_width;
        ui.spacing_mut().slider_width = if asked < 100.0 { asked } else { 110.0 };
        ui.spacing_mut().slider_rail_height = 4.0;
        let widgets = &mut ui.visuals_mut().widgets;
        for look in [
            &mut widgets.inactive,
            &mut widgets.hovered,
            &mut widgets.active,
        ] {
            look.bg_fill = palette.line;
            look.fg_stroke = egui::Stroke::new(1.5, palette.text);
        }
        let slider = egui::Slider::new(value, range)
            .show_value(false)
            .handle_shape(egui::style::HandleShape::Circle);
        ui.add(slider).labelled_by(label).changed()
    });
    groove.inner
}

/// The answer to `question`; says that it is being computed, or why there is none.
pub fn told_ui(ui: &mut Ui, scene: &mut Scene<'_>, question: &Question) -> Option<Arc<Told>> {
    let asked = scene.ask(question);
    ready_ui(ui, asked)
}

/// Blocks of the pass on view that have run.
#[must_use]
pub fn n_blocks_run(scene: &Scene<'_>) -> usize {
    let has_run = |layer: &usize| scene.run.has_stage(scene.view.pass(), Stage::Block(*layer));
    (0..scene.facts.n_layers).take_while(has_run).count()
}

/// In place of what needs more of the pass than has run: says so, and offers to run to it.
pub fn run_first_ui(ui: &mut Ui, scene: &mut Scene<'_>, needs: &str, to: Stage) {
    let palette = Palette::of(ui);
    let room = ui.available_rect_before_wrap();
    outline(ui.painter(), room.shrink(1.0), palette.faint);
    let inside = Rect::from_center_size(room.center(), vec2(room.width().min(420.0), 80.0));
    ui.scope_builder(UiBuilder::new().max_rect(inside), |ui| {
        ui.vertical_centered(|ui| {
            ui.label(Type::Body.text(needs, palette.muted));
            let spot = Spot::at(Place::Stage(to), Some(scene.view.pass()));
            let label = format!("Run to {}", crate::ui::walk::name(spot.address.place));
            if Button::new(&label).show(ui, space::TARGET + 4.0).clicked() {
                let mut to = Address::at(spot.address.place);
                to.pass = Some(scene.view.pass());
                scene.send(Command::Tell(crate::trace::debug::DebugCommand::To(to)));
            }
        });
    });
    ui.advance_cursor_after_rect(room);
}

/// Tells what is under the pointer, and takes it back once nothing of this picture is.
pub fn hover(scene: &mut Scene<'_>, under: Option<Address>) {
    if under != scene.view.hovered {
        scene.point(Pointing::Hover(under));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_share_is_not_written_as_none() {
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(percent(1e-7), "<0.01 %");
        assert_eq!(percent(0.0013), "0.13 %");
        assert_eq!(percent(0.98), "98 %");
    }
}
