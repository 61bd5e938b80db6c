//! Changing a run: other edits, another token, other settings; and copies that share what is equal.

use anyhow::{Result, ensure};

use super::{Next, Run};
use crate::engine::message::CancelToken;
use crate::engine::sampler::SamplingParams;
use crate::trace::debug::DrawKind;
use crate::trace::edit::{Action, Change, Edit, Select};
use crate::trace::{Axis, Hook, HostTensor, Stage};

/// Where the text goes another way than the sampler says.
#[derive(Debug, Clone, PartialEq)]
pub enum Departure {
    /// This token instead of a drawn one.
    Token(u32),
    /// Other settings from here on, with other random numbers if a seed is given.
    Sampling {
        /// The settings.
        params: SamplingParams,
        /// Start of new random numbers.
        seed: Option<u64>,
    },
}

/// A draw as it is stored with a text: what is needed to make it again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StoredDraw {
    /// The token.
    pub token: u32,
    /// The random number that pointed at it.
    pub random: Option<f64>,
    /// XTC's own random number.
    pub xtc_coin: Option<f64>,
    /// Whether the token stands, whatever edits do to the logits.
    pub is_forced: bool,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The newest pass.
    pub pass: usize,
    /// What comes next in it.
    pub next: Next,
    /// The newest value inside that stage.
    pub cursor: Option<Hook>,
}

/// The first place that a change affects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Affected {
    pass: usize,
    /// `None`: the draw.
    hook: Option<Hook>,
}

impl Affected {
    /// Sorts in order of execution: the draw comes after every hook of its pass.
    fn order(&self) -> impl Ord + use<> {
        (self.pass, self.hook.is_none(), self.hook)
    }
}

impl Run {
    /// Where the run stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        Standing {
            pass: self.newest(),
            next: self.next,
            cursor: self.cursor.map(|cursor| cursor.hook),
        }
    }

    /// Whether the run stands at `place` or beyond it, or its text has ended before.
    #[must_use]
    pub fn has_come_to(&self, place: Standing) -> bool {
        if self.next == Next::Ended || self.newest() > place.pass {
            return true;
        }
        if (self.newest(), self.next) != (place.pass, place.next) {
            return self.has_passed(place.pass, place.next);
        }
        let here = self.cursor.map(|cursor| cursor.hook);
        place
            .cursor
            .is_none_or(|hook| here.is_some_and(|here| here >= hook))
    }

    /// One step towards `place`.
    ///
    /// # Errors
    /// As [`Run::step`].
    pub fn step_towards(&mut self, place: Standing, cancel: &CancelToken) -> Result<()> {
        let is_in_stage = (self.newest(), self.next) == (place.pass, place.next);
        match place.cursor {
            Some(hook) if is_in_stage => self.run_to_hook(hook, cancel),
            _ => self.step(cancel),
        }
    }

    /// Values that patches copy from, under the name of the run they come from.
    pub fn provide(&mut self, run: &str, hook: Hook, value: HostTensor) {
        self.edits.provide(run, hook, value);
    }

    /// Takes what patches of `other` copy from.
    pub fn take_sources_of(&mut self, other: &Self) {
        self.edits.take_sources_of(&other.edits);
    }

    /// Forgets every value to copy from but these.
    pub fn keep_sources(&mut self, used: &[(String, Hook)]) {
        self.edits.keep_sources(used);
    }

    /// Forgets what patches copy from the run called `run`.
    pub fn forget_source(&mut self, run: &str) {
        self.edits.forget_source(run);
    }

    /// Takes other edits: the run goes back to before the first stage or draw that they affect.
    /// Returns where it stood, if it had to go back.
    ///
    /// # Errors
    /// As [`Run::back`].
    pub fn set_edits(&mut self, edits: &[Edit], cancel: &CancelToken) -> Result<Option<Standing>> {
        let new: Vec<Edit> = edits.iter().filter(|edit| edit.is_on).cloned().collect();
        let Some(first) = self.first_affected(&new) else {
            return Ok(None);
        };
        let stood = self.go_before(first, cancel)?;
        let (pass, stage) = (first.pass, first.hook.map(Hook::stage));
        // Means and copied rows were taken in earlier passes, or in earlier stages of this one.
        self.edits.replace(&new, |hook| {
            pass > 0 || stage.is_none_or(|stage| hook.stage() < stage)
        });
        Ok(stood)
    }

    /// Goes back to before anything that copies from the run called `run`. Returns where this run
    /// stood, if it had to go back.
    ///
    /// # Errors
    /// As [`Run::back`].
    pub fn go_before_copies_of(
        &mut self,
        run: &str,
        cancel: &CancelToken,
    ) -> Result<Option<Standing>> {
        let copies = |edit: &&Edit| matches!(&edit.action, Action::Value(value) if value.change == Change::PatchRun(run.to_owned()));
        let first = self.edits.acting().iter().filter(copies);
        let first = first.map(|edit| self.affected_by(edit));
        match first.min_by_key(Affected::order) {
            Some(first) => self.go_before(first, cancel),
            None => Ok(None),
        }
    }

    /// From pass `pass` on, goes another way at its draw. The run must have come to the logits of
    /// that pass; it goes back there.
    ///
    /// # Errors
    /// As [`Run::rewind`], and if the vocabulary has no such token.
    pub fn depart(&mut self, pass: usize, way: Departure, cancel: &CancelToken) -> Result<()> {
        self.check_departure(&way)?;
        self.rewind_to(pass, Next::Sample, cancel)?;
        self.plan(pass, way)
    }

    /// As [`Run::depart`], for a pass that has not come to its draw.
    ///
    /// # Errors
    /// If the vocabulary has no such token.
    pub fn plan(&mut self, pass: usize, way: Departure) -> Result<()> {
        self.check_departure(&way)?;
        self.departures.retain(|at, _| *at < pass);
        self.departures.insert(pass, way);
        self.options.script.truncate(pass);
        Ok(())
    }

    fn check_departure(&self, way: &Departure) -> Result<()> {
        let n_vocab = self.loaded.model.config().vocab_size;
        match way {
            Departure::Token(token) => ensure!(
                (*token as usize) < n_vocab,
                "there is no token {token}: the vocabulary has {n_vocab}"
            ),
            Departure::Sampling { params, .. } => params.validate()?,
        }
        Ok(())
    }

    /// A copy of the run that shares its states and caches; recordings are left out.
    #[must_use]
    pub fn fork(&self) -> Self {
        let mut fork = self.clone();
        for pass in &mut fork.passes {
            pass.recorded.clear();
        }
        fork.n_left_out = 0;
        fork
    }

    /// The draws made so far, as they would be stored.
    #[must_use]
    pub fn stored_draws(&self) -> Vec<StoredDraw> {
        let drawn = self.passes.iter().filter_map(|pass| pass.draw.as_ref());
        let stored = drawn.map(|drawn| StoredDraw {
            token: drawn.draw.token,
            random: drawn.draw.random,
            xtc_coin: drawn.draw.xtc_coin,
            is_forced: drawn.kind == DrawKind::Forced,
        });
        stored.collect()
    }

    /// Follows this text from now on, as far as it goes; what was drawn already stays.
    pub fn follow(&mut self, script: Vec<StoredDraw>) {
        self.options.script = script;
    }

    /// Forgets every state and cache, and stands before the first stage with the draws made so far
    /// as a script: running forward again gives the same bits.
    ///
    /// # Errors
    /// Never, unless the prompt's pieces no longer add up.
    pub fn fold(&mut self) -> Result<()> {
        let drawn = self.stored_draws();
        let n_drawn = drawn.len();
        let rest = self
            .options
            .script
            .split_off(n_drawn.min(self.options.script.len()));
        self.options.script = drawn.into_iter().chain(rest).collect();
        self.options.chunks = self
            .passes
            .first()
            .map(|pass| pass.boundaries().collect())
            .unwrap_or_default();
        if let Some(before) = self.passes.iter_mut().find_map(|pass| pass.draw.take()) {
            self.sampler = before.sampler_before;
        }
        self.ids.truncate(self.prompt_len);
        self.passes.clear();
        self.edits.forget();
        self.cursor = None;
        self.context.clear();
        self.begin_prompt()
    }

    /// Bytes of the hidden states that are kept, of positions from `from` on.
    #[must_use]
    pub fn state_bytes_from(&self, from: usize) -> usize {
        let own = self.passes.iter().filter(|pass| pass.start >= from);
        own.map(super::LogicalPass::hidden_bytes).sum()
    }

    /// Position of the first token of the first pass that the edits affect; `None` where none acts.
    #[must_use]
    pub fn edited_from(&self) -> Option<usize> {
        let places = self.edits.acting().iter();
        let first = places.map(|edit| self.affected_by(edit).pass).min()?;
        Some(match first {
            0 => 0,
            pass => self.prompt_len + pass - 1,
        })
    }

    /// Goes back to before `first`, if the run has come so far; tells where it stood then.
    fn go_before(&mut self, first: Affected, cancel: &CancelToken) -> Result<Option<Standing>> {
        let stood = self.standing();
        let next = match first.hook {
            Some(hook) => Next::Stage(hook.stage()),
            None => Next::Sample,
        };
        if !self.has_passed(first.pass, next)
            || (stood.pass, stood.next) == (first.pass, next) && self.cursor.is_none()
        {
            return Ok(None);
        }
        let is_inside = (stood.pass, stood.next) == (first.pass, next);
        if is_inside && first.hook > stood.cursor {
            return Ok(None);
        }
        self.rewind_to(first.pass, next, cancel)?;
        Ok(Some(stood))
    }

    /// The first place where `new` acts otherwise than the edits that act now.
    fn first_affected(&self, new: &[Edit]) -> Option<Affected> {
        let old = self.edits.acting();
        let place = |edit: &Edit| self.affected_by(edit);
        let places = old.iter().chain(new).map(place);
        let differs = |at: &Affected| {
            let acting = |edits: &[Edit]| -> Vec<Action> {
                let may_act = |edit: &&Edit| {
                    let first = place(edit);
                    first.hook == at.hook && first.pass <= at.pass
                };
                let here = edits.iter().filter(may_act);
                here.map(|edit| edit.action.clone()).collect()
            };
            acting(old) != acting(new)
        };
        places.filter(differs).min_by_key(Affected::order)
    }

    /// The first place that `edit` affects.
    fn affected_by(&self, edit: &Edit) -> Affected {
        match &edit.action {
            Action::Force { pass, .. } => Affected {
                pass: *pass,
                hook: None,
            },
            Action::Logit { pass, .. } => Affected {
                pass: pass.unwrap_or(0),
                hook: Some(Hook::Logits),
            },
            Action::Value(value) => {
                let mut places = value.select.iter().zip(value.hook.axes());
                let position = places.find_map(|(select, axis)| match (select, axis) {
                    (Select::One(at), Axis::Pos | Axis::QueryPos) => Some(*at),
                    (Select::Range(start, _), Axis::Pos | Axis::QueryPos) => Some(*start),
                    _ => None,
                });
                // What is copied from elsewhere is taken when the pass of that place runs.
                let is_copied = matches!(value.change, Change::Mean | Change::PatchPosition(_));
                let position = position.filter(|_| !is_copied).unwrap_or(0);
                Affected {
                    pass: (position + 1).saturating_sub(self.prompt_len),
                    hook: Some(value.hook),
                }
            }
        }
    }

    /// Number of the newest pass.
    #[must_use]
    pub fn newest(&self) -> usize {
        self.passes.len().saturating_sub(1)
    }

    /// Whether `stage` of pass `pass` has been executed.
    #[must_use]
    pub fn has_executed(&self, pass: usize, stage: Stage) -> bool {
        let seen = self.passes.get(pass);
        seen.is_some_and(|seen| self.index_of(stage) < seen.kept.len())
    }
}
