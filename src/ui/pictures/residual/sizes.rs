//! How large the residual stream is on its way, and how much attention and MLP of every block
//! wrote to it.

use egui::{Align2, Rect, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::{address, point_of};
use crate::engine::question::{Question, Told};
use crate::trace::measure::Point;
use crate::trace::measure::state::Turn;
use crate::trace::measure::writes::BlockWrites;
use crate::trace::{BlockHook, Hook, Place};
use crate::ui::command::{Command, Pointing};
use crate::ui::controls::outline;
use crate::ui::picture::{Scene, Term};
use crate::ui::pictures::shared::{Chart, chart_title, hover, n_blocks_run, ticks};
use crate::ui::spot::Spot;
use crate::ui::theme::{Palette, Role, Type, corner, mix};
use crate::ui::widgets::heatmap::figure;

/// Two charts over one axis.
#[derive(Default)]
pub struct SizesPart {
    turns: Vec<Turn>,
    writes: Vec<BlockWrites>,
}

/// Other positions whose way is drawn faintly.
const N_OTHERS: usize = 8;

impl SizesPart {
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let n_layers = scene.facts.n_layers.max(1);
        let row = scene.row();
        self.turns = turns(scene, row);
        self.writes = writes(scene, row);
        let room = ui.available_rect_before_wrap();
        let left = 46.0;
        let split = room.top() + room.height() * 0.5;
        let upper = Rect::from_min_max(
            pos2(room.left() + left, room.top() + 30.0),
            pos2(room.right() - 8.0, split - 8.0),
        );
        let lower = Rect::from_min_max(
            pos2(upper.left(), split + 44.0),
            pos2(upper.right(), room.bottom() - 26.0),
        );
        let x = (0.0, n_layers as f64);
        let under = self.stream_ui(ui, scene, upper, x);
        let under = self.writes_ui(ui, scene, lower, x).or(under);
        hover(scene, under);
        let apart = lower.width() / n_layers as f32;
        let every = ((if apart > 56.0 { 52.0 } else { 22.0 }) / apart)
            .ceil()
            .max(1.0) as usize;
        for layer in (0..n_layers).step_by(every) {
            let x = lower.left() + (layer as f32 + 0.5) * apart;
            let word = if apart > 56.0 { "block " } else { "" };
            let place = pos2(x, lower.bottom() + 8.0);
            let (text, font) = (format!("{word}{layer}"), Type::Small.font());
            let muted = Palette::of(ui).muted;
            ui.painter()
                .text(place, Align2::CENTER_TOP, text, font, muted);
        }
        ui.advance_cursor_after_rect(room);
    }

    /// The size of the stream at every point.
    fn stream_ui(
        &self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        area: Rect,
        x: (f64, f64),
    ) -> Option<crate::trace::Address> {
        let palette = Palette::of(ui);
        let others = others(scene);
        let all = self.turns.iter().chain(others.iter().flatten());
        let most = all.map(|turn| turn.size).fold(0.0, f64::max).max(1e-6);
        let chart = Chart::new(area, x, (0.0, most * 1.08));
        let painter = ui.painter().clone();
        title(
            ui,
            area,
            "Size of the stream",
            "after every part; faint: the positions around",
        );
        chart.lines(&painter, palette, &size_lines(most, 4));
        let curve = |turns: &[Turn]| -> Vec<[f64; 2]> {
            turns
                .iter()
                .map(|turn| [place(turn.point), turn.size])
                .collect()
        };
        for turns in &others {
            let faint = Stroke::new(
                1.0,
                mix(palette.background, palette.role(Role::Residual), 0.4),
            );
            chart.curve(&painter, &curve(turns), faint);
        }
        chart.curve(
            &painter,
            &curve(&self.turns),
            Stroke::new(2.2, palette.role(Role::Residual)),
        );
        let response = ui.interact(area, ui.scope_id().with("stream"), Sense::click());
        response.widget_info(|| {
            let text = format!("size of the stream at {} points", self.turns.len());
            WidgetInfo::labeled(egui::Role::Image, true, text)
        });
        let nearest = response.hover_pos().and_then(|pointer| {
            let x = chart.x_at(pointer);
            let turns = self.turns.iter();
            let nearest = turns.min_by(|a, b| {
                let far = |turn: &Turn| (place(turn.point) - x).abs();
                far(a).total_cmp(&far(b))
            });
            nearest.map(|turn| turn.point)
        });
        let chosen = self.chosen(scene);
        for turn in &self.turns {
            let dot = chart.place(place(turn.point), turn.size);
            let is_chosen = chosen == Some(turn.point);
            painter.circle_filled(dot, 3.6, palette.role(Role::Residual));
            if is_chosen {
                painter.circle_stroke(dot, 6.5, palette.ring());
                let at = dot - vec2(0.0, 10.0);
                let (text, font) = (figure(turn.size as f32), Type::MonoSmall.font());
                painter.text(at, Align2::CENTER_BOTTOM, text, font, palette.text);
            }
        }
        let row = scene.row();
        let at = nearest.map(|point| address(scene, point, row));
        if response.clicked() {
            scene.point(Pointing::Lock(at.clone()));
        }
        at
    }

    /// What attention and MLP wrote, block by block.
    fn writes_ui(
        &self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        area: Rect,
        x: (f64, f64),
    ) -> Option<crate::trace::Address> {
        let palette = Palette::of(ui);
        let sizes = self
            .writes
            .iter()
            .flat_map(|write| [write.attention, write.mlp]);
        let most = sizes.fold(0.0, f64::max).max(1e-6);
        let chart = Chart::new(area, x, (0.0, most * 1.12));
        title(
            ui,
            area,
            "What each part wrote",
            "attention and MLP; click one to go in",
        );
        chart.lines(&ui.painter().clone(), palette, &size_lines(most, 3));
        let wide = (area.width() / (x.1 as f32) * 0.36).min(46.0);
        let mut under = None;
        for layer in 0..scene.facts.n_layers {
            for (is_mlp, role, hook) in [
                (false, Role::Attention, BlockHook::AttnOut),
                (true, Role::Mlp, BlockHook::MlpOut),
            ] {
                let middle = layer as f64 + if is_mlp { 0.74 } else { 0.26 };
                let write = self.writes.iter().find(|write| write.layer == layer);
                let size = write.map(|write| if is_mlp { write.mlp } else { write.attention });
                let top = chart.place(middle, size.unwrap_or(most * 0.12));
                let bar = Rect::from_min_max(
                    pos2(top.x - wide / 2.0, top.y),
                    pos2(top.x + wide / 2.0, area.bottom()),
                );
                let Some(size) = size else {
                    outline(ui.painter(), bar, palette.line);
                    continue;
                };
                let at = self.bar_ui(ui, scene, bar, (layer, is_mlp), (role, hook, size));
                under = under.or(at);
            }
        }
        under
    }

    fn bar_ui(
        &self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        bar: Rect,
        (layer, is_mlp): (usize, bool),
        (role, hook, size): (Role, BlockHook, f64),
    ) -> Option<crate::trace::Address> {
        let palette = Palette::of(ui);
        let target = Rect::from_min_max(
            pos2(bar.left(), bar.top().min(bar.bottom() - 20.0)),
            bar.max,
        );
        let id = ui.scope_id().with(("write", layer, is_mlp));
        let response = ui.interact(target, id, Sense::click());
        let part = if is_mlp { "MLP" } else { "attention" };
        response.widget_info(|| {
            let text = format!("block {layer}, {part}: wrote {size:.3}");
            WidgetInfo::labeled(egui::Role::Button, true, text)
        });
        ui.painter()
            .rect_filled(bar, corner::CELL, palette.role(role));
        if response.hovered() || response.has_focus() {
            let ring = palette.ring();
            ui.painter()
                .rect_stroke(bar.expand(2.0), 4, ring, egui::StrokeKind::Inside);
        }
        if bar.width() > 26.0 {
            let place = pos2(bar.center().x, bar.top() - 3.0);
            let (text, font) = (figure(size as f32), Type::MonoSmall.font());
            ui.painter()
                .text(place, Align2::CENTER_BOTTOM, text, font, palette.text);
        }
        let mut at = scene.address(Hook::Block(layer, hook));
        at.index = vec![scene.row()];
        if response.clicked() {
            let into = if is_mlp {
                BlockHook::Post
            } else {
                BlockHook::Z
            };
            let spot = Spot::at(
                Place::Hook(Hook::Block(layer, into)),
                Some(scene.view.pass()),
            );
            scene.send(Command::Go(spot));
        }
        let is_under = response.hovered();
        let response = response.on_hover_cursor(egui::CursorIcon::PointingHand);
        response.on_hover_text(format!("{at} · [d_model]"));
        is_under.then_some(at)
    }

    /// The point whose numbers are shown: the one pointed at, else the last.
    fn chosen(&self, scene: &Scene<'_>) -> Option<Point> {
        let pointed = scene.view.cell().and_then(|at| point_of(scene, at));
        let last = self.turns.last().map(|turn| turn.point);
        pointed.map(|(point, _)| point).or(last)
    }

    pub fn formula(&self, scene: &Scene<'_>) -> (Vec<Term>, String) {
        if let Some(terms) = self.write_terms(scene) {
            let address = scene.view.cell().map(ToString::to_string);
            return (terms, address.unwrap_or_default());
        }
        let Some(turn) = self
            .chosen(scene)
            .and_then(|point| self.turns.iter().find(|turn| turn.point == point))
        else {
            return (Vec::new(), String::new());
        };
        let terms = vec![
            Term::of(Role::Residual, format!("size, {}", turn.point)),
            Term::words("="),
            Term::result(Role::Residual, figure(turn.size as f32)),
            Term::words("· cosine with the point before"),
            Term::number(figure(turn.to_previous as f32)),
            Term::words("with the last"),
            Term::number(figure(turn.to_last as f32)),
        ];
        (terms, address(scene, turn.point, scene.row()).to_string())
    }

    /// The numbers of a bar under the pointer.
    fn write_terms(&self, scene: &Scene<'_>) -> Option<Vec<Term>> {
        let Place::Hook(Hook::Block(layer, hook)) = scene.view.cell()?.place else {
            return None;
        };
        let write = self.writes.iter().find(|write| write.layer == layer)?;
        let (role, name, size, share) = match hook {
            BlockHook::AttnOut => (
                Role::Attention,
                "attention",
                write.attention,
                write.relative_attention(),
            ),
            BlockHook::MlpOut => (Role::Mlp, "MLP", write.mlp, write.relative_mlp()),
            _ => return None,
        };
        let mut terms = vec![
            Term::of(role, format!("block {layer}, {name}")),
            Term::words("wrote"),
            Term::result(role, figure(size as f32)),
            Term::words(format!(
                "= {:.0} % of the stream it was added to",
                share * 100.0
            )),
        ];
        if role == Role::Attention {
            let heads = write.heads.iter().enumerate();
            if let Some((head, size)) = heads.max_by(|(_, a), (_, b)| a.total_cmp(b)) {
                terms.push(Term::words(format!("· most by head {head}:")));
                terms.push(Term::number(figure(*size as f32)));
            }
        }
        Some(terms)
    }
}

/// A chart's title, above its area and flush with the figures at its left.
fn title(ui: &Ui, area: Rect, title: &str, rest: &str) {
    let place = pos2(area.left() - 46.0, area.top() - 26.0);
    chart_title(ui.painter(), Palette::of(ui), place, title, rest);
}

/// The lines of a chart of sizes up to `most`, with their numbers.
fn size_lines(most: f64, n: usize) -> Vec<(f64, String)> {
    let lines = ticks(most, n).into_iter();
    lines.map(|y| (y, figure(y as f32))).collect()
}

/// Where a point lies on the axis of blocks.
fn place(point: Point) -> f64 {
    match point {
        Point::Embed => 0.0,
        Point::AfterAttention(layer) => layer as f64 + 0.5,
        Point::AfterMlp(layer) => layer as f64 + 1.0,
    }
}

fn turns(scene: &mut Scene<'_>, row: usize) -> Vec<Turn> {
    let question = Question::Paths {
        pass: scene.view.pass(),
        rows: vec![row],
    };
    let Some(told) = scene.ask(&question).ready() else {
        return Vec::new();
    };
    match &*told {
        Told::Paths(paths) => paths.first().map(|path| path.turns()).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// The ways of the positions around the chosen one.
fn others(scene: &mut Scene<'_>) -> Vec<Vec<Turn>> {
    let (n_rows, row) = (scene.pass_range().len(), scene.row());
    let first = row
        .saturating_sub(N_OTHERS / 2)
        .min(n_rows.saturating_sub(N_OTHERS + 1));
    let rows = (first..n_rows)
        .take(N_OTHERS + 1)
        .filter(|other| *other != row);
    rows.map(|other| turns(scene, other)).collect()
}

fn writes(scene: &mut Scene<'_>, row: usize) -> Vec<BlockWrites> {
    if n_blocks_run(scene) == 0 {
        return Vec::new();
    }
    let question = Question::Writes {
        pass: scene.view.pass(),
        rows: vec![row],
    };
    let Some(told) = scene.ask(&question).ready() else {
        return Vec::new();
    };
    match &*told {
        Told::Writes(writes) => writes.clone(),
        _ => Vec::new(),
    }
}
