//! The known name that a misspelt one is nearest to.

/// The nearest of `known`, if it is near enough to be meant.
pub fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let far = wrong.chars().count() / 3 + 1;
    let distances = known.map(|name| (distance(wrong, name), name));
    let (distance, name) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= far).then_some(name)
}

/// Letters to change, add or leave out (Levenshtein), over names of at most 40 letters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(40).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().take(40).enumerate() {
        let mut left = i + 1;
        let mut corner = i;
        for (place, b) in b.iter().enumerate() {
            let above = row.get(place + 1).copied().unwrap_or_default();
            let best = (corner + usize::from(a != *b)).min(above + 1).min(left + 1);
            if let Some(cell) = row.get_mut(place) {
                *cell = left;
            }
            corner = above;
            left = best;
        }
        if let Some(last) = row.last_mut() {
            *last = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_found_and_a_stranger_is_not() {
        let known = ["entropy", "best_head", "rank"];
        assert_eq!(nearest("entrpy", known.into_iter()), Some("entropy"));
        assert_eq!(nearest("ranks", known.into_iter()), Some("rank"));
        assert_eq!(nearest("zebra", known.into_iter()), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
