//! Breakpoints: places to stop at, and when.

use std::fmt;
use std::str::FromStr;

use crate::trace::{Address, NoAddress, Place, View};

/// A place to stop at.
#[derive(Debug, Clone, PartialEq)]
pub struct Breakpoint {
    /// Where; without a pass, in every one.
    pub address: Address,
    /// Only if this holds.
    pub when: Option<Condition>,
}

/// When a breakpoint stops.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// The token has this text, with or without a space before it: at `sample` the one just drawn, elsewhere the generated one that
    /// the pass runs over.
    TokenIs(String),
    /// That token was less likely than this when it was drawn.
    ProbabilityBelow(f32),
    /// In this block, head `head` of the newest position reads more than `share` at position `key`.
    HeadShareAbove {
        /// The head.
        head: usize,
        /// The position read.
        key: usize,
        /// The share, 0 to 1.
        share: f32,
    },
}

impl fmt::Display for Breakpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        match &self.when {
            None => Ok(()),
            Some(Condition::TokenIs(text)) => write!(f, " if token={text}"),
            Some(Condition::ProbabilityBelow(limit)) => write!(f, " if p<{limit}"),
            Some(Condition::HeadShareAbove { head, key, share }) => {
                write!(f, " if head({head},{key})>{share}")
            }
        }
    }
}

/// A text that is no breakpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoBreakpoint {
    /// The place is no address.
    #[error(transparent)]
    Address(#[from] NoAddress),
    /// The place is no place of a pass.
    #[error("a breakpoint at {0} never stops: name a stage (blocks.2), a hook, or sample")]
    View(&'static str),
    /// The condition is none.
    #[error("'{0}' is no condition; write token=TEXT, p<0.5 or head(HEAD,KEY)>0.5")]
    Condition(String),
}

impl FromStr for Breakpoint {
    type Err = NoBreakpoint;

    fn from_str(text: &str) -> Result<Self, NoBreakpoint> {
        let (address, condition) = match text.split_once(" if ") {
            None => (text, None),
            Some((address, condition)) => (address, Some(condition)),
        };
        let when = condition.map(|text| {
            parse_condition(text).ok_or_else(|| NoBreakpoint::Condition(text.to_owned()))
        });
        let address: Address = address.parse()?;
        if let Place::View(view) = address.place
            && view != View::Sample
        {
            return Err(NoBreakpoint::View(view.name()));
        }
        Ok(Self {
            address,
            when: when.transpose()?,
        })
    }
}

fn parse_condition(text: &str) -> Option<Condition> {
    if let Some(token) = text.strip_prefix("token=") {
        return Some(Condition::TokenIs(token.to_owned()));
    }
    if let Some(limit) = text.trim().strip_prefix("p<") {
        return limit.trim().parse().ok().map(Condition::ProbabilityBelow);
    }
    let (head, share) = text.trim().strip_prefix("head(")?.split_once(")>")?;
    let (head, key) = head.split_once(',')?;
    Some(Condition::HeadShareAbove {
        head: head.trim().parse().ok()?,
        key: key.trim().parse().ok()?,
        share: share.trim().parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_breakpoint_is_read_back_from_its_text() {
        for text in [
            "blocks.2",
            "pass.1.unembed",
            "sample if token= Paris",
            "sample if p<0.5",
            "blocks.2 if head(3,0)>0.4",
        ] {
            let breakpoint: Breakpoint = text.parse().unwrap();
            assert_eq!(breakpoint.to_string(), text);
        }
        assert!("sample if moon".parse::<Breakpoint>().is_err());
        assert!("tokens if p<0.5".parse::<Breakpoint>().is_err());
    }
}
