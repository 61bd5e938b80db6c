//! The logit lens: see [`crate::trace::measure::lens`].

use anyhow::Result;

use super::{Looking, row_of};
use crate::model::probe::Cancelled;
use crate::trace::measure::Point;
use crate::trace::measure::distribution::Distribution;
use crate::trace::measure::lens::{LensRequest, LensView};

/// States that are turned into logits at once: enough to read the head's weights rarely, few enough
/// that their rows of logits stay small.
const ROWS_AT_ONCE: usize = 16;

impl Looking<'_> {
    /// What the model would say at each point and position of `request`, point by point.
    ///
    /// # Errors
    /// If a position or a point has not been computed yet, MLX fails, or it was cancelled.
    pub fn lens(&mut self, request: &LensRequest) -> Result<Vec<LensView>> {
        let points = request.points_of(self.loaded().model.n_layers());
        let mut views = Vec::with_capacity(points.len() * request.rows.len());
        for point in &points {
            views.extend(self.lens_at(*point, request)?);
        }
        Ok(views)
    }

    fn lens_at(&mut self, point: Point, request: &LensRequest) -> Result<Vec<LensView>> {
        let mut states = Vec::with_capacity(request.rows.len());
        let mut pass = None;
        for at in &request.rows {
            let residual = match pass.take() {
                Some((number, residual)) if number == at.pass => residual,
                _ => self.residual(at.pass, point)?,
            };
            states.push(row_of(&residual, at.row)?);
            pass = Some((at.pass, residual));
        }
        let mut views = Vec::with_capacity(states.len());
        for (states, rows) in states
            .chunks(ROWS_AT_ONCE)
            .zip(request.rows.chunks(ROWS_AT_ONCE))
        {
            if self.cancel.is_cancelled() {
                return Err(Cancelled.into());
            }
            let logits = self.logits_of(states)?; // [row, vocab]
            for (place, at) in rows.iter().enumerate() {
                let logits = row_of(&logits, place)?;
                let row = Distribution::new(&logits);
                let top = row.top(request.top_k);
                views.push(LensView {
                    point,
                    at: *at,
                    top: top.into_iter().map(|id| self.share(&row, id)).collect(),
                    chosen: request
                        .tokens
                        .iter()
                        .map(|id| self.share(&row, *id))
                        .collect(),
                    entropy_bits: row.entropy_bits(),
                });
            }
        }
        Ok(views)
    }
}
