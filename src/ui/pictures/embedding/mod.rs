//! Embedding: a token's number picks one row of a table.

mod map;
mod nearest;
mod packed;
mod row;
mod scatter;
mod similar;
mod sums;

use egui::Ui;

use super::kit;
use crate::engine::question::{Group, Question, TensorRow, Told};
use crate::trace::Hook;
use crate::ui::picture::{Heading, Picture, Scene, Side};
use crate::ui::theme::space;
use crate::ui::words::stages;

/// The row, the packed words it comes from, and the space that rows lie in.
#[derive(Default)]
pub struct EmbeddingPicture {
    row: row::Row,
    similar: similar::Similar,
    nearest: nearest::Nearest,
    map: map::WordMap,
    sums: sums::Sums,
}

const TABS: [&str; 5] = ["Row", "Similar", "Nearest", "Map", "Arithmetic"];

impl Picture for EmbeddingPicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        let at = scene.position();
        let n_rows = crate::trace::units::count(scene.facts.vocab_size as u64);
        let row = format!(
            "**{}**, token {at}, row {} of {n_rows}",
            scene.said(at),
            id(scene)
        );
        let (detail, sentence) = match scene.tab(&TABS) {
            1 => (
                "each token with each".to_owned(),
                "How alike the rows of the prompt's tokens are: the cosine of the angle between them, 1 for the same direction.",
            ),
            2 => (
                row,
                "The tokens whose rows point the same way. They are used in like places: that need not be the same meaning.",
            ),
            3 => (
                "chosen words on a plane".to_owned(),
                "Rows have many dimensions. A plane shows two directions of them, and hides the others.",
            ),
            4 => (
                "adding and taking away rows".to_owned(),
                "If a direction stands for a difference, it can be added to another word.",
            ),
            _ => (row, stages::EMBEDDING.sentence),
        };
        Heading {
            sentence: sentence.into(),
            ..kit::heading(&stages::EMBEDDING, detail)
        }
    }

    fn tabs(&self) -> &'static [&'static str] {
        &TABS
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        ui.add_space(space::TINY);
        match scene.tab(&TABS) {
            0 => self.row.show(ui, scene),
            1 => self.similar.show(ui, scene),
            2 => self.nearest.show(ui, scene),
            3 => self.map.show(ui, scene),
            _ => self.sums.show(ui, scene),
        }
    }

    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        match scene.tab(&TABS) {
            0 => self.row.formula_ui(ui, scene),
            1 => self.similar.formula_ui(ui, scene),
            2 => self.nearest.formula_ui(ui),
            3 => self.map.formula_ui(ui),
            _ => self.sums.formula_ui(ui),
        }
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        let token = scene.said(scene.position());
        let id = id(scene).to_string();
        let (d_model, n_rows) = (scene.facts.d_model, scene.facts.vocab_size);
        let mut side = kit::side(
            &stages::EMBEDDING,
            &[
                ("token", &token),
                ("id", &id),
                ("d_model", &d_model.to_string()),
                ("vocab", &crate::trace::units::count(n_rows as u64)),
            ],
        );
        side.meta = vec![format!(
            "[pos {}, d_model {d_model}] · f32",
            scene.pass_range().len()
        )];
        if let Some(table) = table(scene) {
            let packing = match table.packing {
                Some(packing) => format!("{} bits, groups of {}", packing.bits, packing.group_size),
                None => table.dtype.clone(),
            };
            let per_row = table.bytes / table.shape.first().copied().unwrap_or(1).max(1) as u64;
            side.meta.push(format!("{packing} · {per_row} bytes a row"));
            side.meta.push(table.name);
        }
        side.meta.push(scene.address(Hook::Embed).to_string());
        side
    }
}

/// The id of the token in the row on view.
fn id(scene: &Scene<'_>) -> u32 {
    scene
        .run
        .ids
        .get(scene.position())
        .copied()
        .unwrap_or_default()
}

/// The token embedding as the files have it; `None` while it is not known.
fn table(scene: &mut Scene<'_>) -> Option<TensorRow> {
    let model = scene.facts.name.clone();
    let told = scene.ask(&Question::Inspect { model }).ready()?;
    let Told::Inspection(inspection) = &*told else {
        return None;
    };
    let mut tensors = inspection.tensors.iter();
    let is_table = |row: &&TensorRow| row.group == Group::Embedding && !row.name.contains("wpe");
    tensors.find(is_table).cloned()
}

/// Said of a recorded run in place of what takes other words than its own.
const UNRECORDED: &str = "This takes the model: a recorded run holds the rows of its own tokens, and \
                          neither the table of all tokens nor the tokenizer that finds a word's row.";

/// The id of a token that is written so, with a space before it if there is such a one; `None` if
/// it takes several tokens, or is not known yet.
fn word_id(scene: &mut Scene<'_>, word: &str) -> Option<(u32, String)> {
    for text in [format!(" {word}"), word.to_owned()] {
        let question = Question::Tokens {
            model: None,
            text: text.clone(),
            with_begin: false,
        };
        let told = scene.ask(&question).ready()?;
        if let Told::Tokens(tokens) = &*told
            && let [piece] = tokens.pieces.as_slice()
        {
            return Some((piece.id, text));
        }
    }
    None
}
