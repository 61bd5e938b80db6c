//! Sums over a row, in partial sums, so that adding is not one long chain.

/// Partial sums of a row, so that adding is not one long chain.
const PARTS: usize = 16;

/// The sum of `f(x)` over a row, in [`PARTS`] partial sums.
#[inline(always)]
pub(super) fn sum(row: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut parts = [0.0; PARTS];
    let chunks = row.chunks_exact(PARTS);
    let rest: f32 = chunks.remainder().iter().map(|x| f(*x)).sum();
    for chunk in chunks {
        for (part, x) in parts.iter_mut().zip(chunk) {
            *part += f(*x);
        }
    }
    folded(parts) + rest
}

/// The sum of the partial sums, halves added to halves: one after the other they would wait for each other.
#[inline(always)]
fn folded(parts: [f32; PARTS]) -> f32 {
    let eight: [f32; 8] = std::array::from_fn(|i| parts[i] + parts[i + 8]);
    let four: [f32; 4] = std::array::from_fn(|i| eight[i] + eight[i + 4]);
    (four[0] + four[2]) + (four[1] + four[3])
}

/// The sum of `a * b`, in [`PARTS`] partial sums.
#[inline(always)]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut parts = [0.0; PARTS];
    let (a_chunks, b_chunks) = (a.chunks_exact(PARTS), b.chunks_exact(PARTS));
    let rest = a_chunks.remainder().iter().zip(b_chunks.remainder());
    let rest: f32 = rest.map(|(a, b)| a * b).sum();
    for (a, b) in a_chunks.zip(b_chunks) {
        for (part, (a, b)) in parts.iter_mut().zip(a.iter().zip(b)) {
            *part += a * b;
        }
    }
    folded(parts) + rest
}
