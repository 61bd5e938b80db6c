//! How much has arrived, and how fast.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hf_hub::api::tokio::Progress;

/// Counts one file's bytes while `hf-hub` moves them.
#[derive(Clone, Debug)]
pub struct Meter(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    /// Bytes of the file that are here.
    done: AtomicU64,
    /// Bytes that came over the network.
    received: AtomicU64,
    /// Whether the next figure is what an earlier try left, not what arrives.
    expects_rest: AtomicBool,
    last_sign: Mutex<Instant>,
}

impl Meter {
    /// A meter at 0.
    pub fn new() -> Self {
        Self(Arc::new(Counts {
            done: AtomicU64::new(0),
            received: AtomicU64::new(0),
            expects_rest: AtomicBool::new(false),
            last_sign: Mutex::new(Instant::now()),
        }))
    }

    /// Bytes of the file that are here.
    pub fn done(&self) -> u64 {
        self.0.done.load(Ordering::Relaxed)
    }

    /// Bytes that came over the network.
    pub fn received(&self) -> u64 {
        self.0.received.load(Ordering::Relaxed)
    }

    /// How long nothing has happened.
    pub fn silence(&self) -> Duration {
        let last = self.0.last_sign.lock();
        last.unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    fn sign(&self) {
        let last = self.0.last_sign.lock();
        *last.unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Bytes that came over the network.
    pub fn arrived(&self, n_bytes: u64) {
        self.0.done.fetch_add(n_bytes, Ordering::Relaxed);
        self.0.received.fetch_add(n_bytes, Ordering::Relaxed);
        self.sign();
    }
}

impl Progress for Meter {
    async fn init(&mut self, _size: usize, _name: &str) {
        self.0.expects_rest.store(true, Ordering::Relaxed);
        self.sign();
    }

    // The first figure after `init` is what an earlier try left (hf-hub 0.5 api/tokio.rs, `download_tempfile`).
    async fn update(&mut self, size: usize) {
        if self.0.expects_rest.swap(false, Ordering::Relaxed) {
            self.0.done.store(size as u64, Ordering::Relaxed);
            self.sign();
        } else {
            self.arrived(size as u64);
        }
    }

    async fn finish(&mut self) {
        self.sign();
    }
}

/// Speed over the last seconds.
#[derive(Debug, Default)]
pub struct Speed {
    samples: VecDeque<(Instant, u64)>,
}

impl Speed {
    /// What the speed is averaged over.
    const WINDOW: Duration = Duration::from_secs(5);

    /// Takes in that `total` bytes have come over the network by `now`.
    pub fn sample(&mut self, now: Instant, total: u64) {
        self.samples.push_back((now, total));
        let is_old = |(then, _): &(Instant, u64)| now.duration_since(*then) > Self::WINDOW;
        while self.samples.len() > 2 && self.samples.front().is_some_and(is_old) {
            self.samples.pop_front();
        }
    }

    /// Forgets what was: after a pause, a new speed begins.
    pub fn forget(&mut self) {
        self.samples.clear();
    }

    /// Bytes per second; `None` until half a second was seen.
    pub fn bytes_per_s(&self) -> Option<f64> {
        let ((start, first), (end, last)) = self.samples.front().zip(self.samples.back())?;
        let secs = end.duration_since(*start).as_secs_f64();
        (secs >= 0.5).then(|| last.saturating_sub(*first) as f64 / secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_speed_is_that_of_the_last_seconds() {
        let (start, mut speed) = (Instant::now(), Speed::default());
        let at = |tenths: u64| start + Duration::from_millis(100 * tenths);
        for tenths in 0..100 {
            speed.sample(at(tenths), tenths * 10); // 100 B/s
        }
        for tenths in 100..200 {
            speed.sample(at(tenths), 1_000 + (tenths - 100) * 100); // 1,000 B/s
        }
        let now = speed.bytes_per_s().unwrap();
        assert!((now - 1_000.0).abs() < 1.0, "{now}");
        speed.forget();
        speed.sample(at(200), 11_000);
        assert_eq!(speed.bytes_per_s(), None);
    }
}
