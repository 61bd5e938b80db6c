//! An input row split into bytes, for the kernel of `integer_dot`.

use std::arch::x86_64::*;

/// Steps in the largest input value. 4 weights of 6 bits times this still fit in 31 bits.
const STEPS: f32 = 8_000_000.0;
/// Signed bytes that an input value is split into.
pub(super) const LIMBS: usize = 3;
/// Bytes in a register.
pub(super) const BYTES: usize = 64;

/// Whether this processor has the instructions.
pub(super) fn is_available() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vnni")
        && is_x86_feature_detected!("avx512vbmi")
}

/// Registers of bytes that a register of runs unpacks to: a run has four weights in each of them.
pub(super) const fn n_planes(bits: usize) -> usize {
    match bits {
        2 => 4,
        3 | 4 => 2,
        _ => 1,
    }
}

/// An input row, split into limbs, in the order in which the kernel meets its values.
pub(super) struct Limbs {
    /// `[chunk, limb, plane, byte]`; a chunk is a register of runs, and zeros fill up the last one.
    pub bytes: Vec<i8>,
    /// What one step is worth.
    pub step: f32,
}

impl Limbs {
    /// Splits an input row for a matrix of so many bits.
    ///
    /// None if this processor lacks the instructions, or the values cannot be split: some are infinite or no numbers, or all are tiny.
    pub fn split(x: &[f32], bits: usize) -> Option<Self> {
        // Without its sign bit, a float's bits are ordered as its value; infinities and NaN come last.
        let largest = x.iter().map(|value| value.to_bits() & 0x7FFF_FFFF).max()?;
        let largest = f32::from_bits(largest);
        if !is_available() || !(1e-30..f32::INFINITY).contains(&largest) {
            return None;
        }
        // SAFETY: the instructions have just been found.
        let bytes = unsafe {
            match bits {
                2 => split::<2, 4>(x, STEPS / largest),
                3 => split::<3, 2>(x, STEPS / largest),
                4 => split::<4, 2>(x, STEPS / largest),
                _ => split::<8, 1>(x, STEPS / largest), // 6 bits have the same order
            }
        };
        Some(Self {
            bytes,
            step: largest / STEPS,
        })
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni,avx512vbmi")]
fn split<const BITS: usize, const PLANES: usize>(x: &[f32], steps_per_unit: f32) -> Vec<i8> {
    let chunk_len = PLANES * BYTES;
    let mut bytes = vec![0; x.len().div_ceil(chunk_len) * LIMBS * chunk_len];
    for (x, out) in x
        .chunks(chunk_len)
        .zip(bytes.chunks_exact_mut(LIMBS * chunk_len))
    {
        // Four planes at most.
        let mut limbs = [[0_i8; 4 * BYTES]; LIMBS];
        for (i, x) in x.as_chunks::<16>().0.iter().enumerate() {
            for (limb, bytes) in limbs.iter_mut().zip(split_sixteen(x, steps_per_unit)) {
                limb[i * 16..i * 16 + 16].copy_from_slice(&bytes);
            }
        }
        for (limb, out) in limbs.iter().zip(out.chunks_exact_mut(chunk_len)) {
            for (plane, out) in out.as_chunks_mut::<BYTES>().0.iter_mut().enumerate() {
                for (i, byte) in out.iter_mut().enumerate() {
                    *byte = limb[weight_of_byte::<BITS, PLANES>(plane, i)];
                }
            }
        }
    }
    bytes
}

/// Which weight of a chunk stands at byte `i` of a plane. `unpack` in `integer_dot` puts it there.
const fn weight_of_byte<const BITS: usize, const PLANES: usize>(plane: usize, i: usize) -> usize {
    if BITS == 3 {
        i / 4 * 8 + plane * 4 + i % 4
    } else {
        i * PLANES + plane
    }
}

/// The limbs of sixteen values, the heaviest first.
#[inline]
#[target_feature(enable = "avx512f")]
fn split_sixteen(x: &[f32; 16], steps_per_unit: f32) -> [[i8; 16]; LIMBS] {
    // SAFETY: sixteen values can be read.
    let x = unsafe { _mm512_loadu_ps(x.as_ptr()) };
    let mut steps = _mm512_cvtps_epi32(_mm512_mul_ps(x, _mm512_set1_ps(steps_per_unit)));
    let mut limbs = [[0; 16]; LIMBS];
    for limb in limbs.iter_mut().rev() {
        // The lowest byte as a signed number; what is left is a multiple of 256.
        let lowest = _mm512_srai_epi32::<24>(_mm512_slli_epi32::<24>(steps));
        steps = _mm512_srai_epi32::<8>(_mm512_sub_epi32(steps, lowest));
        // SAFETY: the array has room for sixteen bytes.
        unsafe { _mm_storeu_si128(limb.as_mut_ptr().cast(), _mm512_cvtepi32_epi8(lowest)) };
    }
    limbs
}
