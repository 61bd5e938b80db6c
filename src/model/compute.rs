//! Who computes what stands between the matrices: MLX on a GPU, our own loops on a CPU.
//!
//! MLX's CPU library computes these operations number by number, hands each to another thread, and
//! takes norms and RoPE apart into many of them; for one token that costs more than all the
//! matrices. So where our kernels multiply, they also add, norm, turn and attend. `--kernels mlx`
//! has MLX do everything; the tests hold the two together.

use std::cell::RefCell;

use anyhow::{Context, Result, ensure};
use mlx_rs::{Array, Device, DeviceType, Dtype, fast, ops};

use super::kernels::{self, Angles};
use super::linear::Kernels;

/// Where and by whom a model is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compute {
    /// MLX's default device is a GPU.
    pub on_gpu: bool,
    /// Our CPU kernels compute, rather than MLX's.
    pub own_kernels: bool,
}

thread_local! {
    /// Room for results on their way into an array, kept from call to call.
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

impl Compute {
    /// What `kernels` means on this machine.
    ///
    /// # Errors
    /// If MLX finds no device.
    pub fn new(kernels: Kernels) -> Result<Self> {
        let device = Device::try_default().context("MLX finds no device to compute on")?;
        let on_gpu = matches!(device.get_type()?, DeviceType::Gpu);
        Ok(Self {
            on_gpu,
            own_kernels: !on_gpu && kernels == Kernels::Auto,
        })
    }

    /// What [`Self::new`] is going to say, without asking MLX, which belongs to another thread: MLX's GPU on Apple's
    /// machines, our kernels elsewhere.
    #[must_use]
    pub fn presumed() -> Self {
        let on_gpu = cfg!(target_os = "macos");
        Self {
            on_gpu,
            own_kernels: !on_gpu,
        }
    }

    /// `a + b`, of the same shape.
    ///
    /// # Errors
    /// If the shapes differ.
    pub fn add(self, a: &Array, b: &Array) -> Result<Array> {
        if !self.own_kernels {
            return Ok(a.add(b)?);
        }
        ensure!(
            a.shape() == b.shape(),
            "{:?} and {:?} cannot be added",
            a.shape(),
            b.shape()
        );
        let (a, b) = (on_host(a)?, on_host(b)?);
        let (x, y) = (a.try_as_slice()?, b.try_as_slice()?);
        with_output(a.shape(), |out| kernels::add(x, y, out))
    }

    /// `x` in another shape of the same size.
    ///
    /// # Errors
    /// If the sizes differ.
    pub fn reshape(self, x: &Array, shape: &[i32]) -> Result<Array> {
        /// Values that are copied sooner than MLX's thread is asked to look at them.
        const FEW: usize = 1 << 16;
        let n_values: i32 = shape.iter().product();
        let fits = x.size() == usize::try_from(n_values).unwrap_or(0);
        if !self.own_kernels || x.size() > FEW || !fits {
            return Ok(x.reshape(shape)?);
        }
        let x = on_host(x)?;
        Ok(Array::from_slice(x.try_as_slice::<f32>()?, shape))
    }

    /// `x / sqrt(mean(x²) + eps) * weight`, over the last axis.
    ///
    /// # Errors
    /// If the last axis is not as long as `weight`.
    pub fn rms_norm(self, x: &Array, weight: &Array, eps: f32) -> Result<Array> {
        if !self.own_kernels {
            return Ok(fast::rms_norm(x, Some(weight), eps)?);
        }
        let x = as_wide_as(x, weight)?;
        let (values, weight) = (x.try_as_slice()?, weight.try_as_slice()?);
        with_output(x.shape(), |out| kernels::rms_norm(values, weight, eps, out))
    }

    /// `(x - mean) / sqrt(variance + eps) * weight + bias`, over the last axis.
    ///
    /// # Errors
    /// If the last axis is not as long as `weight` and `bias`.
    pub fn layer_norm(self, x: &Array, weight: &Array, bias: &Array, eps: f32) -> Result<Array> {
        if !self.own_kernels {
            return Ok(fast::layer_norm(x, weight, bias, eps)?);
        }
        let x = as_wide_as(&as_wide_as(x, weight)?, bias)?;
        let (values, weight) = (x.try_as_slice()?, weight.try_as_slice()?);
        let bias = bias.try_as_slice()?;
        with_output(x.shape(), |out| {
            kernels::layer_norm(values, weight, bias, eps, out)
        })
    }

    /// `gate * sigmoid(gate) * up`, the middle of a gated MLP.
    ///
    /// # Errors
    /// If the shapes differ.
    pub fn silu_times(self, gate: &Array, up: &Array) -> Result<Array> {
        if !self.own_kernels {
            // Written out: mlx-rs' own is a compiled function, which on a CPU needs a C++ compiler
            // at run time.
            return Ok(gate.multiply(ops::sigmoid(gate)?)?.multiply(up)?);
        }
        ensure!(
            gate.shape() == up.shape(),
            "the halves of a gated MLP differ in shape"
        );
        let (gate, up) = (on_host(gate)?, on_host(up)?);
        let (g, u) = (gate.try_as_slice()?, up.try_as_slice()?);
        with_output(gate.shape(), |out| kernels::silu_times(g, u, out))
    }

    /// The softmax over the last axis, in float32.
    ///
    /// # Errors
    /// If MLX cannot build the graph.
    pub fn softmax(self, x: &Array) -> Result<Array> {
        if !self.own_kernels {
            return Ok(ops::softmax_axis(x, -1, true)?);
        }
        let x = on_host(x)?;
        let width = x.shape().last().map_or(1, |width| *width as usize);
        let values = x.try_as_slice()?;
        with_output(x.shape(), |out| kernels::softmax(values, width, out))
    }

    /// The lengths of the rows of `x`, `[a, b, width]`, as `[a, b]`.
    ///
    /// # Errors
    /// If MLX cannot build the graph.
    pub fn lengths(self, x: &Array) -> Result<Array> {
        if !self.own_kernels {
            return Ok(x.square()?.sum_axis(-1, false)?.sqrt()?);
        }
        let &[a, b, width] = x.shape() else {
            anyhow::bail!("lengths are of [a, b, width], not {:?}", x.shape());
        };
        let x = on_host(x)?;
        let values = x.try_as_slice()?;
        with_output(&[a, b], |out| kernels::lengths(values, width as usize, out))
    }

    /// The tanh form of GELU, which GPT-2 was trained with (mlx-lm models/gpt2.py: `gelu_approx`).
    ///
    /// # Errors
    /// If MLX cannot build the graph.
    pub fn gelu_tanh(self, x: &Array) -> Result<Array> {
        if self.own_kernels {
            let x = on_host(x)?;
            let values = x.try_as_slice()?;
            return with_output(x.shape(), |out| kernels::gelu_tanh(values, out));
        }
        let cubed = x.square()?.multiply(x)?;
        let inner = x.add(cubed.multiply(Array::from_f32(0.044_715))?)?;
        let inner = inner.multiply(Array::from_f32((2.0 / std::f32::consts::PI).sqrt()))?;
        let gate = ops::tanh(inner)?.add(Array::from_f32(1.0))?;
        Ok(x.multiply(gate)?.multiply(Array::from_f32(0.5))?)
    }
}

/// Turns the pairs of every head of `x`, `[pos, head, head_dim]`, on the CPU.
///
/// # Errors
/// If `x` has not as many positions as `angles`, or heads of another size.
pub fn rotate(x: &Array, angles: &Angles) -> Result<Array> {
    let x = on_host(x)?;
    let &[n_pos, n_heads, head_dim] = x.shape() else {
        anyhow::bail!("RoPE needs [pos, head, head_dim], not {:?}", x.shape());
    };
    let fits = head_dim as usize == 2 * angles.half
        && angles.cos.len() == n_pos as usize * angles.half
        && angles.sin.len() == angles.cos.len();
    ensure!(fits, "the angles of RoPE do not fit {:?}", x.shape());
    let values = x.try_as_slice()?;
    with_output(x.shape(), |out| {
        kernels::rotate(values, n_heads as usize, angles, out)
    })
}

/// An evaluated array in float32, row by row: what our kernels read in place.
///
/// # Errors
/// If MLX cannot evaluate it.
pub fn on_host(x: &Array) -> Result<Array> {
    let x = match x.dtype() {
        Dtype::Float32 => x.clone(),
        _ => x.as_dtype(Dtype::Float32)?,
    };
    if x.try_as_slice::<f32>().is_ok() {
        return Ok(x);
    }
    Ok(x.contiguous()?)
}

/// An array of `shape` that `fill` writes.
///
/// # Errors
/// If the shape is empty.
pub fn with_output(shape: &[i32], fill: impl FnOnce(&mut [f32])) -> Result<Array> {
    let n_values = shape.iter().map(|dim| *dim as usize).product();
    SCRATCH.with_borrow_mut(|scratch| {
        if scratch.len() < n_values {
            scratch.resize(n_values, 0.0);
        }
        let out = scratch
            .get_mut(..n_values)
            .context("the scratch is large enough")?;
        fill(out);
        Ok(Array::from_slice(out, shape))
    })
}

fn as_wide_as(x: &Array, weight: &Array) -> Result<Array> {
    let (width, expected) = (x.shape().last(), weight.shape().last());
    ensure!(
        width == expected,
        "{:?} cannot be normed by {:?}",
        x.shape(),
        weight.shape()
    );
    on_host(x)
}
