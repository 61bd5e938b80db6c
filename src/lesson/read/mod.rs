//! From a file to a lesson, or to everything that is wrong with it.
//!
//! A head in TOML between two lines `+++`; then Markdown. A heading `## …` begins a step; a fenced
//! block called `go`, `try`, `question` or `needs` holds TOML; everything else is text to read.
//! `lessons/FORMAT.md` is the page for authors.

mod body;
mod names;
mod parts;
mod runs;

use std::ops::Range;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::expression::{Expression, Mistake, parse, parse_text};
use super::form::{HeadForm, NeedsForm, Source};
use super::parts::{Condition, Lesson, Sourced};
use super::problem::{Place, Problem};
use super::prose::Prose;
use super::run::Text;

/// Largest lesson, in bytes.
pub const MOST_BYTES: usize = 200_000;

/// Most mistakes that are told at once.
const MOST_PROBLEMS: usize = 50;

/// Most tokens that a run of a lesson generates.
const MOST_TOKENS: usize = 512;

/// Most other runs of a lesson.
const MOST_RUNS: usize = 100;

/// Reads a lesson. `name` is what it is called by, `file` what errors name.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file.
pub fn read(name: &str, file: &str, text: &str) -> Result<Lesson, Vec<Problem>> {
    // Some editors put a mark before a UTF-8 text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader {
        file,
        text,
        problems: Vec::new(),
    };
    let lesson = reader.lesson(name);
    let mut problems = reader.problems;
    match lesson {
        Some(lesson) if problems.is_empty() => Ok(lesson),
        _ => {
            problems.sort_by_key(|problem| problem.place);
            problems.truncate(MOST_PROBLEMS);
            Err(problems)
        }
    }
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn problem(&mut self, byte: usize, message: impl Into<String>) {
        if self.problems.len() <= MOST_PROBLEMS {
            self.problems.push(Problem {
                file: self.file.to_owned(),
                place: Place::of(self.text, byte),
                message: message.into(),
            });
        }
    }

    fn lesson(&mut self, name: &str) -> Option<Lesson> {
        if self.text.len() > MOST_BYTES {
            self.problem(0, format!("a lesson has at most {MOST_BYTES} bytes"));
            return None;
        }
        let head = self.head_range()?;
        let form: HeadForm = self.toml(head.clone())?;
        let (scope, value_starts) = self.scope(&form, head.start);
        let needs = form.needs.iter();
        let needs: Vec<Condition> = needs
            .filter_map(|needs| self.condition(needs, head.start))
            .collect();
        let (intro, steps) = self.body(head.end);
        let lesson = Lesson {
            name: name.to_owned(),
            file: self.file.to_owned(),
            title: form.title,
            about: form.about,
            minutes: form.minutes,
            order: form.order,
            level: form.level,
            language: form.language,
            shows_hints: form.hints,
            shows_answers: form.answers,
            needs,
            scope,
            value_starts,
            intro,
            steps,
            text: Arc::from(self.text),
        };
        self.check(&lesson);
        Some(lesson)
    }

    /// The bytes between the two lines `+++`.
    fn head_range(&mut self) -> Option<Range<usize>> {
        let mut lines = Lines::of(self.text, 0);
        match lines.next() {
            Some(line) if self.slice(&line).trim_end() == "+++" => {
                let start = line.end;
                let end = lines.find(|line| self.slice(line).trim_end() == "+++");
                if let Some(end) = end {
                    return Some(start..end.start);
                }
                self.problem(
                    0,
                    "the head that begins here is not closed; it ends with a line '+++'",
                );
            }
            _ => self.problem(
                0,
                "expected a line '+++', the head in TOML, and another line '+++'",
            ),
        }
        None
    }

    fn slice(&self, range: &Range<usize>) -> &'a str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// The TOML in a range of the file.
    fn toml<T: DeserializeOwned>(&mut self, range: Range<usize>) -> Option<T> {
        match toml::from_str(self.slice(&range)) {
            Ok(form) => Some(form),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                self.problem(range.start + at, in_plain_words(error.message()));
                None
            }
        }
    }

    /// Where the text of a TOML string begins in the file: after its quotation marks.
    fn start_of(&self, source: &Source, base: usize) -> usize {
        let span = source.span();
        let raw = self.slice(&(base + span.start..base + span.end));
        let inside = raw.find(source.get_ref().as_str()).unwrap_or_default();
        base + span.start + inside
    }

    /// Something read from a TOML string; mistakes are kept with their place.
    fn sourced<T>(
        &mut self,
        source: &Source,
        base: usize,
        read: impl Fn(&str) -> Result<T, Mistake>,
    ) -> Option<Sourced<T>> {
        let start = self.start_of(source, base);
        match read(source.get_ref()) {
            Ok(value) => Some(Sourced { value, start }),
            Err(mistake) => {
                self.problem(start + mistake.at, mistake.message);
                None
            }
        }
    }

    fn expression(&mut self, source: &Source, base: usize) -> Option<Sourced<Expression>> {
        self.sourced(source, base, parse)
    }

    fn text_form(&mut self, source: &Source, base: usize) -> Option<Sourced<Text>> {
        self.sourced(source, base, parse_text)
    }

    fn prose(&mut self, source: Option<&Source>, base: usize) -> Prose {
        match source {
            None => Prose::default(),
            Some(source) => {
                let start = self.start_of(source, base);
                self.prose_at(source.get_ref(), start)
            }
        }
    }

    fn prose_at(&mut self, text: &str, start: usize) -> Prose {
        Prose::read(text, start).unwrap_or_else(|mistakes| {
            for mistake in mistakes {
                self.problem(mistake.at, mistake.message);
            }
            Prose::default()
        })
    }

    fn condition(&mut self, form: &NeedsForm, base: usize) -> Option<Condition> {
        Some(Condition {
            when: self.expression(&form.when, base)?,
            otherwise: self.prose(Some(&form.otherwise), base),
        })
    }
}

/// What TOML says, without the names of our types.
pub(in crate::lesson) fn in_plain_words(message: &str) -> String {
    let message = message.replace('\n', " ");
    let kinds = [
        ("u32", "a whole number"),
        ("u64", "a whole number"),
        ("usize", "a whole number"),
        ("i64", "a whole number"),
        ("f64", "a number"),
        ("a string", "a text in quotation marks"),
        ("a boolean", "true or false"),
        ("a sequence", "a list [ … ]"),
        ("a map", "a table { … }"),
        ("a boolean", "true or false"),
    ];
    let (found, expected) = match message.split_once("expected ") {
        Some((found, expected)) => (found, expected),
        None => return message,
    };
    if found.contains("invalid value: integer") {
        return "this number is too large or too small here; expected a whole number".to_owned();
    }
    let found = found
        .replace("invalid type: ", "this is ")
        .replace("invalid value: ", "this is ");
    let kind = kinds.iter().find(|(name, _)| *name == expected.trim());
    let untagged = expected.starts_with("struct ") || expected.starts_with("enum ");
    let expected = match kind {
        Some((_, words)) => words,
        None if untagged => "a table { … }",
        None => expected,
    };
    format!("{found}expected {expected}")
}

/// The lines of a text from a byte on, with their line breaks.
struct Lines<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str, at: usize) -> Self {
        Self { text, at }
    }
}

impl Iterator for Lines<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let start = self.at;
        self.at += rest.find('\n').map_or(rest.len(), |end| end + 1);
        Some(start..self.at)
    }
}
