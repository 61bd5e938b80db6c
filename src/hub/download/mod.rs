//! Downloads: a model from the hub onto this machine, on a thread of its own.
//!
//! The bytes are moved by `hf-hub` (0.5, its asynchronous half). Around it stands what it lacks: the list of files
//! and sizes beforehand, a check of the disk, pause and cancel, a limit on silence, tries that go on where the last one
//! broke off, and a check of each file's size and hash before anything can find it. For that, `hf-hub` works in a
//! staging folder (`.vitrine`) beside the cache's files; what was checked moves into place in one step, so
//! that neither a power cut nor another program ever sees half a file under a finished name.
//!
//! Why this version and this half: `hf-hub` 0.5 with `ureq` asks for gzip, and the hub's file servers then ignore the
//! range that its first request needs; 1.0 starts broken plain-HTTP files again from 0, takes a way of its own to
//! Xet storage that no test server speaks, and brings 119 packages instead of 50.

mod check;
mod error;
mod job;
mod meter;
mod place;
mod plan;
mod prepared;
mod transfer;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::environment::HubEnvironment;
use super::message::{DownloadEvent, DownloadPlan};

pub use error::DownloadError;
pub use place::STAGING;
pub use plan::free_bytes;

/// What to download.
#[derive(Clone, Debug)]
pub struct DownloadRequest {
    /// The model's Hugging Face id.
    pub id: String,
    /// A branch, a tag or a commit.
    pub revision: String,
    /// Where to.
    pub target: Target,
    /// Which hub, and who asks.
    pub environment: HubEnvironment,
    /// How patient to be.
    pub pace: Pace,
}

impl DownloadRequest {
    /// The newest version of the model `id`, into the cache.
    pub fn new(id: &str, environment: HubEnvironment) -> Self {
        Self {
            id: id.to_owned(),
            revision: "main".to_owned(),
            target: Target::Cache,
            environment,
            pace: Pace::default(),
        }
    }
}

/// Where a download goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The cache that Python's tools share.
    Cache,
    /// A folder of its own, with plain files.
    Folder(PathBuf),
}

/// How patient a download is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Silence after which a connection counts as broken.
    pub silence: Duration,
    /// The wait before the second try; each further one is twice as long.
    pub first_wait: Duration,
    /// The longest wait between tries that the hub did not ask for.
    pub longest_wait: Duration,
    /// Tries in a row that bring nothing before it is given up.
    pub tries: u32,
    /// Bytes asked for at once; what a break loses, at most, on each connection.
    pub chunk: usize,
    /// Connections at a time.
    pub n_connections: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(30),
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(30),
            tries: 6,
            chunk: 8 << 20,
            n_connections: 4,
        }
    }
}

/// A download under way.
#[derive(Debug)]
pub struct Download {
    control: Control,
    thread: JoinHandle<()>,
}

impl Download {
    /// Starts the thread. `report` is called there with every event, the last one being one of those marked as an
    /// end; it must not wait for the window.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(
        request: DownloadRequest,
        report: impl Fn(DownloadEvent) + Send + 'static,
    ) -> io::Result<Self> {
        let control = Control::default();
        let job = job::Job::new(request, control.clone(), Box::new(report));
        let thread = thread::Builder::new().name("download".to_owned());
        Ok(Self {
            thread: thread.spawn(move || job.run())?,
            control,
        })
    }

    /// Pauses, resumes and stops it, from any thread.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Whether the thread has ended.
    pub fn is_over(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for the end.
    pub fn wait(self) {
        let _ = self.thread.join();
    }
}

/// What a download would fetch, without fetching it. Asks the hub, so not on the window's thread.
///
/// # Errors
/// If the hub does not tell, or what it has is no model.
pub fn look_up(request: &DownloadRequest) -> Result<DownloadPlan, DownloadError> {
    prepared::look_up(request)
}

/// Pauses, resumes and stops a download.
#[derive(Clone, Debug, Default)]
pub struct Control(Arc<AtomicU8>);

/// What is wished of a download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Run,
    Pause,
    Stop,
    Discard,
}

impl Control {
    /// Lets go of the connection; what is here stays.
    pub fn pause(&self) {
        self.replace(Wish::Run, Wish::Pause);
    }

    /// Goes on after a pause.
    pub fn resume(&self) {
        self.replace(Wish::Pause, Wish::Run);
    }

    /// Ends it; what is here stays, and the next download goes on from there.
    pub fn stop(&self) {
        self.set(Wish::Stop);
    }

    /// Ends it, and removes what had arrived.
    pub fn discard(&self) {
        self.set(Wish::Discard);
    }

    fn set(&self, wish: Wish) {
        self.0.store(wish as u8, Ordering::Relaxed);
    }

    /// A wish to end is never taken back.
    fn replace(&self, from: Wish, to: Wish) {
        let (from, to) = (from as u8, to as u8);
        let _ = (self.0).compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn wish(&self) -> Wish {
        match self.0.load(Ordering::Relaxed) {
            0 => Wish::Run,
            1 => Wish::Pause,
            2 => Wish::Stop,
            _ => Wish::Discard,
        }
    }
}
