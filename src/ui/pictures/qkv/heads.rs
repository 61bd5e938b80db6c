//! Query heads over the key/value head they share, and what goes into the cache.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::{Align2, Pos2, Rect, ScrollArea, Stroke, StrokeKind, Ui, UiBuilder, pos2, vec2};

use super::{Kind, Place, chosen, point};
use crate::trace::{Hook, HostTensor};
use crate::ui::answers::Asked;
use crate::ui::colormap::ColorMap;
use crate::ui::command::Pointing;
use crate::ui::picture::{Scene, ready_ui};
use crate::ui::pictures::parts::limit_of_most;
use crate::ui::theme::{Palette, Role, Type, corner, mix};
use crate::ui::widgets::heatmap::{Grid, HeatMap, MapCell, MapState, figure, legend_ui};

/// A map for each head of each kind.
#[derive(Default)]
pub struct Heads {
    states: BTreeMap<usize, MapState>,
    limits: Option<([Arc<HostTensor>; 3], [f32; 3])>,
}

/// Where things stand, in points from the picture's corner.
struct Layout {
    /// Width of a query head's map.
    head: f32,
    /// Space between two heads, and between two groups.
    gap: f32,
    between: f32,
    /// Query heads of a group, and how many groups.
    per_group: usize,
    n_groups: usize,
    /// Height of a map.
    map: f32,
}

/// Height of a map's name above it.
const NAME: f32 = 18.0;
/// From the query maps down to the key and value maps.
const BRACKET: f32 = 30.0;
/// From the maps down to the cache, and the cache itself.
const ARROW: f32 = 26.0;
const CACHE: f32 = 28.0;

impl Layout {
    fn new(scene: &Scene<'_>, room: egui::Vec2) -> Self {
        let n_groups = scene.facts.n_kv_heads.max(1);
        let per_group = (scene.facts.n_heads / n_groups).max(1);
        let n_heads = (per_group * n_groups) as f32;
        let (gap, between) = match n_heads as usize {
            0..=8 => (12.0, 30.0),
            9..=16 => (7.0, 20.0),
            _ => (5.0, 14.0),
        };
        let gaps = gap * (n_heads - n_groups as f32) + between * (n_groups as f32 - 1.0);
        let head = ((room.x - gaps - 10.0) / n_heads).clamp(40.0, 220.0);
        let fixed = 2.0 * NAME + BRACKET + ARROW + CACHE + 88.0;
        let map = ((room.y - fixed) / 2.0).clamp(56.0, 260.0);
        Self {
            head,
            gap,
            between,
            per_group,
            n_groups,
            map,
        }
    }

    fn group_width(&self) -> f32 {
        let n = self.per_group as f32;
        n * self.head + (n - 1.0) * self.gap
    }

    fn width(&self) -> f32 {
        let n = self.n_groups as f32;
        n * self.group_width() + (n - 1.0) * self.between
    }

    fn height(&self) -> f32 {
        2.0 * (NAME + self.map) + BRACKET + ARROW + CACHE
    }

    fn query(&self, origin: Pos2, head: usize) -> Rect {
        let (group, place) = (head / self.per_group, head % self.per_group);
        let left = group as f32 * (self.group_width() + self.between)
            + place as f32 * (self.head + self.gap);
        Rect::from_min_size(origin + vec2(left, NAME), vec2(self.head, self.map))
    }

    /// The key map (`place` 0) or the value map (1) of a group.
    fn shared(&self, origin: Pos2, group: usize, place: usize) -> Rect {
        let width = self.head.min((self.group_width() - 10.0) / 2.0);
        let gap = (self.group_width() - 2.0 * width).min(16.0);
        let left = group as f32 * (self.group_width() + self.between)
            + (self.group_width() - 2.0 * width - gap) / 2.0
            + place as f32 * (width + gap);
        let top = 2.0 * NAME + self.map + BRACKET;
        Rect::from_min_size(origin + vec2(left, top), vec2(width, self.map))
    }
}

impl Heads {
    /// Shows every head.
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let mut tensors = Vec::with_capacity(3);
        for kind in Kind::ALL {
            let asked = scene.value_at(Hook::Block(scene.view.layer, kind.hook()));
            match asked {
                Asked::Ready(tensor) => tensors.push(tensor),
                other => {
                    ready_ui(ui, other);
                    return;
                }
            }
        }
        let Ok(tensors) = <[Arc<HostTensor>; 3]>::try_from(tensors) else {
            return;
        };
        let limits = self.limits(&tensors);
        let layout = Layout::new(scene, ui.available_size());
        let mut hovered = None;
        ScrollArea::horizontal().id_salt("qkv").show(ui, |ui| {
            let size = vec2(layout.width() + 4.0, layout.height() + 4.0);
            let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
            let origin = rect.min + vec2(2.0, 0.0);
            lines_ui(ui, &layout, origin);
            cache_ui(ui, scene, &layout, origin);
            let parts = Kind::ALL.into_iter().zip(tensors.iter().zip(limits));
            for (kind, (tensor, limit)) in parts {
                let n_heads = tensor.shape().get(1).copied().unwrap_or_default();
                for head in 0..n_heads {
                    let area = match kind {
                        Kind::Query => layout.query(origin, head),
                        Kind::Key => layout.shared(origin, head, 0),
                        Kind::Value => layout.shared(origin, head, 1),
                    };
                    let at = self.map_ui(ui, scene, area, tensor, (kind, head, limit));
                    hovered = hovered.or(at);
                }
            }
        });
        if hovered.is_some() || scene.view.hovered.is_some() {
            let address = hovered.map(|place| place.address(scene));
            scene.point(Pointing::Hover(address));
        }
        foot_ui(ui, limits);
    }

    /// Where the scale of each kind ends, worked out once.
    fn limits(&mut self, tensors: &[Arc<HostTensor>; 3]) -> [f32; 3] {
        let is_known = |known: &[Arc<HostTensor>; 3]| {
            let pairs = known.iter().zip(tensors);
            pairs
                .into_iter()
                .all(|(a, b)| std::ptr::eq(a.values(), b.values()))
        };
        if let Some((_, limits)) = self.limits.as_ref().filter(|(known, _)| is_known(known)) {
            return *limits;
        }
        let limits = tensors
            .each_ref()
            .map(|tensor| limit_of_most(tensor.values()));
        self.limits = Some((tensors.clone(), limits));
        limits
    }

    /// One head's map; gives the number under the pointer.
    fn map_ui(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        area: Rect,
        tensor: &HostTensor,
        (kind, head, limit): (Kind, usize, f32),
    ) -> Option<Place> {
        if !ui.is_rect_visible(area) {
            return None;
        }
        let palette = Palette::of(ui);
        let name = format!("{} {head}", kind.letter().to_uppercase());
        let at = area.left_top() - vec2(0.0, 3.0);
        let font = Type::Small.font();
        ui.painter().text(
            at,
            Align2::LEFT_BOTTOM,
            &name,
            font,
            palette.role(kind.role()),
        );
        let grid = Grid::head(tensor, head)?;
        let state = self.state(kind, head, scene.facts.n_heads);
        let colours = ColorMap::diverging(palette);
        let chosen = chosen(scene);
        let is_here = chosen.kind == kind && chosen.head == head;
        let ring = is_here.then_some(MapCell {
            row: chosen.row,
            col: chosen.dim,
        });
        let title = format!("{name} of block {}", scene.view.layer);
        let map = HeatMap::new(&title, &grid, &colours, limit)
            .chosen(ring)
            .still();
        let shown = ui.scope_builder(UiBuilder::new().max_rect(area), |ui| {
            map.show(ui, state, area.size() + vec2(3.0, 3.0))
        });
        let shown = shown.inner;
        let line = if is_here {
            palette.ring()
        } else {
            palette.hairline()
        };
        ui.painter()
            .rect_stroke(shown.body.expand(1.0), 1, line, StrokeKind::Middle);
        let place = |cell: MapCell| Place {
            kind,
            head,
            row: cell.row,
            dim: cell.col,
        };
        if let Some(cell) = shown.clicked {
            point(scene, place(cell));
        }
        let hovered = shown.hovered.map(place)?;
        let token = scene.said(scene.pass_range().start + hovered.row);
        let value = grid
            .value(hovered.row, hovered.dim)
            .map_or_else(String::new, figure);
        let tip = format!(
            "{token}, number {}: {value}\n{}",
            hovered.dim,
            hovered.address(scene)
        );
        shown.response.on_hover_text_at_pointer(tip);
        Some(hovered)
    }

    fn state(&mut self, kind: Kind, head: usize, n_heads: usize) -> &mut MapState {
        let first = match kind {
            Kind::Query => 0,
            Kind::Key => n_heads,
            Kind::Value => 2 * n_heads,
        };
        let place = first + head;
        self.states.entry(place).or_default()
    }
}

/// The brackets from a group's queries to its keys and values, and the arrows into the cache.
fn lines_ui(ui: &Ui, layout: &Layout, origin: Pos2) {
    let palette = Palette::of(ui);
    let painter = ui.painter();
    let line = Stroke::new(1.5, palette.line);
    for group in 0..layout.n_groups {
        let first = group * layout.per_group;
        let heads = (first..first + layout.per_group).map(|head| layout.query(origin, head));
        let rects: Vec<Rect> = heads.collect();
        let (Some(left), Some(right)) = (rects.first(), rects.last()) else {
            continue;
        };
        let y = left.bottom() + 12.0;
        painter.line_segment([pos2(left.left(), y), pos2(right.right(), y)], line);
        for rect in &rects {
            let x = rect.center().x;
            painter.line_segment([pos2(x, rect.bottom() + 3.0), pos2(x, y)], line);
        }
        let middle = (left.left() + right.right()) / 2.0;
        painter.line_segment([pos2(middle, y), pos2(middle, y + 14.0)], line);
        let bottom = layout.shared(origin, group, 0).bottom();
        let ink = Stroke::new(2.0, palette.role(Role::Cache));
        painter.arrow(pos2(middle, bottom + 5.0), vec2(0.0, ARROW - 8.0), ink);
    }
}

/// The block's part of the cache, into which keys and values go.
fn cache_ui(ui: &Ui, scene: &Scene<'_>, layout: &Layout, origin: Pos2) {
    let palette = Palette::of(ui);
    let top = origin.y + layout.height() - CACHE;
    let size = vec2(layout.width(), CACHE);
    let rect = Rect::from_min_size(pos2(origin.x, top), size);
    let fill = mix(palette.background, palette.role(Role::Cache), 0.12);
    let line = Stroke::new(1.0, palette.role(Role::Cache));
    ui.painter()
        .rect(rect, corner::SMALL, fill, line, StrokeKind::Inside);
    let (n_kv, head_dim) = (scene.facts.n_kv_heads, scene.facts.head_dim);
    let text = format!(
        "block {} of the KV cache: {} positions × {n_kv} heads × ({head_dim} + {head_dim}) numbers",
        scene.view.layer,
        scene.pass_range().end,
    );
    let font = Type::Body.font();
    ui.painter().text(
        rect.center(),
        Align2::CENTER_CENTER,
        text,
        font,
        palette.text,
    );
}

/// The three words, and the legend.
fn foot_ui(ui: &mut Ui, limits: [f32; 3]) {
    let palette = Palette::of(ui);
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        for (name, role, words) in [
            ("query", Role::Query, "what this position asks"),
            ("key", Role::Key, "what it can be found by"),
            ("value", Role::Value, "what it hands over when read"),
        ] {
            ui.spacing_mut().item_spacing.x = 5.0;
            ui.label(Type::Strong.text(name, palette.role(role)));
            ui.label(Type::Body.text(words, palette.muted));
            ui.add_space(14.0);
        }
    });
    let [query, key, value] = limits;
    let colours = ColorMap::diverging(palette);
    ui.horizontal(|ui| {
        legend_ui(ui, "each kind on its own scale", &colours, 1.0);
        let text = format!(
            "1 = {} (q), {} (k), {} (v)",
            figure(query),
            figure(key),
            figure(value)
        );
        ui.label(Type::MonoSmall.text(text, palette.muted));
    });
}
