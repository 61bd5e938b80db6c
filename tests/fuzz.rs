//! Small texts from anyone: views as lines, files of stops, lessons. A hundred thousand damaged ones
//! of each are read or refused in a sentence, quickly; traces have a test of their own, which
//! counts memory too (`hostile_traces.rs`).

#[path = "common/random.rs"]
mod random;

use std::time::{Duration, Instant};

use random::Random;
use vitrine::lesson::read;
use vitrine::lesson::stops::Stops;
use vitrine::ui::view_line::ViewLine;

const ROUNDS: usize = 100_000;

/// What parsers stumble over.
const NASTY: [&str; 18] = [
    "\"",
    "\\",
    "=",
    "[",
    "]",
    "+++",
    "\n",
    "18446744073709551616",
    "-1",
    "#",
    "pass.",
    "{",
    "\u{202e}",
    "\\u",
    "```",
    "1e400",
    "é",
    "\0",
];

fn mutated(text: &str, random: &mut Random) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..1 + random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(6) {
            0 => bytes.truncate(at),
            1 if at < bytes.len() => bytes[at] = random.below(256) as u8,
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 => {
                let end = (at + random.below(30)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                drop(bytes.splice(to..to, piece));
            }
            _ => drop(bytes.splice(at..at, NASTY[random.below(NASTY.len())].bytes())),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads damaged copies of `texts`; `is_read` panics, hangs, or tells whether it took the text.
fn torment(texts: &[&str], is_read: impl Fn(&str) -> bool) {
    let mut random = Random(0x5EED_CAFE);
    let (mut n_read, mut slowest) = (0, Duration::ZERO);
    for _ in 0..ROUNDS {
        let text = mutated(texts[random.below(texts.len())], &mut random);
        let begun = Instant::now();
        n_read += usize::from(is_read(&text));
        slowest = slowest.max(begun.elapsed());
    }
    assert!(
        n_read > 100 && n_read < ROUNDS,
        "{n_read} of {ROUNDS} were read"
    );
    assert!(slowest < Duration::from_secs(2), "one took {slowest:?}");
}

#[test]
fn views_as_lines() {
    let texts = [
        "model=classroom seed=7 raw=\"The capital\\nof \\\"France\\\" is\" at=blocks.2.attn.hook_pattern head=3 pos=4",
        "vitrine open chat=\"Hello\" system=\"Be brief.\" at=\"pass.2.sample#filters\" key=1",
        "pass.3.blocks.1.attn.hook_pattern[3, 10, 9]#map",
    ];
    torment(&texts, |text| match text.parse::<ViewLine>() {
        // What was read can be written and read again.
        Ok(line) => {
            assert_eq!(line.to_string().parse().as_ref(), Ok(&line), "{text:?}");
            true
        }
        Err(error) => {
            assert!(error.to_string().len() > 30);
            false
        }
    });
}

#[test]
fn files_of_stops() {
    let text = Stops::read(
        "title = \"A talk\"\n\n[[stop]]\nat = \"blocks.2.attn.hook_pattern[3, 10, 9]\"\nprompt = \"The crane ate\"\n\
         says = \"Look at **the row**.\"\nnotes = \"Slowly.\"\n\n[[stop]]\nat = \"sample#filters\"\n",
    )
    .map_or_else(|why| panic!("{why:#}"), |stops| stops.to_toml());
    torment(&[&text], |text| Stops::read(text).is_ok());
}

#[test]
fn lessons() {
    let text = "+++\ntitle = \"Small\"\nminutes = 3\norder = 1\nprompt = \"The capital of France is\"\n\n[let]\n\
                a = \"pos(' is')\"\n+++\nText with {= p(' Paris', a)}.{! a > 1}\n\n## Step\n\n```go\nto = \"hook_embed[{a}]\"\n\
                look = \"At the row.\"\n```\n";
    assert!(read("m", "m.md", text).is_ok());
    torment(&[text], |text| read("m", "m.md", text).is_ok());
}
