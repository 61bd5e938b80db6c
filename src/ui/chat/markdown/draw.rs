//! Blocks on screen.

use std::sync::Arc;

use egui::text::LayoutJob;
use egui::{
    Align, FontFamily, FontId, Galley, OpenUrl, ScrollArea, Sense, Stroke, TextFormat, Ui, vec2,
};
use pulldown_cmark::Alignment;

use super::code::{Painter, code_ui};
use super::parse::{Block, Cell, Span, Style, Text};
use crate::ui::fonts;
use crate::ui::theme::{Palette, Role, corner, space};

/// Size of plain text.
const SIZE: f32 = 14.5;
/// Height of a line of it.
const LINE: f32 = 22.0;
/// How far a list is set in.
const INDENT: f32 = 20.0;

pub(super) fn blocks_ui(ui: &mut Ui, painter: &mut Painter, blocks: &[Block], is_growing: bool) {
    ui.style_mut().interaction.selectable_labels = true;
    ui.spacing_mut().item_spacing.y = 6.0;
    for (at, block) in blocks.iter().enumerate() {
        ui.push_id(at, |ui| match block {
            Block::Text(text) => text_ui(ui, text),
            Block::Code(language, code, indent) => {
                ui.horizontal(|ui| {
                    ui.add_space(*indent as f32 * INDENT);
                    ui.vertical(|ui| {
                        let is_last = at + 1 == blocks.len();
                        code_ui(ui, painter, language, code, is_growing && is_last);
                    });
                });
            }
            Block::Table(table) => table_ui(ui, &table.alignments, &table.rows),
            Block::Formula(text) => formula_ui(ui, text),
            Block::Rule => {
                ui.separator();
            }
        });
    }
}

fn text_ui(ui: &mut Ui, text: &Text) {
    let palette = Palette::of(ui);
    if text.heading.is_some() {
        ui.add_space(space::TINY);
    }
    let left = text.indent as f32 * INDENT + text.quote as f32 * 14.0;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.add_space(left);
        let line = job(&text.spans, palette, text.heading, ui.available_width());
        let galley = ui.painter().layout_job(line);
        let shown = spans_ui(ui, &text.spans, Arc::clone(&galley));
        let first = shown.min.y + LINE / 2.0;
        if let Some(mark) = &text.mark {
            ui.painter().text(
                egui::pos2(shown.min.x - 7.0, first),
                egui::Align2::RIGHT_CENTER,
                mark,
                FontId::new(SIZE, FontFamily::Proportional),
                palette.muted,
            );
        }
        for depth in 0..text.quote {
            let x = shown.min.x - 10.0 - depth as f32 * 14.0;
            ui.painter()
                .vline(x, shown.y_range(), Stroke::new(2.0, palette.line));
        }
    });
}

/// Text with its links: a click on one opens it.
fn spans_ui(ui: &mut Ui, spans: &[Span], galley: Arc<Galley>) -> egui::Rect {
    let has_links = spans.iter().any(|span| span.link.is_some());
    let label = egui::Label::new(Arc::clone(&galley)).wrap();
    if !has_links {
        return ui.add(label).rect;
    }
    let response = ui.add(label.sense(Sense::click()));
    let pointed = response.hover_pos().and_then(|pos| {
        let cursor = galley.cursor_from_pos(pos - response.rect.min);
        link_at(spans, cursor.index.0)
    });
    let rect = response.rect;
    if let Some(link) = pointed {
        let response = response
            .on_hover_cursor(egui::CursorIcon::PointingHand)
            .on_hover_text(link);
        let is_safe = ["https://", "http://", "mailto:"]
            .iter()
            .any(|start| link.starts_with(start));
        if response.clicked() && is_safe {
            ui.ctx().open_url(OpenUrl::new_tab(link));
        }
    }
    rect
}

/// Where the letter at this place leads.
fn link_at(spans: &[Span], at: usize) -> Option<&str> {
    let mut end = 0;
    let span = spans.iter().find(|span| {
        end += span.text.chars().count();
        at < end
    })?;
    span.link.as_deref()
}

/// The layout of spans.
fn job(spans: &[Span], palette: &Palette, heading: Option<u8>, width: f32) -> LayoutJob {
    let mut job = LayoutJob::default();
    job.wrap.max_width = width;
    for span in spans {
        job.append(&span.text, 0.0, format(span, palette, heading));
    }
    job
}

fn format(span: &Span, palette: &Palette, heading: Option<u8>) -> TextFormat {
    let size = match heading {
        Some(1) => 19.0,
        Some(2) => 17.0,
        Some(3) => 15.5,
        _ => SIZE,
    };
    let Style {
        is_strong,
        is_slanted,
        is_struck,
        is_code,
        is_math,
    } = span.style;
    let font = match (is_code, is_strong || heading.is_some()) {
        (true, _) => FontId::new(size - 1.5, FontFamily::Monospace),
        (false, true) => FontId::new(size, fonts::semibold()),
        (false, false) => FontId::new(size, FontFamily::Proportional),
    };
    let colour = match span.link {
        Some(_) => palette.role(Role::Query),
        None => palette.text,
    };
    let mut format = TextFormat::simple(font, colour);
    format.italics = is_slanted || is_math;
    format.line_height = Some(LINE.max(size * 1.4));
    format.valign = Align::Center;
    if is_code {
        format.background = palette.sunk;
    }
    if is_struck {
        format.strikethrough = Stroke::new(1.0, palette.muted);
    }
    if span.link.is_some() {
        format.underline = Stroke::new(1.0, palette.role(Role::Query));
    }
    format
}

fn formula_ui(ui: &mut Ui, text: &str) {
    let palette = Palette::of(ui);
    let font = FontId::new(SIZE + 1.0, FontFamily::Proportional);
    let text = egui::RichText::new(text)
        .font(font)
        .italics()
        .color(palette.text);
    ui.horizontal(|ui| {
        ui.add_space(INDENT);
        ScrollArea::horizontal().show(ui, |ui| ui.add(egui::Label::new(text).extend()));
    });
}

/// Space between two columns, and between two rows.
const GAP: [f32; 2] = [24.0, 8.0];

fn table_ui(ui: &mut Ui, alignments: &[Alignment], rows: &[Vec<Cell>]) {
    let palette = Palette::of(ui);
    let n_columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let room = ui.available_width() - 26.0 - GAP[0] * n_columns.saturating_sub(1) as f32;
    let widest = (room / n_columns.max(1) as f32).max(120.0);
    let layout = |ui: &Ui, cell: &[Span], is_heading: bool| {
        let mut cell = cell.to_vec();
        for span in &mut cell {
            span.style.is_strong |= is_heading;
        }
        ui.painter().layout_job(job(&cell, palette, None, widest))
    };
    let galleys: Vec<Vec<Arc<Galley>>> = rows
        .iter()
        .enumerate()
        .map(|(at, row)| row.iter().map(|cell| layout(ui, cell, at == 0)).collect())
        .collect();
    let mut widths = vec![0.0_f32; n_columns];
    for row in &galleys {
        for (width, galley) in widths.iter_mut().zip(row) {
            *width = width.max(galley.size().x);
        }
    }
    let frame = egui::Frame::new()
        .stroke(palette.hairline())
        .corner_radius(corner::CARD)
        .inner_margin(egui::Margin::symmetric(12, 8));
    ScrollArea::horizontal().show(ui, |ui| {
        frame.show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for (at, (cells, row)) in rows.iter().zip(galleys).enumerate() {
                let line = row_ui(ui, alignments, &widths, cells, row);
                if at == 0 {
                    let y = line.bottom() - GAP[1] / 2.0;
                    ui.painter().hline(line.x_range(), y, palette.hairline());
                }
            }
        });
    });
}

/// One row of a table; returns where it is.
fn row_ui(
    ui: &mut Ui,
    alignments: &[Alignment],
    widths: &[f32],
    cells: &[Cell],
    galleys: Vec<Arc<Galley>>,
) -> egui::Rect {
    let height = galleys
        .iter()
        .map(|galley| galley.size().y)
        .fold(LINE, f32::max);
    let width = widths.iter().sum::<f32>() + GAP[0] * widths.len().saturating_sub(1) as f32;
    let (line, _) = ui.allocate_exact_size(vec2(width, height + GAP[1]), Sense::hover());
    let mut x = line.left();
    for (column, (galley, width)) in galleys.into_iter().zip(widths).enumerate() {
        let spare = width - galley.size().x;
        let indent = match alignments.get(column) {
            Some(Alignment::Right) => spare,
            Some(Alignment::Center) => spare / 2.0,
            _ => 0.0,
        };
        let at = egui::pos2(x + indent, line.top());
        let place = egui::Rect::from_min_size(at, galley.size() + vec2(1.0, 0.0));
        let mut child = ui.new_child(egui::UiBuilder::new().max_rect(place).id_salt(column));
        let spans = cells.get(column).map(Vec::as_slice).unwrap_or_default();
        spans_ui(&mut child, spans, galley);
        x += width + GAP[0];
    }
    line
}
