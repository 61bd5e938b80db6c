//! The list of conversations.

use egui::{Rect, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use super::ChatCommand;
use crate::chat::Summary;
use crate::ui::controls::{Button, caption, focus_ring};
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Type, corner, space};

/// What the list remembers.
#[derive(Debug, Default)]
pub struct ListPage {}

/// Draws the list.
pub(super) fn list_ui(ui: &mut Ui, scene: &mut Scene<'_>, _page: &mut ListPage) {
    let mut new = Button::new("New chat");
    new.key = "Ctrl N";
    if new.show(ui, 32.0).clicked() {
        scene.tell_chat(ChatCommand::New);
    }
    ui.add_space(space::SMALL);
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        caption(ui, "Conversations");
        let chat = scene.chat;
        for summary in &chat.list {
            row_ui(ui, scene, summary);
        }
    });
}

fn row_ui(ui: &mut Ui, scene: &mut Scene<'_>, summary: &Summary) {
    let palette = Palette::of(ui);
    let is_open = scene.chat.id() == Some(summary.id.as_str());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 30.0), Sense::click());
    let title = if summary.title.is_empty() {
        "Untitled"
    } else {
        &summary.title
    };
    response.widget_info(|| {
        WidgetInfo::selected(
            egui::Role::Button,
            true,
            is_open,
            format!("conversation {title}"),
        )
    });
    if is_open || response.hovered() {
        let fill = if is_open { palette.line } else { palette.sunk };
        ui.painter().rect_filled(rect, corner::SMALL, fill);
    }
    focus_ring(ui, &response, rect);
    let font = if is_open { Type::Strong } else { Type::Body };
    let room = Rect::from_min_max(
        rect.min + vec2(10.0, 0.0),
        pos2(rect.right() - 8.0, rect.bottom()),
    );
    let text = egui::Label::new(font.text(title, palette.text))
        .truncate()
        .selectable(false);
    ui.put(room, text);
    if response.clicked() && !is_open {
        scene.tell_chat(ChatCommand::Open(summary.id.clone()));
    }
}
