//! Where the run stands, as plain data.

use super::Debugger;
use crate::engine::run::LogicalPass;
use crate::engine::sampler::{TokenLogprob, top_logprobs};
use crate::model::cache::KvCache;
use crate::trace::answer::TopToken;
use crate::trace::debug::{DrawKind, DrawState, LayerCache, PassState, RunMemory, RunState};
use crate::trace::measure::NamedToken;

/// How many of the likeliest tokens a state tells.
const N_LIKELIEST: usize = 10;

impl Debugger {
    /// Where the run stands, as plain data.
    #[must_use]
    pub fn state(&self) -> RunState {
        let run = &self.run;
        RunState {
            model: run.loaded().label.clone(),
            version: self.version,
            ids: run.ids().to_vec(),
            texts: run.ids().iter().map(|id| self.text(*id)).collect(),
            prompt_len: run.prompt_len(),
            n_layers: run.loaded().model.n_layers(),
            next: run.next(),
            cursor: run.cursor(),
            next_hook: run.next_hook(),
            passes: run
                .passes()
                .iter()
                .map(|pass| self.pass_state(pass))
                .collect(),
            likeliest: self.likeliest(),
            cache: run.context().size(),
            layers: run.context().layers().iter().map(layer_cache).collect(),
            sampling: self.sampling(),
            seed: run.seed(),
            end_tokens: self.end_tokens(),
            edits: self.edits.clone(),
            sources: self.source_states(),
            verdict: self.verdict.clone(),
            branches: self.branch_states(),
            branch: self.branches.active(),
            breakpoints: self.breakpoints.clone(),
            stopped_by: self.stopped_by.clone(),
            memory: self.memory(),
        }
    }

    fn end_tokens(&self) -> Vec<NamedToken> {
        let named = |id: &u32| NamedToken {
            id: *id,
            text: self.text(*id),
        };
        self.run.options().end_tokens.iter().map(named).collect()
    }

    fn pass_state(&self, pass: &LogicalPass) -> PassState {
        let executed = pass.times().iter();
        let executed = executed.map(|(stage, time)| (*stage, time.as_secs_f64()));
        PassState {
            start: pass.start(),
            n_pos: pass.n_pos(),
            boundaries: pass.boundaries().collect(),
            executed: executed.collect(),
            recorded: pass.recorded().keys().copied().collect(),
            cache: pass.cache(),
            draw: pass.draw().map(|draw| DrawState {
                token: draw.token,
                text: self.text(draw.token),
                logprob: draw.logprob,
                kind: pass.draw_kind().unwrap_or(DrawKind::Greedy),
                random: draw.random,
                xtc_coin: draw.xtc_coin,
                share: draw.share,
                n_candidates: draw.n_candidates,
            }),
        }
    }

    /// The likeliest next tokens after the newest pass.
    fn likeliest(&self) -> Vec<TopToken> {
        let logits = self.run.passes().last().and_then(|pass| pass.logits());
        let top = logits.and_then(|logits| top_logprobs(logits, N_LIKELIEST).ok());
        let with_text = |top: TokenLogprob| TopToken {
            id: top.token,
            text: self.text(top.token),
            logprob: top.logprob,
        };
        top.unwrap_or_default().into_iter().map(with_text).collect()
    }

    fn memory(&self) -> RunMemory {
        let passes = self.run.passes().iter();
        // What comes before the edits is shared with the run.
        let own = self.baseline.as_ref().zip(self.run.edited_from());
        let baseline = own.map_or(0, |(run, from)| run.state_bytes_from(from));
        RunMemory {
            state_bytes: self.run.state_bytes_from(0),
            recorded_bytes: passes.map(LogicalPass::recorded_bytes).sum(),
            budget_bytes: self.run.options().budget_bytes,
            n_left_out: self.run.n_left_out(),
            branch_bytes: self.branches.bytes() + baseline,
        }
    }

    fn text(&self, id: u32) -> String {
        self.tokenizer.token_text(id).unwrap_or_default()
    }
}

fn layer_cache(cache: &KvCache) -> LayerCache {
    LayerCache {
        held: cache.positions().len(),
        taken_in: cache.next_position(),
        used_bytes: cache.used_bytes(),
        allocated_bytes: cache.allocated_bytes(),
    }
}
