//! Finding by a few letters: each must occur, in this order, and those that begin words count more.

/// How well `typed` fits `text`, higher is better; `None` if a letter does not occur. Words of
/// `typed` may come in any order.
#[must_use]
pub fn fit(typed: &str, text: &str) -> Option<i32> {
    let text: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let mut total = 0;
    for word in typed.split_whitespace() {
        let word: Vec<char> = word.chars().flat_map(char::to_lowercase).collect();
        total += fit_word(&word, &text)?;
    }
    // Of two that fit alike, the shorter one is meant.
    Some(total * 8 - text.len().min(200) as i32)
}

/// The best place for one word: as it is, else letter by letter.
fn fit_word(word: &[char], text: &[char]) -> Option<i32> {
    let n = word.len() as i32;
    let places = text.windows(word.len().max(1)).enumerate();
    let whole = places.filter(|(_, window)| *window == word).map(|(at, _)| {
        match (at, begins_word(text, at)) {
            (0, _) => 12 * n + 8,
            (_, true) => 12 * n,
            (_, false) => 6 * n,
        }
    });
    whole.max().or_else(|| scattered(word, text))
}

/// The letters one after the other, the first places that fit, each begin of a word preferred.
fn scattered(word: &[char], text: &[char]) -> Option<i32> {
    let mut score = 0;
    let mut from = 0;
    for (number, letter) in word.iter().enumerate() {
        let rest = text.iter().enumerate().skip(from);
        let mut places = rest.filter(|(_, seen)| *seen == letter).map(|(at, _)| at);
        let first = places.next()?;
        let at_word = places.chain([first]).find(|at| begins_word(text, *at));
        // A letter far away is chosen only where it begins a word, and enough text is left for the others.
        let left = word.get(number + 1..).unwrap_or_default();
        let leaves_room = |at: &usize| is_within(left, text.get(at + 1..).unwrap_or_default());
        let at = match first == from && number > 0 {
            true => first,
            false => at_word.filter(leaves_room).unwrap_or(first),
        };
        score += match (at == from && number > 0, begins_word(text, at)) {
            (_, true) => 4,
            (true, false) => 3,
            (false, false) => 0,
        };
        from = at + 1;
    }
    // Letters that hang together by chance alone are no match.
    let is_meant = 2 * score >= 5 * word.len() as i32;
    is_meant.then_some(score)
}

/// Whether the letters of `word` occur in `text`, in order.
fn is_within(word: &[char], text: &[char]) -> bool {
    let mut rest = text.iter();
    word.iter().all(|letter| rest.any(|seen| seen == letter))
}

fn begins_word(text: &[char], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).and_then(|before| text.get(before)) else {
        return true;
    };
    !before.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts that fit, the best first.
    fn found(typed: &str, texts: &[&'static str]) -> Vec<&'static str> {
        let mut found: Vec<(i32, &str)> = texts
            .iter()
            .filter_map(|text| Some((fit(typed, text)?, *text)))
            .collect();
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        found.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn the_beginning_of_a_word_counts_more_than_its_middle() {
        let texts = ["Inside the file", "Text and template", "The next token"];
        assert_eq!(found("te", &texts)[0], "Text and template");
        assert_eq!(found("tok", &texts), ["The next token"]);
        assert_eq!(found("zz", &texts), Vec::<&str>::new());
    }

    #[test]
    fn initials_find_what_they_abbreviate() {
        let texts = ["kv-cache", "embedding", "blocks.2.attn.hook_pattern"];
        assert_eq!(found("kc", &texts)[0], "kv-cache");
        assert_eq!(found("b2ap", &texts), ["blocks.2.attn.hook_pattern"]);
        assert_eq!(
            found("pattern blocks.2", &texts),
            ["blocks.2.attn.hook_pattern"]
        );
    }

    #[test]
    fn an_exact_word_comes_before_scattered_letters() {
        let texts = ["sweep all heads", "sampling", "sample"];
        assert_eq!(found("sample", &texts), ["sample"]);
        assert_eq!(found("sam", &texts)[0], "sample", "the shorter of two");
    }

    #[test]
    fn letters_scattered_by_chance_are_no_match() {
        let texts = ["Block 0: all positions", "What is the capital of France?"];
        assert_eq!(found("capital", &texts), ["What is the capital of France?"]);
    }

    #[test]
    fn nothing_typed_fits_everything() {
        assert_eq!(found("", &["a", "b"]).len(), 2);
    }
}
