//! How long every pass took, and what its stages took of it.

use egui::{Align2, Color32, Rect, Sense, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use crate::engine::question::{Question, Told};
use crate::trace::debug::PassState;
use crate::trace::units::{bytes, bytes_per_second, tokens_per_second};
use crate::trace::{Place, Stage, units};
use crate::ui::command::Command;
use crate::ui::picture::{Scene, Term};
use crate::ui::pictures::shared::{Chart, chart_title, text_in, ticks};
use crate::ui::spot::Spot;
use crate::ui::theme::{Palette, Role, Type, corner, mix};

/// Bars of passes over bars of stages.
#[derive(Default)]
pub struct PassesPart {
    /// The pass under the pointer.
    hovered: Option<usize>,
    /// The stage under the pointer.
    stage: Option<Stage>,
}

/// Seconds of the stages of a pass that have been executed.
pub fn seconds(pass: &PassState) -> f64 {
    pass.executed.iter().map(|(_, seconds)| seconds).sum()
}

impl PassesPart {
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let room = ui.available_rect_before_wrap();
        let split = room.top() + room.height() * 0.58;
        let top = Rect::from_min_max(room.min, pos2(room.right(), split));
        let rest = Rect::from_min_max(pos2(room.left(), split + 22.0), room.max);
        self.passes_ui(ui, scene, top);
        self.stages_ui(ui, scene, rest);
        ui.advance_cursor_after_rect(room);
    }

    fn pass(&self, scene: &Scene<'_>) -> usize {
        self.hovered.unwrap_or_else(|| scene.view.pass())
    }

    /// A bar per pass; the newest are in sight.
    fn passes_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, room: Rect) {
        let palette = Palette::of(ui);
        heading(ui, room, "Time of each pass", "a click looks at that pass");
        let area = Rect::from_min_max(room.min + vec2(62.0, 44.0), room.max - vec2(8.0, 24.0));
        let n_fit = ((area.width() / 22.0) as usize).max(2);
        let n = scene.run.passes.len();
        let first = n.saturating_sub(n_fit - 1).max(1);
        let shown: Vec<usize> = std::iter::once(0)
            .chain(first..n)
            .filter(|pass| *pass < n)
            .collect();
        let all: Vec<f64> = scene.run.passes.iter().map(seconds).collect();
        let of = |pass: usize| all.get(pass).copied().unwrap_or_default();
        let most = shown.iter().map(|pass| of(*pass)).fold(1e-9, f64::max);
        let chart = Chart::new(area, (0.0, shown.len() as f64), (0.0, most * 1.1));
        let lines = ticks(most * 1e3, 4)
            .into_iter()
            .map(|line| (line / 1e3, time(line / 1e3)));
        let lines: Vec<_> = lines.collect();
        chart.lines(&ui.painter().clone(), palette, &lines);
        let apart = (area.width() / shown.len().max(1) as f32).min(120.0);
        self.hovered = None;
        for (place, pass) in shown.into_iter().enumerate() {
            let left = area.left() + place as f32 * apart;
            let column =
                Rect::from_min_max(pos2(left, area.top()), pos2(left + apart, room.bottom()));
            let response = ui.interact(column, ui.scope_id().with(("pass", pass)), Sense::click());
            let is_shown = pass == scene.view.pass();
            let name = match pass {
                0 => "prefill".to_owned(),
                _ => scene.name(scene.run.prompt_len + pass - 1),
            };
            response.widget_info(|| {
                let text = format!("pass {pass}, {name}: {}", time(of(pass)));
                WidgetInfo::selected(egui::Role::Button, true, is_shown, text)
            });
            let top = chart.place(0.0, of(pass)).y;
            let bar = Rect::from_min_max(
                pos2(left + apart * 0.18, top.min(area.bottom() - 1.0)),
                pos2(left + apart * 0.82, area.bottom()),
            );
            let hue = palette.role(if pass == 0 {
                Role::Residual
            } else {
                Role::Cache
            });
            ui.painter().rect_filled(bar, corner::CELL, hue);
            if is_shown || response.hovered() {
                ui.painter()
                    .rect_stroke(bar.expand(2.0), 4, palette.ring(), StrokeKind::Inside);
            }
            if apart > 44.0 {
                let at = pos2(bar.center().x, bar.top() - 4.0);
                let font = Type::MonoSmall.font();
                ui.painter().text(
                    at,
                    Align2::CENTER_BOTTOM,
                    time(of(pass)),
                    font,
                    palette.text,
                );
            }
            let foot = Rect::from_min_max(pos2(left + 1.0, area.bottom() + 4.0), column.max);
            text_in(ui.painter(), foot, &name, Type::Small, palette.muted, 0.5);
            if response.hovered() {
                self.hovered = Some(pass);
            }
            if response
                .on_hover_cursor(egui::CursorIcon::PointingHand)
                .clicked()
            {
                let place = scene.view.spot.address.place;
                scene.send(Command::Look(Spot::at(place, Some(pass))));
            }
        }
    }

    /// The stages of one pass, end to end.
    fn stages_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, room: Rect) {
        let palette = Palette::of(ui);
        let pass = self.pass(scene);
        let Some(state) = scene.run.passes.get(pass).cloned() else {
            return;
        };
        let title = match pass {
            0 => format!("Stages of the prefill, {} tokens", state.n_pos),
            _ => format!("Stages of pass {pass}"),
        };
        heading(ui, room, &title, &rate(&state));
        let strip = Rect::from_min_size(room.min + vec2(0.0, 34.0), vec2(room.width(), 40.0));
        let total = seconds(&state).max(1e-12);
        let mut x = strip.left();
        self.stage = None;
        for (stage, took) in &state.executed {
            let wide = strip.width() * (*took / total) as f32;
            let part = Rect::from_min_size(pos2(x, strip.top()), vec2(wide, strip.height()));
            x += wide;
            let response = ui.interact(part, ui.scope_id().with(("stage", *stage)), Sense::click());
            let name = crate::ui::walk::name(Place::Stage(*stage));
            response.widget_info(|| {
                let text = format!("{name}: {}", time(*took));
                WidgetInfo::labeled(egui::Role::Button, true, text)
            });
            let fill = colour(palette, *stage);
            ui.painter()
                .rect_filled(part.shrink2(vec2(0.5, 0.0)), corner::CELL, fill);
            if response.hovered() {
                self.stage = Some(*stage);
                let ring = palette.ring();
                ui.painter().rect_stroke(part, 3, ring, StrokeKind::Inside);
            }
            let text = palette.text_on(fill);
            if wide > 34.0 {
                let half = |top: f32| {
                    let corner = part.min + vec2(4.0, top);
                    Rect::from_min_size(corner, vec2(wide - 8.0, 16.0))
                };
                text_in(ui.painter(), half(4.0), &name, Type::Small, text, 0.5);
                text_in(
                    ui.painter(),
                    half(21.0),
                    &time(*took),
                    Type::MonoSmall,
                    text,
                    0.5,
                );
            }
            if response
                .on_hover_cursor(egui::CursorIcon::PointingHand)
                .clicked()
            {
                scene.send(Command::Look(Spot::at(Place::Stage(*stage), Some(pass))));
            }
        }
    }

    pub fn formula(&self, scene: &mut Scene<'_>) -> (Vec<Term>, String) {
        let pass = self.pass(scene);
        let told = scene.ask(&Question::Cost { pass }).ready();
        let Some(Told::Cost(cost)) = told.as_deref() else {
            return (
                vec![Term::words("No stage of this pass has run.")],
                String::new(),
            );
        };
        let address = Spot::at(Place::View(crate::trace::View::Timeline), Some(pass));
        if let Some(stage) = self.stage
            && let Some(of) = cost.stages.iter().find(|cost| cost.stage == stage)
        {
            let terms = vec![
                Term::words(crate::ui::walk::name(Place::Stage(stage))),
                Term::number(time(of.seconds)),
                Term::words("for"),
                Term::number(bytes(of.weight_bytes)),
                Term::words(format!("of weights, {}", of.formats.join(", "))),
            ];
            return (terms, address.to_string());
        }
        let terms = vec![
            Term::number(time(cost.seconds())),
            Term::words(format!("for {} tokens =", cost.n_pos)),
            Term::result(Role::Cache, tokens_per_second(cost.tokens_per_second())),
            Term::words("· weights read"),
            Term::number(bytes(cost.weight_bytes())),
            Term::words("at"),
            Term::number(bytes_per_second(cost.bytes_per_second())),
        ];
        (terms, address.to_string())
    }
}

fn heading(ui: &Ui, room: Rect, title: &str, rest: &str) {
    chart_title(ui.painter(), Palette::of(ui), room.left_top(), title, rest);
}

fn rate(pass: &PassState) -> String {
    let took = seconds(pass);
    match took > 0.0 {
        true => format!(
            "{}, {}",
            time(took),
            tokens_per_second(pass.n_pos as f64 / took)
        ),
        false => "nothing of it has run".to_owned(),
    }
}

fn time(seconds: f64) -> String {
    if seconds <= 0.0 {
        return "0".to_owned();
    }
    units::seconds(seconds)
}

/// Blocks are told apart by turns of one hue.
fn colour(palette: &Palette, stage: Stage) -> Color32 {
    match stage {
        Stage::Embed | Stage::FinalNorm => mix(palette.surface, palette.role(Role::Residual), 0.55),
        Stage::Block(layer) if layer.is_multiple_of(2) => palette.wash(Role::Attention, 0.62),
        Stage::Block(_) => palette.wash(Role::Attention, 0.42),
        Stage::Logits => palette.wash(Role::Logits, 0.75),
    }
}
