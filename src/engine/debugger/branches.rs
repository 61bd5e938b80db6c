//! Branches: the ways a text went, kept side by side.
//!
//! A branch begins as a copy of the run that shares every state and cache before it parts: nothing
//! of the prefix is computed again. Memory is bounded: the run under way and the [`N_KEPT`] that
//! were left last keep their states, older ones are folded to their text and draws, and run again
//! (to the same bits) when someone goes back to them.

use std::rc::Rc;

use anyhow::{Context as _, Result, bail, ensure};

use super::Debugger;
use super::goal::Goal;
use crate::engine::message::{CancelToken, SamplingChoice};
use crate::engine::run::{Departure, Next, Run, RunOptions, Standing};
use crate::trace::debug::{BranchState, Way};

/// How many branches besides the one under way keep their states and caches.
const N_KEPT: usize = 4;
/// Most branches of one run.
const MOST_BRANCHES: usize = 64;

/// The tree of branches.
pub(super) struct Branches {
    list: Vec<Branch>,
    active: usize,
    /// Counts switches, so that the branches left last are known.
    clock: u64,
}

struct Branch {
    id: usize,
    parent: Option<usize>,
    parts_at: usize,
    label: String,
    /// `None` while it is under way.
    left: Option<Left>,
}

/// A branch that someone has left.
struct Left {
    run: Run,
    stood: Standing,
    ids: Vec<u32>,
    is_folded: bool,
    at: u64,
}

impl Branches {
    /// A trunk alone.
    pub(super) fn new() -> Self {
        Self {
            list: vec![Branch {
                id: 0,
                parent: None,
                parts_at: 0,
                label: "start".to_owned(),
                left: None,
            }],
            active: 0,
            clock: 0,
        }
    }

    pub(super) fn active(&self) -> usize {
        self.active
    }

    /// The run of a branch that was left, to copy from.
    pub(super) fn run(&mut self, id: usize) -> Result<&mut Run> {
        let branch = self.list.iter_mut().find(|branch| branch.id == id);
        let branch = branch.with_context(|| format!("there is no branch {id}"))?;
        let left = branch.left.as_mut();
        let left =
            left.with_context(|| format!("branch {id} is under way: copy from another one"))?;
        ensure!(
            !left.is_folded,
            "branch {id} was left long ago: switch to it and back, then copy from it"
        );
        Ok(&mut left.run)
    }

    /// The first branch left whose text has a token at `position`.
    fn longer_than(&self, position: usize) -> Option<usize> {
        let has = |branch: &&Branch| {
            let left = branch.left.as_ref();
            left.is_some_and(|left| left.ids.len() > position)
        };
        self.list.iter().find(has).map(|branch| branch.id)
    }

    /// Forgets a branch.
    pub(super) fn forget(&mut self, id: usize) -> Result<()> {
        let at = self.list.iter().position(|branch| branch.id == id);
        let at = at.with_context(|| format!("there is no branch {id}"))?;
        ensure!(
            id != self.active,
            "branch {id} is under way: switch to another one first"
        );
        let has_children = self.list.iter().any(|branch| branch.parent == Some(id));
        ensure!(
            !has_children,
            "other branches part from branch {id}: drop those first"
        );
        self.list.remove(at);
        Ok(())
    }

    /// Puts `run` aside as the branch under way, and makes another one active.
    fn leave(&mut self, run: Run, next: usize) -> Result<()> {
        self.clock += 1;
        let (active, at) = (self.active, self.clock);
        let branch = self.list.iter_mut().find(|branch| branch.id == active);
        let branch = branch.context("the branch under way is missing")?;
        branch.left = Some(Left {
            stood: run.standing(),
            ids: run.ids().to_vec(),
            run,
            is_folded: false,
            at,
        });
        self.active = next;
        self.fold_old()
    }

    /// Folds the branches that were left longest ago.
    fn fold_old(&mut self) -> Result<()> {
        let left = self
            .list
            .iter_mut()
            .filter_map(|branch| branch.left.as_mut());
        let mut kept: Vec<&mut Left> = left.filter(|left| !left.is_folded).collect();
        kept.sort_by_key(|left| std::cmp::Reverse(left.at));
        for left in kept.into_iter().skip(N_KEPT) {
            left.run.fold()?;
            left.is_folded = true;
        }
        Ok(())
    }

    /// Bytes of states that branches keep for themselves.
    pub(super) fn bytes(&self) -> usize {
        let left = self
            .list
            .iter()
            .filter_map(|branch| Some((branch, branch.left.as_ref()?)));
        left.map(|(branch, left)| left.run.state_bytes_from(branch.parts_at))
            .sum()
    }
}

impl Debugger {
    /// Goes another way from `position` on.
    pub(super) fn branch(
        &mut self,
        position: Option<usize>,
        way: Way,
        cancel: &CancelToken,
    ) -> Result<()> {
        let position = position.unwrap_or(self.run.ids().len());
        ensure!(
            position <= self.run.ids().len(),
            "position {position} lies beyond the text, which has {} tokens",
            self.run.ids().len()
        );
        ensure!(
            position > 0,
            "the first token has none before it to go on from"
        );
        let (label, departure) = self.departure(&way)?;
        let pass = position.saturating_sub(self.run.prompt_len());
        ensure!(
            position < self.run.prompt_len() || pass < self.run.newest() || self.has_logits(),
            "the logits that position {position} is drawn from are not computed yet: step to them \
             first (t), or name an earlier position"
        );
        let is_cut = position < self.run.prompt_len();
        let mut fork = match is_cut {
            true => self.cut(position)?,
            false => self.run.fork(),
        };
        match is_cut {
            true => fork.plan(0, departure)?,
            false => fork.depart(pass, departure, cancel)?,
        }
        self.part(fork, position, label)?;
        if is_cut {
            self.aim(Goal::Logits { pass: 0 });
        }
        if matches!(way, Way::Token(_)) {
            // The draw and the token are the branch's first steps.
            self.aim(Goal::Steps(2));
        }
        Ok(())
    }

    /// Stands at `position` with its logits computed.
    pub(super) fn stand(&mut self, position: usize, cancel: &CancelToken) -> Result<()> {
        let (n_ids, prompt_len) = (self.run.ids().len(), self.run.prompt_len());
        let longer = self.branches.longer_than(position);
        let longer =
            longer.map(|id| format!("; branch {id} has it: switch {id}, then stand there"));
        ensure!(
            position < n_ids,
            "there is no position {position}: the text has {n_ids} tokens, counted from 0{}",
            longer.unwrap_or_default()
        );
        let Some(pass) = (position + 1).checked_sub(prompt_len) else {
            let run = self.cut(position + 1)?;
            self.part(run, position + 1, "the prompt ends here".to_owned())?;
            self.aim(Goal::Logits { pass: 0 });
            return Ok(());
        };
        let is_ahead = pass == self.run.newest() && matches!(self.run.next(), Next::Stage(_));
        if is_ahead {
            self.aim(Goal::Logits { pass });
            return Ok(());
        }
        self.run.rewind_to(pass, Next::Sample, cancel)
    }

    /// Goes on with another branch.
    pub(super) fn switch(&mut self, id: usize, cancel: &CancelToken) -> Result<()> {
        if id == self.branches.active {
            return Ok(());
        }
        let branch = self.branches.list.iter_mut().find(|branch| branch.id == id);
        let branch = branch.with_context(|| format!("there is no branch {id}"))?;
        let left = branch.left.take();
        let left = left.with_context(|| format!("branch {id} is under way"))?;
        let old = std::mem::replace(&mut self.run, left.run);
        self.branches.leave(old, id)?;
        self.provide_sources(cancel)?;
        let edits = self.edits.edits().to_vec();
        let stood = self.run.set_edits(&edits, cancel)?;
        self.baseline = None;
        let goes_on = if left.is_folded {
            Some(left.stood)
        } else {
            stood
        };
        self.changed(goes_on);
        Ok(())
    }

    /// Puts the run aside and goes on with `run`, which parts from it at `position`.
    fn part(&mut self, run: Run, position: usize, label: String) -> Result<()> {
        let n = self.branches.list.len();
        if n >= MOST_BRANCHES {
            bail!("there are {n} branches already: drop one first");
        }
        let id = self.branches.list.iter().map(|branch| branch.id).max();
        let id = id.map_or(0, |id| id + 1);
        self.branches.list.push(Branch {
            id,
            parent: Some(self.branches.active),
            parts_at: position,
            label,
            left: None,
        });
        let old = std::mem::replace(&mut self.run, run);
        self.branches.leave(old, id)?;
        self.baseline = None;
        self.version += 1;
        self.verdict = None;
        Ok(())
    }

    /// The same run, not begun, with a prompt of the first `n` tokens.
    fn cut(&self, n: usize) -> Result<Run> {
        let ids = self.run.ids().get(..n).unwrap_or_default().to_vec();
        let options = RunOptions {
            chunks: Vec::new(),
            script: Vec::new(),
            ..self.run.options().clone()
        };
        let loaded = Rc::clone(self.run.loaded());
        let mut cut = Run::new(loaded, ids, self.edits.edits(), options)?;
        cut.take_sources_of(&self.run);
        Ok(cut)
    }

    fn departure(&self, way: &Way) -> Result<(String, Departure)> {
        Ok(match way {
            Way::Token(token) => {
                let text = self.tokenizer.token_text(*token).unwrap_or_default();
                (format!("token '{text}'"), Departure::Token(*token))
            }
            Way::Sampling { sampling, seed } => {
                let params = sampling.onto(self.run.sampling());
                params.validate()?;
                let mut label = sampling.to_string();
                if let Some(seed) = seed {
                    label = format!("{label} seed={seed}").trim().to_owned();
                }
                ensure!(
                    !label.is_empty(),
                    "nothing differs: name a token, a setting or a seed to go another way"
                );
                let seed = *seed;
                (label, Departure::Sampling { params, seed })
            }
        })
    }

    pub(super) fn branch_states(&self) -> Vec<BranchState> {
        let text = |id: &u32| self.tokenizer.token_text(*id).unwrap_or_default();
        let states = self.branches.list.iter().map(|branch| {
            let ids = match &branch.left {
                Some(left) => left.ids.as_slice(),
                None => self.run.ids(),
            };
            BranchState {
                id: branch.id,
                parent: branch.parent,
                parts_at: branch.parts_at,
                label: branch.label.clone(),
                texts: ids.iter().skip(branch.parts_at).map(text).collect(),
                is_kept: branch.left.as_ref().is_none_or(|left| !left.is_folded),
            }
        });
        states.collect()
    }

    /// The sampler's settings, all of them given.
    pub(super) fn sampling(&self) -> SamplingChoice {
        SamplingChoice::of(self.run.sampling())
    }
}
