//! What the kernels ask of a SIMD register, and the portable answer.

/// Weights in a block: the smallest run that fills whole 32-bit words at every bit width.
pub(super) const BLOCK: usize = 32;

/// A register of float32 lanes.
///
/// Implementations are `#[inline(always)]` throughout; see [`Kernel`](super::instructions::Kernel).
///
/// # Safety
/// Every method needs a processor that has the instructions of the type, and pointers that are valid for what it reads or writes.
pub(super) trait Lanes: Copy {
    /// A register of 32-bit words, each holding a run of packed weights.
    type Runs: Copy;

    /// Float32 values in a register; 8 or 16.
    const WIDTH: usize;
    /// Weight rows that a tile of dot products takes at once.
    const TILE_WEIGHTS: usize;
    /// Input rows that a tile of dot products takes at once.
    const TILE_INPUTS: usize;

    /// The same value in every lane.
    unsafe fn splat(value: f32) -> Self;
    /// `WIDTH` values from memory.
    unsafe fn load(from: *const f32) -> Self;
    /// The `n` values before the end of a row, `n <= WIDTH`, and zeros in the other lanes.
    unsafe fn load_tail(from: *const f32, n: usize) -> Self;
    /// `WIDTH` values to memory.
    unsafe fn store(self, to: *mut f32);
    /// `self * factor + addend`.
    unsafe fn mul_add(self, factor: Self, addend: Self) -> Self;
    /// The sum of the lanes.
    unsafe fn sum(self) -> f32;
    /// `WIDTH` weights, still whole numbers, out of a packed block of [`BLOCK`]; `part` counts registers within the block.
    ///
    /// Reads within the `4 * BITS` bytes of the block only.
    unsafe fn unpack<const BITS: usize>(block: *const u8, part: usize) -> Self;
    /// `n` runs of `BYTES` packed bytes each (2, 3 or 4), one per lane; zeros in the other lanes. `n` is `WIDTH` or a multiple of 4.
    unsafe fn load_runs<const BYTES: usize>(from: *const u8, n: usize) -> Self::Runs;
    /// `1 + q / 2^BITS`, where `q` is the `i`-th weight of each lane's run.
    ///
    /// The bits of `q` are put where a float32 has the top of its fraction: that makes it a float without a conversion.
    unsafe fn fraction<const BITS: usize>(runs: Self::Runs, i: usize) -> Self;
    /// The first `n` values, each in `lanes_each` lanes, and zeros in the lanes that are left.
    unsafe fn spread(from: *const f32, n: usize, lanes_each: usize) -> Self;
    /// `WIDTH` values of IEEE half precision.
    unsafe fn load_f16(from: *const u16) -> Self;
    /// `WIDTH` values of bfloat16.
    unsafe fn load_bf16(from: *const u16) -> Self;
}

/// How far left (or, negative, right) the `i`-th weight of a run must go to be the top of a float32's fraction.
#[inline(always)]
pub(super) const fn shift_to_fraction(bits: usize, i: usize) -> isize {
    23 - (bits * (i + 1)) as isize
}

/// The bits of 1.0: sign and exponent, no fraction.
pub(super) const ONE: u32 = 0x3F80_0000;

/// The top `bits` bits of a float32's fraction.
pub(super) const fn fraction_mask(bits: usize) -> u32 {
    ((1 << bits) - 1) << (23 - bits)
}

/// Eight lanes in plain Rust, for the compiler to lay out on whatever registers there are.
#[derive(Clone, Copy)]
pub(super) struct Portable([f32; 8]);

impl Portable {
    #[inline(always)]
    fn from_fn(value: impl FnMut(usize) -> f32) -> Self {
        Self(std::array::from_fn(value))
    }
}

impl Lanes for Portable {
    type Runs = [u32; 8];

    const WIDTH: usize = 8;
    const TILE_WEIGHTS: usize = 2;
    const TILE_INPUTS: usize = 2;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; 8])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for eight values.
        Self(unsafe { from.cast::<[f32; 8]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn load_tail(from: *const f32, n: usize) -> Self {
        Self::from_fn(|lane| {
            if lane < n {
                // SAFETY: the caller vouches for `n` values.
                unsafe { *from.add(lane) }
            } else {
                0.0
            }
        })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for room for eight values.
        unsafe { to.cast::<[f32; 8]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, addend: Self) -> Self {
        // A fused `mul_add` is one instruction on ARM, but a slow library call where the processor has none.
        if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
            Self::from_fn(|i| self.0[i].mul_add(factor.0[i], addend.0[i]))
        } else {
            Self::from_fn(|i| self.0[i] * factor.0[i] + addend.0[i])
        }
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        let [a, b, c, d, e, f, g, h] = self.0;
        ((a + e) + (c + g)) + ((b + f) + (d + h))
    }

    #[inline(always)]
    unsafe fn unpack<const BITS: usize>(block: *const u8, part: usize) -> Self {
        let mut bytes = [0; 8];
        // Eight weights fill exactly `BITS` bytes.
        // SAFETY: `part < 4`, so the `BITS` bytes lie inside the block's `4 * BITS`.
        unsafe { std::ptr::copy_nonoverlapping(block.add(part * BITS), bytes.as_mut_ptr(), BITS) };
        let packed = u64::from_le_bytes(bytes);
        let mask = (1 << BITS) - 1;
        // The detour by i32 is for the compiler: processors convert signed numbers.
        Self::from_fn(|i| ((packed >> (i * BITS)) & mask) as i32 as f32)
    }

    #[inline(always)]
    unsafe fn load_runs<const BYTES: usize>(from: *const u8, n: usize) -> [u32; 8] {
        let mut runs = [0; 8];
        for (i, run) in runs.iter_mut().enumerate().take(n) {
            let mut bytes = [0; 4];
            // SAFETY: the caller vouches for `n` runs.
            unsafe {
                std::ptr::copy_nonoverlapping(from.add(i * BYTES), bytes.as_mut_ptr(), BYTES);
            }
            *run = u32::from_le_bytes(bytes);
        }
        runs
    }

    #[inline(always)]
    unsafe fn fraction<const BITS: usize>(runs: [u32; 8], i: usize) -> Self {
        let shift = shift_to_fraction(BITS, i);
        Self::from_fn(|lane| {
            let moved = if shift >= 0 {
                runs[lane] << shift
            } else {
                runs[lane] >> -shift
            };
            f32::from_bits(moved & fraction_mask(BITS) | ONE)
        })
    }

    #[inline(always)]
    unsafe fn spread(from: *const f32, n: usize, lanes_each: usize) -> Self {
        // SAFETY: the caller vouches for `n` values.
        let value = |i: usize| if i < n { unsafe { *from.add(i) } } else { 0.0 };
        Self::from_fn(|lane| value(lane / lanes_each))
    }

    #[inline(always)]
    unsafe fn load_f16(from: *const u16) -> Self {
        // SAFETY: the caller vouches for eight values.
        let bits = unsafe { from.cast::<[u16; 8]>().read_unaligned() };
        Self::from_fn(|i| half::f16::from_bits(bits[i]).to_f32())
    }

    #[inline(always)]
    unsafe fn load_bf16(from: *const u16) -> Self {
        // SAFETY: the caller vouches for eight values.
        let bits = unsafe { from.cast::<[u16; 8]>().read_unaligned() };
        Self::from_fn(|i| f32::from_bits(u32::from(bits[i]) << 16))
    }
}
