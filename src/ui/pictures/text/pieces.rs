//! The prompt's tokens as they stand in the text: whose they are, what kind, and how they look.

use std::ops::Range;

use egui::{Color32, TextFormat};

use crate::engine::question::{Segment, SegmentKind, TemplateView, TextPiece};
use crate::ui::pictures::shared::text_of;
use crate::ui::theme::{Palette, Role, Type, mix};
use crate::ui::tokens::visible;

/// A stretch of the rendered prompt that belongs to one message.
pub(super) struct Block {
    pub(super) message: Option<usize>,
    pub(super) pieces: Range<usize>,
    pub(super) is_last: bool,
}

/// The rendered prompt by messages.
pub(super) fn blocks(view: &TemplateView) -> Vec<Block> {
    let of_piece = |piece: &TextPiece| {
        let start = piece.covers.start;
        let mut segments = view.rendered.segments.iter();
        segments
            .find(|segment| segment.bytes.contains(&start))?
            .message
    };
    let mut blocks: Vec<Block> = Vec::new();
    for (at, piece) in view.pieces.iter().enumerate() {
        let message = of_piece(piece);
        match blocks.last_mut().filter(|block| block.message == message) {
            Some(block) => block.pieces.end = at + 1,
            None => blocks.push(Block {
                message,
                pieces: at..at + 1,
                is_last: false,
            }),
        }
    }
    if let Some(last) = blocks.last_mut() {
        last.is_last = true;
    }
    blocks
}

/// What kind of text a token is.
pub(super) fn kind_of(piece: &TextPiece, segments: &[Segment]) -> SegmentKind {
    if piece.is_special {
        return SegmentKind::Special;
    }
    let start = piece.covers.start;
    let mut segments = segments.iter();
    let here = segments.find(|segment| segment.bytes.contains(&start));
    here.map_or(SegmentKind::Content, |segment| segment.kind)
}

/// Tokens as they stand in the text: a line break keeps its effect, and has a mark.
pub(super) fn shown(tokens: &[TextPiece]) -> String {
    text_of(tokens).replace('\n', "⏎\n")
}

/// What is told of the token at `first`, or of several that share a character.
pub(super) fn tip(first: usize, tokens: &[TextPiece]) -> String {
    let text = visible(&text_of(tokens));
    let n_bytes: usize = tokens.iter().map(|piece| piece.bytes.len()).sum();
    match tokens {
        [only] => format!("token {first}: “{text}”\nid {}, {n_bytes} bytes", only.id),
        several => {
            let ids: Vec<String> = several.iter().map(|piece| piece.id.to_string()).collect();
            let last = first + several.len().saturating_sub(1);
            format!(
                "tokens {first} to {last} together: “{text}”\nids {}, {n_bytes} bytes",
                ids.join(", ")
            )
        }
    }
}

pub(super) fn format_of(palette: &Palette, kind: SegmentKind, is_chosen: bool) -> TextFormat {
    let colour = match kind {
        SegmentKind::Content => palette.text,
        SegmentKind::Template => palette.muted,
        SegmentKind::Special => palette.role(Role::Attention),
    };
    let background = match (is_chosen, kind) {
        (true, _) => mix(palette.surface, palette.text, 0.16),
        (false, SegmentKind::Special) => palette.wash(Role::Attention, 0.12),
        (false, _) => Color32::TRANSPARENT,
    };
    // One size for all: a background is as high as its letters.
    let font = egui::FontId::new(17.0, Type::Body.font().family);
    TextFormat {
        background,
        expand_bg: 2.0,
        ..TextFormat::simple(font, colour)
    }
}
