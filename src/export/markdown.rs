//! The Markdown of lessons as HTML: paragraphs, lists, quotes, code, **strong**, *emphasis*,
//! `code`. What else Markdown knows stays as it was typed.

use super::json::escaped;

/// `text` as HTML; no markup in it survives.
#[must_use]
pub(super) fn html_of(text: &str) -> String {
    let mut html = String::new();
    let mut open = Open::Nothing;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            let was_code = open == Open::Code;
            open.close(&mut html);
            if !was_code {
                open.begin(Open::Code, &mut html);
            }
            continue;
        }
        if open == Open::Code {
            html.push_str(&escaped(line));
            html.push('\n');
            continue;
        }
        block_line(line.trim(), &mut open, &mut html);
    }
    open.close(&mut html);
    html
}

/// A line outside of code.
fn block_line(line: &str, open: &mut Open, html: &mut String) {
    let bullet = line.strip_prefix("- ").or_else(|| line.strip_prefix("* "));
    let item = line.split_once(". ").filter(|(number, _)| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    if line.is_empty() {
        open.close(html);
    } else if let Some(text) = bullet {
        open.begin(Open::Bullets, html);
        html.push_str(&format!("<li>{}</li>\n", inline(text)));
    } else if let Some((_, text)) = item {
        open.begin(Open::Numbers, html);
        html.push_str(&format!("<li>{}</li>\n", inline(text)));
    } else if let Some(text) = line.strip_prefix("> ") {
        open.begin(Open::Quote, html);
        html.push_str(&format!("{}\n", inline(text)));
    } else {
        // A line after an item goes on with the text, not with the list.
        open.begin(Open::Paragraph, html);
        html.push_str(&format!("{}\n", inline(line)));
    }
}

/// What is open while lines are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Nothing,
    Paragraph,
    Bullets,
    Numbers,
    Quote,
    Code,
}

impl Open {
    fn tag(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Paragraph => "p",
            Self::Bullets => "ul",
            Self::Numbers => "ol",
            Self::Quote => "blockquote",
            Self::Code => "pre",
        }
    }

    fn begin(&mut self, next: Self, html: &mut String) {
        if *self != next {
            self.close(html);
            html.push_str(&format!("<{}>", next.tag()));
            *self = next;
        }
    }

    fn close(&mut self, html: &mut String) {
        if *self != Self::Nothing {
            html.push_str(&format!("</{}>\n", self.tag()));
            *self = Self::Nothing;
        }
    }
}

/// Strong, emphasis and code within a line.
fn inline(text: &str) -> String {
    let mut html = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['*', '`']) {
        let (before, marked) = rest.split_at(at);
        html.push_str(&escaped(before));
        let found = [("`", "code"), ("**", "strong"), ("*", "em")]
            .into_iter()
            .find_map(|(mark, tag)| {
                let inside = marked.strip_prefix(mark)?;
                let end = inside.find(mark).filter(|end| *end > 0)?;
                let (inside, after) = inside.split_at(end);
                Some((tag, inside, after.strip_prefix(mark)?))
            });
        match found {
            Some((tag, inside, after)) => {
                html.push_str(&format!("<{tag}>{}</{tag}>", escaped(inside)));
                rest = after;
            }
            None => {
                // The mark stands for itself; it is one byte long.
                let (mark, after) = marked.split_at(1);
                html.push_str(mark);
                rest = after;
            }
        }
    }
    html.push_str(&escaped(rest));
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_marks_become_elements() {
        let html =
            html_of("One **two** `a<b`\nthree\n\n- x\n- y\n\n1. first\n\n> said\n\n```\n<c>\n```");
        assert_eq!(
            html,
            "<p>One <strong>two</strong> <code>a&lt;b</code>\nthree\n</p>\n<ul><li>x</li>\n\
             <li>y</li>\n</ul>\n<ol><li>first</li>\n</ol>\n<blockquote>said\n</blockquote>\n\
             <pre>&lt;c&gt;\n</pre>\n"
        );
    }

    #[test]
    fn marks_that_do_not_close_stand_for_themselves() {
        assert_eq!(inline("2 * 3 ** 4 ` x"), "2 * 3 ** 4 ` x");
        assert_eq!(inline("ü*é*"), "ü<em>é</em>");
    }
}
