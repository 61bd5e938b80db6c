//! Moving along the pass: what a step tells the engine, and what is shown once it is done.

use std::ops::Range;

use super::App;
use crate::trace::debug::{Breakpoint, DebugCommand, RunState};
use crate::trace::{Address, Axis, BlockHook, Hook, Place, Stage, View};
use crate::ui::command::Move;
use crate::ui::spot::Spot;
use crate::ui::state::{Depth, Mode};
use crate::ui::walk;

/// How far "to the end" goes where the model does not end by itself.
const MOST_TOKENS: usize = 64;

impl App {
    /// Moves along the pass.
    pub(super) fn step(&mut self, way: Move) {
        let Some(run) = self.run.clone().filter(|_| self.facts.n_layers > 0) else {
            return;
        };
        let (depth, newest) = (
            self.view.depth,
            walk::newest(&self.facts, self.view.depth, &run),
        );
        let is_view = walk::order(self.view.spot.address.place).is_none();
        let from = if is_view {
            newest.clone()
        } else {
            self.view.spot.clone()
        };
        match way {
            Move::Step => self.go(walk::after(&self.facts, depth, &from)),
            Move::Layer => self.go(self.next_layer(&from)),
            Move::Token => {
                let logits = Place::Stage(Stage::Logits);
                let is_there = walk::order(from.address.place) >= walk::order(logits);
                self.go(Spot::at(logits, Some(from.pass() + usize::from(is_there))));
            }
            Move::End => {
                let max_tokens = MOST_TOKENS;
                self.link.tell(DebugCommand::End { max_tokens });
                // Beyond what is reached: what is shown is where it ends.
                let beyond = Place::Stage(Stage::Logits);
                self.target = Some(Spot::at(beyond, Some(usize::MAX)));
            }
            Move::Back => self.back(&from, &newest, is_view),
            Move::Rewind => {
                self.rewind(0, Place::Stage(Stage::Embed));
                self.view.look(Spot::at(Place::View(View::Text), None));
            }
            Move::Into => self.deepen(),
            Move::Out => {
                self.set_depth(match self.view.depth {
                    Depth::Parts => Depth::Stages,
                    Depth::Stages | Depth::Stops => Depth::Stops,
                });
            }
        }
    }

    /// How far a step goes from what is on view.
    pub(super) fn depth(&self) -> Depth {
        walk::depth_at(self.view.depth, &self.view.spot)
    }

    /// Shows `spot`; runs to it first if it has not been computed.
    pub(super) fn go(&mut self, spot: Spot) {
        self.view.turn_to(Mode::of(spot.address.place));
        self.run_to(spot);
    }

    /// Generates `steps` tokens. Without any, whoever asked for a view of a run gets the prompt's run:
    /// an empty view shows nothing.
    pub(super) fn run_first(&mut self, steps: usize, target: Option<&Spot>) {
        let is_of_run = |spot: &&Spot| {
            use View::{Compare, Experiments, KvCache, Residual, Timeline};
            let views = [Compare, Experiments, KvCache, Residual, Timeline];
            views
                .iter()
                .any(|view| spot.address.place == Place::View(*view))
        };
        if steps > 0 {
            self.link.tell(DebugCommand::Tokens(steps));
            // What was asked for may lie a little further.
            if let Some(target) = target.filter(|target| !is_view(target)) {
                self.run_to(target.clone());
            }
        } else if target.filter(is_of_run).is_some() {
            let mut logits = Address::at(Place::Stage(Stage::Logits));
            logits.pass = Some(0);
            self.link.tell(DebugCommand::To(logits));
        }
    }

    /// The same without leaving the tab on view.
    fn run_to(&mut self, spot: Spot) {
        let Some(run) = self.run.clone() else {
            self.target = Some(spot);
            return;
        };
        if walk::is_computed(&run, &spot) {
            self.show(spot);
            return;
        }
        let pass = spot.pass();
        let mut to = Address::at(self.whole(spot.address.place));
        to.pass = Some(pass);
        if spot.address.place == Place::View(View::Screen) {
            // The draw, and then the token takes its place in the text.
            let mut sample = Address::at(Place::View(View::Sample));
            sample.pass = Some(pass);
            self.link.tell(DebugCommand::To(sample));
            self.link.tell(DebugCommand::Steps(1));
        } else {
            self.link.tell(DebugCommand::To(to));
        }
        self.target = Some(spot);
    }

    /// What must be computed before a place can be drawn: of a part of a block, all its values.
    fn whole(&self, place: Place) -> Place {
        match place {
            Place::Hook(Hook::Block(layer, hook)) => {
                let last = walk::last_of_part(&self.facts, hook);
                match last {
                    // The end of the block: its stage is over, not paused at its last value.
                    BlockHook::ResidPost => Place::Stage(Stage::Block(layer)),
                    last => Place::Hook(Hook::Block(layer, last)),
                }
            }
            place => place,
        }
    }

    /// The run has moved: shows what it was sent to, or where it stopped on the way.
    pub(super) fn arrive(&mut self) {
        let (Some(run), Some(target)) = (self.run.clone(), self.target.clone()) else {
            return;
        };
        // Another tab may have been opened meanwhile: it stays.
        let mode = self.view.mode;
        if walk::is_computed(&run, &target) {
            self.target = None;
            self.show(target);
        } else if !self.link.is_busy() {
            let is_new =
                run.passes.len() == 1 && run.passes.iter().all(|pass| pass.executed.is_empty());
            if is_new || std::mem::take(&mut self.aim.goes_on) {
                self.run_to(target);
                self.view.mode = mode;
                return;
            }
            self.target = None;
            let newest = walk::newest(&self.facts, self.depth(), &run);
            self.show(newest);
        }
        self.view.mode = mode;
    }

    /// Looks at `spot`. A view shows the pass of the chosen token; a view that names a later pass
    /// than the prefill chooses the last token of that pass.
    pub(super) fn look(&mut self, spot: Spot) {
        if spot.address.place == Place::View(View::Lessons) {
            self.look_at_lesson(&spot);
            self.view.mode = Mode::Lessons;
            return;
        }
        let passes = self.run.as_ref().map(|run| run.passes.as_slice());
        let named = spot.address.pass.filter(|_| is_view(&spot));
        let named = named.and_then(|pass| passes?.get(pass));
        if let Some(pass) = named {
            self.view.token = (pass.start + pass.n_pos).saturating_sub(1);
        }
        self.follow_index(&spot);
        self.view.look(spot);
        self.follow_token();
        self.settle_token();
    }

    /// A breakpoint has stopped the run: shows where, whatever was looked at.
    pub(super) fn stop_at(&mut self, breakpoint: &str) {
        self.view.is_playing = false;
        self.messages
            .tell(format!("Stopped at the breakpoint {breakpoint}."));
        let Some(run) = self.run.clone().filter(|_| self.facts.n_layers > 0) else {
            return;
        };
        self.target = None;
        let pass = run.passes.len().checked_sub(1);
        let named = breakpoint.parse::<Breakpoint>().ok();
        let named = named.map(|named| Spot::at(named.address.place, pass));
        let spot = named.filter(|spot| walk::is_computed(&run, spot));
        let mode = self.view.mode;
        self.look(spot.unwrap_or_else(|| walk::newest(&self.facts, self.depth(), &run)));
        self.view.mode = mode;
    }

    /// Chooses the token, the head and the key that the numbers behind an address name.
    pub(super) fn follow_index(&mut self, spot: &Spot) {
        let Place::Hook(hook) = spot.address.place else {
            return;
        };
        let passes = self.run.as_ref().map_or(&[][..], |run| &run.passes);
        let start = passes.get(spot.pass()).map_or(0, |pass| pass.start);
        for (axis, at) in hook.axes().iter().zip(&spot.address.index) {
            match axis {
                Axis::Pos | Axis::QueryPos => self.view.token = start + at,
                Axis::KeyPos => self.view.key = Some(*at),
                Axis::Head => self.view.choose_head(*at),
                Axis::KvHead => {
                    let n_sharing = self.facts.n_heads / self.facts.n_kv_heads.max(1);
                    self.view.choose_head(at * n_sharing);
                }
                Axis::HeadDim | Axis::DModel | Axis::DMlp | Axis::Vocab => {}
            }
        }
    }

    /// Where a view is open: shows the pass that the chosen token stands in, or the one before it
    /// while nothing of it has run.
    pub(super) fn follow_token(&mut self) {
        let Some(run) = self.run.as_ref().filter(|_| is_view(&self.view.spot)) else {
            return;
        };
        let token = self.view.token;
        let mut passes = run.passes.iter().enumerate().rev();
        let found = passes.find(|(_, pass)| pass.start <= token && !pass.executed.is_empty());
        let pass = found.map_or(0, |(number, _)| number);
        self.view.spot.address.pass = Some(pass).filter(|pass| *pass > 0);
    }

    /// The chosen token of the strip is the position on view: in a stage of a pass, one of the
    /// positions that the pass runs over. Where it is another, the last of them is chosen.
    pub(super) fn settle_token(&mut self) {
        let Some(run) = self
            .run
            .as_ref()
            .filter(|_| runs_over_positions(&self.view.spot))
        else {
            return;
        };
        let positions = positions_on_view(run, &self.view.spot);
        if !positions.is_empty() && !positions.contains(&self.view.token) {
            self.view.token = positions.end - 1;
        }
    }

    /// A token was chosen: where a stage is on view that it has no part in, its own pass is shown.
    pub(super) fn show_pass_of_token(&mut self) {
        let Some(run) = self
            .run
            .clone()
            .filter(|_| runs_over_positions(&self.view.spot))
        else {
            return;
        };
        let (token, shown) = (self.view.token, self.view.pass());
        let spot_in = |pass: usize| {
            let mut spot = self.view.spot.clone();
            spot.address.pass = Some(pass).filter(|pass| *pass > 0);
            spot
        };
        let mut passes = (0..run.passes.len()).rev().map(spot_in);
        let own = passes.find(|spot| positions_on_view(&run, spot).start <= token);
        if let Some(spot) = own.filter(|spot| spot.pass() != shown) {
            self.view.locked = None;
            self.view.spot = spot;
        }
        self.settle_token();
    }

    /// Shows a spot, unless a view is open: the run moves under it, and it stays.
    fn show(&mut self, spot: Spot) {
        if is_view(&self.view.spot) && !is_view(&spot) && self.keeps_view {
            return;
        }
        self.look(spot);
    }

    /// The same part of the next block, or what follows the blocks.
    fn next_layer(&self, from: &Spot) -> Spot {
        let next = from.layer().map_or(0, |layer| layer + 1);
        let place = match from.address.place {
            _ if next >= self.facts.n_layers => Place::Stage(Stage::FinalNorm),
            Place::Hook(Hook::Block(_, hook)) => Place::Hook(Hook::Block(next, hook)),
            _ => Place::Stage(Stage::Block(next)),
        };
        match walk::order(place) > walk::order(from.address.place) {
            true => Spot::at(place, Some(from.pass())),
            false => walk::after(&self.facts, Depth::Stages, from),
        }
    }

    /// One station back. Where the run stands at the one on view, its values go.
    fn back(&mut self, from: &Spot, newest: &Spot, is_view: bool) {
        let Some(before) = walk::before(&self.facts, self.depth(), from) else {
            return;
        };
        if from == newest {
            self.undo_to(&before);
        }
        if !is_view {
            self.view.look(before);
        }
    }

    /// Takes the run back until `spot` is the newest that is computed.
    fn undo_to(&mut self, spot: &Spot) {
        let pass = spot.pass();
        let has_next = self
            .run
            .as_ref()
            .is_some_and(|run| run.passes.len() > pass + 1);
        match spot.address.place {
            Place::View(View::Text | View::Tokens) => self.rewind(0, Place::Stage(Stage::Embed)),
            Place::View(View::Screen) => self.rewind(pass + 1, Place::Stage(Stage::Embed)),
            Place::View(_) => {
                if has_next {
                    self.rewind(pass + 1, Place::Stage(Stage::Embed));
                }
                self.link.tell(DebugCommand::Back);
            }
            place => self.rewind(pass, self.place_after(place)),
        }
    }

    /// What comes right after `place` in a pass.
    fn place_after(&self, place: Place) -> Place {
        let n_layers = self.facts.n_layers;
        let after_stage = |stage: Stage| match stage.next(n_layers) {
            Some(next) => Place::Stage(next),
            None => Place::View(View::Sample),
        };
        match place {
            Place::Hook(Hook::Block(layer, hook)) => {
                let last = walk::last_of_part(&self.facts, hook);
                match walk::next_in_block(&self.facts, last) {
                    Some(next) => Place::Hook(Hook::Block(layer, next)),
                    None => after_stage(Stage::Block(layer)),
                }
            }
            Place::Hook(hook) => after_stage(hook.stage()),
            Place::Stage(stage) => after_stage(stage),
            Place::View(_) => place,
        }
    }

    fn rewind(&mut self, pass: usize, place: Place) {
        let mut address = Address::at(place);
        address.pass = Some(pass);
        self.link.tell(DebugCommand::Rewind(address));
    }

    /// Smaller steps; the block ahead is opened.
    fn deepen(&mut self) {
        self.set_depth(match self.view.depth {
            Depth::Stops => Depth::Stages,
            Depth::Stages | Depth::Parts => Depth::Parts,
        });
        if self.view.depth == Depth::Parts && self.view.unfolded.is_none() {
            self.view.unfolded = Some(self.view.layer);
        }
        // A block that is computed is entered at once.
        if let Place::Stage(Stage::Block(layer)) = self.view.spot.address.place
            && self.view.depth == Depth::Parts
        {
            let norm = Place::Hook(Hook::Block(layer, BlockHook::Ln1));
            self.go(Spot::at(norm, Some(self.view.pass())));
        }
    }
}

/// Whether what is on view is computed position by position, in one pass.
fn runs_over_positions(spot: &Spot) -> bool {
    let is_text = matches!(spot.address.place, Place::View(View::Text | View::Tokens));
    !is_text && !is_view(spot)
}

/// The positions that the strip may mark while `spot` is on view: those that its pass runs over; once
/// a token was drawn and added to the text, that one.
fn positions_on_view(run: &RunState, spot: &Spot) -> Range<usize> {
    let Some(pass) = run.passes.get(spot.pass()) else {
        return 0..0;
    };
    let end = pass.start + pass.n_pos;
    match spot.address.place {
        Place::View(View::Screen) if run.ids.len() > end => end..end + 1,
        _ => pass.start..end,
    }
}

/// Whether a spot is a view of the whole run and no place in the order of a pass.
fn is_view(spot: &Spot) -> bool {
    walk::order(spot.address.place).is_none()
}
