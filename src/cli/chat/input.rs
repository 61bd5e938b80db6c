//! Where the lines of a chat come from: a line editor in a terminal, else standard input as it is.

use std::io::{self, BufRead, IsTerminal};

use anyhow::{Context as _, Result};
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

/// A source of lines.
pub enum Input {
    /// A person types, with a history and the usual keys.
    Terminal(Box<DefaultEditor>),
    /// A program or a file; nothing but answers is shown.
    Pipe,
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// A line, without its end.
    Text(String),
    /// Ctrl-C at the prompt.
    Interrupted,
    /// Ctrl-D, or the end of the file.
    Ended,
}

impl Input {
    /// Opens standard input.
    ///
    /// # Errors
    /// If the terminal cannot be used.
    pub fn open() -> Result<Self> {
        if !io::stdin().is_terminal() {
            return Ok(Self::Pipe);
        }
        let editor = DefaultEditor::new().context("cannot use this terminal")?;
        Ok(Self::Terminal(Box::new(editor)))
    }

    /// Whether a person types.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Terminal(_))
    }

    /// Waits for the next line.
    ///
    /// # Errors
    /// If a line is not UTF-8, which leaves the next one readable.
    pub fn line(&mut self) -> Result<Line> {
        match self {
            Self::Terminal(editor) => typed(editor),
            Self::Pipe => piped(&mut io::stdin().lock()),
        }
    }
}

fn typed(editor: &mut DefaultEditor) -> Result<Line> {
    match editor.readline("> ") {
        Ok(line) => {
            // A line that is not remembered is no reason to refuse it.
            let _ = editor.add_history_entry(&line);
            Ok(Line::Text(line))
        }
        Err(ReadlineError::Interrupted) => Ok(Line::Interrupted),
        // A terminal that is gone is like the end of a file: asking again would not end.
        Err(_) => Ok(Line::Ended),
    }
}

fn piped(input: &mut impl BufRead) -> Result<Line> {
    let mut bytes = Vec::new();
    if !matches!(input.read_until(b'\n', &mut bytes), Ok(1..)) {
        return Ok(Line::Ended);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    let text = String::from_utf8(bytes).context("a line on standard input is not UTF-8")?;
    Ok(Line::Text(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_gives_its_lines_and_ends() {
        let mut input: &[u8] = b"one\n\xff\ntwo";
        assert_eq!(piped(&mut input).unwrap(), Line::Text("one".into()));
        assert!(piped(&mut input).is_err());
        assert_eq!(piped(&mut input).unwrap(), Line::Text("two".into()));
        assert_eq!(piped(&mut input).unwrap(), Line::Ended);
    }
}
