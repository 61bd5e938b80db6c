//! Random numbers that are the same on every machine.

use std::hash::{BuildHasher, RandomState};

/// SplitMix64 (Steele, Lea and Flood 2014): a counter and a mixing function.
///
/// Ten lines of our own instead of a package, so that a seed gives the same text on every platform
/// and with every later version.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Random {
    state: u64,
}

impl Random {
    /// The sequence that belongs to `seed`.
    pub(in crate::engine) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next number in `0.0..1.0`, with twelve decimals.
    ///
    /// Decimals rather than bits, because such a number can be shown whole, and is the same after
    /// it was written as text and read back, whoever reads it. What holds a millionth of a
    /// millionth of the curve is still hit.
    pub(in crate::engine) fn uniform(&mut self) -> f64 {
        const PARTS: u64 = 1_000_000_000_000;
        let part = (u128::from(self.next()) * u128::from(PARTS)) >> 64;
        part as f64 / PARTS as f64
    }

    pub(super) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// A seed nobody chose, for when none was given; keep it, and the text can be had again.
#[must_use]
pub fn fresh_seed() -> u64 {
    // The standard library keys its hash maps from the system's entropy. Half of the bits are
    // enough for a seed, and stay exact in programs that read numbers as doubles.
    RandomState::new().hash_one(0_u8) >> 32
}
