//! Prompts that patches copy from.

use std::rc::Rc;

use anyhow::{Context as _, Result, ensure};

use super::Debugger;
use crate::engine::message::CancelToken;
use crate::engine::prompt;
use crate::engine::run::{Run, RunOptions};
use crate::trace::debug::{SourcePrompt, SourceState};
use crate::trace::edit::{Action, Change, Edit};
use crate::trace::{Axis, Hook, HostTensor};

/// Most prompts that are kept to copy from; the oldest that no edit uses makes room.
const MOST_SOURCES: usize = 8;

/// A prompt that patches copy from, run when the first of them needs it.
pub(super) struct Source {
    name: String,
    ids: Vec<u32>,
    run: Option<Run>,
}

impl Debugger {
    /// Takes a new source, or another prompt for one.
    pub(super) fn take_source(
        &mut self,
        name: String,
        prompt: &SourcePrompt,
        cancel: &CancelToken,
    ) -> Result<()> {
        let loaded = Rc::clone(self.run.loaded());
        let ids = prompt::ids_of_source(&loaded, &self.tokenizer, prompt)?;
        let stood = self.run.go_before_copies_of(&name, cancel)?;
        self.run.forget_source(&name);
        self.add_source(name, ids)?;
        self.provide_sources(cancel)?;
        self.changed(stood);
        Ok(())
    }

    /// Notes a source; one of the same name is replaced.
    pub(super) fn add_source(&mut self, name: String, ids: Vec<u32>) -> Result<()> {
        let is_name = !name.is_empty() && !name.contains(['(', ')', '=', ' ']);
        ensure!(
            is_name,
            "'{name}' cannot name a source: use letters and digits, as in patch(b)"
        );
        ensure!(!ids.is_empty(), "the prompt of source '{name}' is empty");
        let n_vocab = self.run.loaded().model.config().vocab_size;
        if let Some(id) = ids.iter().find(|id| **id as usize >= n_vocab) {
            anyhow::bail!("source '{name}' has the token {id}, but the vocabulary has {n_vocab}");
        }
        self.sources.retain(|source| source.name != name);
        if self.sources.len() >= MOST_SOURCES {
            let used: Vec<String> = copied_by(self.edits.edits())
                .map(|(name, _)| name)
                .collect();
            let unused = self
                .sources
                .iter()
                .position(|source| !used.contains(&source.name));
            let unused = unused.with_context(|| {
                format!("{MOST_SOURCES} prompts are copied from already: remove an edit first")
            })?;
            self.sources.remove(unused);
        }
        self.sources.push(Source {
            name,
            ids,
            run: None,
        });
        Ok(())
    }

    /// Runs the sources that acting edits copy from, as far as they do, and hands their values over.
    pub(super) fn provide_sources(&mut self, cancel: &CancelToken) -> Result<()> {
        let wanted: Vec<(String, Hook)> = copied_by(self.edits.edits()).collect();
        for (name, hook) in &wanted {
            let hook = *hook;
            if self.run.edits().has_source(name, hook) {
                continue;
            }
            let value = match branch_named(name) {
                Some(id) => whole(self.branches.run(id)?, hook, cancel)?,
                None => {
                    let found = self.sources.iter_mut().find(|source| source.name == *name);
                    let source = found.with_context(|| nothing_called(name))?;
                    source.value(&self.run, hook, cancel)?
                }
            };
            self.run.provide(name, hook, value);
        }
        self.run.keep_sources(&wanted);
        Ok(())
    }

    /// Refuses a patch at positions that one of the two prompts does not have.
    pub(super) fn check_copies(&self, edit: &Edit) -> Result<()> {
        for (name, hook) in copied_by(std::slice::from_ref(edit)) {
            if branch_named(&name).is_some() {
                continue;
            }
            let source = self.sources.iter().find(|source| source.name == name);
            let source = source.with_context(|| nothing_called(&name))?;
            let (ours, theirs) = (self.run.prompt_len(), source.ids.len());
            let counts_keys = hook.axes().contains(&Axis::KeyPos);
            ensure!(
                !counts_keys || ours == theirs,
                "{hook} has a column per position, and '{name}' has {theirs} tokens where this \
                 prompt has {ours}: copy from a prompt of the same length"
            );
        }
        Ok(())
    }

    pub(super) fn source_states(&self) -> Vec<SourceState> {
        let text = |id: &u32| self.tokenizer.token_text(*id).unwrap_or_default();
        let states = self.sources.iter().map(|source| SourceState {
            name: source.name.clone(),
            texts: source.ids.iter().map(text).collect(),
        });
        states.collect()
    }
}

impl Source {
    /// The value at `hook`, from as much of the prompt's pass as it takes.
    fn value(&mut self, of: &Run, hook: Hook, cancel: &CancelToken) -> Result<HostTensor> {
        let run = match self.run.take() {
            Some(run) => run,
            None => {
                let options = RunOptions {
                    cache: of.options().cache,
                    chunks: Vec::new(),
                    ..RunOptions::default()
                };
                Run::new(Rc::clone(of.loaded()), self.ids.clone(), &[], options)?
            }
        };
        let run = self.run.insert(run);
        while !run.has_executed(0, hook.stage()) {
            run.step(cancel)?;
        }
        run.look(0, hook, None, cancel)
    }
}

/// The number in `branch.3`: a branch to copy from, as it stands when the edit is made.
fn branch_named(name: &str) -> Option<usize> {
    name.strip_prefix("branch.")?.parse().ok()
}

fn nothing_called(name: &str) -> String {
    format!(
        "there is nothing called '{name}' to copy from: add that prompt first, or name a branch, \
         as in patch(branch.0)"
    )
}

/// The value at `hook` over all positions that `run` has executed it for.
fn whole(run: &mut Run, hook: Hook, cancel: &CancelToken) -> Result<HostTensor> {
    let n_passes = run.passes().len();
    let n_executed = (0..n_passes).take_while(|pass| run.has_executed(*pass, hook.stage()));
    // A map of a later pass has more columns: the prompt's alone fit together.
    let n_joined = match hook.axes().contains(&Axis::KeyPos) {
        true => n_executed.count().min(1),
        false => n_executed.count(),
    };
    let parts = (0..n_joined).map(|pass| run.look(pass, hook, None, cancel));
    let parts = parts.collect::<Result<Vec<_>>>()?;
    let joined = HostTensor::join(&parts, 0);
    let joined = match parts.as_slice() {
        [one] => Some(one.clone()),
        _ => joined,
    };
    joined.with_context(|| format!("the branch to copy from has not come to {hook} yet"))
}

/// The runs and hooks that these edits copy from.
fn copied_by(edits: &[Edit]) -> impl Iterator<Item = (String, Hook)> {
    edits.iter().filter_map(|edit| match &edit.action {
        Action::Value(value) => match &value.change {
            Change::PatchRun(name) => Some((name.clone(), value.hook)),
            _ => None,
        },
        _ => None,
    })
}
