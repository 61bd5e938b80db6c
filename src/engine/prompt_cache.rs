//! Prompt caches: a session's KV cache in a safetensors file, so that a long prompt is read once.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use half::{bf16, f16};
use mlx_rs::{Array, Dtype};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype as Stored, TensorView};
use serde::{Deserialize, Serialize};

use super::context::Context;
use super::loaded::LoadedModel;
use crate::model::cache::{CacheOptions, KvCache};
use crate::trace::file::regular;

/// The key of the metadata entry that holds a [`Header`].
const HEADER: &str = "vitrine_prompt_cache";
const VERSION: u32 = 1;

/// What a prompt cache file says about itself.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    version: u32,
    model: Fingerprint,
    options: CacheOptions,
    ids: Vec<u32>,
    #[serde(default)]
    pieces: Vec<usize>,
}

/// Enough to tell two models apart: keys and values of one mean nothing to another.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Fingerprint {
    name: String,
    model_type: String,
    n_layers: usize,
    n_kv_heads: usize,
    head_dim: usize,
    weight_bytes: u64,
}

impl Fingerprint {
    fn of(loaded: &LoadedModel) -> Self {
        let config = loaded.model.config();
        Self {
            name: loaded.label.clone(),
            model_type: config.model_type.clone(),
            n_layers: config.num_hidden_layers,
            n_kv_heads: config.num_key_value_heads,
            head_dim: config.head_dim,
            weight_bytes: loaded.weight_bytes,
        }
    }
}

/// Writes what `context` holds to `path`, all of it or nothing.
///
/// # Errors
/// If the file cannot be written, e.g. because the disk is full; a file that was there stays.
pub fn save(path: &Path, loaded: &LoadedModel, context: &Context) -> Result<()> {
    let header = Header {
        version: VERSION,
        model: Fingerprint::of(loaded),
        options: *context.options(),
        ids: context.ids().to_vec(),
        pieces: context.pieces().to_vec(),
    };
    let mut tensors = Vec::new();
    for (layer, cache) in context.layers().iter().enumerate() {
        for (name, array) in cache.save()? {
            tensors.push((format!("layers.{layer}.{name}"), HostTensor::of(&array)?));
        }
    }
    let views: Vec<_> = tensors
        .iter()
        .map(|(name, tensor)| Ok((name.as_str(), tensor.view()?)))
        .collect::<Result<_>>()?;
    let metadata = HashMap::from([(HEADER.to_owned(), serde_json::to_string(&header)?)]);
    let unfinished = path.with_extension("unfinished");
    // Through memory: the crate's own file would be readable by its owner alone.
    let written = safetensors::serialize(views, Some(metadata))
        .map_err(anyhow::Error::from)
        .and_then(|bytes| Ok(fs::write(&unfinished, bytes)?))
        .and_then(|()| Ok(fs::rename(&unfinished, path)?));
    written.with_context(|| {
        let _ = fs::remove_file(&unfinished);
        format!("cannot write the prompt cache {}", path.display())
    })
}

/// Checks that `path` can be written later, before an answer is waited for.
///
/// # Errors
/// If its folder does not exist.
pub fn check_folder(path: &Path) -> Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        ensure!(
            folder.is_dir(),
            "cannot write the prompt cache {}: there is no folder {}",
            path.display(),
            folder.display()
        );
    }
    Ok(())
}

/// Reads a context from `path`.
///
/// # Errors
/// If the file is no prompt cache, is damaged, or belongs to another model or cache mode.
pub fn load(path: &Path, loaded: &LoadedModel, options: &CacheOptions) -> Result<Context> {
    read(path, loaded, options).with_context(|| {
        format!(
            "cannot use {} as a prompt cache: give another file to --prompt-cache",
            path.display()
        )
    })
}

fn read(path: &Path, loaded: &LoadedModel, options: &CacheOptions) -> Result<Context> {
    regular(path)?;
    let bytes = fs::read(path)?;
    let (_, metadata) = SafeTensors::read_metadata(&bytes)?;
    let file = SafeTensors::deserialize(&bytes)?;
    let header = metadata.metadata().as_ref().and_then(|map| map.get(HEADER));
    let header = header.context("it is not a prompt cache of Vitrine")?;
    let header: Header = serde_json::from_str(header)?;
    ensure!(
        header.version == VERSION,
        "another version of Vitrine wrote it"
    );
    let model = Fingerprint::of(loaded);
    if header.model != model {
        bail!("it was made with {}, not {}", header.model.name, model.name);
    }
    ensure!(
        header.options == *options,
        "it was made with other settings of --max-kv-size or --kv-bits"
    );
    let layers = (0..model.n_layers).map(|layer| {
        let find = |name: &str| {
            let view = file.tensor(&format!("layers.{layer}.{name}")).ok()?;
            array_of(&view)
        };
        KvCache::restore(options, header.ids.len(), find)
            .with_context(|| format!("layer {layer} is damaged"))
    });
    let layers = layers.collect::<Result<_>>()?;
    Ok(Context::restored(
        *options,
        layers,
        header.ids,
        header.pieces,
    ))
}

/// A tensor in memory that MLX does not own.
struct HostTensor {
    dtype: Stored,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl HostTensor {
    fn of(array: &Array) -> Result<Self> {
        let array = array.contiguous()?;
        let (dtype, bytes) = match array.dtype() {
            Dtype::Float16 => (
                Stored::F16,
                to_bytes(array.try_as_slice::<f16>()?, |x| x.to_le_bytes()),
            ),
            Dtype::Bfloat16 => (
                Stored::BF16,
                to_bytes(array.try_as_slice::<bf16>()?, |x| x.to_le_bytes()),
            ),
            Dtype::Uint32 => (
                Stored::U32,
                to_bytes(array.try_as_slice::<u32>()?, |x| x.to_le_bytes()),
            ),
            Dtype::Int32 => (
                Stored::I32,
                to_bytes(array.try_as_slice::<i32>()?, |x| x.to_le_bytes()),
            ),
            Dtype::Float32 => (
                Stored::F32,
                to_bytes(array.try_as_slice::<f32>()?, |x| x.to_le_bytes()),
            ),
            other => bail!("a KV cache of type {other:?} cannot be saved"),
        };
        let shape = array.shape().iter().map(|dim| *dim as usize).collect();
        Ok(Self {
            dtype,
            shape,
            bytes,
        })
    }

    fn view(&self) -> Result<TensorView<'_>> {
        Ok(TensorView::new(
            self.dtype,
            self.shape.clone(),
            &self.bytes,
        )?)
    }
}

fn to_bytes<T: Copy, const N: usize>(values: &[T], to_le: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|value| to_le(*value)).collect()
}

/// `None` for a type that a prompt cache never has, or a shape that MLX cannot have.
fn array_of(view: &TensorView<'_>) -> Option<Array> {
    let shape: Option<Vec<i32>> = view
        .shape()
        .iter()
        .map(|dim| i32::try_from(*dim).ok())
        .collect();
    let (shape, bytes) = (shape?, view.data());
    if bytes.is_empty() {
        return None;
    }
    Some(match view.dtype() {
        Stored::F32 => Array::from_slice(&from_bytes(bytes, f32::from_le_bytes), &shape),
        Stored::U32 => Array::from_slice(&from_bytes(bytes, u32::from_le_bytes), &shape),
        Stored::I32 => Array::from_slice(&from_bytes(bytes, i32::from_le_bytes), &shape),
        Stored::F16 => Array::from_slice(&from_bytes(bytes, f16::from_le_bytes), &shape),
        Stored::BF16 => Array::from_slice(&from_bytes(bytes, bf16::from_le_bytes), &shape),
        _ => return None,
    })
}

fn from_bytes<T, const N: usize>(bytes: &[u8], from_le: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (chunks, _) = bytes.as_chunks::<N>();
    chunks.iter().map(|chunk| from_le(*chunk)).collect()
}
