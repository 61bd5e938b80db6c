//! Where a generation stands: the prompt runs in chunks, then each token has a pass of its own.

use anyhow::Result;

use super::super::context::Context;
use super::super::pass::{LogitRows, Pass};
use super::super::task::{Outbox, Turn};
use super::stop_when::StopWhen;
use super::{Generation, to_host};
use crate::model::cache::CHUNK;

/// Where a generation stands.
pub(super) enum Phase {
    /// The prompt runs, in chunks.
    Prefill(Pass),
    /// The pass of the newest token.
    Decode(Pass),
}

impl Generation {
    /// The pass to begin with: over the prompt, or where the cache holds all of it, over the first
    /// token after what it holds.
    pub(super) fn first_phase(&mut self, context: &Context, out: &Outbox) -> Phase {
        let n_held = context.len();
        if n_held < self.prompt.len() {
            return Phase::Prefill(self.next_chunk(n_held));
        }
        while self.history.len() <= n_held
            && let Some(token) = self.begun.next()
        {
            self.sampler.skip(1);
            self.history.push(token.id);
            let shown = self.written.stand(&token);
            self.tell(shown, out);
        }
        let newest = self.history.last().copied().into_iter().collect();
        Phase::Decode(Pass::new(
            &self.loaded.model,
            n_held,
            newest,
            LogitRows::Last,
        ))
    }

    /// One stage of the prompt's pass.
    pub(super) fn prefill(&mut self, context: &mut Context, out: &Outbox) -> Result<Turn> {
        let Phase::Prefill(pass) = &mut self.phase else {
            return Ok(Turn::More);
        };
        let mut probe = StopWhen(&self.cancel);
        let stepped = pass.step(&self.loaded.model, context, &mut probe)?;
        if stepped.is_some() && pass.next_stage().is_some() {
            return Ok(Turn::More);
        }
        self.tell_progress(context, out);
        if context.len() < self.prompt.len() {
            self.phase = Phase::Prefill(self.next_chunk(context.len()));
            return Ok(Turn::More);
        }
        let Phase::Prefill(pass) = &self.phase else {
            return Ok(Turn::More);
        };
        let logits = to_host(pass)?;
        self.choose(&logits, context, out)
    }

    /// The pass of the newest token, and the choice of the next.
    pub(super) fn decode(&mut self, context: &mut Context, out: &Outbox) -> Result<Turn> {
        if context.len().is_multiple_of(CHUNK) {
            self.check_memory(context)?;
        }
        let Phase::Decode(pass) = &mut self.phase else {
            return Ok(Turn::More);
        };
        pass.run(&self.loaded.model, context, &mut StopWhen(&self.cancel))?;
        let logits = to_host(pass)?;
        self.choose(&logits, context, out)
    }

    pub(super) fn begin_pass(&mut self, token: u32, context: &mut Context) -> Result<()> {
        let mut pass = Pass::new(
            &self.loaded.model,
            context.len(),
            vec![token],
            LogitRows::Last,
        );
        if self.loaded.model.compute().on_gpu {
            pass.run(&self.loaded.model, context, &mut StopWhen(&self.cancel))?;
            mlx_rs::transforms::async_eval([pass.logits()?])?;
        }
        self.phase = Phase::Decode(pass);
        Ok(())
    }

    /// The pass over the next chunk of the prompt.
    fn next_chunk(&self, done: usize) -> Pass {
        let end = self
            .prompt
            .len()
            .min(done + self.loaded.model.prefill_chunk());
        let rows = if end == self.prompt.len() {
            LogitRows::Last
        } else {
            LogitRows::None
        };
        let ids = self.prompt.get(done..end).unwrap_or_default().to_vec();
        Pass::new(&self.loaded.model, done, ids, rows)
    }
}
