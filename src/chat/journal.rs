//! A conversation's file: lines are added at its end, and reach the disk within a second.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::line::Line;

/// The most that a power cut can take.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// The file of one conversation, open for more.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    shared: Arc<Shared>,
    /// Bytes of whole lines.
    length: u64,
}

#[derive(Debug)]
struct Shared {
    file: File,
    /// Whether something was written that may not be on the disk.
    is_dirty: AtomicBool,
}

impl Journal {
    /// Opens the file at `path`, made if it is not there, and reads its lines. What a crash cut off at its end is
    /// dropped, and no other program may open it meanwhile.
    ///
    /// # Errors
    /// If the file cannot be read or written, or is open elsewhere.
    pub fn open(path: &Path) -> Result<(Self, Vec<Line>)> {
        let cannot = || format!("cannot open the conversation {}", path.display());
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        let mut file = options.open(path).with_context(cannot)?;
        match file.try_lock() {
            Ok(()) | Err(TryLockError::Error(_)) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "the conversation {} is open in another Vitrine: close it there first",
                path.display()
            ),
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).with_context(cannot)?;
        let (lines, whole) = parse(&bytes);
        if whole < bytes.len() {
            file.set_len(whole as u64).with_context(cannot)?;
            file.seek(SeekFrom::End(0)).with_context(cannot)?;
        }
        let shared = Arc::new(Shared {
            file,
            is_dirty: AtomicBool::new(false),
        });
        let weak = Arc::downgrade(&shared);
        let thread = thread::Builder::new().name("chat-sync".to_owned());
        thread
            .spawn(move || sync_now_and_then(&weak))
            .context("the system gives no thread")?;
        let path = path.to_owned();
        let length = whole as u64;
        let journal = Self {
            path,
            shared,
            length,
        };
        Ok((journal, lines))
    }

    /// Adds a line. It is safe from a crash of the program at once, and from a power cut a second later.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn append(&mut self, line: &Line) -> Result<()> {
        let cannot = || format!("cannot save the conversation in {}", self.path.display());
        let mut text = serde_json::to_string(line).with_context(cannot)?;
        text.push('\n');
        // In one call, so that a crash leaves it whole or cut off at the end.
        let mut file = &self.shared.file;
        if let Err(error) = file.write_all(text.as_bytes()) {
            // Half a line would take the next one with it.
            let _ = file.set_len(self.length);
            return Err(error).with_context(cannot);
        }
        self.length += text.len() as u64;
        self.shared.is_dirty.store(true, Ordering::Release);
        Ok(())
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // Nobody is left to tell; the system writes it out in its own time.
        let _ = self.shared.sync();
    }
}

impl Shared {
    fn sync(&self) -> io::Result<()> {
        match self.is_dirty.swap(false, Ordering::AcqRel) {
            true => self.file.sync_data(),
            false => Ok(()),
        }
    }
}

/// Runs on a thread of its own until the journal is closed: waiting for the disk holds nobody up.
fn sync_now_and_then(journal: &Weak<Shared>) {
    loop {
        thread::sleep(SYNC_EVERY);
        match journal.upgrade() {
            // What could not be written out is tried again with the next line.
            Some(shared) => drop(shared.sync()),
            None => return,
        }
    }
}

/// The lines of the file at `path`, which is left as it is.
///
/// # Errors
/// If it cannot be read.
pub fn read(path: &Path) -> io::Result<Vec<Line>> {
    Ok(parse(&fs::read(path)?).0)
}

/// The lines of `bytes`, and how many bytes they take: a last line without an end was cut off. A line in between
/// that makes no sense is passed over: it is a later version's, or a bad block of the disk, which then costs itself.
pub fn parse(bytes: &[u8]) -> (Vec<Line>, usize) {
    let whole = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    let lines = bytes
        .get(..whole)
        .unwrap_or_default()
        .split(|byte| *byte == b'\n');
    let lines = lines.filter_map(|line| serde_json::from_slice(line).ok());
    (lines.collect(), whole)
}
