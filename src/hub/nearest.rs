//! Names near to a mistyped one.

/// At most three of `known` that are near to `name`, the nearest first.
pub(crate) fn names(name: &str, known: &[String]) -> Vec<String> {
    let name = name.to_lowercase();
    // A third of the letters may be wrong, and a short name may still have two slips.
    let limit = (name.chars().count() / 3).max(2);
    let mut near: Vec<(usize, &String)> = known
        .iter()
        .map(|candidate| (distance_to(&name, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .collect();
    near.sort();
    near.into_iter()
        .take(3)
        .map(|(_, candidate)| candidate.clone())
        .collect()
}

/// Distance to the whole id or to its part after the `/`; a name that occurs in the id counts as near.
fn distance_to(name: &str, candidate: &str) -> usize {
    let last_part = candidate.rsplit('/').next().unwrap_or(candidate);
    if name.chars().count() >= 3 && candidate.contains(name) {
        return 1;
    }
    edit_distance(name, candidate).min(edit_distance(name, last_part))
}

/// Levenshtein's distance: the fewest letters to add, drop or change.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter_a) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        let mut left = i + 1;
        for (letter_b, pair) in b.iter().zip(row.windows(2)) {
            let &[diagonal, above] = pair else { continue };
            let change = diagonal + usize::from(letter_a != *letter_b);
            left = change.min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_letters() {
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("same", "same"), 0);
    }

    #[test]
    fn the_nearest_names_come_first() {
        let known = [
            "classroom",
            "classroom-16bit",
            "mlx-community/Qwen2.5-0.5B-Instruct-4bit",
        ]
        .map(String::from);
        assert_eq!(names("clasroom", &known), ["classroom"]);
        assert_eq!(
            names("qwen2.5-0.5b-instruct-4bit", &known),
            [known[2].as_str()]
        );
        assert_eq!(names("qwen", &known), [known[2].as_str()]);
        assert!(names("something else", &known).is_empty());
        assert!(names("", &known).is_empty());
    }
}
