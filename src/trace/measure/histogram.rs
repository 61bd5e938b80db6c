//! How values are spread: counts in bins of equal width.

use serde::{Deserialize, Serialize};

/// Values counted in bins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// The smallest value: where the first bin begins.
    pub low: f32,
    /// The largest value: where the last bin ends.
    pub high: f32,
    /// Values in each bin; a bin has its lower edge, the last one both.
    pub counts: Vec<u64>,
    /// Values that were counted.
    pub n: u64,
    /// Values that are no number or infinite, and in no bin.
    pub n_not_finite: u64,
    /// Mean of those counted.
    pub mean: f64,
    /// Root of their mean squared distance from the mean.
    pub deviation: f64,
}

/// Counts values that come in pieces: the range must be known before.
#[derive(Debug, Clone)]
pub struct Counter {
    histogram: Histogram,
    sum: f64,
    squares: f64,
}

impl Histogram {
    /// The values in `n_bins` bins between the smallest and the largest of them.
    #[must_use]
    pub fn of(values: &[f32], n_bins: usize) -> Self {
        let (low, high) = range_of(values);
        let mut counter = Counter::new(low, high, n_bins);
        counter.add(values);
        counter.finish()
    }
}

/// The smallest and the largest finite value; 0 and 0 where there is none.
#[must_use]
pub fn range_of(values: &[f32]) -> (f32, f32) {
    let finite = values.iter().copied().filter(|x| x.is_finite());
    let start = (f32::INFINITY, f32::NEG_INFINITY);
    let (low, high) = finite.fold(start, |(low, high), x| (low.min(x), high.max(x)));
    if low <= high { (low, high) } else { (0.0, 0.0) }
}

impl Counter {
    /// Nothing counted yet; values from `low` to `high` are to come. At least one bin.
    #[must_use]
    pub fn new(low: f32, high: f32, n_bins: usize) -> Self {
        let histogram = Histogram {
            low,
            high,
            counts: vec![0; n_bins.max(1)],
            n: 0,
            n_not_finite: 0,
            mean: 0.0,
            deviation: 0.0,
        };
        Self {
            histogram,
            sum: 0.0,
            squares: 0.0,
        }
    }

    /// Counts some values; those beyond the range fall into the outer bins.
    pub fn add(&mut self, values: &[f32]) {
        let Histogram {
            low,
            high,
            counts,
            n,
            n_not_finite,
            ..
        } = &mut self.histogram;
        let n_bins = counts.len();
        let width = f64::from(*high - *low) / n_bins as f64;
        for value in values {
            if !value.is_finite() {
                *n_not_finite += 1;
                continue;
            }
            let place = match width > 0.0 {
                true => (f64::from(*value - *low) / width).max(0.0) as usize,
                false => 0,
            };
            if let Some(count) = counts.get_mut(place.min(n_bins - 1)) {
                *count += 1;
            }
            *n += 1;
            self.sum += f64::from(*value);
            self.squares += f64::from(*value).powi(2);
        }
    }

    /// The counts.
    #[must_use]
    pub fn finish(mut self) -> Histogram {
        let n = self.histogram.n.max(1) as f64;
        self.histogram.mean = self.sum / n;
        let variance = self.squares / n - self.histogram.mean.powi(2);
        self.histogram.deviation = variance.max(0.0).sqrt();
        self.histogram
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_falls_into_one_bin() {
        let values = [0.0, 1.0, 2.0, 3.0, 4.0, f32::NEG_INFINITY];
        let histogram = Histogram::of(&values, 4);
        assert_eq!(histogram.counts, [1, 1, 1, 2]);
        assert_eq!((histogram.n, histogram.n_not_finite), (5, 1));
        assert_eq!((histogram.low, histogram.high), (0.0, 4.0));
        assert!((histogram.mean - 2.0).abs() < 1e-12);
        assert!((histogram.deviation - 2.0_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn equal_values_and_none_at_all_are_counted_too() {
        assert_eq!(Histogram::of(&[3.0; 5], 4).counts, [5, 0, 0, 0]);
        assert_eq!(Histogram::of(&[], 2).n, 0);
        assert_eq!(Histogram::of(&[f32::NAN], 0).counts, [0]);
    }
}
