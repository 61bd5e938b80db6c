//! Where a download's files go: the cache in the layout Python shares, or a plain folder.
//!
//! In the cache, a file's content is `blobs/<hash>`, moved there whole; the snapshot's folder of links appears at
//! the end in one step, and `refs/main` after it. Whoever looks before that sees the old state.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use hf_hub::{Cache, Repo, RepoType};

use super::check;
use super::error::DownloadError;
use crate::hub::cache::ModelCache;
use crate::hub::remote::RemoteFile;

/// The staging folder's name. Python's tools pass over it, and remove it with the model.
pub const STAGING: &str = ".vitrine";

/// Where the files of one model go.
#[derive(Clone, Debug)]
pub enum Place {
    /// `models--org--name` in the cache.
    Cache {
        /// That folder.
        repo: PathBuf,
        /// The commit.
        revision: String,
        /// The branch or tag that leads to it, if one was asked for.
        reference: Option<String>,
    },
    /// A plain folder.
    Folder(PathBuf),
}

/// Held while a download works; other processes see it.
#[derive(Debug)]
pub struct StagingLock {
    _file: File,
}

impl Place {
    /// The place of the model `id` in `cache`.
    pub fn in_cache(cache: &ModelCache, id: &str, asked_for: &str, revision: &str) -> Self {
        Self::Cache {
            repo: cache.folder_of(id),
            revision: revision.to_owned(),
            reference: (asked_for != revision).then(|| asked_for.to_owned()),
        }
    }

    /// Where the model will be found.
    pub fn folder(&self) -> PathBuf {
        match self {
            Self::Cache { repo, revision, .. } => repo.join("snapshots").join(revision),
            Self::Folder(folder) => folder.clone(),
        }
    }

    /// Where files are while they arrive.
    pub fn staging(&self) -> PathBuf {
        match self {
            Self::Cache { repo, .. } => repo.join(STAGING),
            Self::Folder(folder) => folder.join(STAGING),
        }
    }

    /// Where `hf-hub` leaves the content of `file` once it has arrived.
    pub fn staged(&self, id: &str, file: &RemoteFile) -> PathBuf {
        // The folders below a cache are hf-hub's own; only its name for the model is asked for.
        let name = Repo::new(id.to_owned(), RepoType::Model).folder_name();
        let folder = Cache::new(self.staging()).path().join(name);
        folder.join("blobs").join(file.expected.hex())
    }

    /// Whether `file` is here, whole.
    pub fn has(&self, file: &RemoteFile) -> bool {
        match self {
            // Only whole files are ever called by their hash, here and in Python's tools.
            Self::Cache { .. } => {
                fs::metadata(self.target(file)).is_ok_and(|info| info.len() == file.bytes)
            }
            Self::Folder(_) => {
                let found = check::difference(&self.target(file), file, |_| true);
                matches!(found, Ok(None))
            }
        }
    }

    /// Where the content of `file` ends up.
    fn target(&self, file: &RemoteFile) -> PathBuf {
        match self {
            Self::Cache { repo, .. } => repo.join("blobs").join(file.expected.hex()),
            Self::Folder(folder) => folder.join(&file.name),
        }
    }

    /// Makes the folders, and keeps others away from them.
    ///
    /// # Errors
    /// If they cannot be made, another download works there, or other files would be overwritten.
    pub fn prepare(&self, files: &[RemoteFile]) -> Result<StagingLock, DownloadError> {
        let staging = self.staging();
        if let Self::Folder(folder) = self
            && !staging.exists()
        {
            let in_the_way = files
                .iter()
                .find(|file| folder.join(&file.name).exists() && !self.has(file));
            if let Some(file) = in_the_way {
                return Err(DownloadError::Occupied {
                    folder: folder.display().to_string(),
                    name: file.name.clone(),
                });
            }
        }
        make(&staging)?;
        if let Self::Cache { repo, .. } = self {
            for folder in ["blobs", "snapshots", "refs"] {
                make(&repo.join(folder))?;
            }
        }
        let path = staging.join("lock");
        let file = File::create(&path);
        let file = file.map_err(|error| DownloadError::disk("make", &path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(StagingLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(DownloadError::Busy {
                folder: self.folder().display().to_string(),
            }),
            // Some network disks know no locks; then nobody else's are seen either.
            Err(TryLockError::Error(_)) => Ok(StagingLock { _file: file }),
        }
    }

    /// Moves the checked content of `file` from `staged` to where it belongs, in one step.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn put(&self, staged: &Path, file: &RemoteFile) -> Result<(), DownloadError> {
        let target = self.target(file);
        let refused =
            |what| move |error: io::Error| DownloadError::disk(what, &self.target(file), &error);
        if let Some(folder) = target.parent() {
            make(folder)?;
        }
        // On the disk before it has its name: a power cut leaves no hole under it.
        let content = File::open(staged).map_err(refused("open"))?;
        content.sync_all().map_err(refused("write"))?;
        fs::rename(staged, &target).map_err(refused("move into place"))
    }

    /// Lets the model be found, and clears the staging folder.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn finish(&self, files: &[RemoteFile]) -> Result<(), DownloadError> {
        let snapshot = self.folder();
        let refused = |error: io::Error| DownloadError::disk("write", &snapshot, &error);
        if let Self::Cache {
            repo, reference, ..
        } = self
        {
            self.link_snapshot(&snapshot, files).map_err(refused)?;
            if let Some(reference) = reference {
                let path = repo.join("refs").join(reference);
                write_whole(&path, &self.staging(), snapshot.file_name()).map_err(refused)?;
            }
        }
        // What is left there is of no use; if it cannot be removed, it does no harm either.
        let _ = fs::remove_dir_all(self.staging());
        Ok(())
    }

    /// Makes the snapshot's folder of links: at once where there is none, else link by link.
    fn link_snapshot(&self, snapshot: &Path, files: &[RemoteFile]) -> io::Result<()> {
        let is_new = !snapshot.exists();
        let folder = match is_new {
            true => self.staging().join("snapshot"),
            false => snapshot.to_owned(),
        };
        if is_new && folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        for file in files {
            let link = folder.join(&file.name);
            let content = Path::new("../../blobs").join(file.expected.hex());
            if fs::read_link(&link).is_ok_and(|found| found == content) {
                continue;
            }
            // Made beside and moved over, so that the name is never without a file.
            let fresh = self.staging().join("link");
            let _ = fs::remove_file(&fresh);
            std::os::unix::fs::symlink(&content, &fresh)?;
            fs::rename(&fresh, &link)?;
        }
        if is_new {
            fs::rename(&folder, snapshot)?;
        }
        Ok(())
    }

    /// Removes what had arrived of a download that was given up: all of it, unless an older version is here.
    pub fn discard(&self) {
        let _ = fs::remove_dir_all(self.staging());
        if let Self::Cache { repo, .. } = self {
            let snapshots = fs::read_dir(repo.join("snapshots"));
            if snapshots.is_ok_and(|mut entries| entries.next().is_none()) {
                let _ = fs::remove_dir_all(repo);
            }
        }
    }

    /// Bytes on the disk that broken downloads left in the staging folder.
    pub fn staged_bytes(&self, id: &str) -> u64 {
        use std::os::unix::fs::MetadataExt as _;
        let name = Repo::new(id.to_owned(), RepoType::Model).folder_name();
        let Ok(entries) = fs::read_dir(self.staging().join(name).join("blobs")) else {
            return 0;
        };
        // Files that are only partly there have holes: what counts is what is stored.
        let stored = entries
            .flatten()
            .filter_map(|entry| entry.metadata().ok())
            .map(|info| info.blocks().saturating_mul(512).min(info.len()));
        stored.sum()
    }
}

/// Writes `text` into the file at `path` in one step.
fn write_whole(path: &Path, staging: &Path, text: Option<&OsStr>) -> io::Result<()> {
    let fresh = staging.join("reference");
    fs::write(&fresh, text.unwrap_or_default().as_encoded_bytes())?;
    File::open(&fresh)?.sync_all()?;
    // A branch may have a slash in its name, and then a folder.
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::rename(fresh, path)
}

fn make(folder: &Path) -> Result<(), DownloadError> {
    fs::create_dir_all(folder).map_err(|error| DownloadError::disk("make", folder, &error))
}
