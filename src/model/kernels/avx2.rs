//! Eight float32 lanes: AVX2 with FMA and F16C.

use std::arch::x86_64::*;

use super::lanes::{Lanes, ONE, fraction_mask, shift_to_fraction};

/// One 256-bit register.
#[derive(Clone, Copy)]
pub(super) struct Avx2(__m256);

/// Where in the block the `width` bytes begin that hold the weights of `part`: early where they would else end outside the block.
const fn load_at(bits: usize, part: usize, width: usize) -> usize {
    let (start, last) = (part * bits, 4 * bits - width);
    if start < last { start } else { last }
}

/// Shifts that bring each weight down, for widths at which eight weights fit in one 32-bit word.
const fn word_shifts(bits: usize, part: usize) -> [i32; 8] {
    let skipped = part * bits - load_at(bits, part, 4);
    let mut shifts = [0; 8];
    let mut lane = 0;
    while lane < 8 {
        shifts[lane] = (8 * skipped + lane * bits) as i32;
        lane += 1;
    }
    shifts
}

/// The two bytes of each 6-bit weight among the eight that are loaded, as indices of a byte shuffle; a set top bit gives zero.
const fn six_bit_bytes(part: usize) -> [i32; 8] {
    let skipped = part * 6 - load_at(6, part, 8);
    let mut bytes = [0; 8];
    let mut lane = 0;
    while lane < 8 {
        let first = (skipped + lane * 6 / 8) as i32;
        bytes[lane] = first | (first + 1) << 8 | (0x8080 << 16);
        lane += 1;
    }
    bytes
}

const SIX_BIT_SHIFTS: [i32; 8] = [0, 6, 4, 2, 0, 6, 4, 2];
const SIX_BIT_BYTES: [[i32; 8]; 4] = [
    six_bit_bytes(0),
    six_bit_bytes(1),
    six_bit_bytes(2),
    six_bit_bytes(3),
];

/// The shifts of every part of a block, worked out by the compiler.
struct Shifts<const BITS: usize>;

impl<const BITS: usize> Shifts<BITS> {
    const PARTS: [[i32; 8]; 4] = [
        word_shifts(BITS, 0),
        word_shifts(BITS, 1),
        word_shifts(BITS, 2),
        word_shifts(BITS, 3),
    ];
}

/// For 3-byte runs: which three bytes of a half go to each of its lanes, in the upper half from the fifth on; a set top bit gives zero.
const TRIPLES: [u8; 32] = {
    let mut bytes = [0x80; 32];
    let mut lane = 0;
    while lane < 8 {
        let first = (lane % 4 * 3 + lane / 4 * 4) as u8;
        (bytes[lane * 4], bytes[lane * 4 + 1], bytes[lane * 4 + 2]) = (first, first + 1, first + 2);
        lane += 1;
    }
    bytes
};

/// A mask with the lowest `n` of 8 lanes set.
#[inline(always)]
unsafe fn first_lanes(n: usize) -> __m256i {
    const SET_THEN_CLEAR: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    // SAFETY: the caller has AVX2, and `n` is at most 8.
    unsafe { _mm256_loadu_si256(SET_THEN_CLEAR.as_ptr().add(8 - n).cast()) }
}

impl Lanes for Avx2 {
    type Runs = __m256i;

    const WIDTH: usize = 8;
    const TILE_WEIGHTS: usize = 2;
    const TILE_INPUTS: usize = 4;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: the caller has AVX2.
        Self(unsafe { _mm256_set1_ps(value) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller has AVX2 and vouches for eight values.
        Self(unsafe { _mm256_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn load_tail(from: *const f32, n: usize) -> Self {
        // SAFETY: the caller has AVX2 and vouches for `n` values.
        Self(unsafe { _mm256_maskload_ps(from, first_lanes(n)) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller has AVX2 and vouches for room for eight values.
        unsafe { _mm256_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, addend: Self) -> Self {
        // SAFETY: the caller has FMA.
        Self(unsafe { _mm256_fmadd_ps(self.0, factor.0, addend.0) })
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: the caller has AVX2.
        unsafe {
            let four = _mm_add_ps(
                _mm256_castps256_ps128(self.0),
                _mm256_extractf128_ps::<1>(self.0),
            );
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }

    #[inline(always)]
    unsafe fn unpack<const BITS: usize>(block: *const u8, part: usize) -> Self {
        // SAFETY: the caller has AVX2; every load lies in the block's `4 * BITS` bytes, and `part < 4`.
        unsafe {
            let weights = match BITS {
                8 => _mm256_cvtepu8_epi32(_mm_loadl_epi64(block.add(part * 8).cast())),
                6 => {
                    let packed = block
                        .add(load_at(6, part, 8))
                        .cast::<i64>()
                        .read_unaligned();
                    let bytes = _mm256_loadu_si256(SIX_BIT_BYTES[part].as_ptr().cast());
                    let pairs = _mm256_shuffle_epi8(_mm256_set1_epi64x(packed), bytes);
                    _mm256_srlv_epi32(pairs, _mm256_loadu_si256(SIX_BIT_SHIFTS.as_ptr().cast()))
                }
                _ => {
                    let word = block
                        .add(load_at(BITS, part, 4))
                        .cast::<i32>()
                        .read_unaligned();
                    let shifts = _mm256_loadu_si256(Shifts::<BITS>::PARTS[part].as_ptr().cast());
                    _mm256_srlv_epi32(_mm256_set1_epi32(word), shifts)
                }
            };
            let weights = if BITS == 8 {
                weights
            } else {
                _mm256_and_si256(weights, _mm256_set1_epi32((1 << BITS) - 1))
            };
            Self(_mm256_cvtepi32_ps(weights))
        }
    }

    #[inline(always)]
    unsafe fn load_runs<const BYTES: usize>(from: *const u8, n: usize) -> __m256i {
        // SAFETY: the caller has AVX2 and vouches for `n` runs; four runs of 3 bytes are three whole words.
        unsafe {
            if BYTES == 4 {
                return _mm256_maskload_epi32(from.cast(), first_lanes(n));
            }
            if BYTES == 2 {
                let words =
                    _mm_maskload_epi32(from.cast(), _mm256_castsi256_si128(first_lanes(n / 2)));
                return _mm256_cvtepu16_epi32(words);
            }
            // Sixteen bytes are loaded for the twelve of each half: the lower half's end, and the upper half's begin, four too many.
            let (low, high) = if n == 8 {
                (
                    _mm_loadu_si128(from.cast()),
                    _mm_loadu_si128(from.add(8).cast()),
                )
            } else {
                let three = _mm_setr_epi32(-1, -1, -1, 0);
                (_mm_maskload_epi32(from.cast(), three), _mm_setzero_si128())
            };
            let triples = _mm256_loadu_si256(TRIPLES.as_ptr().cast());
            _mm256_shuffle_epi8(_mm256_set_m128i(high, low), triples)
        }
    }

    #[inline(always)]
    unsafe fn fraction<const BITS: usize>(runs: __m256i, i: usize) -> Self {
        let shift = shift_to_fraction(BITS, i);
        // SAFETY: the caller has AVX2.
        unsafe {
            // Constant once the loop over `i` is unrolled: one shift by a fixed amount.
            let amount = _mm256_set1_epi32(shift.unsigned_abs() as i32);
            let moved = if shift >= 0 {
                _mm256_sllv_epi32(runs, amount)
            } else {
                _mm256_srlv_epi32(runs, amount)
            };
            let fraction = _mm256_and_si256(moved, _mm256_set1_epi32(fraction_mask(BITS) as i32));
            Self(_mm256_castsi256_ps(_mm256_or_si256(
                fraction,
                _mm256_set1_epi32(ONE as i32),
            )))
        }
    }

    #[inline(always)]
    unsafe fn spread(from: *const f32, n: usize, lanes_each: usize) -> Self {
        // SAFETY: the caller has AVX2 and vouches for `n` values.
        unsafe {
            if lanes_each >= 8 {
                return Self(_mm256_set1_ps(*from));
            }
            let values = _mm256_maskload_ps(from, first_lanes(n));
            let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            let shift = _mm256_set1_epi32(lanes_each.trailing_zeros() as i32);
            Self(_mm256_permutevar8x32_ps(
                values,
                _mm256_srlv_epi32(lanes, shift),
            ))
        }
    }

    #[inline(always)]
    unsafe fn load_f16(from: *const u16) -> Self {
        // SAFETY: the caller has F16C and vouches for eight values.
        Self(unsafe { _mm256_cvtph_ps(_mm_loadu_si128(from.cast())) })
    }

    #[inline(always)]
    unsafe fn load_bf16(from: *const u16) -> Self {
        // SAFETY: the caller has AVX2 and vouches for eight values.
        unsafe {
            let wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(from.cast()));
            Self(_mm256_castsi256_ps(_mm256_slli_epi32::<16>(wide)))
        }
    }
}
