//! Stopping at breakpoints.

use anyhow::Result;

use super::Debugger;
use crate::engine::message::CancelToken;
use crate::engine::run::Next;
use crate::trace::debug::{Breakpoint, Condition};
use crate::trace::{Address, BlockHook, Hook, Place, Stage, View};

impl Debugger {
    /// The breakpoint that the latest step has hit.
    pub(super) fn hit(&mut self, cancel: &CancelToken) -> Result<Option<String>> {
        for breakpoint in self.breakpoints.clone() {
            let mut address = breakpoint.address.clone();
            // Without a pass it stops in every pass.
            address.pass.get_or_insert(self.run.newest());
            if self.just_reached(&address) && self.holds(&breakpoint, &address, cancel)? {
                return Ok(Some(breakpoint.to_string()));
            }
        }
        Ok(None)
    }

    /// Whether the latest step has computed what `address` names.
    fn just_reached(&self, address: &Address) -> bool {
        if address.pass != Some(self.run.newest()) {
            return false;
        }
        if let Some(cursor) = self.run.cursor() {
            return address.place == Place::Hook(cursor.hook);
        }
        let n_layers = self.run.loaded().model.n_layers();
        let executed = match self.run.next() {
            Next::Append | Next::Ended => return address.place == Place::View(View::Sample),
            Next::Sample => Some(Stage::Logits),
            Next::Stage(next) => {
                Stage::of_pass(n_layers).find(|stage| stage.next(n_layers) == Some(next))
            }
        };
        let Some(executed) = executed else {
            return false;
        };
        match address.place {
            Place::Stage(stage) => stage == executed,
            // A hook inside a stage stops there; the last one stops with the stage.
            Place::Hook(hook) => self.run.hooks_of(executed).last() == Some(&hook),
            Place::View(_) => false,
        }
    }

    fn holds(
        &mut self,
        breakpoint: &Breakpoint,
        address: &Address,
        cancel: &CancelToken,
    ) -> Result<bool> {
        // At a draw the token is the one just drawn; inside a pass, the one that it runs over.
        let is_draw = address.place == Place::View(View::Sample);
        let drawn_by = self.run.newest().checked_sub(usize::from(!is_draw));
        let drawn_by = drawn_by.and_then(|pass| self.run.passes().get(pass));
        let draw = drawn_by.and_then(|pass| pass.draw());
        Ok(match &breakpoint.when {
            None => true,
            Some(Condition::TokenIs(text)) => {
                let drawn = draw.and_then(|draw| self.tokenizer.token_text(draw.token));
                drawn.is_some_and(|drawn| drawn == *text || drawn.strip_prefix(' ') == Some(text))
            }
            Some(Condition::ProbabilityBelow(limit)) => {
                draw.is_some_and(|draw| draw.logprob.exp() < *limit)
            }
            Some(Condition::HeadShareAbove { head, key, share }) => {
                let Some(Stage::Block(layer)) = address.stage() else {
                    return Ok(false);
                };
                let pattern = Hook::Block(layer, BlockHook::Pattern);
                let pass = address.pass.unwrap_or(0);
                let map = self.run.look(pass, pattern, Some(*head), cancel)?;
                let newest = map.shape().get(1).and_then(|n| n.checked_sub(1));
                let seen = newest.and_then(|row| map.value(&[0, row, *key]));
                seen.is_some_and(|seen| seen > *share)
            }
        })
    }
}
