//! A rendered prompt taken apart: whose text is where, and what is a special token.

use std::ops::Range;

use super::Message;

/// A stretch of a rendered prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Where it stands in the prompt, in bytes.
    pub bytes: Range<usize>,
    /// Which message it belongs to, with what the template puts around it; `None` for what belongs to none, such as the opening of the answer.
    pub message: Option<usize>,
    /// What kind of text it is.
    pub kind: SegmentKind,
}

/// Where a stretch of a prompt comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentKind {
    /// What somebody said.
    Content,
    /// A special token, such as `<|im_end|>`.
    Special,
    /// Other text that the template adds: the name of a role, a line break.
    Template,
}

/// Takes a prompt apart by looking for what was said, in order; a message whose text the template changed is not found and has no segment.
///
/// `end_token` closes a message in most templates, so what follows it belongs to the next one.
pub(super) fn split(
    text: &str,
    messages: &[Message],
    specials: &[&str],
    end_token: Option<&str>,
) -> Vec<Segment> {
    let contents = find_contents(text, messages);
    let mut segments = Vec::new();
    let mut start = 0;
    for (place, (message, content)) in contents.iter().enumerate() {
        let next = contents
            .get(place + 1)
            .map_or(text.len(), |(_, next)| next.start);
        let opening = after_last(&text[..content.start], end_token).max(start);
        let closing = after_first(text, content.end..next, end_token);
        push_template(&mut segments, text, start..opening, None, specials);
        push_template(
            &mut segments,
            text,
            opening..content.start,
            Some(*message),
            specials,
        );
        push(
            &mut segments,
            content.clone(),
            Some(*message),
            SegmentKind::Content,
        );
        push_template(
            &mut segments,
            text,
            content.end..closing,
            Some(*message),
            specials,
        );
        start = closing;
    }
    push_template(&mut segments, text, start..text.len(), None, specials);
    segments
}

/// Where each message's text stands; templates often trim it.
fn find_contents(text: &str, messages: &[Message]) -> Vec<(usize, Range<usize>)> {
    let mut found = Vec::new();
    let mut from = 0;
    for (idx, message) in messages.iter().enumerate() {
        let said = message.text();
        let variants = [said.as_str(), said.trim()];
        let place = variants
            .into_iter()
            .filter(|said| !said.is_empty())
            .find_map(|said| Some((text[from..].find(said)? + from, said.len())));
        if let Some((start, len)) = place {
            found.push((idx, start..start + len));
            from = start + len;
        }
    }
    found
}

/// Just after the last end token of `text` and the line break behind it; 0 if there is none.
fn after_last(text: &str, end_token: Option<&str>) -> usize {
    let Some(token) = end_token else { return 0 };
    let Some(at) = text.rfind(token) else {
        return 0;
    };
    after_line_break(text, at + token.len())
}

/// Just after the first end token within `range`; the start of `range` if there is none.
fn after_first(text: &str, range: Range<usize>, end_token: Option<&str>) -> usize {
    let found = end_token.and_then(|token| Some(text[range.clone()].find(token)? + token.len()));
    found.map_or(range.start, |end| {
        after_line_break(text, range.start + end).min(range.end)
    })
}

fn after_line_break(text: &str, at: usize) -> usize {
    at + usize::from(text[at..].starts_with('\n'))
}

/// Adds template text, with the special tokens in it as segments of their own.
fn push_template(
    segments: &mut Vec<Segment>,
    text: &str,
    range: Range<usize>,
    message: Option<usize>,
    specials: &[&str],
) {
    let mut start = range.start;
    while start < range.end {
        let here = &text[start..range.end];
        let first = specials
            .iter()
            .filter(|token| !token.is_empty())
            .filter_map(|token| Some((here.find(token)?, token.len())))
            .min_by_key(|&(at, len)| (at, usize::MAX - len));
        let Some((at, len)) = first else { break };
        push(segments, start..start + at, message, SegmentKind::Template);
        push(
            segments,
            start + at..start + at + len,
            message,
            SegmentKind::Special,
        );
        start += at + len;
    }
    push(segments, start..range.end, message, SegmentKind::Template);
}

fn push(
    segments: &mut Vec<Segment>,
    bytes: Range<usize>,
    message: Option<usize>,
    kind: SegmentKind,
) {
    if !bytes.is_empty() {
        segments.push(Segment {
            bytes,
            message,
            kind,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_taken_apart_without_gaps() {
        let text = "<s>sys\nBe kind.</s>\n<s>usr\nHi</s>\n<s>bot\n";
        let messages = [Message::new("user", "Hi ")];
        let segments = split(text, &messages, &["<s>", "</s>"], Some("</s>"));
        let shown: Vec<_> = segments
            .iter()
            .map(|s| (&text[s.bytes.clone()], s.message, s.kind))
            .collect();
        use SegmentKind::{Content, Special, Template};
        assert_eq!(
            shown,
            [
                ("<s>", None, Special),
                ("sys\nBe kind.", None, Template),
                ("</s>", None, Special),
                ("\n", None, Template),
                ("<s>", Some(0), Special),
                ("usr\n", Some(0), Template),
                ("Hi", Some(0), Content),
                ("</s>", Some(0), Special),
                ("\n", Some(0), Template),
                ("<s>", None, Special),
                ("bot\n", None, Template),
            ]
        );
        assert!(
            segments
                .windows(2)
                .all(|w| w[0].bytes.end == w[1].bytes.start)
        );
    }
}
