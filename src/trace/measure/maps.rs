//! One head's attention as maps, and all heads as miniatures.

use serde::Serialize;

use crate::trace::HostTensor;

/// One head's map in the four states it goes through. Each is `[query_pos, key_pos]`; of a recorded
/// run a state whose values were not recorded is empty, `[0, 0]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreMaps {
    /// Block.
    pub layer: usize,
    /// Query head.
    pub head: usize,
    /// The KV head that it shares with others (GQA).
    pub kv_head: usize,
    /// Position of the first query.
    pub start: usize,
    /// `1 / √head_dim`.
    pub scale: f64,
    /// q·k, before scale and mask: also where the mask will hide it.
    pub dot: HostTensor,
    /// q·k times the scale.
    pub scaled: HostTensor,
    /// As the pass has them: scaled, masked with −∞, edits included.
    pub masked: HostTensor,
    /// Softmax of each row; sums to 1.
    pub pattern: HostTensor,
}

/// One head's pattern made small: each value stands for a rectangle of the map.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Miniature {
    /// Block.
    pub layer: usize,
    /// Query head.
    pub head: usize,
    /// Largest share in each rectangle, `[row, column]`: thin lines stay visible.
    pub max: HostTensor,
    /// Mean share in each rectangle, `[row, column]`.
    pub mean: HostTensor,
}

/// Makes a map of `n_columns` columns at most `size` rows high and `size` columns wide: the largest
/// value and the mean of each rectangle, `[row, column]` each. A small map stays as it is.
///
/// `None` if the values do not fill their columns, or there are none.
#[must_use]
pub fn pool(values: &[f32], n_columns: usize, size: usize) -> Option<(HostTensor, HostTensor)> {
    let n_rows = values.len().checked_div(n_columns)?;
    let (height, width) = (n_rows.min(size.max(1)), n_columns.min(size.max(1)));
    let mut max = vec![f32::NEG_INFINITY; height * width];
    let mut sums = vec![0.0_f64; height * width];
    let mut counts = vec![0_u32; height * width];
    let to_column: Vec<usize> = (0..n_columns).map(|at| at * width / n_columns).collect();
    for (row, values) in values.chunks_exact(n_columns).enumerate() {
        let first = row * height / n_rows * width;
        for (value, column) in values.iter().zip(&to_column) {
            let place = first + column;
            if let (Some(max), Some(sum), Some(count)) = (
                max.get_mut(place),
                sums.get_mut(place),
                counts.get_mut(place),
            ) {
                *max = max.max(*value);
                *sum += f64::from(*value);
                *count += 1;
            }
        }
    }
    let means = sums.iter().zip(&counts);
    let mean: Vec<f32> = means
        .map(|(sum, count)| (sum / f64::from((*count).max(1))) as f32)
        .collect();
    let shape = vec![height, width];
    Some((
        HostTensor::new(shape.clone(), max)?,
        HostTensor::new(shape, mean)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_map_becomes_rectangles_and_a_small_one_stays() {
        let values: Vec<f32> = (0..24).map(|x| x as f32).collect(); // [4, 6]
        let (max, mean) = pool(&values, 6, 2).unwrap();
        assert_eq!(max.shape(), [2, 2]);
        assert_eq!(max.values(), [8.0, 11.0, 20.0, 23.0]);
        assert_eq!(mean.values(), [4.0, 7.0, 16.0, 19.0]);
        let (max, mean) = pool(&values, 6, 32).unwrap();
        assert_eq!((max.values(), mean.values()), (&values[..], &values[..]));
        assert_eq!(pool(&values, 0, 4), None);
    }
}
