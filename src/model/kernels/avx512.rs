//! Sixteen float32 lanes: AVX-512 F and BW.

use std::arch::x86_64::*;

use super::lanes::{BLOCK, Lanes, ONE, fraction_mask, shift_to_fraction};

/// One 512-bit register.
#[derive(Clone, Copy)]
pub(super) struct Avx512(pub __m512);

/// For each half of a block of `bits`-wide weights: which two bytes hold each weight, and how far up it sits in them.
///
/// `width` is the number of bytes that are loaded: the second half's load begins early where it would else end outside
/// the block, and its bytes are counted from there.
const fn places(bits: usize, part: usize, width: usize) -> ([i32; 16], [i32; 16]) {
    let skipped = part * 2 * bits - load_at(bits, part, width);
    let (mut bytes, mut shifts) = ([0; 16], [0; 16]);
    let mut lane = 0;
    while lane < 16 {
        let bit = lane * bits;
        let first = (skipped + bit / 8) as i32;
        // In a byte shuffle an index with its top bit set gives zero: the upper half of each 32-bit lane.
        bytes[lane] = first | (first + 1) << 8 | (0x8080 << 16);
        shifts[lane] = (bit % 8) as i32;
        lane += 1;
    }
    (bytes, shifts)
}

/// Where in the block the `width` bytes begin that hold the weights of `part`.
const fn load_at(bits: usize, part: usize, width: usize) -> usize {
    let (start, last) = (part * 2 * bits, 4 * bits - width);
    if start < last { start } else { last }
}

/// The places of both halves, worked out by the compiler.
struct Places<const BITS: usize>;

impl<const BITS: usize> Places<BITS> {
    const WIDTH: usize = if BITS == 6 { 16 } else { 8 };
    const HALVES: [([i32; 16], [i32; 16]); 2] =
        [places(BITS, 0, Self::WIDTH), places(BITS, 1, Self::WIDTH)];
}

/// For 3-byte runs: which 32-bit words go to each quarter of the register, twelve bytes to a quarter …
const QUARTERS: [i32; 16] = [0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11];
/// … and which three bytes of a quarter go to each of its lanes; a set top bit gives zero.
const TRIPLES: [u8; 64] = {
    let mut bytes = [0x80; 64];
    let mut lane = 0;
    while lane < 16 {
        let first = (lane % 4 * 3) as u8;
        (bytes[lane * 4], bytes[lane * 4 + 1], bytes[lane * 4 + 2]) = (first, first + 1, first + 2);
        lane += 1;
    }
    bytes
};

/// The lowest `n` of 16 lanes.
#[inline(always)]
fn first_lanes(n: usize) -> __mmask16 {
    ((1_u32 << n) - 1) as __mmask16
}

impl Lanes for Avx512 {
    type Runs = __m512i;

    const WIDTH: usize = 16;
    const TILE_WEIGHTS: usize = 4;
    const TILE_INPUTS: usize = 6;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: the caller has AVX-512.
        Self(unsafe { _mm512_set1_ps(value) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller has AVX-512 and vouches for sixteen values.
        Self(unsafe { _mm512_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn load_tail(from: *const f32, n: usize) -> Self {
        // SAFETY: the caller has AVX-512 and vouches for `n` values.
        Self(unsafe { _mm512_maskz_loadu_ps(first_lanes(n), from) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller has AVX-512 and vouches for room for sixteen values.
        unsafe { _mm512_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, addend: Self) -> Self {
        // SAFETY: the caller has AVX-512.
        Self(unsafe { _mm512_fmadd_ps(self.0, factor.0, addend.0) })
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: the caller has AVX-512.
        unsafe { _mm512_reduce_add_ps(self.0) }
    }

    #[inline(always)]
    unsafe fn unpack<const BITS: usize>(block: *const u8, part: usize) -> Self {
        const { assert!(BLOCK == 32) };
        // SAFETY: the caller has AVX-512; every load lies in the block's `4 * BITS` bytes, and `part < 2`.
        unsafe {
            let weights = match BITS {
                8 => _mm512_cvtepu8_epi32(_mm_loadu_si128(block.add(part * 16).cast())),
                2 => {
                    // Sixteen weights are one 32-bit word.
                    let word = block.add(part * 4).cast::<i32>().read_unaligned();
                    let shifts = _mm512_setr_epi32(
                        0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30,
                    );
                    _mm512_srlv_epi32(_mm512_set1_epi32(word), shifts)
                }
                _ => {
                    let at = block.add(load_at(BITS, part, Places::<BITS>::WIDTH));
                    let packed = if Places::<BITS>::WIDTH == 16 {
                        _mm512_broadcast_i32x4(_mm_loadu_si128(at.cast()))
                    } else {
                        _mm512_set1_epi64(at.cast::<i64>().read_unaligned())
                    };
                    let (bytes, shifts) = &Places::<BITS>::HALVES[part];
                    let pairs =
                        _mm512_shuffle_epi8(packed, _mm512_loadu_si512(bytes.as_ptr().cast()));
                    _mm512_srlv_epi32(pairs, _mm512_loadu_si512(shifts.as_ptr().cast()))
                }
            };
            let weights = if BITS == 8 {
                weights
            } else {
                _mm512_and_si512(weights, _mm512_set1_epi32((1 << BITS) - 1))
            };
            Self(_mm512_cvtepi32_ps(weights))
        }
    }

    #[inline(always)]
    unsafe fn load_runs<const BYTES: usize>(from: *const u8, n: usize) -> __m512i {
        // SAFETY: the caller has AVX-512 and vouches for `n` runs; `n` is a multiple of 4, so they are whole words.
        unsafe {
            let words = _mm512_maskz_loadu_epi32(first_lanes(n * BYTES / 4), from.cast());
            if BYTES == 4 {
                return words;
            }
            if BYTES == 2 {
                return _mm512_cvtepu16_epi32(_mm512_castsi512_si256(words));
            }
            let quarters = _mm512_loadu_si512(QUARTERS.as_ptr().cast());
            let triples = _mm512_loadu_si512(TRIPLES.as_ptr().cast());
            _mm512_shuffle_epi8(_mm512_permutexvar_epi32(quarters, words), triples)
        }
    }

    #[inline(always)]
    unsafe fn fraction<const BITS: usize>(runs: __m512i, i: usize) -> Self {
        let shift = shift_to_fraction(BITS, i);
        // SAFETY: the caller has AVX-512.
        unsafe {
            // Constant once the loop over `i` is unrolled: one shift by a fixed amount.
            let amount = _mm512_set1_epi32(shift.unsigned_abs() as i32);
            let moved = if shift >= 0 {
                _mm512_sllv_epi32(runs, amount)
            } else {
                _mm512_srlv_epi32(runs, amount)
            };
            let mask = _mm512_set1_epi32(fraction_mask(BITS) as i32);
            let one = _mm512_set1_epi32(ONE as i32);
            // (moved & mask) | one
            Self(_mm512_castsi512_ps(_mm512_ternarylogic_epi32::<0xEA>(
                moved, mask, one,
            )))
        }
    }

    #[inline(always)]
    unsafe fn spread(from: *const f32, n: usize, lanes_each: usize) -> Self {
        // SAFETY: the caller has AVX-512 and vouches for `n` values.
        unsafe {
            if lanes_each >= 16 {
                return Self(_mm512_set1_ps(*from));
            }
            let values = _mm512_maskz_loadu_ps(first_lanes(n), from);
            let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
            let shift = _mm512_set1_epi32(lanes_each.trailing_zeros() as i32);
            Self(_mm512_permutexvar_ps(
                _mm512_srlv_epi32(lanes, shift),
                values,
            ))
        }
    }

    #[inline(always)]
    unsafe fn load_f16(from: *const u16) -> Self {
        // SAFETY: the caller has AVX-512 and vouches for sixteen values.
        Self(unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(from.cast())) })
    }

    #[inline(always)]
    unsafe fn load_bf16(from: *const u16) -> Self {
        // SAFETY: the caller has AVX-512 and vouches for sixteen values.
        unsafe {
            let wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast()));
            Self(_mm512_castsi512_ps(_mm512_slli_epi32::<16>(wide)))
        }
    }
}
