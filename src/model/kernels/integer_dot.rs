//! Rows of a packed matrix times one input row, in whole numbers: for processors that multiply bytes (AVX-512 VNNI and VBMI).
//!
//! One `vpdpbusd` multiplies 64 packed weights, unpacked no further than to bytes, with 64 signed bytes, and adds them up exactly. The
//! input has more than eight bits, so it is split: `x = step * (65536 * a + 256 * b + c)` with `a`, `b`, `c` signed bytes, its three
//! *limbs*. The step is chosen so that the largest value is 8 million steps: as fine as a float32 of that size. Three byte products
//! take fewer instructions than turning the weights into floats, and the sums of a run are exact.

use std::arch::x86_64::*;
use std::ops::Range;

use super::avx512::Avx512;
use super::lanes::Lanes;
use super::packed::PackedMatrix;

/// Steps in the largest input value. 4 weights of 6 bits times this still fit in 31 bits.
const STEPS: f32 = 8_000_000.0;
/// Signed bytes that an input value is split into.
const LIMBS: usize = 3;
/// Bytes in a register.
const BYTES: usize = 64;

/// Whether this processor has the instructions.
pub(super) fn is_available() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vnni")
        && is_x86_feature_detected!("avx512vbmi")
}

/// Registers of bytes that a register of runs unpacks to: a run has four weights in each of them.
const fn n_planes(bits: usize) -> usize {
    match bits {
        2 => 4,
        3 | 4 => 2,
        _ => 1,
    }
}

/// An input row, split into limbs, in the order in which the kernel meets its values.
pub(super) struct Limbs {
    /// `[chunk, limb, plane, byte]`; a chunk is a register of runs, and zeros fill up the last one.
    bytes: Vec<i8>,
    /// What one step is worth.
    step: f32,
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

/// Which weight of a chunk stands at byte `i` of a plane. [`plane`] puts it there.
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

/// The products of `rows` with an input row, `out` `[rows]`.
///
/// `group_sums` are the sums of the input's groups, followed by zeros up to a multiple of 16.
pub(super) fn dot_rows(
    matrix: &PackedMatrix<'_>,
    rows: Range<usize>,
    limbs: &Limbs,
    group_sums: &[f32],
    out: &mut [f32],
) {
    let chunk_len = n_planes(matrix.bits()) * BYTES;
    assert!(limbs.bytes.len() == matrix.n_in().div_ceil(chunk_len) * LIMBS * chunk_len);
    assert!(group_sums.len() >= (matrix.n_in() / matrix.group_size()).next_multiple_of(16));
    assert!(rows.end <= matrix.n_out() && out.len() == rows.len() && is_available());
    let task = DotRows {
        matrix,
        start: rows.start,
        limbs,
        group_sums,
        out,
    };
    // SAFETY: the processor has the instructions, and all sizes fit.
    unsafe {
        match matrix.bits() {
            2 => task.with_bits::<2, 4>(),
            3 => task.with_bits::<3, 2>(),
            4 => task.with_bits::<4, 2>(),
            6 => task.with_bits::<6, 1>(),
            _ => task.with_bits::<8, 1>(),
        }
    }
}

/// Rows from `start` times one input row, `out` `[rows]`.
struct DotRows<'a> {
    matrix: &'a PackedMatrix<'a>,
    start: usize,
    limbs: &'a Limbs,
    group_sums: &'a [f32],
    out: &'a mut [f32],
}

impl DotRows<'_> {
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni,avx512vbmi")]
    unsafe fn with_bits<const BITS: usize, const PLANES: usize>(self) {
        // SAFETY: sizes were checked before `self` was made; a prefetch cannot fail.
        unsafe {
            // The limbs lie in the cache of the core that made them. Asked for one by one, each line would be waited for.
            for line in self.limbs.bytes.chunks(BYTES) {
                _mm_prefetch::<_MM_HINT_T0>(line.as_ptr());
            }
            match self.matrix.group_size() {
                32 => self.with_group::<BITS, PLANES, 32>(),
                64 => self.with_group::<BITS, PLANES, 64>(),
                _ => self.with_group::<BITS, PLANES, 128>(),
            }
        }
    }

    /// A row from each part of the rows at a time: they share the loads of the input, and the processor's look-ahead follows each
    /// part from end to end.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni,avx512vbmi")]
    unsafe fn with_group<const BITS: usize, const PLANES: usize, const GROUP: usize>(self) {
        const PARTS: usize = 2;
        let stride = self.out.len() / PARTS;
        // SAFETY: the rows exist.
        unsafe {
            for i in 0..stride {
                let rows = std::array::from_fn(|part| self.start + part * stride + i);
                let sums = self.dot::<BITS, PLANES, GROUP, PARTS>(rows);
                for (part, sum) in sums.into_iter().enumerate() {
                    self.out[part * stride + i] = sum;
                }
            }
            for i in PARTS * stride..self.out.len() {
                [self.out[i]] = self.dot::<BITS, PLANES, GROUP, 1>([self.start + i]);
            }
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni,avx512vbmi")]
    unsafe fn dot<const BITS: usize, const PLANES: usize, const GROUP: usize, const R: usize>(
        &self,
        rows: [usize; R],
    ) -> [f32; R] {
        let n_runs = self.matrix.n_in() / (4 * PLANES);
        let (n_chunks, rest) = (n_runs / 16, n_runs % 16);
        let mut sums = [_mm512_setzero_ps(); R];
        let mut out = [0.0; R];
        // SAFETY: the rows exist, and the limbs and group sums are as wide as they are.
        unsafe {
            for chunk in 0..n_chunks {
                self.chunk::<BITS, PLANES, GROUP, R>(rows, chunk, 16, &mut sums);
            }
            if rest > 0 {
                self.chunk::<BITS, PLANES, GROUP, R>(rows, n_chunks, rest, &mut sums);
            }
            for ((out, row), sum) in out.iter_mut().zip(rows).zip(sums) {
                let offset = self.offset(row, self.matrix.n_in() / GROUP);
                let total = _mm512_fmadd_ps(sum, _mm512_set1_ps(self.limbs.step), offset);
                *out = _mm512_reduce_add_ps(total);
            }
        }
        out
    }

    /// `scale * Σ q * steps` of a chunk of each row, whose first `n_lanes` lanes hold runs, added to `sums`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni,avx512vbmi")]
    unsafe fn chunk<const BITS: usize, const PLANES: usize, const GROUP: usize, const R: usize>(
        &self,
        rows: [usize; R],
        chunk: usize,
        n_lanes: usize,
        sums: &mut [__m512; R],
    ) {
        let limbs = self
            .limbs
            .bytes
            .as_ptr()
            .wrapping_add(chunk * LIMBS * PLANES * BYTES);
        // A group is part of a chunk, or a chunk part of a group.
        let (group, lanes_each) = (chunk * PLANES * BYTES / GROUP, GROUP / (4 * PLANES));
        for (row, sum) in rows.into_iter().zip(sums) {
            // SAFETY: the chunk lies in the row and in the limbs.
            unsafe {
                let (words, scales, _) = self.matrix.row(row);
                let words = words.add(chunk * PLANES * BITS * 8);
                let runs = if PLANES * BITS == 8 {
                    Avx512::load_runs::<4>(words, n_lanes)
                } else {
                    Avx512::load_runs::<3>(words, n_lanes)
                };
                let mut products = _mm512_setzero_si512();
                let mut heavy = _mm512_setzero_ps();
                for limb in 0..LIMBS {
                    for plane in 0..PLANES {
                        let x =
                            _mm512_loadu_si512(limbs.add((limb * PLANES + plane) * BYTES).cast());
                        products = _mm512_dpbusd_epi32(products, unpack::<BITS>(runs, plane), x);
                    }
                    if limb == 0 && BITS == 8 {
                        // Of 8-bit weights the heaviest limb would not fit once it is moved up.
                        heavy =
                            _mm512_mul_ps(_mm512_cvtepi32_ps(products), _mm512_set1_ps(65536.0));
                        products = _mm512_setzero_si512();
                    } else if limb < LIMBS - 1 {
                        products = _mm512_slli_epi32::<8>(products);
                    }
                }
                let products = _mm512_add_ps(_mm512_cvtepi32_ps(products), heavy);
                let scale =
                    Avx512::spread(scales.add(group), n_lanes.div_ceil(lanes_each), lanes_each);
                *sum = _mm512_fmadd_ps(products, scale.0, *sum);
            }
        }
    }

    /// `bias * Σ x` of every group of a row, to be summed over the lanes.
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn offset(&self, row: usize, n_groups: usize) -> __m512 {
        let mut offset = _mm512_setzero_ps();
        for first in (0..n_groups).step_by(16) {
            // SAFETY: the row has `n_groups` biases, and the sums go on with zeros.
            unsafe {
                let (_, _, biases) = self.matrix.row(row);
                let biases = Avx512::load_tail(biases.add(first), (n_groups - first).min(16));
                let sums = _mm512_loadu_ps(self.group_sums.as_ptr().add(first));
                offset = _mm512_fmadd_ps(biases.0, sums, offset);
            }
        }
        offset
    }
}

/// Four weights of every run, as bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn unpack<const BITS: usize>(runs: __m512i, plane: usize) -> __m512i {
    let mask = _mm512_set1_epi8(((1_u32 << BITS) - 1) as i8);
    match BITS {
        8 => runs,
        3 | 6 => {
            // Eight weights of two runs, each from any bit of the 64 that hold both.
            let first = (plane * 4 * BITS) as i64;
            let mut at = 0;
            for byte in (0..8).rev() {
                at = at << 8 | (byte / 4 * 32 + first + byte % 4 * BITS as i64);
            }
            _mm512_and_si512(
                _mm512_multishift_epi64_epi8(_mm512_set1_epi64(at), runs),
                mask,
            )
        }
        _ => {
            // Bits that a shift brings over from the next byte are masked away.
            let shift = _mm512_set1_epi32((plane * BITS) as i32);
            _mm512_and_si512(_mm512_srlv_epi32(runs, shift), mask)
        }
    }
}
