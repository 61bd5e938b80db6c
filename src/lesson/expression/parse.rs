//! Words to a tree. A recursive-descent parser: one function per level of binding.
//!
//! ```text
//! expression = 'if' expression 'then' expression 'else' expression | or
//! or         = and { 'or' and }
//! and        = not { 'and' not }
//! not        = 'not' not | compare
//! compare    = sum [ ('==' | '!=' | '<' | '<=' | '>' | '>=') sum ]
//! sum        = product { ('+' | '-') product }
//! product    = power { ('*' | '/' | '%') power }
//! power      = '-' power | postfix [ '^' power ]
//! postfix    = atom { '[' expression { ',' expression } ']' }
//! atom       = number | text | name | call | '(' expression ')' | list
//! call       = [ run '.' ] name '(' arguments ')'      run = name [ '(' arguments ')' ]
//! list       = '[' expression 'for' name 'in' expression [ 'where' expression ] ']'
//!            | '[' [ expression { ',' expression } ] ']'
//! ```

mod call;
mod parser;

use self::call::call;
use self::parser::Parser;
use super::lex::{TextPiece, TokenKind, lex, pieces};
use super::{Expression, Mistake, Node, Operator, Piece, RunName};

/// Most bytes of one expression.
pub const MOST_BYTES: usize = 4_096;

/// How deep expressions may stand inside each other.
pub const MOST_DEPTH: usize = 32;

/// Most values, names and calls in one expression.
pub const MOST_VALUES: usize = 512;

/// Words that are no names.
const KEYWORDS: [&str; 11] = [
    "if", "then", "else", "and", "or", "not", "for", "in", "where", "true", "false",
];

/// Reads an expression.
///
/// # Errors
/// If it is none: where, and what was expected.
pub fn parse(source: &str) -> Result<Expression, Mistake> {
    parse_inside(source, 0, 0)
}

/// Reads a text that may hold expressions: `blocks.{layer}.hook_resid_post`.
///
/// # Errors
/// If one of them is none: where, and what was expected.
pub fn parse_text(source: &str) -> Result<Vec<Piece>, Mistake> {
    let (found, _) = pieces(source, None, 0)?;
    read_pieces(found, 0)
}

fn read_pieces(found: Vec<TextPiece>, depth: usize) -> Result<Vec<Piece>, Mistake> {
    let piece = |piece: TextPiece| match piece {
        TextPiece::Plain(text) => Ok(Piece::Plain(text)),
        TextPiece::Inside(source, at) => Ok(Piece::Inside(parse_inside(&source, at, depth + 1)?)),
    };
    found.into_iter().map(piece).collect()
}

fn parse_inside(source: &str, base: usize, depth: usize) -> Result<Expression, Mistake> {
    let mut parser = Parser {
        tokens: lex(source, base)?,
        next: 0,
        n_values: 0,
        depth,
    };
    let expression = parser.expression()?;
    match parser.peek() {
        TokenKind::End => Ok(expression),
        other => {
            let other = other.name();
            Err(parser.mistake(format!("expected the end of the expression, not {other}")))
        }
    }
}

impl Parser {
    fn expression(&mut self) -> Result<Expression, Mistake> {
        self.deeper(|parser| {
            let at = parser.at();
            if !parser.eat_word("if") {
                return parser.or();
            }
            let condition = parser.expression()?;
            parser.expect_word("then", "after the condition of 'if'")?;
            let yes = parser.expression()?;
            parser.expect_word("else", "after the value of 'then'")?;
            let no = parser.expression()?;
            let node = Node::If(Box::new([condition, yes, no]));
            Ok(Expression { node, at })
        })
    }

    fn or(&mut self) -> Result<Expression, Mistake> {
        let mut left = self.and()?;
        while self.eat_word("or") {
            left = binary(Operator::Or, left, self.and()?);
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expression, Mistake> {
        let mut left = self.not()?;
        while self.eat_word("and") {
            left = binary(Operator::And, left, self.not()?);
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expression, Mistake> {
        let at = self.at();
        if !self.eat_word("not") {
            return self.compare();
        }
        let inner = self.deeper(Self::not)?;
        let node = Node::Not(Box::new(inner));
        Ok(Expression { node, at })
    }

    fn compare(&mut self) -> Result<Expression, Mistake> {
        const SIGNS: [(&str, Operator); 6] = [
            ("==", Operator::Equal),
            ("!=", Operator::Unequal),
            ("<=", Operator::AtMost),
            (">=", Operator::AtLeast),
            ("<", Operator::Below),
            (">", Operator::Above),
        ];
        let left = self.sum()?;
        let Some(operator) = self.eat_any(&SIGNS) else {
            if matches!(self.peek(), TokenKind::Sign("=")) {
                return Err(self.mistake("write '==' to compare".to_owned()));
            }
            return Ok(left);
        };
        let compared = binary(operator, left, self.sum()?);
        let at = self.at();
        if self.eat_any(&SIGNS).is_some() {
            let message = "only two values are compared at once; join two comparisons with 'and'";
            return Err(Mistake::new(at, message.to_owned()));
        }
        Ok(compared)
    }

    fn sum(&mut self) -> Result<Expression, Mistake> {
        const SIGNS: [(&str, Operator); 2] = [("+", Operator::Add), ("-", Operator::Subtract)];
        let mut left = self.product()?;
        while let Some(operator) = self.eat_any(&SIGNS) {
            left = binary(operator, left, self.product()?);
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Expression, Mistake> {
        const SIGNS: [(&str, Operator); 3] = [
            ("*", Operator::Multiply),
            ("/", Operator::Divide),
            ("%", Operator::Remainder),
        ];
        let mut left = self.power()?;
        while let Some(operator) = self.eat_any(&SIGNS) {
            left = binary(operator, left, self.power()?);
        }
        Ok(left)
    }

    fn power(&mut self) -> Result<Expression, Mistake> {
        let at = self.at();
        if self.eat("-") {
            let inner = self.deeper(Self::power)?;
            let node = Node::Minus(Box::new(inner));
            return Ok(Expression { node, at });
        }
        let base = self.postfix()?;
        if self.eat("^") {
            return Ok(binary(Operator::Power, base, self.deeper(Self::power)?));
        }
        Ok(base)
    }

    fn postfix(&mut self) -> Result<Expression, Mistake> {
        let mut inner = self.atom()?;
        let mut n_indices = 0;
        loop {
            let at = self.at();
            if !self.eat("[") {
                return Ok(inner);
            }
            n_indices += 1;
            if n_indices > MOST_DEPTH {
                return Err(Mistake::new(
                    at,
                    "too many [ ] stand after each other".to_owned(),
                ));
            }
            let places = self.list_until("]")?;
            if places.is_empty() {
                return Err(Mistake::new(
                    at,
                    "expected a place between '[' and ']'".to_owned(),
                ));
            }
            let node = Node::Index(Box::new(inner), places);
            inner = Expression { node, at };
        }
    }

    /// Expressions with commas between them, up to `end`.
    fn list_until(&mut self, end: &str) -> Result<Vec<Expression>, Mistake> {
        let mut items = Vec::new();
        if self.eat(end) {
            return Ok(items);
        }
        loop {
            items.push(self.expression()?);
            if self.eat(end) {
                return Ok(items);
            }
            self.expect(",", &format!("or '{end}' after a value"))?;
        }
    }

    fn atom(&mut self) -> Result<Expression, Mistake> {
        let at = self.at();
        self.n_values += 1;
        if self.n_values > MOST_VALUES {
            return Err(self.mistake(format!(
                "an expression has at most {MOST_VALUES} values; give a part of it a name under [let]"
            )));
        }
        let token = self.tokens.get(self.next).map(|token| token.kind.clone());
        self.next += 1;
        let node = match token.unwrap_or(TokenKind::End) {
            TokenKind::Number(number) => Node::Number(number),
            TokenKind::Text(pieces) => Node::Text(read_pieces(pieces, self.depth)?),
            TokenKind::Name(name) if name == "true" || name == "false" => {
                Node::Bool(name == "true")
            }
            TokenKind::Name(name) if KEYWORDS.contains(&name.as_str()) => {
                let message = format!("expected a value, not the word '{name}'");
                return Err(Mistake::new(at, message));
            }
            TokenKind::Name(name) => return self.named(name, at),
            TokenKind::Sign("(") => {
                let inner = self.expression()?;
                self.expect(")", "after the expression in parentheses")?;
                return Ok(inner);
            }
            TokenKind::Sign("[") => return self.list(at),
            other => {
                let message = format!("expected a value, not {}", other.name());
                return Err(Mistake::new(at, message));
            }
        };
        Ok(Expression { node, at })
    }

    /// A list, or one value for each of another list.
    fn list(&mut self, at: usize) -> Result<Expression, Mistake> {
        if self.eat("]") {
            let node = Node::List(Vec::new());
            return Ok(Expression { node, at });
        }
        let first = self.expression()?;
        let node = if self.eat_word("for") {
            let name = self.new_name()?;
            self.expect_word("in", "after the name of 'for'")?;
            let list = self.expression()?;
            let filter = match self.eat_word("where") {
                true => Some(Box::new(self.expression()?)),
                false => None,
            };
            self.expect("]", "at the end of the list")?;
            Node::Each {
                body: Box::new(first),
                name,
                list: Box::new(list),
                filter,
            }
        } else {
            let mut items = vec![first];
            if !self.eat("]") {
                self.expect(",", "or ']' after a value")?;
                items.extend(self.list_until("]")?);
            }
            Node::List(items)
        };
        Ok(Expression { node, at })
    }

    fn new_name(&mut self) -> Result<String, Mistake> {
        match self.peek().clone() {
            TokenKind::Name(name) if !KEYWORDS.contains(&name.as_str()) => {
                self.next += 1;
                Ok(name)
            }
            other => Err(self.mistake(format!("expected a name, not {}", other.name()))),
        }
    }

    /// A name alone, a call, or a call in a run.
    fn named(&mut self, name: String, at: usize) -> Result<Expression, Mistake> {
        let args = match self.eat("(") {
            true => Some(self.list_until(")")?),
            false => None,
        };
        if self.eat(".") {
            let run = RunName {
                name,
                args: args.unwrap_or_default(),
                at,
            };
            let at = self.at();
            let asked = self.new_name()?;
            self.expect("(", &format!("after '{asked}'"))?;
            let args = self.list_until(")")?;
            return call(asked, Some(run), args, at);
        }
        match args {
            Some(args) => call(name, None, args, at),
            None => Ok(Expression {
                node: Node::Name(name),
                at,
            }),
        }
    }
}

fn binary(operator: Operator, left: Expression, right: Expression) -> Expression {
    let at = left.at;
    let node = Node::Binary(operator, Box::new([left, right]));
    Expression { node, at }
}
