//! The Markdown of lessons as HTML, as the window reads it.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html};

/// `text` as HTML. Markup in it is shown as it was typed, pictures give way to what they are called,
/// and links lead to the web alone.
#[must_use]
pub(super) fn html_of(text: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let events = Parser::new_ext(text, options).filter_map(|event| match event {
        Event::Html(markup) | Event::InlineHtml(markup) => Some(Event::Text(markup)),
        // A handout is one file: what would be fetched is not there.
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        Event::Start(Tag::Link {
            link_type,
            dest_url,
            title,
            id,
        }) => {
            let is_web = ["https://", "http://"]
                .iter()
                .any(|scheme| dest_url.starts_with(scheme));
            Some(Event::Start(Tag::Link {
                link_type,
                dest_url: if is_web { dest_url } else { "".into() },
                title,
                id,
            }))
        }
        event => Some(event),
    });
    let mut html = String::with_capacity(text.len() * 3 / 2);
    html::push_html(&mut html, events);
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_marks_become_elements() {
        let html = html_of("One **two** `a<b`\n\n- x\n- y\n\n1. first\n\n```\n<c>\n```");
        assert_eq!(
            html,
            "<p>One <strong>two</strong> <code>a&lt;b</code></p>\n<ul>\n<li>x</li>\n\
             <li>y</li>\n</ul>\n<ol>\n<li>first</li>\n</ol>\n<pre><code>&lt;c&gt;\n\
             </code></pre>\n"
        );
        let table = html_of("| a | b |\n|---|---|\n| 1 | 2 |");
        assert!(table.contains("<td>1</td><td>2</td>"), "{table}");
    }

    #[test]
    fn marks_that_do_not_close_stand_for_themselves() {
        assert_eq!(html_of("2 * 3 ** 4 ` x"), "<p>2 * 3 ** 4 ` x</p>\n");
        assert_eq!(html_of("ü*é*"), "<p>ü<em>é</em></p>\n");
    }

    #[test]
    fn nothing_in_a_lesson_becomes_live_markup() {
        let html =
            html_of("<script>x()</script>\n\n<b>[a](javascript:x) ![p](https://e.org/p.png)");
        assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
        assert!(!html.contains("javascript:"), "{html}");
        assert!(!html.contains("<img"), "{html}");
        assert!(html_of("[a](https://e.org)").contains("href=\"https://e.org\""));
    }
}
