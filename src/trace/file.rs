//! Trace files: a run in one safetensors file that opens without the model, here and in Python
//! (`safetensors.numpy.load_file`).
//!
//! Tensors are named by their hooks: the prefill's under the plain names, those of later passes
//! under `pass.{n}.`. Everything else lies in the metadata, as JSON under [`KEY`].

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Read;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use half::f16;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::HostTensor;
use super::answer::CacheSize;
use super::edit::Edit;
use super::units;

/// The metadata entry that holds a [`TraceMeta`].
pub const KEY: &str = "vitrine_trace";
/// Raised when a reader of older files would misunderstand a new one.
pub const VERSION: u32 = 1;
/// A trace larger than this is refused: it would not fit in the memory of most machines.
const MAX_BYTES: u64 = 8 << 30;

/// What a trace says beside its tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TraceMeta {
    /// [`VERSION`] of the writer.
    pub version: u32,
    /// The model.
    pub model: ModelMeta,
    /// The prompt as the model read it, where it came from text.
    pub prompt: Option<String>,
    /// Every token of the text, prompt and answer.
    pub tokens: Vec<TokenMeta>,
    /// How the prompt's words were merged from bytes: one list of merges per word.
    pub merges: Vec<WordMeta>,
    /// Every pass, in order.
    pub passes: Vec<PassMeta>,
    /// The sampler's settings.
    pub sampling: Value,
    /// Start of the random numbers.
    pub seed: u64,
    /// What was changed.
    pub edits: Vec<Edit>,
    /// What was measured: logit lens, head labels, parity.
    pub measures: BTreeMap<String, Value>,
}

/// The model that ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelMeta {
    /// Its name.
    pub name: String,
    /// Its `config.json`, as the file has it.
    pub config: Value,
    /// Bytes of weights in its files.
    pub weight_bytes: u64,
    /// The hooks of a pass, in order of execution.
    pub hooks: Vec<String>,
}

/// A token of the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenMeta {
    /// Row in the vocabulary.
    pub id: u32,
    /// Its text, with `<0xE4>` for bytes that are no whole character.
    pub text: String,
    /// The bytes of the prompt that it covers; none for generated tokens.
    pub bytes: Option<(usize, usize)>,
}

/// How a word became tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordMeta {
    /// The pieces it began with.
    pub symbols: Vec<String>,
    /// Each merge: its rank, and the two pieces that became one.
    pub merges: Vec<(usize, String, String)>,
}

/// A pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PassMeta {
    /// Position of its first token.
    pub start: usize,
    /// Sizes of the pieces it ran in.
    pub boundaries: Vec<usize>,
    /// Seconds per stage.
    pub times: Vec<(String, f64)>,
    /// The draw that followed it: token, random numbers, share, and what the filters left out.
    pub draw: Option<Value>,
    /// The KV cache after it.
    pub cache: CacheSize,
}

/// A trace in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Everything but the tensors.
    pub meta: TraceMeta,
    /// Values by address: `blocks.0.attn.hook_q`, `pass.1.unembed.hook_out`.
    pub tensors: BTreeMap<String, HostTensor>,
}

/// How many bits a trace keeps per value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Exactly as computed.
    #[default]
    F32,
    /// Half the size, three digits.
    F16,
}

impl Trace {
    /// Bytes of its tensors on disk.
    #[must_use]
    pub fn n_bytes(&self, precision: Precision) -> u64 {
        let n_bytes: usize = self.tensors.values().map(HostTensor::n_bytes).sum();
        match precision {
            Precision::F32 => n_bytes as u64,
            Precision::F16 => n_bytes as u64 / 2,
        }
    }

    /// Writes the file, all of it or nothing.
    ///
    /// # Errors
    /// If it cannot be written, e.g. because the disk is full; a file that was there stays.
    pub fn save(&self, path: &Path, precision: Precision) -> Result<()> {
        let mut stored = Vec::with_capacity(self.tensors.len());
        for (name, tensor) in &self.tensors {
            stored.push((
                name.as_str(),
                tensor.shape().to_vec(),
                to_bytes(tensor, precision),
            ));
        }
        let dtype = match precision {
            Precision::F32 => Dtype::F32,
            Precision::F16 => Dtype::F16,
        };
        let views = stored
            .iter()
            .map(|(name, shape, bytes)| Ok((*name, TensorView::new(dtype, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>>>()?;
        let metadata = HashMap::from([(KEY.to_owned(), serde_json::to_string(&self.meta)?)]);
        let unfinished = path.with_extension("unfinished");
        // Through memory: the crate's own file would be readable by its owner alone.
        let written = safetensors::serialize(views, Some(metadata))
            .map_err(anyhow::Error::from)
            .and_then(|bytes| Ok(fs::write(&unfinished, bytes)?))
            .and_then(|()| Ok(fs::rename(&unfinished, path)?));
        written.with_context(|| {
            let _ = fs::remove_file(&unfinished);
            let size = units::bytes(self.n_bytes(precision));
            format!("cannot write the trace {} ({size})", path.display())
        })
    }

    /// Reads a trace file.
    ///
    /// # Errors
    /// If it cannot be read, is no trace, is damaged, or was written by a later version.
    pub fn open(path: &Path) -> Result<Self> {
        let read = || {
            let file = fs::File::open(path)?;
            let info = file.metadata()?;
            ensure!(info.is_file(), "it is not a regular file");
            let size = info.len();
            ensure!(
                size <= MAX_BYTES,
                "{} are too many for a trace",
                units::bytes(size)
            );
            let mut bytes = Vec::new();
            file.take(MAX_BYTES).read_to_end(&mut bytes)?;
            Self::from_bytes(&bytes)
        };
        read().with_context(|| format!("cannot open the trace {}", path.display()))
    }

    /// Reads the bytes of a trace file.
    ///
    /// # Errors
    /// As [`Trace::open`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (_, header) = SafeTensors::read_metadata(bytes).context("it is no safetensors file")?;
        let file = SafeTensors::deserialize(bytes).context("it is damaged")?;
        let meta = header.metadata().as_ref().and_then(|map| map.get(KEY));
        let meta = meta.context("it is a safetensors file, but no trace of Vitrine")?;
        let version: Version = serde_json::from_str(meta).context("its description is damaged")?;
        ensure!(
            version.version <= VERSION,
            "a later version of Vitrine wrote it: get that version to open it"
        );
        let meta = serde_json::from_str(meta).context("its description is damaged")?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.iter() {
            let tensor = from_view(&view).with_context(|| format!("{name} is damaged"))?;
            tensors.insert(name.to_owned(), tensor);
        }
        Ok(Self { meta, tensors })
    }

    /// The tensor at `hook` of pass `pass`.
    #[must_use]
    pub fn tensor(&self, pass: usize, hook: super::Hook) -> Option<&HostTensor> {
        self.tensors.get(&key(pass, hook))
    }
}

/// The name of a tensor: the prefill's have the plain names.
#[must_use]
pub fn key(pass: usize, hook: super::Hook) -> String {
    match pass {
        0 => hook.to_string(),
        pass => format!("pass.{pass}.{hook}"),
    }
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

fn to_bytes(tensor: &HostTensor, precision: Precision) -> Vec<u8> {
    let values = tensor.values().iter();
    match precision {
        Precision::F32 => values.flat_map(|value| value.to_le_bytes()).collect(),
        Precision::F16 => values
            .flat_map(|value| f16::from_f32(*value).to_le_bytes())
            .collect(),
    }
}

fn from_view(view: &TensorView<'_>) -> Result<HostTensor> {
    let bytes = view.data();
    let values: Vec<f32> = match view.dtype() {
        Dtype::F32 => bytes
            .as_chunks()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b))
            .collect(),
        Dtype::F16 => bytes
            .as_chunks()
            .0
            .iter()
            .map(|b| f16::from_le_bytes(*b).to_f32())
            .collect(),
        other => bail!("a trace has no tensors of type {other:?}"),
    };
    HostTensor::new(view.shape().to_vec(), values).context("its shape does not fit its values")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Trace {
        let tensor = HostTensor::new(vec![1, 2], vec![0.5, -3.0]).unwrap();
        Trace {
            meta: TraceMeta {
                version: VERSION,
                model: ModelMeta {
                    name: "tiny".into(),
                    config: Value::Null,
                    weight_bytes: 0,
                    hooks: vec!["hook_embed".into()],
                },
                prompt: Some("héllo".into()),
                tokens: Vec::new(),
                merges: Vec::new(),
                passes: Vec::new(),
                sampling: Value::Null,
                seed: 7,
                edits: vec!["hook_embed=zero".parse().unwrap()],
                measures: BTreeMap::new(),
            },
            tensors: BTreeMap::from([("hook_embed".to_owned(), tensor)]),
        }
    }

    #[test]
    fn a_trace_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.safetensors");
        for precision in [Precision::F32, Precision::F16] {
            small().save(&path, precision).unwrap();
            assert_eq!(Trace::open(&path).unwrap(), small());
        }
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing else is left"
        );
    }

    #[test]
    fn a_trace_that_cannot_be_written_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let error = small().save(
            &folder.path().join("no/such/folder.safetensors"),
            Precision::F32,
        );
        assert!(
            error
                .unwrap_err()
                .to_string()
                .contains("cannot write the trace")
        );
    }

    #[test]
    fn what_is_no_trace_is_refused() {
        for bytes in [&b""[..], b"{}", &[0xFF; 64], &8_u64.to_le_bytes()] {
            assert!(Trace::from_bytes(bytes).is_err());
        }
    }
}
