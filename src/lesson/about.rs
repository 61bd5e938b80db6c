//! "Why?": which step of which lesson explains a place.
//!
//! First a step that shows just such a value or view; where no lesson has one, a step about the same
//! part of the model, and at last one about what stands nearest to it.

use super::expression::Piece;
use super::goal::Goal;
use super::library::Library;
use super::parts::{Go, Lesson, Part, Step, Try};
use super::run::Text;
use crate::trace::{Address, BlockHook, Hook, Place, Stage, View};

/// What places and steps are about, however they are addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Topic {
    Text,
    Tokens,
    Embedding,
    Projections,
    Rope,
    Attention,
    Mlp,
    Stream,
    Logits,
    Sampling,
    Passes,
    Cache,
    Weights,
    Experiments,
    Comparison,
    Models,
}

impl Topic {
    fn of(place: Place) -> Self {
        match place {
            Place::Stage(stage) => match stage {
                Stage::Embed => Self::Embedding,
                Stage::Block(_) | Stage::FinalNorm => Self::Stream,
                Stage::Logits => Self::Logits,
            },
            Place::Hook(hook) => match hook {
                Hook::Embed | Hook::PosEmbed => Self::Embedding,
                Hook::FinalNorm => Self::Stream,
                Hook::Logits => Self::Logits,
                Hook::Block(_, hook) => Self::of_block(hook),
            },
            Place::View(view) => match view {
                // A chat is the template, the model and the cache; the template is what it adds.
                View::Text | View::Chat => Self::Text,
                View::Tokens | View::Screen | View::Lessons => Self::Tokens,
                View::Sample => Self::Sampling,
                View::KvCache => Self::Cache,
                View::Timeline => Self::Passes,
                View::Residual => Self::Stream,
                View::Weights => Self::Weights,
                View::Experiments => Self::Experiments,
                View::Compare => Self::Comparison,
                View::Models => Self::Models,
            },
        }
    }

    fn of_block(hook: BlockHook) -> Self {
        match hook {
            BlockHook::Q | BlockHook::K | BlockHook::V => Self::Projections,
            BlockHook::QNorm | BlockHook::KNorm => Self::Projections,
            BlockHook::RotQ | BlockHook::RotK => Self::Rope,
            BlockHook::Scores | BlockHook::Pattern => Self::Attention,
            BlockHook::Z | BlockHook::ResultNorm | BlockHook::AttnOut => Self::Attention,
            BlockHook::Pre | BlockHook::PreLinear => Self::Mlp,
            BlockHook::Post | BlockHook::MlpOut => Self::Mlp,
            BlockHook::ResidPre | BlockHook::ResidMid | BlockHook::ResidPost => Self::Stream,
            BlockHook::Ln1 | BlockHook::Ln2 => Self::Stream,
        }
    }
}

/// How well a step fits a place; the greatest fits best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    /// Whether it shows just such a value.
    is_same: bool,
    /// Whether most steps of the lesson are about the same: a tour passes by many places.
    is_main: bool,
}

impl Library {
    /// The step that fits a place, for "why?": the lesson and the step's number, from 0. Of lessons
    /// that fit as well, the first one.
    #[must_use]
    pub fn step_about(&self, address: &Address) -> Option<(&Lesson, usize)> {
        let mut best: Option<(Fit, &Lesson, usize)> = None;
        for lesson in self.lessons() {
            let Some((fit, step)) = fit(lesson, address) else {
                continue;
            };
            if best.is_none_or(|(other, _, _)| fit > other) {
                best = Some((fit, lesson, step));
            }
        }
        best.map(|(_, lesson, step)| (lesson, step))
    }
}

/// How well a lesson fits, and its step that does.
fn fit(lesson: &Lesson, address: &Address) -> Option<(Fit, usize)> {
    let topic = Topic::of(address.place);
    let kind = kind_of(address.place);
    let shown: Vec<Vec<Place>> = lesson.steps.iter().map(Step::shows).collect();
    let n_about = shown
        .iter()
        .filter(|places| places.iter().any(|place| Topic::of(*place) == topic))
        .count();
    let find =
        |wanted: &dyn Fn(&Place) -> bool| shown.iter().position(|places| places.iter().any(wanted));
    let same = find(&|place| kind_of(*place) == kind);
    let step = same.or_else(|| find(&|place| Topic::of(*place) == topic))?;
    let fit = Fit {
        is_same: same.is_some(),
        is_main: 2 * n_about > lesson.steps.len(),
    };
    Some((fit, step))
}

/// A place without its layer: every attention pattern is of one kind.
fn kind_of(place: Place) -> Place {
    match place {
        Place::Hook(Hook::Block(_, hook)) => Place::Hook(Hook::Block(0, hook)),
        Place::Stage(Stage::Block(_)) => Place::Stage(Stage::Block(0)),
        place => place,
    }
}

impl Step {
    /// The places that it shows.
    fn shows(&self) -> Vec<Place> {
        self.parts
            .iter()
            .filter_map(|part| match part {
                Part::Go(go) => go.shows(),
                Part::Try(attempt) => attempt.shows(),
                Part::Text(_) | Part::Question(_) => None,
            })
            .collect()
    }
}

impl Go {
    fn shows(&self) -> Option<Place> {
        match (&self.sweep, &self.beside) {
            (Some(_), _) => Some(Place::View(View::Experiments)),
            (None, Some(_)) => Some(Place::View(View::Compare)),
            (None, None) => place_in(&self.to.value),
        }
    }
}

impl Try {
    fn shows(&self) -> Option<Place> {
        match (&self.sweep, &self.beside) {
            (Some(_), _) => Some(Place::View(View::Experiments)),
            (None, Some(_)) => Some(Place::View(View::Compare)),
            (None, None) => place_in(&self.to.as_ref()?.value),
        }
    }
}

/// The place in a text; its block and positions may be expressions: any number stands for them here.
fn place_in(text: &Text) -> Option<Place> {
    let pieces = text.iter().map(|piece| match piece {
        Piece::Plain(text) => text.as_str(),
        Piece::Inside(_) => "0",
    });
    let goal: Goal = pieces.collect::<String>().parse().ok()?;
    Some(goal.address.place)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every place that can be on view.
    fn places() -> Vec<Place> {
        let stages = Stage::of_pass(6).map(Place::Stage);
        let hooks = [Hook::Embed, Hook::PosEmbed, Hook::FinalNorm, Hook::Logits];
        let blocks = (0..6).flat_map(|layer| BlockHook::ALL.map(|hook| Hook::Block(layer, hook)));
        let hooks = hooks.into_iter().chain(blocks).map(Place::Hook);
        stages
            .chain(hooks)
            .chain(View::ALL.map(Place::View))
            .collect()
    }

    #[test]
    fn every_place_has_a_step_that_is_about_the_same() {
        let library = Library::carried();
        for place in places() {
            let mut address = Address::at(place);
            address.pass = Some(2);
            let (lesson, step) = library
                .step_about(&address)
                .unwrap_or_else(|| panic!("no step is about {address}"));
            let shows = lesson.steps.get(step).unwrap().shows();
            let is_about = |shown: &Place| Topic::of(*shown) == Topic::of(place);
            assert!(shows.iter().any(is_about), "{address}: {}", lesson.name);
        }
    }
}
