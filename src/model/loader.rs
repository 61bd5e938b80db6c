//! From bytes in a file to arrays in the form they are computed with.

use std::borrow::Cow;

use anyhow::{Context, Result, bail};
use mlx_rs::transforms::eval;
use mlx_rs::{Array, Dtype};

pub use super::compute::Compute;
use super::config::{LayerQuantization, ModelConfig};
use super::linear::{Linear, Matrix, Quantized};
use super::norm::{LayerNorm, RmsNorm};
use super::weights::{self, Explained, Renamed, TensorBytes, WeightReader};

/// Hands a family its weights, strictly and in computing form.
///
/// On a CPU, scales, biases and norms become float32, because MLX's CPU kernels are very slow in
/// 16 bits; packed words stay as they are. On a GPU everything keeps the checkpoint's type.
#[derive(Debug)]
pub struct Loader<'a> {
    reader: WeightReader<'a>,
    config: &'a ModelConfig,
    compute: Compute,
    work: Work,
}

/// What running tokens through the model costs, counted while it is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// Weights of the blocks' matrices: each is multiplied once per token.
    pub block_weights: usize,
    /// Weights of the output head's matrix: multiplied once per row of logits.
    pub head_weights: usize,
    /// Weights of the largest matrix of a block.
    pub largest_matrix: usize,
    /// Bytes of matrices that a decode step reads: blocks and head.
    pub bytes_per_token: usize,
}

impl<'a> Loader<'a> {
    /// A loader over `checkpoint`; `rename` says what becomes of each tensor in it.
    ///
    /// # Errors
    /// If two tensors end up under one name.
    pub fn new(
        checkpoint: &'a weights::Checkpoint,
        config: &'a ModelConfig,
        compute: Compute,
        rename: fn(&ModelConfig, &str) -> Renamed,
    ) -> Result<Self> {
        Ok(Self {
            reader: WeightReader::new(checkpoint, |name| rename(config, name))?,
            config,
            compute,
            work: Work::default(),
        })
    }

    /// Who computes what stands between the matrices.
    #[must_use]
    pub fn compute(&self) -> Compute {
        self.compute
    }

    /// The linear layer at `path`: `[n_out, n_in]`, with a bias if `has_bias`.
    ///
    /// # Errors
    /// If a tensor of it is missing or has another shape.
    pub fn linear(
        &mut self,
        path: &str,
        n_out: usize,
        n_in: usize,
        has_bias: bool,
    ) -> Result<Linear> {
        let weight = self.matrix(path, n_out, n_in)?;
        self.work.block_weights += n_out * n_in;
        self.work.largest_matrix = self.work.largest_matrix.max(n_out * n_in);
        self.work.bytes_per_token += weight.n_bytes();
        let bias = match has_bias {
            true => Some(self.vector(&format!("{path}.bias"), n_out)?),
            false => None,
        };
        Ok(Linear { weight, bias })
    }

    /// The token embedding at `path`, `[vocab, d_model]`, which is the output head too if `is_head`.
    ///
    /// # Errors
    /// If a tensor of it is missing or has another shape.
    pub fn embedding(
        &mut self,
        path: &str,
        vocab: usize,
        d_model: usize,
        is_head: bool,
    ) -> Result<Matrix> {
        let weight = self.matrix(path, vocab, d_model)?;
        if is_head {
            self.work.head_weights += vocab * d_model;
            self.work.bytes_per_token += weight.n_bytes();
        }
        Ok(weight)
    }

    /// The matrix at `path`, `[n_out, n_in]`: quantized where the file has scales for it.
    ///
    /// # Errors
    /// If a tensor of it is missing or has another shape.
    fn matrix(&mut self, path: &str, n_out: usize, n_in: usize) -> Result<Matrix> {
        if self.reader.has(&format!("{path}.scales")) {
            let layout = self.config.quantization_of(path).with_context(|| {
                format!("{path} has scales in the file, but config.json says it is not quantized")
            })?;
            return Ok(Matrix::Quantized(
                self.quantized(path, n_out, n_in, layout)?,
            ));
        }
        let bytes = self
            .reader
            .take(&format!("{path}.weight"), &[n_out, n_in])?;
        let weight = to_float(&bytes)?;
        if self.compute.on_gpu || weight.dtype() == Dtype::Float32 {
            return Ok(Matrix::Dense(ready(weight)?));
        }
        if self.compute.own_kernels {
            return Ok(Matrix::Half(weight));
        }
        Ok(Matrix::Dense(ready(weight.as_dtype(Dtype::Float32)?)?))
    }

    fn quantized(
        &mut self,
        path: &str,
        n_out: usize,
        n_in: usize,
        layout: LayerQuantization,
    ) -> Result<Quantized> {
        let LayerQuantization { group_size, bits } = layout;
        if !n_in.is_multiple_of(group_size) {
            bail!("{path} is {n_in} wide, which groups of {group_size} do not divide");
        }
        let words = [n_out, n_in * bits / 32];
        let words = self.reader.take(&format!("{path}.weight"), &words)?;
        words.expect_dtype(&[weights::Dtype::U32])?;
        let words = raw(&words, Dtype::Uint32)?;
        let groups = [n_out, n_in / group_size];
        let scales = self.reader.take(&format!("{path}.scales"), &groups)?;
        let biases = self.reader.take(&format!("{path}.biases"), &groups)?;
        Ok(Quantized {
            words,
            scales: self.small(to_float(&scales)?)?,
            biases: self.small(to_float(&biases)?)?,
            group_size: group_size as i32,
            bits: bits as i32,
            on_cpu: self.compute.own_kernels,
        })
    }

    /// The vector called `name`, `[len]`.
    ///
    /// # Errors
    /// If it is missing or has another shape.
    pub fn vector(&mut self, name: &str, len: usize) -> Result<Array> {
        let bytes = self.reader.take(name, &[len])?;
        self.small(to_float(&bytes)?)
    }

    /// The RMSNorm at `path`, `[dim]`.
    ///
    /// # Errors
    /// If its weight is missing or has another shape.
    pub fn rms_norm(&mut self, path: &str, dim: usize, eps: f64) -> Result<RmsNorm> {
        Ok(RmsNorm {
            weight: self.vector(&format!("{path}.weight"), dim)?,
            eps: eps as f32,
            compute: self.compute,
        })
    }

    /// The LayerNorm at `path`, `[dim]`.
    ///
    /// # Errors
    /// If its weight or bias is missing or has another shape.
    pub fn layer_norm(&mut self, path: &str, dim: usize, eps: f64) -> Result<LayerNorm> {
        Ok(LayerNorm {
            weight: self.vector(&format!("{path}.weight"), dim)?,
            bias: self.vector(&format!("{path}.bias"), dim)?,
            eps: eps as f32,
            compute: self.compute,
        })
    }

    /// Ends the load; tells what a pass costs, and what of the file was not used, and why.
    ///
    /// # Errors
    /// If a tensor was neither taken nor explained.
    pub fn finish(self) -> Result<(Work, Vec<Explained>)> {
        Ok((self.work, self.reader.finish()?))
    }

    /// Scales, biases and norms in the type they are computed with.
    fn small(&self, array: Array) -> Result<Array> {
        if self.compute.on_gpu {
            return Ok(array);
        }
        ready(array.as_dtype(Dtype::Float32)?)
    }
}

/// Evaluates a weight now, so that the first pass does not pay for it.
fn ready(array: Array) -> Result<Array> {
    eval([&array])?;
    Ok(array)
}

/// A float tensor as an array of its own type.
fn to_float(tensor: &TensorBytes) -> Result<Array> {
    use weights::Dtype as Stored;
    tensor.expect_dtype(&[Stored::F32, Stored::F16, Stored::BF16])?;
    let dtype = match tensor.info.dtype {
        Stored::F16 => Dtype::Float16,
        Stored::BF16 => Dtype::Bfloat16,
        _ => Dtype::Float32,
    };
    raw(tensor, dtype)
}

fn raw(tensor: &TensorBytes, dtype: Dtype) -> Result<Array> {
    let as_dims = tensor.shape.iter().map(|dim| i32::try_from(*dim));
    let shape: Vec<i32> = as_dims
        .collect::<Result<_, _>>()
        .with_context(|| format!("{} is too large for MLX: {:?}", tensor.name, tensor.shape))?;
    // Bytes inside the program may lie at any address; MLX reads whole numbers.
    let is_aligned = (tensor.bytes.as_ptr() as usize).is_multiple_of(4);
    let bytes = if is_aligned {
        Cow::Borrowed(&*tensor.bytes)
    } else {
        Cow::Owned(tensor.bytes.to_vec())
    };
    // SAFETY: the reader has checked that the bytes fill `shape` in this type; MLX copies them
    // before the call returns.
    Ok(unsafe { Array::from_raw_data(bytes.as_ptr().cast(), &shape, dtype) })
}
