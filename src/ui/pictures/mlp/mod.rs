//! The MLP: gate, up and their product at one position, the neurons at work, and its activation.

mod neurons;
mod positions;

use egui::{Ui, UiBuilder};

use crate::engine::question::{Question, Told};
use crate::lesson::Click;
use crate::trace::measure::At;
use crate::trace::measure::neurons::{Neuron, Neurons};
use crate::trace::{Address, BlockHook, Hook, Place};
use crate::ui::answers::Asked;
use crate::ui::picture::{
    Check, Heading, Picture, Scene, Side, Spoken, Term, formula_ui, ready_ui,
};
use crate::ui::pictures::parts::try_edit;
use crate::ui::state::Mode;
use crate::ui::theme::Role;
use crate::ui::widgets::heatmap::figure;
use crate::ui::words::{fill, stages};

const TABS: [&str; 2] = ["One position", "All positions"];

/// Neurons that are asked for; as many are listed as there is room for.
const LISTED: usize = 24;

/// The MLP of a block.
#[derive(Default)]
pub struct MlpPicture {
    positions: positions::Positions,
    is_sorted: bool,
}

/// The function between the MLP's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Activation {
    Silu,
    Gelu,
}

impl Activation {
    /// That of the model on view, from its `config.json`.
    fn of(scene: &mut Scene<'_>) -> Self {
        let told = scene.ask(&Question::Family { model: None }).ready();
        let Some(Told::Family(family)) = told.as_deref() else {
            return Self::Silu;
        };
        let names = ["hidden_act", "activation_function"];
        let name = names
            .iter()
            .find_map(|name| family.config.get(*name)?.as_str());
        match name {
            Some(name) if name.contains("gelu") => Self::Gelu,
            _ => Self::Silu,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Silu => "SiLU",
            Self::Gelu => "GELU",
        }
    }

    /// Its value: x·σ(x), or GELU's tanh form (Hendrycks and Gimpel, 2016).
    fn at(self, x: f64) -> f64 {
        match self {
            Self::Silu => x / (1.0 + (-x).exp()),
            Self::Gelu => {
                let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
                0.5 * x * (1.0 + inner.tanh())
            }
        }
    }
}

fn neurons(scene: &mut Scene<'_>) -> Asked<Told> {
    let at = At {
        pass: scene.view.pass(),
        row: scene.row(),
    };
    let layer = scene.view.layer;
    scene.ask(&Question::Neurons {
        at,
        layer,
        k: LISTED,
    })
}

impl Picture for MlpPicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        Heading {
            title: stages::MLP.title.into(),
            detail: format!(
                "block {} at **{}**",
                scene.view.layer,
                scene.said(scene.position())
            ),
            sentence: stages::MLP.sentence.into(),
        }
    }

    fn tabs(&self) -> &'static [&'static str] {
        &TABS
    }

    fn spoken(&mut self, scene: &mut Scene<'_>) -> Option<Spoken> {
        if asks_for_it(scene) {
            return None;
        }
        let told = neurons(scene).ready()?;
        let Told::Neurons(seen) = &*told else {
            return None;
        };
        let most = seen.top.first().filter(|_| scene.tab(&TABS) == 0)?;
        let (neuron, n, quiet) = (most.neuron, seen.n_neurons, seen.n_near_zero);
        let at = scene.name(scene.position());
        let value = figure(most.post);
        Some(Spoken {
            sentence: format!("At “{at}” neuron {neuron} is the most active of {n}."),
            detail: format!("It gives **{value}**; {quiet} others are near zero."),
            role: Role::Mlp,
        })
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        if scene.tab(&TABS) == 1 {
            self.positions.show(ui, scene);
            return;
        }
        let asked = neurons(scene);
        let Some(told) = ready_ui(ui, asked) else {
            return;
        };
        let Told::Neurons(seen) = &*told else {
            return;
        };
        let room = ui.available_rect_before_wrap();
        let strips = 168.0_f32.min(room.height() * 0.4);
        let mut below = room;
        below.min.y = room.bottom() - strips;
        let mut left = room;
        left.max.y = below.top() - 12.0;
        let mut right = left;
        left.max.x = room.left() + room.width() * 0.56;
        right.min.x = left.right() + 28.0;
        ui.scope_builder(UiBuilder::new().max_rect(left), |ui| {
            neurons::bars_ui(ui, scene, seen);
        });
        let activation = Activation::of(scene);
        ui.scope_builder(UiBuilder::new().max_rect(right), |ui| {
            neurons::curve_ui(ui, activation, seen);
        });
        ui.scope_builder(UiBuilder::new().max_rect(below), |ui| {
            neurons::strips_ui(ui, scene, activation, &mut self.is_sorted);
        });
    }

    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let neuron = shown(scene);
        let Some(neuron) = neuron else {
            formula_ui(
                ui,
                &[Term::words("Point at a neuron to see its numbers.")],
                "",
            );
            return;
        };
        let activation = Activation::of(scene);
        let passed = activation.at(f64::from(neuron.pre)) as f32;
        let mut terms = vec![
            Term::of(Role::Mlp, format!("neuron {}", neuron.neuron)),
            Term::words("="),
            Term::words(activation.name()),
            Term::number(format!("({})", figure(neuron.pre))),
        ];
        if let Some(up) = neuron.pre_linear {
            terms.push(Term::words("× up"));
            terms.push(Term::number(figure(up)));
            terms.push(Term::words("="));
            terms.push(Term::number(format!("{} × {}", figure(passed), figure(up))));
        }
        terms.push(Term::words("="));
        terms.push(Term::result(Role::Mlp, figure(neuron.post)));
        formula_ui(ui, &terms, &address(scene, neuron.neuron).to_string());
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        let told = neurons(scene).ready();
        let seen = match told.as_deref() {
            Some(Told::Neurons(seen)) => Some(seen),
            _ => None,
        };
        let is_gated = scene.facts.has(BlockHook::PreLinear);
        let happens = if is_gated {
            stages::MLP.happens
        } else {
            stages::PLAIN_MLP_HAPPENS
        };
        let token = scene.said(scene.position());
        let n = seen.map_or_else(|| "its".to_owned(), |seen| seen.n_neurons.to_string());
        let layer = scene.view.layer;
        let strongest = seen.and_then(|seen| seen.top.first()).and_then(|neuron| {
            let text = format!("blocks.{layer}.mlp.hook_post[:, {}]=zero", neuron.neuron);
            try_edit(format!("Switch neuron {} off", neuron.neuron), &text)
        });
        let whole = try_edit(
            "Switch this MLP off",
            &format!("blocks.{layer}.hook_mlp_out=zero"),
        );
        let n_pos = scene.pass_range().len();
        let mut meta = Vec::new();
        meta.extend(seen.map(|seen| format!("[pos {n_pos}, d_mlp {}] · f32", seen.n_neurons)));
        meta.push(
            scene
                .address(Hook::Block(layer, BlockHook::Post))
                .to_string(),
        );
        Side {
            happens: fill(happens, &[("token", &token), ("n_neurons", &n)]),
            look_for: stages::MLP.look_for.into(),
            does_not_say: stages::MLP.not_said.unwrap_or_default().into(),
            tries: strongest.into_iter().chain(whole).collect(),
            check: seen.and_then(check),
            meta,
        }
    }
}

/// The address of a neuron's activation at the chosen position.
fn address(scene: &Scene<'_>, neuron: usize) -> Address {
    let mut address = scene.address(Hook::Block(scene.view.layer, BlockHook::Post));
    address.index = vec![scene.row(), neuron];
    address
}

/// The neuron that is hovered or was clicked; the strongest one, if none.
fn shown(scene: &mut Scene<'_>) -> Option<Neuron> {
    let layer = scene.view.layer;
    let is_ours = |at: &&Address| {
        let hooks = [BlockHook::Post, BlockHook::Pre, BlockHook::PreLinear];
        hooks
            .map(|hook| Place::Hook(Hook::Block(layer, hook)))
            .contains(&at.place)
    };
    let chosen = scene
        .view
        .cell()
        .filter(is_ours)
        .and_then(|at| at.index.get(1))
        .copied();
    let Some(neuron) = chosen else {
        if asks_for_it(scene) {
            return None;
        }
        let told = neurons(scene).ready()?;
        let Told::Neurons(seen) = &*told else {
            return None;
        };
        return seen.top.first().copied();
    };
    let index = [scene.row(), neuron];
    let mut value = |hook| {
        scene
            .value_at(Hook::Block(layer, hook))
            .ready()?
            .value(&index)
    };
    Some(Neuron {
        neuron,
        pre: value(BlockHook::Pre)?,
        pre_linear: value(BlockHook::PreLinear),
        post: value(BlockHook::Post)?,
    })
}

/// Whether a question of a lesson waits for a neuron: none may be marked by itself.
fn asks_for_it(scene: &Scene<'_>) -> bool {
    let open = scene.board.open.as_ref();
    let open = open.filter(|_| scene.view.mode == Mode::Lessons);
    open.is_some_and(|open| open.waits_for_click(&[Click::Neuron]))
}

/// How many neurons are near zero.
fn check(seen: &Neurons) -> Option<Check> {
    let share = seen.n_near_zero * 100 / seen.n_neurons.max(1);
    let right = match share {
        0..10 => 0,
        10..50 => 1,
        _ => 2,
    };
    Some(Check {
        question: "How many neurons are near zero here: below a hundredth of the strongest?".into(),
        answers: vec![
            "Fewer than one in ten".into(),
            "Up to half".into(),
            "More than half".into(),
        ],
        right,
        because: format!("{} of {}", seen.n_near_zero, seen.n_neurons),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_press_negative_numbers_near_zero() {
        for activation in [Activation::Silu, Activation::Gelu] {
            assert_eq!(activation.at(0.0), 0.0);
            assert!((activation.at(10.0) - 10.0).abs() < 1e-3);
            assert!(activation.at(-10.0).abs() < 1e-3);
        }
        assert!((Activation::Silu.at(1.0) - 0.731_058).abs() < 1e-5);
        assert!((Activation::Gelu.at(1.0) - 0.841_192).abs() < 1e-5);
    }
}
