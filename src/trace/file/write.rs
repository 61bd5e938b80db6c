//! Writing a trace: all of it or nothing, tensor by tensor, so that it is in memory only once.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use half::f16;
use serde_json::{Value, json};

use super::{KEY, MAX_HEADER, MAX_JSON_VALUES, Precision, Trace, n_json_values};
use crate::trace::{HostTensor, units};

impl Trace {
    /// Writes the file, all of it or nothing.
    ///
    /// # Errors
    /// If it says more about its passes than a reader would take in, or cannot be written, e.g.
    /// because the disk is full; a file that was there stays.
    pub fn save(&self, path: &Path, precision: Precision) -> Result<()> {
        let path = &destination(path)?;
        let header = self.header(precision)?;
        let unfinished = unfinished(path);
        let written = self
            .write_to(&unfinished, &header, precision)
            .and_then(|()| fs::rename(&unfinished, path));
        written.with_context(|| {
            let _ = fs::remove_file(&unfinished);
            let size = units::bytes(self.n_bytes(precision) + header.len() as u64);
            format!(
                "cannot write the trace {} ({size}); if the disk is full, keep fewer hooks or layers, or write elsewhere",
                path.display()
            )
        })
    }

    /// Bytes of the file: values, and the JSON before them.
    ///
    /// # Errors
    /// If it says more about its passes than a reader would take in.
    pub fn file_bytes(&self, precision: Precision) -> Result<u64> {
        Ok(8 + self.header(precision)?.len() as u64 + self.n_bytes(precision))
    }

    fn write_to(&self, path: &Path, header: &[u8], precision: Precision) -> io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(header)?;
        for tensor in self.tensors.values() {
            write_values(&mut file, tensor, precision)?;
        }
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()
    }

    /// The JSON before the values: where each tensor lies, and the metadata. Padded with spaces to
    /// eight bytes, as the format asks for.
    fn header(&self, precision: Precision) -> Result<Vec<u8>> {
        let dtype = match precision {
            Precision::F32 => "F32",
            Precision::F16 => "F16",
        };
        let meta = serde_json::to_string(&self.meta)?;
        let mut entries = BTreeMap::<&str, Value>::new();
        entries.insert("__metadata__", json!({ KEY: meta }));
        let mut start = 0;
        for (name, tensor) in &self.tensors {
            let end = start + tensor.values().len() as u64 * precision.n_bytes();
            let entry =
                json!({ "dtype": dtype, "shape": tensor.shape(), "data_offsets": [start, end] });
            entries.insert(name, entry);
            start = end;
        }
        let mut header = serde_json::to_vec(&entries)?;
        header.resize(header.len().next_multiple_of(8), b' ');
        ensure!(
            header.len() <= MAX_HEADER && n_json_values(&header) <= MAX_JSON_VALUES,
            "{} passes are too many for one trace: ask for fewer steps",
            self.meta.passes.len()
        );
        Ok(header)
    }
}

/// Where the file `path` is written before it is whole: beside it, under a name of its own.
#[must_use]
pub fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".unfinished");
    path.with_file_name(name)
}

/// Where a file of the name `path` really lies: behind a link, where that leads.
///
/// # Errors
/// If a folder, a device or a pipe has that name: a finished file would take its place.
pub fn destination(path: &Path) -> Result<PathBuf> {
    let Ok(info) = fs::symlink_metadata(path) else {
        return Ok(path.to_owned());
    };
    if info.is_symlink() {
        let target = fs::canonicalize(path);
        let target =
            target.with_context(|| format!("the link {} leads nowhere", path.display()))?;
        return destination(&target);
    }
    ensure!(
        info.is_file(),
        "{} is not a file that can be written anew: give the name of a file",
        path.display()
    );
    Ok(path.to_owned())
}

fn write_values(
    file: &mut impl Write,
    tensor: &HostTensor,
    precision: Precision,
) -> io::Result<()> {
    for value in tensor.values() {
        match precision {
            Precision::F32 => file.write_all(&value.to_le_bytes())?,
            Precision::F16 => file.write_all(&f16::from_f32(*value).to_le_bytes())?,
        }
    }
    Ok(())
}
