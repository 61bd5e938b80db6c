//! Compare: two runs side by side, and where they part.

mod answers;
mod difference;
mod setup;
mod states;

use std::sync::Arc;

use egui::Ui;

use super::kit::{self, note_ui};
use crate::engine::question::{Question, Told};
use crate::trace::debug::RunState;
use crate::trace::measure::compare::Comparison;
use crate::ui::answers::Asked;
use crate::ui::link::Other;
use crate::ui::picture::{Heading, Picture, Scene, Side, Term, formula_ui, ready_ui};
use crate::ui::theme::space;
use crate::ui::words::stages;

/// The two runs, and how they are shown.
#[derive(Default)]
pub struct ComparePicture {
    setup: setup::Setup,
    answers: answers::Answers,
    states: states::States,
    difference: difference::Difference,
}

const TABS: [&str; 3] = ["Answers", "States", "Difference"];

impl Picture for ComparePicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        let (detail, sentence) = match scene.tab(&TABS) {
            1 => (
                "layer by layer, position by position",
                "How far the states of the two runs lie apart, from equal to pointing elsewhere.",
            ),
            2 => (
                "one value of both",
                "The same value in both runs, and the one less the other.",
            ),
            _ => ("two runs", stages::COMPARE.sentence),
        };
        Heading {
            sentence: sentence.into(),
            ..kit::heading(&stages::COMPARE, detail)
        }
    }

    fn tabs(&self) -> &'static [&'static str] {
        &TABS
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        self.setup.show(ui, scene);
        ui.add_space(space::TINY);
        if !self.setup.is_open() {
            return self.setup.closed_ui(ui);
        }
        let other = match scene.link.other() {
            Other::Ready(run) => run,
            Other::Opening => return note_ui(ui, "The other side is being read …"),
            Other::Failed(why) => return note_ui(ui, &why),
            Other::Closed => return self.setup.closed_ui(ui),
        };
        if scene.tab(&TABS) == 2 {
            self.difference.show(ui, scene, &other);
            return;
        }
        let Some(told) = ready_ui(ui, compared(scene, self.setup.tolerance())) else {
            return;
        };
        let Told::Compare(comparison) = &*told else {
            return;
        };
        match scene.tab(&TABS) {
            0 => self
                .answers
                .show(ui, scene, comparison, &other, self.setup.is_about_draws()),
            _ => self.states.show(ui, scene, comparison, &told),
        }
    }

    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        match scene.tab(&TABS) {
            1 => self.states.formula_ui(ui),
            2 => self.difference.formula_ui(ui),
            _ => {
                let told = self.told(scene);
                match told.as_deref() {
                    Some(Told::Compare(comparison)) => answers::formula(ui, comparison),
                    _ => formula_ui(ui, &[Term::words("Choose another side and compare.")], ""),
                }
            }
        }
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        let mut side = kit::side(&stages::COMPARE, &[]);
        if let Some(told) = self.told(scene)
            && let Told::Compare(comparison) = &*told
        {
            side.meta = meta(comparison);
        }
        side
    }
}

/// The comparison, asked for where there is another side.
fn compared(scene: &mut Scene<'_>, tolerance: f32) -> Asked<Told> {
    let with = scene.link.other_session();
    scene.ask(&Question::Compare { with, tolerance })
}

impl ComparePicture {
    /// The comparison on view, once it is there.
    fn told(&self, scene: &mut Scene<'_>) -> Option<Arc<Told>> {
        match scene.link.other() {
            Other::Ready(_) if self.setup.is_open() => {
                compared(scene, self.setup.tolerance()).ready()
            }
            _ => None,
        }
    }
}

fn meta(comparison: &Comparison) -> Vec<String> {
    let mut meta = vec![
        format!(
            "{} and {} tokens",
            comparison.a.tokens.len(),
            comparison.b.tokens.len()
        ),
        format!("{} · {}", comparison.a.model, comparison.b.model),
    ];
    if let Some(bits) = comparison.kl_bits {
        meta.push(format!("{bits:.4} bits apart"));
    }
    meta
}

/// A token of the other side at `position`, as people read it.
fn other_name(other: &RunState, position: usize) -> String {
    let text = other
        .texts
        .get(position)
        .map(|text| crate::ui::tokens::visible(text.trim()));
    text.unwrap_or_default()
}
