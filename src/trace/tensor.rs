//! Tensors that no engine owns: what was seen at a hook.

use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// Evaluated float32 values, row by row; cheap to share.
#[derive(Debug, Clone, PartialEq)]
pub struct HostTensor {
    shape: Vec<usize>,
    values: Arc<[f32]>,
}

impl HostTensor {
    /// `None` if the values do not fill the shape.
    #[must_use]
    pub fn new(shape: Vec<usize>, values: impl Into<Arc<[f32]>>) -> Option<Self> {
        let values = values.into();
        let n_values = shape
            .iter()
            .try_fold(1_usize, |n, dim| n.checked_mul(*dim))?;
        (n_values == values.len()).then_some(Self { shape, values })
    }

    /// Its shape.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Its values, row by row.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Size in bytes.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        self.values.len() * size_of::<f32>()
    }

    /// What stands at `index` along the first axes: a value, a row, a matrix. `None` beyond the
    /// shape.
    ///
    /// For a pattern `[head, query_pos, key_pos]`, `&[2, 5]` is head 2's row of position 5.
    #[must_use]
    pub fn at(&self, index: &[usize]) -> Option<&[f32]> {
        let inner = self.shape.get(index.len()..)?;
        let width: usize = inner.iter().product();
        let mut row = 0;
        for (at, dim) in index.iter().zip(&self.shape) {
            if at >= dim {
                return None;
            }
            row = row * dim + at;
        }
        self.values.get(row * width..(row + 1) * width)
    }

    /// One value, or `None` beyond the shape.
    #[must_use]
    pub fn value(&self, index: &[usize]) -> Option<f32> {
        match self.at(index) {
            Some([value]) => Some(*value),
            _ => None,
        }
    }

    /// Joins tensors along `axis`: the chunks of a prompt become one. `None` if they do not fit.
    #[must_use]
    pub fn join(parts: &[Self], axis: usize) -> Option<Self> {
        let first = parts.first()?;
        let mut shape = first.shape.clone();
        *shape.get_mut(axis)? = parts
            .iter()
            .map(|part| part.shape.get(axis))
            .sum::<Option<_>>()?;
        let n_outer: usize = first.shape.get(..axis)?.iter().product();
        let mut values = Vec::with_capacity(shape.iter().product());
        for outer in 0..n_outer {
            for part in parts {
                let width = part.values.len().checked_div(n_outer)?;
                values.extend_from_slice(part.values.get(outer * width..(outer + 1) * width)?);
            }
        }
        Self::new(shape, values)
    }
}

/// Shape and values; JSON writes what is no number (a masked score) as `null`.
impl Serialize for HostTensor {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut fields = out.serialize_struct("HostTensor", 2)?;
        fields.serialize_field("shape", &self.shape)?;
        fields.serialize_field("values", &*self.values)?;
        fields.end()
    }
}

/// A tensor of 0, 1, 2 and so on, for tests that ask what stands where.
#[cfg(test)]
pub(crate) fn counting(shape: &[usize]) -> HostTensor {
    let n: usize = shape.iter().product();
    let values: Vec<f32> = (0..n).map(|value| value as f32).collect();
    HostTensor::new(shape.to_vec(), values).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_picks_a_row_or_a_value() {
        let tensor = counting(&[2, 3, 4]);
        assert_eq!(tensor.at(&[1, 2]), Some(&[20.0, 21.0, 22.0, 23.0][..]));
        assert_eq!(tensor.value(&[1, 2, 3]), Some(23.0));
        assert_eq!(tensor.value(&[1, 3, 0]), None);
        assert_eq!(tensor.value(&[1, 2]), None);
    }

    #[test]
    fn chunks_join_along_any_axis() {
        let whole = HostTensor::join(&[counting(&[2, 1]), counting(&[2, 2])], 1).unwrap();
        assert_eq!(whole.shape(), [2, 3]);
        assert_eq!(whole.values(), [0.0, 0.0, 1.0, 1.0, 2.0, 3.0]);
        assert_eq!(HostTensor::join(&[], 0), None);
    }

    #[test]
    fn values_must_fill_the_shape() {
        assert!(HostTensor::new(vec![2, 2], vec![0.0; 3]).is_none());
        assert!(HostTensor::new(vec![usize::MAX, 2], vec![0.0; 3]).is_none());
    }
}
