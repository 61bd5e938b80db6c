//! The moments that an answer's speeds are taken from.

use std::time::Instant;

use crate::trace::answer::Speed;

/// The moments that speeds are taken from.
pub(super) struct Clock {
    started: Instant,
    first_token: Option<Instant>,
    last_token: Option<Instant>,
    generated: usize,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self {
            started: Instant::now(),
            first_token: None,
            last_token: None,
            generated: 0,
        }
    }

    /// Notes that a token was chosen.
    pub(super) fn tick(&mut self) {
        let now = Instant::now();
        self.first_token.get_or_insert(now);
        self.last_token = Some(now);
        self.generated += 1;
    }

    /// Tokens chosen so far.
    pub(super) fn generated(&self) -> usize {
        self.generated
    }

    pub(super) fn speed(&self, prompt_tokens_run: usize) -> Speed {
        let first = self.first_token.unwrap_or_else(Instant::now);
        let last = self.last_token.unwrap_or(first);
        let ttft_s = first.duration_since(self.started).as_secs_f64();
        Speed {
            prompt_tokens_run,
            prefill_s: ttft_s,
            ttft_s,
            decode_s: last.duration_since(first).as_secs_f64(),
            generated: self.generated,
        }
    }
}
