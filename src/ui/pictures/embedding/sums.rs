//! Embedding arithmetic: king − man + woman.

use egui::Ui;

use super::nearest::{bars_ui, neighbours};
use super::{UNRECORDED, word_id};
use crate::engine::question::{Question, Space};
use crate::trace::measure::space::Neighbour;
use crate::ui::picture::{Scene, Term, formula_ui};
use crate::ui::pictures::kit::{field_ui, note_ui, section_ui};
use crate::ui::theme::{Role, space};
use crate::ui::tokens::visible;
use crate::ui::widgets::chip_ui;
use crate::ui::widgets::heatmap::figure;

/// The sum that was typed.
pub struct Sums {
    sum: String,
    hovered: Option<Neighbour>,
}

const EXAMPLES: [&str; 5] = [
    "king − man + woman",
    "Paris − France + Japan",
    "hot − cold + small",
    "dogs − dog + cat",
    "Berlin − Germany + Italy",
];

impl Default for Sums {
    fn default() -> Self {
        Self {
            sum: EXAMPLES.first().copied().unwrap_or_default().to_owned(),
            hovered: None,
        }
    }
}

impl Sums {
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        self.hovered = None;
        if scene.view.recorded.is_some() {
            return note_ui(ui, UNRECORDED);
        }
        ui.horizontal_wrapped(|ui| {
            field_ui(
                ui,
                "a sum of words",
                "king − man + woman",
                &mut self.sum,
                260.0,
            );
            for example in EXAMPLES {
                if chip_ui(ui, example, self.sum == example).clicked() {
                    example.clone_into(&mut self.sum);
                }
            }
        });
        let (plus, minus, missing) = self.resolve(scene);
        for word in missing {
            note_ui(
                ui,
                &format!("“{word}” is no single token of this model, and has no row of its own."),
            );
        }
        if plus.is_empty() && minus.is_empty() {
            return;
        }
        let question = Question::Arithmetic {
            model: None,
            space: Space::Input,
            plus,
            minus,
            k: 16,
        };
        let asked = scene.ask(&question);
        let Some(found) = neighbours(ui, asked) else {
            return;
        };
        ui.add_space(space::TINY);
        section_ui(ui, "Nearest to the sum", "");
        bars_ui(ui, scene, "nearest to the sum", &found, &mut self.hovered);
        ui.add_space(space::SMALL);
        note_ui(
            ui,
            "Every row is first brought to length 1. The words of the sum themselves are left out: often the first of them would be nearest, which is why such examples look better than they are.",
        );
    }

    /// The tokens of the sum, and the words that are none.
    fn resolve(&self, scene: &mut Scene<'_>) -> (Vec<u32>, Vec<u32>, Vec<String>) {
        let (mut plus, mut minus, mut missing) = (Vec::new(), Vec::new(), Vec::new());
        for (is_plus, word) in parts(&self.sum) {
            match word_id(scene, &word) {
                Some((id, _)) if is_plus => plus.push(id),
                Some((id, _)) => minus.push(id),
                None if scene.link.is_idle() => missing.push(word),
                None => {}
            }
        }
        (plus, minus, missing)
    }

    pub fn formula_ui(&self, ui: &mut Ui) {
        let sum = Term::of(Role::Residual, self.sum.trim());
        let terms = match &self.hovered {
            Some(neighbour) => vec![
                Term::words("cos("),
                sum,
                Term::words(","),
                Term::of(Role::Residual, visible(neighbour.token.text.trim())),
                Term::words(") ="),
                Term::result(Role::Query, figure(neighbour.cosine as f32)),
            ],
            None => vec![
                sum,
                Term::words("· point at a token to see its cosine with the sum"),
            ],
        };
        formula_ui(ui, &terms, "rows of length 1");
    }
}

/// The words of a sum, and whether each is added.
fn parts(sum: &str) -> Vec<(bool, String)> {
    let mut parts = Vec::new();
    let (mut is_plus, mut word) = (true, String::new());
    for letter in sum.chars().chain(['+']) {
        match letter {
            '+' | '-' | '−' => {
                let found = word.trim().to_owned();
                if !found.is_empty() {
                    parts.push((is_plus, found));
                }
                word.clear();
                is_plus = letter == '+';
            }
            other => word.push(other),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_read_with_either_minus() {
        let word = |is_plus: bool, text: &str| (is_plus, text.to_owned());
        assert_eq!(
            parts("king − man + woman"),
            [word(true, "king"), word(false, "man"), word(true, "woman")]
        );
        assert_eq!(parts("-a"), [word(false, "a")]);
        assert_eq!(parts(" + "), []);
    }
}
