//! Tokens: the text cut into pieces that each have a number, and how the cutting goes.

mod bytes;
mod chips;
mod line;
mod merges;
mod spelling;
mod variants;
mod vocabulary;

use egui::Ui;

use super::kit;
use super::text::{text_read, tokens_read};
use crate::engine::question::{TextPiece, Told};
use crate::ui::command::Command;
use crate::ui::picture::{Heading, Picture, Scene, Side, Spoken, Term, formula_ui};
use crate::ui::state::Overlay;
use crate::ui::theme::Role;
use crate::ui::tokens::visible;
use crate::ui::words::stages;

/// Chips, merges, bytes and the vocabulary.
#[derive(Default)]
pub struct TokensPicture {
    chips: chips::Chips,
    merges: merges::Merges,
    bytes: bytes::Bytes,
    vocabulary: vocabulary::Leaves,
}

const TABS: [&str; 4] = ["Chips", "Merges", "Bytes", "Vocabulary"];

impl Picture for TokensPicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        let n_vocab = crate::trace::units::count(scene.facts.vocab_size as u64);
        let (detail, sentence) = match scene.tab(&TABS) {
            1 => (
                self.merges.told(),
                "The word is cut into bytes. Then, of all pairs on the learned list, the one learned first is joined, again and again.",
            ),
            2 => (
                format!("token {}", scene.view.token),
                "A token stands for a few bytes of UTF-8. A character may lie in one token, or be spread over several.",
            ),
            3 => (
                format!("{n_vocab} tokens"),
                "Every piece that the model knows, by number. The number is the row of the embedding table.",
            ),
            _ => (
                format!(
                    "{} tokens, from a vocabulary of {n_vocab}",
                    scene.run.ids.len()
                ),
                stages::TOKENS.sentence,
            ),
        };
        Heading {
            sentence: sentence.into(),
            ..kit::heading(&stages::TOKENS, detail)
        }
    }

    fn tabs(&self) -> &'static [&'static str] {
        &TABS
    }

    fn spoken(&mut self, scene: &mut Scene<'_>) -> Option<Spoken> {
        let (text, _) = text_read(scene).filter(|_| scene.tab(&TABS) == 0)?;
        let (letters, tokens) = (text.chars().count(), scene.run.prompt_len);
        let per = letters as f64 / tokens.max(1) as f64;
        Some(Spoken {
            sentence: format!("{letters} characters become {tokens} tokens."),
            detail: format!(
                "**{per:.1}** characters a token: pieces that the model knows by number."
            ),
            role: Role::Residual,
        })
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        match scene.tab(&TABS) {
            0 => self.chips.show(ui, scene),
            1 => self.merges.show(ui, scene),
            2 => self.bytes.show(ui, scene),
            _ => self.vocabulary.show(ui, scene),
        }
    }

    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        match scene.tab(&TABS) {
            1 => self.merges.formula_ui(ui, scene),
            3 => self.vocabulary.formula_ui(ui),
            _ => token_formula_ui(ui, scene, self.chips.hovered.or(self.bytes.hovered)),
        }
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        let n_vocab = crate::trace::units::count(scene.facts.vocab_size as u64);
        let mut side = kit::side(&stages::TOKENS, &[("vocab", &n_vocab)]);
        side.tries = vec![
            (
                "Your own text".into(),
                Command::Overlay(Some(Overlay::Prompt)),
            ),
            ("Play the merges".into(), Command::Tab("merges".into())),
        ];
        side.meta = vec![format!("{} tokens", scene.run.ids.len())];
        if let Some((text, _)) = text_read(scene) {
            let n_bytes = crate::trace::units::count(text.len() as u64);
            side.meta.push(format!("the prompt: {n_bytes} bytes"));
        }
        side
    }
}

/// What the tokenizer says of the token at `at`; `None` while it is not known, or where the model
/// wrote it.
fn piece(scene: &mut Scene<'_>, at: usize) -> Option<TextPiece> {
    let told = tokens_read(scene).ready()?;
    match &*told {
        Told::Tokens(tokens) => tokens.pieces.get(at).cloned(),
        _ => None,
    }
}

/// A token from its text through its bytes to its number.
fn token_formula_ui(ui: &mut Ui, scene: &mut Scene<'_>, hovered: Option<usize>) {
    let at = hovered.unwrap_or(scene.view.token);
    let id = scene.run.ids.get(at).copied().unwrap_or_default();
    let text = scene
        .run
        .texts
        .get(at)
        .map(|text| visible(text))
        .unwrap_or_default();
    let mut terms = vec![Term::of(Role::Residual, format!("“{text}”"))];
    if let Some(piece) = piece(scene, at) {
        terms.push(Term::words("bytes"));
        terms.push(Term::number(hex(&piece.bytes, 12)));
    } else if at >= scene.run.prompt_len {
        terms.push(Term::words("was drawn by the model"));
    }
    terms.push(Term::words("→ id"));
    terms.push(Term::result(Role::Residual, id.to_string()));
    formula_ui(ui, &terms, &format!("tokens[{at}]"));
}

/// The first `most` bytes in hexadecimal digits.
fn hex(bytes: &[u8], most: usize) -> String {
    let shown: Vec<String> = bytes
        .iter()
        .take(most)
        .map(|byte| format!("{byte:02X}"))
        .collect();
    let rest = if bytes.len() > most { " …" } else { "" };
    format!("{}{rest}", shown.join(" "))
}
