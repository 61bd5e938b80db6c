//! What a chat has cost so far.

use crate::cli::answer::Followed;
use crate::cli::table::{Column, Table};
use crate::engine::memory;
use crate::trace::answer::{CacheSize, Speed};
use crate::trace::units;

/// Sums over all answers, and the latest in detail.
#[derive(Debug, Default)]
pub struct Stats {
    n_answers: usize,
    n_prompt_tokens_run: usize,
    n_reused: usize,
    n_generated: usize,
    latest: Option<Latest>,
}

/// The latest answer.
#[derive(Debug)]
struct Latest {
    n_prompt_tokens: usize,
    reused: usize,
    why_not_more: &'static str,
    speed: Speed,
    cache: CacheSize,
    active_memory_bytes: usize,
    peak_memory_bytes: usize,
}

impl Stats {
    /// Takes an answer in.
    pub fn add(&mut self, followed: &Followed) {
        let answer = &followed.answer;
        self.n_answers += 1;
        self.n_prompt_tokens_run += answer.speed.prompt_tokens_run;
        self.n_reused += answer.reused;
        self.n_generated += answer.tokens.len();
        self.latest = Some(Latest {
            n_prompt_tokens: answer.prompt_tokens.len(),
            reused: answer.reused,
            why_not_more: followed.reuse.why_not_more.sentence(),
            speed: answer.speed,
            cache: answer.cache,
            active_memory_bytes: answer.active_memory_bytes,
            peak_memory_bytes: answer.peak_memory_bytes,
        });
    }

    /// Notes that the cache is empty again.
    pub fn forget_cache(&mut self) {
        self.latest = None;
    }

    /// Everything, for people.
    #[must_use]
    pub fn table(&self, model: &str) -> Table {
        let mut table = Table::new([Column::Left(""), Column::Left("")]);
        let mut row = |what: &str, text: String| table.row([what.to_owned(), text]);
        row("model", model.to_owned());
        row(
            "so far",
            format!(
                "{} answers of {} tokens; {} prompt tokens run, {} taken from the cache",
                self.n_answers,
                count(self.n_generated),
                count(self.n_prompt_tokens_run),
                count(self.n_reused)
            ),
        );
        if let Some(latest) = &self.latest {
            latest.rows(&mut row);
        }
        if let Some(resident) = memory::resident() {
            let peak = memory::peak_resident().unwrap_or(resident);
            let (resident, peak) = (units::bytes(resident), units::bytes(peak));
            row("process", format!("{resident} of memory, {peak} at most"));
        }
        table
    }
}

impl Latest {
    fn rows(&self, row: &mut impl FnMut(&str, String)) {
        let (prompt, decode) = (self.speed.prompt_tps(), self.speed.generation_tps());
        let (prompt, decode) = (
            units::tokens_per_second(prompt),
            units::tokens_per_second(decode),
        );
        row("latest", format!("prompt {prompt}, answer {decode}"));
        row(
            "reused",
            format!(
                "{} of {} prompt tokens; {}",
                count(self.reused),
                count(self.n_prompt_tokens),
                self.why_not_more
            ),
        );
        row(
            "KV cache",
            format!(
                "{} positions, {} used of {} allocated",
                count(self.cache.positions),
                units::bytes(self.cache.used_bytes as u64),
                units::bytes(self.cache.allocated_bytes as u64)
            ),
        );
        row(
            "MLX",
            format!(
                "{} in use, {} at most",
                units::bytes(self.active_memory_bytes as u64),
                units::bytes(self.peak_memory_bytes as u64)
            ),
        );
    }
}

fn count(n: usize) -> String {
    units::count(n as u64)
}
