//! Which hooks are kept, by name, pattern and layer; and the list of them.

use std::io::{self, Write};
use std::ops::Range;

use anyhow::{Result, ensure};
use serde_json::json;

use super::super::Ended;
use super::super::table::{Column, Table};
use crate::engine::watch::Watch;
use crate::trace::Hook;
use crate::trace::measure::family::FamilyView;

/// The hooks that `patterns` (with `*` for any text, or `all`) and `layers` name.
///
/// # Errors
/// If a pattern or the layers name nothing that the model has.
pub fn watch(
    family: &FamilyView,
    patterns: &[String],
    layers: Option<&Range<usize>>,
) -> Result<Watch> {
    let is_all = patterns.iter().any(|pattern| pattern == "all");
    if is_all && layers.is_none() {
        return Ok(Watch::Everything);
    }
    let known = hooks_of(family);
    let mut kept = Vec::new();
    for pattern in patterns {
        let pattern = pattern.trim();
        let fits = |hook: &&Hook| pattern == "all" || fits(pattern, &hook.to_string());
        let found: Vec<Hook> = known.iter().filter(fits).copied().collect();
        ensure!(
            !found.is_empty(),
            "this model has no hook '{pattern}'; vitrine trace --list-hooks shows what it has"
        );
        kept.extend(found);
    }
    if let Some(layers) = layers {
        ensure!(
            layers.start < layers.end,
            "--layers {0}..{1} names no layers: the end is left out, so {0}..{2} is layer {0} alone",
            layers.start,
            layers.end,
            layers.start + 1
        );
        ensure!(
            layers.end <= family.n_layers,
            "--layers {}..{} ends beyond this model, which has {2} layers: 0..{2} are all of them",
            layers.start,
            layers.end,
            family.n_layers
        );
        kept.retain(|hook| match hook {
            Hook::Block(layer, _) => layers.contains(layer),
            _ => true,
        });
    }
    Ok(Watch::Hooks(kept))
}

/// The hooks of a model, in order of execution.
pub fn hooks_of(family: &FamilyView) -> Vec<Hook> {
    let names = family.hooks.iter();
    names.filter_map(|info| info.hook.parse().ok()).collect()
}

/// Prints every hook with its shape and what Hugging Face calls the place.
///
/// # Errors
/// If nothing can be printed.
pub fn list(family: &FamilyView, as_json: bool) -> Result<Ended> {
    let mut out = io::stdout().lock();
    if as_json {
        let hooks = family.hooks.iter().map(|info| {
            let axes: Vec<&str> = info.axes.iter().map(|(name, _)| name.as_str()).collect();
            let sizes: Vec<Option<usize>> = info.axes.iter().map(|(_, size)| *size).collect();
            json!({
                "hook": info.hook, "shape": axes, "sizes": sizes,
                "hugging_face": info.hugging_face,
            })
        });
        writeln!(out, "{}", json!(hooks.collect::<Vec<_>>()))?;
        return Ok(Ended::Well);
    }
    let mut table = Table::new([
        Column::Left("hook"),
        Column::Left("shape"),
        Column::Left("in Hugging Face's transformers"),
    ]);
    for info in &family.hooks {
        let place = info.hugging_face.clone().unwrap_or_default();
        table.row([info.hook.clone(), info.shape(), place]);
    }
    write!(out, "{table}")?;
    Ok(Ended::Well)
}

/// Whether `name` fits `pattern`, in which `*` stands for any text.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, rest)) => name.strip_prefix(before).is_some_and(|name| {
            let starts = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            starts
                .into_iter()
                .any(|at| fits(rest, name.get(at..).unwrap_or_default()))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(fits(
            "blocks.*.attn.hook_pattern",
            "blocks.12.attn.hook_pattern"
        ));
        assert!(fits("*hook_z", "blocks.0.attn.hook_z"));
        assert!(!fits("blocks.*.attn.hook_q", "blocks.0.attn.hook_q_norm"));
    }
}
