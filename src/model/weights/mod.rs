//! The checkpoint on disk: which tensors there are, and their bytes one at a time.
//!
//! Nothing but safetensors is ever loaded: the format is a list of names, shapes and offsets, and cannot
//! carry a program. Opening reads the headers only; a tensor's bytes are read when asked for, at their
//! place in the file. The files are not mapped into memory, because the pages of a mapping would stay
//! beside the arrays made from them and the model would be in memory twice.
//!
//! [`WeightReader`] stands between a checkpoint and a model family: it renames what is stored under other
//! names, and accounts for every tensor, so that none is missing, misshapen or silently left over.

mod error;
mod folder;
mod header;
mod purpose;
mod reader;
mod source;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

pub use error::WeightsError;
pub use reader::{Explained, Renamed, TensorBytes, WeightReader};
pub use safetensors::Dtype;

use source::Source;

/// What a checkpoint says about one tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Name in the file.
    pub name: String,
    /// Type of its numbers.
    pub dtype: Dtype,
    /// Its shape as stored; a quantized matrix is `[rows, packed words]`.
    pub shape: Vec<usize>,
    /// Its size in the file, in bytes.
    pub n_bytes: usize,
    /// The file it lies in.
    pub file: Arc<str>,
}

/// An opened checkpoint: every tensor's place, and the files to read them from.
#[derive(Debug)]
pub struct Checkpoint {
    label: String,
    sources: Vec<Source>,
    /// By name.
    tensors: BTreeMap<String, Stored>,
    /// What the index promised: tensor name to file name; empty without an index.
    promised: BTreeMap<String, String>,
}

/// One tensor and its place.
#[derive(Debug)]
struct Stored {
    info: TensorInfo,
    source_idx: usize,
    offset: u64,
}

impl Checkpoint {
    /// Opens the safetensors files of a model folder and reads their headers.
    ///
    /// The files are those `model.safetensors.index.json` lists, else every `model*.safetensors`.
    ///
    /// # Errors
    /// If there are no safetensors, a file is missing, truncated, damaged or unreadable, the index is broken or
    /// points outside the folder, or a tensor is in two files.
    pub fn open(folder: &Path) -> Result<Self, WeightsError> {
        let files = folder::weight_files(folder)?;
        let mut checkpoint = Self::empty(folder.display().to_string());
        for file in &files.names {
            checkpoint.add(Source::open(folder, file)?)?;
        }
        checkpoint.promised = files.promised;
        Ok(checkpoint)
    }

    /// Opens the bytes of one safetensors file that is part of the program; `label` names it in messages.
    ///
    /// # Errors
    /// If the bytes are no safetensors file.
    pub fn from_bytes(label: &str, bytes: &'static [u8]) -> Result<Self, WeightsError> {
        let mut checkpoint = Self::empty(label.to_owned());
        checkpoint.add(Source::embedded(
            &format!("{label}/model.safetensors"),
            bytes,
        ))?;
        Ok(checkpoint)
    }

    /// What to call the model in messages: its folder or name.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Every tensor, by name.
    pub fn infos(&self) -> impl Iterator<Item = &TensorInfo> {
        self.tensors.values().map(|stored| &stored.info)
    }

    /// One tensor's description, if there is such a tensor.
    pub fn info(&self, name: &str) -> Option<&TensorInfo> {
        self.tensors.get(name).map(|stored| &stored.info)
    }

    /// Names of the files, in the order they were read.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(Source::name)
    }

    /// Size of all tensors in the files, in bytes.
    pub fn n_bytes(&self) -> u64 {
        self.infos().map(|info| info.n_bytes as u64).sum()
    }

    /// Size of the files, headers included, in bytes.
    pub fn file_bytes(&self) -> u64 {
        self.sources.iter().map(Source::len).sum()
    }

    /// The bytes of one tensor, little-endian, row by row.
    ///
    /// # Errors
    /// If there is no such tensor, or the file can no longer be read.
    pub fn read(&self, name: &str) -> Result<Cow<'static, [u8]>, WeightsError> {
        let stored = self.stored(name)?;
        let source = self.source_of(stored)?;
        if let Some(bytes) = source.borrow(stored.offset, stored.info.n_bytes) {
            return Ok(Cow::Borrowed(bytes));
        }
        let mut buffer = Vec::new();
        self.read_into(name, &mut buffer)?;
        Ok(Cow::Owned(buffer))
    }

    /// The bytes of one tensor, put in `buffer`, which can serve for one tensor after the other.
    ///
    /// # Errors
    /// As [`Checkpoint::read`].
    pub fn read_into(&self, name: &str, buffer: &mut Vec<u8>) -> Result<(), WeightsError> {
        let stored = self.stored(name)?;
        let (n_bytes, source) = (stored.info.n_bytes, self.source_of(stored)?);
        // Not cleared first: what is there is overwritten, and only what is missing is zeroed.
        buffer.truncate(n_bytes);
        if buffer.try_reserve_exact(n_bytes - buffer.len()).is_err() {
            return Err(WeightsError::OutOfMemory {
                name: name.to_owned(),
                n_bytes,
            });
        }
        buffer.resize(n_bytes, 0);
        source.read_at(stored.offset, buffer)
    }

    fn empty(label: String) -> Self {
        Self {
            label,
            sources: Vec::new(),
            tensors: BTreeMap::new(),
            promised: BTreeMap::new(),
        }
    }

    /// Reads one file's header and takes its tensors in.
    fn add(&mut self, source: Source) -> Result<(), WeightsError> {
        let header = header::read(&source)?;
        let file: Arc<str> = Arc::from(source.name());
        for (name, entry) in header.tensors {
            let (start, end) = entry.data_offsets;
            let stored = Stored {
                offset: header.data_start + start as u64,
                source_idx: self.sources.len(),
                info: TensorInfo {
                    name: name.clone(),
                    dtype: entry.dtype,
                    shape: entry.shape,
                    n_bytes: end - start,
                    file: Arc::clone(&file),
                },
            };
            if let Some(earlier) = self.tensors.insert(name.clone(), stored) {
                return Err(WeightsError::Duplicate {
                    name,
                    first: earlier.info.file.to_string(),
                    second: file.to_string(),
                });
            }
        }
        self.sources.push(source);
        Ok(())
    }

    fn stored(&self, name: &str) -> Result<&Stored, WeightsError> {
        self.tensors
            .get(name)
            .ok_or_else(|| self.missing(name, name))
    }

    fn source_of(&self, stored: &Stored) -> Result<&Source, WeightsError> {
        let name = &stored.info.name;
        self.sources
            .get(stored.source_idx)
            .ok_or_else(|| self.missing(name, name))
    }

    /// The complaint about a tensor that should be there; `stored_as` is the name it would have in the file.
    fn missing(&self, name: &str, stored_as: &str) -> WeightsError {
        let files = match self.promised.get(stored_as) {
            Some(file) => format!("{file}, where the index puts it"),
            None => self.files().collect::<Vec<_>>().join(", "),
        };
        WeightsError::MissingTensor {
            name: name.to_owned(),
            purpose: purpose::of(name),
            files,
        }
    }
}
