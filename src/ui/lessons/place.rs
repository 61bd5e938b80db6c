//! Which picture a step asks for.

use crate::lesson::{Goal, ShownGo};
use crate::trace::{Hook, Place, Stage, View};
use crate::ui::spot::{PictureKind, Spot};

/// The spot of a place; two runs side by side, and a sweep, are shown by pictures of their own.
#[must_use]
pub fn spot_of(to: Option<&Goal>, has_beside: bool, has_sweep: bool) -> Option<Spot> {
    if has_sweep {
        return Some(tab(View::Experiments, "sweep"));
    }
    if has_beside {
        let side = to.map_or("answers", |to| side_of(to.address.place));
        return Some(tab(View::Compare, side));
    }
    to.cloned()
        .map(|Goal { address, tab }| Spot { address, tab })
}

/// The spot that a part of a step leads to.
#[must_use]
pub fn spot_of_go(go: &ShownGo) -> Spot {
    let goal = Goal {
        address: go.to.clone(),
        tab: go.tab.clone(),
    };
    let spot = spot_of(Some(&goal), go.beside.is_some(), go.sweep.is_some());
    spot.unwrap_or_else(|| Spot::from(go.to.clone()))
}

/// What of two runs is compared for a place.
fn side_of(place: Place) -> &'static str {
    match place {
        Place::Hook(Hook::Logits) | Place::View(_) | Place::Stage(Stage::Logits) => "answers",
        Place::Hook(Hook::Block(..)) if PictureKind::of(place) != Some(PictureKind::Block) => {
            "difference"
        }
        _ => "states",
    }
}

fn tab(view: View, name: &str) -> Spot {
    Spot {
        tab: Some(name.to_owned()),
        ..Spot::at(Place::View(view), None)
    }
}
