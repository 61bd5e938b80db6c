//! The debugger: a run with a goal to step to, breakpoints to stop at, edits and branches to try,
//! and a state to show.
//!
//! `goal` says where commands lead, `breaking` where they stop, `editing` changes the list of
//! edits and what they copy from, `verdict` compares with the run without edits, `branches`
//! keeps the other ways the text went, `state` tells it all as plain data.

mod branches;
mod breaking;
mod checks;
mod editing;
mod goal;
mod looking;
mod sources;
mod state;
mod verdict;

use std::collections::VecDeque;
use std::rc::Rc;

use anyhow::{Result, ensure};

use super::loaded::LoadedModel;
use super::message::{CancelToken, Event, OpenRequest};
use super::prompt;
use super::run::{Next, Run, RunOptions};
use super::sampler::fresh_seed;
use super::stops::Ends;
use super::task::{Outbox, Turn};
use super::tracing;
use super::watch::Watch;
use crate::tokenizer::Tokenizer;
use crate::trace::debug::{Breakpoint, DebugCommand, EditList, RunVerdict};
use crate::trace::{Address, Place, View};
use branches::Branches;
use goal::Goal;
use sources::Source;

/// Positions from which a pass is long enough to tell how far it is.
const LONG: usize = 64;

/// A run that someone steps through.
pub struct Debugger {
    run: Run,
    /// The same text without edits, for the verdict; made when first needed.
    baseline: Option<Run>,
    tokenizer: Rc<Tokenizer>,
    request: OpenRequest,
    prompt_text: Option<String>,
    edits: EditList,
    sources: Vec<Source>,
    branches: Branches,
    breakpoints: Vec<Breakpoint>,
    /// What the command under way is to reach, one after the other.
    goals: VecDeque<Goal>,
    stopped_by: Option<String>,
    verdict: Option<RunVerdict>,
    version: u64,
}

impl Debugger {
    /// Opens a run, before its first stage.
    ///
    /// # Errors
    /// If the prompt is empty, an edit does not fit the model, or a setting is out of range.
    pub fn open(
        loaded: Rc<LoadedModel>,
        request: OpenRequest,
        out: &Outbox,
        cancel: &CancelToken,
    ) -> Result<Self> {
        let tokenizer = loaded.tokenizer()?;
        let prompt_text = prompt::text(&loaded, &tokenizer, &request.prompt, out)?;
        let ids = prompt::ids(&loaded, &tokenizer, &request.prompt, &Outbox::nowhere())?;
        let ends = Ends::new(&tokenizer, &[], &loaded.defaults.eos_token_id)?;
        let exempt = ends.untouched_by_xtc(&tokenizer)?;
        let sampling = request.sampling.over(&loaded.defaults, exempt);
        for edit in &request.edits {
            checks::check_edit(edit, &loaded)?;
            checks::check_copied_position(edit, ids.len())?;
        }
        let options = RunOptions {
            sampling,
            seed: request.seed.unwrap_or_else(fresh_seed),
            cache: request.cache,
            watch: request.watch.clone(),
            budget_bytes: request.budget_bytes,
            chunks: request.chunks.clone(),
            all_logits: request.all_logits,
            end_tokens: ends.ids().to_vec(),
            script: request.script.clone(),
        };
        let mut debugger = Self {
            run: Run::new(loaded, ids, &request.edits, options)?,
            baseline: None,
            tokenizer,
            prompt_text,
            edits: EditList::new(request.edits.clone()),
            sources: Vec::new(),
            branches: Branches::new(),
            breakpoints: Vec::new(),
            goals: VecDeque::new(),
            stopped_by: None,
            verdict: None,
            version: 0,
            request,
        };
        for (name, ids) in debugger.request.sources.clone() {
            debugger.add_source(name, ids)?;
        }
        debugger.provide_sources(cancel)?;
        Ok(debugger)
    }

    /// Begins a command. Commands that take one piece of work are done at once.
    ///
    /// # Errors
    /// As [`Run::step`], [`Run::back`] and [`Run::look`], and if the command names what is not
    /// there: then nothing has changed.
    pub fn begin(
        &mut self,
        command: DebugCommand,
        cancel: &CancelToken,
        out: &Outbox,
    ) -> Result<Turn> {
        self.stopped_by = None;
        self.goals.clear();
        match command {
            DebugCommand::Look(address) => {
                let value = self.look(&address, cancel)?;
                out.send(Event::Looked(Box::new(value)));
                return Ok(Turn::Ended);
            }
            DebugCommand::Trace { hooks } => {
                let watch = hooks.map_or_else(|| self.request.watch.clone(), Watch::Hooks);
                let trace = tracing::trace_of(self, &watch, cancel)?;
                out.send(Event::Traced(Box::new(trace)));
                return Ok(Turn::Ended);
            }
            command => self.take(command, cancel)?,
        }
        if self.goals.is_empty() {
            out.send(Event::Run(Box::new(self.state())));
            return Ok(Turn::Ended);
        }
        Ok(Turn::More)
    }

    /// Does what a command asks for at once, and notes where it leads.
    fn take(&mut self, command: DebugCommand, cancel: &CancelToken) -> Result<()> {
        match command {
            DebugCommand::State | DebugCommand::Look(_) | DebugCommand::Trace { .. } => {}
            DebugCommand::Steps(n) => self.aim(Goal::Steps(n)),
            DebugCommand::Into(n) => self.aim(Goal::Into(n)),
            DebugCommand::Layer => self.aim(self.end_of_layer()),
            DebugCommand::Tokens(n) => self.aim(self.after_tokens(n)),
            DebugCommand::End { max_tokens } => self.aim(self.the_end(max_tokens)),
            DebugCommand::To(address) => {
                checks::check_address(&address, self.run.loaded())?;
                self.aim(Goal::Reached(address));
            }
            DebugCommand::Back => drop(self.run.back(cancel)?),
            DebugCommand::BackInto => drop(self.run.back_into(cancel)?),
            DebugCommand::Rewind(address) => self.rewind(&address, cancel)?,
            DebugCommand::Stand(position) => self.stand(position, cancel)?,
            DebugCommand::Watch {
                hooks,
                budget_bytes,
            } => self.run.watch(Watch::Hooks(hooks), budget_bytes),
            DebugCommand::Breakpoints(breakpoints) => {
                for breakpoint in &breakpoints {
                    checks::check_breakpoint(breakpoint, self.run.loaded())?;
                }
                self.breakpoints = breakpoints;
            }
            DebugCommand::Edit { change, catch_up } => {
                self.change_edits(change, catch_up, cancel)?;
            }
            DebugCommand::Source { name, prompt } => self.take_source(name, &prompt, cancel)?,
            DebugCommand::Verdict => self.aim_at_verdict()?,
            DebugCommand::Branch { position, way } => self.branch(position, way, cancel)?,
            DebugCommand::Switch(id) => self.switch(id, cancel)?,
            DebugCommand::Drop(id) => self.branches.forget(id)?,
        }
        self.drop_stale_verdict();
        Ok(())
    }

    /// One step towards the goal of the command under way.
    ///
    /// # Errors
    /// As [`Run::step`].
    pub fn advance(&mut self, cancel: &CancelToken, out: &Outbox) -> Result<Turn> {
        while self.goals.front().is_some_and(|goal| self.is_there(goal)) {
            let reached = self.goals.pop_front();
            self.arrive(reached);
        }
        if let Some(goal) = self.goals.front().cloned() {
            self.move_towards(&goal, cancel)?;
            if goal.heeds_breakpoints() {
                self.stopped_by = self.hit(cancel)?;
            }
            if self.stopped_by.is_some() {
                self.goals.clear();
            }
            self.drop_stale_verdict();
            let is_there = |goal| self.is_there(goal);
            if self.goals.front().is_some_and(|goal| !is_there(goal)) || self.goals.len() > 1 {
                self.tell_progress(out);
                return Ok(Turn::More);
            }
            let reached = self.goals.pop_front();
            self.arrive(reached);
            if !self.goals.is_empty() {
                return Ok(Turn::More);
            }
        }
        out.send(Event::Run(Box::new(self.state())));
        Ok(Turn::Ended)
    }

    /// How far a long pass is, in stages; a short one is over before anyone could read it.
    fn tell_progress(&self, out: &Outbox) {
        let long = self.run.passes().last();
        if let Some(pass) = long.filter(|pass| pass.n_pos() >= LONG) {
            out.send(Event::Progress {
                done: pass.times().len(),
                total: self.run.loaded().model.n_layers() + 3,
            });
        }
    }

    /// The run.
    #[must_use]
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The run, to look into.
    pub fn run_mut(&mut self) -> &mut Run {
        &mut self.run
    }

    /// What was asked for.
    #[must_use]
    pub fn request(&self) -> &OpenRequest {
        &self.request
    }

    /// The list of edits.
    #[must_use]
    pub fn edits(&self) -> &EditList {
        &self.edits
    }

    /// The model's tokenizer.
    #[must_use]
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The prompt as the model reads it, where it came from text.
    #[must_use]
    pub fn prompt_text(&self) -> Option<&str> {
        self.prompt_text.as_deref()
    }

    /// Tokens of the prompt.
    #[must_use]
    pub fn prompt_len(&self) -> usize {
        self.run.prompt_len()
    }

    /// Grows whenever numbers that were computed may have become others.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    fn rewind(&mut self, address: &Address, cancel: &CancelToken) -> Result<()> {
        checks::check_address(address, self.run.loaded())?;
        let pass = address.pass.unwrap_or(0);
        match address.place {
            Place::Hook(hook) => self.run.rewind_to_hook(pass, hook, cancel),
            Place::Stage(stage) => self.run.rewind(pass, stage, cancel),
            Place::View(view) => {
                ensure!(
                    view == View::Sample,
                    "{} is no place to go back to: name a stage, a hook, or sample",
                    view.name()
                );
                self.run.rewind_to(pass, Next::Sample, cancel)
            }
        }
    }
}
