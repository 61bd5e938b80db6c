//! One way to read a model's files, whether they are inside the program or in a folder.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::{Component, Path};

use super::{EmbeddedModel, HubError, ModelSource, resolve};
use crate::model::weights::{Checkpoint, WeightsError};

/// The largest `tokenizer.json` in use has some 35 MB.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// The files of one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFiles {
    source: ModelSource,
}

impl ModelFiles {
    /// The files of a model that was found.
    pub fn new(source: ModelSource) -> Self {
        Self { source }
    }

    /// The files of the model called `name`.
    ///
    /// # Errors
    /// As [`resolve`].
    pub fn find(name: &str) -> Result<Self, HubError> {
        resolve(name).map(Self::new)
    }

    /// The files of a model inside the program.
    pub fn embedded(model: EmbeddedModel) -> Self {
        Self::new(ModelSource::Embedded(model))
    }

    /// What to call the model in messages and in `--json`.
    pub fn label(&self) -> &str {
        self.source.label()
    }

    /// The model's folder, if it has one.
    pub fn folder(&self) -> Option<&Path> {
        match &self.source {
            ModelSource::Embedded(_) => None,
            ModelSource::Folder { path, .. } => Some(path),
        }
    }

    /// Where the files are.
    pub fn source(&self) -> &ModelSource {
        &self.source
    }

    /// The bytes of a small file, e.g. `config.json`; `None` if the model has no such file.
    ///
    /// # Errors
    /// If there is something of that name that cannot be read, or is too large to be one of a model's small files.
    pub fn read(&self, name: &str) -> Result<Option<Cow<'static, [u8]>>, HubError> {
        match &self.source {
            ModelSource::Embedded(model) => Ok(model.file(name).map(Cow::Borrowed)),
            ModelSource::Folder { path, .. } => {
                read_file(path, name).map(|bytes| bytes.map(Cow::Owned))
            }
        }
    }

    /// Opens the weights.
    ///
    /// # Errors
    /// As [`Checkpoint::open`].
    pub fn checkpoint(&self) -> Result<Checkpoint, WeightsError> {
        match &self.source {
            ModelSource::Embedded(model) => Checkpoint::from_bytes(model.name(), model.weights()),
            ModelSource::Folder { path, .. } => Checkpoint::open(path),
        }
    }
}

fn read_file(folder: &Path, name: &str) -> Result<Option<Vec<u8>>, HubError> {
    let path = folder.join(name);
    let unreadable = |why: String| HubError::Unreadable {
        path: path.display().to_string(),
        why,
    };
    if !Path::new(name)
        .components()
        .all(|part| matches!(part, Component::Normal(_)))
    {
        return Err(unreadable("it is not inside the model's folder".to_owned()));
    }
    let info = match std::fs::metadata(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error.to_string())),
        Ok(info) => info,
    };
    if !info.is_file() {
        return Err(unreadable("it is not a regular file".to_owned()));
    }
    if info.len() > MAX_FILE_BYTES {
        return Err(unreadable(format!(
            "{} bytes are too many for such a file",
            info.len()
        )));
    }
    std::fs::read(&path)
        .map(Some)
        .map_err(|error| unreadable(error.to_string()))
}
