//! What a download tells while it goes on: how far each file is, how fast it comes, how long it takes.

use std::time::{Duration, Instant};

use super::Job;
use crate::hub::message::{DownloadEvent, DownloadPlan, DownloadProgress, FileProgress, FileState};

/// How often progress is told.
const EVERY: Duration = Duration::from_millis(100);

/// Bytes that must have come before the time left is told.
const FORETELLING: u64 = 4 << 20;

impl Job {
    pub(super) fn notice(&self, text: String) {
        (self.report)(DownloadEvent::Notice(text));
    }

    pub(super) fn set(&mut self, index: usize, state: FileState, done: u64) {
        if let Some(file) = self.progress.files.get_mut(index) {
            file.state = state;
            file.done_bytes = done.min(file.bytes);
        }
    }

    pub(super) fn tell_sometimes(&mut self) {
        if self.last_told.is_none_or(|last| last.elapsed() >= EVERY) {
            self.tell();
        }
    }

    pub(super) fn tell(&mut self) {
        let now = Instant::now();
        self.last_told = Some(now);
        self.speed.sample(now, self.received);
        let progress = &mut self.progress;
        progress.done_bytes = progress.files.iter().map(|file| file.done_bytes).sum();
        progress.bytes_per_s = self.speed.bytes_per_s();
        let left = progress.total_bytes.saturating_sub(progress.done_bytes);
        // The first requests are slow however fast the line is: nothing is foretold from them.
        let is_known = self.received >= FORETELLING
            || self.received.saturating_mul(20) >= progress.total_bytes;
        let speed = progress
            .bytes_per_s
            .filter(|speed| is_known && *speed >= 1.0);
        progress.left_s = speed.map(|speed| left as f64 / speed);
        (self.report)(DownloadEvent::Progress(self.progress.clone()));
    }
}

pub(super) fn at_the_start(plan: &DownloadPlan) -> DownloadProgress {
    let files = plan.files.iter().map(|file| FileProgress {
        name: file.name.clone(),
        bytes: file.bytes,
        done_bytes: 0,
        state: FileState::Waiting,
    });
    DownloadProgress {
        files: files.collect(),
        total_bytes: plan.total_bytes,
        done_bytes: 0,
        bytes_per_s: None,
        left_s: None,
    }
}
