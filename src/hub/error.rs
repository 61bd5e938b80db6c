//! Why a model was not found: one sentence each, with what to do.

use thiserror::Error;

/// Why a name did not lead to a model, or a model's file could not be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum HubError {
    /// Nothing answers to the name.
    #[error(
        "there is no model called {name:?}.{near} A model is classroom or classroom-16bit (inside the program), \
         a folder in MLX format, or a Hugging Face id that has been downloaded to {cache_folder}."
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
        "{id} is neither a folder here nor downloaded to {cache_folder}.{near} Download it first, \
         e.g. with `hf download {id}`, or use classroom or classroom-16bit, which are inside the program."
    )]
    NotCached {
        /// The id.
        id: String,
        /// The Hugging Face cache.
        cache_folder: String,
        /// A question with the nearest names, or nothing.
        near: String,
    },
    /// In the cache, but not all of it.
    #[error(
        "{id} is only partly downloaded in {folder}: {why}. Download it again, e.g. with `hf download {id}`."
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
}
