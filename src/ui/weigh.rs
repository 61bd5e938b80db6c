//! How much memory an answer takes: what decides which answers are kept.

use crate::engine::question::Told;

/// Bytes of the numbers of an answer; small answers count as nothing.
#[must_use]
pub fn n_bytes(told: &Told) -> usize {
    match told {
        Told::Values(seen) => {
            let values = seen.iter().filter_map(|seen| seen.value.as_ref().ok());
            values.map(crate::trace::HostTensor::n_bytes).sum()
        }
        Told::ScoreMaps(maps) => {
            let all = [&maps.dot, &maps.scaled, &maps.masked, &maps.pattern];
            all.into_iter().map(|map| map.n_bytes()).sum()
        }
        Told::Patterns(heads) => {
            let sizes = heads
                .iter()
                .map(|head| head.max.n_bytes() + head.mean.n_bytes());
            sizes.sum()
        }
        Told::WeightedAttention(weighted) => {
            let rows = weighted.weighted.iter().map(Vec::len);
            rows.sum::<usize>() * size_of::<f32>()
        }
        Told::Paths(paths) => {
            let states = paths.iter().flat_map(|path| &path.states);
            states
                .map(|(_, state)| state.len() * size_of::<f32>())
                .sum()
        }
        Told::Slice(slice) => slice.values.n_bytes(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::question::Seen;
    use crate::trace::HostTensor;

    #[test]
    fn numbers_are_counted_and_failures_weigh_nothing() {
        let at: crate::trace::Address = "hook_embed".parse().unwrap();
        let value = HostTensor::new(vec![2, 3], vec![0.0; 6]).unwrap();
        let seen = |value| Seen {
            at: at.clone(),
            value,
        };
        let told = Told::Values(vec![seen(Ok(value)), seen(Err("not yet".into()))]);
        assert_eq!(n_bytes(&told), 24);
    }
}
