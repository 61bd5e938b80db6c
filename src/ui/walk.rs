//! The way through a pass: its stations in order, what of them is computed, where a step leads.

use super::facts::ModelFacts;
use super::spot::Spot;
use super::state::Depth;
use crate::trace::debug::{Next, RunState};
use crate::trace::{BlockHook, Hook, Place, Stage, View};

/// The parts of a block, in order: the hook that shows each, and its name.
pub const PARTS: [(BlockHook, &str); 6] = [
    (BlockHook::Ln1, "Norm"),
    (BlockHook::Q, "Q, K, V"),
    (BlockHook::RotQ, "RoPE"),
    (BlockHook::Pattern, "Attention"),
    (BlockHook::Z, "Mix values"),
    (BlockHook::Post, "MLP"),
];

/// The parts that blocks of this model have.
pub fn parts(facts: &ModelFacts) -> impl Iterator<Item = (BlockHook, &'static str)> {
    PARTS.into_iter().filter(|(hook, _)| facts.has(*hook))
}

/// How far a step goes from `spot`: who looks at a part of a block goes through its parts.
#[must_use]
pub fn depth_at(depth: Depth, spot: &Spot) -> Depth {
    match (depth, spot.address.place) {
        (Depth::Stages, Place::Hook(Hook::Block(..))) => Depth::Parts,
        (depth, _) => depth,
    }
}

/// What a place is called, in a button or a row of the rail: `attention`, `block 2`.
#[must_use]
pub fn name(place: Place) -> String {
    match place {
        Place::View(View::Text) => "Text".into(),
        Place::View(View::Tokens) => "Tokens".into(),
        Place::View(View::Sample) => "Sample".into(),
        Place::View(View::Screen) => "To the screen".into(),
        Place::View(View::KvCache) => "KV cache".into(),
        Place::View(View::Timeline) => "Timeline".into(),
        Place::View(View::Residual) => "Residual stream".into(),
        Place::View(View::Weights) => "Inside the file".into(),
        Place::View(View::Experiments) => "Experiments".into(),
        Place::View(View::Compare) => "Compare".into(),
        Place::View(View::Chat) => "Chat".into(),
        Place::View(View::Lessons) => "Lessons".into(),
        Place::View(View::Models) => "Models".into(),
        Place::Stage(Stage::Embed) => "Embedding".into(),
        Place::Stage(Stage::Block(layer)) => format!("Block {layer}"),
        Place::Stage(Stage::FinalNorm) => "Final norm".into(),
        Place::Stage(Stage::Logits) => "Logits".into(),
        Place::Hook(Hook::Block(_, hook)) => part_of(hook).1.into(),
        Place::Hook(hook) => name(Place::Stage(hook.stage())),
    }
}

/// The part of a block that computes `hook`.
fn part_of(hook: BlockHook) -> (BlockHook, &'static str) {
    let order = |hook: BlockHook| BlockHook::ALL.iter().position(|other| *other == hook);
    let computes =
        |(_, last): &&((BlockHook, &'static str), BlockHook)| order(*last) >= order(hook);
    let with_last = PARTS.map(|part| (part, last_hook(part.0)));
    let found = with_last.iter().find(computes);
    found.map_or((BlockHook::Post, "MLP"), |(part, _)| *part)
}

/// What the run must come to before the part shown by `hook` can be drawn whole: the last value
/// that the part computes, of those that the model has.
#[must_use]
pub fn last_of_part(facts: &ModelFacts, hook: BlockHook) -> BlockHook {
    let (shown, _) = part_of(hook);
    let order = |hook: BlockHook| BlockHook::ALL.iter().position(|other| *other == hook);
    let last = order(last_hook(shown));
    let mut all = BlockHook::ALL.into_iter().rev();
    all.find(|other| order(*other) <= last && facts.has(*other))
        .unwrap_or(hook)
}

/// The value that is computed right after `hook`, in the same block; `None` at its end.
#[must_use]
pub fn next_in_block(facts: &ModelFacts, hook: BlockHook) -> Option<BlockHook> {
    let mut later = BlockHook::ALL
        .into_iter()
        .skip_while(|other| *other != hook)
        .skip(1);
    later.find(|other| facts.has(*other))
}

/// The last value that the part shown by `hook` computes.
fn last_hook(hook: BlockHook) -> BlockHook {
    match hook {
        BlockHook::Ln1 => BlockHook::Ln1,
        BlockHook::Q => BlockHook::KNorm,
        BlockHook::RotQ => BlockHook::RotK,
        BlockHook::Pattern => BlockHook::Pattern,
        BlockHook::Z => BlockHook::ResidMid,
        _ => BlockHook::ResidPost,
    }
}

/// A place in the order of a pass; `None` for views that are no part of it.
#[must_use]
pub fn order(place: Place) -> Option<usize> {
    let hook_order = |hook: BlockHook| BlockHook::ALL.iter().position(|other| *other == hook);
    Some(match place {
        Place::View(View::Text) => 0,
        Place::View(View::Tokens) => 1,
        Place::Hook(Hook::Embed | Hook::PosEmbed) | Place::Stage(Stage::Embed) => 2,
        Place::Hook(Hook::Block(layer, hook)) => (layer + 1) * BLOCK + hook_order(hook)?,
        // A block as a whole: after everything in it.
        Place::Stage(Stage::Block(layer)) => (layer + 1) * BLOCK + BLOCK - 1,
        Place::Hook(Hook::FinalNorm) | Place::Stage(Stage::FinalNorm) => LATE,
        Place::Hook(Hook::Logits) | Place::Stage(Stage::Logits) => LATE + 1,
        Place::View(View::Sample) => LATE + 2,
        Place::View(View::Screen) => LATE + 3,
        Place::View(_) => return None,
    })
}

/// Room for the values of a block.
const BLOCK: usize = 100;
/// Beyond every block.
const LATE: usize = usize::MAX / 2;

/// The stations of pass `pass`, in order.
#[must_use]
pub fn stations(facts: &ModelFacts, depth: Depth, pass: usize) -> Vec<Place> {
    let mut places = Vec::new();
    if pass == 0 {
        places.extend([Place::View(View::Text), Place::View(View::Tokens)]);
    }
    places.push(Place::Stage(Stage::Embed));
    match depth {
        Depth::Stops => {
            let hook = Hook::Block(story_layer(facts), BlockHook::Pattern);
            places.push(Place::Hook(hook));
        }
        Depth::Stages => {
            places.extend((0..facts.n_layers).map(|layer| Place::Stage(Stage::Block(layer))));
        }
        Depth::Parts => {
            for layer in 0..facts.n_layers {
                places.extend(parts(facts).map(|(hook, _)| Place::Hook(Hook::Block(layer, hook))));
            }
        }
    }
    if depth != Depth::Stops {
        places.push(Place::Stage(Stage::FinalNorm));
    }
    places.extend([
        Place::Stage(Stage::Logits),
        Place::View(View::Sample),
        Place::View(View::Screen),
    ]);
    places
}

/// The block whose attention the six stops show: a third of the way up, where heads that read
/// the token before have been found in most models.
#[must_use]
pub fn story_layer(facts: &ModelFacts) -> usize {
    facts.n_layers / 3
}

/// Whether the run has come to `spot`.
#[must_use]
pub fn is_computed(run: &RunState, spot: &Spot) -> bool {
    let Some(at) = order(spot.address.place) else {
        return true;
    };
    let (pass, newest) = (spot.pass(), run.passes.len().saturating_sub(1));
    match pass.cmp(&newest) {
        std::cmp::Ordering::Less => true,
        std::cmp::Ordering::Greater => false,
        std::cmp::Ordering::Equal => at < head_order(run),
    }
}

/// The first place in the order of the newest pass that has not been computed.
fn head_order(run: &RunState) -> usize {
    match (run.next, run.cursor) {
        (Next::Sample, _) => LATE + 2,
        (Next::Append, _) => LATE + 3,
        (Next::Ended, _) => LATE + 4,
        (Next::Stage(_), Some(cursor)) => order(Place::Hook(cursor.hook)).map_or(0, |at| at + 1),
        // Everything in the block that comes next.
        (Next::Stage(Stage::Block(layer)), None) => (layer + 1) * BLOCK,
        (Next::Stage(stage), None) => order(Place::Stage(stage)).unwrap_or(0),
    }
}

/// The station that was computed last, at this depth.
#[must_use]
pub fn newest(facts: &ModelFacts, depth: Depth, run: &RunState) -> Spot {
    let pass = run.passes.len().saturating_sub(1);
    let spots = |pass: usize| {
        let places = stations(facts, depth, pass).into_iter();
        places.map(move |place| Spot::at(place, Some(pass)))
    };
    let last = spots(pass).rfind(|spot| is_computed(run, spot));
    let before = || spots(pass.checked_sub(1)?).next_back();
    last.or_else(before)
        .unwrap_or_else(|| Spot::at(Place::View(View::Text), None))
}

/// The station after `spot`, in the next pass if this one ends there.
#[must_use]
pub fn after(facts: &ModelFacts, depth: Depth, spot: &Spot) -> Spot {
    let at = order(spot.address.place).unwrap_or(0);
    let mut places = stations(facts, depth, spot.pass()).into_iter();
    match places.find(|place| order(*place) > Some(at)) {
        Some(place) => Spot::at(place, Some(spot.pass())),
        None => Spot::at(Place::Stage(Stage::Embed), Some(spot.pass() + 1)),
    }
}

/// The station before `spot`, in the pass before if this one begins there; `None` at the beginning.
#[must_use]
pub fn before(facts: &ModelFacts, depth: Depth, spot: &Spot) -> Option<Spot> {
    let at = order(spot.address.place)?;
    let mut places = stations(facts, depth, spot.pass()).into_iter().rev();
    match places.find(|place| order(*place) < Some(at)) {
        Some(place) => Some(Spot::at(place, Some(spot.pass()))),
        None => {
            let pass = spot.pass().checked_sub(1)?;
            let last = stations(facts, depth, pass).into_iter().next_back()?;
            Some(Spot::at(last, Some(pass)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::answer::CacheSize;
    use crate::trace::debug::{Cursor, PassState};

    /// A model of three blocks.
    fn facts() -> ModelFacts {
        let hooks = (0..3).flat_map(|layer| BlockHook::ALL.map(|hook| Hook::Block(layer, hook)));
        ModelFacts {
            n_layers: 3,
            hooks: hooks.collect(),
            ..ModelFacts::default()
        }
    }

    /// A run with `n_passes` passes that does `next` next.
    fn run(n_passes: usize, next: Next) -> RunState {
        let pass = PassState {
            start: 0,
            n_pos: 1,
            boundaries: Vec::new(),
            executed: Vec::new(),
            recorded: Vec::new(),
            cache: CacheSize::default(),
            draw: None,
        };
        RunState {
            prompt_len: 1,
            n_layers: 3,
            next,
            passes: vec![pass; n_passes],
            ..RunState::default()
        }
    }

    fn spot(text: &str) -> Spot {
        text.parse().unwrap()
    }

    #[test]
    fn stations_are_in_the_order_of_the_pass() {
        for depth in [Depth::Stops, Depth::Stages, Depth::Parts] {
            let places = stations(&facts(), depth, 0);
            let orders: Vec<_> = places.iter().map(|place| order(*place)).collect();
            assert!(orders.is_sorted() && !orders.contains(&None), "{depth:?}");
        }
    }

    #[test]
    fn six_presses_tell_the_story() {
        let mut here = spot("text");
        let mut names = Vec::new();
        for _ in 0..6 {
            here = after(&facts(), Depth::Stops, &here);
            names.push(name(here.address.place));
        }
        let story = [
            "Tokens",
            "Embedding",
            "Attention",
            "Logits",
            "Sample",
            "To the screen",
        ];
        assert_eq!(names, story);
    }

    #[test]
    fn back_undoes_a_step() {
        for depth in [Depth::Stops, Depth::Stages, Depth::Parts] {
            let mut here = spot("text");
            for _ in 0..40 {
                let next = after(&facts(), depth, &here);
                assert_eq!(before(&facts(), depth, &next), Some(here));
                here = next;
            }
            assert!(here.pass() > 0);
        }
        assert_eq!(before(&facts(), Depth::Stages, &spot("text")), None);
    }

    #[test]
    fn what_is_computed_ends_where_the_run_stands() {
        let run = run(2, Next::Stage(Stage::Block(1)));
        for place in [
            "unembed",
            "pass.1.embed",
            "pass.1.blocks.0",
            "kv-cache",
            "tokens",
        ] {
            assert!(is_computed(&run, &spot(place)), "{place}");
        }
        for place in [
            "pass.1.blocks.1",
            "pass.1.blocks.1.ln1.hook_out",
            "pass.1.sample",
            "pass.2.embed",
        ] {
            assert!(!is_computed(&run, &spot(place)), "{place}");
        }
        assert_eq!(
            newest(&facts(), Depth::Stages, &run),
            spot("pass.1.blocks.0")
        );
    }

    #[test]
    fn a_run_that_was_opened_stands_at_its_tokens() {
        let run = run(1, Next::Stage(Stage::Embed));
        assert_eq!(newest(&facts(), Depth::Parts, &run), spot("tokens"));
        let fresh = tests::run(2, Next::Stage(Stage::Embed));
        assert_eq!(newest(&facts(), Depth::Stops, &fresh), spot("screen"));
    }

    #[test]
    fn inside_a_block_only_what_was_come_to_is_computed() {
        let mut run = run(1, Next::Stage(Stage::Block(1)));
        run.cursor = Some(Cursor {
            hook: Hook::Block(1, BlockHook::V),
            seconds: 0.0,
        });
        for (place, expected) in [
            ("blocks.0", true),
            ("blocks.1.ln1.hook_out", true),
            ("blocks.1.attn.hook_v", true),
            ("blocks.1.attn.hook_rot_q", false),
            ("blocks.1", false),
        ] {
            assert_eq!(is_computed(&run, &spot(place)), expected, "{place}");
        }
        assert_eq!(
            newest(&facts(), Depth::Parts, &run),
            spot("blocks.1.attn.hook_q")
        );
        assert_eq!(newest(&facts(), Depth::Stages, &run), spot("blocks.0"));
    }

    #[test]
    fn a_part_is_whole_at_its_last_value() {
        assert_eq!(last_of_part(&facts(), BlockHook::Q), BlockHook::KNorm);
        let mut plain = facts();
        plain
            .hooks
            .retain(|hook| !matches!(hook, Hook::Block(_, BlockHook::QNorm | BlockHook::KNorm)));
        assert_eq!(last_of_part(&plain, BlockHook::Q), BlockHook::V);
        assert_eq!(last_of_part(&plain, BlockHook::Z), BlockHook::ResidMid);
        assert_eq!(next_in_block(&plain, BlockHook::V), Some(BlockHook::RotQ));
        assert_eq!(next_in_block(&plain, BlockHook::ResidPost), None);
    }

    #[test]
    fn every_hook_belongs_to_a_part() {
        for (hook, expected) in [
            (BlockHook::ResidPre, "Norm"),
            (BlockHook::V, "Q, K, V"),
            (BlockHook::RotK, "RoPE"),
            (BlockHook::Scores, "Attention"),
            (BlockHook::AttnOut, "Mix values"),
            (BlockHook::Ln2, "MLP"),
            (BlockHook::ResidPost, "MLP"),
        ] {
            assert_eq!(name(Place::Hook(Hook::Block(1, hook))), expected);
        }
    }
}
