//! Questions about the session's run.

use anyhow::{Result, bail};

use super::Answering;
use crate::engine::measures::{cache_cost, named};
use crate::engine::memory;
use crate::engine::message::SamplingChoice;
use crate::engine::question::{Question, SamplingView, Seen, Told};
use crate::engine::sampler::SamplingParams;
use crate::model::probe::Cancelled;
use crate::trace::measure::At;
use crate::trace::measure::histogram::Histogram;
use crate::trace::measure::ledger::MemoryUse;
use crate::trace::{Address, HostTensor};

impl Answering<'_> {
    pub(super) fn of_run(&mut self, question: Question) -> Result<Told> {
        use Question as Ask;
        Ok(match question {
            Ask::Values(addresses) => Told::Values(self.values(addresses)?),
            Ask::Histogram { at, n_bins } => {
                let cancel = self.cancel;
                let value = self.debugger()?.look(&at, cancel)?;
                Told::Histogram(Histogram::of(value.values(), n_bins))
            }
            Ask::Heads { pass } => Told::Heads(self.looking()?.head_scores(pass)?),
            Ask::Lens(request) => Told::Lens(self.looking()?.lens(&request)?),
            Ask::Contributions { at, token, against } => {
                Told::Contributions(self.looking()?.contributions(at, token, against)?)
            }
            Ask::Paths { pass, rows } => {
                let rows = self.rows_or(pass, rows, |n| 0..n)?;
                Told::Paths(self.looking()?.paths(pass, &rows)?)
            }
            Ask::Cell {
                path,
                at,
                output,
                k,
            } => Told::Cell(self.looking()?.cell(&path, at, output, k)?),
            Ask::Neurons { at, layer, k } => Told::Neurons(self.looking()?.neurons(at, layer, k)?),
            Ask::Norms { at } => Told::Norms(self.looking()?.norms(at)?),
            Ask::Cost { pass } => Told::Cost(self.looking()?.cost(pass)?),
            Ask::Ledger { pass } => Told::Ledger(self.looking()?.ledger(pass)?),
            Ask::CacheCost => {
                let cancel = self.cancel;
                Told::CacheCost(cache_cost(self.debugger()?.run(), cancel)?)
            }
            Ask::Logits { at, k, tokens } => {
                Told::Logits(self.looking()?.logits_view(at, k, &tokens)?)
            }
            Ask::Sampling {
                pass,
                settings,
                limit,
            } => Told::Sampling(self.sampling(pass, settings.as_ref(), limit)?),
            Ask::Redraw {
                pass,
                settings,
                n,
                seed,
            } => {
                let params = self.params(pass, settings.as_ref())?;
                Told::Redraws(self.looking()?.redraw(pass, &params, n, seed)?)
            }
            attention => self.of_attention(attention)?,
        })
    }

    fn of_attention(&mut self, question: Question) -> Result<Told> {
        use Question as Ask;
        Ok(match question {
            Ask::ScoreParts {
                pass,
                layer,
                head,
                row,
                key,
            } => Told::ScoreParts(self.looking()?.score_parts(pass, layer, head, row, key)?),
            Ask::ScoreMaps { pass, layer, head } => {
                Told::ScoreMaps(self.looking()?.score_maps(pass, layer, head)?)
            }
            Ask::WeightedAttention { pass, layer, head } => {
                Told::WeightedAttention(self.looking()?.weighted_attention(pass, layer, head)?)
            }
            Ask::Patterns { pass, layers, size } => {
                let mut looking = self.looking()?;
                let layers = match layers.is_empty() {
                    true => (0..looking.n_blocks_run(pass)?).collect(),
                    false => layers,
                };
                let mut all = Vec::new();
                for layer in layers {
                    all.extend(looking.miniatures(pass, layer, size)?);
                }
                Told::Patterns(all)
            }
            Ask::Writes { pass, rows } => {
                let rows = self.rows_or(pass, rows, |n| n.saturating_sub(1)..n)?;
                let mut looking = self.looking()?;
                let mut all = Vec::new();
                for layer in 0..looking.n_blocks_run(pass)? {
                    all.extend(looking.writes(pass, layer, &rows)?);
                }
                Told::Writes(all)
            }
            Ask::Rope {
                pass,
                layer,
                of,
                head,
                rows,
            } => {
                let rows = self.rows_or(pass, rows, |n| n.saturating_sub(1)..n)?;
                let mut looking = self.looking()?;
                let turn = |row| looking.rotation(At { pass, row }, layer, of, head);
                Told::Rotations(rows.into_iter().map(turn).collect::<Result<_>>()?)
            }
            // A sweep or parity of a session without a run comes here.
            _ => bail!("there is no run to ask about yet: open one first"),
        })
    }

    /// Many looks at once: one that fails says why in its own place.
    fn values(&mut self, addresses: Vec<Address>) -> Result<Vec<Seen>> {
        let cancel = self.cancel;
        let debugger = self.debugger()?;
        let mut seen = Vec::with_capacity(addresses.len());
        for at in addresses {
            if cancel.is_cancelled() {
                return Err(Cancelled.into());
            }
            let value = debugger.look(&at, cancel).map_err(|why| format!("{why:#}"));
            seen.push(Seen { at, value });
        }
        Ok(seen)
    }

    /// `rows`, or those that `default` makes of the number of rows.
    fn rows_or(
        &mut self,
        pass: usize,
        rows: Vec<usize>,
        default: impl Fn(usize) -> std::ops::Range<usize>,
    ) -> Result<Vec<usize>> {
        if !rows.is_empty() {
            return Ok(rows);
        }
        let n_pos = self.debugger()?.run().pass(pass)?.n_pos();
        Ok(default(n_pos).collect())
    }

    /// The settings of a pass' draw, or others in their place; what these leave open stays.
    fn params(&mut self, pass: usize, settings: Option<&SamplingChoice>) -> Result<SamplingParams> {
        let looking = self.looking()?;
        let own = looking.settings_of(pass);
        let params = settings.map_or_else(|| own.clone(), |settings| settings.onto(own));
        params.validate()?;
        Ok(params)
    }

    fn sampling(
        &mut self,
        pass: usize,
        settings: Option<&SamplingChoice>,
        limit: usize,
    ) -> Result<SamplingView> {
        let settings = self.params(pass, settings)?;
        let (filtered, draw) = self.looking()?.sampling(pass, &settings, limit)?;
        let loaded = self.debugger()?.run().loaded();
        let name = |token| named(loaded, token);
        Ok(SamplingView::of(settings, filtered, draw, name))
    }

    /// What is held in memory. Asked without a run, the run's figures are 0.
    pub(super) fn memory(&mut self) -> Result<Told> {
        let run = self.debugger.as_deref().map(|debugger| debugger.run());
        let cache = run.map(|run| run.context().size()).unwrap_or_default();
        let passes = run.map(|run| run.passes()).unwrap_or_default();
        let recorded = passes.iter().flat_map(|pass| pass.recorded().values());
        let budget = self
            .debugger
            .as_deref()
            .and_then(|debugger| debugger.request().budget_bytes);
        Ok(Told::Memory(MemoryUse {
            weights: self.models.sizes(),
            cache_used_bytes: cache.used_bytes as u64,
            cache_allocated_bytes: cache.allocated_bytes as u64,
            recorded_bytes: recorded
                .map(|value: &HostTensor| value.n_bytes() as u64)
                .sum(),
            hidden_bytes: passes.iter().map(|pass| pass.hidden_bytes() as u64).sum(),
            budget_bytes: budget.map(|bytes| bytes as u64),
            mlx_active_bytes: mlx_rs::memory::active_memory()? as u64,
            mlx_cache_bytes: mlx_rs::memory::cache_memory()? as u64,
            mlx_peak_bytes: mlx_rs::memory::peak_memory()? as u64,
            process_bytes: memory::resident(),
            process_peak_bytes: memory::peak_resident(),
            available_bytes: memory::available(),
        }))
    }
}
