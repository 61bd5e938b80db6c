//! States along the layers: see [`crate::trace::measure::state`].

use anyhow::Result;

use super::Looking;
use crate::trace::HostTensor;
use crate::trace::measure::state::Path;
use crate::trace::measure::{At, Point};

impl Looking<'_> {
    /// The residual stream at `point` of every position of the text that has come so far, over all
    /// passes, `[pos, d_model]`; `None` where none has.
    ///
    /// # Errors
    /// If MLX fails, or `cancel` was asked for.
    pub fn states_at(&mut self, point: Point) -> Result<Option<HostTensor>> {
        let n_needed = match point {
            Point::Embed => 1,
            Point::AfterAttention(layer) | Point::AfterMlp(layer) => layer + 2,
        };
        let passes = self.run.passes().iter();
        let n_passes = passes
            .take_while(|pass| pass.times().len() >= n_needed)
            .count();
        let parts = (0..n_passes).map(|pass| self.residual(pass, point));
        let parts = parts.collect::<Result<Vec<_>>>()?;
        Ok(HostTensor::join(&parts, 0))
    }

    /// The residual stream of one position at every point that has been computed.
    ///
    /// # Errors
    /// If there is no such position, or MLX fails.
    pub fn path(&mut self, at: At) -> Result<Path> {
        let mut paths = self.paths(at.pass, &[at.row])?;
        let empty = Path {
            at,
            states: Vec::new(),
        };
        Ok(paths.pop().unwrap_or(empty))
    }

    /// The paths of several rows of a pass: every point is computed once for all of them.
    ///
    /// # Errors
    /// As [`Looking::path`].
    pub fn paths(&mut self, pass: usize, rows: &[usize]) -> Result<Vec<Path>> {
        let executed = self
            .run
            .passes()
            .get(pass)
            .map_or(0, |pass| pass.times().len());
        let n_blocks = executed
            .saturating_sub(1)
            .min(self.loaded().model.n_layers());
        Path::through(pass, rows, n_blocks, |at| self.residual(pass, at))
    }
}
