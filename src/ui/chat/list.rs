//! The list of conversations: new ones, the way to each, and what can be done with one.

use egui::{
    Popup, PopupCloseBehavior, Rect, ScrollArea, Sense, TextEdit, Ui, WidgetInfo, pos2, vec2,
};

use super::{ChatCommand, ChatState, Undo, row_menu};
use crate::chat::{Hit, Summary};
use crate::ui::controls::{Button, caption, focus_ring, name_field, quiet_button, tile};
use crate::ui::icons::Icon;
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Type, corner, space};

/// What the list remembers.
#[derive(Debug, Default)]
pub struct ListPage {
    /// What is looked for.
    pub(super) search: String,
    /// The conversation being renamed, with its title so far.
    pub(super) renaming: Option<(String, String)>,
    /// Where an export goes, or an import comes from.
    pub(super) path: String,
}

/// Draws the list.
pub(super) fn list_ui(ui: &mut Ui, scene: &mut Scene<'_>, page: &mut ListPage) {
    new_ui(ui, scene);
    search_ui(ui, scene, page);
    ui.add_space(space::TINY);
    let footer = 34.0 + if scene.chat.undo.is_some() { 34.0 } else { 0.0 };
    ScrollArea::vertical()
        .auto_shrink(false)
        .max_height(ui.available_height() - footer)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            let chat = scene.chat;
            match &chat.found {
                Some(found) => found_ui(ui, scene, page, &found.hits),
                None => groups_ui(ui, scene, page, chat),
            }
        });
    undo_ui(ui, scene);
    let import = ui
        .horizontal(|ui| {
            let mut trial = Button::new("Side by side");
            trial.is_on = scene.chat.shows_trial;
            if trial.show(ui, 26.0).clicked() {
                scene.tell_chat(ChatCommand::Trial(!scene.chat.shows_trial));
            }
            Button::new("Import …").show(ui, 26.0)
        })
        .inner;
    Popup::menu(&import)
        .accessible_name("Import")
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| row_menu::import_ui(ui, scene, page));
}

fn new_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let palette = Palette::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 32.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, "New chat"));
    tile(ui, rect, corner::BUTTON, false, response.hovered());
    let painter = ui.painter();
    let at = |x: f32| pos2(x, rect.center().y);
    let left = egui::Align2::LEFT_CENTER;
    painter.text(
        at(rect.left() + 12.0),
        left,
        "New chat",
        Type::Label.font(),
        palette.text,
    );
    let right = egui::Align2::RIGHT_CENTER;
    painter.text(
        at(rect.right() - 12.0),
        right,
        "Ctrl N",
        Type::MonoSmall.font(),
        palette.muted,
    );
    focus_ring(ui, &response, rect);
    if response
        .on_hover_cursor(egui::CursorIcon::PointingHand)
        .clicked()
    {
        scene.tell_chat(ChatCommand::New);
    }
}

fn search_ui(ui: &mut Ui, scene: &mut Scene<'_>, page: &mut ListPage) {
    let hint = Type::Body.text("Search", Palette::of(ui).muted);
    let field = TextEdit::singleline(&mut page.search)
        .align(egui::Align2::LEFT_CENTER)
        .hint_text(hint)
        .desired_width(f32::INFINITY);
    let field = ui.add(field);
    name_field(&field, &page.search, "Search the conversations");
    if field.changed() {
        scene.tell_chat(ChatCommand::Search(page.search.clone()));
    }
}

/// Pinned ones, then by the day something was last said.
fn groups_ui(ui: &mut Ui, scene: &mut Scene<'_>, page: &mut ListPage, chat: &ChatState) {
    let days = Days::now();
    let mut heading = "";
    for summary in &chat.list {
        let own = match summary.is_pinned {
            true => "Pinned",
            false => days.name(&summary.changed),
        };
        if own != heading {
            ui.add_space(space::SMALL);
            caption(ui, own);
            heading = own;
        }
        row_ui(ui, scene, page, summary);
    }
    if chat.list.is_empty() {
        let told = "Conversations are kept here, each in a file of its own.";
        ui.add_space(space::SMALL);
        ui.label(Type::Small.text(told, Palette::of(ui).muted));
    }
}

fn found_ui(ui: &mut Ui, scene: &mut Scene<'_>, page: &mut ListPage, hits: &[Hit]) {
    ui.add_space(space::SMALL);
    caption(
        ui,
        &match hits.len() {
            0 => "Nothing was found".to_owned(),
            1 => "1 conversation".to_owned(),
            n => format!("{n} conversations"),
        },
    );
    for hit in hits {
        row_ui(ui, scene, page, &hit.summary);
        let Some(message) = hit.message else {
            continue;
        };
        let excerpt = Type::Small.text(&hit.excerpt, Palette::of(ui).muted);
        let told = ui.add(egui::Label::new(excerpt).wrap().sense(Sense::click()));
        if told
            .on_hover_cursor(egui::CursorIcon::PointingHand)
            .clicked()
        {
            scene.tell_chat(ChatCommand::OpenAt(hit.summary.id.clone(), message));
        }
        ui.add_space(space::TINY);
    }
}

fn row_ui(ui: &mut Ui, scene: &mut Scene<'_>, page: &mut ListPage, summary: &Summary) {
    if row_menu::renaming_ui(ui, scene, page, summary) {
        return;
    }
    let palette = Palette::of(ui);
    let is_open = scene.chat.id() == Some(summary.id.as_str());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 30.0), Sense::click());
    let title = match summary.title.as_str() {
        "" => "Untitled",
        title => title,
    };
    response.widget_info(|| {
        WidgetInfo::selected(
            egui::Role::Button,
            true,
            is_open,
            format!("conversation: {title}"),
        )
    });
    let has_menu = is_open || ui.rect_contains_pointer(rect);
    if has_menu {
        let fill = if is_open { palette.line } else { palette.sunk };
        ui.painter().rect_filled(rect, corner::SMALL, fill);
    }
    focus_ring(ui, &response, rect);
    let font = if is_open { Type::Strong } else { Type::Body };
    let right = rect.right() - if has_menu { 30.0 } else { 8.0 };
    let room = Rect::from_min_max(rect.min + vec2(10.0, 0.0), pos2(right, rect.bottom()));
    let mut inner = ui.new_child(
        egui::UiBuilder::new()
            .max_rect(room)
            .layout(egui::Layout::left_to_right(egui::Align::Center)),
    );
    let text = font.text(title, palette.text);
    inner.add(egui::Label::new(text).truncate().selectable(false));
    if has_menu {
        menu_ui(ui, scene, page, summary, rect);
    }
    let response = response.on_hover_cursor(egui::CursorIcon::PointingHand);
    if response.clicked() && !is_open {
        scene.tell_chat(ChatCommand::Open(summary.id.clone()));
    }
}

/// The three dots at the end of a row, with what can be done.
fn menu_ui(ui: &mut Ui, scene: &mut Scene<'_>, page: &mut ListPage, summary: &Summary, row: Rect) {
    let place = Rect::from_min_max(
        pos2(row.right() - 28.0, row.top() + 3.0),
        row.max - vec2(3.0, 3.0),
    );
    let id = ui.scope_id().with(("conversation-menu", &summary.id));
    let dots = ui.interact(place, id, Sense::click());
    let name = format!("What to do with {}", summary.title);
    dots.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, &name));
    let palette = Palette::of(ui);
    let colour = if dots.hovered() {
        palette.text
    } else {
        palette.muted
    };
    let area = Rect::from_center_size(place.center(), vec2(13.0, 13.0));
    Icon::More.paint(ui.painter(), area, colour);
    focus_ring(ui, &dots, place);
    Popup::menu(&dots)
        .accessible_name(name)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| row_menu::menu_ui(ui, scene, page, summary));
}

/// What was removed, and the way back.
fn undo_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let Some(undo) = &scene.chat.undo else {
        return;
    };
    let text = match undo {
        Undo::Conversation(_, title) => format!("Removed: {title}"),
        Undo::Message(_) => "A message was removed".to_owned(),
    };
    ui.horizontal(|ui| {
        if Button::new("Undo").show(ui, 26.0).clicked() {
            scene.tell_chat(ChatCommand::Undo);
        }
        let told = "Let it go";
        if quiet_button(ui, "×", told, true).clicked() {
            scene.tell_chat(ChatCommand::DismissUndo);
        }
        let text = Type::Small.text(text, Palette::of(ui).muted);
        ui.add(egui::Label::new(text).truncate());
    });
}

/// The days that have a name of their own.
struct Days {
    today: jiff::civil::Date,
}

impl Days {
    fn now() -> Self {
        Self {
            today: jiff::Zoned::now().date(),
        }
    }

    /// What the day of a moment is called, written as RFC 3339 has it.
    fn name(&self, time: &str) -> &'static str {
        let moment: Option<jiff::Timestamp> = time.parse().ok();
        let day = moment.map(|moment| moment.to_zoned(jiff::tz::TimeZone::system()).date());
        let ago = day.and_then(|day| self.today.since(day).ok());
        match ago.map(|ago| ago.get_days()) {
            Some(..=0) => "Today",
            Some(1) => "Yesterday",
            Some(2..=7) => "This week",
            _ => "Earlier",
        }
    }
}
