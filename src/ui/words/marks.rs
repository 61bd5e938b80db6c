//! The small marks inside a text of the window.

/// A stretch of a text with one look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Run<'a> {
    /// Ordinary words.
    Plain(&'a str),
    /// Semi-bold words.
    Strong(&'a str),
    /// A term of the glossary, as it is written here, and the name of its entry.
    Term {
        /// What the reader sees.
        shown: &'a str,
        /// The entry.
        name: &'a str,
    },
}

/// The runs of `text`, in order. A mark that is not closed is ordinary text.
#[must_use]
pub fn runs(text: &str) -> Vec<Run<'_>> {
    let mut runs = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        match next_mark(rest) {
            Some((before, run, after)) => {
                if !before.is_empty() {
                    runs.push(Run::Plain(before));
                }
                runs.push(run);
                rest = after;
            }
            None => {
                runs.push(Run::Plain(rest));
                break;
            }
        }
    }
    runs
}

/// The first mark of `text`: what stands before it, the mark, what stands after it.
fn next_mark(text: &str) -> Option<(&str, Run<'_>, &str)> {
    let term = text.split_once('[').and_then(|(before, rest)| {
        let (inside, after) = rest.split_once(']')?;
        let (shown, name) = inside.split_once('|').unwrap_or((inside, inside));
        Some((before, Run::Term { shown, name }, after))
    });
    let strong = text.split_once("**").and_then(|(before, rest)| {
        let (inside, after) = rest.split_once("**")?;
        Some((before, Run::Strong(inside), after))
    });
    match (term, strong) {
        (Some(term), Some(strong)) if strong.0.len() < term.0.len() => Some(strong),
        (Some(term), _) => Some(term),
        (None, strong) => strong,
    }
}

/// `template` with each `{name}` replaced by its value.
///
/// A value's own brackets, braces and stars stay what they are for the reader: they are replaced by
/// look-alikes, since a token may be `[` or `**`.
#[must_use]
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            text.push('{');
            rest = after;
            continue;
        };
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => text.extend(value.chars().map(harmless)),
            None => text.push('…'),
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

/// A character that is no mark: `[ ] * |` become their full-width or mathematical twins.
fn harmless(c: char) -> char {
    match c {
        '[' => '［',
        ']' => '］',
        '*' => '∗',
        '|' => '∣',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_runs() {
        let found = runs("A [share|attention share] of **gave**.");
        let expected = [
            Run::Plain("A "),
            Run::Term {
                shown: "share",
                name: "attention share",
            },
            Run::Plain(" of "),
            Run::Strong("gave"),
            Run::Plain("."),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn an_open_mark_is_ordinary_text() {
        assert_eq!(runs("a [b"), [Run::Plain("a [b")]);
        assert_eq!(runs("2 ** 3"), [Run::Plain("2 ** 3")]);
    }

    #[test]
    fn values_take_their_places_and_make_no_marks() {
        let text = fill(
            "The query of **{token}**, {n} keys",
            &[("token", "[x"), ("n", "3")],
        );
        assert_eq!(text, "The query of **［x**, 3 keys");
        assert_eq!(fill("{unknown} {", &[]), "… {");
    }
}
