//! Tokens as people read them: marks for what cannot be seen, and equal words told apart.

use std::collections::HashMap;

/// How a token is written on a chip or beside a map.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TokenLabel {
    /// The text, with marks for what cannot be seen; a leading space is left to `has_space`.
    pub text: String,
    /// Whether a space stands before it: drawn as a faint dot.
    pub has_space: bool,
    /// The position, where the same word stands at several: written as a subscript.
    pub position: Option<usize>,
}

impl TokenLabel {
    /// The word and, where it needs one, its position as a subscript: `Tom₃`.
    #[must_use]
    pub fn name(&self) -> String {
        match self.position {
            Some(position) => format!("{}{}", self.text, subscript(position)),
            None => self.text.clone(),
        }
    }

    /// The same within a sentence: what is no word stands in quotes, so that `,` is not read as a comma
    /// of the sentence.
    #[must_use]
    pub fn said(&self) -> String {
        quoted(&self.name())
    }
}

/// How a token is written, as it stands in a sentence: in quotes, unless it is a word.
#[must_use]
pub fn quoted(name: &str) -> String {
    match name.chars().next().is_some_and(char::is_alphanumeric) {
        true => name.to_owned(),
        false => format!("“{name}”"),
    }
}

/// The labels of a text's tokens, in order.
#[must_use]
pub fn labels(texts: &[String]) -> Vec<TokenLabel> {
    let mut labels: Vec<TokenLabel> = texts.iter().map(|text| label(text)).collect();
    let mut counts: HashMap<String, usize> = HashMap::new();
    for label in &labels {
        *counts.entry(label.text.clone()).or_default() += 1;
    }
    for (position, label) in labels.iter_mut().enumerate() {
        let is_word = label.text.chars().any(char::is_alphanumeric);
        let is_repeated = counts.get(&label.text).is_some_and(|count| *count > 1);
        label.position = (is_word && is_repeated).then_some(position);
    }
    labels
}

/// The label of one token, by itself.
#[must_use]
pub fn label(text: &str) -> TokenLabel {
    let (has_space, rest) = match text.strip_prefix(' ') {
        Some(rest) if !rest.is_empty() => (true, rest),
        _ => (false, text),
    };
    TokenLabel {
        text: visible(rest),
        has_space,
        position: None,
    }
}

/// `text` with marks for spaces at its edges, line breaks, tabs and control characters.
#[must_use]
pub fn visible(text: &str) -> String {
    let mark = |letter: char| match letter {
        '\n' => '⏎',
        '\t' => '⇥',
        '\r' => '␍',
        '\u{7f}' => '␡',
        control if (control as u32) < 0x20 => {
            char::from_u32(0x2400 + control as u32).unwrap_or('�')
        }
        '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => '¤',
        other => other,
    };
    let shown: String = text.chars().map(mark).collect();
    match shown.chars().all(char::is_whitespace) && !shown.is_empty() {
        true => "·".repeat(shown.chars().count()),
        false => shown,
    }
}

/// A number in small figures below the line.
#[must_use]
pub fn subscript(number: usize) -> String {
    let small = |digit: char| char::from_u32(digit as u32 - '0' as u32 + 0x2080).unwrap_or(digit);
    number.to_string().chars().map(small).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &[&str]) -> Vec<String> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        labels(&texts).iter().map(TokenLabel::name).collect()
    }

    #[test]
    fn equal_words_carry_their_position() {
        assert_eq!(
            names(&["Tom", " and", " Tom", ",", ","]),
            ["Tom₀", "and", "Tom₂", ",", ","]
        );
    }

    #[test]
    fn what_is_no_word_stands_in_quotes() {
        let texts = ["Tom", " and", " Tom", ",", "\n"].map(String::from);
        let said: Vec<String> = labels(&texts).iter().map(TokenLabel::said).collect();
        assert_eq!(said, ["Tom₀", "and", "Tom₂", "“,”", "“⏎”"]);
    }

    #[test]
    fn what_cannot_be_seen_has_a_mark() {
        assert_eq!(visible("a\nb\t"), "a⏎b⇥");
        assert_eq!(visible("  "), "··");
        assert_eq!(visible("\u{1}\u{200d}"), "␁¤");
        assert_eq!(
            label(" x"),
            TokenLabel {
                text: "x".into(),
                has_space: true,
                position: None
            }
        );
        assert_eq!(label(" ").text, "·");
    }

    #[test]
    fn positions_of_several_figures_are_written_small() {
        assert_eq!(subscript(1024), "₁₀₂₄");
    }
}
