//! Q, K, V: what each position asks, what it is found by, what it hands over; head by head.

mod heads;
mod product;

use egui::Ui;

use crate::engine::question::{Question, Told};
use crate::trace::measure::At;
use crate::trace::measure::cell::Cell;
use crate::trace::{Address, BlockHook, Hook, units};
use crate::ui::answers::Asked;
use crate::ui::command::Pointing;
use crate::ui::picture::{Check, Heading, Picture, Scene, Side, Term, formula_ui, times};
use crate::ui::pictures::parts::module;
use crate::ui::theme::Role;
use crate::ui::widgets::heatmap::figure;
use crate::ui::words::{fill, stages};

const TABS: [&str; 3] = ["Heads", "One dot product", "Weights"];

/// Queries, keys and values of a block.
#[derive(Default)]
pub struct QkvPicture {
    heads: heads::Heads,
    product: product::Product,
}

/// Which of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Query,
    Key,
    Value,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Query, Self::Key, Self::Value];

    fn hook(self) -> BlockHook {
        match self {
            Self::Query => BlockHook::Q,
            Self::Key => BlockHook::K,
            Self::Value => BlockHook::V,
        }
    }

    fn role(self) -> Role {
        match self {
            Self::Query => Role::Query,
            Self::Key => Role::Key,
            Self::Value => Role::Value,
        }
    }

    /// `q`, `k` or `v`.
    fn letter(self) -> &'static str {
        match self {
            Self::Query => "q",
            Self::Key => "k",
            Self::Value => "v",
        }
    }
}

/// One number: of which of the three, in which head, at which row, which place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    kind: Kind,
    head: usize,
    row: usize,
    dim: usize,
}

impl Place {
    fn address(self, scene: &Scene<'_>) -> Address {
        let mut address = scene.address(Hook::Block(scene.view.layer, self.kind.hook()));
        address.index = vec![self.row, self.head, self.dim];
        address
    }

    /// Which output of its projection it is, and the projection's path.
    fn output(self, scene: &mut Scene<'_>) -> Option<(String, usize)> {
        let head_dim = scene.facts.head_dim;
        let own = self.head * head_dim + self.dim;
        let path = module(scene, self.kind.hook())?;
        // GPT-2 has one projection for all three: queries first, then keys, then values.
        let is_joint = module(scene, BlockHook::Q) == module(scene, BlockHook::K);
        let before = match (is_joint, self.kind) {
            (false, _) | (true, Kind::Query) => 0,
            (true, Kind::Key) => scene.facts.n_heads * head_dim,
            (true, Kind::Value) => (scene.facts.n_heads + scene.facts.n_kv_heads) * head_dim,
        };
        Some((path, before + own))
    }

    /// The sum that it is.
    fn cell(self, scene: &mut Scene<'_>, k: usize) -> Asked<Told> {
        let Some((path, output)) = self.output(scene) else {
            return Asked::Waiting;
        };
        let at = At {
            pass: scene.view.pass(),
            row: self.row,
        };
        let question = Question::Cell {
            path,
            at,
            output,
            k,
        };
        scene.ask(&question)
    }
}

/// The number that an address names, if it is one of this picture.
fn place_of(scene: &Scene<'_>, at: &Address) -> Option<Place> {
    let crate::trace::Place::Hook(Hook::Block(layer, hook)) = at.place else {
        return None;
    };
    let kind = Kind::ALL.into_iter().find(|kind| kind.hook() == hook)?;
    match (layer == scene.view.layer, at.index.as_slice()) {
        (true, [row, head, dim]) => Some(Place {
            kind,
            head: *head,
            row: *row,
            dim: *dim,
        }),
        _ => None,
    }
}

/// The chosen number: the place that was clicked last, at the chosen token.
fn chosen(scene: &Scene<'_>) -> Place {
    let locked = scene
        .view
        .locked
        .as_ref()
        .and_then(|at| place_of(scene, at));
    let place = locked.unwrap_or(Place {
        kind: Kind::Query,
        head: scene.view.head.min(scene.facts.n_heads.saturating_sub(1)),
        row: 0,
        dim: 0,
    });
    Place {
        row: scene.row(),
        ..place
    }
}

/// The number under the pointer, else the chosen one.
fn shown(scene: &Scene<'_>) -> Place {
    let hovered = scene
        .view
        .hovered
        .as_ref()
        .and_then(|at| place_of(scene, at));
    hovered.unwrap_or_else(|| chosen(scene))
}

/// Chooses a number: its row is the token of every picture, its head the head.
fn point(scene: &mut Scene<'_>, place: Place) {
    let address = place.address(scene);
    let start = scene.pass_range().start;
    scene.point(Pointing::Token(start + place.row));
    if place.kind == Kind::Query {
        scene.point(Pointing::Head(place.head));
    }
    scene.point(Pointing::Lock(Some(address)));
}

impl Picture for QkvPicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        let (layer, head_dim) = (scene.view.layer, scene.facts.head_dim);
        Heading {
            title: stages::QKV.title.into(),
            detail: format!("block {layer} · one row per position, {head_dim} numbers per head"),
            sentence: stages::QKV.sentence.into(),
        }
    }

    fn tabs(&self) -> &'static [&'static str] {
        &TABS
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        match scene.tab(&TABS) {
            0 => self.heads.show(ui, scene),
            1 => self.product.sum_ui(ui, scene),
            _ => self.product.weights_ui(ui, scene),
        }
    }

    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let place = shown(scene);
        let address = place.address(scene).to_string();
        let told = place.cell(scene, 2).ready();
        let cell = match told.as_deref() {
            Some(Told::Cell(cell)) => Some(cell),
            _ => None,
        };
        formula_ui(ui, &terms(scene, place, cell), &address);
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        let facts = scene.facts;
        let (n_heads, n_kv) = (facts.n_heads, facts.n_kv_heads.max(1));
        let happens = match n_heads == n_kv {
            true => stages::QKV_UNSHARED_HAPPENS,
            false => stages::QKV.happens,
        };
        let values = [
            ("n_heads", n_heads.to_string()),
            ("n_kv_heads", n_kv.to_string()),
            ("group", (n_heads / n_kv).to_string()),
        ];
        let values = values
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let n_pos = scene.pass_range().len();
        let head_dim = facts.head_dim;
        let n_bytes = n_pos * (n_heads + 2 * n_kv) * head_dim * size_of::<f32>();
        Side {
            happens: fill(happens, &values),
            look_for: stages::QKV.look_for.into(),
            does_not_say: stages::QKV.not_said.unwrap_or_default().into(),
            check: check(scene),
            meta: vec![
                format!("q [{n_pos}, {n_heads}, {head_dim}] · k, v [{n_pos}, {n_kv}, {head_dim}]"),
                format!("f32 · {}", units::bytes(n_bytes as u64)),
            ],
            ..Side::default()
        }
    }
}

/// How many numbers one token adds to the cache of a block.
fn check(scene: &Scene<'_>) -> Option<Check> {
    let facts = scene.facts;
    let (n_kv, head_dim) = (facts.n_kv_heads, facts.head_dim);
    let right = 2 * n_kv * head_dim;
    let mut answers = vec![
        right,
        n_kv * head_dim,
        facts.n_heads * head_dim,
        facts.d_model * 2,
    ];
    answers.sort_unstable();
    answers.dedup();
    let place = answers.iter().position(|answer| *answer == right)?;
    Some(Check {
        question: "How many numbers does one new token add to this block's cache?".into(),
        answers: answers
            .into_iter()
            .map(|n| units::count(n as u64))
            .collect(),
        right: place,
        because: format!("2 × {n_kv} × {head_dim}"),
    })
}

/// `q[gave, 5] = state · row 37 of W_Q + bias = 0.41 × 1.07 + (−0.22) × 0.35 + … = −0.335`.
fn terms(scene: &Scene<'_>, place: Place, cell: Option<&Cell>) -> Vec<Term> {
    let role = place.kind.role();
    let position = scene.pass_range().start + place.row;
    let name = format!(
        "{}[{}, {}]",
        place.kind.letter(),
        scene.said(position),
        place.dim
    );
    let mut terms = vec![Term::of(role, name), Term::words("=")];
    let Some(cell) = cell else {
        terms.push(Term::words("state · one row of the table"));
        return terms;
    };
    let table = place.kind.letter().to_uppercase();
    terms.push(Term::words(format!("state · row {} of", cell.output)));
    terms.push(Term::of(role, format!("W_{table}")));
    if cell.bias != 0.0 {
        terms.push(Term::words("+ bias"));
    }
    terms.push(Term::words("="));
    let products: Vec<String> = cell
        .largest
        .iter()
        .map(|product| times(product.x, product.w))
        .collect();
    terms.push(Term::number(format!("{} + …", products.join(" + "))));
    terms.push(Term::words("="));
    terms.push(Term::result(role, figure(cell.value)));
    terms
}
