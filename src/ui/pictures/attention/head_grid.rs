//! Every head in small, layer × head: pick one, pin some, see those that bear a label.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use egui::{
    Align2, Color32, ColorImage, Rect, Sense, Stroke, StrokeKind, TextureHandle, TextureOptions,
    Ui, Vec2, WidgetInfo, pos2, vec2,
};

use super::head;
use super::options::Options;
use crate::engine::question::{Question, Told};
use crate::trace::measure::heads::{HeadScores, HeadTally};
use crate::trace::measure::maps::Miniature;
use crate::trace::{BlockHook, Hook, Place};
use crate::ui::answers::Asked;
use crate::ui::colormap::ColorMap;
use crate::ui::command::{Command, Pointing};
use crate::ui::controls::outline;
use crate::ui::picture::Scene;
use crate::ui::spot::Spot;
use crate::ui::theme::{Palette, Role, Type, corner, mix, space};
use crate::ui::widgets::chip_ui;

/// Most rows and columns of a miniature.
const MINIATURE: usize = 48;

/// All heads, one texture per block.
#[derive(Default)]
pub struct HeadGrid {
    blocks: BTreeMap<usize, Block>,
    pins: BTreeSet<(usize, usize)>,
}

/// The heads of one block, side by side.
struct Block {
    told: Arc<Told>,
    is_dark: bool,
    leaves_first_out: bool,
    texture: TextureHandle,
    n_heads: usize,
    /// Labels, where the miniatures are whole maps.
    scores: Vec<HeadScores>,
}

impl HeadGrid {
    /// Shows the grid, at most `height` high.
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, height: f32, options: &Options) {
        self.ask(ui, scene, options);
        let palette = Palette::of(ui);
        ui.horizontal(|ui| {
            ui.label(Type::Strong.text("All heads", palette.text));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.label(Type::Body.text("layer × head", palette.muted));
            });
        });
        let pins = if self.pins.is_empty() { 0.0 } else { 34.0 };
        let room = vec2(ui.available_width(), (height - 30.0 - pins).max(60.0));
        self.cells_ui(ui, scene, room, options);
        self.pins_ui(ui, scene);
    }

    /// The head of block `layer` to begin with: the one with the strongest label, or else the one whose
    /// newest query reads one position most.
    pub fn clearest(&self, layer: usize) -> Option<usize> {
        let block = self.blocks.get(&layer)?;
        let strength = |scores: &HeadScores| {
            let strongest = scores.labels().first().map(|label| label.score);
            Some((strongest?, scores.head))
        };
        let labelled = block.scores.iter().filter_map(strength);
        let labelled = labelled.max_by(|(a, _), (b, _)| a.total_cmp(b));
        let Told::Patterns(heads) = &*block.told else {
            return None;
        };
        let newest = |head: &Miniature| {
            let n_cols = *head.max.shape().last()?;
            let row = head.max.values().rchunks(n_cols.max(1)).next()?;
            Some((row.iter().copied().fold(0.0, f32::max), head.head))
        };
        let newest = heads.iter().filter_map(newest);
        let clearest = newest.max_by(|(a, _), (b, _)| a.total_cmp(b));
        labelled.or(clearest).map(|(_, head)| head)
    }

    /// Asks for the miniatures of each block that has come this far, and paints those that are new.
    pub fn ask(&mut self, ui: &Ui, scene: &mut Scene<'_>, options: &Options) {
        let palette = Palette::of(ui);
        for layer in 0..scene.facts.n_layers {
            if !scene.is_computed(&spot(scene, layer)) {
                self.blocks.remove(&layer);
                continue;
            }
            let question = Question::Patterns {
                pass: scene.view.pass(),
                layers: vec![layer],
                size: MINIATURE,
            };
            let Asked::Ready(told) = scene.ask(&question) else {
                continue;
            };
            let is_there = self.blocks.get(&layer).is_some_and(|block| {
                Arc::ptr_eq(&block.told, &told)
                    && block.is_dark == palette.is_dark
                    && block.leaves_first_out == options.leaves_first_out
            });
            if !is_there {
                let block = Block::paint(ui, scene, told, options.leaves_first_out);
                self.blocks.extend(block.map(|block| (layer, block)));
            }
        }
    }

    fn cells_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, room: Vec2, options: &Options) {
        let (n_layers, n_heads) = (scene.facts.n_layers.max(1), scene.facts.n_heads.max(1));
        let edge = vec2(26.0, 16.0);
        let wide = (room.x - edge.x) / n_heads as f32;
        let high = (room.y - edge.y) / n_layers as f32;
        // Many layers scroll: too small to tell apart would be worse.
        let step = match high < 22.0 {
            // Nobody scrolls before a room: all of them are there, smaller.
            true if scene.view.is_presenting => {
                let high = high.max(4.0);
                vec2(wide.min(1.8 * high).max(4.0), high)
            }
            true => Vec2::splat(wide.clamp(17.0, 34.0)),
            false => Vec2::splat(wide.min(high).clamp(17.0, 74.0)),
        };
        let size = step * vec2(n_heads as f32, n_layers as f32) + edge;
        egui::ScrollArea::both()
            .id_salt("heads")
            .max_height(room.y)
            .max_width(room.x)
            .auto_shrink([false, true])
            .show(ui, |ui| {
                let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
                self.edges_ui(ui, rect.min, edge, step, n_layers, n_heads);
                for layer in 0..n_layers {
                    for head in 0..n_heads {
                        let corner = rect.min + edge + vec2(head as f32, layer as f32) * step;
                        let cell = Rect::from_min_size(corner, step);
                        if ui.is_rect_visible(cell) {
                            let tile = cell.shrink((step.y * 0.07).clamp(1.0, 4.0));
                            self.cell_ui(ui, scene, tile, (layer, head), options);
                        }
                    }
                }
            });
    }

    fn edges_ui(
        &self,
        ui: &Ui,
        min: egui::Pos2,
        edge: Vec2,
        step: Vec2,
        n_layers: usize,
        n_heads: usize,
    ) {
        let palette = Palette::of(ui);
        let font = Type::Small.font();
        let every = (16.0 / step.x).ceil().max(1.0) as usize;
        for head in (0..n_heads).step_by(every) {
            let place = min + vec2(edge.x + (head as f32 + 0.5) * step.x, edge.y - 2.0);
            let text = head.to_string();
            ui.painter().text(
                place,
                Align2::CENTER_BOTTOM,
                text,
                font.clone(),
                palette.muted,
            );
        }
        let every = (12.0 / step.y).ceil().max(1.0) as usize;
        for layer in (0..n_layers).step_by(every) {
            let place = min + vec2(0.0, edge.y + (layer as f32 + 0.5) * step.y);
            let text = format!("L{layer}");
            ui.painter().text(
                place,
                Align2::LEFT_CENTER,
                text,
                font.clone(),
                palette.muted,
            );
        }
    }

    fn cell_ui(
        &mut self,
        ui: &Ui,
        scene: &mut Scene<'_>,
        rect: Rect,
        at: (usize, usize),
        options: &Options,
    ) {
        let palette = Palette::of(ui);
        let (layer, head_at) = at;
        let id = ui.scope_id().with(("head", layer, head_at));
        let response = ui.interact(rect, id, Sense::click());
        let spot = spot(scene, layer);
        let is_chosen = layer == scene.view.layer && head_at == head(scene);
        let is_there = self.blocks.contains_key(&layer);
        let name = format!("L{layer}.H{head_at}");
        response.widget_info(|| WidgetInfo::selected(egui::Role::Button, true, is_chosen, &name));
        let painter = ui.painter();
        match self.blocks.get(&layer) {
            Some(block) => {
                painter.rect_filled(rect, corner::CELL, palette.surface);
                let tint = match block.bears(head_at, options) {
                    true => Color32::WHITE,
                    false => Color32::from_white_alpha(46),
                };
                let inside = rect.shrink(1.5);
                painter.image(block.texture.id(), inside, block.tile(head_at), tint);
                painter.rect_stroke(rect, 3, palette.hairline(), StrokeKind::Inside);
            }
            None => outline(painter, rect, mix(palette.background, palette.faint, 0.7)),
        }
        if self.pins.contains(&at) {
            let place = rect.right_top() + vec2(-4.0, 4.0);
            painter.circle_filled(place, 3.0, palette.role(Role::Attention));
        }
        if is_chosen {
            painter.rect_stroke(rect.expand(1.0), 4, palette.ring(), StrokeKind::Middle);
        } else if response.hovered() {
            let line = Stroke::new(1.0, palette.muted);
            painter.rect_stroke(rect, 3, line, StrokeKind::Middle);
        }
        if response.clicked() {
            scene.point(Pointing::Head(head_at));
            scene.send(if is_there {
                Command::Look(spot)
            } else {
                Command::Go(spot)
            });
        }
        if response.secondary_clicked() && !self.pins.remove(&at) {
            self.pins.insert(at);
        }
        let tip = match is_there {
            true => format!("{name}\n{}\nright click: pin", self.told_labels(at)),
            false => format!("{name}\nnot computed yet; click to run to it"),
        };
        response.on_hover_text(tip);
    }

    /// What is known of a head's labels, in words.
    fn told_labels(&self, (layer, head): (usize, usize)) -> String {
        let scores = self
            .blocks
            .get(&layer)
            .and_then(|block| block.scores.get(head));
        let Some(scores) = scores else {
            return "no label: the map is pooled".to_owned();
        };
        let labels = scores.labels();
        let labels = labels
            .iter()
            .map(|label| format!("{} {:.2}", label.role.name(), label.score));
        let labels: Vec<String> = labels.collect();
        match labels.is_empty() {
            true => "no label on this text".to_owned(),
            false => format!("{} on this text", labels.join(", ")),
        }
    }

    /// The pinned heads, to come back to.
    fn pins_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        if self.pins.is_empty() {
            return;
        }
        let palette = Palette::of(ui);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(space::TINY, space::TINY);
            ui.label(Type::Small.text("pinned", palette.muted));
            for (layer, head_at) in self.pins.clone() {
                let is_on = layer == scene.view.layer && head_at == head(scene);
                let chip = chip_ui(ui, &format!("L{layer}.H{head_at}"), is_on);
                if chip.clicked() {
                    scene.point(Pointing::Head(head_at));
                    let spot = spot(scene, layer);
                    scene.send(Command::Go(spot));
                }
                if chip.secondary_clicked() {
                    self.pins.remove(&(layer, head_at));
                }
            }
        });
    }
}

impl Block {
    fn paint(ui: &Ui, scene: &Scene<'_>, told: Arc<Told>, leaves_first_out: bool) -> Option<Self> {
        let Told::Patterns(heads) = &*told else {
            return None;
        };
        let palette = Palette::of(ui);
        let colours = ColorMap::sequential(palette, Role::Attention);
        let [rows, cols] = *heads.first()?.max.shape() else {
            return None;
        };
        let mut image = ColorImage::filled([cols * heads.len(), rows], Color32::TRANSPARENT);
        for (place, head) in heads.iter().enumerate() {
            paint_tile(&mut image, place * cols, head, &colours, leaves_first_out);
        }
        let texture = ui
            .ctx()
            .load_texture("heads", image, TextureOptions::NEAREST);
        Some(Self {
            scores: scores(scene, heads),
            n_heads: heads.len(),
            told,
            is_dark: palette.is_dark,
            leaves_first_out,
            texture,
        })
    }

    /// Where a head's miniature lies in the texture.
    fn tile(&self, head: usize) -> Rect {
        let width = 1.0 / self.n_heads.max(1) as f32;
        Rect::from_min_size(pos2(head as f32 * width, 0.0), vec2(width, 1.0))
    }

    /// Whether a head bears the label that is filtered by; all do while there is no filter.
    fn bears(&self, head: usize, options: &Options) -> bool {
        let Some(role) = options.filter else {
            return true;
        };
        let labels = self
            .scores
            .get(head)
            .map(HeadScores::labels)
            .unwrap_or_default();
        labels.iter().any(|label| label.role == role)
    }
}

/// Where each head looks, where its miniature is the whole map.
fn scores(scene: &Scene<'_>, heads: &[Miniature]) -> Vec<HeadScores> {
    let range = scene.pass_range();
    let Some(ids) = scene.run.ids.get(..range.end) else {
        return Vec::new();
    };
    let whole = heads
        .iter()
        .filter(|head| head.max.shape() == [range.len(), range.end]);
    let score = |head: &Miniature| {
        let mut tally = HeadTally::default();
        tally.add(head.max.values(), range.start, ids);
        tally.scores(head.layer, head.head)
    };
    whole.map(score).collect()
}

/// Paints a head into `image`, from column `left` on.
fn paint_tile(
    image: &mut ColorImage,
    left: usize,
    head: &Miniature,
    colours: &ColorMap,
    leaves_first_out: bool,
) {
    let cols = head.max.shape().last().copied().unwrap_or_default().max(1);
    let rows = || head.max.values().chunks(cols);
    let limit = match leaves_first_out {
        true => rows()
            .flat_map(|row| row.iter().skip(1))
            .copied()
            .fold(0.0, f32::max),
        false => 1.0,
    };
    let width = image.size.first().copied().unwrap_or_default();
    for (row, values) in rows().enumerate() {
        let start = row * width + left;
        let pixels = image.pixels.get_mut(start..start + values.len());
        for (pixel, value) in pixels.into_iter().flatten().zip(values) {
            *pixel = colours.colour(*value, limit);
        }
    }
}

/// The attention of a block in the pass on view.
fn spot(scene: &Scene<'_>, layer: usize) -> Spot {
    let place = Place::Hook(Hook::Block(layer, BlockHook::Pattern));
    Spot::at(place, Some(scene.view.pass()))
}
