//! What a trace keeps of the measures: enough to open it without the model.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use super::Looking;
use crate::trace::measure::lens::{LensRequest, LensView};
use crate::trace::measure::{At, Point};

/// Tokens per point that a trace keeps of the logit lens.
const TOP_K: usize = 5;

/// Multiplications that are spent on the lens at positions before the last ones: about a second.
const LENS_EFFORT: usize = 4_000_000_000;

/// Likeliest next tokens that a trace keeps of each pass.
const N_NEXT: usize = 10;

impl Looking<'_> {
    /// Measures by name, of every pass that has come through its blocks: `logit_lens` (a list of
    /// [`LensView`]: of every position where that is soon done, else of the last one; chosen are the
    /// drawn token and the one that the position ends at), `heads` (a [`HeadReport`] of the prompt),
    /// `costs` (a list of [`PassCost`]), `kv_ledgers` (a list of [`Ledger`]) and `next_tokens` (for each pass with logits, a list of [`TokenShare`]).
    ///
    /// [`Ledger`]: crate::trace::measure::ledger::Ledger
    /// [`TokenShare`]: crate::trace::measure::TokenShare
    /// [`LensView`]: crate::trace::measure::lens::LensView
    /// [`HeadReport`]: crate::trace::measure::heads::HeadReport
    /// [`PassCost`]: crate::trace::measure::costs::PassCost
    ///
    /// # Errors
    /// If a value cannot be recomputed, or `cancel` was asked for.
    pub fn summary(&mut self) -> Result<BTreeMap<String, Value>> {
        let n_layers = self.loaded().model.n_layers();
        let passes = self.run.passes().iter();
        let finished: Vec<(usize, usize, Option<u32>)> = passes
            .enumerate()
            .filter(|(_, pass)| pass.times().len() > n_layers)
            .map(|(number, pass)| (number, pass.n_pos(), pass.draw().map(|draw| draw.token)))
            .collect();
        let mut views = Vec::new();
        let mut rows_left = self.n_lens_rows();
        let (mut costs, mut ledgers, mut next) = (Vec::new(), Vec::new(), Vec::new());
        for (pass, n_pos, drawn) in &finished {
            let (pass, row) = (*pass, n_pos.saturating_sub(1));
            let first = if rows_left >= row { 0 } else { row };
            rows_left = rows_left.saturating_sub(row - first);
            for row in first..=row {
                views.extend(self.lens_of_row(At { pass, row }, *drawn)?);
            }
            costs.push(self.cost(pass)?);
            ledgers.push(self.ledger(pass)?);
            if let Some(logits) = self.run.passes().get(pass).and_then(|pass| pass.logits()) {
                next.push(self.shares(logits, N_NEXT, &[]));
            }
        }
        let mut summary = BTreeMap::new();
        if !finished.is_empty() {
            let heads = self.head_scores(0)?;
            summary.insert("heads".to_owned(), serde_json::to_value(heads)?);
            summary.insert("logit_lens".to_owned(), serde_json::to_value(views)?);
            summary.insert("costs".to_owned(), serde_json::to_value(costs)?);
            summary.insert("kv_ledgers".to_owned(), serde_json::to_value(ledgers)?);
            summary.insert("next_tokens".to_owned(), serde_json::to_value(next)?);
        }
        Ok(summary)
    }

    /// The lens at every point of one position, with the ranks of the drawn token and of the
    /// likeliest one at its end.
    fn lens_of_row(&mut self, at: At, drawn: Option<u32>) -> Result<Vec<LensView>> {
        let last = Point::all(self.loaded().model.n_layers()).last();
        let mut request = LensRequest {
            rows: vec![at],
            points: last.into_iter().collect(),
            top_k: 1,
            tokens: Vec::new(),
        };
        let end = self.lens(&request)?;
        let likeliest = end
            .iter()
            .flat_map(|view| &view.top)
            .map(|share| share.token.id);
        request.tokens = drawn.into_iter().chain(likeliest).collect();
        request.tokens.dedup();
        request.points = Vec::new();
        request.top_k = TOP_K;
        self.lens(&request)
    }

    /// How many positions before the last ones the lens is asked at: their cost is one product
    /// with the output head at every point.
    fn n_lens_rows(&self) -> usize {
        let config = self.loaded().model.config();
        let n_points = 2 * config.num_hidden_layers + 1;
        LENS_EFFORT / (n_points * config.hidden_size * config.vocab_size).max(1)
    }
}
