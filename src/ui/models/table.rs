//! The table of models: one row each, what it needs as a bar against what the machine has.

use egui::text::{LayoutJob, TextWrapping};
use egui::{
    Align, Color32, Layout, Rect, ScrollArea, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};

use super::{Draft, Entry, Search, ShelfCommand, status};
use crate::hub::message::{Fit, ModelPlace};
use crate::trace::units;
use crate::ui::command::Command;
use crate::ui::controls::{caption, focus_ring, format, text_button};
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Role, Type, corner, mix, space};

/// Height of a row.
const ROW: f32 = 52.0;

/// Where the columns stand, from the left edge of a row.
#[derive(Debug, Clone, Copy)]
struct Columns {
    /// Left and right end of each; `None` where there is no room for it.
    name: [f32; 2],
    model: [f32; 2],
    parameters: Option<[f32; 2]>,
    bits: Option<[f32; 2]>,
    size: [f32; 2],
    bar: Option<[f32; 2]>,
    status: [f32; 2],
}

impl Columns {
    /// What gives way first is what the details tell too.
    fn of(width: f32) -> Self {
        let (name, size, status) = (124.0, 78.0, 206.0);
        // Whose repository it is, is to be read whole.
        let mut free = width - name - size - status - 214.0;
        let mut take = |wanted: f32| {
            let has_room = free >= wanted;
            free -= if has_room { wanted } else { 0.0 };
            has_room
        };
        let (has_bar, has_parameters, has_bits) = (take(132.0), take(76.0), take(58.0));
        // In a wide window a longer bar tells more than a gap after the names.
        let longer = if has_bar {
            (free - 260.0).clamp(0.0, 300.0)
        } else {
            0.0
        };
        let mut right = width;
        let mut column = |width: f32, gap: f32| {
            right -= width;
            [right, right + width - gap]
        };
        let status = column(status, 0.0);
        let bar = has_bar.then(|| column(132.0 + longer, 14.0));
        let size = column(size, 10.0);
        let bits = has_bits.then(|| column(58.0, 8.0));
        let parameters = has_parameters.then(|| column(76.0, 8.0));
        Self {
            name: [0.0, name - 8.0],
            model: [name, right - 12.0],
            parameters,
            bits,
            size,
            bar,
            status,
        }
    }
}

/// Draws the table: what the program has and knows by name, then what else there is.
pub(super) fn table_ui(ui: &mut Ui, scene: &mut Scene<'_>, draft: &mut Draft) {
    let palette = Palette::of(ui);
    if scene.shelf.list.is_none() {
        ui.label(Type::Body.text("Looking at what is here …", palette.muted));
        return;
    }
    let text = draft.find.trim().to_lowercase();
    let entries: Vec<Entry> = scene.shelf.rows().map(Entry::of_row).collect();
    let shown = entries.into_iter().filter(|entry| entry.matches(&text));
    let (own, known): (Vec<Entry>, Vec<Entry>) = shown.partition(|entry| entry.is_own);
    let is_other = |entry: &Entry| entry.id.as_deref() == Some(&*entry.key);
    let (others, named): (Vec<Entry>, Vec<Entry>) = known.into_iter().partition(is_other);
    let area = ScrollArea::vertical().auto_shrink(false);
    area.show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let columns = Columns::of(ui.available_width() - 6.0);
        let section = |ui: &mut Ui,
                       scene: &mut Scene<'_>,
                       draft: &mut Draft,
                       title: &str,
                       entries: &[Entry]| {
            if !title.is_empty() && !entries.is_empty() {
                ui.add_space(space::LARGE);
                caption(ui, title);
                ui.add_space(space::TINY);
            }
            for entry in entries {
                row_ui(ui, scene, draft, entry, columns);
            }
        };
        header_ui(ui, columns);
        section(ui, scene, draft, "", &named);
        section(ui, scene, draft, "Your own names", &own);
        section(ui, scene, draft, "Also in the cache", &others);
        let found = found(scene);
        search_ui(ui, scene, draft, found.is_empty());
        section(ui, scene, draft, "", &found);
        ui.add_space(space::LARGE);
    });
}

/// What the columns tell.
fn header_ui(ui: &mut Ui, columns: Columns) {
    let palette = Palette::of(ui);
    let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), 22.0), Sense::hover());
    let titles = [
        (Some(columns.model), "model"),
        (columns.parameters, "parameters"),
        (columns.bits, "weights"),
        (Some(columns.size), "size"),
        (columns.bar, "memory it needs here"),
    ];
    for (place, title) in titles {
        if let Some(place) = place {
            let y = row.center().y - 2.0;
            text(ui, column(row, place), y, title, Type::Small, palette.muted);
        }
    }
}

/// What was found beyond the list.
fn found(scene: &Scene<'_>) -> Vec<Entry> {
    let Search::Found { here, models, .. } = &scene.shelf.search else {
        return Vec::new();
    };
    let is_listed = |entry: &Entry| {
        let is_it = |row| Entry::of_row(row).key == entry.key;
        let has_id = |row: &crate::hub::message::ModelRow| row.id.is_some() && row.id == entry.id;
        scene.shelf.rows().any(|row| is_it(row) || has_id(row))
    };
    let here = here.iter().map(|row| Entry::of_row(row));
    let entries = here.chain(models.iter().map(Entry::of_found));
    entries.filter(|entry| !is_listed(entry)).collect()
}

/// What became of the question for more.
fn search_ui(ui: &mut Ui, scene: &mut Scene<'_>, draft: &mut Draft, finds_nothing: bool) {
    let palette = Palette::of(ui);
    let told = match &scene.shelf.search {
        Search::None => return,
        Search::Waiting(text) => (format!("Looking for {text} …"), palette.muted),
        Search::Found { text, .. } if finds_nothing => {
            let told = format!("Nothing else in MLX format has {text} in its name.");
            (told, palette.muted)
        }
        Search::Found { text, .. } => (format!("Found for {text}"), palette.muted),
        Search::Failed { why, .. } => (sentence(why), palette.bad),
    };
    ui.add_space(space::LARGE);
    ui.add(egui::Label::new(Type::Body.text(told.0, told.1)).wrap());
    ui.add_space(space::TINY);
    if text_button(ui, "Close what was found").clicked() {
        draft.find.clear();
        scene.send(Command::Shelf(ShelfCommand::Unfind));
    }
    ui.add_space(space::SMALL);
}

/// `why` with a capital at its beginning.
pub(super) fn sentence(why: &str) -> String {
    let mut letters = why.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), letters.as_str())
}

fn row_ui(ui: &mut Ui, scene: &mut Scene<'_>, draft: &mut Draft, entry: &Entry, columns: Columns) {
    let palette = Palette::of(ui);
    let size = vec2(ui.available_width(), ROW);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let is_chosen = super::side::chosen_key(scene).is_some_and(|key| key == entry.key);
    let name = format!("model {}", entry.key);
    response.widget_info(|| WidgetInfo::selected(egui::Role::ListItem, true, is_chosen, &name));
    if response.clicked() {
        draft.asks = None;
        scene.send(Command::Shelf(ShelfCommand::Choose(entry.key.clone())));
    }
    if !ui.is_rect_visible(rect) {
        return;
    }
    if is_chosen || response.hovered() {
        let share = if is_chosen { 1.0 } else { 0.5 };
        let fill = mix(palette.background, palette.sunk, share);
        let ground = rect.expand2(vec2(8.0, 0.0)).intersect(ui.clip_rect());
        ui.painter().rect_filled(ground, corner::SMALL, fill);
    }
    ui.painter()
        .hline(rect.x_range(), rect.top(), palette.hairline());
    focus_ring(ui, &response, rect.shrink(2.0));
    names_ui(ui, rect, entry, columns);
    figures_ui(ui, rect, scene, entry, columns);
    let place = column(rect, columns.status);
    let layout = Layout::right_to_left(Align::Center);
    let mut cell = ui.new_child(UiBuilder::new().max_rect(place).layout(layout));
    status::status_ui(&mut cell, scene, draft, entry);
    if let Some(download) = entry
        .id
        .as_ref()
        .and_then(|id| scene.shelf.downloads.get(id))
        && download.is_under_way()
    {
        let line = Rect::from_min_size(
            pos2(place.left(), rect.bottom() - 7.0),
            vec2(place.width(), 4.0),
        );
        bar(ui, line, download.share(), palette.text);
    }
}

fn column(row: Rect, [left, right]: [f32; 2]) -> Rect {
    Rect::from_x_y_ranges(row.left() + left..=row.left() + right, row.y_range())
}

/// What it is called, and which model that is.
fn names_ui(ui: &Ui, row: Rect, entry: &Entry, columns: Columns) {
    let palette = Palette::of(ui);
    let middle = row.center().y;
    let is_named = entry.id.as_deref() != Some(&*entry.key);
    let colour = match entry.cannot_run {
        Some(_) => palette.muted,
        None => palette.text,
    };
    let both = [columns.name[0], columns.model[1]];
    if !is_named || entry.id.is_none() && entry.place != ModelPlace::Embedded {
        let (name, below) = entry.repository().unwrap_or((&entry.key, "a folder"));
        let below = match entry.what.is_empty() {
            true => below.to_owned(),
            false => format!("{below} · {}", entry.what),
        };
        text(
            ui,
            column(row, both),
            middle - 9.0,
            name,
            Type::Strong,
            colour,
        );
        text(
            ui,
            column(row, both),
            middle + 9.0,
            &below,
            Type::Small,
            palette.muted,
        );
        return;
    }
    text(
        ui,
        column(row, columns.name),
        middle,
        &entry.key,
        Type::Strong,
        colour,
    );
    let model = column(row, columns.model);
    let (name, below) = match entry.repository() {
        Some((name, _)) => (name, entry.what.as_str()),
        None => ("built in", ""),
    };
    let is_alone = below.is_empty();
    let at = if is_alone { middle } else { middle - 9.0 };
    text(ui, model, at, name, Type::Body, palette.muted);
    if !is_alone {
        text(ui, model, middle + 9.0, below, Type::Small, palette.muted);
    }
}

/// Parameters, bits, size, and the memory as a bar.
fn figures_ui(ui: &Ui, row: Rect, scene: &Scene<'_>, entry: &Entry, columns: Columns) {
    let palette = Palette::of(ui);
    let number = |place: [f32; 2], shown: &str| {
        let at = row.center().y;
        text(ui, column(row, place), at, shown, Type::Mono, palette.text);
    };
    if let (Some(place), Some(n)) = (columns.parameters, entry.parameters) {
        number(place, &units::parameters_short(n));
    }
    if let (Some(place), Some(bits)) = (columns.bits, entry.bits) {
        number(place, &format!("{bits}-bit"));
    }
    if entry.bytes > 0 {
        number(columns.size, &units::bytes(entry.bytes));
    }
    let memory = scene.shelf.list.as_ref();
    let memory = memory.and_then(|list| list.memory_bytes.or(list.free_memory_bytes));
    if let (Some(place), Some(need), Some(all)) = (columns.bar, entry.need(), memory) {
        let place = column(row, place);
        let line = Rect::from_center_size(place.center(), vec2(place.width(), 7.0));
        bar(
            ui,
            line,
            need as f32 / all.max(1) as f32,
            fit_colour(palette, entry.fit),
        );
    }
}

/// The colour of what fits, will be tight, or does not fit.
pub(super) fn fit_colour(palette: &Palette, fit: Fit) -> Color32 {
    match fit {
        Fit::Fits | Fit::Unknown => palette.role(Role::Residual),
        Fit::Tight => palette.role(Role::Logits),
        Fit::TooLarge => palette.bad,
    }
}

/// A bar in its groove.
pub(super) fn bar(ui: &Ui, rect: Rect, share: f32, colour: Color32) {
    let palette = Palette::of(ui);
    let rounding = rect.height() / 2.0;
    ui.painter().rect_filled(rect, rounding, palette.line);
    // Something that is there is seen, however little it is.
    let width = (rect.width() * share.clamp(0.0, 1.0)).max(if share > 0.0 { 1.5 } else { 0.0 });
    let filled = Rect::from_min_size(rect.min, vec2(width, rect.height()));
    ui.painter()
        .rect_filled(filled, rounding.min(width / 2.0), colour);
}

/// A line of text around the height `y`, cut off with an ellipsis where the room ends.
fn text(ui: &Ui, room: Rect, y: f32, text: &str, font: Type, colour: Color32) {
    let mut job = LayoutJob::default();
    job.append(text, 0.0, format(font, colour));
    job.wrap = TextWrapping::truncate_at_width(room.width());
    let galley = ui.painter().layout_job(job);
    let at = pos2(room.left(), y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, colour);
}
