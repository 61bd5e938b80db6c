//! The residual stream through the layers: what the output table would read in it, how large it
//! is and what was written to it, and what each writer adds to a token's logit.

mod contributions;
mod lens;
mod rank;
mod sizes;

use egui::Ui;

use crate::trace::debug::{DebugCommand, EditChange};
use crate::trace::measure::{At, NamedToken, Point};
use crate::trace::{Address, BlockHook, Hook, Stage};
use crate::ui::command::{Command, Pointing};
use crate::ui::picture::{Heading, Picture, Scene, Side, Term, formula_ui};
use crate::ui::pictures::parts::try_edit;
use crate::ui::pictures::shared::{n_blocks_run, run_first_ui};
use crate::ui::words::{fill, stages};

/// The sides of the picture.
const TABS: [&str; 3] = ["Size", "Logit lens", "Contributions"];

/// The residual stream.
#[derive(Default)]
pub struct ResidualPicture {
    lens: lens::LensPart,
    sizes: sizes::SizesPart,
    contributions: contributions::ContributionsPart,
    /// The token whose way is followed; the model's own answer if `None`.
    followed: Option<NamedToken>,
}

impl Picture for ResidualPicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        let name = scene.said(scene.position());
        let (detail, sentence) = match scene.tab_or(&TABS, 1) {
            0 => (
                format!("how large it is at **{name}**"),
                "Euclidean size of the stream after every part, and of what each part wrote to it. Parts add; nothing is overwritten.",
            ),
            1 => (
                "what the output table reads here".to_owned(),
                "The final norm and the output table, applied after every block; percent. A low rank does not mean that it is absent.",
            ),
            _ => (
                format!("to the logits after **{name}**"),
                "A logit is a sum: every writer adds its part, once the final norm's divisor is held. Later blocks also read what earlier ones wrote; that is not in here.",
            ),
        };
        Heading {
            title: stages::RESIDUAL.title.into(),
            detail,
            sentence: sentence.into(),
        }
    }

    fn tabs(&self) -> &'static [&'static str] {
        &TABS
    }

    fn default_tab(&self) -> usize {
        1
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        if !scene.run.has_stage(scene.view.pass(), Stage::Embed) {
            let needs = "The stream begins with the embedding, which is not computed yet.";
            run_first_ui(ui, scene, needs, Stage::Embed);
            return;
        }
        match scene.tab_or(&TABS, 1) {
            0 => self.sizes.show(ui, scene),
            1 => self.lens.show(ui, scene, &mut self.followed),
            _ => self.contributions.show(ui, scene, &mut self.followed),
        }
    }

    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let (terms, address) = match scene.tab_or(&TABS, 1) {
            0 => self.sizes.formula(scene),
            1 => self.lens.formula(scene),
            _ => self.contributions.formula(scene),
        };
        match terms.is_empty() {
            true => formula_ui(
                ui,
                &[Term::words("Point at something to see its numbers.")],
                "",
            ),
            false => formula_ui(ui, &terms, &address),
        }
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        let words = &stages::RESIDUAL;
        let token = scene.said(scene.position());
        let n_run = n_blocks_run(scene);
        let layer = n_run.saturating_sub(1);
        let hook = Hook::Block(layer, BlockHook::ResidPost);
        Side {
            happens: fill(words.happens, &[("token", &token)]),
            look_for: words.look_for.into(),
            does_not_say: words.not_said.unwrap_or_default().into(),
            tries: self.tries(scene, n_run),
            check: None,
            meta: vec![
                format!(
                    "[pos {}, d_model {}] × {n_run} · f32",
                    scene.pass_range().len(),
                    scene.facts.d_model
                ),
                scene.address(hook).to_string(),
            ],
        }
    }
}

impl ResidualPicture {
    fn tries(&self, scene: &Scene<'_>, n_run: usize) -> Vec<(String, Command)> {
        let mut tries = Vec::new();
        if let Some(layer) = n_run.checked_sub(1) {
            let off = format!("blocks.{layer}.hook_mlp_out=zero");
            let has = scene.run.edits.edits().iter().any(|edit| edit.name == off);
            let label = format!("Switch block {layer}'s MLP off");
            tries.extend(try_edit(label, &off).filter(|_| !has));
        }
        if scene.run.edits.acts() {
            let off = DebugCommand::Edit {
                change: EditChange::SwitchAll(false),
                catch_up: true,
            };
            tries.push(("Switch all edits off".into(), Command::Tell(off)));
        }
        if scene.row() > 0 {
            let before = scene.position().saturating_sub(1);
            let point = Command::Point(Pointing::Token(before));
            tries.push(("The position before".into(), point));
        }
        if scene.tab_or(&TABS, 1) != 2 {
            let tab = Command::Tab("contributions".into());
            tries.push(("Difference of two tokens".into(), tab));
        }
        tries
    }
}

/// The row of the pass on view that is chosen.
fn at(scene: &Scene<'_>) -> At {
    At {
        pass: scene.view.pass(),
        row: scene.row(),
    }
}

/// The hook that holds the stream at `point`.
fn hook_at(point: Point) -> Hook {
    match point {
        Point::Embed => Hook::Block(0, BlockHook::ResidPre),
        Point::AfterAttention(layer) => Hook::Block(layer, BlockHook::ResidMid),
        Point::AfterMlp(layer) => Hook::Block(layer, BlockHook::ResidPost),
    }
}

/// The address of the stream at `point` in `row`.
fn address(scene: &Scene<'_>, point: Point, row: usize) -> Address {
    let mut address = scene.address(hook_at(point));
    address.index = vec![row];
    address
}

/// The point and the row that an address names, if it is one of the stream.
fn point_of(scene: &Scene<'_>, at: &Address) -> Option<(Point, usize)> {
    let row = *at.index.first()?;
    let point = Point::all(scene.facts.n_layers)
        .find(|point| at.place == crate::trace::Place::Hook(hook_at(*point)))?;
    Some((point, row))
}

/// Where a point lies, in a few words: `after block 5`.
fn point_name(point: Point) -> String {
    match point {
        Point::Embed => "embedding".to_owned(),
        Point::AfterAttention(layer) => format!("attention {layer}"),
        Point::AfterMlp(layer) => format!("after block {layer}"),
    }
}
