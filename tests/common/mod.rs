//! What every integration test needs: the one thread that may touch MLX, and the fixtures.

#![allow(dead_code, reason = "each test binary uses a part of this")]

pub mod broken;
pub mod vitrine;

use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock};
use std::thread;

type Job = Box<dyn FnOnce() + Send>;

/// Runs `work` on the one thread of this process that touches MLX (its streams belong to a
/// thread), and waits for the result. A panic there fails the test that asked.
pub fn on_mlx<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    static JOBS: OnceLock<Mutex<Sender<Job>>> = OnceLock::new();
    let jobs = JOBS.get_or_init(|| {
        let (sender, receiver) = channel::<Job>();
        let thread = thread::Builder::new().name("mlx-tests".into());
        thread
            .spawn(move || receiver.into_iter().for_each(|job| job()))
            .unwrap();
        Mutex::new(sender)
    });
    let (reply, result) = channel();
    let job = move || {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        reply.send(outcome).ok();
    };
    jobs.lock().unwrap().send(Box::new(job)).unwrap();
    match result.recv().unwrap() {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// A file or folder under `tests/fixtures`.
pub fn fixture(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(path)
}
