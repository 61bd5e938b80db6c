//! The body: headings, text, and blocks by their names.

use std::ops::Range;

use super::{Lines, Reader};
use crate::lesson::form::NeedsForm;
use crate::lesson::parts::{Part, Step};
use crate::lesson::prose::Prose;

/// Names of the blocks that are ours.
const BLOCKS: [&str; 4] = ["go", "try", "question", "needs"];

/// A piece of the body.
enum Block<'a> {
    /// `## …`
    Heading(&'a str),
    /// Text to read.
    Text,
    /// A fenced block with one of our names.
    Fenced(&'a str),
}

impl<'a> Reader<'a> {
    pub(super) fn body(&mut self, head_end: usize) -> (Prose, Vec<Step>) {
        let mut lines = Lines::of(self.text, head_end);
        lines.next(); // the line that closes the head
        let start = lines.at;
        let mut intro = Prose::default();
        let mut steps: Vec<Step> = Vec::new();
        for (block, range) in self.blocks(start) {
            match block {
                Block::Heading(title) => steps.push(Step {
                    title: title.to_owned(),
                    start: range.start,
                    needs: Vec::new(),
                    parts: Vec::new(),
                }),
                Block::Text => {
                    let prose = self.prose_at(self.slice(&range), range.start);
                    match steps.last_mut() {
                        _ if prose.is_blank() => {}
                        Some(step) => step.parts.push(Part::Text(prose)),
                        None => intro = prose,
                    }
                }
                Block::Fenced(name) => self.fenced(name, range, steps.last_mut()),
            }
        }
        if steps.is_empty() {
            self.problem(
                start,
                "a lesson has steps; each begins with a heading '## …'",
            );
        }
        (intro, steps)
    }

    /// The body cut into headings, texts and blocks.
    fn blocks(&mut self, start: usize) -> Vec<(Block<'a>, Range<usize>)> {
        let mut blocks = Vec::new();
        let mut text_from = start;
        let mut lines = Lines::of(self.text, start);
        while let Some(line) = lines.next() {
            let content = self.slice(&line).trim_end();
            if let Some(title) = content.strip_prefix("## ") {
                blocks.push((Block::Text, text_from..line.start));
                blocks.push((Block::Heading(title.trim()), line.clone()));
                text_from = line.end;
            } else if let Some(info) = content.strip_prefix("```") {
                let name = info.trim();
                let inner = line.end;
                let end = lines.find(|line| self.slice(line).trim_end() == "```");
                let Some(end) = end else {
                    self.problem(
                        line.start,
                        "the block that begins here is not closed; it ends with a line '```'",
                    );
                    break;
                };
                if BLOCKS.contains(&name) {
                    blocks.push((Block::Text, text_from..line.start));
                    blocks.push((Block::Fenced(name), inner..end.start));
                    text_from = end.end;
                }
            }
        }
        blocks.push((Block::Text, text_from..self.text.len()));
        blocks
    }

    fn fenced(&mut self, name: &str, range: Range<usize>, step: Option<&mut Step>) {
        let Some(step) = step else {
            self.problem(
                range.start,
                format!("a block '{name}' stands in a step; begin one with a heading '## …'"),
            );
            return;
        };
        let base = range.start;
        let part = match name {
            "go" => self
                .toml(range)
                .and_then(|form| self.go(&form, base))
                .map(Part::Go),
            "try" => self
                .toml(range)
                .and_then(|form| self.attempt(&form, base))
                .map(Part::Try),
            "question" => self
                .toml(range)
                .and_then(|form| self.question(&form, base))
                .map(Part::Question),
            _ => {
                let form = self.toml::<NeedsForm>(range);
                step.needs
                    .extend(form.and_then(|form| self.condition(&form, base)));
                None
            }
        };
        step.parts.extend(part);
    }
}
