//! What happens to each position by itself: norms, activations, sums.
//!
//! Plain loops over slices; inside [`run`] the compiler turns them into the registers of the processor at hand. Long inputs are shared among
//! the threads in whole rows, so what a row becomes never depends on how many rows there are.

use std::ops::Range;

use super::crew;
use super::exp::exp;
use super::instructions::{InstructionSet, Kernel, run};
use super::lanes::Lanes;
use super::sums::sum;

/// Values in a task: enough that handing it over does not show.
const TASK: usize = 1 << 14;

/// `x / sqrt(mean(x²) + eps) * weight` for each row of `x`, `[n, weight.len()]`.
pub fn rms_norm(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    by_rows(out, weight.len(), |values, out| {
        let x = &x[values];
        run(
            InstructionSet::best(),
            RmsNorm {
                x,
                weight,
                eps,
                out,
            },
        );
    });
}

/// `(x - mean) / sqrt(variance + eps) * weight + bias` for each row of `x`, `[n, weight.len()]`.
pub fn layer_norm(x: &[f32], weight: &[f32], bias: &[f32], eps: f32, out: &mut [f32]) {
    by_rows(out, weight.len(), |values, out| {
        let x = &x[values];
        let norm = LayerNorm {
            x,
            weight,
            bias,
            eps,
            out,
        };
        run(InstructionSet::best(), norm);
    });
}

/// `gate * sigmoid(gate) * up`, value by value.
pub fn silu_times(gate: &[f32], up: &[f32], out: &mut [f32]) {
    by_rows(out, 1024, |values, out| {
        let (gate, up) = (&gate[values.clone()], &up[values]);
        run(InstructionSet::best(), SiluTimes { gate, up, out });
    });
}

/// The tanh form of GELU, value by value.
pub fn gelu_tanh(x: &[f32], out: &mut [f32]) {
    by_rows(out, 1024, |values, out| {
        let x = &x[values];
        run(InstructionSet::best(), Gelu { x, out });
    });
}

/// The softmax of each row of `x`, `[n, width]`. Where a score is minus infinity the share is 0.
pub fn softmax(x: &[f32], width: usize, out: &mut [f32]) {
    by_rows(out, width, |values, out| {
        let x = &x[values];
        run(InstructionSet::best(), Softmax { x, width, out });
    });
}

/// The length of each row of `x`, `[n, width]`: the root of the sum of its squares.
pub fn lengths(x: &[f32], width: usize, out: &mut [f32]) {
    // A row is as much work as its values, not as its one result.
    let per_task = (TASK / width.max(1)).max(1);
    for (x, out) in x.chunks(per_task * width).zip(out.chunks_mut(per_task)) {
        run(InstructionSet::best(), Lengths { x, width, out });
    }
}

/// `a + b`, value by value.
pub fn add(a: &[f32], b: &[f32], out: &mut [f32]) {
    by_rows(out, 1024, |values, out| {
        let (a, b) = (&a[values.clone()], &b[values]);
        run(InstructionSet::best(), Add { a, b, out });
    });
}

/// Adds `bias` to each row of `x`, `[n, bias.len()]`, in place.
pub fn add_bias(x: &mut [f32], bias: &[f32]) {
    by_rows(x, bias.len(), |_, x| {
        run(InstructionSet::best(), AddBias { x, bias });
    });
}

/// Where the threads write.
struct Output(*mut f32);

// SAFETY: each task writes a stretch of its own.
unsafe impl Sync for Output {}

impl Output {
    /// # Safety
    /// `values` lies in the output, and no other task has any of them.
    #[allow(clippy::mut_from_ref, reason = "the stretches do not overlap")]
    unsafe fn stretch(&self, values: Range<usize>) -> &mut [f32] {
        // SAFETY: by this function's own contract.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(values.start), values.len()) }
    }
}

/// Shares the rows of `out`, each `width` wide, among the threads.
pub(super) fn by_rows(
    out: &mut [f32],
    width: usize,
    work: impl Fn(Range<usize>, &mut [f32]) + Sync,
) {
    if out.is_empty() || width == 0 {
        return;
    }
    let per_task = (TASK / width).max(1) * width;
    let n = out.len();
    let output = Output(out.as_mut_ptr());
    crew::run(n.div_ceil(per_task), &|task| {
        let values = task * per_task..n.min((task + 1) * per_task);
        // SAFETY: tasks have different numbers, so their stretches are apart, and they end within `out`.
        work(values.clone(), unsafe { output.stretch(values) });
    });
}

struct RmsNorm<'a> {
    x: &'a [f32],
    weight: &'a [f32],
    eps: f32,
    out: &'a mut [f32],
}

impl Kernel for RmsNorm<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let width = self.weight.len();
        for (x, out) in self
            .x
            .chunks_exact(width)
            .zip(self.out.chunks_exact_mut(width))
        {
            let mean = sum(x, |x| x * x) / width as f32;
            let scale = 1.0 / (mean + self.eps).sqrt();
            for ((out, x), weight) in out.iter_mut().zip(x).zip(self.weight) {
                *out = x * scale * weight;
            }
        }
    }
}

struct LayerNorm<'a> {
    x: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    eps: f32,
    out: &'a mut [f32],
}

impl Kernel for LayerNorm<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let width = self.weight.len();
        for (x, out) in self
            .x
            .chunks_exact(width)
            .zip(self.out.chunks_exact_mut(width))
        {
            let mean = sum(x, |x| x) / width as f32;
            let variance = sum(x, |x| (x - mean) * (x - mean)) / width as f32;
            let scale = 1.0 / (variance + self.eps).sqrt();
            let gains = self.weight.iter().zip(self.bias);
            for ((out, x), (weight, bias)) in out.iter_mut().zip(x).zip(gains) {
                *out = (x - mean) * scale * weight + bias;
            }
        }
    }
}

struct SiluTimes<'a> {
    gate: &'a [f32],
    up: &'a [f32],
    out: &'a mut [f32],
}

impl Kernel for SiluTimes<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        for ((out, gate), up) in self.out.iter_mut().zip(self.gate).zip(self.up) {
            *out = gate / (1.0 + exp(-gate)) * up;
        }
    }
}

struct Softmax<'a> {
    x: &'a [f32],
    width: usize,
    out: &'a mut [f32],
}

impl Kernel for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let rows = self.out.chunks_exact_mut(self.width);
        for (x, out) in self.x.chunks_exact(self.width).zip(rows) {
            let largest = x.iter().fold(f32::NEG_INFINITY, |a, b| a.max(*b));
            for (out, x) in out.iter_mut().zip(x) {
                *out = exp(x - largest);
            }
            // A row that sees nothing has no shares: they are no numbers, as in MLX.
            let total = sum(out, |share| share);
            for out in out {
                *out /= total;
            }
        }
    }
}

struct Lengths<'a> {
    x: &'a [f32],
    width: usize,
    out: &'a mut [f32],
}

impl Kernel for Lengths<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let rows = self.x.chunks_exact(self.width);
        for (x, out) in rows.zip(self.out) {
            *out = sum(x, |x| x * x).sqrt();
        }
    }
}

struct Gelu<'a> {
    x: &'a [f32],
    out: &'a mut [f32],
}

impl Kernel for Gelu<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        const SQRT_2_OVER_PI: f32 = 0.797_884_6;
        for (out, x) in self.out.iter_mut().zip(self.x) {
            // 1 + tanh(y) = 2 / (1 + exp(-2y))
            let y = SQRT_2_OVER_PI * (x + 0.044_715 * x * x * x);
            *out = x / (1.0 + exp(-2.0 * y));
        }
    }
}

struct Add<'a> {
    a: &'a [f32],
    b: &'a [f32],
    out: &'a mut [f32],
}

impl Kernel for Add<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        for ((out, a), b) in self.out.iter_mut().zip(self.a).zip(self.b) {
            *out = a + b;
        }
    }
}

struct AddBias<'a> {
    x: &'a mut [f32],
    bias: &'a [f32],
}

impl Kernel for AddBias<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        for row in self.x.chunks_exact_mut(self.bias.len()) {
            for (x, bias) in row.iter_mut().zip(self.bias) {
                *x += bias;
            }
        }
    }
}
