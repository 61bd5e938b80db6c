//! The numbers as they lie in the file: one 32-bit word, lowest bits first; and what other widths
//! would cost.

use std::ops::Range;

use egui::{Align2, Rect, Sense, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::row::cell;
use crate::engine::question::{ModelChoice, PackedRow, Question, Reference, Told};
use crate::trace::measure::quantized::{PackedGroup, WIDTHS, rounded};
use crate::ui::colormap::{ColorMap, largest};
use crate::ui::command::Pointing;
use crate::ui::controls::segmented;
use crate::ui::picture::Scene;
use crate::ui::pictures::kit::{note_ui, section_ui};
use crate::ui::theme::{Palette, Role, Type, corner, mix, space};
use crate::ui::widgets::Values;
use crate::ui::widgets::heatmap::figure;

/// The inspector, and the width that is tried.
#[derive(Default)]
pub struct Packed {
    /// Bits; those of the file if `None`.
    bits: Option<usize>,
}

/// The columns that are shown with `column`: those of its word, or eight where numbers reach from
/// one word into the next.
pub fn word_of(bits: usize, column: usize) -> Range<usize> {
    let n = match bits {
        2 | 4 | 8 => 32 / bits,
        _ => 8,
    };
    let start = column / n * n;
    start..start + n
}

impl Packed {
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, row: &PackedRow, column: usize) {
        let at = column / row.group_size.max(1);
        let Some(group) = row.groups.get(at) else {
            return;
        };
        title_ui(ui, row, group, column);
        numbers_ui(ui, scene, row, group, column);
        ui.add_space(space::SMALL);
        self.bits_ui(ui, scene, row);
    }

    /// Other widths: the error of the row, and the row itself.
    fn bits_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, row: &PackedRow) {
        let palette = Palette::of(ui);
        let bits = self.bits.unwrap_or(row.bits);
        let options = WIDTHS.map(|bits| bits.to_string());
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let error = row.errors.iter().find(|error| error.bits == bits);
        let is_narrow = ui.available_width() < 540.0;
        let against = match &row.against {
            Reference::Twin(_) if is_narrow => "off from 16 bits by",
            Reference::Itself if is_narrow => "off from the stored row by",
            Reference::Twin(_) => "error of this row against the 16-bit original",
            Reference::Itself => "error of rounding the stored row again",
        };
        ui.horizontal(|ui| {
            ui.label(Type::Strong.text("Bits", palette.text));
            let open = WIDTHS.iter().position(|width| *width == bits).unwrap_or(2);
            if let Some(at) = segmented(ui, "bits", &options, open) {
                self.bits = WIDTHS.get(at).copied().filter(|width| *width != row.bits);
            }
            ui.label(Type::Body.text(against, palette.muted));
            let shares = row.errors.iter().map(|error| error.relative);
            let most = shares.fold(f64::EPSILON, f64::max);
            let share = error.map_or(0.0, |error| error.relative);
            let text = crate::trace::units::percent(share);
            ui.label(Type::Mono.text(&text, palette.text));
            let width = (ui.available_width() - 4.0).clamp(8.0, 260.0);
            let (rect, response) = ui.allocate_exact_size(vec2(width, 20.0), Sense::hover());
            let bar = Rect::from_center_size(rect.center(), vec2(width, 6.0));
            ui.painter().rect_filled(bar, 3, palette.sunk);
            let filled = Rect::from_min_size(bar.min, vec2(width * (share / most) as f32, 6.0));
            ui.painter().rect_filled(filled, 3, palette.role(Role::Mlp));
            response.widget_info(|| {
                WidgetInfo::labeled(egui::Role::Image, true, format!("{against}: {text}"))
            });
        });
        self.stored_note_ui(ui, row, bits);
        if bits != row.bits {
            rounded_ui(ui, scene, row, bits);
        }
    }

    fn stored_note_ui(&self, ui: &mut Ui, row: &PackedRow, bits: usize) {
        let text = match (&row.against, row.stored) {
            (Reference::Twin(_), Some(stored)) if bits == row.bits => format!(
                "The file's own {} bits are off by {} (root of the mean square, beside the size of the numbers); its scales and biases are 16-bit numbers themselves.",
                row.bits,
                crate::trace::units::percent(stored.relative)
            ),
            (Reference::Itself, _) => "There is no copy of this model before it was rounded, so the real error is larger, and 0 stands for the width it is stored in.".to_owned(),
            _ => return,
        };
        note_ui(ui, &text);
    }
}

/// The row before rounding, in another width, and what is lost.
fn rounded_ui(ui: &mut Ui, scene: &mut Scene<'_>, row: &PackedRow, bits: usize) {
    let Some(original) = original(scene, row) else {
        return;
    };
    let groups = original.chunks(row.group_size.max(1));
    let coarse: Vec<f32> = groups.flat_map(|group| rounded(group, bits)).collect();
    let lost: Vec<f32> = original.iter().zip(&coarse).map(|(a, b)| a - b).collect();
    let map = ColorMap::diverging(Palette::of(ui));
    let limit = largest(&original);
    let width = ui.available_width();
    for (title, values) in [
        ("Before rounding", &original),
        ("In so many bits", &coarse),
        ("Lost, on the same scale", &lost),
    ] {
        section_ui(ui, title, "");
        ui.add_space(-6.0);
        let strip = Values::new(title, values, &map).limit(limit).height(12.0);
        strip.per_line(values.len()).show(ui, width);
    }
}

/// The row that errors are measured against.
fn original(scene: &mut Scene<'_>, row: &PackedRow) -> Option<Vec<f32>> {
    let Reference::Twin(name) = &row.against else {
        let stored = row
            .groups
            .iter()
            .flat_map(|group| group.weights.iter().copied());
        return Some(stored.collect());
    };
    let question = Question::Slice {
        model: Some(ModelChoice {
            name: name.clone(),
            kernels: Default::default(),
        }),
        path: row.path.clone(),
        rows: Some(row.row..row.row + 1),
        columns: None,
    };
    match &*scene.ask(&question).ready()? {
        Told::Slice(slice) => Some(slice.values.values().to_vec()),
        _ => None,
    }
}

fn title_ui(ui: &mut Ui, row: &PackedRow, group: &PackedGroup, column: usize) {
    let word = word_of(row.bits, column);
    let n = word.len();
    let place = (word.start - group.first_column) * row.bits / 32;
    let hex = group
        .words
        .get(place)
        .map_or(String::new(), |word| format!("0x{word:08x}"));
    let title = match row.bits {
        2 | 4 | 8 => format!(
            "The same {n} numbers as they lie in the file: one 32-bit word, lowest {} bits first",
            row.bits
        ),
        bits => {
            format!("{n} numbers of {bits} bits each: they follow one another from word to word")
        }
    };
    section_ui(ui, &title, &hex);
}

/// The numbers of a word: their bits, what they stand for, and the weight that comes out.
fn numbers_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    row: &PackedRow,
    group: &PackedGroup,
    column: usize,
) {
    let palette = Palette::of(ui);
    let map = ColorMap::diverging(palette);
    let limit = row
        .groups
        .iter()
        .map(|group| largest(&group.weights))
        .fold(0.0, f32::max);
    let word = word_of(row.bits, column);
    let n = word.len();
    let gap = 6.0;
    let width = ((ui.available_width() + gap) / n as f32 - gap).min(120.0);
    let size = vec2(n as f32 * (width + gap) - gap, 114.0);
    let (area, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| {
        WidgetInfo::labeled(egui::Role::Image, true, "the packed word, number by number")
    });
    for (slot, at) in word.clone().enumerate() {
        let place = at - group.first_column;
        let (Some(number), Some(weight)) = (group.numbers.get(place), group.weights.get(place))
        else {
            continue;
        };
        let x = area.left() + slot as f32 * (width + gap);
        let top = Rect::from_min_size(pos2(x, area.top()), vec2(width, 34.0));
        let below = Rect::from_min_size(pos2(x, area.bottom() - 31.0), vec2(width, 30.0));
        let is_chosen = at == column;
        let painter = ui.painter();
        let (fill, line) = match is_chosen {
            true => (
                mix(palette.surface, palette.role(Role::Query), 0.14),
                palette.ring(),
            ),
            false => (palette.surface, palette.hairline()),
        };
        painter.rect(top, corner::BUTTON, fill, line, StrokeKind::Inside);
        let bits = format!("{number:0width$b}", width = row.bits);
        let font = if width < 50.0 {
            Type::MonoSmall
        } else {
            Type::Mono
        };
        painter.text(
            top.center(),
            Align2::CENTER_CENTER,
            bits,
            font.font(),
            palette.text,
        );
        let middle = pos2(top.center().x, top.bottom() + 12.0);
        let told = if width < 40.0 {
            number.to_string()
        } else {
            format!("q = {number}")
        };
        painter.text(
            middle,
            Align2::CENTER_CENTER,
            told,
            Type::Small.font(),
            palette.muted,
        );
        if is_chosen {
            let line = egui::Stroke::new(1.5, palette.text);
            painter.line_segment(
                [pos2(middle.x, middle.y + 8.0), pos2(middle.x, below.top())],
                line,
            );
        }
        let colour = map.colour(*weight, limit);
        painter.rect_filled(below, corner::SMALL, colour);
        let text = figure(*weight);
        painter.text(
            below.center(),
            Align2::CENTER_CENTER,
            text,
            font.font(),
            palette.text_on(colour),
        );
    }
    let under = response
        .hover_pos()
        .map(|pointer| word.start + ((pointer.x - area.left()) / (width + gap)) as usize);
    let under = under.filter(|at| word.contains(at) && *at < row.n_columns);
    if let Some(at) = under {
        scene.point(Pointing::Hover(Some(cell(scene, at))));
        if response.clicked() {
            scene.point(Pointing::Lock(Some(cell(scene, at))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_holds_whole_numbers_or_eight_are_shown() {
        assert_eq!(word_of(4, 3), 0..8);
        assert_eq!(word_of(4, 8), 8..16);
        assert_eq!(word_of(8, 5), 4..8);
        assert_eq!(word_of(2, 17), 16..32);
        assert_eq!(word_of(3, 9), 8..16);
    }
}
