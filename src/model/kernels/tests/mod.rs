//! The kernels against plain loops, on every instruction set that this processor has.

mod blas;
mod half;
mod packed;
mod rows;

/// A small generator of reproducible noise (xorshift).
pub(super) struct Noise(u64);

impl Noise {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn bits(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as u32
    }

    /// Between -1 and 1.
    pub fn value(&mut self) -> f32 {
        self.bits() as f32 / (1_u32 << 31) as f32 - 1.0
    }

    pub fn values(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.value()).collect()
    }
}

/// `x @ w^T` in float64, `x` `[n_x, n_in]`, `w` `[n_out, n_in]`.
pub(super) fn reference(x: &[f32], w: &[f32], n_in: usize) -> Vec<f64> {
    let dot = |x: &[f32], w: &[f32]| {
        x.iter()
            .zip(w)
            .map(|(&x, &w)| f64::from(x) * f64::from(w))
            .sum()
    };
    x.chunks(n_in)
        .flat_map(|x| w.chunks(n_in).map(move |w| dot(x, w)))
        .collect()
}

/// Fails unless every value is within 1e-5 of the largest: float32 sums in whatever order are far closer than 1e-4, the bound
/// that the parity check of the model allows.
#[track_caller]
pub(super) fn assert_close(found: &[f32], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected
        .iter()
        .fold(0.0_f64, |largest, value| largest.max(value.abs()));
    for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let difference = (f64::from(found) - expected).abs();
        assert!(
            difference <= 1e-5 * largest,
            "{what}, value {i}: {found} instead of {expected}"
        );
    }
}
