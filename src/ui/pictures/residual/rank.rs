//! The way of one token through the layers: its rank after every block, as a curve; and beside it
//! the likeliest tokens of the chosen cell.

use egui::{Align2, Rect, Sense, Stroke, Ui, UiBuilder, WidgetInfo, pos2, vec2};

use super::at;
use super::lens::{N_TOP, view_at};
use crate::engine::question::{Question, Told};
use crate::trace::measure::lens::{LensRequest, ranks};
use crate::trace::measure::{At, NamedToken, Point, TokenShare};
use crate::trace::units::count;
use crate::ui::controls::words;
use crate::ui::picture::Scene;
use crate::ui::pictures::shared::{Chart, TokenPicker, n_blocks_run, percent, text_in, written};
use crate::ui::theme::{Palette, Role, Type, space};
use crate::ui::widgets::{Bar, Bars};

/// The curve.
#[derive(Default)]
pub struct RankPart {
    picker: TokenPicker,
    /// The token on the curve in this frame.
    token: Option<NamedToken>,
}

impl RankPart {
    pub fn show(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        followed: &mut Option<NamedToken>,
        chosen: Option<(Point, usize)>,
    ) {
        let room = ui.available_rect_before_wrap();
        let beside = (room.width() * 0.3).clamp(150.0, 260.0);
        let left = Rect::from_min_max(room.min, pos2(room.right() - beside - 24.0, room.bottom()));
        let right = Rect::from_min_max(pos2(room.right() - beside, room.top()), room.max);
        self.token = followed.clone().or_else(|| own_answer(scene));
        ui.scope_builder(UiBuilder::new().max_rect(left), |ui| {
            self.title_ui(ui, scene, followed);
            self.curve_ui(ui, scene);
        });
        ui.scope_builder(UiBuilder::new().max_rect(right), |ui| {
            if let Some((point, row)) = chosen {
                cell_ui(ui, scene, point, row, followed);
            }
        });
    }

    fn title_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, followed: &mut Option<NamedToken>) {
        let palette = Palette::of(ui);
        ui.horizontal(|ui| {
            let name = scene.said(scene.position());
            let n = count(scene.facts.vocab_size as u64);
            let token = self.token.as_ref().map(|token| written(&token.text));
            let title = match token {
                Some(token) => format!("Rank of **{token}** after **{name}**, of {n} tokens"),
                None => "Rank of a token through the blocks".to_owned(),
            };
            let layout = egui::Layout::right_to_left(egui::Align::Center);
            ui.with_layout(layout, |ui| {
                if let Some(token) = self.picker.show(ui, scene, "Follow another …") {
                    *followed = Some(token);
                }
                let layout = egui::Layout::left_to_right(egui::Align::Center);
                ui.with_layout(layout, |ui| {
                    let job = words(&title, Type::Body, Type::Strong, palette.text);
                    ui.add(egui::Label::new(job).truncate());
                });
            });
        });
    }

    fn curve_ui(&self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let palette = Palette::of(ui);
        let room = ui.available_size();
        let (rect, response) = ui.allocate_exact_size(room, Sense::hover());
        let n_layers = scene.facts.n_layers.max(1);
        let most = (scene.facts.vocab_size as f64).max(10.0);
        let ways = self.ranks(scene, at(scene));
        let lowest = ways.iter().map(|(_, rank)| *rank).max().unwrap_or(100);
        // As deep as the curve goes, at least to 100: a way among the first ten is seen as such.
        let deepest = (lowest as f64 * 1.6).max(60.0).min(most);
        let area = Rect::from_min_max(rect.min + vec2(44.0, 20.0), rect.max - vec2(16.0, 24.0));
        // Half a block of room at either end keeps dots off the numbers of the axis.
        let chart = Chart::new(area, (-0.4, n_layers as f64 - 0.6), (deepest, 1.0)).log();
        let decades = (0..8).map(|power| 10_f64.powi(power));
        let lines = decades.filter(|rank| *rank <= deepest);
        let lines: Vec<_> = lines.map(|rank| (rank, count(rank as u64))).collect();
        let painter = ui.painter().clone();
        chart.lines(&painter, palette, &lines);
        let points: Vec<[f64; 2]> = ways
            .iter()
            .map(|(layer, rank)| [*layer as f64, *rank as f64])
            .collect();
        let hue = palette.role(Role::Logits);
        chart.curve(&painter, &points, Stroke::new(2.0, hue));
        let apart = area.width() / (n_layers as f32 - 0.2);
        let every = (26.0 / apart).ceil().max(1.0) as usize;
        for (layer, rank) in &ways {
            let place = chart.place(*layer as f64, *rank as f64);
            painter.circle_filled(place, if apart > 14.0 { 4.5 } else { 3.0 }, hue);
            if layer % every == 0 || layer + 1 == n_layers {
                let at = place - vec2(0.0, 8.0);
                let font = Type::MonoSmall.font();
                painter.text(
                    at,
                    Align2::CENTER_BOTTOM,
                    count(*rank as u64),
                    font,
                    palette.text,
                );
            }
        }
        let wide = if apart > 56.0 { "block " } else { "" };
        let every = ((if apart > 56.0 { 52.0 } else { 20.0 }) / apart)
            .ceil()
            .max(1.0) as usize;
        for layer in (0..n_layers).step_by(every) {
            let place = pos2(chart.place(layer as f64, 1.0).x, area.bottom() + 8.0);
            let font = Type::Small.font();
            let text = format!("{wide}{layer}");
            painter.text(place, Align2::CENTER_TOP, text, font, palette.muted);
        }
        response.widget_info(|| {
            let ways: Vec<String> = ways.iter().map(|(_, rank)| rank.to_string()).collect();
            let text = format!("rank after each block: {}", ways.join(", "));
            WidgetInfo::labeled(egui::Role::Image, true, text)
        });
    }

    /// Block and rank, for every block that has run.
    fn ranks(&self, scene: &mut Scene<'_>, at: At) -> Vec<(usize, usize)> {
        let Some(token) = &self.token else {
            return Vec::new();
        };
        let points: Vec<Point> = (0..n_blocks_run(scene)).map(Point::AfterMlp).collect();
        if points.is_empty() {
            return Vec::new();
        }
        let question = Question::Lens(LensRequest {
            rows: vec![at],
            points,
            top_k: 1,
            tokens: vec![token.id],
        });
        let Some(told) = scene.ask(&question).ready() else {
            return Vec::new();
        };
        let Told::Lens(views) = &*told else {
            return Vec::new();
        };
        let ways = ranks(views, at, 0).into_iter();
        let layered = ways.filter_map(|(point, rank)| match point {
            Point::AfterMlp(layer) => Some((layer, rank)),
            _ => None,
        });
        layered.collect()
    }

    /// "before: rank 31": where the followed token stood one block earlier.
    pub fn rank_before(&self, scene: &mut Scene<'_>, point: Point, row: usize) -> Option<String> {
        let Point::AfterMlp(layer) = point else {
            return None;
        };
        let token = self.token.clone()?;
        let pass = scene.view.pass();
        let ranks = self.ranks(scene, At { pass, row });
        let of = |layer: usize| {
            ranks
                .iter()
                .find(|(at, _)| *at == layer)
                .map(|(_, rank)| *rank)
        };
        let (name, now) = (written(&token.text), of(layer)?);
        Some(match layer.checked_sub(1).and_then(of) {
            Some(before) => format!("· {name} has rank {now}, before {before}"),
            None => format!("· {name} has rank {now}"),
        })
    }
}

/// The model's own answer at the chosen position, as far as the blocks have run.
pub fn own_answer(scene: &mut Scene<'_>) -> Option<NamedToken> {
    let layer = n_blocks_run(scene).checked_sub(1)?;
    let row = scene.row();
    let view = view_at(scene, Point::AfterMlp(layer), row)?;
    view.top.first().map(|share| share.token.clone())
}

/// The likeliest tokens of one cell; a click follows one.
fn cell_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    point: Point,
    row: usize,
    followed: &mut Option<NamedToken>,
) {
    let palette = Palette::of(ui);
    let position = scene.pass_range().start + row;
    let title = format!("{}, {}", super::point_name(point), scene.said(position));
    let (line, _) = ui.allocate_exact_size(vec2(ui.available_width(), 28.0), Sense::hover());
    text_in(
        ui.painter(),
        line,
        &title,
        Type::Caption,
        palette.muted,
        0.0,
    );
    let Some(view) = view_at(scene, point, row) else {
        return;
    };
    let hue = palette.role(Role::Logits);
    let n_fit = (((ui.available_height() - 4.0) / 19.0) as usize).clamp(1, N_TOP);
    let shares: Vec<&TokenShare> = view.top.iter().take(n_fit).collect();
    let bars: Vec<Bar> = shares
        .iter()
        .map(|share| {
            let length = share.probability as f32;
            Bar::new(
                written(&share.token.text),
                length,
                percent(share.probability),
                hue,
            )
        })
        .collect();
    let shown = Bars::new("likeliest here", &bars)
        .longest(1.0)
        .line(19.0)
        .show(ui);
    if let Some(share) = shown.clicked.and_then(|at| shares.get(at)) {
        *followed = Some(share.token.clone());
    }
    ui.add_space(space::TINY);
}
