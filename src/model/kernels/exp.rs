//! `e^x` as the loops of softmax and activations need it.

/// `e^x` within two units in the last place, without a branch or a call, so that loops over it become SIMD.
///
/// `e^x = 2^n * e^f` with a whole `n` and `f` within half of ln 2, whose series ends after seven terms. Below -87 the result is 0, above 88
/// it is 88's.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    /// Adding it rounds to a whole number: the fraction bits that are left count ones.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts, so that `n * ln 2` is exact enough.
    const LN_2: (f32, f32) = (0.693_359_4, -0.000_212_194_44);
    let clamped = x.clamp(-87.0, 88.0);
    let n = (clamped * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let f = clamped - n * LN_2.0 - n * LN_2.1;
    let mut series = 1.0 / 5040.0;
    for term in [
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        series = series * f + term;
    }
    let power = f32::from_bits(((n as i32 + 127) << 23) as u32);
    if x < -87.0 { 0.0 } else { series * power }
}
