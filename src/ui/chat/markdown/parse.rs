//! Markdown as blocks of styled text.

use pulldown_cmark::{Alignment, CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::math;

/// A run of letters in one style.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Span {
    /// The letters.
    pub text: String,
    /// How they look.
    pub style: Style,
    /// Where a click leads.
    pub link: Option<String>,
}

/// How letters look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Semi-bold.
    pub is_strong: bool,
    /// Slanted.
    pub is_slanted: bool,
    /// Struck through.
    pub is_struck: bool,
    /// In the type of code.
    pub is_code: bool,
    /// A formula.
    pub is_math: bool,
}

/// A block.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// Text that wraps.
    Text(Text),
    /// Code, with the language it is said to be in.
    Code(String, String, usize),
    /// A table.
    Table(Table),
    /// A formula of its own.
    Formula(String),
    /// A line.
    Rule,
}

/// What stands in one cell of a table.
pub type Cell = Vec<Span>;

/// A table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// How its columns are aligned.
    pub alignments: Vec<Alignment>,
    /// Its rows; the first is the heading.
    pub rows: Vec<Vec<Cell>>,
}

/// Text that wraps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    /// The text.
    pub spans: Vec<Span>,
    /// 1 to 6 for a heading.
    pub heading: Option<u8>,
    /// How deep in lists.
    pub indent: usize,
    /// What stands before the first line: `•`, `3.`
    pub mark: Option<String>,
    /// How deep in quotes.
    pub quote: usize,
}

/// Takes a text apart.
#[must_use]
pub fn blocks(text: &str) -> Vec<Block> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_MATH;
    let text = math::with_dollars(text);
    let mut reader = Reader::default();
    for event in Parser::new_ext(&text, options) {
        reader.take(event);
    }
    reader.flush();
    reader.blocks
}

#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    text: Text,
    style: Style,
    n_strong: usize,
    n_slanted: usize,
    link: Option<String>,
    /// The next number of each list one is in; `None` where it has none.
    lists: Vec<Option<u64>>,
    mark: Option<String>,
    quote: usize,
    code: Option<(String, String)>,
    table: Option<Table>,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match &mut self.code {
                Some((_, code)) => code.push_str(&text),
                None => self.push(&text),
            },
            Event::Code(text) => {
                let style = self.style;
                self.style.is_code = true;
                self.push(&text);
                self.style = style;
            }
            Event::InlineMath(text) => {
                let style = self.style;
                self.style.is_math = true;
                self.push(&math::readable(&text));
                self.style = style;
            }
            Event::DisplayMath(text) => {
                self.flush();
                self.blocks.push(Block::Formula(math::readable(&text)));
            }
            Event::Html(text) | Event::InlineHtml(text) => self.push(&text),
            Event::SoftBreak | Event::HardBreak => self.push("\n"),
            Event::Rule => {
                self.flush();
                self.blocks.push(Block::Rule);
            }
            Event::TaskListMarker(is_done) => self.push(if is_done { "☑ " } else { "☐ " }),
            Event::FootnoteReference(name) => self.push(&format!("[{name}]")),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => {
                self.flush();
                self.text.heading = Some(depth(level));
            }
            Tag::Paragraph => self.flush(),
            Tag::BlockQuote(_) => {
                self.flush();
                self.quote += 1;
            }
            Tag::CodeBlock(kind) => {
                self.flush();
                let language = match kind {
                    CodeBlockKind::Fenced(info) => {
                        let word = info.split([' ', ',', '{']).next();
                        word.unwrap_or_default().to_owned()
                    }
                    CodeBlockKind::Indented => String::new(),
                };
                self.code = Some((language, String::new()));
            }
            Tag::List(start) => {
                self.flush();
                self.lists.push(start);
            }
            Tag::Item => {
                self.flush();
                self.mark = Some(match self.lists.last_mut() {
                    Some(Some(number)) => {
                        let mark = format!("{number}.");
                        *number += 1;
                        mark
                    }
                    _ => "•".to_owned(),
                });
            }
            Tag::Table(alignments) => {
                self.flush();
                self.table = Some(Table {
                    alignments,
                    rows: Vec::new(),
                });
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.rows.push(Vec::new());
                }
            }
            Tag::Emphasis => self.n_slanted += 1,
            Tag::Strong => self.n_strong += 1,
            Tag::Strikethrough => self.style.is_struck = true,
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.link = Some(dest_url.into_string());
            }
            _ => {}
        }
        self.restyle();
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) | TagEnd::Paragraph | TagEnd::HtmlBlock => self.flush(),
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.quote = self.quote.saturating_sub(1);
            }
            TagEnd::CodeBlock => {
                if let Some((language, code)) = self.code.take() {
                    let indent = self.lists.len();
                    self.blocks.push(Block::Code(language, code, indent));
                }
            }
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
            }
            TagEnd::Item => self.flush(),
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.text.spans);
                if let Some(table) = &mut self.table
                    && let Some(row) = table.rows.last_mut()
                {
                    row.push(cell);
                }
            }
            TagEnd::Table => {
                if let Some(table) = self.table.take() {
                    self.blocks.push(Block::Table(table));
                }
            }
            TagEnd::Emphasis => self.n_slanted = self.n_slanted.saturating_sub(1),
            TagEnd::Strong => self.n_strong = self.n_strong.saturating_sub(1),
            TagEnd::Strikethrough => self.style.is_struck = false,
            TagEnd::Link | TagEnd::Image => self.link = None,
            _ => {}
        }
        self.restyle();
    }

    fn restyle(&mut self) {
        self.style.is_strong = self.n_strong > 0;
        self.style.is_slanted = self.n_slanted > 0;
    }

    fn push(&mut self, text: &str) {
        let (style, link) = (self.style, self.link.clone());
        match self.text.spans.last_mut() {
            Some(last) if last.style == style && last.link == link => last.text.push_str(text),
            _ => self.text.spans.push(Span {
                text: text.to_owned(),
                style,
                link,
            }),
        }
    }

    /// The text so far is a block.
    fn flush(&mut self) {
        let mut text = std::mem::take(&mut self.text);
        if text.spans.iter().all(|span| span.text.trim().is_empty()) {
            return;
        }
        text.indent = self.lists.len();
        text.quote = self.quote;
        text.mark = self.mark.take();
        self.blocks.push(Block::Text(text));
    }
}

fn depth(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(blocks: &[Block]) -> Vec<String> {
        let line =
            |spans: &[Span]| -> String { spans.iter().map(|span| span.text.as_str()).collect() };
        blocks
            .iter()
            .map(|block| match block {
                Block::Text(text) => format!(
                    "{}{}{}",
                    "  ".repeat(text.indent),
                    text.mark.clone().map_or(String::new(), |mark| mark + " "),
                    line(&text.spans)
                ),
                Block::Code(language, code, _) => format!("[{language}] {}", code.trim_end()),
                Block::Table(table) => {
                    let rows: Vec<String> = table
                        .rows
                        .iter()
                        .map(|row| {
                            row.iter()
                                .map(|cell| line(cell))
                                .collect::<Vec<_>>()
                                .join("|")
                        })
                        .collect();
                    rows.join(" / ")
                }
                Block::Formula(text) => format!("= {text}"),
                Block::Rule => "---".to_owned(),
            })
            .collect()
    }

    #[test]
    fn what_models_write_is_taken_apart() {
        let text = "# Title\n\nOne **bold** word.\n\n- a\n  1. b\n- c\n\n| x | y |\n|---|---|\n| 1 | `2` |\n\n\
                    ```rust\nlet a = 1;\n```\n\n> quoted\n\n$$x^2$$\n\n---";
        let found = blocks(text);
        assert_eq!(
            plain(&found),
            [
                "Title",
                "One bold word.",
                "  • a",
                "    1. b",
                "  • c",
                "x|y / 1|2",
                "[rust] let a = 1;",
                "quoted",
                "= x²",
                "---"
            ]
        );
        let Block::Text(text) = &found[1] else {
            panic!("{found:?}");
        };
        assert!(text.spans[1].style.is_strong && !text.spans[0].style.is_strong);
    }

    #[test]
    fn prices_are_no_formulas_and_half_a_text_is_shown() {
        assert_eq!(
            plain(&blocks("It costs $5 and $10.")),
            ["It costs $5 and $10."]
        );
        assert_eq!(plain(&blocks("```py\nx = ")), ["[py] x ="]);
        assert_eq!(plain(&blocks("| a | b")), ["| a | b"]);
        assert_eq!(plain(&blocks(r"so \(a_1\) is")), ["so a₁ is"]);
    }
}
