//! What several pictures of a block need: experiments as commands, places in passes, scales.

use crate::engine::question::{Question, Told};
use crate::trace::debug::{DebugCommand, EditChange};
use crate::trace::edit::Edit;
use crate::trace::{BlockHook, Hook};
use crate::ui::command::Command;
use crate::ui::picture::Scene;
use crate::ui::theme::Type;

/// The command that makes an edit, from its text form, and runs on to where the run stood.
pub fn experiment(text: &str) -> Option<Command> {
    let edit: Edit = text.parse().ok()?;
    Some(Command::Tell(DebugCommand::Edit {
        change: EditChange::Add(edit),
        catch_up: true,
    }))
}

/// A button that makes an edit; none where the text is no edit.
pub fn try_edit(label: impl Into<String>, text: &str) -> Option<(String, Command)> {
    Some((label.into(), experiment(text)?))
}

/// The pass that computed `position`, and its own row there.
pub fn place_of(scene: &Scene<'_>, position: usize) -> Option<(usize, usize)> {
    let passes = scene.run.passes.iter().enumerate();
    let mut found = passes.filter_map(|(pass, seen)| {
        let row = position.checked_sub(seen.start)?;
        (row < seen.n_pos).then_some((pass, row))
    });
    found.next()
}

/// A limit that one value in a hundred exceeds: a few outliers do not wash the colours out.
pub fn limit_of_most(values: &[f32]) -> f32 {
    let mut sizes: Vec<f32> = values
        .iter()
        .map(|value| value.abs())
        .filter(|size| size.is_finite())
        .collect();
    let place = sizes.len().saturating_sub(1) * 99 / 100;
    if sizes.is_empty() {
        return 0.0;
    }
    let (_, limit, _) = sizes.select_nth_unstable_by(place, f32::total_cmp);
    *limit
}

/// What Hugging Face, and the checkpoint, call the module behind a hook of the block on view.
pub fn module(scene: &mut Scene<'_>, hook: BlockHook) -> Option<String> {
    let hook = Hook::Block(scene.view.layer, hook).to_string();
    let told = scene.ask(&Question::Family { model: None }).ready()?;
    let Told::Family(family) = &*told else {
        return None;
    };
    let found = family.hooks.iter().find(|info| info.hook == hook)?;
    found.hugging_face.clone()
}

/// A heading inside a picture.
pub fn heading_ui(ui: &mut egui::Ui, text: &str) {
    let palette = crate::ui::theme::Palette::of(ui);
    ui.label(Type::Strong.text(text, palette.text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outlier_does_not_set_the_scale() {
        let mut values: Vec<f32> = (0..200).map(|at| at as f32 / 200.0).collect();
        values[0] = -40.0;
        assert!((0.9..1.0).contains(&limit_of_most(&values)));
        assert_eq!(limit_of_most(&[]), 0.0);
        assert_eq!(limit_of_most(&[-2.0]), 2.0);
    }

    #[test]
    fn buttons_that_try_something_are_edits() {
        for text in [
            "blocks.2.attn.hook_attn_scores[3, 10, 9]=block",
            "blocks.2.attn.hook_z[:, 3]=zero",
            "blocks.2.hook_mlp_out=zero",
            "blocks.2.mlp.hook_post[:, 17]=zero",
        ] {
            assert!(experiment(text).is_some(), "{text}");
        }
    }
}
