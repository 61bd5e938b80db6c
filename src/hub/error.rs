//! Why a model was not found: one sentence each, with what to do.

use thiserror::Error;

/// Why a name did not lead to a model, or a model's file could not be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum HubError {
    /// Nothing answers to the name.
    #[error(
        "there is no model called {name:?}.{near} A model is classroom or classroom-16bit (inside the program), \
         a folder in MLX format, a short name of `vitrine models list`, or a Hugging Face id that has been \
         downloaded to {cache_folder}."
    )]
    Unknown {
        /// The name.
        name: String,
        /// The Hugging Face cache.
        cache_folder: String,
        /// A question with the nearest names, or nothing.
        near: String,
    },
    /// A Hugging Face id that is not on this machine.
    #[error(
        "{what} is neither a folder here nor downloaded to {cache_folder}.{near} Get it with \
         `vitrine models pull {name}`, or use classroom, which is inside the program."
    )]
    NotCached {
        /// What was typed.
        name: String,
        /// The id, with what a short name stands for and about how large that is.
        what: String,
        /// The Hugging Face cache.
        cache_folder: String,
        /// A question with the nearest names, or nothing.
        near: String,
    },
    /// In the cache, but not all of it.
    #[error(
        "{id} is only partly downloaded in {folder}: {why}. Get the rest with `vitrine models pull {id}`."
    )]
    Incomplete {
        /// The id.
        id: String,
        /// Its folder in the cache.
        folder: String,
        /// What is missing.
        why: String,
    },
    /// A path to nothing.
    #[error(
        "there is no folder {path}. Check the path, or use classroom, the model inside the program."
    )]
    NoSuchFolder {
        /// The path.
        path: String,
    },
    /// A path to a file.
    #[error(
        "{path} is a file; a model is the folder that holds config.json and the *.safetensors."
    )]
    IsAFile {
        /// The path.
        path: String,
    },
    /// A file of a model that the system would not hand over.
    #[error("cannot read {path}: {why}. Check that it is a file and that you may read it.")]
    Unreadable {
        /// The file.
        path: String,
        /// The reason.
        why: String,
    },
    /// A file that could not be written.
    #[error("cannot write {path}: {why}. Check the folder's permissions and the room on its disk.")]
    Unwritable {
        /// The file.
        path: String,
        /// The reason.
        why: String,
    },
    /// A name that a model of one's own cannot have.
    #[error(
        "{name:?} cannot be a name of your own: it is taken, or not in plain letters, digits, `-`, `_` and `.`. \
         Take another name."
    )]
    BadName {
        /// The name.
        name: String,
    },
    /// Nothing of a model to be removed is there.
    #[error(
        "there is nothing of {id} in {cache_folder} to remove. `vitrine models list` shows what is there."
    )]
    NothingToRemove {
        /// The id.
        id: String,
        /// The Hugging Face cache.
        cache_folder: String,
    },
    /// A model to be removed is just being downloaded.
    #[error("{id} is being downloaded by another Vitrine. Stop that first, then remove it.")]
    InUse {
        /// The id.
        id: String,
    },
    /// What to remove is not the cache's.
    #[error(
        "{name} is {what}, which Vitrine does not remove. Models that were downloaded are removed by their id."
    )]
    NotOurs {
        /// What was to be removed.
        name: String,
        /// What it is.
        what: &'static str,
    },
    /// The disk refused.
    #[error("cannot remove {path}: {why}. Check the folder's permissions.")]
    Unremovable {
        /// The folder.
        path: String,
        /// The reason.
        why: String,
    },
}
