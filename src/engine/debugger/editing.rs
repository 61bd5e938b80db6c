//! Changing the list of edits.

use anyhow::Result;

use super::goal::Goal;
use super::{Debugger, checks};
use crate::engine::message::CancelToken;
use crate::engine::run::Standing;
use crate::trace::debug::EditChange;

impl Debugger {
    /// Makes `change`: the run goes back to before the first stage that it affects, and forward
    /// again if `catch_up`.
    pub(super) fn change_edits(
        &mut self,
        change: EditChange,
        catch_up: bool,
        cancel: &CancelToken,
    ) -> Result<()> {
        let mut list = self.edits.clone();
        list.change(change)?;
        for edit in list.edits() {
            checks::check_edit(edit, self.run.loaded())?;
            // What is off may not fit any more: it must be possible to switch it off.
            if edit.is_on {
                checks::check_copied_position(edit, self.run.prompt_len())?;
                self.check_copies(edit)?;
            }
        }
        self.keep_baseline();
        let before = std::mem::replace(&mut self.edits, list);
        let changed = match self.provide_sources(cancel) {
            Ok(()) => self.run.set_edits(self.edits.edits(), cancel),
            Err(error) => Err(error),
        };
        match changed {
            Ok(stood) => {
                self.changed(stood.filter(|_| catch_up));
                Ok(())
            }
            Err(error) => {
                self.edits = before;
                Err(error)
            }
        }
    }

    /// Notes that numbers may have become others, and where to run to.
    pub(super) fn changed(&mut self, stood: Option<Standing>) {
        self.version += 1;
        self.verdict = None;
        if let Some(stood) = stood {
            self.aim(Goal::Standing(stood));
        } else if self.wants_verdict() {
            self.aim(Goal::Verdict);
        }
    }
}
