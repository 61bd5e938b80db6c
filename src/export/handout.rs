//! A lesson on paper: one HTML page with its text, pictures of the run it was made on, and its
//! questions.

use std::fmt::Write as _;

use super::json::{base64, escaped};
use super::markdown::html_of;

const STYLE: &str = include_str!("../../assets/page/handout.css");

/// What stands on a handout.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Handout {
    /// The title of the lesson.
    pub title: String,
    /// Below it: minutes, level, the model.
    pub about: String,
    /// From top to bottom.
    pub blocks: Vec<Block>,
}

/// One thing on a handout. Texts are Markdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// The title of a step.
    Heading(String),
    /// What one reads.
    Text(String),
    /// A picture and what to look at in it.
    Picture {
        /// The drawing.
        svg: String,
        /// What to look at.
        caption: String,
        /// The address it shows.
        address: String,
    },
    /// A question with room for the answer.
    Question {
        /// The question.
        ask: String,
        /// What one may choose from, if anything.
        choices: Vec<String>,
        /// The answer, where the handout tells it.
        answer: Option<String>,
    },
    /// What could not be shown, and why.
    Lacking(String),
}

/// The page. It needs no network, and no script.
#[must_use]
pub fn handout(handout: &Handout) -> String {
    let mut body = String::new();
    let mut n_questions = 0;
    for block in &handout.blocks {
        match block {
            Block::Heading(title) => {
                let _ = writeln!(body, "<h2>{}</h2>", escaped(title));
            }
            Block::Text(text) => body.push_str(&html_of(text)),
            Block::Picture {
                svg,
                caption,
                address,
            } => picture(&mut body, svg, caption, address),
            Block::Question {
                ask,
                choices,
                answer,
            } => {
                n_questions += 1;
                question(&mut body, n_questions, ask, choices, answer.as_deref());
            }
            Block::Lacking(why) => {
                let _ = writeln!(body, "<p class=\"lacking\">{}</p>", escaped(why));
            }
        }
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta \
         http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src \
         'unsafe-inline'; img-src data:\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>\n{STYLE}\
         </style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n<p \
         class=\"about\">{about}</p>\n{body}</main>\n</body>\n</html>\n",
        title = escaped(&handout.title),
        about = escaped(&handout.about),
    )
}

fn picture(body: &mut String, svg: &str, caption: &str, address: &str) {
    // As an image of its own, so that the names inside two drawings never meet.
    let _ = writeln!(
        body,
        "<figure><img alt=\"{}\" src=\"data:image/svg+xml;base64,{}\"><figcaption>{}<code>{}</code>\
         </figcaption></figure>",
        escaped(&format!("Picture of {address}")),
        base64(svg.as_bytes()),
        html_of(caption),
        escaped(address)
    );
}

fn question(body: &mut String, n: usize, ask: &str, choices: &[String], answer: Option<&str>) {
    let _ = writeln!(
        body,
        "<section class=\"question\"><h3>Question {n}</h3>{}",
        html_of(ask)
    );
    if !choices.is_empty() {
        body.push_str("<ul class=\"choices\">");
        for choice in choices {
            let _ = write!(body, "<li>{}</li>", html_of(choice));
        }
        body.push_str("</ul>\n");
    }
    match answer {
        Some(answer) => {
            let _ = writeln!(body, "<div class=\"answer\">{}</div>", html_of(answer));
        }
        None => body.push_str("<div class=\"room\"></div>\n"),
    }
    body.push_str("</section>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_lesson_becomes_markup() {
        let page = handout(&Handout {
            title: "A <b> title".into(),
            about: "3 minutes".into(),
            blocks: vec![
                Block::Text("Text with <script>alert(1)</script>, **bold**.".into()),
                Block::Picture {
                    svg: "<svg/>".into(),
                    caption: "Look.".into(),
                    address: "tokens".into(),
                },
                Block::Question {
                    ask: "Which?".into(),
                    choices: vec!["One".into(), "Two".into()],
                    answer: None,
                },
            ],
        });
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("<strong>bold</strong>"));
        assert!(page.contains("A &lt;b&gt; title"));
        assert!(page.contains("data:image/svg+xml;base64,PHN2Zy8+"));
        assert!(page.contains("class=\"room\""));
    }
}
