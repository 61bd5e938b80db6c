//! Where models come from: names on a command line become files to read.
//!
//! A name is one of the models inside the program, a folder, or a Hugging Face id that is already in the
//! cache which Python's tools use too. What is not here is fetched by [`download`], on a thread of its own.

pub mod cache;
pub mod choice;
pub mod download;
pub mod embedded;
pub mod environment;
mod error;
pub mod files;
pub mod generation;
pub mod message;
pub(crate) mod nearest;
pub mod remote;

use std::path::{Path, PathBuf};

pub use choice::{Choice, choose};
pub use embedded::EmbeddedModel;
pub use error::HubError;
pub use files::ModelFiles;
pub use generation::GenerationDefaults;

use cache::{Cached, ModelCache};

/// A model that was found, not yet read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelSource {
    /// Part of the program.
    Embedded(EmbeddedModel),
    /// A folder on disk.
    Folder {
        /// Where it is.
        path: PathBuf,
        /// What to call it: its Hugging Face id, or the path as it was typed.
        label: String,
    },
}

impl ModelSource {
    /// What to call the model in messages and in `--json`.
    pub fn label(&self) -> &str {
        match self {
            Self::Embedded(model) => model.name(),
            Self::Folder { label, .. } => label,
        }
    }
}

/// Finds the model called `name`: `classroom`, `classroom-16bit`, a folder, or a cached Hugging Face id.
///
/// # Errors
/// If there is no such model; the message says what was looked for, what is possible, and which names are near.
pub fn resolve(name: &str) -> Result<ModelSource, HubError> {
    let variable = |name: &str| std::env::var(name).ok();
    resolve_in(
        name,
        home_folder(&variable).as_deref(),
        &ModelCache::locate(&variable),
    )
}

/// [`resolve`], with the home folder and the cache given.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_in(
    name: &str,
    home: Option<&Path>,
    cache: &ModelCache,
) -> Result<ModelSource, HubError> {
    let name = name.trim();
    if let Some(model) = EmbeddedModel::from_name(name) {
        return Ok(ModelSource::Embedded(model));
    }
    let path = expand_home(name, home);
    if path.is_dir() && !name.is_empty() {
        return Ok(ModelSource::Folder {
            path,
            label: name.to_owned(),
        });
    }
    if path.is_file() {
        return Err(HubError::IsAFile {
            path: path.display().to_string(),
        });
    }
    // What can only be a path is not looked for in the cache, so that the message speaks of folders.
    if path.is_absolute() || name.starts_with(['.', '~']) {
        return Err(HubError::NoSuchFolder {
            path: path.display().to_string(),
        });
    }
    match cache.find(name) {
        Cached::Complete(path) => Ok(ModelSource::Folder {
            path,
            label: name.to_owned(),
        }),
        Cached::Incomplete { folder, why } => Err(HubError::Incomplete {
            id: name.to_owned(),
            folder: folder.display().to_string(),
            why,
        }),
        Cached::Absent => Err(unknown(name, cache)),
    }
}

/// The complaint about a name that nothing answers to.
fn unknown(name: &str, cache: &ModelCache) -> HubError {
    let mut known: Vec<String> = EmbeddedModel::ALL
        .iter()
        .map(|model| model.name().to_owned())
        .collect();
    known.extend(cache.ids());
    let near = match nearest::names(name, &known).as_slice() {
        [] => String::new(),
        names => format!(" Did you mean {}?", names.join(" or ")),
    };
    let cache_folder = cache.folder().display().to_string();
    if name.contains('/') && cache::is_id(name) {
        HubError::NotCached {
            id: name.to_owned(),
            cache_folder,
            near,
        }
    } else {
        HubError::Unknown {
            name: name.to_owned(),
            cache_folder,
            near,
        }
    }
}

/// The user's home folder, by the variable that shells use.
fn home_folder(variable: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    variable("HOME")
        .filter(|home| !home.is_empty())
        .map(PathBuf::from)
}

/// A path with `~` replaced, as a shell would have done had it not been quoted.
fn expand_home(path: &str, home: Option<&Path>) -> PathBuf {
    let Some((home, rest)) = home.zip(path.strip_prefix('~')) else {
        return PathBuf::from(path);
    };
    match rest.strip_prefix('/') {
        Some(rest) => home.join(rest.trim_start_matches('/')),
        None if rest.is_empty() => home.to_owned(),
        // `~someone` is another user's home, which only a shell can look up.
        None => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests;
