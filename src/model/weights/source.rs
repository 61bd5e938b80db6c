//! Where the bytes of one safetensors file come from: the disk, or the program itself.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::error::WeightsError;

/// One safetensors file, open for reads at any place.
#[derive(Debug)]
pub(super) struct Source {
    name: String,
    len: u64,
    data: Data,
}

#[derive(Debug)]
enum Data {
    Disk(File),
    Embedded(&'static [u8]),
}

impl Source {
    /// Opens `file` in `folder`.
    pub(super) fn open(folder: &Path, file: &str) -> Result<Self, WeightsError> {
        let path = folder.join(file);
        let name = path.display().to_string();
        let unreadable = |error: std::io::Error| match error.kind() {
            // Also where a link of the Hugging Face cache points to a blob that is gone.
            ErrorKind::NotFound => WeightsError::MissingFile {
                file: file.to_owned(),
                folder: folder.display().to_string(),
                because: String::new(),
            },
            _ => WeightsError::Unreadable {
                file: name.clone(),
                why: error.to_string(),
            },
        };
        // Asked before opening: opening a pipe would wait for a writer for ever.
        let info = std::fs::metadata(&path).map_err(unreadable)?;
        if !info.is_file() {
            let what = if info.is_dir() {
                "it is a folder"
            } else {
                "it is not a regular file"
            };
            return Err(WeightsError::Unreadable {
                file: name,
                why: what.to_owned(),
            });
        }
        let data = Data::Disk(File::open(&path).map_err(unreadable)?);
        Ok(Self {
            name,
            len: info.len(),
            data,
        })
    }

    /// A file that is part of the program.
    pub(super) fn embedded(name: &str, bytes: &'static [u8]) -> Self {
        Self {
            name: name.to_owned(),
            len: bytes.len() as u64,
            data: Data::Embedded(bytes),
        }
    }

    /// What to call it in messages: its path.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Length of the file in bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Fills `buffer` from `offset` on.
    pub(super) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), WeightsError> {
        match &self.data {
            Data::Disk(file) => file.read_exact_at(buffer, offset).map_err(|error| {
                let why = match error.kind() {
                    ErrorKind::UnexpectedEof => {
                        "it became shorter while it was being read".to_owned()
                    }
                    _ => error.to_string(),
                };
                WeightsError::Unreadable {
                    file: self.name.clone(),
                    why,
                }
            }),
            Data::Embedded(_) => match self.borrow(offset, buffer.len()) {
                Some(bytes) => {
                    buffer.copy_from_slice(bytes);
                    Ok(())
                }
                None => Err(WeightsError::Unreadable {
                    file: self.name.clone(),
                    why: "it ends before that place".to_owned(),
                }),
            },
        }
    }

    /// The bytes themselves, where they are in memory already.
    pub(super) fn borrow(&self, offset: u64, n_bytes: usize) -> Option<&'static [u8]> {
        let Data::Embedded(bytes) = self.data else {
            return None;
        };
        let start = usize::try_from(offset).ok()?;
        bytes.get(start..start.checked_add(n_bytes)?)
    }
}
