//! Arithmetic on vectors, added up in float64.

/// Σ a · b over the shorter of the two.
#[must_use]
pub fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| f64::from(*a) * f64::from(*b))
        .sum()
}

/// Euclidean size, √Σ a².
#[must_use]
pub fn size(a: &[f32]) -> f64 {
    dot(a, a).sqrt()
}

/// Cosine of the angle between two vectors, −1 to 1; 0 where one of them is all zeros.
#[must_use]
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let sizes = size(a) * size(b);
    if sizes > 0.0 { dot(a, b) / sizes } else { 0.0 }
}

/// The `k` places with the highest `key`, highest first; equal ones in order of place.
pub fn top_by<T>(values: &[T], k: usize, key: impl Fn(&T) -> f64) -> Vec<usize> {
    let mut places: Vec<usize> = (0..values.len()).collect();
    let keys: Vec<f64> = values.iter().map(key).collect();
    let higher_first = |a: &usize, b: &usize| match (keys.get(*a), keys.get(*b)) {
        (Some(x), Some(y)) => y.total_cmp(x).then(a.cmp(b)),
        _ => a.cmp(b),
    };
    if k < places.len() {
        places.select_nth_unstable_by(k, higher_first);
        places.truncate(k);
    }
    places.sort_unstable_by(higher_first);
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cosine_ignores_size_and_survives_zeros() {
        assert!((cosine(&[1.0, 0.0], &[3.0, 0.0]) - 1.0).abs() < 1e-12);
        assert!((cosine(&[1.0, 1.0], &[-2.0, -2.0]) + 1.0).abs() < 1e-12);
        assert_eq!(cosine(&[0.0, 0.0], &[1.0, 2.0]), 0.0);
    }

    #[test]
    fn the_top_come_first_and_equal_ones_in_order() {
        let values = [1.0_f32, 5.0, 5.0, 0.0, 9.0];
        assert_eq!(top_by(&values, 3, |x| f64::from(*x)), [4, 1, 2]);
        assert_eq!(top_by(&values, 9, |x| f64::from(*x)), [4, 1, 2, 0, 3]);
    }
}
