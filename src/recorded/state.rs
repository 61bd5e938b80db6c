//! Where a recorded run stands, told as the engine tells it.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Player;
use super::stand::Step;
use crate::engine::question::{Draw, Filtered, SamplingChoice, SamplingParams};
use crate::trace::Stage;
use crate::trace::answer::TopToken;
use crate::trace::debug::{
    BranchState, Cursor, DrawKind, DrawState, EditList, LayerCache, Next, PassState, RunState,
};
use crate::trace::file::PassMeta;
use crate::trace::measure::TokenShare;
use crate::trace::measure::ledger::Ledger;

/// A draw as a trace keeps it.
pub(super) struct RecordedDraw {
    pub(super) draw: Draw,
    pub(super) filtered: Filtered,
    pub(super) settings: SamplingParams,
}

impl Player {
    /// Where the run stands.
    pub(super) fn state(&self) -> RunState {
        let meta = self.meta();
        let passes = self.passes();
        let n_text = passes.last().map_or(0, |pass| pass.start + pass.n_pos);
        let tokens = meta.tokens.get(..n_text).unwrap_or_default();
        let next = self.next();
        let newest = passes.len().saturating_sub(1);
        RunState {
            model: meta.model.name.clone(),
            ids: tokens.iter().map(|token| token.id).collect(),
            texts: tokens.iter().map(|token| token.text.clone()).collect(),
            prompt_len: match meta.companion.prompt_len {
                0 => meta.passes.first().map_or(0, n_pos),
                n => n,
            },
            n_layers: self.family.n_layers,
            next,
            // When a hook was reached inside its stage is not recorded.
            cursor: self
                .stand
                .cursor()
                .map(|hook| Cursor { hook, seconds: 0.0 }),
            next_hook: self.stand.next_hook(),
            likeliest: match next {
                Next::Stage(_) => Vec::new(),
                _ => self.likeliest(newest),
            },
            cache: passes.last().map(|pass| pass.cache).unwrap_or_default(),
            layers: self.layers(newest),
            sampling: self.sampling(),
            seed: meta.seed,
            end_tokens: meta.companion.end_tokens.clone(),
            edits: EditList::new(meta.edits.clone()),
            branches: vec![BranchState {
                id: 0,
                parent: None,
                parts_at: 0,
                label: "recorded".to_owned(),
                texts: tokens.iter().map(|token| token.text.clone()).collect(),
                is_kept: true,
            }],
            passes,
            ..RunState::default()
        }
    }

    /// The settings of the sampler, all of them given.
    pub(super) fn params(&self) -> SamplingParams {
        from(&self.meta().sampling).unwrap_or_default()
    }

    /// The draw after pass `pass`, if there was one.
    pub(super) fn draw(&self, pass: usize) -> Option<RecordedDraw> {
        let draw = self.meta().passes.get(pass)?.draw.as_ref()?;
        Some(RecordedDraw {
            draw: from(draw.get("draw")?)?,
            filtered: from(draw.get("filtered")?)?,
            settings: match draw.get("settings") {
                Some(settings) => from(settings)?,
                None => self.params(),
            },
        })
    }

    /// A measure that the trace keeps by name.
    pub(super) fn measure<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        from(self.meta().measures.get(name)?)
    }

    fn sampling(&self) -> SamplingChoice {
        SamplingChoice::of(&self.params())
    }

    fn next(&self) -> Next {
        let draw_of = |pass: usize| self.draw(pass).map(|recorded| recorded.draw.token);
        let is_end = |token: u32| {
            let mut ends = self.meta().companion.end_tokens.iter();
            ends.any(|end| end.id == token)
        };
        match (self.stand.next(), self.stand.done().last()) {
            (Some(Step::Stage(_, stage)), _) => Next::Stage(stage),
            (Some(Step::Draw(_)), _) => Next::Sample,
            (Some(Step::Append(_)), _) => Next::Append,
            (None, Some(Step::Draw(pass))) => match draw_of(*pass).is_some_and(is_end) {
                true => Next::Ended,
                false => Next::Append,
            },
            (None, Some(Step::Stage(_, stage))) => match stage.next(self.family.n_layers) {
                Some(next) => Next::Stage(next),
                None => Next::Sample,
            },
            (None, _) => Next::Stage(Stage::Embed),
        }
    }

    fn passes(&self) -> Vec<PassState> {
        let progress = self.progress();
        let passes = self.meta().passes.iter().zip(progress).enumerate();
        passes
            .map(|(number, (pass, progress))| PassState {
                start: pass.start,
                n_pos: n_pos(pass),
                boundaries: pass.boundaries.clone(),
                executed: executed(pass, progress.n_stages),
                recorded: Vec::new(),
                cache: pass.cache,
                draw: self.draw_state(number).filter(|_| progress.is_drawn),
            })
            .collect()
    }

    /// How far each pass that has begun has come.
    fn progress(&self) -> Vec<Progress> {
        let mut passes = vec![Progress::default()];
        for step in self.stand.done() {
            match (step, passes.last_mut()) {
                (Step::Append(_), _) => passes.push(Progress::default()),
                (Step::Stage(..), Some(pass)) => pass.n_stages += 1,
                (Step::Draw(_), Some(pass)) => pass.is_drawn = true,
                (_, None) => {}
            }
        }
        passes
    }

    fn draw_state(&self, pass: usize) -> Option<DrawState> {
        let draw = self.draw(pass)?.draw;
        let companion = &self.meta().companion;
        let kind = companion.draw_kinds.get(pass).copied().flatten();
        let guessed = match draw.random {
            Some(_) => DrawKind::Random,
            None => DrawKind::Greedy,
        };
        Some(DrawState {
            token: draw.token,
            text: companion.named(draw.token).text,
            logprob: draw.logprob,
            kind: kind.unwrap_or(guessed),
            random: draw.random,
            xtc_coin: draw.xtc_coin,
            share: draw.share,
            n_candidates: draw.n_candidates,
        })
    }

    fn likeliest(&self, pass: usize) -> Vec<TopToken> {
        let next: Vec<Vec<TokenShare>> = self.measure("next_tokens").unwrap_or_default();
        let of_pass = next.into_iter().nth(pass).unwrap_or_default().into_iter();
        let as_top = |share: TokenShare| TopToken {
            id: share.token.id,
            text: share.token.text,
            logprob: share.probability.ln() as f32,
        };
        of_pass.map(as_top).collect()
    }

    fn layers(&self, pass: usize) -> Vec<LayerCache> {
        let ledgers: Vec<Ledger> = self.measure("kv_ledgers").unwrap_or_default();
        let ledger = ledgers.into_iter().find(|ledger| ledger.pass == pass);
        let layers = ledger.map(|ledger| ledger.layers).unwrap_or_default();
        let as_cache = |layer: crate::trace::measure::ledger::LayerLedger| LayerCache {
            held: layer.positions,
            taken_in: layer.positions,
            used_bytes: layer.used_bytes,
            allocated_bytes: layer.allocated_bytes,
        };
        layers.into_iter().map(as_cache).collect()
    }
}

/// How many positions a pass runs over; the sum was checked when the file was opened.
pub(super) fn n_pos(pass: &PassMeta) -> usize {
    pass.boundaries.iter().sum()
}

/// How far a pass has come.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    n_stages: usize,
    is_drawn: bool,
}

/// The first `n_stages` stages with their times.
fn executed(pass: &PassMeta, n_stages: usize) -> Vec<(Stage, f64)> {
    let times = pass.times.iter();
    let stages = times.filter_map(|(stage, seconds)| Some((stage.parse().ok()?, *seconds)));
    stages.take(n_stages).collect()
}

fn from<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}
