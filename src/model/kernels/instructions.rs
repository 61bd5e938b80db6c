//! Which SIMD instructions this processor has, found once, at run time.

use std::sync::OnceLock;

use super::lanes::{Lanes, Portable};
#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx512::Avx512, limbs};

/// A family of SIMD instructions that the kernels are built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstructionSet {
    /// As [`Avx512`](Self::Avx512), and products of bytes (VNNI, VBMI) for one row of packed weights.
    Avx512Vnni,
    /// Sixteen float32 lanes: AVX-512 F and BW.
    Avx512,
    /// Eight float32 lanes: AVX2 with FMA and F16C.
    Avx2,
    /// What the compiler makes of plain Rust for this processor (NEON on ARM, SSE2 on x86-64).
    Portable,
}

impl InstructionSet {
    /// The fastest set that this processor has.
    pub fn best() -> Self {
        static BEST: OnceLock<InstructionSet> = OnceLock::new();
        *BEST.get_or_init(|| Self::available().next().unwrap_or(Self::Portable))
    }

    /// Every set that this processor has, fastest first.
    pub fn available() -> impl Iterator<Item = Self> {
        [Self::Avx512Vnni, Self::Avx512, Self::Avx2, Self::Portable]
            .into_iter()
            .filter(|set| set.is_available())
    }

    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Avx512Vnni => "AVX-512 VNNI",
            Self::Avx512 => "AVX-512",
            Self::Avx2 => "AVX2",
            Self::Portable if cfg!(target_arch = "aarch64") => "NEON (portable)",
            Self::Portable => "portable",
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn is_available(self) -> bool {
        match self {
            Self::Avx512Vnni => limbs::is_available(),
            Self::Avx512 => {
                is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")
            }
            Self::Avx2 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
                    && is_x86_feature_detected!("f16c")
            }
            Self::Portable => true,
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn is_available(self) -> bool {
        self == Self::Portable
    }
}

/// A loop written once for every instruction set.
///
/// `run` must be `#[inline(always)]`, and so must all that it calls: only then is it compiled inside a function that has the
/// instructions enabled, and its `L` becomes a register.
pub(super) trait Kernel {
    /// What the loop hands back.
    type Output;

    /// The loop, on lanes of type `L`.
    ///
    /// # Safety
    /// The processor has the instructions of `L`.
    unsafe fn run<L: Lanes>(self) -> Self::Output;
}

/// Runs a kernel with the instructions of `set`, or portably where this processor lacks them.
pub(super) fn run<K: Kernel>(set: InstructionSet, kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    match set {
        InstructionSet::Avx512Vnni | InstructionSet::Avx512 if set.is_available() => {
            // SAFETY: the guard has just found the instructions.
            return unsafe { run_avx512(kernel) };
        }
        // SAFETY: as above.
        InstructionSet::Avx2 if set.is_available() => return unsafe { run_avx2(kernel) },
        _ => {}
    }
    let _ = set;
    // SAFETY: portable lanes need no special instructions.
    unsafe { kernel.run::<Portable>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx2,fma,f16c")]
unsafe fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: this function's caller has found AVX-512.
    unsafe { kernel.run::<Avx512>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: this function's caller has found AVX2, FMA and F16C.
    unsafe { kernel.run::<Avx2>() }
}
