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
use super::limbs::{BYTES, LIMBS, Limbs, is_available, n_planes};
use super::packed::PackedMatrix;

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
