//! Draw again: other random numbers, on a branch of their own.

use super::SamplePicture;
use crate::trace::debug::{DebugCommand, Way};
use crate::ui::command::Command;
use crate::ui::picture::Scene;

impl SamplePicture {
    /// Takes new random numbers, on a branch of its own, and draws.
    pub(super) fn draw_again(&mut self, scene: &mut Scene<'_>) {
        self.n_redrawn += 1;
        let seed = scene.run.seed.wrapping_add(self.n_redrawn);
        let sampling = self.what_if.take().unwrap_or_default();
        let position = scene.pass_range().end;
        // A draw that nothing was built on gives its place to the next one.
        if let Some((branch, parent)) = unused_draw(scene, position) {
            scene.send(Command::Tell(DebugCommand::Switch(parent)));
            scene.send(Command::Tell(DebugCommand::Drop(branch)));
        }
        scene.send(Command::Tell(DebugCommand::Branch {
            position: Some(position),
            way: Way::Sampling {
                sampling: Box::new(sampling),
                seed: Some(seed),
            },
        }));
        scene.send(Command::Tell(DebugCommand::Steps(1)));
    }
}

/// The branch under way and its parent, if it begins with the draw at `position` and has gone no
/// further.
fn unused_draw(scene: &Scene<'_>, position: usize) -> Option<(usize, usize)> {
    let run = scene.run;
    let own = run.branches.iter().find(|branch| branch.id == run.branch)?;
    let is_leaf = !run
        .branches
        .iter()
        .any(|branch| branch.parent == Some(own.id));
    let is_fresh = own.parts_at == position && run.ids.len() <= position;
    Some((own.id, own.parent?)).filter(|_| is_leaf && is_fresh)
}
