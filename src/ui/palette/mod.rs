//! The palette: whatever has a name, found by a few letters and reached without the mouse.

mod entries;
mod fuzzy;
mod terms;

use std::sync::Arc;

use egui::{Id, Key, Modifiers, Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use super::command::Command;
use super::models::ShelfCommand;
use super::picture::Scene;
use super::theme::{Palette, Type, corner, space};
use super::view_line::ViewLine;

pub use entries::{Entry, Kind, READERS, Reader};
pub use fuzzy::fit;

/// Most entries that are listed; who wants another types a letter more.
const N_LISTED: usize = 60;
/// How much better than another entry a word of the glossary must fit to stand before it.
const TERMS_AFTER: i32 = 100;
/// Height of an entry.
const ROW: f32 = 30.0;

/// What the palette remembers while it is open.
#[derive(Clone, Default)]
struct Open {
    typed: String,
    /// What `listed` was found for; `None` before the first time.
    found_for: Option<String>,
    all: Arc<Vec<Entry>>,
    listed: Arc<Vec<Entry>>,
    chosen: usize,
    /// What is wrong with the typed text, if it is a view.
    fault: Option<String>,
    /// Whether the list of models was there when `all` was made.
    has_models: bool,
}

/// Forgets what was typed, once the palette is closed.
pub fn forget(ctx: &egui::Context) {
    ctx.data_mut(|data| {
        data.remove::<Open>(Id::unique("palette"));
    });
}

/// Draws the palette in its sheet.
pub fn palette_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let id = Id::unique("palette");
    let mut open: Open = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    ui.set_width(620.0_f32.min(ui.ctx().content_rect().width() - 80.0));
    ui.spacing_mut().item_spacing.y = 0.0;
    let is_chosen = keys(ui, &mut open);
    let field = egui::TextEdit::singleline(&mut open.typed)
        .hint_text("A command, a place, a model, a conversation, a term, or an address")
        .margin(vec2(12.0, 8.0))
        .desired_width(f32::INFINITY);
    let field = ui.add(field);
    field.widget_info(|| WidgetInfo {
        label: Some("Find anything".to_owned()),
        ..WidgetInfo::text_edit(true, &open.typed, &open.typed, "")
    });
    field.request_focus();
    if scene.shelf.is_new() {
        let n_positions = scene.shelf.n_positions;
        scene.send(Command::Shelf(ShelfCommand::List(n_positions)));
    }
    find(&mut open, scene);
    ui.add_space(space::SMALL);
    let clicked = list_ui(ui, &mut open);
    let entry = match is_chosen || clicked {
        true => open.listed.get(open.chosen).cloned(),
        false => None,
    };
    match entry {
        Some(entry) => {
            // Closed first: an entry may open another sheet.
            scene.send(Command::Overlay(None));
            scene.commands.extend(entry.commands);
        }
        None if ui.input(|input| input.key_pressed(Key::Escape)) => {
            scene.send(Command::Overlay(None));
        }
        None => ui.data_mut(|data| {
            data.insert_temp(id, open);
        }),
    }
}

/// The keys that move the choice. Returns whether Enter chose.
fn keys(ui: &Ui, open: &mut Open) -> bool {
    let last = open.listed.len().saturating_sub(1);
    ui.input_mut(|input| {
        let mut pressed = |key| input.consume_key(Modifiers::NONE, key);
        if pressed(Key::ArrowDown) {
            open.chosen = if open.chosen >= last {
                0
            } else {
                open.chosen + 1
            };
        }
        if pressed(Key::ArrowUp) {
            open.chosen = open.chosen.checked_sub(1).unwrap_or(last);
        }
        if pressed(Key::PageDown) {
            open.chosen = (open.chosen + 8).min(last);
        }
        if pressed(Key::PageUp) {
            open.chosen = open.chosen.saturating_sub(8);
        }
        pressed(Key::Enter)
    })
}

/// Lists what fits the typed text, the best first.
fn find(open: &mut Open, scene: &Scene<'_>) {
    let models_came = !open.has_models && scene.shelf.list.is_some();
    if open.found_for.is_none() || models_came {
        open.has_models = scene.shelf.list.is_some();
        open.found_for = None;
        open.all = Arc::new(entries::all(scene));
    }
    if open.found_for.as_ref() == Some(&open.typed) {
        return;
    }
    let typed = open.typed.trim();
    let mut listed: Vec<Entry> = READERS.iter().flat_map(|read| read(typed, scene)).collect();
    // Of two that fit alike, a place to go to comes before a word to read about.
    let after = |entry: &Entry| i32::from(entry.kind == Kind::Term) * TERMS_AFTER;
    let fits = |entry: &Entry| Some(fit(typed, &entry.text())? - after(entry));
    let mut found: Vec<(i32, &Entry)> = open
        .all
        .iter()
        .filter_map(|entry| Some((fits(entry)?, entry)))
        .collect();
    if !typed.is_empty() {
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    }
    let is_listed = |listed: &[Entry], entry: &Entry| {
        let is_same = |other: &Entry| other.commands == entry.commands;
        listed.iter().any(is_same)
    };
    for (_, entry) in found {
        if listed.len() >= N_LISTED {
            break;
        }
        if !is_listed(&listed, entry) {
            listed.push(entry.clone());
        }
    }
    // Who types name=value means a view.
    let view = typed.contains('=').then(|| typed.parse::<ViewLine>());
    open.fault = view.and_then(|view| Some(view.err()?.to_string()));
    open.listed = Arc::new(listed);
    open.found_for = Some(open.typed.clone());
    open.chosen = 0;
}

/// Draws the list. Returns whether an entry was clicked; it is the chosen one then.
fn list_ui(ui: &mut Ui, open: &mut Open) -> bool {
    let palette = Palette::of(ui);
    let height = (ui.ctx().content_rect().height() - 220.0).clamp(120.0, 12.0 * ROW);
    ui.set_min_height(height + 24.0);
    if let Some(fault) = &open.fault {
        ui.add(egui::Label::new(Type::Body.text(fault, palette.bad)).wrap());
        ui.add_space(space::SMALL);
    }
    if open.listed.is_empty() && open.fault.is_some() {
        return false;
    }
    if open.listed.is_empty() {
        let text = "Nothing is called so. Try fewer letters.";
        ui.label(Type::Body.text(text, palette.muted));
        return false;
    }
    let listed = Arc::clone(&open.listed);
    let mut clicked = false;
    let list = egui::ScrollArea::vertical().max_height(height);
    list.auto_shrink([false, true]).show(ui, |ui| {
        for (number, entry) in listed.iter().enumerate() {
            let response = row_ui(ui, entry, number == open.chosen);
            if number == open.chosen {
                ui.scroll_to_rect(response.rect, None);
            }
            // The pointer chooses when it moves, not where it happens to lie.
            let moves = ui.input(|input| input.pointer.is_moving());
            if response.hovered() && moves {
                open.chosen = number;
            }
            if response.clicked() {
                open.chosen = number;
                clicked = true;
            }
        }
    });
    ui.add_space(space::SMALL);
    let told = "↑ ↓ choose   ⏎ go   Esc close";
    ui.label(Type::MonoSmall.text(told, palette.muted));
    clicked
}

fn row_ui(ui: &mut Ui, entry: &Entry, is_chosen: bool) -> egui::Response {
    let palette = Palette::of(ui);
    let size = vec2(ui.available_width(), ROW);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| {
        let name = format!("{}: {}", entry.kind.name(), entry.title);
        WidgetInfo::selected(egui::Role::ListItem, true, is_chosen, name)
    });
    if !ui.is_rect_visible(rect) {
        return response;
    }
    if is_chosen {
        ui.painter()
            .rect_filled(rect, corner::SMALL, palette.chosen);
    }
    let line = rect.shrink2(vec2(10.0, 0.0));
    let right = right_ui(ui, line, entry);
    let title = ui.painter().layout_no_wrap(
        entry.title.clone(),
        if is_chosen { Type::Strong } else { Type::Body }.font(),
        palette.text,
    );
    let width = title.size().x;
    let left = Rect::from_min_max(line.min, pos2(right - space::MEDIUM, line.max.y));
    let painter = ui.painter().with_clip_rect(left.intersect(ui.clip_rect()));
    let at = |height: f32, x: f32| pos2(x, rect.center().y - height / 2.0);
    painter.galley(at(title.size().y, line.left()), title, palette.text);
    let detail =
        painter.layout_no_wrap(entry.detail.clone(), Type::MonoSmall.font(), palette.muted);
    let x = line.left() + width + space::MEDIUM;
    painter.galley(at(detail.size().y, x), detail, palette.muted);
    response
}

/// What it is and its key, at the right. Returns where they begin.
fn right_ui(ui: &Ui, line: Rect, entry: &Entry) -> f32 {
    let palette = Palette::of(ui);
    let mut right = line.right();
    let kind = (entry.kind.name(), Type::Small, palette.muted);
    let key = (entry.key, Type::MonoSmall, palette.text);
    for (text, font, colour) in [key, kind] {
        if text.is_empty() {
            continue;
        }
        let galley = ui
            .painter()
            .layout_no_wrap(text.to_owned(), font.font(), colour);
        right -= galley.size().x;
        let at = pos2(right, line.center().y - galley.size().y / 2.0);
        ui.painter().galley(at, galley, colour);
        right -= space::MEDIUM;
    }
    right
}
