//! `vitrine step`: a debugger for a pass in the terminal. One key per step where someone types,
//! one order per line through a pipe, with small pictures in text.

mod order;
mod pictures;
pub(super) mod shown;
mod stepper;

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::Result;
use console::{Key, Term};

use super::Ended;
use super::edits::EditText;
use super::options::{ModelArgs, SamplingArgs};
use crate::trace::debug::Breakpoint;
use order::{KEYS, WORDS};
use stepper::Stepper;

/// Flags of `vitrine step`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The prompt.
    prompt: String,
    #[command(flatten)]
    model: ModelArgs,
    /// Run the prompt as it is, without the chat template.
    #[arg(long)]
    raw: bool,
    /// Change the run: `blocks.2.attn.hook_z[:, 3]=zero`, `logit( Paris)=ban`; may be given several
    /// times.
    #[arg(long, value_name = "SPEC")]
    edit: Vec<EditText>,
    /// Stop here: `blocks.2`, `sample if p<0.5`, `sample if token= Paris`; may be given several times.
    #[arg(long = "break", value_name = "WHERE")]
    breakpoints: Vec<Breakpoint>,
    #[command(flatten)]
    sampling: SamplingArgs,
}

/// Runs the command.
///
/// # Errors
/// If the model cannot be loaded or run.
pub fn run(args: &Args) -> Result<Ended> {
    let mut stepper = Stepper::open(args)?;
    let term = Term::stdout();
    let by_key = io::stdin().is_terminal() && term.is_term();
    if by_key {
        writeln!(io::stdout(), "{KEYS}\n")?;
    }
    stepper.show()?;
    let mut lines = io::stdin().lock().lines();
    loop {
        let order = if by_key {
            match by_key_press(&term)? {
                Some(order) => order,
                None => continue,
            }
        } else {
            match lines.next() {
                Some(line) => line?,
                None => return Ok(Ended::Well),
            }
        };
        match stepper.obey(order.trim_end_matches('\n')) {
            Ok(true) => {}
            Ok(false) => return Ok(Ended::Well),
            // A wrong address is no reason to lose the run.
            Err(error) => writeln!(io::stdout(), "{error:#}")?,
        }
    }
}

/// The order that a key stands for; keys that need more words ask for them.
fn by_key_press(term: &Term) -> Result<Option<String>> {
    Ok(Some(match term.read_key()? {
        Key::ArrowRight | Key::Enter => "n".to_owned(),
        Key::ArrowDown => "i".to_owned(),
        Key::ArrowUp => "B".to_owned(),
        Key::ArrowLeft => "b".to_owned(),
        Key::Escape | Key::CtrlC => "q".to_owned(),
        Key::Char(':') => ask(term, ":", "")?,
        Key::Char('/') => ask(term, "look at ", "look ")?,
        Key::Char('g') => ask(term, "go to ", "g ")?,
        Key::Char('r') => ask(term, "back to (start: the beginning) ", "r ")?,
        Key::Char(key) => key.to_string(),
        _ => return Ok(None),
    }))
}

fn ask(term: &Term, question: &str, order: &str) -> Result<String> {
    write!(io::stdout(), "{question}")?;
    io::stdout().flush()?;
    Ok(format!("{order}{}", term.read_line()?))
}
