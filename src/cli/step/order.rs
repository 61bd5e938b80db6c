//! What people type, as orders.

use anyhow::{Context as _, Result, bail};

use crate::cli::edits::EditText;
use crate::trace::debug::{Breakpoint, DebugCommand, EditChange, Way};
use crate::trace::sampling::SamplingChoice;
use crate::trace::{Address, Place, Stage};

/// How many tokens `e` goes on for, at most.
const MOST_TOKENS: usize = 512;

pub const KEYS: &str = "\
  n, space, →   a step over: a stage, the draw, or appending the token
  i, ↓          a step into a stage: one hook
  l             to the end of the layer        t   to the logits of the next token
  e             to the end of the text         b, ←  one step back      B, ↑  one hook back
  g ADDRESS     go on until this stage or hook is computed: it stands behind it
  r ADDRESS     go back until it comes next: it stands before it; r start: the beginning
  h             another head
  /ADDRESS      look at a value: /blocks.2.attn.hook_z[3, 1]
  : ORDER       orders of several words; ? lists them
  q             leave";

pub const WORDS: &str = "\
  n 3, i 3, t 3, e 100          several steps, hooks, tokens; to the end, at most so many tokens
  stand POSITION                stand at a position of the text, its logits computed
  break WHERE [if CONDITION]    stop there: blocks.2.attn.hook_pattern, sample if p<0.5
      token=Paris, p<0.5            the token, and its probability when it was drawn: at sample the
                                    one just drawn, in a stage the one that the pass runs over (the
                                    prompt's pass has none)
      head(HEAD,POSITION)>0.4       a head's share on a position, in a block
  breaks, unbreak N             the breakpoints; forget one
  edit SPEC                     change the run: blocks.2.attn.hook_z[:, 3]=zero, logit( Paris)=ban
  edits, on N, off N, remove N, move N M, name N TEXT, undo, redo, clear
  source NAME TEXT              a prompt to copy from with patch(NAME)
  verdict                       compare with the run without edits
  branch [@POSITION] TOKEN      go on with another token: branch Rome, branch @5 17
  branch [@POSITION] SETTINGS   … with other settings: branch temperature=1.2 seed=7
  branches, switch N, drop N    the tree of branches
  look ADDRESS, memory          a value; what the run holds in memory
  parity                        whether what is shown is what is computed";

/// What someone asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// Something for the debugger.
    Tell(DebugCommand),
    /// Another token: its text, to be looked up.
    BranchToText {
        /// The position whose token is replaced.
        position: Option<usize>,
        /// The text, as typed.
        text: String,
    },
    /// A prompt to copy from, run as the first one was.
    Source {
        /// Its name.
        name: String,
        /// Its text.
        text: String,
    },
    /// One more edit.
    Edit(EditText),
    /// One more breakpoint.
    Break(Breakpoint),
    /// One breakpoint less.
    Unbreak(usize),
    /// Show a value.
    Look(Address),
    /// Another head in pictures of attention.
    NextHead,
    /// The list of breakpoints.
    Breaks,
    /// The list of edits.
    Edits,
    /// The tree of branches.
    Branches,
    /// What the run holds in memory.
    Memory,
    /// Whether what is shown is what is computed.
    Parity,
    /// The keys and words.
    Help,
    /// Leave.
    Quit,
}

/// Reads an order.
///
/// # Errors
/// If it is none, with what was expected.
pub fn parse(text: &str) -> Result<Order> {
    if let Some(address) = text.strip_prefix('/') {
        return Ok(Order::Look(address.trim().parse()?));
    }
    let (word, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let rest = rest.trim();
    let tell = |command| Ok(Order::Tell(command));
    match word {
        "" | "n" | "s" => tell(DebugCommand::Steps(count(rest, 1)?)),
        "i" => tell(DebugCommand::Into(count(rest, 1)?)),
        "l" => tell(DebugCommand::Layer),
        "t" => tell(DebugCommand::Tokens(count(rest, 1)?)),
        "e" => tell(DebugCommand::End {
            max_tokens: count(rest, MOST_TOKENS)?,
        }),
        "b" => tell(DebugCommand::Back),
        "B" => tell(DebugCommand::BackInto),
        "g" | "goto" if rest.is_empty() => {
            bail!("write where to: g blocks.2, g blocks.2.attn.hook_z")
        }
        "g" | "goto" => tell(DebugCommand::To(rest.parse()?)),
        "r" | "rewind" if rest.is_empty() => {
            bail!("write where to go back to: r blocks.2, or r start for the beginning")
        }
        "r" | "rewind" => tell(DebugCommand::Rewind(match rest {
            "start" => Address {
                pass: Some(0),
                ..Address::at(Place::Stage(Stage::Embed))
            },
            address => address.parse()?,
        })),
        "stand" if rest.is_empty() => {
            bail!("write a position to stand at, counted from 0: stand 4")
        }
        "stand" => tell(DebugCommand::Stand(number(rest)?)),
        "verdict" => tell(DebugCommand::Verdict),
        "source" => {
            let (name, text) = rest.split_once(' ').context("write: source NAME TEXT")?;
            let (name, text) = (name.to_owned(), text.to_owned());
            Ok(Order::Source { name, text })
        }
        "branch" => branch(rest),
        "switch" => tell(DebugCommand::Switch(number(rest)?)),
        "drop" => tell(DebugCommand::Drop(number(rest)?)),
        "edit" if rest.is_empty() => {
            bail!("write a change: edit blocks.2.attn.hook_z[:, 3]=zero; ? lists the forms")
        }
        "edit" => Ok(Order::Edit(rest.parse()?)),
        "break" => Ok(Order::Break(rest.parse()?)),
        "unbreak" => Ok(Order::Unbreak(place(rest)?)),
        "look" => Ok(Order::Look(rest.parse()?)),
        "h" => Ok(Order::NextHead),
        "breaks" => Ok(Order::Breaks),
        "edits" => Ok(Order::Edits),
        "branches" => Ok(Order::Branches),
        "memory" => Ok(Order::Memory),
        "parity" => Ok(Order::Parity),
        "?" => Ok(Order::Help),
        "q" => Ok(Order::Quit),
        _ => match edit_change(word, rest)? {
            Some(change) => tell(DebugCommand::Edit {
                change,
                catch_up: true,
            }),
            None => bail!("'{text}' is no order; ? lists them"),
        },
    }
}

fn edit_change(word: &str, rest: &str) -> Result<Option<EditChange>> {
    let switch = |is_on| -> Result<EditChange> {
        Ok(match rest {
            "all" => EditChange::SwitchAll(is_on),
            _ => EditChange::Switch {
                at: place(rest)?,
                is_on,
            },
        })
    };
    Ok(Some(match word {
        "on" => switch(true)?,
        "off" => switch(false)?,
        "remove" => EditChange::Remove(place(rest)?),
        "move" => {
            let (from, to) = rest.split_once(' ').context("write: move N M")?;
            EditChange::Move {
                from: place(from)?,
                to: place(to)?,
            }
        }
        "name" => {
            let (at, name) = rest.split_once(' ').context("write: name N TEXT")?;
            EditChange::Rename {
                at: place(at)?,
                name: name.trim().to_owned(),
            }
        }
        "undo" => EditChange::Undo,
        "redo" => EditChange::Redo,
        "clear" => EditChange::Clear,
        _ => return Ok(None),
    }))
}

/// `[@POSITION] TOKEN` or `[@POSITION] SETTINGS`.
fn branch(rest: &str) -> Result<Order> {
    let (position, way) = match rest.strip_prefix('@') {
        Some(rest) => {
            let (position, way) = rest.split_once(' ').unwrap_or((rest, ""));
            (Some(number(position)?), way)
        }
        None => (None, rest),
    };
    if let Ok(token) = way.trim().parse() {
        let way = Way::Token(token);
        return Ok(Order::Tell(DebugCommand::Branch { position, way }));
    }
    let is_text = way.starts_with(['\'', '"']) || !way.contains('=');
    if is_text {
        let text = way.to_owned();
        return Ok(Order::BranchToText { position, text });
    }
    let (mut seed, mut settings) = (None, Vec::new());
    for word in way.split_whitespace() {
        match word.strip_prefix("seed=") {
            Some(number) => {
                let number = number.parse().ok();
                seed = Some(number.context("write seed=NUMBER, with a whole number")?);
            }
            None => settings.push(word),
        }
    }
    let sampling: SamplingChoice = settings.join(" ").parse()?;
    let sampling = Box::new(sampling);
    let way = Way::Sampling { sampling, seed };
    Ok(Order::Tell(DebugCommand::Branch { position, way }))
}

/// A number that may be left out.
fn count(text: &str, otherwise: usize) -> Result<usize> {
    match text {
        "" => Ok(otherwise),
        text => number(text),
    }
}

fn number(text: &str) -> Result<usize> {
    let number = text.trim().parse().ok();
    number.with_context(|| format!("'{text}' is no whole number from 0 on"))
}

/// A place in a list, counted from 1 as people do, as one counted from 0.
fn place(text: &str) -> Result<usize> {
    let place = number(text)?.checked_sub(1);
    place.context("lists are counted from 1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read() {
        let tells = |text: &str| match parse(text).unwrap() {
            Order::Tell(command) => command,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(tells(" "), DebugCommand::Steps(1));
        assert_eq!(tells("i 4"), DebugCommand::Into(4));
        assert_eq!(tells("e"), DebugCommand::End { max_tokens: 512 });
        assert_eq!(tells("r start").clone(), tells("rewind pass.0.embed"));
        assert_eq!(tells("switch 2"), DebugCommand::Switch(2));
        let off = EditChange::Switch {
            at: 1,
            is_on: false,
        };
        assert_eq!(
            tells("off 2"),
            DebugCommand::Edit {
                change: off,
                catch_up: true
            }
        );
        let way = Way::Token(17);
        let position = Some(5);
        assert_eq!(
            tells("branch @5 17"),
            DebugCommand::Branch { position, way }
        );
        assert!(matches!(
            tells("branch temperature=1.2 seed=7"),
            DebugCommand::Branch {
                position: None,
                way: Way::Sampling { seed: Some(7), .. }
            }
        ));
        let text = "' Rome'".to_owned();
        let rome = Order::BranchToText {
            position: None,
            text,
        };
        assert_eq!(parse("branch ' Rome'").unwrap(), rome);
    }

    #[test]
    fn what_is_no_order_is_told() {
        for (text, told) in [
            ("fly", "'fly' is no order"),
            ("off 0", "counted from 1"),
            ("switch two", "'two' is no whole number"),
            ("branch warmth=3", "no sampling setting"),
            ("edit hook_z", "is no edit"),
            ("g nowhere", "is no address"),
            ("stand", "write a position"),
            ("r", "r start"),
            ("n -1", "'-1' is no whole number from 0 on"),
        ] {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
