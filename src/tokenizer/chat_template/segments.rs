//! A rendered prompt taken apart: whose text is where, and what is a special token.

use std::ops::Range;

use serde::Serialize;

use super::Message;

/// A stretch of a rendered prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// Where it stands in the prompt, in bytes.
    pub bytes: Range<usize>,
    /// Which message it belongs to, with what the template puts around it; `None` for what belongs to none, such as the opening of the answer.
    pub message: Option<usize>,
    /// What kind of text it is.
    pub kind: SegmentKind,
}

/// Where a stretch of a prompt comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum SegmentKind {
    /// What somebody said.
    Content,
    /// A special token, such as `<|im_end|>`.
    Special,
    /// Other text that the template adds: the name of a role, a line break.
    Template,
}

/// What stands in for the text of message `idx` while the places are looked for; no template has a reason to write it.
fn stand_in(idx: usize) -> String {
    format!("\u{F8FF}{idx}\u{F8FF}")
}

/// The messages with a stand-in for each text, to be rendered once more: it shows where the template puts what was said.
pub(super) fn with_stand_ins(messages: &[Message]) -> Vec<Message> {
    let mut stand_ins = messages.to_vec();
    for (idx, message) in stand_ins.iter_mut().enumerate() {
        if message.content.is_string() {
            message.content = stand_in(idx).into();
        }
    }
    stand_ins
}

/// Takes a prompt apart. `pattern` is the prompt with stand-ins for what was said, if it could be rendered.
///
/// A message whose text the template changed is not found and has no segment of its own. `end_token` ends what stands before a message.
pub(super) fn split(
    text: &str,
    pattern: Option<&str>,
    messages: &[Message],
    specials: &[&str],
    end_token: Option<&str>,
) -> Vec<Segment> {
    let contents = pattern
        .and_then(|pattern| match_pattern(text, pattern, messages))
        .unwrap_or_else(|| search_contents(text, messages));
    let mut segments = Vec::new();
    let mut start = 0;
    for (place, (message, content)) in contents.iter().enumerate() {
        let next = contents
            .get(place + 1)
            .map_or(text.len(), |(_, next)| next.start);
        let opening = after_last(&text[..content.start], end_token).max(start);
        let closing = after_closing(text, content.end..next, specials);
        let message = Some(*message);
        push_template(&mut segments, text, start..opening, None, specials);
        push_template(
            &mut segments,
            text,
            opening..content.start,
            message,
            specials,
        );
        push(
            &mut segments,
            content.clone(),
            message,
            SegmentKind::Content,
        );
        push_template(&mut segments, text, content.end..closing, message, specials);
        start = closing;
    }
    push_template(&mut segments, text, start..text.len(), None, specials);
    segments
}

/// How a message's text may stand in a prompt; templates often trim it.
fn variants(message: &Message) -> [String; 2] {
    let said = message.text();
    let trimmed = said.trim().to_owned();
    [said, trimmed]
}

/// Where each message's text stands, read off the prompt with stand-ins; `None` if the template looks into the texts, so that the two differ
/// elsewhere too.
fn match_pattern(
    text: &str,
    pattern: &str,
    messages: &[Message],
) -> Option<Vec<(usize, Range<usize>)>> {
    let mut marks: Vec<(usize, usize)> = (0..messages.len())
        .filter_map(|idx| Some((pattern.find(&stand_in(idx))?, idx)))
        .collect();
    marks.sort_unstable();
    let mut found = Vec::new();
    let (mut at, mut pattern_at) = (0, 0);
    for (place, &(mark, idx)) in marks.iter().enumerate() {
        let before = pattern.get(pattern_at..mark)?;
        let start = at + text.get(at..)?.strip_prefix(before).map(|_| before.len())?;
        pattern_at = mark + stand_in(idx).len();
        let next = marks
            .get(place + 1)
            .map_or(pattern.len(), |&(next, _)| next);
        let after = pattern.get(pattern_at..next)?;
        let said = variants(messages.get(idx)?).into_iter().find(|said| {
            let rest = text[start..].strip_prefix(said.as_str());
            rest.is_some_and(|rest| rest.starts_with(after))
        })?;
        at = start + said.len();
        found.push((idx, start..at));
    }
    (text.get(at..)? == pattern.get(pattern_at..)?).then_some(found)
}

/// Where each message's text stands, looked for in order: it may hit upon the same letters elsewhere.
fn search_contents(text: &str, messages: &[Message]) -> Vec<(usize, Range<usize>)> {
    let mut found = Vec::new();
    let mut from = 0;
    for (idx, message) in messages.iter().enumerate() {
        let place = variants(message)
            .into_iter()
            .filter(|said| !said.is_empty())
            .find_map(|said| Some((text[from..].find(&said)? + from, said.len())));
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

/// Just after the special token that closes a message, which comes right behind its text; the start of `range` if there is none.
fn after_closing(text: &str, range: Range<usize>, specials: &[&str]) -> usize {
    let behind = &text[range.clone()];
    let rest = behind.trim_start();
    let closing = specials
        .iter()
        .filter(|token| !token.is_empty() && rest.starts_with(**token))
        .map(|token| token.len())
        .max();
    closing.map_or(range.start, |len| {
        let end = range.start + behind.len() - rest.len() + len;
        after_line_break(text, end).min(range.end)
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
    let mut found: Vec<(usize, usize)> = specials
        .iter()
        .filter(|token| !token.is_empty())
        .flat_map(|token| {
            let places = text[range.clone()].match_indices(*token);
            places.map(|(at, token)| (range.start + at, token.len()))
        })
        .collect();
    found.sort_by_key(|&(at, len)| (at, usize::MAX - len));
    let mut start = range.start;
    for (at, len) in found {
        if at < start {
            continue; // within a longer token
        }
        push(segments, start..at, message, SegmentKind::Template);
        push(segments, at..at + len, message, SegmentKind::Special);
        start = at + len;
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
        let segments = split(text, None, &messages, &["<s>", "</s>"], Some("</s>"));
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

    #[test]
    fn stand_ins_find_short_texts_and_texts_that_were_moved() {
        let messages = [
            Message::new("system", "s"),
            Message::new("user", "u"),
            Message::new("user", "again"),
        ];
        let text = "[user]u[user]s\nagain[bot]";
        let stand_ins = with_stand_ins(&messages);
        let marks: Vec<String> = stand_ins.iter().map(Message::text).collect();
        let pattern = format!("[user]{}[user]{}\n{}[bot]", marks[1], marks[0], marks[2]);
        let found = match_pattern(text, &pattern, &messages).unwrap();
        assert_eq!(found, [(1, 6..7), (0, 13..14), (2, 15..20)]);
        assert_eq!(match_pattern("[other]", &pattern, &messages), None);
        let whole: usize = split(text, Some(&pattern), &messages, &[], None)
            .iter()
            .map(|segment| segment.bytes.len())
            .sum();
        assert_eq!(whole, text.len());
    }
}
