//! How a cancelled request stops the pass that runs for it.

use anyhow::Result;

use super::super::message::CancelToken;
use crate::model::probe::{Cancelled, Probe};
use crate::trace::Hook;

/// Stops a pass at the next hook once the request is cancelled.
pub(super) struct StopWhen<'a>(pub(super) &'a CancelToken);

impl Probe for StopWhen<'_> {
    fn wants(&self, _hook: Hook) -> bool {
        false
    }

    fn see(&mut self, _hook: Hook, _value: &mlx_rs::Array) -> Result<Option<mlx_rs::Array>> {
        Ok(None)
    }

    fn check(&self) -> Result<()> {
        if self.0.is_cancelled() {
            return Err(Cancelled.into());
        }
        Ok(())
    }
}
