//! Characters to words: numbers, texts, names and signs, each with its place.

use super::{Mistake, parse};

/// One word of an expression and where it begins, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it begins.
    pub at: usize,
}

/// What a word can be.
#[derive(Debug, Clone, PartialEq)]
pub enum TokenKind {
    /// `0.5`
    Number(f64),
    /// `'head {h}'`: pieces of text, and expressions between them.
    Text(Vec<TextPiece>),
    /// `best_head`
    Name(String),
    /// `<=`
    Sign(&'static str),
    /// Nothing more.
    End,
}

/// Part of a text.
#[derive(Debug, Clone, PartialEq)]
pub enum TextPiece {
    /// As it stands.
    Plain(String),
    /// The source of an expression, and where it begins.
    Inside(String, usize),
}

impl TokenKind {
    /// As an error names it.
    pub fn name(&self) -> String {
        match self {
            Self::Number(number) => format!("the number {number}"),
            Self::Text(_) => "a text".to_owned(),
            Self::Name(name) => format!("'{name}'"),
            Self::Sign(sign) => format!("'{sign}'"),
            Self::End => "the end".to_owned(),
        }
    }
}

/// Longer signs stand before those that they begin with.
const SIGNS: [&str; 20] = [
    "==", "!=", "<=", ">=", "..", "+", "-", "*", "/", "%", "^", "<", ">", "(", ")", "[", "]", ",",
    ".", "=",
];

/// The words of `source`, which has `base` bytes before it; the last of them is [`TokenKind::End`].
///
/// # Errors
/// If a text is not closed, a number is none, or a character has no meaning here.
pub fn lex(source: &str, base: usize) -> Result<Vec<Token>, Mistake> {
    if source.len() > parse::MOST_BYTES {
        let most = parse::MOST_BYTES;
        return Err(Mistake::new(
            base,
            format!("an expression is at most {most} bytes long"),
        ));
    }
    let mut tokens = Vec::new();
    let mut rest = source;
    loop {
        rest = rest.trim_start();
        let at = base + source.len() - rest.len();
        let Some(first) = rest.chars().next() else {
            let kind = TokenKind::End;
            tokens.push(Token { kind, at });
            return Ok(tokens);
        };
        let (kind, length) = match first {
            '0'..='9' => number(rest, at)?,
            '\'' | '"' => text(rest, first, at)?,
            _ if first.is_alphabetic() || first == '_' => name(rest),
            _ => sign(rest, first, at)?,
        };
        tokens.push(Token { kind, at });
        rest = rest.get(length..).unwrap_or_default();
    }
}

fn sign(rest: &str, first: char, at: usize) -> Result<(TokenKind, usize), Mistake> {
    let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
    let known = sign.map(|sign| (TokenKind::Sign(sign), sign.len()));
    known.ok_or_else(|| {
        let hint = match first {
            '&' => "; write 'and'",
            '|' => "; write 'or'",
            '!' => "; write 'not', or '!=' between two values",
            '“' | '”' | '‘' | '’' => "; write straight quotation marks",
            _ => "",
        };
        Mistake::new(
            at,
            format!("the character '{first}' has no meaning here{hint}"),
        )
    })
}

fn name(rest: &str) -> (TokenKind, usize) {
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
    let name = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
    (TokenKind::Name(name.to_owned()), name.len())
}

fn number(rest: &str, at: usize) -> Result<(TokenKind, usize), Mistake> {
    let mut length = digits(rest, 0);
    let point = rest.get(length..).unwrap_or_default();
    // `0..5` is a range, not a number with a point.
    if point.starts_with('.') && !point.starts_with("..") {
        length = digits(rest, length + 1);
    }
    let exponent = rest.get(length..).unwrap_or_default();
    if let Some(after) = exponent.strip_prefix(['e', 'E']) {
        let signed = usize::from(after.starts_with(['+', '-']));
        let end = digits(rest, length + 1 + signed);
        if end > length + 1 + signed {
            length = end;
        }
    }
    let text = rest.get(..length).unwrap_or_default();
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((TokenKind::Number(number), length)),
        _ => Err(Mistake::new(
            at,
            format!("'{text}' is no number; write 12, 0.5 or 1e-3"),
        )),
    }
}

/// Where the digits from `from` on end.
fn digits(text: &str, from: usize) -> usize {
    let tail = text.as_bytes().get(from..).unwrap_or_default();
    from + tail.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// A text in quotation marks, and its length with them.
fn text(rest: &str, quote: char, at: usize) -> Result<(TokenKind, usize), Mistake> {
    match pieces(rest.get(1..).unwrap_or_default(), Some(quote), at + 1)? {
        (pieces, Some(length)) => Ok((TokenKind::Text(pieces), length + 2)),
        (_, None) => Err(Mistake::new(
            at,
            format!("the text that begins here is not closed; it needs a {quote}"),
        )),
    }
}

/// A text up to `quote`, and where that stands; `{…}` inside is an expression, `\\` takes a sign as
/// it is.
pub fn pieces(
    source: &str,
    quote: Option<char>,
    at: usize,
) -> Result<(Vec<TextPiece>, Option<usize>), Mistake> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut chars = source.char_indices();
    while let Some((place, c)) = chars.next() {
        match c {
            _ if Some(c) == quote => {
                pieces.push(TextPiece::Plain(plain));
                return Ok((pieces, Some(place)));
            }
            '\\' => plain.push(escaped(chars.next(), at + place)?),
            '{' => {
                pieces.push(TextPiece::Plain(std::mem::take(&mut plain)));
                let mut inside = String::new();
                loop {
                    match chars.next() {
                        Some((_, '}')) => break,
                        Some((_, c)) => inside.push(c),
                        None => {
                            let message = "this '{' is not closed; write '\\{' for the sign itself";
                            return Err(Mistake::new(at + place, message));
                        }
                    }
                }
                pieces.push(TextPiece::Inside(inside, at + place + 1));
            }
            _ => plain.push(c),
        }
    }
    pieces.push(TextPiece::Plain(plain));
    Ok((pieces, None))
}

fn escaped(next: Option<(usize, char)>, at: usize) -> Result<char, Mistake> {
    match next {
        Some((_, 'n')) => Ok('\n'),
        Some((_, 't')) => Ok('\t'),
        Some((_, c @ ('\\' | '\'' | '"' | '{' | '}'))) => Ok(c),
        _ => Err(Mistake::new(
            at,
            "after '\\' comes one of n t \\ ' \" { }".to_owned(),
        )),
    }
}
