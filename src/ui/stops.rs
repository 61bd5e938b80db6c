//! The six stops: the shortest way through a pass, for the first time.

use egui::{Color32, Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use super::command::Command;
use super::controls::{key_cap, quiet_button, text_button};
use super::picture::Scene;
use super::spot::Spot;
use super::state::Depth;
use super::theme::{Palette, Type, mix, space};
use super::walk;
use crate::trace::{Place, View};

/// Draws the stops in a row, with the one on view marked.
pub fn stops_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let palette = Palette::of(ui);
    let pass = scene.view.pass();
    // The token on the screen is where the story ends, not a stop of it.
    let stops: Vec<Place> = walk::stations(scene.facts, Depth::Stops, 0)
        .into_iter()
        .filter(|place| *place != Place::View(View::Screen))
        .collect();
    let here = walk::order(scene.view.spot.address.place);
    let fit = Fit::of(ui, &stops);
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        for (at, place) in stops.iter().enumerate() {
            let is_prompt = matches!(place, Place::View(View::Text | View::Tokens));
            let spot = Spot::at(*place, Some(pass).filter(|_| !is_prompt));
            let is_here = here == walk::order(*place);
            if at > 0 {
                let size = vec2(fit.gap(), 2.0);
                let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
                ui.painter().hline(
                    rect.x_range().shrink(fit.gap() / 6.0),
                    rect.center().y,
                    palette.hairline(),
                );
            }
            let is_named = is_here || fit != Fit::Numbers;
            stop_ui(ui, scene, at + 1, spot, is_here, is_named);
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let clicked = match fit {
                Fit::Wide => {
                    ui.spacing_mut().item_spacing.x = space::SMALL;
                    key_cap(ui, "↓");
                    text_button(ui, "Go deeper").clicked()
                }
                _ => quiet_button(ui, "↓", "Go deeper", true).clicked(),
            };
            if clicked {
                scene.send(Command::Move(super::command::Move::Into));
            }
        });
    });
}

/// How the stops fit into the room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// With all names, and words for the way deeper.
    Wide,
    /// With all names, closer together.
    Close,
    /// Only the one on view has its name.
    Numbers,
}

impl Fit {
    fn of(ui: &Ui, stops: &[Place]) -> Self {
        let width = |place: &Place| {
            let font = Type::Strong.font();
            let text = walk::name(*place);
            let galley = ui.painter().layout_no_wrap(text, font, Color32::WHITE);
            galley.size().x + DISC
        };
        let names: f32 = stops.iter().map(width).sum();
        let gaps = |fit: Self| fit.gap() * stops.len().saturating_sub(1) as f32;
        let room = ui.available_width();
        if names + gaps(Self::Wide) + DEEPER <= room {
            Self::Wide
        } else if names + gaps(Self::Close) + ARROW <= room {
            Self::Close
        } else {
            Self::Numbers
        }
    }

    /// Between two stops.
    fn gap(self) -> f32 {
        match self {
            Self::Wide => 18.0,
            Self::Close => 4.0,
            Self::Numbers => 14.0,
        }
    }
}

/// The disc of a stop, with the space around it.
const DISC: f32 = 30.0;
/// Room for the way deeper in words, and as an arrow.
const DEEPER: f32 = 120.0;
const ARROW: f32 = 28.0;

fn stop_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    number: usize,
    spot: Spot,
    is_here: bool,
    is_named: bool,
) {
    let palette = Palette::of(ui);
    let is_computed = scene.is_computed(&spot);
    let name = walk::name(spot.address.place);
    let (font, colour) = match (is_here, is_computed) {
        (true, _) => (Type::Strong, palette.text),
        (false, true) => (Type::Body, palette.text),
        (false, false) => (Type::Body, palette.muted),
    };
    let text = ui
        .painter()
        .layout_no_wrap(name.clone(), font.font(), colour);
    let width = match is_named {
        true => text.size().x + DISC,
        false => 22.0,
    };
    let size = vec2(width, 28.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| {
        WidgetInfo::selected(
            egui::Role::RadioButton,
            true,
            is_here,
            format!("stop {number}: {name}"),
        )
    });
    let painter = ui.painter();
    let disc = pos2(rect.left() + 11.0, rect.center().y);
    let fill = match (is_here, is_computed) {
        (true, _) => palette.primary,
        (false, true) => mix(palette.background, palette.text, 0.16),
        (false, false) => palette.background,
    };
    painter.circle(
        disc,
        9.0,
        fill,
        egui::Stroke::new(1.0, mix(palette.line, palette.text, 0.15)),
    );
    let on = if is_here { palette.on_primary } else { colour };
    let font = egui::FontId::new(10.5, super::fonts::medium());
    painter.text(
        disc,
        egui::Align2::CENTER_CENTER,
        number.to_string(),
        font,
        on,
    );
    let at = pos2(rect.left() + 25.0, rect.center().y - text.size().y / 2.0);
    if is_named {
        painter.galley(at, text, colour);
    }
    if response.hovered() && is_named {
        let line = Rect::from_min_max(
            pos2(at.x, rect.bottom() - 4.0),
            pos2(rect.right() - 4.0, rect.bottom() - 3.0),
        );
        painter.rect_filled(line, 0.0, palette.faint);
    }
    let response = match is_named {
        true => response,
        false => response.on_hover_text(name),
    };
    if response
        .on_hover_cursor(egui::CursorIcon::PointingHand)
        .clicked()
    {
        scene.send(Command::Go(spot));
    }
}
