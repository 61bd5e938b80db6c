//! A block as a whole: the residual stream flows past, two parts read it and add to it.

mod flow;
mod positions;

use egui::Ui;

use crate::engine::question::{Question, Seen, Told};
use crate::trace::measure::vector::size;
use crate::trace::{BlockHook, Hook, HostTensor, Place, Stage};
use crate::ui::command::Command;
use crate::ui::picture::{Check, Heading, Picture, Scene, Side, Term, formula_ui};
use crate::ui::pictures::parts::try_edit;
use crate::ui::spot::Spot;
use crate::ui::theme::Role;
use crate::ui::widgets::heatmap::figure;
use crate::ui::words::{fill, stages};

const TABS: [&str; 2] = ["One position", "All positions"];

/// The hooks whose values the picture shows, in order of execution.
const SHOWN: [BlockHook; 8] = [
    BlockHook::ResidPre,
    BlockHook::Ln1,
    BlockHook::AttnOut,
    BlockHook::ResidMid,
    BlockHook::Ln2,
    BlockHook::Post,
    BlockHook::MlpOut,
    BlockHook::ResidPost,
];

/// The values that parts lead to and the picture does not show itself.
const LEADS: [BlockHook; 4] = [
    BlockHook::Q,
    BlockHook::RotQ,
    BlockHook::Pattern,
    BlockHook::Z,
];

/// One block.
pub struct BlockPicture;

/// What has been computed of a block at one position.
#[derive(Default)]
struct Flow {
    values: Vec<(BlockHook, HostTensor)>,
    /// Of a recorded run: the values that parts lead to, where they were recorded.
    recorded: Option<Vec<BlockHook>>,
}

impl Flow {
    /// The values at the chosen position; those not computed yet are left out.
    fn at_row(scene: &mut Scene<'_>) -> Self {
        let (layer, row) = (scene.view.layer, scene.row());
        let address = |hook| {
            let mut address = scene.address(Hook::Block(layer, hook));
            address.index = vec![row];
            address
        };
        let addresses = SHOWN.map(address).to_vec();
        let told = scene.ask(&Question::Values(addresses)).ready();
        let Some(Told::Values(seen)) = told.as_deref() else {
            return Self::default();
        };
        let value = |(hook, seen): (BlockHook, &Seen)| Some((hook, seen.value.clone().ok()?));
        let values = SHOWN.into_iter().zip(seen).filter_map(value).collect();
        let recorded = scene.view.recorded.is_some();
        let recorded = recorded.then(|| Self::recorded(scene, layer, row));
        Self { values, recorded }
    }

    /// Which of the values that parts lead to are in the file.
    fn recorded(scene: &mut Scene<'_>, layer: usize, row: usize) -> Vec<BlockHook> {
        let address = |hook| {
            let mut address = scene.address(Hook::Block(layer, hook));
            // One head of the maps, one position of the others.
            address.index = vec![if hook == BlockHook::Pattern { 0 } else { row }];
            address
        };
        let told = scene
            .ask(&Question::Values(LEADS.map(address).to_vec()))
            .ready();
        let Some(Told::Values(seen)) = told.as_deref() else {
            return Vec::new();
        };
        let there = LEADS.into_iter().zip(seen);
        let there = there.filter(|(_, seen)| seen.value.is_ok());
        there.map(|(hook, _)| hook).collect()
    }

    /// Whether there is something to see where a part leads, which gives `gives`.
    fn has(&self, leads: BlockHook, gives: BlockHook) -> bool {
        match &self.recorded {
            Some(recorded) => recorded.contains(&leads) || self.get(leads).is_some(),
            None => self.get(gives).is_some(),
        }
    }

    /// What is said of a part without values.
    fn lack(&self) -> &'static str {
        match self.recorded {
            Some(_) => "not recorded",
            None => "not yet",
        }
    }

    fn get(&self, hook: BlockHook) -> Option<&[f32]> {
        let found = self.values.iter().find(|(known, _)| *known == hook);
        found.map(|(_, value)| value.values())
    }

    fn size(&self, hook: BlockHook) -> Option<f32> {
        self.get(hook).map(|value| size(value) as f32)
    }

    /// A size as it is written; a dash for what is not there.
    fn figure(&self, hook: BlockHook) -> String {
        self.size(hook).map_or_else(|| "–".to_owned(), figure)
    }
}

/// The block's part that shows `hook`, in the pass on view.
fn spot(scene: &Scene<'_>, hook: BlockHook) -> Spot {
    let place = Place::Hook(Hook::Block(scene.view.layer, hook));
    Spot::at(place, Some(scene.view.pass()))
}

impl Picture for BlockPicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        Heading {
            title: format!("{} {}", stages::BLOCK.title, scene.view.layer),
            detail: format!("of {}", scene.facts.n_layers),
            sentence: stages::BLOCK.sentence.into(),
        }
    }

    fn tabs(&self) -> &'static [&'static str] {
        &TABS
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        match scene.tab(&TABS) {
            0 => {
                let flow = Flow::at_row(scene);
                flow::flow_ui(ui, scene, &flow);
            }
            _ => positions::positions_ui(ui, scene),
        }
    }

    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let flow = Flow::at_row(scene);
        let terms = [
            Term::of(Role::Residual, "stream"),
            Term::number(flow.figure(BlockHook::ResidPre)),
            Term::words("+ attention"),
            Term::result(Role::Attention, flow.figure(BlockHook::AttnOut)),
            Term::words("→"),
            Term::number(flow.figure(BlockHook::ResidMid)),
            Term::words("+ MLP"),
            Term::result(Role::Mlp, flow.figure(BlockHook::MlpOut)),
            Term::words("→"),
            Term::number(flow.figure(BlockHook::ResidPost)),
            Term::words("sizes of vectors: they do not simply add"),
        ];
        formula_ui(ui, &terms, "");
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        let layer = scene.view.layer;
        let mlp = try_edit(
            "Switch this MLP off",
            &format!("blocks.{layer}.hook_mlp_out=zero"),
        );
        let attention = try_edit(
            "Switch this attention off",
            &format!("blocks.{layer}.hook_attn_out=zero"),
        );
        let next = (layer + 1 < scene.facts.n_layers).then(|| {
            let place = Place::Stage(Stage::Block(layer + 1));
            let spot = Spot::at(place, Some(scene.view.pass()));
            ("Next block".to_owned(), Command::Go(spot))
        });
        let token = scene.said(scene.position());
        let n_pos = scene.pass_range().len();
        let pass = scene.run.passes.get(scene.view.pass());
        let time = pass.and_then(|pass| {
            let executed = pass.executed.iter();
            let mut found = executed.filter(|(stage, _)| *stage == Stage::Block(layer));
            found.next().map(|(_, secs)| *secs)
        });
        let mut meta = vec![format!(
            "[pos {n_pos}, d_model {}] · f32",
            scene.facts.d_model
        )];
        meta.extend(time.map(crate::trace::units::seconds));
        Side {
            happens: fill(stages::BLOCK.happens, &[("token", &token)]),
            look_for: stages::BLOCK.look_for.into(),
            does_not_say: stages::BLOCK.not_said.unwrap_or_default().into(),
            tries: mlp.into_iter().chain(attention).chain(next).collect(),
            check: Some(Check {
                question: "Which part lets a position see other positions?".into(),
                answers: vec!["Attention".into(), "MLP".into(), "Both".into()],
                right: 0,
                because: "the MLP sees one".into(),
            }),
            meta,
        }
    }
}
