//! Two sessions' runs side by side.

use anyhow::{Context as _, Result};

use super::Answering;
use crate::engine::debugger::Debugger;
use crate::engine::measures::Looking;
use crate::engine::message::CancelToken;
use crate::engine::question::Told;
use crate::trace::measure::Point;
use crate::trace::measure::compare::{Comparison, Side};
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
    let mut comparison = Comparison::new(side(a, cancel), side(b, cancel), tolerance);
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
    let logits = |debugger: &Debugger| newest_logits(debugger).map(<[f32]>::to_vec);
    if let (Some(a), Some(b)) = (logits(a), logits(b))
        && a.len() == b.len()
    {
        let bits = Distribution::new(&a).kl_bits(&Distribution::new(&b));
        comparison.kl_bits = Some(bits).filter(|bits| bits.is_finite());
    }
    Ok(comparison)
}

fn side(debugger: &mut Debugger, cancel: &CancelToken) -> Side {
    let logits = newest_logits(debugger)
        .map(<[f32]>::to_vec)
        .unwrap_or_default();
    let model = debugger.run().loaded().label.clone();
    let prompt = debugger.prompt_text().unwrap_or(&model);
    let name: String = prompt.chars().take(NAME_LENGTH).collect();
    let ids = debugger.run().ids().to_vec();
    let looking = Looking::new(debugger.run_mut(), cancel);
    Side {
        name,
        model,
        tokens: ids.iter().map(|id| looking.named(*id)).collect(),
        next: match logits.is_empty() {
            true => Vec::new(),
            false => looking.shares(&logits, N_NEXT, &[]),
        },
    }
}

fn newest_logits(debugger: &Debugger) -> Option<&[f32]> {
    debugger
        .run()
        .passes()
        .iter()
        .rev()
        .find_map(|pass| pass.logits())
}
