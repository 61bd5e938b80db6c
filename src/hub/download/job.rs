//! The work of a download's thread: look up, make room, fetch and check file by file, let the model be found.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use super::error::DownloadError;
use super::meter::{Meter, Speed};
use super::place::Place;
use super::transfer::{self, Errand, Try};
use super::{Control, DownloadRequest, Target, Wish, check, plan};
use crate::hub::cache;
use crate::hub::message::{DownloadEvent, DownloadPlan, DownloadProgress, FileProgress, FileState};
use crate::hub::remote::{Listing, Remote, RemoteError, RemoteFile};
use crate::trace::units;

/// How often progress is told.
const EVERY: Duration = Duration::from_millis(100);

/// Bytes that must have come before the time left is told.
const FORETELLING: u64 = 4 << 20;
/// Questions for the list of files that may fail in a row.
const FIRST_TRIES: u32 = 3;

/// A download, from its request to its end.
pub struct Job {
    request: DownloadRequest,
    control: Control,
    report: Box<dyn Fn(DownloadEvent) + Send>,
    progress: DownloadProgress,
    speed: Speed,
    received: u64,
    last_told: Option<Instant>,
}

/// Why the work ended early.
enum Early {
    /// As was wished.
    Wished,
    Failed(DownloadError),
}

impl<E: Into<DownloadError>> From<E> for Early {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// What is known before the first byte.
struct Prepared {
    remote: Remote,
    listing: Listing,
    files: Vec<RemoteFile>,
    place: Place,
    plan: DownloadPlan,
}

/// See [`super::look_up`].
pub fn look_up(request: &DownloadRequest) -> Result<DownloadPlan, DownloadError> {
    let remote = door(request)?;
    let listing = remote.listing(&request.id, &request.revision)?;
    Ok(prepared(request, remote, listing)?.plan)
}

fn door(request: &DownloadRequest) -> Result<Remote, DownloadError> {
    if !cache::is_id(&request.id) {
        return Err(DownloadError::NotAnId {
            id: request.id.clone(),
        });
    }
    Ok(Remote::new(request.environment.clone())?)
}

fn prepared(
    request: &DownloadRequest,
    remote: Remote,
    listing: Listing,
) -> Result<Prepared, DownloadError> {
    let files = plan::needed(&request.id, &listing)?;
    let place = match &request.target {
        Target::Cache => Place::in_cache(
            &request.environment.cache,
            &request.id,
            &request.revision,
            &listing.revision,
        ),
        Target::Folder(folder) => Place::Folder(folder.clone()),
    };
    let plan = plan::plan(&request.id, &listing, &files, &place);
    Ok(Prepared {
        remote,
        listing,
        files,
        place,
        plan,
    })
}

impl Job {
    /// A job that has not begun.
    pub fn new(
        request: DownloadRequest,
        control: Control,
        report: Box<dyn Fn(DownloadEvent) + Send>,
    ) -> Self {
        Self {
            request,
            control,
            report,
            progress: DownloadProgress {
                files: Vec::new(),
                total_bytes: 0,
                done_bytes: 0,
                bytes_per_s: None,
                left_s: None,
            },
            speed: Speed::default(),
            received: 0,
            last_told: None,
        }
    }

    /// Does the work; its end is the last event.
    pub fn run(mut self) {
        let mut place = None;
        let end = match self.work(&mut place) {
            Ok(folder) => DownloadEvent::Finished { folder },
            Err(Early::Failed(error)) => DownloadEvent::Failed(error.to_string()),
            Err(Early::Wished) if self.control.wish() == Wish::Discard => {
                if let Some(place) = place {
                    place.discard();
                }
                DownloadEvent::Discarded
            }
            Err(Early::Wished) => DownloadEvent::Stopped,
        };
        (self.report)(end);
    }

    fn work(&mut self, found_place: &mut Option<Place>) -> Result<PathBuf, Early> {
        let remote = door(&self.request)?;
        let listing = self.list(&remote)?;
        let prepared = prepared(&self.request, remote, listing)?;
        let place = &prepared.place;
        *found_place = Some(place.clone());
        (self.report)(DownloadEvent::Planned(prepared.plan.clone()));
        plan::check_room(&prepared.plan, place.staged_bytes(&self.request.id))?;
        let _lock = place.prepare(&prepared.files)?;
        self.progress = at_the_start(&prepared.plan);
        for (index, file) in prepared.files.iter().enumerate() {
            // Files of the same content are one blob.
            if place.has(file) {
                self.set(index, FileState::Here, file.bytes);
            } else {
                self.file(&prepared, index, file)?;
            }
        }
        self.tell();
        place.finish(&prepared.files)?;
        Ok(place.folder())
    }

    /// What the repository holds, asked until there is an answer.
    fn list(&mut self, remote: &Remote) -> Result<Listing, Early> {
        let mut n_failed = 0;
        loop {
            self.wait_while_paused()?;
            let (id, revision) = (self.request.id.clone(), self.request.revision.clone());
            let control = self.control.clone();
            let answer = transfer::watched(
                remote,
                async { Some(remote.list(&id, &revision).await) },
                || (control.wish() != Wish::Run).then_some(None),
            )?;
            match answer {
                None => {}
                Some(Ok(listing)) => return Ok(listing),
                Some(Err(error)) => {
                    n_failed += 1;
                    // Nothing has begun yet: whoever has no network learns it soon.
                    if n_failed >= FIRST_TRIES {
                        return Err(Early::from(error));
                    }
                    self.wait_after(error.into(), n_failed)?;
                }
            }
        }
    }

    /// Fetches a file, checks it, and puts it in its place.
    fn file(&mut self, prepared: &Prepared, index: usize, file: &RemoteFile) -> Result<(), Early> {
        let mut was_wrong = false;
        loop {
            let staged = self.arrive(prepared, index, file)?;
            self.set(index, FileState::Checking, file.bytes);
            self.tell();
            let control = self.control.clone();
            let go_on = |_| !matches!(control.wish(), Wish::Stop | Wish::Discard);
            let why = match check::difference(&staged, file, go_on) {
                Ok(None) => {
                    prepared.place.put(&staged, file)?;
                    self.set(index, FileState::Here, file.bytes);
                    self.tell();
                    return Ok(());
                }
                Ok(Some(why)) => why,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    return Err(Early::Wished);
                }
                Err(error) => return Err(DownloadError::disk("read", &staged, &error).into()),
            };
            remove(&staged);
            self.set(index, FileState::Waiting, 0);
            let name = file.name.clone();
            if was_wrong {
                return Err(DownloadError::Wrong { name, why }.into());
            }
            was_wrong = true;
            self.notice(format!(
                "what arrived of {name} is wrong ({why}); once more"
            ));
        }
    }

    /// Fetches a file until all of it is in the staging folder.
    fn arrive(
        &mut self,
        prepared: &Prepared,
        index: usize,
        file: &RemoteFile,
    ) -> Result<PathBuf, Early> {
        let staged = prepared.place.staged(&self.request.id, file);
        let has_token = prepared.remote.has_token();
        let id = self.request.id.clone();
        let mut errand = Errand {
            id: &id,
            revision: &prepared.listing.revision,
            file,
            staging: prepared.place.staging(),
            staged: staged.clone(),
            with_token: has_token && prepared.listing.needs_token,
        };
        let (mut n_failed, mut best, mut was_too_much) = (0, 0, false);
        loop {
            self.wait_while_paused()?;
            if let Some(whole) = left_whole(&staged, file) {
                return Ok(whole);
            }
            let meter = Meter::new();
            let outcome = self.one_try(&prepared.remote, &errand, index, &meter);
            // A try that brought something is no failure in a row.
            if meter.done() > best {
                (best, n_failed) = (meter.done(), 0);
            }
            let error = match outcome {
                Try::Arrived(path) => return Ok(path),
                Try::Wished => continue,
                Try::TooMuch => {
                    remove(&part(&staged));
                    let why = format!("more than its {} bytes came", file.bytes);
                    let name = file.name.clone();
                    if was_too_much {
                        return Err(DownloadError::Wrong { name, why }.into());
                    }
                    was_too_much = true;
                    continue;
                }
                Try::Failed(error) => error,
            };
            let is_private = matches!(
                error,
                DownloadError::Remote(RemoteError::NotFound { .. } | RemoteError::Gated { .. })
            );
            if is_private && has_token && !errand.with_token {
                errand.with_token = true;
                continue;
            }
            n_failed += 1;
            self.wait_after(error, n_failed)?;
        }
    }

    fn one_try(
        &mut self,
        remote: &Remote,
        errand: &Errand<'_>,
        index: usize,
        meter: &Meter,
    ) -> Try {
        let (pace, before) = (self.request.pace.clone(), self.received);
        let outcome = transfer::fetch(remote, errand, &pace, meter, || {
            self.received = before + meter.received();
            self.set(index, FileState::Arriving, meter.done());
            self.tell_sometimes();
            self.control.wish()
        });
        self.received = before + meter.received();
        outcome
    }

    /// Waits before the next try, if there is to be one.
    fn wait_after(&mut self, error: DownloadError, n_failed: u32) -> Result<(), Early> {
        let DownloadError::Remote(remote) = &error else {
            return Err(Early::Failed(error));
        };
        let pace = &self.request.pace;
        if !remote.is_passing() || n_failed >= pace.tries {
            return Err(Early::Failed(error));
        }
        let doubled = pace
            .first_wait
            .saturating_mul(1 << n_failed.min(16).saturating_sub(1));
        let wait = remote.wait().unwrap_or(doubled.min(pace.longest_wait));
        let what = match remote {
            RemoteError::Unreachable { why, .. } => format!("the connection broke ({why})"),
            RemoteError::Limited { .. } => "the hub asks for fewer requests".to_owned(),
            _ => "the hub has trouble of its own".to_owned(),
        };
        self.notice(format!("{what}; next try in {}", units::duration(wait)));
        let until = Instant::now() + wait;
        while Instant::now() < until && self.control.wish() == Wish::Run {
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Holds while a pause is wished.
    fn wait_while_paused(&mut self) -> Result<(), Early> {
        if self.control.wish() == Wish::Pause {
            self.speed.forget();
            self.tell();
            (self.report)(DownloadEvent::Paused);
            while self.control.wish() == Wish::Pause {
                thread::sleep(Duration::from_millis(20));
            }
            if self.control.wish() == Wish::Run {
                (self.report)(DownloadEvent::Resumed);
            }
        }
        match self.control.wish() {
            Wish::Stop | Wish::Discard => Err(Early::Wished),
            Wish::Run | Wish::Pause => Ok(()),
        }
    }

    fn notice(&self, text: String) {
        (self.report)(DownloadEvent::Notice(text));
    }

    fn set(&mut self, index: usize, state: FileState, done: u64) {
        if let Some(file) = self.progress.files.get_mut(index) {
            file.state = state;
            file.done_bytes = done.min(file.bytes);
        }
    }

    fn tell_sometimes(&mut self) {
        if self.last_told.is_none_or(|last| last.elapsed() >= EVERY) {
            self.tell();
        }
    }

    fn tell(&mut self) {
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

fn at_the_start(plan: &DownloadPlan) -> DownloadProgress {
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

/// The file that `hf-hub` writes to while the content of `staged` arrives.
fn part(staged: &Path) -> PathBuf {
    staged.with_extension("sync.part")
}

/// A file that had arrived whole when an earlier download ended, or that has nothing in it.
fn left_whole(staged: &Path, file: &RemoteFile) -> Option<PathBuf> {
    let is_whole = |path: &Path| fs::metadata(path).is_ok_and(|info| info.len() == file.bytes);
    if is_whole(staged) {
        return Some(staged.to_owned());
    }
    let part = part(staged);
    // While it arrives, the part is longer by the count at its end.
    if is_whole(&part) && file.bytes > 0 {
        return Some(part);
    }
    if file.bytes == 0 {
        fs::create_dir_all(staged.parent()?).ok()?;
        fs::write(staged, []).ok()?;
        return Some(staged.to_owned());
    }
    None
}

/// Removes a file that is of no use; if it stays, the next check finds it wrong again.
fn remove(path: &Path) {
    let _ = fs::remove_file(path);
}
