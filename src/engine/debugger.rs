//! The debugger: a run with a goal to step to, breakpoints to stop at, and a state to show.

use std::rc::Rc;

use anyhow::{Context as _, Result, ensure};

use super::generate;
use super::loaded::LoadedModel;
use super::message::{CancelToken, Event, OpenRequest};
use super::run::{Next, Run, RunOptions};
use super::sampler::{TokenLogprob, fresh_seed, top_logprobs};
use super::stops::Ends;
use super::task::{Outbox, Turn};
use super::tracing;
use super::watch::Watch;
use crate::model::config::ModelConfig;
use crate::tokenizer::Tokenizer;
use crate::trace::answer::TopToken;
use crate::trace::debug::{Breakpoint, Condition, DebugCommand, DrawState, PassState, RunState};
use crate::trace::edit::{Action as EditAction, Change, Edit, Select};
use crate::trace::{Address, Axis, BlockHook, Hook, HostTensor, Place, Stage, View};

/// A run that someone steps through.
pub struct Debugger {
    run: Run,
    /// The same prompt without edits, for the verdict and for patches; made when first needed.
    tokenizer: Rc<Tokenizer>,
    request: OpenRequest,
    prompt_text: Option<String>,
    prompt_len: usize,
    breakpoints: Vec<Breakpoint>,
    goal: Option<Goal>,
    stopped_by: Option<String>,
}

/// Where a command leads.
#[derive(Debug, Clone, PartialEq)]
enum Goal {
    Steps(usize),
    /// Until this many tokens stand after the prompt, logits of the last included.
    Tokens(usize),
    Reached(Address),
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
        let prompt_text = generate::prompt_text(&loaded, &tokenizer, &request.prompt, out)?;
        let ids = generate::prompt_ids(&loaded, &tokenizer, &request.prompt, &Outbox::nowhere())?;
        let ends = Ends::new(&tokenizer, &[], &loaded.defaults.eos_token_id)?;
        let sampling = request
            .sampling
            .over(&loaded.defaults, ends.untouched_by_xtc(&tokenizer)?);
        let hooks = loaded.model.hooks();
        for edit in &request.edits {
            check_edit(edit, &hooks, loaded.model.config())?;
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
        };
        let mut run = Run::new(Rc::clone(&loaded), ids, &request.edits, options)?;
        for (name, ids) in &request.sources {
            provide_source(&mut run, name, ids, &request.edits, cancel)?;
        }
        Ok(Self {
            prompt_len: run.ids().len(),
            run,
            tokenizer,
            prompt_text,
            breakpoints: Vec::new(),
            goal: None,
            stopped_by: None,
            request,
        })
    }

    /// Begins a command. Commands that take one piece of work are done at once.
    ///
    /// # Errors
    /// As [`Run::step`], [`Run::back`] and [`Run::look`].
    pub fn begin(
        &mut self,
        command: DebugCommand,
        cancel: &CancelToken,
        out: &Outbox,
    ) -> Result<Turn> {
        self.stopped_by = None;
        self.goal = None;
        match command {
            DebugCommand::State => {}
            DebugCommand::Steps(n) => self.goal = Some(Goal::Steps(n)),
            DebugCommand::Tokens(n) => {
                // The newest pass counts while its logits are still to come.
                let done = match self.run.next() {
                    Next::Stage(_) => self.run.passes().len() - 1,
                    Next::Sample | Next::Append | Next::Ended => self.run.passes().len(),
                };
                self.goal = Some(Goal::Tokens((done + n).saturating_sub(1)));
            }
            DebugCommand::To(address) => self.goal = Some(Goal::Reached(address)),
            DebugCommand::Back => {
                self.run.back(cancel)?;
            }
            DebugCommand::Rewind { pass, stage } => self.run.rewind(pass, stage, cancel)?,
            DebugCommand::Breakpoints(breakpoints) => {
                let n_layers = self.run.loaded().model.n_layers();
                for breakpoint in &breakpoints {
                    if let Some(Stage::Block(layer)) = breakpoint.address.stage() {
                        ensure!(
                            layer < n_layers,
                            "{breakpoint} is never reached: the model has {n_layers} blocks"
                        );
                    }
                }
                self.breakpoints = breakpoints;
            }
            DebugCommand::Look(address) => {
                let value = self.look(&address, cancel)?;
                out.send(Event::Looked(Box::new(value)));
                return Ok(Turn::Ended);
            }
            DebugCommand::Trace => {
                let trace = tracing::trace_of(self, cancel)?;
                out.send(Event::Traced(Box::new(trace)));
                return Ok(Turn::Ended);
            }
        }
        if self.goal.is_some() {
            return Ok(Turn::More);
        }
        out.send(Event::Run(Box::new(self.state())));
        Ok(Turn::Ended)
    }

    /// One step towards the goal of the command under way.
    ///
    /// # Errors
    /// As [`Run::step`].
    pub fn advance(&mut self, cancel: &CancelToken, out: &Outbox) -> Result<Turn> {
        if !self.is_there() {
            self.run.step(cancel)?;
            if let Some(Goal::Steps(left)) = &mut self.goal {
                *left = left.saturating_sub(1);
            }
            self.stopped_by = self.hit(cancel)?;
            if self.stopped_by.is_none() && !self.is_there() {
                return Ok(Turn::More);
            }
        }
        out.send(Event::Run(Box::new(self.state())));
        Ok(Turn::Ended)
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
        self.prompt_len
    }

    fn is_there(&self) -> bool {
        let next = self.run.next();
        if next == Next::Ended {
            return true;
        }
        match &self.goal {
            None => true,
            Some(Goal::Steps(left)) => *left == 0,
            Some(Goal::Tokens(n)) => self.run.passes().len() > *n && next == Next::Sample,
            Some(Goal::Reached(address)) => self.has_reached(address),
        }
    }

    /// Whether the run has computed what `address` names.
    fn has_reached(&self, address: &Address) -> bool {
        let (newest, next) = (self.run.passes().len() - 1, self.run.next());
        let pass = address.pass.unwrap_or(0);
        if newest != pass {
            return newest > pass;
        }
        match (address.place, next) {
            (_, Next::Append | Next::Ended) => true,
            (Place::View(View::Sample | View::Screen), _) => false,
            (_, Next::Sample) | (Place::View(_), _) => true,
            (_, Next::Stage(stage)) => address.stage().is_some_and(|asked| asked < stage),
        }
    }

    /// The breakpoint that the latest step has hit.
    fn hit(&mut self, cancel: &CancelToken) -> Result<Option<String>> {
        for breakpoint in self.breakpoints.clone() {
            let mut address = breakpoint.address.clone();
            // Without a pass it stops in every pass.
            address.pass.get_or_insert(self.run.passes().len() - 1);
            if self.just_reached(&address) && self.holds(&breakpoint, &address, cancel)? {
                return Ok(Some(breakpoint.to_string()));
            }
        }
        Ok(None)
    }

    fn just_reached(&self, address: &Address) -> bool {
        let n_layers = self.run.loaded().model.n_layers();
        let here = address.pass == Some(self.run.passes().len() - 1);
        let executed = match self.run.next() {
            Next::Append | Next::Ended => {
                return here && address.place == Place::View(View::Sample);
            }
            Next::Sample => Some(Stage::Logits),
            Next::Stage(next) => {
                Stage::of_pass(n_layers).find(|stage| stage.next(n_layers) == Some(next))
            }
        };
        here && executed.is_some() && address.stage() == executed
    }

    fn holds(
        &mut self,
        breakpoint: &Breakpoint,
        address: &Address,
        cancel: &CancelToken,
    ) -> Result<bool> {
        Ok(match &breakpoint.when {
            None => true,
            Some(Condition::TokenIs(text)) => {
                let draw = self.run.passes().last().and_then(|pass| pass.draw());
                let drawn = draw.and_then(|draw| self.tokenizer.token_text(draw.token));
                drawn.as_deref() == Some(text)
            }
            Some(Condition::ProbabilityBelow(limit)) => {
                let draw = self.run.passes().last().and_then(|pass| pass.draw());
                draw.is_some_and(|draw| draw.logprob.exp() < *limit)
            }
            Some(Condition::HeadShareAbove { head, key, share }) => {
                let Some(Stage::Block(layer)) = address.stage() else {
                    return Ok(false);
                };
                let pattern = Hook::Block(layer, BlockHook::Pattern);
                let pass = address.pass.unwrap_or(0);
                let map = self.run.look(pass, pattern, Some(*head), cancel)?;
                let newest = map.shape().get(1).and_then(|n| n.checked_sub(1));
                let seen = newest.and_then(|row| map.value(&[0, row, *key]));
                seen.is_some_and(|seen| seen > *share)
            }
        })
    }

    /// The value at an address that names a hook, or the state after a stage. An index picks a
    /// part of it, along the hook's own axes.
    ///
    /// # Errors
    /// If it has not been computed yet, or the address lies outside the value.
    pub fn look(&mut self, address: &Address, cancel: &CancelToken) -> Result<HostTensor> {
        let pass = address.pass.unwrap_or(0);
        let hook = match address.place {
            Place::Hook(hook) => hook,
            Place::Stage(stage) => return self.run.hidden_after(pass, stage),
            Place::View(view) => anyhow::bail!("{} is a view, not a value", view.name()),
        };
        let by_head = matches!(hook, Hook::Block(_, BlockHook::Scores | BlockHook::Pattern));
        let mut index = address.index.clone();
        let head = index.first().copied().filter(|_| by_head);
        let value = self.run.look(pass, hook, head, cancel)?;
        if head.is_some()
            && let Some(first) = index.first_mut()
        {
            *first = 0;
        }
        let part = value
            .at(&index)
            .with_context(|| format!("{address} lies outside the value"))?;
        let shape = value
            .shape()
            .get(index.len()..)
            .unwrap_or_default()
            .to_vec();
        HostTensor::new(shape, part.to_vec()).context("the part does not fit its shape")
    }

    /// The likeliest next tokens after the newest pass.
    fn likeliest(&self) -> Vec<TopToken> {
        let logits = self.run.passes().last().and_then(|pass| pass.logits());
        let top = logits.and_then(|logits| top_logprobs(logits, N_LIKELIEST).ok());
        let with_text = |top: TokenLogprob| TopToken {
            id: top.token,
            text: self.tokenizer.token_text(top.token).unwrap_or_default(),
            logprob: top.logprob,
        };
        top.unwrap_or_default().into_iter().map(with_text).collect()
    }

    /// Where the run stands, as plain data.
    #[must_use]
    pub fn state(&self) -> RunState {
        let text = |id: &u32| self.tokenizer.token_text(*id).unwrap_or_default();
        let passes = self.run.passes().iter().map(|pass| PassState {
            start: pass.start(),
            n_pos: pass.n_pos(),
            boundaries: pass.boundaries().collect(),
            executed: pass
                .times()
                .iter()
                .map(|(stage, time)| (*stage, time.as_secs_f64()))
                .collect(),
            draw: pass.draw().map(|draw| DrawState {
                token: draw.token,
                text: text(&draw.token),
                logprob: draw.logprob,
                random: draw.random,
                share: draw.share,
            }),
        });
        RunState {
            model: self.run.loaded().label.clone(),
            ids: self.run.ids().to_vec(),
            texts: self.run.ids().iter().map(text).collect(),
            prompt_len: self.prompt_len,
            next: match self.run.next() {
                Next::Stage(stage) => stage.to_string(),
                Next::Sample => "sample".to_owned(),
                Next::Append => "append".to_owned(),
                Next::Ended => "ended".to_owned(),
            },
            passes: passes.collect(),
            likeliest: self.likeliest(),
            cache: self.run.context().size(),
            stopped_by: self.stopped_by.clone(),
        }
    }
}

/// How many of the likeliest tokens a state tells.
const N_LIKELIEST: usize = 10;

/// Refuses an edit at a hook that the family does not have, or beyond the hook's shape.
fn check_edit(edit: &Edit, hooks: &[Hook], config: &ModelConfig) -> Result<()> {
    if let EditAction::Value(value) = &edit.action {
        ensure!(
            hooks.contains(&value.hook),
            "the edit '{}' cannot be made: this model has no {}; --list-hooks shows what it has",
            edit.name,
            value.hook
        );
        for (select, axis) in value.select.iter().zip(value.hook.axes()) {
            let size = match axis {
                // Positions grow with the text.
                Axis::Pos | Axis::QueryPos | Axis::KeyPos => continue,
                Axis::Head => config.num_attention_heads,
                Axis::KvHead => config.num_key_value_heads,
                Axis::HeadDim => config.head_dim,
                Axis::DModel => config.hidden_size,
                Axis::DMlp => config.intermediate_size,
                Axis::Vocab => config.vocab_size,
            };
            let fits = match select {
                Select::All => true,
                Select::One(at) => *at < size,
                Select::Range(start, end) => start < end && *end <= size,
            };
            ensure!(
                fits,
                "the edit '{}' changes nothing: {select} is not among the {size} of {}",
                edit.name,
                axis.name()
            );
        }
    }
    Ok(())
}

/// Runs the prompt that patches copy from, and keeps what they copy.
fn provide_source(
    run: &mut Run,
    name: &str,
    ids: &[u32],
    edits: &[Edit],
    cancel: &CancelToken,
) -> Result<()> {
    let patched = edits.iter().filter_map(|edit| match &edit.action {
        EditAction::Value(value) if value.change == Change::PatchRun(name.to_owned()) => {
            Some(value.hook)
        }
        _ => None,
    });
    let hooks: Vec<Hook> = patched.collect();
    if hooks.is_empty() {
        return Ok(());
    }
    let options = RunOptions {
        watch: Watch::Hooks(hooks.clone()),
        all_logits: true,
        ..RunOptions::default()
    };
    let mut source = Run::new(Rc::clone(run.loaded()), ids.to_vec(), &[], options)?;
    source.finish_pass(cancel)?;
    for hook in hooks {
        let value = source.look(0, hook, None, cancel)?;
        run.provide(name, hook, value);
    }
    Ok(())
}
