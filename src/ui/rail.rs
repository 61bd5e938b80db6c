//! The rail: the pass with what runs in order, and below it the views.
//!
//! What has been computed has a filled dot, what has not an empty one. A click on something
//! computed looks at it, on something later runs to it; a click on the dot sets a breakpoint.

use egui::{Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use super::command::Command;
use super::icons::Icon;
use super::picture::Scene;
use super::spot::Spot;
use super::theme::{Palette, Role, Type, space};
use super::walk;
use crate::trace::debug::{Breakpoint, Next};
use crate::trace::{Address, BlockHook, Hook, Place, Stage, View};

/// Height of a row where there is room, and the least.
const ROW: std::ops::RangeInclusive<f32> = 20.5..=23.5;

/// The views, with the hue of each.
const VIEWS: [(View, Role); 6] = [
    (View::Residual, Role::Residual),
    (View::KvCache, Role::Cache),
    (View::Timeline, Role::Logits),
    (View::Weights, Role::Residual),
    (View::Experiments, Role::Mlp),
    (View::Compare, Role::Attention),
];

/// A row of the rail.
struct Row {
    spot: Spot,
    name: String,
    role: Role,
    depth: u8,
    /// Of a block: whether its parts are shown.
    is_open: Option<bool>,
    is_view: bool,
}

/// Draws the rail.
pub fn rail_ui(ui: &mut Ui, scene: &mut Scene<'_>, breakpoints: &[Breakpoint]) {
    ui.spacing_mut().item_spacing.y = 0.0;
    let (pass, views) = (pass_rows(scene), view_rows());
    // Everything in sight, if it fits with rows a little lower.
    let n_rows = (pass.len() + views.len()) as f32;
    let room = ui.available_height() - 2.0 * HEADING - space::TINY;
    let height = (room / n_rows).clamp(*ROW.start(), *ROW.end());
    egui::ScrollArea::vertical()
        .auto_shrink([false, false])
        .show(ui, |ui| {
            heading_ui(ui, "The pass");
            for row in pass {
                row_ui(ui, scene, &row, height, breakpoints);
            }
            heading_ui(ui, "Views");
            for row in views {
                row_ui(ui, scene, &row, height, breakpoints);
            }
            ui.add_space(space::TINY);
        });
}

fn view_rows() -> Vec<Row> {
    let row = |(view, role): (View, Role)| {
        let place = Place::View(view);
        Row {
            spot: Spot::at(place, None),
            name: walk::name(place),
            role,
            depth: 0,
            is_open: None,
            is_view: true,
        }
    };
    VIEWS.into_iter().map(row).collect()
}

/// Height of a heading, with the space around it.
const HEADING: f32 = 32.0;

fn heading_ui(ui: &mut Ui, text: &str) {
    let palette = Palette::of(ui);
    let size = vec2(ui.available_width(), HEADING);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, text));
    let at = pos2(rect.left() + 14.0, rect.bottom() - 5.0);
    ui.painter().text(
        at,
        egui::Align2::LEFT_BOTTOM,
        text,
        Type::Caption.font(),
        palette.muted,
    );
}

fn pass_rows(scene: &Scene<'_>) -> Vec<Row> {
    let pass = scene.view.pass();
    let row = |place: Place, role: Role| Row {
        spot: Spot::at(place, Some(pass)),
        name: walk::name(place),
        role,
        depth: 0,
        is_open: None,
        is_view: false,
    };
    let mut rows = Vec::new();
    for view in [View::Text, View::Tokens] {
        let mut row = row(Place::View(view), Role::Residual);
        row.spot.address.pass = None;
        rows.push(row);
    }
    rows.push(row(Place::Stage(Stage::Embed), Role::Residual));
    rows.extend(block_rows(scene));
    rows.push(row(Place::Stage(Stage::FinalNorm), Role::Residual));
    rows.push(row(Place::Stage(Stage::Logits), Role::Logits));
    rows.push(row(Place::View(View::Sample), Role::Logits));
    rows.push(row(Place::View(View::Screen), Role::Residual));
    rows
}

fn block_rows(scene: &Scene<'_>) -> Vec<Row> {
    let (pass, n_layers) = (scene.view.pass(), scene.facts.n_layers);
    let unfolded = scene.view.unfolded.filter(|layer| *layer < n_layers);
    let mut rows = Vec::new();
    let mut layer = 0;
    while layer < n_layers {
        let is_open = unfolded == Some(layer);
        let last = folded_to(scene, layer, n_layers);
        let place = Place::Stage(Stage::Block(layer));
        rows.push(Row {
            spot: Spot::at(place, Some(pass)),
            name: match last > layer {
                true => format!("Blocks {layer} to {last}"),
                false => walk::name(place),
            },
            role: if is_open {
                Role::Attention
            } else {
                Role::Residual
            },
            depth: 0,
            is_open: Some(is_open),
            is_view: false,
        });
        if is_open {
            rows.extend(part_rows(scene, layer));
        }
        layer = last + 1;
    }
    rows
}

fn part_rows<'a>(scene: &'a Scene<'_>, layer: usize) -> impl Iterator<Item = Row> + 'a {
    let pass = scene.view.pass();
    walk::parts(scene.facts).map(move |(hook, name)| Row {
        spot: Spot::at(Place::Hook(Hook::Block(layer, hook)), Some(pass)),
        name: name.to_owned(),
        role: role_of(hook),
        depth: 1,
        is_open: None,
        is_view: false,
    })
}

/// The last block that shares a row with `layer`, the first of them.
///
/// A few blocks have a row each. Where there are many, or the parts of one need the room, those
/// that are not looked at and do not run next stand together.
fn folded_to(scene: &Scene<'_>, layer: usize, n_layers: usize) -> usize {
    const N_ROWS: usize = 8;
    let unfolded = scene.view.unfolded.filter(|layer| *layer < n_layers);
    if unfolded.is_none() && n_layers <= N_ROWS {
        return layer;
    }
    let runs_next = match scene.run.next {
        Next::Stage(Stage::Block(layer)) => Some(layer),
        _ => None,
    };
    let marked = [
        unfolded,
        scene.view.spot.layer(),
        runs_next,
        Some(scene.view.layer),
    ];
    let has_own_row = |layer: usize| {
        // The first blocks stay, as long as they are few.
        let is_early = unfolded.is_some_and(|open| layer < open && open <= 2);
        is_early || marked.contains(&Some(layer))
    };
    if has_own_row(layer) {
        return layer;
    }
    (layer..n_layers)
        .take_while(|layer| !has_own_row(*layer))
        .last()
        .unwrap_or(layer)
}

/// The hue of a block's part.
#[must_use]
pub fn role_of(hook: BlockHook) -> Role {
    match hook {
        BlockHook::Q => Role::Query,
        BlockHook::RotQ => Role::Key,
        BlockHook::Pattern => Role::Attention,
        BlockHook::Z => Role::Value,
        BlockHook::Post => Role::Mlp,
        _ => Role::Residual,
    }
}

fn row_ui(ui: &mut Ui, scene: &mut Scene<'_>, row: &Row, height: f32, breakpoints: &[Breakpoint]) {
    let palette = Palette::of(ui);
    let size = vec2(ui.available_width(), height);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let (is_computed, is_shown) = (has_begun(scene, row), is_shown(scene, row));
    let state = if is_computed {
        ""
    } else {
        ", not computed yet"
    };
    response.widget_info(|| {
        let label = format!("{}{state}", row.name);
        WidgetInfo::selected(egui::Role::Button, true, is_shown, label)
    });
    if !ui.is_rect_visible(rect) {
        return;
    }
    let fill = match (is_shown, response.hovered() || response.has_focus()) {
        (true, _) => Some(palette.chosen),
        (false, true) => Some(palette.sunk),
        (false, false) => None,
    };
    if let Some(fill) = fill {
        ui.painter().rect_filled(rect, 0.0, fill);
    }
    let indent = 18.0 + 16.0 * f32::from(row.depth);
    let dot = pos2(rect.left() + indent, rect.center().y);
    dot_ui(ui, scene, row, dot, is_shown, breakpoints);
    let colour = match is_computed {
        true => palette.text,
        false => palette.muted.lerp_to_gamma(palette.faint, 0.6),
    };
    let font = if is_shown { Type::Strong } else { Type::Body };
    let at = pos2(dot.x + 15.0, dot.y);
    ui.painter().text(
        at,
        egui::Align2::LEFT_CENTER,
        &row.name,
        font.font(),
        colour,
    );
    if let Some(is_open) = row.is_open {
        let area = Rect::from_center_size(pos2(rect.right() - 15.0, dot.y), vec2(8.0, 8.0));
        let icon = if is_open { Icon::Down } else { Icon::Right };
        if is_open || response.hovered() {
            icon.paint(ui.painter(), area, palette.faint);
        }
    }
    let response = response.on_hover_cursor(egui::CursorIcon::PointingHand);
    if response.clicked() {
        scene.send(Command::Go(row.spot.clone()));
    }
    if response.secondary_clicked() && !row.is_view {
        toggle(scene, &row.spot, breakpoints);
    }
    response.on_hover_text_at_pointer(told(row, is_computed));
}

/// Whether what the row names is computed; of a block that is open, whether it has begun.
fn has_begun(scene: &Scene<'_>, row: &Row) -> bool {
    let begins = match (row.is_open, row.spot.layer()) {
        (Some(true), Some(layer)) => {
            let first = Place::Hook(Hook::Block(layer, BlockHook::Ln1));
            scene.is_computed(&Spot::at(first, Some(row.spot.pass())))
        }
        _ => false,
    };
    begins || scene.is_computed(&row.spot)
}

/// Whether this row is what the picture shows.
fn is_shown(scene: &Scene<'_>, row: &Row) -> bool {
    let (shown, own) = (scene.view.spot.address.place, row.spot.address.place);
    if shown == own {
        return true;
    }
    // A value inside a block belongs to the part that computes it.
    match (shown, own) {
        (Place::Hook(Hook::Block(layer, _)), Place::Hook(Hook::Block(other, _))) => {
            layer == other && walk::name(shown) == row.name
        }
        (Place::Hook(hook), Place::Stage(stage)) => {
            !matches!(hook, Hook::Block(..)) && hook.stage() == stage
        }
        _ => false,
    }
}

/// The dot before a row: filled when computed, a square for views, a ring around the current one;
/// a click on it sets a breakpoint.
fn dot_ui(
    ui: &Ui,
    scene: &mut Scene<'_>,
    row: &Row,
    at: egui::Pos2,
    is_shown: bool,
    breakpoints: &[Breakpoint],
) {
    let palette = Palette::of(ui);
    let hue = palette.role(row.role);
    let painter = ui.painter();
    if is_shown {
        painter.circle_filled(at, 7.5, hue.gamma_multiply(0.35));
    }
    if row.is_view {
        let square = Rect::from_center_size(at, vec2(9.0, 9.0));
        painter.rect_filled(square, 2.5, hue);
        return;
    }
    let target = Rect::from_center_size(at, vec2(22.0, *ROW.start()));
    let response = ui.interact(
        target,
        ui.scope_id().with(("break", row.spot.to_string())),
        Sense::click(),
    );
    let label = format!("breakpoint at {}", row.name);
    let is_set = breakpoint_at(&row.spot, breakpoints).is_some();
    response.widget_info(|| WidgetInfo::selected(egui::Role::CheckBox, true, is_set, &label));
    match has_begun(scene, row) {
        true => painter.circle_filled(at, 4.5, hue),
        false => painter.circle_stroke(at, 4.0, egui::Stroke::new(1.2, palette.faint)),
    };
    if is_set {
        // Around the dot, which still says what is computed.
        painter.circle_stroke(at, 7.0, egui::Stroke::new(2.5, palette.bad));
    } else if response.hovered() {
        painter.circle_stroke(at, 6.5, egui::Stroke::new(1.5, palette.bad));
    }
    if response
        .on_hover_text("Stop here when stepping on")
        .clicked()
    {
        toggle(scene, &row.spot, breakpoints);
    }
}

/// Where a breakpoint on this row would stand: in every pass.
fn break_address(spot: &Spot) -> Address {
    Address::at(match spot.address.place {
        Place::Hook(hook) => Place::Stage(hook.stage()),
        place => place,
    })
}

fn breakpoint_at(spot: &Spot, breakpoints: &[Breakpoint]) -> Option<usize> {
    let address = break_address(spot);
    breakpoints
        .iter()
        .position(|breakpoint| breakpoint.address.place == address.place)
}

fn toggle(scene: &mut Scene<'_>, spot: &Spot, breakpoints: &[Breakpoint]) {
    let mut changed = breakpoints.to_vec();
    match breakpoint_at(spot, breakpoints) {
        Some(at) => {
            changed.remove(at);
        }
        None => changed.push(Breakpoint {
            address: break_address(spot),
            when: None,
        }),
    }
    scene.send(Command::Breakpoints(changed));
}

fn told(row: &Row, is_computed: bool) -> String {
    let click = match (is_computed, row.is_view) {
        (_, true) | (true, _) => "click to look",
        (false, false) => "click to run to it",
    };
    format!("{} · {click}", row.spot.address)
}
