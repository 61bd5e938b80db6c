//! Where a run stands, in lines of text.

use super::pictures::visible;
use crate::trace::debug::{BranchState, DrawKind, RunState};
use crate::trace::measure::verdict::REMINDER;
use crate::trace::units;

/// The text so far, the answer set off.
pub fn text(state: &RunState) -> String {
    let n_prompt = state.prompt_len.min(state.texts.len());
    let (prompt, answer) = state.texts.split_at(n_prompt);
    let prompt = prompt.concat();
    let n_letters = prompt.chars().count();
    let shown: String = prompt.chars().skip(n_letters.saturating_sub(200)).collect();
    format!("{shown}▸{}", answer.concat())
}

/// What the latest step has made.
pub fn latest(state: &RunState) -> String {
    let Some(pass) = state.passes.last() else {
        return String::new();
    };
    if let Some(cursor) = state.cursor {
        let time = cursor.seconds * 1e3;
        return format!(
            "{}, {time:.1} ms from the beginning of its stage",
            cursor.hook
        );
    }
    if let Some(draw) = &pass.draw {
        let probability = units::percent(f64::from(draw.logprob).exp());
        let how = match (draw.kind, draw.random) {
            (DrawKind::Forced, _) => "forced".to_owned(),
            (_, Some(random)) => format!(
                "{} of the shares left by the filters, random number {random:.4}",
                units::percent(draw.share)
            ),
            (_, None) => "greedy, the highest logit".to_owned(),
        };
        return format!(
            "sample: '{}', {how}; {probability} at temperature 1",
            visible(&draw.text)
        );
    }
    match pass.executed.last() {
        Some((stage, seconds)) => format!("{stage}, {:.1} ms", seconds * 1e3),
        None => format!("positions to run: {}", pass.n_pos),
    }
}

/// What comes next.
pub fn next(state: &RunState) -> String {
    match (state.cursor, state.next_hook) {
        (Some(_), Some(hook)) => format!("next: {hook} (n: to the end of {})", state.next),
        (None, Some(hook)) => format!("next: {} (i: {hook})", state.next),
        _ => format!("next: {}", state.next),
    }
}

/// What edits did to the newest logits, with what such a sentence does not say.
pub fn verdict(state: &RunState) -> Option<String> {
    let verdict = &state.verdict.as_ref()?.verdict;
    if verdict.is_broken {
        return Some(format!("edits: {verdict}"));
    }
    let mut notes = Vec::new();
    match verdict.ranks_fallen {
        0 => {}
        n => notes.push(format!(
            "the old answer fell {n} {}",
            if n == 1 { "rank" } else { "ranks" }
        )),
    }
    match (verdict.kl_bits, verdict.rest_kl_bits) {
        (Some(bits), _) => notes.push(format!("{bits:.3} bits apart")),
        (None, Some(bits)) => notes.push(format!(
            "a token is ruled out; the others {bits:.3} bits apart among themselves"
        )),
        (None, None) => notes.push("a token is ruled out".to_owned()),
    }
    let notes = notes.join("; ");
    Some(format!("edits: {verdict} ({notes})\n       {REMINDER}"))
}

/// The tokens that going back took out of the text, and how to keep such tokens; `before` is the
/// text and the branch as they were.
pub fn dropped(before: &[String], branch: usize, state: &RunState) -> Option<String> {
    let gone = before.get(state.texts.len()..)?;
    if gone.is_empty() || branch != state.branch {
        return None;
    }
    let (n, texts) = (gone.len(), gone.concat());
    let tokens = if n == 1 { "token" } else { "tokens" };
    let cut: String = texts.chars().take(48).collect();
    Some(format!(
        "{n} {tokens} dropped: '{}'; branch @POSITION TOKEN goes another way and keeps the old one",
        visible(&cut)
    ))
}

/// The breakpoints.
pub fn breakpoints(state: &RunState) -> String {
    let list = state.breakpoints.iter().enumerate();
    let lines = list.map(|(at, breakpoint)| format!("  {}  {breakpoint}", at + 1));
    or_none(lines, "no breakpoints; break WHERE sets one")
}

/// The edits, in the order in which they act.
pub fn edits(state: &RunState) -> String {
    let list = state.edits.edits().iter().enumerate();
    let lines = list.map(|(at, edit)| {
        let mark = if edit.is_on { "on " } else { "off" };
        let action = edit.action.to_string();
        let name = match edit.name == action {
            true => String::new(),
            false => format!("  '{}'", edit.name),
        };
        format!("  {}  {mark}  {action}{name}", at + 1)
    });
    or_none(lines, "no edits; edit SPEC makes one")
}

/// The tree of branches, each below the one that it parts from.
pub fn branches(state: &RunState) -> String {
    let mut lines = Vec::new();
    let trunk = state
        .branches
        .iter()
        .filter(|branch| branch.parent.is_none());
    for branch in trunk {
        push_branch(state, branch, 0, &mut lines);
    }
    lines.join("\n")
}

fn push_branch(state: &RunState, branch: &BranchState, depth: usize, lines: &mut Vec<String>) {
    let mark = if branch.id == state.branch {
        '▸'
    } else {
        ' '
    };
    let texts: String = branch.texts.iter().map(|text| visible(text)).collect();
    let cut: String = texts.chars().take(48).collect();
    let note = if branch.is_kept {
        ""
    } else {
        " (runs again when switched to)"
    };
    lines.push(format!(
        "{mark} {}{}  from position {}, {}: {cut}{note}",
        "  ".repeat(depth),
        branch.id,
        branch.parts_at,
        branch.label
    ));
    let children = state
        .branches
        .iter()
        .filter(|child| child.parent == Some(branch.id));
    for child in children {
        push_branch(state, child, depth + 1, lines);
    }
}

/// What the run holds in memory beside the weights.
pub fn memory(state: &RunState) -> String {
    let memory = &state.memory;
    let bytes = |n: usize| units::bytes(n as u64);
    let budget = match memory.budget_bytes {
        Some(budget) => format!(" of {}", bytes(budget)),
        None => String::new(),
    };
    format!(
        "  hidden states  {}\n  recordings     {}{budget}, {} left out\n  branches       {}\n  \
         KV cache       {} used, {} allocated, {} positions",
        bytes(memory.state_bytes),
        bytes(memory.recorded_bytes),
        memory.n_left_out,
        bytes(memory.branch_bytes),
        bytes(state.cache.used_bytes),
        bytes(state.cache.allocated_bytes),
        state.cache.positions
    )
}

fn or_none(lines: impl Iterator<Item = String>, none: &str) -> String {
    let lines: Vec<String> = lines.collect();
    match lines.is_empty() {
        true => format!("  {none}"),
        false => lines.join("\n"),
    }
}
