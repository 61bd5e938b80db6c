//! Reading a trace that anyone may have written: nothing is believed before it is checked, and
//! nothing large is taken into memory that was not asked for.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs::{self, File};
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use half::f16;
use safetensors::tensor::{Dtype, TensorInfo};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::{KEY, MAX_HEADER, MAX_JSON_VALUES, Trace, TraceMeta, VERSION, n_json_values, sane};
use crate::trace::{Address, Axis, Hook, HostTensor, Place, units};

/// Most bytes of tensors that are taken into memory at once.
const MAX_IN_MEMORY: u64 = 512 << 20;

/// Most values that one read turns into floats at a time.
const AT_ONCE: usize = 64 << 10;

/// What a trace file can be read from.
trait Source: Read + Seek + Send {}
impl<T: Read + Seek + Send> Source for T {}

/// An open trace file: what it says is in memory, its tensors are read when asked for.
pub struct TraceFile {
    /// Everything but the tensors.
    pub meta: TraceMeta,
    tensors: BTreeMap<String, TensorInfo>,
    source: Box<dyn Source>,
    /// Where the tensors begin.
    data_start: u64,
}

impl fmt::Debug for TraceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("TraceFile");
        shown
            .field("meta", &self.meta)
            .field("tensors", &self.tensors);
        shown.finish_non_exhaustive()
    }
}

impl TraceFile {
    /// Opens a trace file, of any size.
    ///
    /// # Errors
    /// If it cannot be read, is no trace, is damaged, or was written by a later version.
    pub fn open(path: &Path) -> Result<Self> {
        let read = || {
            regular(path)?;
            let file = File::open(path)?;
            let size = file.metadata()?.len();
            Self::new(file, size)
        };
        read().with_context(|| format!("cannot open the trace {}", path.display()))
    }

    /// Reads the header of `source`, which is `size` bytes long.
    fn new(mut source: impl Source + 'static, size: u64) -> Result<Self> {
        let mut length = [0; 8];
        let no_file = "it is no safetensors file, or was cut short";
        source.read_exact(&mut length).context(no_file)?;
        let length = u64::from_le_bytes(length);
        let data_start = length.checked_add(8).filter(|start| *start <= size);
        let data_start = data_start.context(no_file)?;
        ensure!(
            length <= MAX_HEADER as u64,
            "its header of {} is too large",
            units::bytes(length)
        );
        let mut header = vec![0; length as usize];
        source.read_exact(&mut header).context(no_file)?;
        ensure!(
            n_json_values(&header) <= MAX_JSON_VALUES,
            "its header holds too many values"
        );
        let header: Header = serde_json::from_slice(&header).context(no_file)?;
        check_layout(&header.tensors, size - data_start).context("it is damaged")?;
        let meta = header.metadata.as_ref().and_then(|map| map.get(KEY));
        let meta = meta.context("it is a safetensors file, but no trace of Vitrine")?;
        let mut meta = read_meta(meta)?;
        sane::check(&header.tensors, &mut meta).context("it is damaged")?;
        check_shapes(&header.tensors, &meta).context("it is damaged")?;
        Ok(Self {
            meta,
            tensors: header.tensors,
            source: Box::new(source),
            data_start,
        })
    }

    /// The names of its tensors, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The shape of a tensor; `None` where there is none of that name.
    #[must_use]
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|info| info.shape.as_slice())
    }

    /// Reads one tensor.
    ///
    /// # Errors
    /// If there is none of that name, it is too large for memory, or the file cannot be read.
    pub fn read(&mut self, name: &str) -> Result<HostTensor> {
        let info = self.tensors.get(name);
        let info = info.with_context(|| format!("the trace has no {name}"))?;
        let (start, end) = (info.data_offsets.0 as u64, info.data_offsets.1 as u64);
        let (dtype, shape) = (info.dtype, info.shape.clone());
        let n_values = (end - start) / bytes_of(dtype)?;
        ensure!(
            n_values * 4 <= MAX_IN_MEMORY,
            "{name} is too large to be shown: {}",
            units::bytes(n_values * 4)
        );
        self.source.seek(SeekFrom::Start(self.data_start + start))?;
        let mut values = Vec::with_capacity(n_values as usize);
        let mut piece = Vec::with_capacity(AT_ONCE * 4);
        let mut left = end - start;
        while left > 0 {
            piece.clear();
            let n_bytes = left.min((AT_ONCE * 4) as u64);
            let read = (&mut self.source).take(n_bytes).read_to_end(&mut piece)?;
            ensure!(read as u64 == n_bytes, "{name} is cut short");
            push_floats(dtype, &piece, &mut values);
            left -= n_bytes;
        }
        HostTensor::new(shape, values).with_context(|| format!("{name} is damaged"))
    }

    /// Reads every tensor.
    ///
    /// # Errors
    /// As [`TraceFile::read`], and if they are too many for memory together.
    pub fn read_all(mut self) -> Result<Trace> {
        let mut n_bytes = 0;
        for info in self.tensors.values() {
            let stored = (info.data_offsets.1 - info.data_offsets.0) as u64;
            n_bytes += stored / bytes_of(info.dtype)? * 4;
        }
        ensure!(
            n_bytes <= MAX_IN_MEMORY,
            "its tensors fill {}, more than the {} that are opened at once: trace fewer hooks or \
             layers",
            units::bytes(n_bytes),
            units::bytes(MAX_IN_MEMORY)
        );
        let names: Vec<String> = self.tensors.keys().cloned().collect();
        let read = names.into_iter().map(|name| {
            let tensor = self.read(&name)?;
            Ok((name, tensor))
        });
        let tensors = read.collect::<Result<_>>()?;
        Ok(Trace {
            meta: self.meta,
            tensors,
        })
    }
}

impl Trace {
    /// Reads a whole trace file into memory; [`TraceFile`] reads parts of a large one.
    ///
    /// # Errors
    /// If it cannot be read, is no trace, is damaged, was written by a later version, or is too
    /// large.
    pub fn open(path: &Path) -> Result<Self> {
        let file = TraceFile::open(path)?;
        let all = file.read_all();
        all.with_context(|| format!("cannot open the trace {}", path.display()))
    }

    /// Reads the bytes of a trace file.
    ///
    /// # Errors
    /// As [`Trace::open`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let size = bytes.len() as u64;
        TraceFile::new(Cursor::new(bytes.to_vec()), size)?.read_all()
    }
}

/// Refuses a folder, a device and a pipe before it is opened: a pipe lets nobody go who opens it
/// while nobody writes.
///
/// # Errors
/// If there is no file of that name, or it is another thing.
pub fn regular(path: &Path) -> Result<()> {
    ensure!(fs::metadata(path)?.is_file(), "it is not a regular file");
    Ok(())
}

fn read_meta(meta: &str) -> Result<TraceMeta> {
    // The version first: a later one may lack every other field.
    let version: Version = serde_json::from_str(meta).context("its description is damaged")?;
    ensure!(
        version.version <= VERSION,
        "a later version of Vitrine wrote it: get that version to open it"
    );
    serde_json::from_str(meta).context("its description is damaged")
}

/// Refuses a value with more or fewer positions than the pass it says it belongs to.
fn check_shapes(tensors: &BTreeMap<String, TensorInfo>, meta: &TraceMeta) -> Result<()> {
    for (name, info) in tensors {
        let Ok(address) = name.parse::<Address>() else {
            continue;
        };
        let pass = meta.passes.get(address.pass.unwrap_or(0));
        let (Place::Hook(hook), Some(pass)) = (address.place, pass) else {
            continue;
        };
        let n_pos = pass
            .boundaries
            .iter()
            .fold(0_usize, |n, piece| n.saturating_add(*piece));
        // Of the last stages the newest position may stand alone.
        let may_be_one = matches!(hook, Hook::FinalNorm | Hook::Logits);
        for (axis, dim) in hook.axes().iter().zip(&info.shape) {
            let is_position = matches!(axis, Axis::Pos | Axis::QueryPos);
            ensure!(
                !is_position || *dim == n_pos || (may_be_one && *dim == 1),
                "{name} has {dim} positions, and its pass has {n_pos}"
            );
        }
    }
    Ok(())
}

/// Refuses tensors that overlap, leave gaps, have other sizes than their shapes say, or do not fill
/// the `n_bytes` after the header.
fn check_layout(tensors: &BTreeMap<String, TensorInfo>, n_bytes: u64) -> Result<()> {
    let mut by_place: Vec<(&String, &TensorInfo)> = tensors.iter().collect();
    by_place.sort_by_key(|(_, info)| info.data_offsets);
    let mut end = 0;
    for (name, info) in by_place {
        let wrong = || format!("{name} does not lie where the header says");
        let n_values = info
            .shape
            .iter()
            .try_fold(1_u64, |n, dim| n.checked_mul(*dim as u64));
        let bytes = bytes_of(info.dtype).with_context(|| name.clone())?;
        let size = n_values
            .and_then(|n| n.checked_mul(bytes))
            .with_context(wrong)?;
        ensure!(info.data_offsets.0 as u64 == end, wrong());
        end = end.checked_add(size).with_context(wrong)?;
        ensure!(info.data_offsets.1 as u64 == end, wrong());
    }
    ensure!(
        end == n_bytes,
        "it is {n_bytes} bytes long, and should be {end}"
    );
    Ok(())
}

/// Bytes of one value.
fn bytes_of(dtype: Dtype) -> Result<u64> {
    Ok(match dtype {
        Dtype::F32 => 4,
        Dtype::F16 => 2,
        other => bail!("a trace has no tensors of type {other:?}"),
    })
}

fn push_floats(dtype: Dtype, bytes: &[u8], values: &mut Vec<f32>) {
    match dtype {
        Dtype::F16 => {
            let halves = bytes.as_chunks().0.iter();
            values.extend(halves.map(|half| f16::from_le_bytes(*half).to_f32()));
        }
        _ => {
            let floats = bytes.as_chunks().0.iter();
            values.extend(floats.map(|float| f32::from_le_bytes(*float)));
        }
    }
}

#[derive(serde::Deserialize)]
struct Version {
    version: u32,
}

/// The JSON at the beginning of a safetensors file.
struct Header {
    metadata: Option<HashMap<String, String>>,
    tensors: BTreeMap<String, TensorInfo>,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("tensors by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut header = Header {
                    metadata: None,
                    tensors: BTreeMap::new(),
                };
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        header.metadata = Some(map.next_value()?);
                    } else {
                        header.tensors.insert(name, map.next_value()?);
                    }
                }
                Ok(header)
            }
        }

        from.deserialize_map(Entries)
    }
}
