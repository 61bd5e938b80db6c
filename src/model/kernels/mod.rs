//! Matrix products on the CPU: plain Rust on slices, no MLX.
//!
//! MLX's own CPU kernels are written for clarity of the library, not for speed: its 4-bit product is twenty times slower than
//! what the memory of an ordinary machine allows. This module holds what stands in their place.
//!
//! | file | holds |
//! |---|---|
//! | `packed`   | [`PackedMatrix`]: a quantized matrix, read as it lies in the file |
//! | `one_row`  | an input row, made ready for the kernels of a decode step |
//! | `float_dot` | such a kernel: a packed matrix times one row |
//! | `integer_dot`, `limbs` | the same in whole numbers, where the processor multiplies bytes |
//! | `half`     | [`HalfMatrix`]: a 16-bit matrix, read as it lies in the file |
//! | `multiply` | `x @ W^T` for both: one row, several rows, many rows |
//! | `blas`, `row_sums` | `cblas_sgemm` for the float32 products that MLX does itself (Linux) |
//! | `tile`     | dot products of a few rows with a few rows, the common core |
//! | `lanes`, `avx512`, `avx2` | what one SIMD register can do, per instruction set |
//! | `instructions` | which instruction set this processor has |
//! | `tasks`    | how rows are shared out among threads |
//! | `crew`     | the threads, ready within a microsecond while work keeps coming |
//! | `rows`     | norms, activations, sums: what happens to each position by itself |
//! | `rope`     | the turn of each pair by its position |
//! | `sums`, `exp` | sums over a row, and `e^x`, as the kernels of both need them |
//! | `attend`   | attention, a few query rows at a time |
//! | `machine`  | how fast this machine could be: bandwidth and GFLOP/s |
//!
//! Every function that reads memory through pointers is small, private, and says why it is sound; what is public checks its sizes
//! and returns a [`KernelError`].

#![allow(
    clippy::indexing_slicing,
    reason = "sizes are checked once where a kernel is entered; a check per value would cost the speed"
)]

mod attend;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_os = "linux")]
mod blas;
mod crew;
mod error;
mod exp;
mod float_dot;
mod half;
mod instructions;
#[cfg(target_arch = "x86_64")]
mod integer_dot;
mod lanes;
#[cfg(target_arch = "x86_64")]
mod limbs;
mod machine;
mod multiply;
mod one_row;
mod packed;
mod rope;
#[cfg(target_os = "linux")]
mod row_sums;
mod rows;
mod sums;
mod tasks;
mod tile;

pub use attend::{AttentionInput, AttentionSize, Visible, attend};
#[cfg(target_os = "linux")]
pub use blas::{BLAS_NAME, sgemm_calls};
/// What multiplies float32 matrices for MLX: on a Mac, Apple's own library.
#[cfg(not(target_os = "linux"))]
pub const BLAS_NAME: &str = "Accelerate";
pub use error::KernelError;
pub use half::{HalfFormat, HalfMatrix};
pub use instructions::InstructionSet;
pub use machine::Machine;
pub use multiply::{Matrix, max_several, multiply_many};
pub use packed::{PackedMatrix, PackedShape};
pub use rope::{Angles, rotate};
pub use rows::{add, add_bias, gelu_tanh, layer_norm, lengths, rms_norm, silu_times, softmax};

#[cfg(test)]
mod tests;
