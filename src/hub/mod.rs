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
pub mod names;
pub(crate) mod nearest;
pub mod remote;
pub mod shelf;

use std::path::{Path, PathBuf};

pub use choice::{Choice, choose};
pub use embedded::EmbeddedModel;
pub use error::HubError;
pub use files::ModelFiles;
pub use generation::GenerationDefaults;

use cache::{Cached, ModelCache};
use names::OwnNames;

use crate::trace::units;

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

/// Finds the model called `name`: `classroom`, `classroom-16bit`, a name of one's own, a short name, a folder, or a
/// Hugging Face id; the last two must be here.
///
/// # Errors
/// If there is no such model; the message says what was looked for, what is possible, and which names are near.
pub fn resolve(name: &str) -> Result<ModelSource, HubError> {
    let variable = |name: &str| std::env::var(name).ok();
    resolve_in(
        &meaning(name)?,
        home_folder(&variable).as_deref(),
        &ModelCache::locate(&variable),
    )
}

/// What `name` stands for, if it is a name of one's own; else the name itself.
///
/// # Errors
/// If the file of those names cannot be read.
pub fn meaning(name: &str) -> Result<String, HubError> {
    let own = match OwnNames::path() {
        Some(path) => OwnNames::load(&path)?,
        None => OwnNames::default(),
    };
    let name = name.trim();
    Ok(own.target(name).unwrap_or(name).to_owned())
}

/// The Hugging Face id that `name` stands for: a name of one's own, a short name, or an id itself.
///
/// # Errors
/// If it is none of these.
pub fn id_of(name: &str) -> Result<String, HubError> {
    let name = meaning(name)?;
    if let Some(short) = names::short(&name) {
        return Ok(short.id.to_owned());
    }
    if EmbeddedModel::from_name(&name).is_some() {
        return Err(HubError::NotOurs {
            name,
            what: "inside the program",
        });
    }
    let is_path = name.starts_with(['.', '~', '/']) || Path::new(&name).is_dir();
    match cache::is_id(&name) && !is_path {
        true => Ok(name),
        false if is_path => Err(HubError::NotOurs {
            name,
            what: "a folder of your own",
        }),
        false => Err(unknown(
            &name,
            &ModelCache::locate(&|name| std::env::var(name).ok()),
        )),
    }
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
    if let Some(short) = names::short(name) {
        return in_cache(name, short.id, cache);
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
    in_cache(name, name, cache)
}

/// The model `id`, which was asked for as `name`, if it is in the cache.
fn in_cache(name: &str, id: &str, cache: &ModelCache) -> Result<ModelSource, HubError> {
    match cache.find(id) {
        Cached::Complete(path) => Ok(ModelSource::Folder {
            path,
            label: id.to_owned(),
        }),
        Cached::Incomplete { folder, why } => Err(HubError::Incomplete {
            id: id.to_owned(),
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
    known.extend(names::SHORT_NAMES.map(|short| short.name.to_owned()));
    known.extend(cache.ids());
    let near = match nearest::names(name, &known).as_slice() {
        [] => String::new(),
        names => format!(" Did you mean {}?", names.join(" or ")),
    };
    let cache_folder = cache.folder().display().to_string();
    if let Some(short) = names::short(name) {
        let size = units::bytes(short.about_bytes());
        HubError::NotCached {
            name: name.to_owned(),
            what: format!("{name} ({}, about {size})", short.id),
            cache_folder,
            near: String::new(),
        }
    } else if name.contains('/') && cache::is_id(name) {
        HubError::NotCached {
            name: name.to_owned(),
            what: name.to_owned(),
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
