//! Where a command leads, and each step of the way.

use anyhow::Result;

use super::Debugger;
use crate::engine::message::CancelToken;
use crate::engine::run::{Next, Standing};
use crate::trace::{Address, Hook, Place, Stage, View};

/// Where a command leads.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Goal {
    /// So many steps over.
    Steps(usize),
    /// So many steps into.
    Into(usize),
    /// Until this stage of this pass has been executed.
    Executed { pass: usize, stage: Stage },
    /// Until this pass has its logits.
    Logits { pass: usize },
    /// Until the text ends, or this pass has its logits.
    End { pass: usize },
    /// Until this has been computed.
    Reached(Address),
    /// Until the run stands here again.
    Standing(Standing),
    /// Until the run without edits has come to the same logits, and both are compared.
    Verdict,
}

impl Goal {
    /// Whether a breakpoint may stop it: people stop where they step, not where numbers are only
    /// made again.
    pub(super) fn heeds_breakpoints(&self) -> bool {
        !matches!(self, Self::Standing(_) | Self::Verdict)
    }
}

impl Debugger {
    pub(super) fn aim(&mut self, goal: Goal) {
        self.goals.push_back(goal);
    }

    /// The end of the block under way, or of the next one; after the last block, the logits.
    pub(super) fn end_of_layer(&self) -> Goal {
        let newest = self.run.newest();
        let n_layers = self.run.loaded().model.n_layers();
        let (pass, stage) = match self.run.next() {
            Next::Stage(Stage::Embed) => (newest, Stage::Block(0)),
            Next::Stage(Stage::FinalNorm | Stage::Logits) => (newest, Stage::Logits),
            Next::Stage(stage) => (newest, stage),
            Next::Sample | Next::Append | Next::Ended => (newest + 1, Stage::Block(0)),
        };
        let stage = if n_layers == 0 { Stage::Logits } else { stage };
        Goal::Executed { pass, stage }
    }

    /// The logits of so many more tokens.
    pub(super) fn after_tokens(&self, n: usize) -> Goal {
        // The newest pass counts while its logits are still to come.
        let done = match self.run.next() {
            Next::Stage(_) => self.run.newest(),
            Next::Sample | Next::Append | Next::Ended => self.run.newest() + 1,
        };
        Goal::Logits {
            pass: (done + n).saturating_sub(1),
        }
    }

    /// The end of the text, at most so many tokens away.
    pub(super) fn the_end(&self, max_tokens: usize) -> Goal {
        let pass = self.run.newest() + max_tokens;
        Goal::End { pass }
    }

    /// Whether the run has come to `goal`.
    pub(super) fn is_there(&self, goal: &Goal) -> bool {
        if *goal == Goal::Verdict {
            return self.has_current_verdict();
        }
        if self.run.next() == Next::Ended {
            return true;
        }
        let has_logits = |pass| {
            let newest = self.run.newest();
            newest > pass || newest == pass && self.run.next() == Next::Sample
        };
        match goal {
            Goal::Steps(left) | Goal::Into(left) => *left == 0,
            Goal::Executed { pass, stage } => self.run.has_executed(*pass, *stage),
            Goal::Logits { pass } | Goal::End { pass } => has_logits(*pass),
            Goal::Reached(address) => self.has_reached(address),
            Goal::Standing(place) => self.run.has_come_to(*place),
            Goal::Verdict => true,
        }
    }

    /// One step towards `goal`: never beyond a hook where it, or a breakpoint, stops.
    pub(super) fn move_towards(&mut self, goal: &Goal, cancel: &CancelToken) -> Result<()> {
        match goal {
            Goal::Verdict => return self.move_baseline(cancel),
            Goal::Standing(place) => return self.run.step_towards(*place, cancel),
            Goal::Into(_) => self.run.step_into(cancel)?,
            _ => match self.stop_inside(goal) {
                Some(hook) => {
                    self.run.run_to_hook(hook, cancel)?;
                    // A step over is done when its stage is.
                    if self.run.cursor().is_some() {
                        return Ok(());
                    }
                }
                None => self.run.step(cancel)?,
            },
        }
        if let Some(Goal::Steps(left) | Goal::Into(left)) = self.goals.front_mut() {
            *left = left.saturating_sub(1);
        }
        Ok(())
    }

    /// What follows once a goal is reached: with edits acting and fresh logits, a verdict.
    pub(super) fn arrive(&mut self, reached: Option<Goal>) {
        let is_move = reached.is_some_and(|goal| goal != Goal::Verdict);
        if is_move && self.goals.is_empty() && self.wants_verdict() {
            self.aim(Goal::Verdict);
        }
    }

    /// The next hook of the next stage at which `goal` or a breakpoint stops inside it.
    fn stop_inside(&self, goal: &Goal) -> Option<Hook> {
        let Next::Stage(stage) = self.run.next() else {
            return None;
        };
        let pass = self.run.newest();
        let asked = match goal {
            Goal::Reached(address) if address.pass.unwrap_or(0) == pass => Some(address),
            _ => None,
        };
        let broken = self
            .breakpoints
            .iter()
            .map(|breakpoint| &breakpoint.address);
        let broken = broken.filter(|address| address.pass.is_none_or(|at| at == pass));
        let hooks = asked.into_iter().chain(broken);
        let hooks = hooks.filter_map(|address| match address.place {
            Place::Hook(hook) if hook.stage() == stage => Some(hook),
            _ => None,
        });
        let here = self.run.cursor().map(|cursor| cursor.hook);
        hooks
            .filter(|hook| here.is_none_or(|here| *hook > here))
            .min()
    }

    /// Whether the run has computed what `address` names.
    fn has_reached(&self, address: &Address) -> bool {
        let (newest, next) = (self.run.newest(), self.run.next());
        let pass = address.pass.unwrap_or(0);
        if newest != pass {
            return newest > pass;
        }
        let is_inside = |hook: Hook| {
            let cursor = self.run.cursor().map(|cursor| cursor.hook);
            cursor.is_some_and(|here| here.stage() == hook.stage() && hook <= here)
        };
        match (address.place, next) {
            (_, Next::Append | Next::Ended) => true,
            (Place::View(View::Sample | View::Screen), _) => false,
            (_, Next::Sample) | (Place::View(_), _) => true,
            (Place::Hook(hook), Next::Stage(_)) if is_inside(hook) => true,
            (_, Next::Stage(stage)) => address.stage().is_some_and(|asked| asked < stage),
        }
    }
}
