//! The work of a download's thread: look up, make room, fetch and check file by file, let the model be found.

mod progress;
mod waiting;

use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{fs, io};

use self::progress::at_the_start;

use super::error::DownloadError;
use super::meter::{Meter, Speed};
use super::place::Place;
use super::prepared::{Prepared, door, prepare};
use super::transfer::{self, Errand, Try};
use super::{Control, DownloadRequest, Wish, check, plan};
use crate::hub::message::{DownloadEvent, DownloadProgress, FileState};
use crate::hub::remote::{Listing, Remote, RemoteError, RemoteFile};
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
        let prepared = prepare(&self.request, remote, listing)?;
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
