//! Mixing: the values that a query reads, weighted and summed, and what each head writes.

mod heads;
mod sum;

use egui::{Ui, UiBuilder};

use crate::engine::question::{Question, Seen, Told};
use crate::trace::measure::vector::top_by;
use crate::trace::{Address, BlockHook, Hook, HostTensor, Place};
use crate::ui::answers::Asked;
use crate::ui::picture::{Heading, Picture, Scene, Side, Term, formula_ui, ready_ui, times};
use crate::ui::pictures::parts::{place_of, try_edit};
use crate::ui::theme::Role;
use crate::ui::widgets::heatmap::figure;
use crate::ui::words::{fill, stages};

use heads::{check, heads_ui, writes};
use sum::sum_ui;

/// One query's reading in one head.
pub struct MixingPicture;

/// Keys that are shown one by one.
const SHOWN: usize = 8;

/// What the picture shows: the keys read most, and what comes of them.
struct Mix {
    /// Position, share and value of each key shown.
    keys: Vec<(usize, f32, HostTensor)>,
    /// Share of all other keys together.
    rest: f32,
    /// What the head has read.
    z: HostTensor,
}

fn head(scene: &Scene<'_>) -> usize {
    scene.view.head.min(scene.facts.n_heads.saturating_sub(1))
}

/// The address of a hook of the block on view, at an index.
fn at(scene: &Scene<'_>, hook: BlockHook, index: Vec<usize>) -> Address {
    let mut address = scene.address(Hook::Block(scene.view.layer, hook));
    address.index = index;
    address
}

/// Several values, if all of them are there.
fn values(scene: &mut Scene<'_>, addresses: Vec<Address>) -> Result<Vec<HostTensor>, Asked<Told>> {
    let asked = scene.ask(&Question::Values(addresses));
    let Asked::Ready(told) = &asked else {
        return Err(asked);
    };
    let Told::Values(seen) = &**told else {
        return Err(Asked::Waiting);
    };
    let value = |seen: &Seen| match &seen.value {
        Ok(value) => Ok(value.clone()),
        Err(why) => Err(Asked::Failed(why.as_str().into())),
    };
    seen.iter().map(value).collect()
}

fn mix_of(scene: &mut Scene<'_>) -> Result<Mix, Asked<Told>> {
    let (row, head, own) = (scene.row(), head(scene), scene.position());
    let pattern = at(scene, BlockHook::Pattern, vec![head, row]);
    let z = at(scene, BlockHook::Z, vec![row, head]);
    let mut found = values(scene, vec![pattern, z])?.into_iter();
    let (Some(pattern), Some(z)) = (found.next(), found.next()) else {
        return Err(Asked::Waiting);
    };
    let shares = pattern.values().get(..=own).unwrap_or(pattern.values());
    let mut keys = top_by(shares, SHOWN, |share| f64::from(*share));
    keys.sort_unstable();
    let group = (scene.facts.n_heads / scene.facts.n_kv_heads.max(1)).max(1);
    let address = |key: &usize| {
        let (pass, row) = place_of(scene, *key).unwrap_or_default();
        let mut address = at(scene, BlockHook::V, vec![row, head / group]);
        address.pass = Some(pass).filter(|pass| *pass > 0);
        address
    };
    let addresses: Vec<Address> = keys.iter().map(address).collect();
    let read = values(scene, addresses)?;
    let share = |key: usize| shares.get(key).copied().unwrap_or_default();
    let kept: f32 = keys.iter().map(|key| share(*key)).sum();
    let keys = keys
        .into_iter()
        .zip(read)
        .map(|(key, value)| (key, share(key), value));
    Ok(Mix {
        keys: keys.collect(),
        rest: (1.0 - kept).max(0.0),
        z,
    })
}

/// The dimension whose numbers are shown.
fn dim(scene: &Scene<'_>) -> usize {
    let is_z = |at: &&Address| at.place == Place::Hook(Hook::Block(scene.view.layer, BlockHook::Z));
    let at = scene
        .view
        .cell()
        .filter(is_z)
        .and_then(|at| at.index.get(2));
    at.copied()
        .unwrap_or(0)
        .min(scene.facts.head_dim.saturating_sub(1))
}

impl Picture for MixingPicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        let (layer, head) = (scene.view.layer, head(scene));
        Heading {
            title: stages::MIXING.title.into(),
            detail: format!("L{layer}.H{head} at **{}**", scene.said(scene.position())),
            sentence: stages::MIXING.sentence.into(),
        }
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let room = ui.available_rect_before_wrap();
        let beside = (room.width() * 0.34).clamp(200.0, 380.0);
        let mut left = room;
        left.max.x = room.right() - beside - 28.0;
        let mut right = room;
        right.min.x = room.right() - beside;
        ui.scope_builder(UiBuilder::new().max_rect(left), |ui| match mix_of(scene) {
            Ok(mix) => sum_ui(ui, scene, &mix),
            Err(state) => {
                ready_ui(ui, state);
            }
        });
        ui.scope_builder(UiBuilder::new().max_rect(right), |ui| heads_ui(ui, scene));
    }

    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let dim = dim(scene);
        let address = at(scene, BlockHook::Z, vec![scene.row(), head(scene), dim]).to_string();
        let Ok(mix) = mix_of(scene) else {
            formula_ui(ui, &[Term::words("z = Σ share · v")], &address);
            return;
        };
        let mut parts = mix.keys.iter().collect::<Vec<_>>();
        parts.sort_by(|a, b| b.1.total_cmp(&a.1));
        let name = format!("z[{}, {dim}]", scene.name(scene.position()));
        let mut terms = vec![Term::of(Role::Value, name), Term::words("=")];
        for (place, (_, share, value)) in parts.iter().take(3).enumerate() {
            if place > 0 {
                terms.push(Term::words("+"));
            }
            let v = value.values().get(dim).copied().unwrap_or_default();
            terms.push(Term::number(times(*share, v)));
        }
        terms.push(Term::words("+ … ="));
        let z = mix.z.values().get(dim).copied().unwrap_or_default();
        terms.push(Term::result(Role::Value, figure(z)));
        formula_ui(ui, &terms, &address);
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        let words = &stages::MIXING;
        let token = scene.said(scene.position());
        let n_heads = scene.facts.n_heads.to_string();
        let (row, layer) = (scene.row(), scene.view.layer);
        let sizes = writes(scene).ready();
        let sizes = sizes.as_ref().and_then(|sizes| sizes.at(&[row]));
        let loudest =
            sizes.and_then(|sizes| top_by(sizes, 1, |size| f64::from(*size)).first().copied());
        let tries = loudest.and_then(|head| {
            let text = format!("blocks.{layer}.attn.hook_z[:, {head}]=zero");
            try_edit(format!("Switch H{head}, the loudest, off"), &text)
        });
        let n_pos = scene.pass_range().len();
        let facts = scene.facts;
        Side {
            happens: fill(words.happens, &[("token", &token), ("n_heads", &n_heads)]),
            look_for: words.look_for.into(),
            does_not_say: words.not_said.unwrap_or_default().into(),
            tries: tries.into_iter().collect(),
            check: sizes.and_then(check),
            meta: vec![
                format!(
                    "[pos {n_pos}, head {}, head_dim {}] · f32",
                    facts.n_heads, facts.head_dim
                ),
                scene.address(Hook::Block(layer, BlockHook::Z)).to_string(),
            ],
        }
    }
}
