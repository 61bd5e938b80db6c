//! Where one stands in a recorded run: everything that was recorded, in order, and how much of it
//! counts as done.

use anyhow::{Result, bail, ensure};

use crate::trace::debug::{DebugCommand, next_inside};
use crate::trace::file::TraceMeta;
use crate::trace::{Address, Hook, Place, Stage, View};

/// One thing that the run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// A stage of a pass.
    Stage(usize, Stage),
    /// The draw after a pass.
    Draw(usize),
    /// The drawn token was appended: this pass begins.
    Append(usize),
}

/// Everything that was recorded, and where one stands in it.
#[derive(Debug, Clone)]
pub(super) struct Stand {
    steps: Vec<Step>,
    hooks: Vec<Hook>,
    /// How many of the steps are done.
    n_done: usize,
    /// Inside the next step, a stage: the last hook that is done.
    cursor: Option<Hook>,
}

impl Stand {
    /// At the end of what `meta` tells of; `hooks` are the model's, in order of execution.
    pub(super) fn at_end(meta: &TraceMeta, hooks: Vec<Hook>) -> Self {
        let mut steps = Vec::new();
        for (number, pass) in meta.passes.iter().enumerate() {
            if number > 0 {
                steps.push(Step::Append(number));
            }
            let stages = pass
                .times
                .iter()
                .filter_map(|(stage, _)| stage.parse().ok());
            steps.extend(stages.map(|stage| Step::Stage(number, stage)));
            if pass.draw.is_some() {
                steps.push(Step::Draw(number));
            }
        }
        Self {
            n_done: steps.len(),
            steps,
            hooks,
            cursor: None,
        }
    }

    /// What is done.
    pub(super) fn done(&self) -> &[Step] {
        self.steps.get(..self.n_done).unwrap_or_default()
    }

    /// What comes next, of what was recorded.
    pub(super) fn next(&self) -> Option<Step> {
        self.steps.get(self.n_done).copied()
    }

    /// The last hook that is done inside the next step.
    pub(super) fn cursor(&self) -> Option<Hook> {
        self.cursor
    }

    /// The hook that a step into would compute.
    pub(super) fn next_hook(&self) -> Option<Hook> {
        match (self.cursor, self.next()) {
            (Some(hook), _) => next_inside(&self.hooks, hook),
            (None, Some(Step::Stage(_, stage))) => self.hooks_of(stage).next(),
            _ => None,
        }
    }

    /// The newest pass that has begun.
    fn newest(&self) -> usize {
        match self.done().last() {
            Some(Step::Append(pass) | Step::Stage(pass, _) | Step::Draw(pass)) => *pass,
            None => 0,
        }
    }

    /// Moves as `command` says.
    pub(super) fn go(&mut self, command: &DebugCommand, meta: &TraceMeta) -> Result<()> {
        match command {
            DebugCommand::Steps(n) => (0..*n).try_for_each(|_| self.step()),
            DebugCommand::Into(n) => (0..*n).try_for_each(|_| self.step_into()),
            DebugCommand::Layer => self.layer(),
            DebugCommand::Tokens(n) => self.tokens(*n),
            DebugCommand::End { .. } => {
                self.put(self.steps.len(), None);
                Ok(())
            }
            DebugCommand::To(address) => self.to(address),
            DebugCommand::Back => self.back(false),
            DebugCommand::BackInto => self.back(true),
            DebugCommand::Rewind(address) => self.rewind(address),
            DebugCommand::Stand(position) => self.stand(*position, meta),
            _ => Ok(()),
        }
    }

    fn put(&mut self, n_done: usize, cursor: Option<Hook>) {
        (self.n_done, self.cursor) = (n_done, cursor);
    }

    fn step(&mut self) -> Result<()> {
        ensure!(self.n_done < self.steps.len(), ENDS);
        self.put(self.n_done + 1, None);
        Ok(())
    }

    fn step_into(&mut self) -> Result<()> {
        match self.next_hook() {
            Some(hook) if next_inside(&self.hooks, hook).is_some() => {
                self.cursor = Some(hook);
                Ok(())
            }
            _ => self.step(),
        }
    }

    fn layer(&mut self) -> Result<()> {
        let newest = self.newest();
        let step = match self.next() {
            Some(Step::Stage(pass, Stage::Embed)) => Step::Stage(pass, Stage::Block(0)),
            Some(Step::Stage(pass, Stage::FinalNorm)) => Step::Stage(pass, Stage::Logits),
            Some(step @ Step::Stage(..)) => step,
            _ => Step::Stage(newest + 1, Stage::Block(0)),
        };
        let at = self.find(step)?;
        self.put(at + 1, None);
        Ok(())
    }

    fn tokens(&mut self, n: usize) -> Result<()> {
        for _ in 0..n {
            let mut rest = self.steps.iter().skip(self.n_done);
            let ahead = rest.position(|step| matches!(step, Step::Stage(_, Stage::Logits)));
            let Some(ahead) = ahead else {
                bail!(ENDS);
            };
            self.put(self.n_done + ahead + 1, None);
        }
        Ok(())
    }

    fn to(&mut self, address: &Address) -> Result<()> {
        let at = self.find(step_of(address))?;
        if self.n_done > at {
            return Ok(());
        }
        let inside = match address.place {
            Place::Hook(hook) => {
                Some(hook).filter(|hook| next_inside(&self.hooks, *hook).is_some())
            }
            _ => None,
        };
        match inside {
            Some(hook) if self.n_done == at && self.cursor.is_some_and(|here| hook <= here) => {}
            Some(hook) => self.put(at, Some(hook)),
            None => self.put(at + 1, None),
        }
        Ok(())
    }

    fn back(&mut self, into: bool) -> Result<()> {
        if let Some(hook) = self.cursor {
            self.cursor = self.hook_before(hook);
            return Ok(());
        }
        ensure!(self.n_done > 0, "this is the beginning of the recording");
        self.put(self.n_done - 1, None);
        if let (true, Some(Step::Stage(_, stage))) = (into, self.next()) {
            let last = self.hooks_of(stage).last();
            self.cursor = last.and_then(|last| self.hook_before(last));
        }
        Ok(())
    }

    fn rewind(&mut self, address: &Address) -> Result<()> {
        let at = self.find(step_of(address))?;
        ensure!(at <= self.n_done, "the run has not come to {address} yet");
        let cursor = match address.place {
            Place::Hook(hook) => self.hook_before(hook),
            _ => None,
        };
        self.put(at, cursor);
        Ok(())
    }

    fn stand(&mut self, position: usize, meta: &TraceMeta) -> Result<()> {
        let ends_there = |pass: &crate::trace::file::PassMeta| {
            pass.start.saturating_add(pass.boundaries.iter().sum()) == position + 1
        };
        let Some(pass) = meta.passes.iter().position(ends_there) else {
            bail!("no recorded pass ends at position {position}");
        };
        let at = self.find(Step::Stage(pass, Stage::Logits))?;
        self.put(at + 1, None);
        Ok(())
    }

    fn find(&self, step: Step) -> Result<usize> {
        match self.steps.iter().position(|other| *other == step) {
            Some(at) => Ok(at),
            None => bail!(ENDS),
        }
    }

    fn hooks_of(&self, stage: Stage) -> impl Iterator<Item = Hook> {
        let hooks = self.hooks.iter().copied();
        hooks.filter(move |hook| hook.stage() == stage)
    }

    /// The hook before `hook` in the same stage.
    fn hook_before(&self, hook: Hook) -> Option<Hook> {
        self.hooks_of(hook.stage())
            .take_while(|other| *other != hook)
            .last()
    }
}

/// Said where one asks to go beyond what was recorded.
const ENDS: &str = "the recording ends here. Open its prompt with a model to go on";

/// The step after which `address` is there.
fn step_of(address: &Address) -> Step {
    let pass = address.pass.unwrap_or(0);
    match address.place {
        Place::Hook(hook) => Step::Stage(pass, hook.stage()),
        Place::Stage(stage) => Step::Stage(pass, stage),
        Place::View(View::Sample | View::Screen) => Step::Draw(pass),
        Place::View(_) => Step::Stage(pass, Stage::Embed),
    }
}
