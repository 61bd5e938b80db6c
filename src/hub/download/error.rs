//! Why a download failed: one sentence each, with what to do.

use std::io;
use std::path::Path;

use thiserror::Error;

use crate::hub::remote::RemoteError;
use crate::trace::units;

/// Why a download failed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DownloadError {
    /// The hub did not give it.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The name is no id.
    #[error(
        "{id:?} is no Hugging Face id. Write organisation/name, e.g. mlx-community/Qwen2.5-0.5B-Instruct-4bit, or a \
         short name of `vitrine models`."
    )]
    NotAnId {
        /// What was given.
        id: String,
    },
    /// The repository holds something else.
    #[error(
        "{id} is not a model in MLX format: {why}. Look for one with `vitrine models search`, e.g. of mlx-community."
    )]
    NotAModel {
        /// The model's id.
        id: String,
        /// What it lacks.
        why: String,
    },
    /// It does not fit.
    #[error(
        "there is not enough room on the disk of {folder}: {} are still to come, {} are free. Remove something, e.g. \
         a model with `vitrine models remove`.",
        units::bytes(*.missing), units::bytes(*.free)
    )]
    DiskFull {
        /// Where it was to go.
        folder: String,
        /// Bytes that are not here yet.
        missing: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// The disk refused.
    #[error(
        "cannot {what} {path}: {why}. Check the folder's permissions and the room on its disk."
    )]
    Disk {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: String,
        /// What the system says.
        why: String,
    },
    /// Not what was promised, again and again.
    #[error(
        "what arrived of {name} is not what the hub promised ({why}), twice. It was thrown away. Try again later; if \
         it stays so, a proxy or mirror between here and the hub changes files."
    )]
    Wrong {
        /// The file.
        name: String,
        /// The difference.
        why: String,
    },
    /// Another download of the same model.
    #[error("another Vitrine is downloading to {folder}. Wait until it is done, or stop it there.")]
    Busy {
        /// The staging folder.
        folder: String,
    },
    /// A folder with other things in it.
    #[error(
        "{folder} holds another {name} already. Give an empty folder, or a new one, so that nothing is overwritten."
    )]
    Occupied {
        /// The folder.
        folder: String,
        /// The file that is in the way.
        name: String,
    },
}

impl DownloadError {
    /// The disk's refusal to do `what` with `path`.
    pub(super) fn disk(what: &'static str, path: &Path, error: &io::Error) -> Self {
        Self::Disk {
            what,
            path: path.display().to_string(),
            why: match error.kind() {
                io::ErrorKind::StorageFull => "the disk is full".to_owned(),
                _ => error.to_string(),
            },
        }
    }
}
