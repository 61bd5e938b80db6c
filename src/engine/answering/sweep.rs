//! A sweep under way: one change in one place per turn.

use std::rc::Rc;

use anyhow::{Result, bail, ensure};

use crate::engine::debugger::Debugger;
use crate::engine::measures::named;
use crate::engine::message::CancelToken;
use crate::engine::prompt;
use crate::engine::run::{Run, RunOptions};
use crate::engine::watch::EditState;
use crate::trace::edit::{Action, Change, Edit, Select, ValueEdit};
use crate::trace::measure::sweep::{Over, SweepPlan, SweepTable};
use crate::trace::{BlockHook, Hook, Stage};

/// What patches of a sweep copy from is called so in their text form.
const OTHER: &str = "other";

/// Most cells of a table: beyond that nobody waits for it.
const MOST_CELLS: usize = 100_000;

/// A table that is being filled.
pub struct Sweep {
    plan: SweepPlan,
    /// The run's own edits, and what is copied from the other prompt.
    edits: EditState,
    before: Vec<f32>,
    table: SweepTable,
    n_columns: usize,
    /// Cells that are done.
    done: usize,
}

impl Sweep {
    /// Prepares the table; runs the other prompt, where one is copied from.
    ///
    /// # Errors
    /// If the pass has no logits yet, a token is beyond the vocabulary, the two prompts are not of
    /// the same length, or there are too many cells.
    pub fn new(plan: SweepPlan, debugger: &mut Debugger, cancel: &CancelToken) -> Result<Self> {
        let run = debugger.run();
        let loaded = Rc::clone(run.loaded());
        let (n_vocab, n_heads) = {
            let config = loaded.model.config();
            (config.vocab_size, config.num_attention_heads)
        };
        for token in plan.outcome.tokens() {
            let is_known = (token as usize) < n_vocab;
            ensure!(
                is_known,
                "there is no token {token}: the vocabulary has {n_vocab}"
            );
        }
        let (seen, logits) = (run.pass(plan.pass)?, run.logits(plan.pass)?);
        let (before, n_pos, start) = (logits.to_vec(), seen.n_pos(), seen.start());
        let columns: Vec<String> = match plan.over {
            Over::Heads => (0..n_heads).map(|head| format!("head {head}")).collect(),
            Over::LayersXPositions => {
                let ids = run.ids().get(start..start + n_pos).unwrap_or_default();
                ids.iter().map(|id| named(&loaded, *id).text).collect()
            }
        };
        let n_layers = loaded.model.n_layers();
        ensure!(
            n_layers * columns.len() <= MOST_CELLS,
            "{n_layers} by {} places are too many to try: use a shorter prompt, or sweep over heads",
            columns.len()
        );
        let mut edits = run.edits().clone();
        provide_other(&plan, debugger, &mut edits, cancel)?;
        let tokens = plan.outcome.tokens();
        Ok(Self {
            table: SweepTable {
                over: plan.over,
                change: plan.change().to_string(),
                outcome: plan.outcome,
                tokens: tokens.iter().map(|id| named(&loaded, *id)).collect(),
                rows: (0..n_layers)
                    .map(|layer| format!("block {layer}"))
                    .collect(),
                first_position: start,
                before: plan.outcome.of(&before, &before),
                values: Vec::with_capacity(n_layers),
                columns,
            },
            n_columns: match plan.over {
                Over::Heads => n_heads,
                Over::LayersXPositions => n_pos,
            },
            edits,
            before,
            plan,
            done: 0,
        })
    }

    /// Cells done, and cells in all.
    #[must_use]
    pub fn progress(&self) -> (usize, usize) {
        (self.done, self.table.rows.len() * self.n_columns)
    }

    /// Tries the change in the next place; the table once it is full.
    ///
    /// # Errors
    /// If the change does not fit, MLX fails, or it was cancelled.
    pub fn advance(&mut self, run: &mut Run, cancel: &CancelToken) -> Result<Option<SweepTable>> {
        let (done, total) = self.progress();
        if done < total {
            let (layer, column) = (done / self.n_columns, done % self.n_columns);
            let value = self.cell(run, layer, column, cancel)?;
            if column == 0 {
                self.table.values.push(Vec::with_capacity(self.n_columns));
            }
            if let Some(row) = self.table.values.last_mut() {
                row.push(value);
            }
            self.done += 1;
        }
        Ok((self.done >= total).then(|| self.table.clone()))
    }

    fn cell(
        &mut self,
        run: &mut Run,
        layer: usize,
        column: usize,
        cancel: &CancelToken,
    ) -> Result<f64> {
        let hook = hook_of(self.plan.over, layer);
        let select = match self.plan.over {
            Over::Heads => vec![Select::All, Select::One(column)],
            // Positions of an edit count from the beginning of the text.
            Over::LayersXPositions => vec![Select::One(self.table.first_position + column)],
        };
        let change = self.plan.change();
        let edit = Edit::new(Action::Value(ValueEdit {
            hook,
            select,
            change,
        }));
        let mut acting = self.edits.acting().to_vec();
        acting.push(edit);
        let mut edits = self.edits.clone();
        edits.replace(&acting, |_| true);
        if self.plan.change == Change::Mean {
            // A prompt that runs in pieces would give the mean of its first piece.
            let whole = run.look(self.plan.pass, hook, None, cancel)?;
            edits.remember(hook, self.table.first_position, &whole);
        }
        // What comes before the block is as it was.
        let logits = run.logits_with(self.plan.pass, layer, &mut edits, cancel)?;
        Ok(self.plan.outcome.of(&self.before, &logits))
    }
}

fn hook_of(over: Over, layer: usize) -> Hook {
    Hook::Block(
        layer,
        match over {
            Over::Heads => BlockHook::Z,
            Over::LayersXPositions => BlockHook::ResidPre,
        },
    )
}

/// Runs the prompt that is copied from, and hands its values over.
fn provide_other(
    plan: &SweepPlan,
    debugger: &Debugger,
    edits: &mut EditState,
    cancel: &CancelToken,
) -> Result<()> {
    let Some(prompt) = &plan.other else {
        let copies = matches!(plan.change, Change::PatchRun(_));
        ensure!(!copies, "a patch needs another prompt to copy from");
        return Ok(());
    };
    ensure!(
        plan.pass == 0,
        "only the prompt's own pass can be patched from another prompt"
    );
    let loaded = debugger.run().loaded();
    let ids = prompt::ids_of_source(loaded, debugger.tokenizer(), prompt)?;
    let (ours, theirs) = (debugger.run().prompt_len(), ids.len());
    ensure!(
        ours == theirs,
        "the other prompt has {theirs} tokens and this one {ours}: to copy position by position, \
         both must have as many"
    );
    let mut other = Run::new(Rc::clone(loaded), ids, &[], RunOptions::default())?;
    other.finish_pass(cancel)?;
    for layer in 0..loaded.model.n_layers() {
        let hook = hook_of(plan.over, layer);
        let value = match (plan.over, layer.checked_sub(1)) {
            (Over::Heads, _) => other.look(0, hook, None, cancel)?,
            (Over::LayersXPositions, None) => other.hidden_after(0, Stage::Embed)?,
            (Over::LayersXPositions, Some(below)) => other.hidden_after(0, Stage::Block(below))?,
        };
        edits.provide(OTHER, hook, value);
    }
    Ok(())
}

impl SweepPlan {
    /// The change with its source named.
    fn change(&self) -> Change {
        match &self.other {
            Some(_) => Change::PatchRun(OTHER.to_owned()),
            None => self.change.clone(),
        }
    }
}

/// Reads a change as a sweep takes it: `zero`, `mean`, `scale(0.5)`, or `patch(OTHER PROMPT)`, whose
/// prompt is given back as text.
///
/// # Errors
/// If it is none of these.
pub fn parse_change(text: &str) -> Result<(Change, Option<String>)> {
    let inside = text
        .trim()
        .strip_prefix("patch(")
        .and_then(|rest| rest.strip_suffix(')'));
    if let Some(prompt) = inside {
        return Ok((Change::PatchRun(OTHER.to_owned()), Some(prompt.to_owned())));
    }
    match format!("hook_embed={}", text.trim()).parse::<Action>() {
        Ok(Action::Value(ValueEdit { change, .. })) => Ok((change, None)),
        _ => bail!(
            "'{text}' is no change: write zero, mean, scale(0.5), add(1), set(0) or patch(OTHER PROMPT)"
        ),
    }
}
