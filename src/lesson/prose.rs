//! Text to read: Markdown with values and claims in it.
//!
//! `{= p(' Paris')}` shows a value of the live model. `{! p(' Paris') > 0.5}` shows nothing: it is a
//! claim that the sentence beside it makes, and that must hold on the model for the sentence to be
//! true. `\{` is a brace.

use super::expression::{Expression, Mistake, parse};
use super::parts::Sourced;

/// A text to read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Prose {
    /// Its parts, in order.
    pub pieces: Vec<ProsePiece>,
}

/// Part of a text to read.
#[derive(Debug, Clone, PartialEq)]
pub enum ProsePiece {
    /// Markdown as it stands.
    Markdown(String),
    /// A value to show.
    Value(Sourced<Expression>),
    /// What must hold.
    Claim(Sourced<Expression>),
}

impl Prose {
    /// Reads a text that begins at byte `start` of its file.
    ///
    /// # Errors
    /// Every mistake in its expressions, with the place in the file.
    pub fn read(text: &str, start: usize) -> Result<Self, Vec<Mistake>> {
        let mut pieces = Vec::new();
        let mut mistakes = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(place) = rest.find(['{', '\\']) {
            let (before, from) = rest.split_at(place);
            plain.push_str(before);
            let at = start + text.len() - from.len();
            let kind = from.get(..2).unwrap_or(from);
            if kind != "{=" && kind != "{!" {
                let is_escaped = kind == "\\{" || kind == "\\}";
                let taken = from.chars().take(if is_escaped { 2 } else { 1 });
                let taken: String = taken.collect();
                plain.push_str(if is_escaped {
                    taken.trim_start_matches('\\')
                } else {
                    &taken
                });
                rest = from.get(taken.len()..).unwrap_or_default();
                continue;
            }
            let inside = from.get(2..).unwrap_or_default();
            let Some(length) = end_of(inside) else {
                let message = format!(
                    "the expression that begins with '{kind}' is not closed; it needs a '}}'"
                );
                mistakes.push(Mistake::new(at, message));
                // Whatever follows is inside of it: looking for the end again and again would take
                // ages in a long text.
                rest = "";
                continue;
            };
            let source = inside.get(..length).unwrap_or_default();
            pieces.push(ProsePiece::Markdown(std::mem::take(&mut plain)));
            match parse(source) {
                Ok(value) => {
                    let sourced = Sourced {
                        value,
                        start: at + 2,
                    };
                    pieces.push(match kind {
                        "{=" => ProsePiece::Value(sourced),
                        _ => ProsePiece::Claim(sourced),
                    });
                }
                Err(mistake) => mistakes.push(mistake.moved(at + 2)),
            }
            rest = inside.get(length + 1..).unwrap_or_default();
        }
        plain.push_str(rest);
        pieces.push(ProsePiece::Markdown(plain));
        pieces.retain(|piece| !matches!(piece, ProsePiece::Markdown(text) if text.is_empty()));
        if mistakes.is_empty() {
            Ok(Self { pieces })
        } else {
            Err(mistakes)
        }
    }

    /// Its expressions: those it shows and those it claims.
    pub fn expressions(&self) -> impl Iterator<Item = &Sourced<Expression>> {
        self.pieces.iter().filter_map(|piece| match piece {
            ProsePiece::Markdown(_) => None,
            ProsePiece::Value(inside) | ProsePiece::Claim(inside) => Some(inside),
        })
    }

    /// Whether there is nothing to read.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        let is_blank = |piece: &ProsePiece| matches!(piece, ProsePiece::Markdown(text) if text.trim().is_empty());
        self.pieces.iter().all(is_blank)
    }
}

/// Where the brace that closes an expression stands: outside its texts.
fn end_of(inside: &str) -> Option<usize> {
    let mut quote = None;
    let mut chars = inside.char_indices();
    while let Some((place, c)) = chars.next() {
        match (quote, c) {
            (Some(_), '\\') => {
                chars.next();
            }
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '}') => return Some(place),
            (None, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_claims_are_taken_out_of_the_text() {
        let prose = Prose::read("It is {= p(' {x}')}.{! 1 < 2} \\{so\\} {plain}", 10).unwrap();
        let kinds: Vec<&str> = (prose.pieces.iter())
            .map(|piece| match piece {
                ProsePiece::Markdown(text) => text,
                ProsePiece::Value(_) => "=",
                ProsePiece::Claim(_) => "!",
            })
            .collect();
        assert_eq!(kinds, ["It is ", "=", ".", "!", " {so} {plain}"]);
        assert_eq!(
            prose.expressions().next().map(|inside| inside.start),
            Some(18)
        );
    }

    #[test]
    fn a_mistake_stands_where_it_is_in_the_file() {
        let mistakes = Prose::read("a {= 1 + } b {! 2", 100).unwrap_err();
        assert_eq!(mistakes[0].at, 109);
        assert_eq!(mistakes[1].at, 113);
        assert!(mistakes[1].message.contains("not closed"));
    }
}
