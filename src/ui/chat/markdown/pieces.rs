//! Taking an answer apart: its reasoning, and pieces that can be laid out by themselves.

use std::ops::Range;

/// Where reasoning begins, as thinking models write it.
const BEGIN: &str = "<think>";
/// Where it ends. Some templates write the beginning themselves, so the end may stand alone.
const END: &str = "</think>";
/// A list longer than this is taken apart between its items.
const LONG: usize = 3_000;

/// What a model thought before it answered, if it did, and the answer.
#[must_use]
pub fn reasoning(text: &str) -> (Option<Range<usize>>, Range<usize>) {
    let lead = text.len() - text.trim_start().len();
    let begins = text.trim_start().starts_with(BEGIN);
    let from = if begins { lead + BEGIN.len() } else { 0 };
    match text.get(from..).and_then(|rest| rest.find(END)) {
        Some(end) => {
            let after = from + end + END.len();
            let is_empty = text
                .get(from..from + end)
                .is_none_or(|thought| thought.trim().is_empty());
            let thought = (!is_empty).then_some(from..from + end);
            (thought, after..text.len())
        }
        // It has not come to its end.
        None if begins => (Some(from..text.len()), text.len()..text.len()),
        None => (None, 0..text.len()),
    }
}

/// The blocks of `text[range]`: paragraphs, lists, tables, code. A fenced block is never cut, and what
/// is indented stays with what it is part of.
#[must_use]
pub fn pieces(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let Some(part) = text.get(range.clone()) else {
        return Vec::new();
    };
    let mut pieces: Vec<Range<usize>> = Vec::new();
    let mut start = range.start;
    let (mut fence, mut is_blank, mut is_list) = (None, false, false);
    let mut at = range.start;
    for line in part.split_inclusive('\n') {
        let plain = line.trim_end();
        if fence.is_none() && is_blank && !plain.is_empty() {
            let goes_on =
                plain.starts_with([' ', '\t']) || (is_list && is_item(plain) && at - start < LONG);
            if !goes_on {
                pieces.push(start..at);
                start = at;
                is_list = is_item(plain);
            }
        } else if at == start {
            is_list = is_item(plain);
        }
        fence = after_fence(fence, plain);
        is_blank = plain.is_empty();
        at += line.len();
    }
    pieces.push(start..at);
    pieces.retain(|piece| {
        let text = text.get(piece.clone()).unwrap_or_default();
        !text.trim().is_empty()
    });
    if pieces.is_empty() {
        pieces.push(range.start..range.start);
    }
    pieces
}

/// Whether a line begins an item of a list.
fn is_item(line: &str) -> bool {
    let rest = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
    if rest.len() < line.len() {
        return rest.starts_with(". ") || rest.starts_with(") ");
    }
    line.starts_with("- ") || line.starts_with("* ") || line.starts_with("+ ")
}

/// The fence that is open after `line`: its sign and its length.
fn after_fence(open: Option<(char, usize)>, line: &str) -> Option<(char, usize)> {
    let line = line.trim_start();
    let sign = line.chars().next().filter(|sign| matches!(sign, '`' | '~'));
    let Some(sign) = sign else {
        return open;
    };
    let length = line.chars().take_while(|letter| *letter == sign).count();
    let rest = line.get(length..).unwrap_or_default();
    match open {
        None if length >= 3 && !rest.contains('`') => Some((sign, length)),
        Some((opened, least)) if opened == sign && length >= least && rest.trim().is_empty() => {
            None
        }
        open => open,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        let pieces = pieces(text, 0..text.len()).into_iter();
        pieces.map(|piece| text[piece].trim_end()).collect()
    }

    #[test]
    fn blocks_are_pieces_and_code_is_never_cut() {
        let text =
            "One\ntwo.\n\n```rust\nlet a;\n\nlet b;\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n";
        assert_eq!(
            texts(text),
            [
                "One\ntwo.",
                "```rust\nlet a;\n\nlet b;\n```",
                "| a | b |\n|---|---|\n| 1 | 2 |"
            ]
        );
        // While it is being written, the fence is open.
        assert_eq!(texts("```\na\n\nb").len(), 1);
        assert_eq!(texts("````\n```\n\n````\n\nend").len(), 2);
    }

    #[test]
    fn a_list_stays_together_with_what_is_indented_in_it() {
        assert_eq!(texts("1. a\n\n2. b\n\n   more\n\nend").len(), 2);
        let long = "- word word word word\n\n".repeat(400);
        assert!(texts(&long).len() > 1);
        assert_eq!(texts("").len(), 1);
        assert_eq!(texts("\n\n").len(), 1);
    }

    #[test]
    fn all_of_the_text_is_in_the_pieces() {
        let text = "a\n\n- b\n\n\n  c\n\nd\n```\ne\n```";
        let joined: String = pieces(text, 0..text.len())
            .into_iter()
            .map(|piece| &text[piece])
            .collect();
        assert_eq!(joined, text);
    }

    #[test]
    fn reasoning_stands_before_the_answer() {
        let split = |text: &str| {
            let (thought, answer) = reasoning(text);
            (
                thought.map(|thought| text[thought].trim().to_owned()),
                text[answer].trim().to_owned(),
            )
        };
        let (some, none) = (|text: &str| Some(text.to_owned()), None);
        assert_eq!(
            split("<think>\nhm\n</think>\n\nyes"),
            (some("hm"), "yes".into())
        );
        assert_eq!(split("hm</think>yes"), (some("hm"), "yes".into()));
        assert_eq!(split("<think>\nhm"), (some("hm"), String::new()));
        assert_eq!(
            split("<think>\n\n</think>\n\nyes"),
            (none.clone(), "yes".into())
        );
        assert_eq!(split("plain"), (none, "plain".into()));
    }
}
