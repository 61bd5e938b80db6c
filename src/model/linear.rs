//! Linear layers and embeddings: the only doors to the weights.
//!
//! Behind [`Matrix::project`] stand two kernels: MLX's own (Metal, CUDA, and on a CPU on request)
//! and ours for the CPU, which read the packed words in place. On a CPU ours are 20 times as fast,
//! at the price that they evaluate their input at once.

use std::cell::RefCell;

use anyhow::{Context, Result};
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use mlx_rs::ops::indexing::take_axis;
use mlx_rs::{Array, Dtype, ops};

use super::compute::on_host;
use super::kernels::{self, HalfFormat, HalfMatrix, PackedMatrix, PackedShape};

/// Who multiplies matrices.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Kernels {
    /// Vitrine's own on a CPU, MLX's on a GPU.
    #[default]
    Auto,
    /// MLX's own everywhere.
    Mlx,
}

/// A weight matrix, `[out, in]`, in the form it is multiplied from.
#[derive(Debug, Clone)]
pub enum Matrix {
    /// Float values; MLX multiplies.
    Dense(Array),
    /// 16-bit values that our CPU kernel widens on the fly.
    Half(Array),
    /// 4-bit affine quantization (or 2, 3, 6, 8): `w = scale * q + bias` per group.
    Quantized(Quantized),
}

/// The three arrays of a quantized matrix.
#[derive(Debug, Clone)]
pub struct Quantized {
    /// Packed values, lowest bits first, `[out, in * bits / 32]` of `u32`.
    pub words: Array,
    /// `[out, in / group_size]`.
    pub scales: Array,
    /// `[out, in / group_size]`; not a linear layer's `bias`.
    pub biases: Array,
    /// Weights that share a scale and a bias.
    pub group_size: i32,
    /// Bits per weight.
    pub bits: i32,
    /// Whether our CPU kernel multiplies, or MLX's.
    pub on_cpu: bool,
}

impl Matrix {
    /// `x @ W^T`: `[pos, in]` to `[pos, out]`.
    ///
    /// # Errors
    /// If `x` is not `in` wide.
    pub fn project(&self, x: &Array) -> Result<Array> {
        let [y] = project_all([self], [None], x)?;
        Ok(y)
    }

    /// As [`Matrix::project`], by MLX's own kernel whatever else there is.
    ///
    /// # Errors
    /// If `x` is not `in` wide.
    pub fn project_with_mlx(&self, x: &Array) -> Result<Array> {
        match self {
            Self::Dense(weight) | Self::Half(weight) => Ok(x.matmul(weight.t())?),
            Self::Quantized(quantized) => quantized.project(x),
        }
    }

    /// The matrix as our CPU kernels read it, if they are to multiply it.
    fn on_cpu(&self) -> Option<Result<kernels::Matrix<'_>>> {
        match self {
            Self::Quantized(q) if q.on_cpu => Some(q.packed().map(kernels::Matrix::Packed)),
            Self::Half(weight) => Some(half_matrix(weight).map(kernels::Matrix::Half)),
            Self::Dense(_) | Self::Quantized(_) => None,
        }
    }

    /// The rows at `ids`, as floats, `[n, in]`: an embedding look-up.
    ///
    /// # Errors
    /// If an id is beyond the last row.
    pub fn rows(&self, ids: &[u32]) -> Result<Array> {
        let n_out = self.n_out();
        if let Some(id) = ids.iter().find(|id| **id as usize >= n_out) {
            anyhow::bail!("token id {id} is beyond the vocabulary of {n_out}");
        }
        let index: Vec<i32> = ids.iter().map(|id| *id as i32).collect();
        let index = Array::from_slice(&index, &[index.len() as i32]);
        match self {
            Self::Dense(weight) => Ok(take_axis(weight, &index, 0)?), // [n, in]
            Self::Half(weight) => Ok(take_axis(weight, &index, 0)?.as_dtype(Dtype::Float32)?),
            Self::Quantized(quantized) => quantized.rows(&index),
        }
    }

    /// The whole matrix as floats, `[out, in]`. Large: for watchers, never for a plain pass.
    ///
    /// # Errors
    /// If MLX cannot build the graph.
    pub fn to_dense(&self) -> Result<Array> {
        match self {
            Self::Dense(weight) | Self::Half(weight) => Ok(weight.as_dtype(Dtype::Float32)?),
            Self::Quantized(quantized) => quantized.to_dense(),
        }
    }

    /// Output values: rows of the matrix.
    #[must_use]
    pub fn n_out(&self) -> usize {
        let rows = match self {
            Self::Dense(weight) | Self::Half(weight) => weight.dim(0),
            Self::Quantized(quantized) => quantized.words.dim(0),
        };
        rows as usize
    }

    /// Bytes of the weights as they are held: what a token reads to pass through.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        match self {
            Self::Dense(weight) | Self::Half(weight) => weight.nbytes(),
            Self::Quantized(q) => q.words.nbytes() + q.scales.nbytes() + q.biases.nbytes(),
        }
    }
}

impl Quantized {
    fn rows(&self, index: &Array) -> Result<Array> {
        let words = take_axis(&self.words, index, 0)?; // [n, in * bits / 32]
        let scales = take_axis(&self.scales, index, 0)?; // [n, in / group_size]
        let biases = take_axis(&self.biases, index, 0)?; // [n, in / group_size]
        Ok(ops::dequantize(
            words,
            scales,
            &biases,
            self.group_size,
            self.bits,
        )?) // [n, in]
    }

    fn to_dense(&self) -> Result<Array> {
        let dense = ops::dequantize(
            &self.words,
            &self.scales,
            &self.biases,
            self.group_size,
            self.bits,
        )?; // [out, in]
        Ok(dense.as_dtype(Dtype::Float32)?)
    }

    fn project(&self, x: &Array) -> Result<Array> {
        Ok(ops::quantized_matmul(
            x,
            &self.words,
            &self.scales,
            &self.biases,
            true,
            self.group_size,
            self.bits,
        )?)
    }

    fn packed(&self) -> Result<PackedMatrix<'_>> {
        Ok(PackedMatrix::new(
            self.words.try_as_slice::<u32>()?,
            self.scales.try_as_slice::<f32>()?,
            self.biases.try_as_slice::<f32>()?,
            PackedShape {
                n_out: self.words.dim(0) as usize,
                n_in: self.words.dim(1) as usize * 32 / self.bits as usize,
                bits: self.bits as usize,
                group_size: self.group_size as usize,
            },
        )?)
    }
}

/// Several matrices with the same input, `[pos, in]`: together they wait for it only once, and
/// share the cores.
///
/// # Errors
/// If `x` is not as wide as each matrix' rows.
fn project_all<const N: usize>(
    matrices: [&Matrix; N],
    biases: [Option<&Array>; N],
    x: &Array,
) -> Result<[Array; N]> {
    if matrices.iter().any(|matrix| matrix.on_cpu().is_some()) {
        return project_on_cpu(matrices, biases, x);
    }
    let mut outputs = Vec::with_capacity(N);
    for (matrix, bias) in matrices.into_iter().zip(biases) {
        outputs.push(with_bias(matrix.project_with_mlx(x)?, bias)?); // [pos, out]
    }
    outputs.try_into().ok().context("one output per matrix")
}

/// [`project_all`] with our kernels: evaluates `x`, reads it and the weights in place, and hands
/// the results back to MLX.
fn project_on_cpu<const N: usize>(
    matrices: [&Matrix; N],
    biases: [Option<&Array>; N],
    x: &Array,
) -> Result<[Array; N]> {
    let x = on_host(x)?;
    let input = x.try_as_slice::<f32>()?;
    let n_pos = x.dim(0);
    let mut outputs = Vec::with_capacity(N);
    BUFFERS.with_borrow_mut(|buffers| {
        buffers.resize_with(N, Vec::new);
        let mut work = Vec::with_capacity(N);
        for (matrix, buffer) in matrices.iter().zip(buffers.iter_mut()) {
            if let Some(host) = matrix.on_cpu() {
                let n_values = n_pos as usize * matrix.n_out();
                buffer.resize(n_values, 0.0);
                work.push((host?, buffer.as_mut_slice()));
            }
        }
        kernels::multiply_many(&mut work, input)?;
        drop(work);
        let layers = matrices.iter().zip(buffers).zip(biases);
        for ((matrix, buffer), bias) in layers {
            if matrix.on_cpu().is_none() {
                outputs.push(with_bias(matrix.project_with_mlx(&x)?, bias)?); // [pos, out]
                continue;
            }
            if let Some(bias) = bias {
                kernels::add_bias(buffer, bias.try_as_slice::<f32>()?);
            }
            outputs.push(Array::from_slice(buffer, &[n_pos, matrix.n_out() as i32])); // [pos, out]
        }
        Ok::<_, anyhow::Error>(())
    })?;
    outputs.try_into().ok().context("one output per matrix")
}

thread_local! {
    /// Room for products on their way into arrays, kept from call to call.
    static BUFFERS: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

fn with_bias(y: Array, bias: Option<&Array>) -> Result<Array> {
    Ok(match bias {
        Some(bias) => y.add(bias)?,
        None => y,
    })
}

/// A linear layer: `x @ W^T + bias`.
#[derive(Debug, Clone)]
pub struct Linear {
    /// `[out, in]`.
    pub weight: Matrix,
    /// `[out]`, where the layer has one.
    pub bias: Option<Array>,
}

impl Linear {
    /// `[pos, in]` to `[pos, out]`.
    ///
    /// # Errors
    /// If `x` is not `in` wide.
    pub fn forward(&self, x: &Array) -> Result<Array> {
        let [y] = forward_all([self], x)?;
        Ok(y)
    }
}

/// Several layers that read the same input, `[pos, in]`, each to `[pos, out]`.
///
/// # Errors
/// If `x` is not as wide as each layer reads.
pub fn forward_all<const N: usize>(layers: [&Linear; N], x: &Array) -> Result<[Array; N]> {
    let biases = layers.map(|layer| layer.bias.as_ref());
    project_all(layers.map(|layer| &layer.weight), biases, x)
}

/// A 16-bit matrix as our CPU kernels read it.
fn half_matrix(weight: &Array) -> Result<HalfMatrix<'_>> {
    let (n_out, n_in) = (weight.dim(0) as usize, weight.dim(1) as usize);
    let (bits, format) = match weight.dtype() {
        Dtype::Float16 => (
            weight.try_as_slice::<f16>()?.reinterpret_cast(),
            HalfFormat::F16,
        ),
        _ => (
            weight.try_as_slice::<bf16>()?.reinterpret_cast(),
            HalfFormat::Bf16,
        ),
    };
    Ok(HalfMatrix::new(bits, format, n_out, n_in)?)
}
