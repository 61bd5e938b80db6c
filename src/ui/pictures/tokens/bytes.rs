//! The bytes of every token, and how characters are made of them.

use egui::{Align2, Rect, Sense, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::super::text::tokens_read;
use super::hex;
use super::line::Line;
use crate::engine::question::{TextPiece, Told};
use crate::ui::command::Pointing;
use crate::ui::picture::{Scene, ready_ui};
use crate::ui::pictures::kit::{copy_menu, note_ui, section_ui};
use crate::ui::theme::{Palette, Role, Type, corner, space};
use crate::ui::tokens::visible;

/// The list of tokens with their bytes.
#[derive(Default)]
pub struct Bytes {
    /// The token under the pointer.
    pub hovered: Option<usize>,
}

const ROW: f32 = 26.0;

impl Bytes {
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        self.hovered = None;
        let Some(told) = ready_ui(ui, tokens_read(scene)) else {
            return;
        };
        let Told::Tokens(tokens) = &*told else {
            return;
        };
        let chosen = scene.view.token.min(tokens.pieces.len().saturating_sub(1));
        if let Some(piece) = tokens.pieces.get(chosen) {
            bits_ui(ui, piece, chosen);
        }
        ui.add_space(space::MEDIUM);
        let scroll = egui::ScrollArea::vertical().auto_shrink([false, false]);
        scroll.show_rows(
            ui,
            ROW - ui.spacing().item_spacing.y,
            tokens.pieces.len(),
            |ui, rows| {
                for at in rows {
                    if let Some(piece) = tokens.pieces.get(at) {
                        self.row_ui(ui, scene, at, piece, at == chosen);
                    }
                }
            },
        );
    }

    fn row_ui(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        at: usize,
        piece: &TextPiece,
        is_chosen: bool,
    ) {
        let palette = Palette::of(ui);
        let size = vec2(ui.available_width(), ROW - ui.spacing().item_spacing.y);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let bytes = hex(&piece.bytes, 16);
        response.widget_info(|| {
            let text = format!("token {at}, id {}, bytes {bytes}", piece.id);
            WidgetInfo::selected(egui::Role::ListItem, true, is_chosen, text)
        });
        let line = Line::new(ui, rect, &response, is_chosen);
        line.put_right(34.0, &at.to_string(), Type::MonoSmall, palette.muted);
        line.token(piece.id, &piece.text, [92.0, 106.0], 24);
        line.put(286.0, &bytes, Type::Mono, palette.text);
        let note = what(piece);
        line.put_right(line.width() - 8.0, note, Type::Small, palette.muted);
        if response.hovered() {
            self.hovered = Some(at);
        }
        if response.clicked() {
            scene.point(Pointing::Token(at));
        }
        copy_menu(scene, &response, &[("Copy the bytes", &|| bytes.clone())]);
    }
}

/// What a token's bytes are.
fn what(piece: &TextPiece) -> &'static str {
    match std::str::from_utf8(&piece.bytes) {
        _ if piece.is_special => "special token",
        Ok(text) if text.chars().count() == 1 => "one character",
        Ok(_) => "",
        Err(_) => "part of a character",
    }
}

/// The bits of the chosen token's bytes: which begin a character, which go on with one.
fn bits_ui(ui: &mut Ui, piece: &TextPiece, at: usize) {
    const MOST: usize = 12;
    let palette = Palette::of(ui);
    let title = format!("The bytes of “{}”", visible(&piece.text));
    section_ui(ui, &title, &format!("tokens[{at}]"));
    let n = piece.bytes.len().min(MOST);
    let width = ((ui.available_width() + 6.0) / n.max(4) as f32 - 6.0).clamp(56.0, 96.0);
    let size = vec2(n as f32 * (width + 6.0), 62.0);
    let (area, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, &title));
    for (place, byte) in piece.bytes.iter().take(MOST).enumerate() {
        let corner_at = area.min + vec2(place as f32 * (width + 6.0), 0.0);
        let rect = Rect::from_min_size(corner_at, vec2(width, 36.0));
        let is_start = byte & 0xC0 != 0x80;
        let fill = if is_start {
            palette.surface
        } else {
            palette.wash(Role::Residual, 0.16)
        };
        let painter = ui.painter();
        painter.rect(
            rect,
            corner::SMALL,
            fill,
            palette.hairline(),
            StrokeKind::Inside,
        );
        let bits = format!("{byte:08b}");
        painter.text(
            rect.center(),
            Align2::CENTER_CENTER,
            bits,
            Type::Mono.font(),
            palette.text,
        );
        let below = pos2(rect.center().x, rect.bottom() + 5.0);
        let told = format!("{byte:02X} · {byte}");
        painter.text(
            below,
            Align2::CENTER_TOP,
            told,
            Type::MonoSmall.font(),
            palette.muted,
        );
    }
    let n_more = piece.bytes.len().saturating_sub(MOST);
    let more = if n_more > 0 {
        format!(" {n_more} more bytes are not drawn.")
    } else {
        String::new()
    };
    let told = match std::str::from_utf8(&piece.bytes) {
        Ok(text) if text.is_ascii() => format!("Each of these bytes is a character.{more}"),
        Ok(_) => format!(
            "White begins a character; shaded bytes, which begin with the bits 10, go on with it.{more}"
        ),
        Err(_) => format!(
            "These bytes are not a whole character: the tokens beside it hold the rest. On the screen they wait for it.{more}"
        ),
    };
    note_ui(ui, &told);
}
