//! What can never be done is refused before anything runs.

use anyhow::{Result, bail, ensure};

use crate::engine::loaded::LoadedModel;
use crate::trace::debug::{Breakpoint, Condition};
use crate::trace::edit::{Action, Edit, Select, ValueEdit};
use crate::trace::{Address, Axis, Place, Stage};

/// Refuses an edit at a hook that the family does not have, beyond the hook's shape, or of a token
/// that the vocabulary does not have.
pub(super) fn check_edit(edit: &Edit, loaded: &LoadedModel) -> Result<()> {
    let n_vocab = loaded.model.config().vocab_size;
    match &edit.action {
        Action::Value(value) => check_value_edit(&edit.name, value, loaded),
        Action::Logit { token, .. } | Action::Force { token, .. } => {
            ensure!(
                (*token as usize) < n_vocab,
                "the edit '{}' cannot be made: there is no token {token}, the vocabulary has {n_vocab}",
                edit.name
            );
            Ok(())
        }
    }
}

fn check_value_edit(name: &str, value: &ValueEdit, loaded: &LoadedModel) -> Result<()> {
    ensure!(
        loaded.model.hooks().contains(&value.hook),
        "the edit '{name}' cannot be made: this model has no {}; --list-hooks shows what it has",
        value.hook
    );
    let config = loaded.model.config();
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
            "the edit '{name}' changes nothing: {select} is not among the {size} of {}",
            axis.name()
        );
    }
    Ok(())
}

/// Refuses an address that this model never comes to.
pub(super) fn check_address(address: &Address, loaded: &LoadedModel) -> Result<()> {
    let n_layers = loaded.model.n_layers();
    match address.place {
        Place::Hook(hook) => ensure!(
            loaded.model.hooks().contains(&hook),
            "{address} is never reached: this model has no {hook}"
        ),
        Place::Stage(Stage::Block(layer)) => ensure!(
            layer < n_layers,
            "{address} is never reached: the model has {n_layers} blocks"
        ),
        Place::Stage(_) | Place::View(_) => {}
    }
    Ok(())
}

/// Refuses a breakpoint that never stops.
pub(super) fn check_breakpoint(breakpoint: &Breakpoint, loaded: &LoadedModel) -> Result<()> {
    check_address(&breakpoint.address, loaded)?;
    let n_heads = loaded.model.config().num_attention_heads;
    match breakpoint.when {
        Some(Condition::HeadShareAbove { head, .. }) if head >= n_heads => {
            bail!("{breakpoint} never stops: there is no head {head}, a block has {n_heads}")
        }
        _ => Ok(()),
    }
}
