//! What can never be done is refused before anything runs.

use anyhow::{Result, ensure};

use crate::engine::loaded::LoadedModel;
use crate::model::config::ModelConfig;
use crate::trace::debug::{Breakpoint, Condition};
use crate::trace::edit::{Action, Change, Edit, Select, ValueEdit};
use crate::trace::{Address, Axis, BlockHook, Hook, Place, Stage};

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
        "the edit '{name}' cannot be made: this model has no {}; vitrine trace --list-hooks shows what it has",
        value.hook
    );
    let is_beside = matches!(value.hook, Hook::Block(_, BlockHook::ResultNorm));
    ensure!(
        !is_beside,
        "the edit '{name}' changes nothing: {} is measured beside the pass; change attn.hook_z",
        value.hook
    );
    if value.change == Change::Block {
        check_block(name, value)?;
    }
    let config = loaded.model.config();
    if let (Change::Add(vector), Some(axis)) = (&value.change, value.hook.axes().last()) {
        let width = size_of_axis(*axis, config);
        ensure!(
            vector.len() == 1 || width.is_none_or(|width| width == vector.len()),
            "the edit '{name}' cannot be made: it adds {} numbers, where {} has {}; one number is \
             added everywhere",
            vector.len(),
            axis.name(),
            width.unwrap_or_default()
        );
    }
    for (select, axis) in value.select.iter().zip(value.hook.axes()) {
        let Some(size) = size_of_axis(*axis, config) else {
            continue; // positions grow with the text
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

/// Refuses `block` where it leaves no numbers: what is no attention edge and no logit, and queries
/// that would read nothing at all.
fn check_block(name: &str, value: &ValueEdit) -> Result<()> {
    let is_scores = matches!(value.hook, Hook::Block(_, BlockHook::Scores));
    let is_edge = is_scores || matches!(value.hook, Hook::Block(_, BlockHook::Pattern));
    ensure!(
        is_edge || value.hook == Hook::Logits,
        "the edit '{name}' cannot be made: block is for attention edges (attn.hook_attn_scores, \
         attn.hook_pattern) and logits; zero sets other values to 0"
    );
    if !is_scores {
        return Ok(());
    }
    let part = |axis: usize| value.select.get(axis).copied().unwrap_or(Select::All);
    let (first, last) = match part(1) {
        Select::All => (0, usize::MAX),
        Select::One(at) => (at, at),
        Select::Range(start, end) => (start, end.saturating_sub(1)),
    };
    let n_blocked = match part(2) {
        Select::All => usize::MAX,
        Select::One(0) => 1,
        Select::Range(0, end) => end,
        Select::One(_) | Select::Range(..) => 0,
    };
    ensure!(
        first >= n_blocked || first > last,
        "the edit '{name}' cannot be made: the query at position {first} would read nothing at \
         all, and shares of nothing are no numbers; leave it out, as in {}[:, {}..{}, 0]=block, or \
         zero what the head makes, attn.hook_z",
        value.hook,
        first + 1,
        first + 4
    );
    Ok(())
}

/// Refuses a copy of a position that no pass has run over when the edit acts: later passes alone
/// come to it.
pub(super) fn check_copied_position(edit: &Edit, prompt_len: usize) -> Result<()> {
    let Action::Value(value) = &edit.action else {
        return Ok(());
    };
    let Change::PatchPosition(from) = value.change else {
        return Ok(());
    };
    let mut parts = value.select.iter().zip(value.hook.axes());
    let to = parts.find_map(|(select, axis)| match (select, axis) {
        (Select::One(at) | Select::Range(at, _), Axis::Pos | Axis::QueryPos) => Some(*at),
        _ => None,
    });
    // All positions of the prompt run in one pass, later ones in a pass each.
    let reach = prompt_len.max(to.unwrap_or(0) + 1);
    ensure!(
        from < reach,
        "the edit '{}' cannot be made: there is no position {from} to copy from yet, the prompt has \
         {prompt_len} positions, counted from 0",
        edit.name
    );
    Ok(())
}

/// How many places an axis has; `None` for positions.
fn size_of_axis(axis: Axis, config: &ModelConfig) -> Option<usize> {
    match axis {
        Axis::Pos | Axis::QueryPos | Axis::KeyPos => None,
        Axis::Head => Some(config.num_attention_heads),
        Axis::KvHead => Some(config.num_key_value_heads),
        Axis::HeadDim => Some(config.head_dim),
        Axis::DModel => Some(config.hidden_size),
        Axis::DMlp => Some(config.intermediate_size),
        Axis::Vocab => Some(config.vocab_size),
    }
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
    let Some(Condition::HeadShareAbove { head, .. }) = breakpoint.when else {
        return Ok(());
    };
    let n_heads = loaded.model.config().num_attention_heads;
    ensure!(
        head < n_heads,
        "{breakpoint} never stops: there is no head {head}, a block has {n_heads}"
    );
    let knows_pattern = match breakpoint.address.place {
        Place::Hook(Hook::Block(_, hook)) => hook >= BlockHook::Pattern,
        Place::Stage(Stage::Block(_)) => true,
        _ => false,
    };
    ensure!(
        knows_pattern,
        "{breakpoint} never stops: a head's shares are known in a block, from attn.hook_pattern on"
    );
    Ok(())
}
