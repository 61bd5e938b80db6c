//! The logit lens as a table: a row per block, a column per position, and in each cell what the
//! model would say if it stopped there.

use egui::{Rect, Sense, StrokeKind, Ui, UiBuilder, WidgetInfo, pos2, vec2};

use super::rank::RankPart;
use super::{address, point_name, point_of};
use crate::engine::question::{Question, Told};
use crate::trace::measure::lens::{LensRequest, LensView};
use crate::trace::measure::{At, NamedToken, Point};
use crate::ui::answers::Asked;
use crate::ui::colormap::ColorMap;
use crate::ui::command::{Command, Pointing};
use crate::ui::controls::outline;
use crate::ui::picture::{Scene, Term};
use crate::ui::pictures::shared::{hover, n_blocks_run, percent, text_in, written};
use crate::ui::theme::{Palette, Role, Type, corner, space};
use crate::ui::widgets::chip_ui;

/// The table and what hangs below it.
#[derive(Default)]
pub struct LensPart {
    rank: RankPart,
    /// The leftmost position in sight, as a row of the pass.
    first: usize,
    /// The chosen row when `first` was set.
    row: Option<usize>,
    /// Whether the stream between attention and MLP is read too.
    has_halves: bool,
    /// Whether what is in sight is to be put on the clipboard.
    copies: bool,
}

/// Width of the words at the left.
const LEFT: f32 = 92.0;
const HEADER: f32 = 26.0;
/// Height of the curve and what stands beside it.
const BELOW: f32 = 204.0;
/// How many tokens a cell tells when it is opened.
pub const N_TOP: usize = 8;

/// What the table shows in this frame.
struct Frame {
    points: Vec<Point>,
    n_run: usize,
    rows: std::ops::Range<usize>,
    cell: egui::Vec2,
}

impl LensPart {
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, followed: &mut Option<NamedToken>) {
        let room = ui.available_rect_before_wrap();
        let below = BELOW.min(room.height() * 0.45);
        let mut top = room;
        top.max.y = room.bottom() - below - space::MEDIUM;
        let table = ui.scope_builder(UiBuilder::new().max_rect(top), |ui| {
            self.table_ui(ui, scene);
            ui.min_rect().bottom()
        });
        let mut rest = room;
        rest.min.y = (table.inner + space::LARGE).min(room.bottom() - below);
        let chosen = self.chosen(scene);
        ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| {
            self.rank.show(ui, scene, followed, chosen)
        });
    }

    fn table_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let frame = self.frame(ui, scene);
        self.header_ui(ui, scene, &frame);
        let height = ui.available_height().max(60.0);
        egui::ScrollArea::vertical()
            .id_salt("lens")
            .max_height(height)
            .show(ui, |ui| {
                let size = vec2(
                    LEFT + frame.cell.x * frame.rows.len() as f32,
                    frame.cell.y * frame.points.len() as f32,
                );
                let (area, _) = ui.allocate_exact_size(size, Sense::hover());
                let mut under = None;
                for row in frame.rows.clone() {
                    let views = ask(scene, &frame, row);
                    for line in 0..frame.points.len() {
                        let at = self.cell_ui(ui, scene, &frame, area.min, (line, row), &views);
                        under = under.or(at);
                    }
                }
                self.words_ui(ui, scene, &frame, area.min);
                hover(scene, under);
            });
        if std::mem::take(&mut self.copies) {
            let csv = csv(scene, &frame);
            scene.send(Command::Copy(csv));
        }
    }

    /// How many positions fit, and which they are: the chosen one is among them.
    fn frame(&mut self, ui: &Ui, scene: &Scene<'_>) -> Frame {
        let n_rows = scene.pass_range().len().max(1);
        let width = (ui.available_width() - LEFT).max(80.0);
        let across = (width / n_rows as f32).clamp(72.0, 112.0);
        let n_fit = ((width / across) as usize).clamp(1, n_rows);
        let row = scene.row();
        if self.row != Some(row) {
            self.row = Some(row);
            self.first = self.first.clamp((row + 1).saturating_sub(n_fit), row);
        }
        self.first = self.first.min(n_rows - n_fit);
        let mut points: Vec<Point> = Point::all(scene.facts.n_layers)
            .filter(|point| self.has_halves || matches!(point, Point::AfterMlp(_)))
            .collect();
        points.reverse();
        let gap = ui.spacing().item_spacing.y;
        let height = (ui.available_height() - HEADER - gap).max(60.0);
        let down = (height / points.len().max(1) as f32).clamp(21.0, 46.0);
        Frame {
            points,
            n_run: n_blocks_run(scene),
            rows: self.first..self.first + n_fit,
            cell: vec2((width / n_fit as f32).min(128.0), down),
        }
    }

    /// The words above the columns, and at the left the way to those out of sight.
    fn header_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, frame: &Frame) {
        let palette = Palette::of(ui);
        let (line, _) = ui.allocate_exact_size(vec2(ui.available_width(), HEADER), Sense::hover());
        let start = scene.pass_range().start;
        for (column, row) in frame.rows.clone().enumerate() {
            let left = line.left() + LEFT + column as f32 * frame.cell.x;
            let rect =
                Rect::from_min_size(pos2(left, line.top()), vec2(frame.cell.x, HEADER - 4.0));
            let (is_chosen, name) = (row == scene.row(), scene.name(start + row));
            let id = ui.scope_id().with(("column", row));
            let response = ui.interact(rect, id, Sense::click());
            let spoken = format!("position {}: {name}", start + row);
            response.widget_info(|| {
                WidgetInfo::selected(egui::Role::RadioButton, true, is_chosen, &spoken)
            });
            let (kind, colour) = match is_chosen {
                true => (Type::Strong, palette.text),
                false => (Type::Body, palette.muted),
            };
            text_in(
                ui.painter(),
                rect.shrink2(vec2(4.0, 0.0)),
                &name,
                kind,
                colour,
                0.5,
            );
            if response.clicked() {
                scene.point(Pointing::Token(start + row));
            }
        }
        let n_rows = scene.pass_range().len();
        let place = Rect::from_min_size(line.min, vec2(LEFT - 6.0, HEADER));
        let layout = egui::Layout::left_to_right(egui::Align::Center);
        ui.scope_builder(UiBuilder::new().max_rect(place).layout(layout), |ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            if chip_ui(ui, "½", self.has_halves)
                .on_hover_text("Also read the stream between attention and MLP")
                .clicked()
            {
                self.has_halves = !self.has_halves;
            }
            let is_whole = frame.rows.len() >= n_rows;
            if is_whole
                && !scene.view.is_presenting
                && chip_ui(ui, "CSV", false)
                    .on_hover_text("Copy as CSV")
                    .clicked()
            {
                self.copies = true;
            }
            if !is_whole {
                let page = frame.rows.len().max(1);
                if chip_ui(ui, "‹", false)
                    .on_hover_text("Earlier positions")
                    .clicked()
                {
                    self.first = self.first.saturating_sub(page);
                }
                if chip_ui(ui, "›", false)
                    .on_hover_text("Later positions")
                    .clicked()
                {
                    self.first = (self.first + page).min(n_rows - page.min(n_rows));
                }
            }
        });
    }

    fn words_ui(&self, ui: &Ui, scene: &Scene<'_>, frame: &Frame, corner: egui::Pos2) {
        let palette = Palette::of(ui);
        let chosen = self.chosen(scene).map(|(point, _)| point);
        for (line, point) in frame.points.iter().enumerate() {
            let top = corner.y + line as f32 * frame.cell.y;
            let rect = Rect::from_min_size(pos2(corner.x, top), vec2(LEFT - 10.0, frame.cell.y));
            let colour = match chosen == Some(*point) {
                true => palette.text,
                false => palette.muted,
            };
            text_in(
                ui.painter(),
                rect,
                &point_name(*point),
                Type::Small,
                colour,
                1.0,
            );
        }
    }

    /// One cell. Gives its address while the pointer is over it.
    fn cell_ui(
        &self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        frame: &Frame,
        origin: egui::Pos2,
        (line, row): (usize, usize),
        views: &[LensView],
    ) -> Option<crate::trace::Address> {
        let palette = Palette::of(ui);
        let point = *frame.points.get(line)?;
        let column = row - frame.rows.start;
        let offset = vec2(
            LEFT + column as f32 * frame.cell.x,
            line as f32 * frame.cell.y,
        );
        let gap = if frame.cell.y > 26.0 { 1.5 } else { 1.0 };
        let rect = Rect::from_min_size(origin + offset, frame.cell).shrink(gap);
        if !ui.is_rect_visible(rect) {
            return None;
        }
        let Some(view) = views.iter().find(|view| view.point == point) else {
            outline(ui.painter(), rect.shrink(0.5), palette.line);
            return None;
        };
        let top = view.top.first()?;
        let start = scene.pass_range().start;
        let id = ui.scope_id().with(("cell", line, row));
        let response = ui.interact(rect, id, Sense::click());
        let is_chosen = self.chosen(scene) == Some((point, row));
        let (word, share) = (written(&top.token.text), percent(top.probability));
        response.widget_info(|| {
            let position = scene.said(start + row);
            let text = format!("{}, {position}: {word} {share}", point_name(point));
            WidgetInfo::selected(egui::Role::Button, true, is_chosen, text)
        });
        let colours = ColorMap::sequential(palette, Role::Logits);
        let fill = colours.colour((top.probability * 0.8) as f32, 1.0);
        let painter = ui.painter();
        painter.rect(
            rect,
            corner::SMALL,
            fill,
            palette.hairline(),
            StrokeKind::Inside,
        );
        let text = palette.text_on(fill);
        let inside = rect.shrink2(vec2(8.0, 0.0));
        let number = format!("{:.0}", top.probability * 100.0);
        let mut words = inside;
        words.max.x -= 24.0;
        text_in(painter, words, &word, Type::Body, text, 0.0);
        text_in(painter, inside, &number, Type::MonoSmall, text, 1.0);
        if is_chosen || response.has_focus() {
            painter.rect_stroke(rect.expand(1.0), 7, palette.ring(), StrokeKind::Inside);
        }
        let at = address(scene, point, row);
        if response.clicked() {
            scene.point(Pointing::Token(start + row));
            if let Point::AfterMlp(layer) | Point::AfterAttention(layer) = point {
                scene.point(Pointing::Layer(layer));
            }
            scene.point(Pointing::Lock(Some(at.clone())));
        }
        let is_under = response.hovered();
        response.on_hover_ui(|ui| told_ui(ui, view, &at.to_string()));
        is_under.then_some(at)
    }

    /// The cell whose tokens are told: the one pointed at, else the newest of the chosen position.
    pub fn chosen(&self, scene: &Scene<'_>) -> Option<(Point, usize)> {
        let pointed = scene.view.cell().and_then(|at| point_of(scene, at));
        let newest = || {
            let layer = n_blocks_run(scene).checked_sub(1)?;
            Some((Point::AfterMlp(layer), scene.row()))
        };
        pointed.or_else(newest)
    }

    /// The chosen cell's numbers.
    pub fn formula(&self, scene: &mut Scene<'_>) -> (Vec<Term>, String) {
        let Some((point, row)) = self.chosen(scene) else {
            return (Vec::new(), String::new());
        };
        let position = scene.pass_range().start + row;
        let (view, before) = (
            view_at(scene, point, row),
            self.rank.rank_before(scene, point, row),
        );
        let Some((view, top)) =
            view.and_then(|view| Some((view.clone(), view.top.first()?.clone())))
        else {
            return (Vec::new(), String::new());
        };
        let mut terms = vec![
            Term::words(format!(
                "{} at {}:",
                point_name(point),
                scene.said(position)
            )),
            Term::of(Role::Logits, written(&top.token.text)),
            Term::number(percent(top.probability)),
        ];
        if let Some(before) = before {
            terms.push(Term::words(before));
        }
        terms.push(Term::words(format!(
            "· open by {} bits",
            crate::trace::units::bits(view.entropy_bits)
        )));
        (terms, address(scene, point, row).to_string())
    }
}

/// What the lens sees in a column: one question, which goes out once.
fn ask(scene: &mut Scene<'_>, frame: &Frame, row: usize) -> Vec<LensView> {
    let has_run = |point: &Point| match point {
        Point::Embed => true,
        Point::AfterAttention(layer) | Point::AfterMlp(layer) => *layer < frame.n_run,
    };
    let points: Vec<Point> = frame.points.iter().copied().filter(has_run).collect();
    if points.is_empty() {
        return Vec::new();
    }
    let question = Question::Lens(LensRequest {
        rows: vec![At {
            pass: scene.view.pass(),
            row,
        }],
        points,
        top_k: N_TOP,
        tokens: Vec::new(),
    });
    match scene.ask(&question) {
        Asked::Ready(told) => match &*told {
            Told::Lens(views) => views.clone(),
            _ => Vec::new(),
        },
        Asked::Waiting | Asked::Failed(_) => Vec::new(),
    }
}

/// The table in sight: a line per cell.
fn csv(scene: &mut Scene<'_>, frame: &Frame) -> String {
    let mut text = "point,position,token,probability,entropy_bits\n".to_owned();
    let start = scene.pass_range().start;
    for row in frame.rows.clone() {
        for view in ask(scene, frame, row) {
            let Some(top) = view.top.first() else {
                continue;
            };
            let (point, position) = (super::hook_at(view.point), start + row);
            let token = top.token.text.replace('"', "\"\"");
            let (p, bits) = (top.probability, view.entropy_bits);
            text.push_str(&format!("{point},{position},\"{token}\",{p},{bits}\n"));
        }
    }
    text
}

/// What the lens sees at one point.
pub fn view_at(scene: &mut Scene<'_>, point: Point, row: usize) -> Option<LensView> {
    let question = Question::Lens(LensRequest {
        rows: vec![At {
            pass: scene.view.pass(),
            row,
        }],
        points: vec![point],
        top_k: N_TOP,
        tokens: Vec::new(),
    });
    let told = scene.ask(&question).ready()?;
    match &*told {
        Told::Lens(views) => views.first().cloned(),
        _ => None,
    }
}

/// The likeliest tokens of a cell.
fn told_ui(ui: &mut Ui, view: &LensView, address: &str) {
    let palette = Palette::of(ui);
    ui.spacing_mut().interact_size.y = 17.0;
    ui.spacing_mut().item_spacing.y = 1.0;
    for share in &view.top {
        let (word, percent) = (written(&share.token.text), percent(share.probability));
        ui.horizontal(|ui| {
            ui.label(Type::Mono.text(format!("{percent:>7}"), palette.muted));
            ui.label(Type::Body.text(word, palette.text));
        });
    }
    ui.label(Type::MonoSmall.text(format!("{address} · [d_model]"), palette.muted));
}
