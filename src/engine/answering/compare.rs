//! Two sessions' runs side by side.

use anyhow::{Context as _, Result};

use super::Answering;
use crate::engine::debugger::Debugger;
use crate::engine::measures::Looking;
use crate::engine::message::CancelToken;
use crate::engine::question::Told;
use crate::trace::measure::Point;
use crate::trace::measure::compare::{Comparison, Side, fair_ends};
use crate::trace::measure::distribution::Distribution;

/// Likeliest next tokens that each side tells.
const N_NEXT: usize = 10;

/// Letters of a prompt that stand for it.
const NAME_LENGTH: usize = 40;

impl Answering<'_> {
    pub(super) fn compare(&mut self, tolerance: f32) -> Result<Told> {
        let a = self.debugger.as_deref_mut();
        let a = a.context("there is no run to compare yet: open one first")?;
        let b = self.other.as_deref_mut();
        let b = b.context("the other session has no run to compare with")?;
        Ok(Told::Compare(compare(a, b, tolerance, self.cancel)?))
    }
}

fn compare(
    a: &mut Debugger,
    b: &mut Debugger,
    tolerance: f32,
    cancel: &CancelToken,
) -> Result<Comparison> {
    let (of_a, of_b) = fair_logits(a, b);
    let (side_a, side_b) = (side(a, &of_a, cancel), side(b, &of_b, cancel));
    let mut comparison = Comparison::new(side_a, side_b, tolerance);
    let n_layers = |debugger: &Debugger| debugger.run().loaded().model.n_layers();
    for point in Point::all(n_layers(a).min(n_layers(b))) {
        let of_a = Looking::new(a.run_mut(), cancel).states_at(point)?;
        let of_b = Looking::new(b.run_mut(), cancel).states_at(point)?;
        if let (Some(a), Some(b)) = (of_a, of_b) {
            comparison.add(point, &a, &b);
        }
        if comparison.no_states.is_some() {
            break;
        }
    }
    let (a, b) = (&of_a.logits, &of_b.logits);
    if !a.is_empty() && a.len() == b.len() {
        let bits = Distribution::new(a).kl_bits(&Distribution::new(b));
        comparison.kl_bits = Some(bits).filter(|bits| bits.is_finite());
    }
    Ok(comparison)
}

/// Logits after a position; empty where there are none to compare.
#[derive(Default)]
struct After {
    position: Option<usize>,
    logits: Vec<f32>,
}

/// The logits of both sides that tell something of each other.
fn fair_logits(a: &Debugger, b: &Debugger) -> (After, After) {
    let ends = |debugger: &Debugger| -> Vec<usize> {
        let passes = debugger.run().passes().iter();
        let with_logits = passes.filter(|pass| pass.logits().is_some());
        with_logits
            .map(|pass| pass.start() + pass.n_pos())
            .collect()
    };
    let (ids_a, ids_b) = (a.run().ids(), b.run().ids());
    match fair_ends((ids_a, &ends(a)), (ids_b, &ends(b))) {
        Some((end_a, end_b)) => (after(a, end_a), after(b, end_b)),
        None => Default::default(),
    }
}

/// The logits of the pass that ends before position `end`.
fn after(debugger: &Debugger, end: usize) -> After {
    let mut passes = debugger.run().passes().iter();
    let pass = passes.find(|pass| pass.start() + pass.n_pos() == end);
    match pass.and_then(|pass| pass.logits()) {
        Some(logits) => After {
            position: end.checked_sub(1),
            logits: logits.to_vec(),
        },
        None => After::default(),
    }
}

fn side(debugger: &mut Debugger, after: &After, cancel: &CancelToken) -> Side {
    let model = debugger.run().loaded().label.clone();
    let prompt = debugger.prompt_text().unwrap_or(&model);
    let name: String = prompt.chars().take(NAME_LENGTH).collect();
    let ids = debugger.run().ids().to_vec();
    let looking = Looking::new(debugger.run_mut(), cancel);
    Side {
        name,
        model,
        tokens: ids.iter().map(|id| looking.named(*id)).collect(),
        next: match after.logits.is_empty() {
            true => Vec::new(),
            false => looking.shares(&after.logits, N_NEXT, &[]),
        },
        after: after.position,
    }
}
