//! What changes what: which commands undo, which answers depend on the run, where a run stands.

use crate::engine::question::{Question, Vector};
use crate::trace::debug::{DebugCommand, PassState, RunState};

/// Whether after `command` something may be gone or changed that was computed before.
pub(super) fn undoes(command: &DebugCommand) -> bool {
    !matches!(
        command,
        DebugCommand::State
            | DebugCommand::Steps(_)
            | DebugCommand::Into(_)
            | DebugCommand::Layer
            | DebugCommand::Tokens(_)
            | DebugCommand::End { .. }
            | DebugCommand::To(_)
            | DebugCommand::Breakpoints(_)
            | DebugCommand::Verdict
    )
}

/// Whether the answer to `question` can change with the run; else it depends on the model alone.
pub(super) fn is_about_the_run(question: &Question) -> bool {
    match question {
        Question::Nearest { to, .. } => matches!(to, Vector::State { .. }),
        Question::ProbeHeads { .. }
        | Question::Row { .. }
        | Question::Slice { .. }
        | Question::WeightHistogram { .. }
        | Question::Arithmetic { .. }
        | Question::Axes { .. }
        | Question::Plane { .. }
        | Question::Similarity { .. }
        | Question::Tokens { .. }
        | Question::CountTokens { .. }
        | Question::Variants { .. }
        | Question::Vocabulary { .. }
        | Question::SearchVocabulary { .. }
        | Question::Template { .. }
        | Question::Inspect { .. }
        | Question::Family { .. }
        | Question::Machine => false,
        _ => true,
    }
}

/// How many single steps lead to where `run` stands: stages, draws, appended tokens.
pub(super) fn n_steps(run: &RunState) -> usize {
    let of_pass = |pass: &PassState| pass.executed.len() + usize::from(pass.draw.is_some());
    let n_appended = run.passes.len().saturating_sub(1);
    run.passes.iter().map(of_pass).sum::<usize>() + n_appended
}
