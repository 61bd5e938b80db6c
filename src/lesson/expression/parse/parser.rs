//! How far an expression is read: what stands next, and whether it is what it must be.

use super::super::lex::{Token, TokenKind};
use super::super::{Mistake, Operator};
use super::MOST_DEPTH;

pub(super) struct Parser {
    pub(super) tokens: Vec<Token>,
    pub(super) next: usize,
    pub(super) n_values: usize,
    pub(super) depth: usize,
}

impl Parser {
    pub(super) fn peek(&self) -> &TokenKind {
        self.tokens
            .get(self.next)
            .map_or(&TokenKind::End, |token| &token.kind)
    }

    pub(super) fn at(&self) -> usize {
        let token = self.tokens.get(self.next).or(self.tokens.last());
        token.map_or(0, |token| token.at)
    }

    pub(super) fn mistake(&self, message: String) -> Mistake {
        Mistake::new(self.at(), message)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), TokenKind::Name(name) if name == word)
    }

    /// Goes on if `word` is next.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let is_next = self.is_word(word);
        self.next += usize::from(is_next);
        is_next
    }

    /// Goes on if `sign` is next.
    pub(super) fn eat(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.peek(), TokenKind::Sign(found) if *found == sign);
        self.next += usize::from(is_next);
        is_next
    }

    pub(super) fn expect(&mut self, sign: &str, to: &str) -> Result<(), Mistake> {
        if self.eat(sign) {
            return Ok(());
        }
        let found = self.peek().name();
        Err(self.mistake(format!("expected '{sign}' {to}, not {found}")))
    }

    pub(super) fn expect_word(&mut self, word: &str, to: &str) -> Result<(), Mistake> {
        if self.eat_word(word) {
            return Ok(());
        }
        let found = self.peek().name();
        Err(self.mistake(format!("expected '{word}' {to}, not {found}")))
    }

    /// The first sign of `signs` that is next.
    pub(super) fn eat_any(&mut self, signs: &[(&str, Operator)]) -> Option<Operator> {
        let found = signs.iter().find(|(sign, _)| self.eat(sign));
        found.map(|(_, operator)| *operator)
    }

    pub(super) fn deeper<T>(
        &mut self,
        inside: impl FnOnce(&mut Self) -> Result<T, Mistake>,
    ) -> Result<T, Mistake> {
        if self.depth >= MOST_DEPTH {
            return Err(self.mistake(format!(
                "this stands more than {MOST_DEPTH} levels deep; give a part of it a name under [let]"
            )));
        }
        self.depth += 1;
        let result = inside(self);
        self.depth -= 1;
        result
    }
}
