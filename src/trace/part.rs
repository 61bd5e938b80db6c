//! A part of a value: an address with a number, a range or everything along each axis.

use std::fmt;
use std::str::FromStr;

use super::edit::Select;
use super::{Address, HostTensor, NoAddress, Place};

/// A value or a slice of it: `blocks.2.attn.hook_z[0..2, 3]`, written as edits write theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The value: where every axis is a number or left out, with these; else the whole of it.
    pub value: Address,
    /// What is taken along the first axes of `value`.
    select: Vec<Select>,
}

/// An axis of a part: what it counts, and where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartAxis {
    /// Its name: `head`.
    pub name: &'static str,
    /// The number of its first place.
    pub first: usize,
}

impl Part {
    /// Cuts the part out of what stands at [`Part::value`]. `None` if it lies outside.
    #[must_use]
    pub fn cut(&self, value: &HostTensor) -> Option<HostTensor> {
        let mut shape = Vec::new();
        let mut ranges = Vec::new();
        if self.select.len() > value.shape().len() {
            return None;
        }
        let all = std::iter::repeat(&Select::All);
        for (select, dim) in self.select.iter().chain(all).zip(value.shape()) {
            let range = match *select {
                Select::All => 0..*dim,
                Select::One(at) => at..at.checked_add(1)?,
                Select::Range(start, end) => start..end,
            };
            if range.end > *dim || range.start >= range.end {
                return None;
            }
            if !matches!(select, Select::One(_)) {
                shape.push(range.len());
            }
            ranges.push(range);
        }
        let mut values = Vec::with_capacity(shape.iter().product());
        collect(value, &ranges, &mut Vec::new(), &mut values)?;
        HostTensor::new(shape, values)
    }

    /// The axes that are left of the value's own, as far as they have names.
    #[must_use]
    pub fn axes(&self) -> Vec<PartAxis> {
        let Place::Hook(hook) = self.value.place else {
            return Vec::new();
        };
        let own = hook.axes().iter().skip(self.value.index.len());
        let all = std::iter::repeat(&Select::All);
        let selected = own.zip(self.select.iter().chain(all));
        let kept = selected.filter_map(|(axis, select)| {
            let first = match select {
                Select::All => 0,
                Select::One(_) => return None,
                Select::Range(start, _) => *start,
            };
            let name = axis.name();
            Some(PartAxis { name, first })
        });
        kept.collect()
    }
}

/// Walks through `ranges`, whole rows of the last axis at a time.
fn collect(
    value: &HostTensor,
    ranges: &[std::ops::Range<usize>],
    index: &mut Vec<usize>,
    values: &mut Vec<f32>,
) -> Option<()> {
    match ranges {
        [] => values.extend(value.at(index)?),
        [last] => values.extend(value.at(index)?.get(last.clone())?),
        [first, rest @ ..] => {
            for at in first.clone() {
                index.push(at);
                collect(value, rest, index, values)?;
                index.pop();
            }
        }
    }
    Some(())
}

impl From<Address> for Part {
    fn from(value: Address) -> Self {
        let select = Vec::new();
        Self { value, select }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)?;
        if !self.select.is_empty() {
            let select: Vec<String> = self.select.iter().map(Select::to_string).collect();
            write!(f, "[{}]", select.join(", "))?;
        }
        Ok(())
    }
}

impl FromStr for Part {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let no_address = match text.parse::<Address>() {
            Ok(address) => return Ok(address.into()),
            Err(error) => error,
        };
        let split = text.trim().split_once('[');
        let split = split.and_then(|(path, rest)| Some((path, rest.strip_suffix(']')?)));
        let Some((path, inside)) = split else {
            return Err(no_address);
        };
        let select = inside.split(',').map(|part| part.trim().parse());
        let select: Result<Vec<Select>, _> = select.collect();
        match (path.parse(), select) {
            (Ok(value), Ok(select)) => Ok(Self { value, select }),
            _ => Err(no_address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Option<HostTensor> {
        let values: Vec<f32> = (0..24).map(|x| x as f32).collect();
        let whole = HostTensor::new(vec![2, 3, 4], values).unwrap();
        text.parse::<Part>().unwrap().cut(&whole)
    }

    #[test]
    fn a_part_is_cut_along_each_axis() {
        let pattern = "blocks.2.attn.hook_pattern";
        let column = cut(&format!("{pattern}[:, 1]")).unwrap();
        assert_eq!(column.shape(), [2, 4]);
        assert_eq!(column.values(), [4., 5., 6., 7., 16., 17., 18., 19.]);
        let corner = cut(&format!("{pattern}[0..2, 2, 1..3]")).unwrap();
        assert_eq!(corner.shape(), [2, 2]);
        assert_eq!(corner.values(), [9., 10., 21., 22.]);
        assert_eq!(cut(&format!("{pattern}[:]")).unwrap().values().len(), 24);
        for outside in ["[0..3]", "[:, 3]", "[1..1]", "[:, 0, 0, 0]"] {
            assert_eq!(cut(&format!("{pattern}{outside}")), None, "{outside}");
        }
    }

    #[test]
    fn the_axes_that_are_left_keep_their_names() {
        let part: Part = "blocks.2.attn.hook_pattern[:, 3, 2..5]".parse().unwrap();
        assert_eq!(part.to_string(), "blocks.2.attn.hook_pattern[:, 3, 2..5]");
        let axes: Vec<_> = part
            .axes()
            .iter()
            .map(|axis| (axis.name, axis.first))
            .collect();
        assert_eq!(axes, [("head", 0), ("key_pos", 2)]);
        let row: Part = "hook_embed[3]".parse().unwrap();
        assert_eq!(row.value.index, [3]);
        assert!("hook_embed[a..b]".parse::<Part>().is_err());
    }
}
