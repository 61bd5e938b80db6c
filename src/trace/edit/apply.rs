//! What edits do to values.

use super::{Change, EditError, Select, ValueEdit};
use crate::trace::{Axis, BlockHook, Hook, HostTensor};

impl Select {
    fn contains(self, at: usize) -> bool {
        match self {
            Self::All => true,
            Self::One(place) => place == at,
            Self::Range(start, end) => (start..end).contains(&at),
        }
    }
}

/// What an edit needs to know besides the values: where the pass stands, and what to copy from.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Position of the pass' first row.
    pub start: usize,
    /// Shape of the values.
    pub shape: &'a [usize],
    /// What to copy from, where the change copies.
    pub source: Option<Source<'a>>,
}

/// What a change copies from.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// For a mean or another position: one value per place, positions left out.
    Row(&'a [f32]),
    /// For another run: its value at the same hook, from position 0 on.
    Run(&'a HostTensor),
}

impl ValueEdit {
    /// Changes `values`, which have `place.shape`. Returns how many of them the selection covers.
    ///
    /// # Errors
    /// If the change needs a source that is missing or of another shape, or a vector of another
    /// length.
    pub fn apply(&self, values: &mut [f32], place: Place<'_>) -> Result<usize, EditError> {
        let width = place.shape.last().copied().unwrap_or(1);
        if let Change::Add(vector) = &self.change
            && vector.len() != 1
            && vector.len() != width
        {
            return Err(EditError::Length {
                expected: width,
                found: vector.len(),
            });
        }
        let mut n_changed = 0;
        let mut index = vec![0; place.shape.len()];
        for (flat, value) in values.iter_mut().enumerate() {
            unravel(flat, place.shape, &mut index);
            if self.covers(&index, place.start) {
                *value = self.changed(*value, &index, place)?;
                n_changed += 1;
            }
        }
        Ok(n_changed)
    }

    fn covers(&self, index: &[usize], start: usize) -> bool {
        let axes = self.hook.axes();
        let mut places = self.select.iter().zip(index).zip(axes);
        places.all(|((select, at), axis)| match axis {
            Axis::Pos | Axis::QueryPos => select.contains(at + start),
            _ => select.contains(*at),
        })
    }

    fn changed(&self, value: f32, index: &[usize], place: Place<'_>) -> Result<f32, EditError> {
        Ok(match &self.change {
            Change::Zero => 0.0,
            Change::Scale(factor) => value * factor,
            Change::Set(to) => *to,
            // A share that is not there is 0; only before the softmax is it minus infinity.
            Change::Block if matches!(self.hook, Hook::Block(_, BlockHook::Pattern)) => 0.0,
            Change::Block => f32::NEG_INFINITY,
            Change::Add(vector) => {
                let last = index.last().copied().unwrap_or(0);
                let term = vector.get(last).or(vector.first());
                value + term.copied().unwrap_or(0.0)
            }
            Change::Mean | Change::PatchRun(_) | Change::PatchPosition(_) => {
                self.copied(value, index, place)?
            }
        })
    }

    /// The value to copy to `index`.
    fn copied(&self, value: f32, index: &[usize], place: Place<'_>) -> Result<f32, EditError> {
        match place.source.ok_or(EditError::NoSource)? {
            Source::Row(row) => {
                let at = self.without_position(index, place.shape);
                row.get(at).copied().ok_or(EditError::OtherShape)
            }
            Source::Run(run) => {
                let mut there = index.to_vec();
                let places = there.iter_mut().zip(run.shape()).zip(self.hook.axes());
                for ((at, dim), axis) in places {
                    if matches!(axis, Axis::Pos | Axis::QueryPos) {
                        *at += place.start;
                    }
                    let counts_positions =
                        matches!(axis, Axis::Pos | Axis::QueryPos | Axis::KeyPos);
                    if counts_positions && *at >= *dim {
                        return Ok(value);
                    }
                }
                run.value(&there).ok_or(EditError::OtherShape)
            }
        }
    }

    /// The flat index with the position axis left out.
    fn without_position(&self, index: &[usize], shape: &[usize]) -> usize {
        let mut flat = 0;
        for ((at, dim), axis) in index.iter().zip(shape).zip(self.hook.axes()) {
            if !matches!(axis, Axis::Pos | Axis::QueryPos) {
                flat = flat * dim + at;
            }
        }
        flat
    }
}

fn unravel(mut flat: usize, shape: &[usize], index: &mut [usize]) {
    for (at, dim) in index.iter_mut().zip(shape).rev() {
        *at = flat % dim;
        flat /= dim;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::edit::Action;

    fn applied(text: &str, shape: &[usize], start: usize, source: Option<Source<'_>>) -> Vec<f32> {
        let Ok(Action::Value(edit)) = text.parse() else {
            panic!("{text} changes no values");
        };
        let n: usize = shape.iter().product();
        let mut values: Vec<f32> = (0..n).map(|value| value as f32 + 1.0).collect();
        let place = Place {
            start,
            shape,
            source,
        };
        edit.apply(&mut values, place).unwrap();
        values
    }

    #[test]
    fn one_head_at_all_positions_is_zeroed() {
        let z = applied("blocks.0.attn.hook_z[:, 1]=zero", &[2, 2, 2], 0, None);
        assert_eq!(z, [1.0, 2.0, 0.0, 0.0, 5.0, 6.0, 0.0, 0.0]);
    }

    #[test]
    fn one_value_is_replaced() {
        let embed = applied("hook_embed[1, 0]=set(-7)", &[2, 2], 0, None);
        assert_eq!(embed, [1.0, 2.0, -7.0, 4.0]);
    }

    #[test]
    fn a_blocked_edge_has_no_share() {
        let scores = applied(
            "blocks.0.attn.hook_attn_scores[0, 0, 1]=block",
            &[1, 1, 2],
            0,
            None,
        );
        assert_eq!(scores, [1.0, f32::NEG_INFINITY]);
        let shares = applied(
            "blocks.0.attn.hook_pattern[0, 0, 1]=block",
            &[1, 1, 2],
            0,
            None,
        );
        assert_eq!(shares, [1.0, 0.0]);
    }

    #[test]
    fn positions_count_from_the_beginning_of_the_text() {
        let row = applied("hook_embed[7]=scale(10)", &[2, 2], 6, None);
        assert_eq!(row, [1.0, 2.0, 30.0, 40.0]);
    }

    #[test]
    fn a_mean_comes_from_its_row() {
        let source = Some(Source::Row(&[8.0, 9.0]));
        let mean = applied("hook_embed[0]=mean", &[2, 2], 0, source);
        assert_eq!(mean, [8.0, 9.0, 3.0, 4.0]);
    }

    #[test]
    fn a_patch_copies_the_same_position_and_leaves_those_the_other_run_lacks() {
        let other = HostTensor::new(vec![2, 2], vec![5.0, 6.0, 7.0, 8.0]).unwrap();
        let source = Some(Source::Run(&other));
        let patched = applied("hook_embed[1]=patch(b)", &[2, 2], 0, source);
        assert_eq!(patched, [1.0, 2.0, 7.0, 8.0]);
        // A pass that begins at position 1: its first row is there, its second is not.
        let later = applied("hook_embed=patch(b)", &[2, 2], 1, source);
        assert_eq!(later, [7.0, 8.0, 3.0, 4.0]);
        // Another head of a map, for a query that stands at position 1.
        let map = HostTensor::new(vec![1, 2, 2], vec![0.0, 0.1, 0.2, 0.3]).unwrap();
        let source = Some(Source::Run(&map));
        let patched = applied("blocks.0.attn.hook_pattern=patch(b)", &[1, 1, 3], 1, source);
        assert_eq!(patched, [0.2, 0.3, 3.0]);
    }
}
