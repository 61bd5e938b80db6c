//! The KV cache: its columns of keys and values in every block, how it grows, and what it takes.

mod blocks;
mod bytes;
mod growth;
mod saves;

use egui::{Rect, Ui, UiBuilder, pos2};

use crate::engine::message::CacheOptions;
use crate::engine::question::{Question, Told};
use crate::trace::measure::ledger::Ledger;
use crate::trace::units::{bytes as size, count};
use crate::trace::{Address, BlockHook, Hook, Place, Stage};
use crate::ui::command::Command;
use crate::ui::picture::{Check, Heading, Picture, Scene, Side, Spoken, Term, formula_ui};
use crate::ui::pictures::shared::{hover, run_first_ui, told_ui};
use crate::ui::theme::{Role, space};
use crate::ui::words::{fill, stages};

const TABS: [&str; 3] = ["Blocks", "Bytes", "What it saves"];

/// The KV cache after the pass on view.
#[derive(Default)]
pub struct KvCachePicture {
    ledger: Option<Ledger>,
}

/// One kept key or value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kept {
    layer: usize,
    is_value: bool,
    position: usize,
}

impl Picture for KvCachePicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        let held = self.ledger.as_ref().map_or(0, n_held);
        let detail = match (&self.ledger, scene.facts.n_context) {
            (Some(ledger), _) if ledger.has_dropped => {
                let n = count(ledger.positions as u64);
                format!("{held} of {n} positions kept, the others dropped")
            }
            (_, Some(most)) => format!("{held} of {} positions", count(most)),
            (_, None) => format!("{held} positions"),
        };
        Heading {
            title: stages::KV_CACHE.title.into(),
            detail,
            sentence: stages::KV_CACHE.sentence.into(),
        }
    }

    fn tabs(&self) -> &'static [&'static str] {
        &TABS
    }

    fn spoken(&mut self, _scene: &mut Scene<'_>) -> Option<Spoken> {
        let ledger = self.ledger.as_ref()?;
        let (held, used) = (n_held(ledger), size(ledger.used_bytes() as u64));
        (held > 0).then(|| Spoken {
            sentence: format!("The keys and values of {held} positions are kept."),
            detail: match ledger.has_dropped {
                true => format!("They take **{used}**; those before them were dropped."),
                false => format!("They take **{used}**, and no later token changes them."),
            },
            role: Role::Cache,
        })
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let question = Question::Ledger {
            pass: scene.view.pass(),
        };
        let Some(told) = told_ui(ui, scene, &question) else {
            return;
        };
        let Told::Ledger(ledger) = &*told else {
            return;
        };
        self.ledger = Some(ledger.clone());
        let is_empty = n_held(ledger) == 0;
        match scene.tab(&TABS) {
            0 | 1 if is_empty => {
                hover(scene, None);
                let needs =
                    "Nothing is kept yet: every block writes its keys and values as it runs.";
                return run_first_ui(ui, scene, needs, Stage::Block(0));
            }
            0 => {}
            tab => {
                hover(scene, None);
                match tab {
                    1 => bytes::bytes_ui(ui, scene, ledger),
                    _ => saves::saves_ui(ui, scene),
                }
                return;
            }
        }
        let room = ui.available_rect_before_wrap();
        let below = (room.height() * 0.36).clamp(130.0, 220.0);
        let top = Rect::from_min_max(room.min, pos2(room.right(), room.bottom() - below));
        let rest = Rect::from_min_max(pos2(room.left(), top.bottom() + space::MEDIUM), room.max);
        let under = ui
            .scope_builder(UiBuilder::new().max_rect(top), |ui| {
                blocks::blocks_ui(ui, scene, ledger)
            })
            .inner;
        hover(scene, under);
        ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| {
            growth::growth_ui(ui, scene, ledger)
        });
        ui.advance_cursor_after_rect(room);
    }

    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let Some(ledger) = &self.ledger else {
            formula_ui(ui, &[], "");
            return;
        };
        if let Some(kept) = scene.view.cell().and_then(|at| kept_at(scene, at)) {
            let (terms, address) = (kept_terms(scene, ledger, kept), address(scene, kept));
            formula_ui(ui, &terms, &address.to_string());
            return;
        }
        let n = |n: usize| count(n as u64);
        let mut terms = vec![Term::number("2 ·")];
        for (name, figure) in [
            ("layers", n(ledger.layers.len()) + " ·"),
            ("kv heads", n(ledger.n_kv_heads) + " ·"),
            ("head size", n(ledger.head_dim) + " ·"),
            ("bytes", trimmed(ledger.bytes_per_value) + " ·"),
            ("positions", n(n_held(ledger)) + " ="),
        ] {
            terms.push(Term::words(name));
            terms.push(Term::number(figure));
        }
        let total = format!("{} bytes", count(ledger.formula_bytes));
        terms.push(Term::result(Role::Cache, total));
        formula_ui(ui, &terms, "kv-cache");
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        let words = &stages::KV_CACHE;
        let ledger = self.ledger.as_ref();
        let n_positions = count(ledger.map_or(0, n_held) as u64);
        let n_layers = scene.facts.n_layers.to_string();
        let values = [
            ("n_positions", n_positions.as_str()),
            ("n_layers", &n_layers),
        ];
        let mut meta = Vec::new();
        if let Some(ledger) = ledger {
            let (used, taken) = (ledger.used_bytes() as u64, ledger.allocated_bytes() as u64);
            meta.push(format!("used {} · allocated {}", size(used), size(taken)));
            let bits = ledger.bits.map_or("f32 or as computed".to_owned(), |bits| {
                format!("{bits} bits")
            });
            meta.push(format!(
                "{bits} · {:.2} bytes per value",
                ledger.bytes_per_value
            ));
        }
        Side {
            happens: fill(words.happens, &values),
            look_for: words.look_for.into(),
            does_not_say: words.not_said.unwrap_or_default().into(),
            tries: tries(ledger),
            check: check(scene),
            meta,
        }
    }
}

/// Three decimals at most: `4`, `1.125`.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Positions held; while a pass is under way, those of the block that is farthest.
fn n_held(ledger: &Ledger) -> usize {
    let layers = ledger.layers.iter();
    layers
        .map(|layer| layer.positions)
        .max()
        .unwrap_or_default()
}

/// Other ways to keep keys and values; the prompt is run again as far as it has run.
fn tries(ledger: Option<&Ledger>) -> Vec<(String, Command)> {
    let Some(ledger) = ledger else {
        return Vec::new();
    };
    let plain = CacheOptions::default();
    let mut tries = Vec::new();
    if ledger.bits.is_none() {
        let bits = Some(8);
        tries.push(("8-bit cache".to_owned(), CacheOptions { bits, ..plain }));
    }
    if ledger.max_size.is_none() {
        let max_size = Some(32);
        tries.push((
            "Rotate at 32".to_owned(),
            CacheOptions { max_size, ..plain },
        ));
    }
    if ledger.bits.is_some() || ledger.max_size.is_some() {
        tries.push(("Plain cache".to_owned(), plain));
    }
    let tries = tries.into_iter();
    tries
        .map(|(label, cache)| (label, Command::Cache(cache)))
        .collect()
}

/// What an earlier token's change would cost: a position's keys and values depend on all before it.
fn check(scene: &Scene<'_>) -> Option<Check> {
    let edited = scene.run.ids.len() / 3;
    if edited == 0 {
        return None;
    }
    let n_after = scene.run.ids.len() - edited;
    Some(Check {
        question: format!(
            "You change **{}**, at position {edited}. Which columns must be computed again?",
            scene.said(edited)
        ),
        answers: vec![
            format!("Only position {edited}"),
            format!("Position {edited} and all after it"),
            "All of them".to_owned(),
        ],
        right: 1,
        because: format!("{n_after} of {}", scene.run.ids.len()),
    })
}

/// The hook whose values are kept as keys: as attention reads them.
fn key_hook(scene: &Scene<'_>) -> BlockHook {
    let by_lateness = [BlockHook::RotK, BlockHook::KNorm];
    let mut found = by_lateness
        .into_iter()
        .filter(|hook| scene.facts.has(*hook));
    found.next().unwrap_or(BlockHook::K)
}

/// The address of a kept key or value, in the pass that computed it.
fn address(scene: &Scene<'_>, kept: Kept) -> Address {
    let hook = if kept.is_value {
        BlockHook::V
    } else {
        key_hook(scene)
    };
    let mut address = Address::of(Hook::Block(kept.layer, hook));
    let passes = scene.run.passes.iter().enumerate();
    let computed = |start: usize, n_pos: usize| (start..start + n_pos).contains(&kept.position);
    let found = passes
        .into_iter()
        .find(|(_, pass)| computed(pass.start, pass.n_pos));
    if let Some((number, pass)) = found {
        address.pass = Some(number).filter(|number| *number > 0);
        address.index = vec![kept.position - pass.start];
    }
    address
}

/// The kept key or value that an address names.
fn kept_at(scene: &Scene<'_>, at: &Address) -> Option<Kept> {
    let Place::Hook(Hook::Block(layer, hook)) = at.place else {
        return None;
    };
    let is_value = hook == BlockHook::V;
    if !is_value && hook != key_hook(scene) {
        return None;
    }
    let pass = scene.run.passes.get(at.pass.unwrap_or(0))?;
    let position = pass.start + at.index.first()?;
    Some(Kept {
        layer,
        is_value,
        position,
    })
}

fn kept_terms(scene: &Scene<'_>, ledger: &Ledger, kept: Kept) -> Vec<Term> {
    let (role, name) = match kept.is_value {
        true => (Role::Value, "value"),
        false => (Role::Key, "key"),
    };
    let n = ledger.n_kv_heads * ledger.head_dim;
    let n_bytes = (n as f64 * ledger.bytes_per_value).round() as u64;
    vec![
        Term::of(role, format!("{name} of {}", scene.said(kept.position))),
        Term::words(format!("in block {}:", kept.layer)),
        Term::number(format!("{} heads × {}", ledger.n_kv_heads, ledger.head_dim)),
        Term::words("numbers,"),
        Term::result(Role::Cache, format!("{n_bytes} bytes")),
    ]
}
