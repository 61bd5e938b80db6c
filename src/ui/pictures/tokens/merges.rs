//! How a word becomes tokens: bytes are joined by learned merges, one at a time.

use std::ops::Range;

use egui::{Align2, Rect, Sense, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::spelling::{readable, spelled};
use super::variants::variants_ui;
use crate::engine::question::{MergeStep, Question, Symbol, TextTokens, Told, Word, WordKind};
use crate::ui::command::Pointing;
use crate::ui::controls::{Button, outline};
use crate::ui::picture::{Scene, Term, formula_ui, ready_ui};
use crate::ui::pictures::kit::{copy_menu, field_ui, note_ui};
use crate::ui::pictures::text::tokens_read;
use crate::ui::theme::{Palette, Role, Type, corner, space};
use crate::ui::widgets::chip_ui;

/// The word on view, and how far its merges have been played.
#[derive(Default)]
pub struct Merges {
    /// A word of one's own; that of the chosen token if it is empty.
    own: String,
    word: Option<Word>,
    /// Merges shown; all of them if `None`.
    n_shown: Option<usize>,
    first: usize,
}

/// Height of a row of pieces, and the space between two.
const ROW: f32 = 25.0;
const GAP: f32 = 4.0;
/// Room for the ranks at the left.
const RANKS: f32 = 72.0;

impl Merges {
    /// What stands beside the title.
    pub fn told(&self) -> String {
        let Some(word) = &self.word else {
            return String::new();
        };
        let n = word.ids().len();
        let tokens = if n == 1 { "token" } else { "tokens" };
        format!("how “{}” becomes {n} {tokens}", spelled(&word.text))
    }

    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let scroll = egui::ScrollArea::vertical().auto_shrink([false, false]);
        scroll.show(ui, |ui| {
            let Some(told) = ready_ui(ui, tokens_read(scene)) else {
                return;
            };
            let Told::Tokens(tokens) = &*told else {
                return;
            };
            if let Some(why) = &tokens.no_merges {
                note_ui(ui, &format!("{why}. The chips show the tokens themselves."));
                return;
            }
            self.words_ui(ui, scene, tokens);
            let Some((word, first)) = self.chosen(scene, tokens) else {
                self.word = None;
                note_ui(ui, "The model wrote the chosen token itself: it was drawn as one piece, and nothing was merged. Choose a token of the prompt, or type a word.");
                return;
            };
            self.first = first;
            if self.word.as_ref() != Some(&word) {
                self.n_shown = None;
                self.word = Some(word.clone());
            }
            ui.add_space(space::SMALL);
            self.rows_ui(ui, scene, &word);
            ui.add_space(space::MEDIUM);
            variants_ui(ui, scene, &word);
        });
    }

    /// The words that the text is cut into before anything is merged.
    fn words_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, tokens: &TextTokens) {
        const MOST: usize = 60;
        let chosen = match self.own.is_empty() {
            true => word_of(tokens, scene.view.token).map(|(at, _)| at),
            false => None,
        };
        let shift = chosen.unwrap_or(0).saturating_sub(MOST / 2);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(5.0, 5.0);
            if !scene.view.is_presenting || !self.own.is_empty() {
                field_ui(
                    ui,
                    "a word of your own",
                    "Your own word",
                    &mut self.own,
                    130.0,
                );
            }
            for (at, word) in tokens.words.iter().enumerate().skip(shift).take(MOST) {
                let chip = chip_ui(ui, &spelled(&readable(word).text), chosen == Some(at));
                if chip.clicked() {
                    self.own.clear();
                    if let Some(token) = first_token(tokens, at) {
                        scene.point(Pointing::Token(token));
                    }
                }
            }
            if tokens.words.len() > MOST {
                let palette = Palette::of(ui);
                let text = format!("{} words", tokens.words.len());
                ui.label(Type::Small.text(text, palette.muted));
            }
        });
    }

    /// The word on view and the position of its first token.
    fn chosen(&self, scene: &mut Scene<'_>, tokens: &TextTokens) -> Option<(Word, usize)> {
        if self.own.is_empty() {
            let (at, first) = word_of(tokens, scene.view.token)?;
            return Some((readable(tokens.words.get(at)?), first));
        }
        let question = Question::Tokens {
            model: None,
            text: self.own.clone(),
            with_begin: false,
        };
        let told = scene.ask(&question).ready()?;
        match &*told {
            Told::Tokens(own) => Some((
                readable(own.words.iter().max_by_key(|word| word.symbols.len())?),
                0,
            )),
            _ => None,
        }
    }

    fn n_shown(&self, word: &Word) -> usize {
        self.n_shown
            .unwrap_or(word.steps.len())
            .min(word.steps.len())
    }

    /// A row of letters, and one row for each merge.
    fn rows_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, word: &Word) {
        match word.kind {
            WordKind::Merged => {}
            WordKind::Whole => note_ui(
                ui,
                "This word is on the list as a whole, and this model looks there first: no merges are needed.",
            ),
            WordKind::Added => note_ui(
                ui,
                "This is a special token: it stands apart from the words, and is found before anything is merged.",
            ),
        }
        if word.steps.is_empty() && word.symbols.len() == 1 {
            note_ui(ui, "One symbol, one token: there is nothing to merge.");
        }
        let n = word.symbols.len().max(1);
        let cell = ((ui.available_width() - RANKS) / n as f32).clamp(14.0, 46.0);
        let n_rows = word.steps.len() + 1;
        let size = vec2(RANKS + cell * n as f32, n_rows as f32 * (ROW + GAP));
        let (area, response) = ui.allocate_exact_size(size, Sense::hover());
        let n_shown = self.n_shown(word);
        response
            .widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, spoken(word, n_shown)));
        for row in 0..n_rows {
            let y = area.top() + row as f32 * (ROW + GAP);
            let line =
                Rect::from_min_size(pos2(area.left() + RANKS, y), vec2(cell * n as f32, ROW));
            paint_row(ui, line, cell, word, row, row <= n_shown);
        }
        let as_csv = word.steps.iter().map(|step| {
            format!(
                "{},{},{},{}",
                step.rank, step.left.text, step.right.text, step.merged.text
            )
        });
        let as_csv = format!(
            "rank,left,right,merged\n{}",
            as_csv.collect::<Vec<_>>().join("\n")
        );
        copy_menu(
            scene,
            &response,
            &[("Copy the merges as CSV", &|| as_csv.clone())],
        );
    }

    /// The buttons that play the merges, and the newest one in words.
    pub fn formula_ui(&mut self, ui: &mut Ui, scene: &Scene<'_>) {
        let Some(word) = self.word.clone() else {
            formula_ui(ui, &[Term::words("Choose a word to play its merges.")], "");
            return;
        };
        let n_shown = self.n_shown(&word);
        let is_over = n_shown == word.steps.len();
        let mut next = Button::new(if is_over {
            "From the letters"
        } else {
            "Next merge"
        });
        next.is_primary = true;
        next.is_disabled = word.steps.is_empty();
        if next.show(ui, 26.0).clicked() && !word.steps.is_empty() {
            self.n_shown = Some(if is_over { 0 } else { n_shown + 1 });
        }
        if !is_over && Button::new("All").show(ui, 26.0).clicked() {
            self.n_shown = None;
        }
        let newest = n_shown.checked_sub(1).and_then(|at| word.steps.get(at));
        let last = (scene.view.token.max(self.first) + 1).max(self.first + word.ids().len());
        let place = match self.own.is_empty() {
            true => format!(
                "tokens[{}…{}]",
                self.first,
                last.min(self.first + word.ids().len()).saturating_sub(1)
            ),
            false => String::new(),
        };
        formula_ui(ui, &merge_terms(newest, is_over), &place);
    }
}

fn merge_terms(newest: Option<&MergeStep>, is_over: bool) -> Vec<Term> {
    let Some(step) = newest else {
        let text = match is_over {
            true => "nothing to merge",
            false => "the letters, before the first merge",
        };
        return vec![Term::words(text)];
    };
    let after = match is_over {
        true => format!(
            "rank {}; no other pair of this row is on the list",
            step.rank
        ),
        false => format!(
            "rank {}: the lowest of the pairs in the row above",
            step.rank
        ),
    };
    vec![
        Term::number(spelled(&step.left.text)),
        Term::words("+"),
        Term::number(spelled(&step.right.text)),
        Term::words("→"),
        Term::result(Role::Logits, spelled(&step.merged.text)),
        Term::words(after),
    ]
}

/// The pieces after `row` merges; a row that is not played yet is an outline.
fn paint_row(ui: &Ui, line: Rect, cell: f32, word: &Word, row: usize, is_shown: bool) {
    let palette = Palette::of(ui);
    let painter = ui.painter();
    let step = row.checked_sub(1).and_then(|at| word.steps.get(at));
    let rank = step.map_or("letters".to_owned(), |step| format!("rank {}", step.rank));
    let at = pos2(line.left() - 12.0, line.center().y);
    let colour = if is_shown {
        palette.muted
    } else {
        palette.faint
    };
    painter.text(
        at,
        Align2::RIGHT_CENTER,
        rank,
        Type::MonoSmall.font(),
        colour,
    );
    if !is_shown {
        outline(painter, line.shrink2(vec2(3.0, 0.5)), palette.line);
        return;
    }
    let newest: Option<Range<usize>> = step.map(|step| step.symbols[0]..step.symbols[2]);
    for (symbol, symbols) in word.pieces_after(row) {
        let is_newest = newest.as_ref() == Some(&symbols);
        let rect = Rect::from_min_max(
            pos2(line.left() + symbols.start as f32 * cell + 3.0, line.top()),
            pos2(line.left() + symbols.end as f32 * cell - 3.0, line.bottom()),
        );
        paint_piece(ui, rect, &symbol, is_newest);
    }
}

fn paint_piece(ui: &Ui, rect: Rect, symbol: &Symbol, is_newest: bool) {
    let palette = Palette::of(ui);
    let (fill, stroke) = match is_newest {
        true => (
            palette.wash(Role::Logits, 0.3),
            egui::Stroke::new(1.5, palette.role(Role::Logits)),
        ),
        false => (palette.surface, palette.hairline()),
    };
    let painter = ui.painter();
    painter.rect(rect, corner::SMALL, fill, stroke, StrokeKind::Inside);
    let font = Type::Mono.font();
    let galley = painter.layout_no_wrap(spelled(&symbol.text), font, palette.text);
    // A mark of many letters in a narrow cell is cut, not drawn over its neighbours.
    let clipped = painter.with_clip_rect(rect.intersect(ui.clip_rect()));
    let x = (rect.center().x - galley.size().x / 2.0).max(rect.left() + 2.0);
    clipped.galley(
        pos2(x, rect.center().y - galley.size().y / 2.0),
        galley,
        palette.text,
    );
}

/// The word that the token at `position` belongs to, and the position of the word's first token.
fn word_of(tokens: &TextTokens, position: usize) -> Option<(usize, usize)> {
    let covers = &tokens.pieces.get(position)?.covers;
    let at = tokens
        .words
        .iter()
        .position(|word| word.bytes.contains(&covers.start) && !covers.is_empty())?;
    Some((at, first_token(tokens, at)?))
}

/// The position of the first token of a word.
fn first_token(tokens: &TextTokens, word: usize) -> Option<usize> {
    let start = tokens.words.get(word)?.bytes.start;
    let is_in = |piece: &crate::engine::question::TextPiece| piece.covers.contains(&start);
    tokens.pieces.iter().position(is_in)
}

/// The merges in words, for those who cannot see them.
fn spoken(word: &Word, n_shown: usize) -> String {
    let pieces = word.pieces_after(n_shown);
    let names: Vec<String> = pieces
        .iter()
        .map(|(symbol, _)| spelled(&symbol.text))
        .collect();
    format!(
        "{} after {n_shown} merges: {}",
        spelled(&word.text),
        names.join(" | ")
    )
}
