//! RoPE: the pairs of one query or key turn with its position, and a score follows the distance.

mod dials;
mod distance;

use egui::{Ui, UiBuilder};

use crate::engine::question::{Question, Told};
use crate::trace::measure::rope::{RopePair, Rotation, Turned};
use crate::trace::{Address, BlockHook, Hook};
use crate::ui::answers::Asked;
use crate::ui::picture::{Check, Heading, Picture, Scene, Side, Term, formula_ui, ready_ui};
use crate::ui::pictures::parts::place_of;
use crate::ui::theme::Role;
use crate::ui::widgets::heatmap::figure;
use crate::ui::words::stages;

const TABS: [&str; 2] = ["Query", "Key"];

/// Pairs that turn.
#[derive(Default)]
pub struct RopePicture {
    distance: distance::Distance,
}

/// The query and the key on view, before and after.
struct Turns {
    query: Rotation,
    key: Rotation,
}

impl Picture for RopePicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        let (of, position) = match turned(scene) {
            Turned::Queries => ("query", scene.position()),
            Turned::Keys => ("key", key_position(scene)),
        };
        let n_pairs = scene.facts.head_dim / 2;
        let (layer, head) = (scene.view.layer, query_head(scene));
        let token = scene.said(position);
        Heading {
            title: stages::ROPE.title.into(),
            detail: format!(
                "{of} of L{layer}.H{head} at **{token}**, position {position}, {n_pairs} pairs"
            ),
            sentence: stages::ROPE.sentence.into(),
        }
    }

    fn tabs(&self) -> &'static [&'static str] {
        &TABS
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let asked = turns(scene);
        let turns = match asked {
            Ok(turns) => turns,
            Err(state) => {
                ready_ui(ui, state);
                return;
            }
        };
        let room = ui.available_rect_before_wrap();
        let mut left = room;
        left.max.x = room.left() + room.width() * 0.51;
        let mut right = room;
        right.min.x = left.right() + 26.0;
        let rotation = match turned(scene) {
            Turned::Queries => &turns.query,
            Turned::Keys => &turns.key,
        };
        ui.scope_builder(UiBuilder::new().max_rect(left), |ui| {
            dials::dials_ui(ui, scene, rotation);
        });
        ui.scope_builder(UiBuilder::new().max_rect(right), |ui| {
            self.distance.show(ui, scene, &turns);
        });
    }

    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let of = turned(scene);
        let Ok(turns) = turns(scene) else {
            formula_ui(ui, &[], "");
            return;
        };
        let rotation = match of {
            Turned::Queries => &turns.query,
            Turned::Keys => &turns.key,
        };
        let at = shown_pair(scene, rotation);
        let Some(pair) = rotation.pairs.get(at) else {
            return;
        };
        let role = role(of);
        let step = f64::from(rate(pair, rotation.position)).to_degrees();
        let vector = |[x, y]: [f32; 2]| format!("({}, {})", figure(x), figure(y));
        let terms = [
            Term::words(format!("pair {at}:")),
            Term::number(format!("{} × {}", rotation.position, degrees(step))),
            Term::words("="),
            Term::number(degrees(f64::from(pair.angle).to_degrees())),
            Term::words(format!("{} →", vector(pair.before))),
            Term::result(role, vector(pair.after)),
        ];
        formula_ui(ui, &terms, &address(scene, rotation, pair).to_string());
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        let words = &stages::ROPE;
        let facts = scene.facts;
        let n_pos = scene.pass_range().len();
        let turns = turns(scene).ok();
        let hook = Hook::Block(scene.view.layer, BlockHook::RotQ);
        Side {
            happens: words.happens.into(),
            look_for: words.look_for.into(),
            does_not_say: words.not_said.unwrap_or_default().into(),
            check: turns.and_then(|turns| check(scene, &turns)),
            meta: vec![
                format!(
                    "[pos {n_pos}, head {}, head_dim {}] · f32",
                    facts.n_heads, facts.head_dim
                ),
                scene.address(hook).to_string(),
            ],
            ..Side::default()
        }
    }
}

/// Whether queries or keys are on view.
fn turned(scene: &Scene<'_>) -> Turned {
    match scene.tab(&TABS) {
        0 => Turned::Queries,
        _ => Turned::Keys,
    }
}

fn role(of: Turned) -> Role {
    match of {
        Turned::Queries => Role::Query,
        Turned::Keys => Role::Key,
    }
}

fn query_head(scene: &Scene<'_>) -> usize {
    scene.view.head.min(scene.facts.n_heads.saturating_sub(1))
}

/// The key on view: the chosen one, else the one just before the query.
fn key_position(scene: &Scene<'_>) -> usize {
    let own = scene.position();
    let chosen = scene.view.key.filter(|key| *key <= own);
    chosen.unwrap_or_else(|| own.saturating_sub(1))
}

/// The chosen query and key; what became of the question, if they are not there.
fn turns(scene: &mut Scene<'_>) -> Result<Turns, Asked<Told>> {
    let head = query_head(scene);
    let group = (scene.facts.n_heads / scene.facts.n_kv_heads.max(1)).max(1);
    let (own, key) = (scene.position(), key_position(scene));
    let query = rotation(scene, Turned::Queries, head, own)?;
    let key = rotation(scene, Turned::Keys, head / group, key)?;
    Ok(Turns { query, key })
}

fn rotation(
    scene: &mut Scene<'_>,
    of: Turned,
    head: usize,
    position: usize,
) -> Result<Rotation, Asked<Told>> {
    let (pass, row) = place_of(scene, position).ok_or(Asked::Waiting)?;
    let question = Question::Rope {
        pass,
        layer: scene.view.layer,
        of,
        head,
        rows: vec![row],
    };
    let asked = scene.ask(&question);
    let Asked::Ready(told) = &asked else {
        return Err(asked);
    };
    match &**told {
        Told::Rotations(rotations) => rotations.first().cloned().ok_or(Asked::Waiting),
        _ => Err(Asked::Waiting),
    }
}

/// Radians per position that a pair really turns by (the context's scale included).
fn rate(pair: &RopePair, position: usize) -> f32 {
    match position {
        0 => pair.frequency,
        position => pair.angle / position as f32,
    }
}

/// The pair that is hovered or was clicked; the first of middling speed if none.
fn shown_pair(scene: &Scene<'_>, rotation: &Rotation) -> usize {
    let found = scene
        .view
        .cell()
        .and_then(|at| pair_of(scene, rotation, at));
    found
        .unwrap_or(3)
        .min(rotation.pairs.len().saturating_sub(1))
}

/// The pair that an address names, if it is one of this picture.
fn pair_of(scene: &Scene<'_>, rotation: &Rotation, at: &Address) -> Option<usize> {
    let crate::trace::Place::Hook(Hook::Block(layer, BlockHook::RotQ | BlockHook::RotK)) = at.place
    else {
        return None;
    };
    let place = at.index.get(2).filter(|_| layer == scene.view.layer)?;
    rotation
        .pairs
        .iter()
        .position(|pair| pair.places.contains(place))
}

/// The address of a pair's first value.
fn address(scene: &Scene<'_>, rotation: &Rotation, pair: &RopePair) -> Address {
    let hook = match rotation.of {
        Turned::Queries => BlockHook::RotQ,
        Turned::Keys => BlockHook::RotK,
    };
    let mut address = scene.address(Hook::Block(rotation.layer, hook));
    let (pass, row) = place_of(scene, rotation.position).unwrap_or_default();
    address.pass = Some(pass).filter(|pass| *pass > 0);
    address.index = vec![row, rotation.head, pair.places[0]];
    address
}

/// An angle in degrees, or in turns where it is more than one.
fn degrees(angle: f64) -> String {
    match angle.abs() {
        size if size > 360.0 => format!("{:.1} turns", angle / 360.0),
        size if size >= 9.95 => format!("{angle:.0}°"),
        size if size >= 0.05 => format!("{angle:.1}°"),
        0.0 => "0°".to_owned(),
        _ => format!("{angle:.3}°"),
    }
}

/// Whether the same two vectors one apart give a larger product than here.
fn check(scene: &Scene<'_>, turns: &Turns) -> Option<Check> {
    let (own, key) = (scene.position(), key_position(scene));
    let here = own.checked_sub(key)?;
    let (now, then) = (distance::product(turns, here), distance::product(turns, 1));
    let right = match here {
        1 => 2,
        _ if then > now => 0,
        _ => 1,
    };
    Some(Check {
        question: format!(
            "The same query at position 40, the same key at 39: is q · k larger, smaller or the same as here, {here} apart?"
        ),
        answers: vec!["Larger".into(), "Smaller".into(), "The same".into()],
        right,
        because: format!("{} → {}", figure(now as f32), figure(then as f32)),
    })
}
