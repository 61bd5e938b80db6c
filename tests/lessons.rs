//! Lessons: every one runs to its end on the embedded model, answered right and wrong; a mistake is
//! told with its place; and no input, however broken, does harm.

#[path = "common/random.rs"]
mod random;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use random::Random;
use vitrine::engine::client::Client;
use vitrine::engine::message::{ModelChoice, SessionId};
use vitrine::lesson::ask::Answers;
use vitrine::lesson::expression::{Evaluation, Outcome, Scope, Value, parse};
use vitrine::lesson::library::Library;
use vitrine::lesson::{Goal, Lesson, Problem, read};
use vitrine::model::linear::Kernels;
use vitrine::trace::Address;
use vitrine::tutor::{Desk, Report, check};
use vitrine::ui::pictures;
use vitrine::ui::spot::PictureKind;

fn desk(model: &str) -> Desk<Client> {
    let choice = ModelChoice {
        name: model.to_owned(),
        kernels: Kernels::Auto,
    };
    Desk::new(Client::start().unwrap(), choice, SessionId(1))
}

fn told(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn small(head: &str, body: &str) -> String {
    format!(
        "+++\ntitle = \"T\"\nminutes = 1\norder = 1\nprompt = \"The capital of France is\"\n{head}\n+++\n## Step\n{body}\n"
    )
}

fn lesson(head: &str, body: &str) -> Lesson {
    read("small", "small.md", &small(head, body))
        .unwrap_or_else(|problems| panic!("{}", told(&problems)))
}

fn problems(text: &str) -> String {
    told(&read("small", "small.md", text).unwrap_err())
}

#[test]
fn every_lesson_runs_to_its_end_on_the_embedded_model() {
    let library = Library::carried();
    let mut desk = desk("classroom");
    let mut all = Report::default();
    for entry in library.entries() {
        let lesson = entry
            .lesson
            .as_ref()
            .unwrap_or_else(|problems| panic!("{}", told(problems)));
        let report = check(&mut desk, lesson);
        assert!(report.problems.is_empty(), "{}", told(&report.problems));
        assert!(report.n_questions >= 3, "{} asks too little", lesson.name);
        assert!(
            lesson.language == "en" && !lesson.about.is_empty(),
            "{}",
            lesson.name
        );
        all.n_questions += report.n_questions;
        all.n_claims += report.n_claims;
        all.n_values += report.n_values;
    }
    assert!(library.entries().len() >= 24);
    assert!(
        all.n_questions >= 80 && all.n_claims >= 15 && all.n_values >= 250,
        "{all:?}"
    );
}

/// A model of random weights that knows single letters alone: no word is one token.
fn model_of_letters(folder: &Path, of: &str) -> String {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models");
    let source = models.join(of);
    for file in fs::read_dir(source).unwrap() {
        let file = file.unwrap().path();
        fs::copy(&file, folder.join(file.file_name().unwrap())).unwrap();
    }
    let letters = (b' '..=b'~').enumerate().map(|(id, letter)| {
        let written = if letter == b' ' {
            'Ġ'
        } else {
            char::from(letter)
        };
        (written.to_string(), serde_json::Value::from(id))
    });
    let letters: serde_json::Map<String, serde_json::Value> = letters.collect();
    let tokenizer = serde_json::json!({
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": false, "use_regex": true, "trim_offsets": true },
        "decoder": { "type": "ByteLevel", "add_prefix_space": true, "use_regex": true, "trim_offsets": true },
        "model": { "type": "BPE", "vocab": letters, "merges": [] },
    });
    fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();
    folder.display().to_string()
}

#[test]
fn every_lesson_holds_or_says_why_not_on_a_model_that_knows_no_words() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk(&model_of_letters(folder.path(), "llama-4bit"));
    let (mut n_questions, mut n_left_out) = (0, 0);
    for lesson in Library::carried().lessons() {
        let report = check(&mut desk, lesson);
        assert!(report.problems.is_empty(), "{}", told(&report.problems));
        let left_out = report.left_out.iter();
        assert!(
            left_out.clone().all(|why| why.contains("odel")),
            "{left_out:?}"
        );
        n_left_out += report.left_out.len();
        n_questions += report.n_questions;
    }
    assert!(
        n_questions >= 40 && n_left_out >= 8,
        "{n_questions} {n_left_out}"
    );
}

#[test]
fn lessons_on_keys_hold_or_say_why_not_on_a_model_without_rope() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk(&model_of_letters(folder.path(), "gpt2-4bit"));
    let mut left_out = Vec::new();
    // Others have prompts that, letter by letter, are longer than this tiny model reads.
    for name in ["rope", "kv-cache"] {
        let carried = Library::carried();
        let lesson = carried.lessons().find(|lesson| lesson.name == name);
        let report = check(&mut desk, lesson.unwrap());
        assert!(report.problems.is_empty(), "{}", told(&report.problems));
        left_out.extend(report.left_out);
    }
    assert!(
        left_out[0].contains("This model has no RoPE"),
        "{left_out:?}"
    );
}

#[test]
fn a_token_goes_by_its_id_where_its_text_leads_nowhere() {
    let body = "It is {= fixed(p(top_id(1)), 6)} or {= fixed(p(top(1)), 6)}. {! p(top_id(1)) == p(top(1)) and id(7) == 7}";
    let report = check(&mut desk("classroom"), &lesson("", body));
    assert!(report.problems.is_empty(), "{}", told(&report.problems));
}

#[test]
fn a_file_with_a_thousand_braces_is_read_at_once() {
    let begun = Instant::now();
    let text = small("", &"{= ".repeat(60_000));
    assert!(problems(&text).contains("not closed"));
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn a_lesson_has_a_budget() {
    let values: String = (0..5_000)
        .map(|n| format!("v{n} = \"range(0, 9000) + 1\"\n"))
        .collect();
    let lesson = lesson(&format!("[let]\n{values}"), "Text.");
    let mut desk = desk("classroom");
    let begun = Instant::now();
    let report = check(&mut desk, &lesson);
    assert!(
        told(&report.problems).contains("all expressions of the lesson"),
        "{:?}",
        report.problems.first()
    );
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn what_nobody_can_click_is_told() {
    let token =
        "```question\nask = \"Q\"\nhint = \"H\"\nclick = \"token\"\nright = \"[77, 1]\"\n```";
    let mark = "```go\nto = \"tokens\"\nmark = \"[1, 99]\"\n```";
    let head = "```question\nask = \"Q\"\nhint = \"H\"\nclick = \"head\"\nright = \"[0, 64]\"\n```";
    for (body, says) in [
        (
            token,
            "small.md:13:10: nobody can click on 'place 77': it is no token among 5",
        ),
        (mark, "small.md:11:9: there is no position 99 among 5"),
        (head, "small.md:13:10: nobody can click on 'place [0, 64]'"),
    ] {
        let report = check(&mut desk("classroom"), &lesson("", body));
        assert!(
            told(&report.problems).contains(says),
            "{}",
            told(&report.problems)
        );
    }
}

#[test]
fn who_does_a_lesson_is_told_calmly() {
    let mut desk = desk("classroom");
    let own = lesson("", "It is {= pos(' Berlin')}.");
    let step = vitrine::tutor::Tutor::new(&mut desk, &own).step(&own.steps[0]);
    let vitrine::lesson::ShownPart::Failed(why) = &step.parts[0] else {
        panic!("{step:?}");
    };
    let calm = "This does not work on this model: the text has no token ' Berlin'";
    assert!(
        why.starts_with(calm) && why.contains("small.md:9:10"),
        "{why}"
    );
    let unused = lesson("[let]\na = \"best_head('nothing')\"", "Text.");
    let opening = vitrine::tutor::Tutor::new(&mut desk, &unused).opening();
    assert!(opening.is_err(), "as the check tells it");
}

#[test]
fn a_mark_before_the_text_is_no_matter() {
    let text = format!("\u{feff}{}", small("", "Text."));
    assert!(read("small", "small.md", &text).is_ok());
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.md"), text).unwrap();
    let mut library = Library::default();
    library.add_folder(folder.path()).unwrap();
    assert_eq!(library.lessons().count(), 1);
}

#[test]
fn every_file_of_the_folder_is_carried() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons");
    let carried = Library::carried();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(name == "FORMAT" || carried.find(&name).is_some(), "{name}");
    }
}

#[test]
fn other_families_are_told_what_they_lack_and_nothing_breaks() {
    let mut desk = desk(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/models/gpt2"
    ));
    let head = "[[needs]]\nwhen = \"model('has_rope')\"\notherwise = \"This model has no RoPE.\"\n";
    let report = check(&mut desk, &lesson(head, "Text."));
    assert_eq!(report.left_out, ["This model has no RoPE."]);
    assert_eq!((report.problems.len(), report.n_steps), (0, 0));
}

#[test]
fn a_claim_that_does_not_hold_is_told_with_its_line() {
    let body = "Fine. {! 1 < 2}\n\nParis is unlikely.{! p(' Paris') < 0.5}";
    let report = check(&mut desk("classroom"), &lesson("", body));
    assert_eq!(
        told(&report.problems),
        "small.md:11:21: this claim does not hold on this model"
    );
}

#[test]
fn a_wrong_key_is_found_by_answering() {
    let nothing_right = "```question\nask = \"Q\"\nhint = \"H\"\nchoices = [{ text = \"A\", right = \"p(' Paris') < 0.5\" }, { text = \"B\", right = \"1 > 2\" }]\n```";
    let no_hint = "```question\nask = \"Q\"\nright = \"n_prompt()\"\n```";
    let beyond = "```go\nto = \"blocks.9.attn.hook_pattern\"\n```";
    let no_token = "The {= pos(' Berlin')}.";
    for (body, says) in [
        (
            nothing_right,
            "small.md:12:35: none of the choices is right on this model",
        ),
        (no_hint, "gets no hint"),
        (
            beyond,
            "small.md:10:7: this model has no blocks.9.attn.hook_pattern",
        ),
        (
            no_token,
            "small.md:9:8: pos: the text has no token ' Berlin'; it has 'The' ' capital' ' of' ' France' ' is'",
        ),
    ] {
        let report = check(&mut desk("classroom"), &lesson("", body));
        assert!(
            told(&report.problems).contains(says),
            "{}",
            told(&report.problems)
        );
    }
}

#[test]
fn a_mistake_is_told_with_file_line_column_and_what_was_expected() {
    let question = |toml: &str| small("", &format!("```question\n{toml}\n```"));
    for (text, says) in [
        (
            "".to_owned(),
            "small.md:1:1: expected a line '+++', the head in TOML, and another line '+++'",
        ),
        (
            "+++\ntitle = \"T\"\n".to_owned(),
            "small.md:1:1: the head that begins here is not closed; it ends with a line '+++'",
        ),
        (
            "+++\ntitle = \"T\"\nminutes = 1\norder = 1\n+++\n## S\n".to_owned(),
            "the head needs a prompt",
        ),
        (
            "+++\ntitle = \"T\"\nminuets = 1\n+++\n## S\n".to_owned(),
            "small.md:3:1: unknown field `minuets`, expected one of `title`",
        ),
        (
            small("", "It is {= 1 + }."),
            "small.md:9:14: expected a value, not the end",
        ),
        (
            small("", "It is {= rankk(' Paris')}."),
            "small.md:9:10: there is nothing called rankk; is it rank? ('vitrine lessons format' lists all)",
        ),
        (
            small("", "It is {= p()}."),
            "small.md:9:10: p takes 1 to 2 arguments, not 0",
        ),
        (
            small("", "It is {= layer}."),
            "small.md:9:10: there is no value 'layer'; give it one under [let]",
        ),
        (
            small("", "It is {= other.p(' a')}."),
            "small.md:9:10: there is no run 'other' with 0 arguments under [runs]",
        ),
        (
            small("[let]\na = \"1 +* 2\"", "Text."),
            "small.md:7:9: expected a value, not '*'",
        ),
        (
            small("", "```go\nto = \"blocks.x\"\n```"),
            "small.md:10:7: 'blocks.x' is no address",
        ),
        (
            small("edits = [\"blocks.2=zero\"]", "Text."),
            "small.md:6:11: 'blocks.2=zero' is no edit",
        ),
        (
            question("ask = \"Q\""),
            "small.md:10:8: expected what is right",
        ),
        (
            question("ask = \"Q\"\nclick = \"tokn\"\nright = \"1\""),
            "small.md:11:10: a click goes on a \"token\"",
        ),
        (
            question("ask = \"Q\"\nright = \"1\"\ntolerance = \"much\""),
            "a tolerance is a number",
        ),
        (
            small("", "```question\nask = \"Q\""),
            "small.md:9:1: the block that begins here is not closed",
        ),
        (
            small("sampling = \"heat=1\"", "Text."),
            "small.md:6:13: 'heat=1' is no sampling setting",
        ),
    ] {
        assert!(
            problems(&text).contains(says),
            "{says}\nis not in\n{}",
            problems(&text)
        );
    }
}

#[test]
fn all_mistakes_of_a_lesson_are_told_in_order() {
    let text = small("", "{= 1 +} {= )}\n\n```go\nto = \"nowhere\"\n```\n");
    let lines = problems(&text);
    let places: Vec<&str> = lines.lines().filter_map(|line| line.get(..14)).collect();
    assert_eq!(
        places,
        ["small.md:9:7: ", "small.md:9:12:", "small.md:12:7:"]
    );
}

fn worth(source: &str) -> String {
    let (scope, answers) = (Scope::default(), Answers::default());
    let expression = match parse(source) {
        Ok(expression) => expression,
        Err(mistake) => return format!("{}: {mistake}", mistake.at),
    };
    match Evaluation::new(&scope, &answers).value(&expression) {
        Ok(Outcome::Known(value)) => value.to_string(),
        Ok(Outcome::Needs(needs)) => format!("needs {}", needs.len()),
        Err(mistake) => format!("{}: {mistake}", mistake.at),
    }
}

#[test]
fn expressions_are_worth_what_they_say() {
    for (source, value) in [
        ("1 + 2 * 3 ^ 2", "19"),
        ("-2 ^ 2", "−4"),
        ("(1 + 2) * 3", "9"),
        ("7 % 4 + 0.5", "3.50"),
        ("-1 % 4", "3"),
        ("1 < 2 and not (2 < 1)", "yes"),
        ("false and 1 / 0 == 1", "no"),
        ("if 1 > 2 then 'a' else 'b'", "b"),
        ("'block {1 + 1}, head {[3, 4][1]}'", "block 2, head 4"),
        ("[x * x for x in range(0, 5) where x != 2]", "0, 1, 9, 16"),
        ("argmax([[1, 2], [9, 3]])", "1, 0"),
        ("[[1, 2], [9, 3]][1, 0]", "9"),
        ("[4, 5, 6][-1]", "6"),
        ("count([1, 5, 7] > 4)", "2"),
        ("sum([1, 2] + [3, 4]) / 2", "5"),
        ("cosine([1, 0], [0, 2])", "0"),
        ("near(softmax([0, 0]), [0.5, 0.5], 0.001)", "yes"),
        ("percent(0.983) + ', ' + thousands(4096)", "98 %, 4,096"),
        ("largest([3, 9, 5], 2)", "1, 2"),
        ("p(' Paris') + rank(' Paris')", "needs 2"),
        ("if p(' a') > 0 then rank(' b') else 1", "needs 1"),
        ("1 / 0", "0: this divides by 0"),
        ("[1, 2][5]", "6: there is no place 5 among 2"),
        ("1 == 'a'", "0: a number is never equal to a text"),
        ("max([])", "0: max: the list is empty"),
        (
            "1 < 2 < 3",
            "6: only two values are compared at once; join two comparisons with 'and'",
        ),
        ("a = 1", "2: write '==' to compare"),
        (
            "1 && 2",
            "2: the character '&' has no meaning here; write 'and'",
        ),
        (
            "'open",
            "0: the text that begins here is not closed; it needs a '",
        ),
        ("[1, 2", "5: expected ',' or ']' after a value, not the end"),
    ] {
        assert_eq!(worth(source), value, "{source}");
    }
}

#[test]
fn depth_size_and_steps_are_bounded() {
    assert!(worth(&"(".repeat(1_000)).contains("levels deep"));
    assert!(worth(&"-".repeat(1_000)).contains("levels deep"));
    assert!(worth(&"not ".repeat(1_000)).contains("levels deep"));
    assert!(worth(&format!("1{}", " + 1".repeat(900))).contains("at most 512 values"));
    assert!(worth(&"1".repeat(5_000)).contains("at most 4096 bytes"));
    let endless =
        "[[[x * y * z for x in range(0, 9000)] for y in range(0, 9000)] for z in range(0, 9000)]";
    assert!(worth(endless).contains("steps"));
    let long = "[join(['aaaaaaaaaaaaaaaa' for i in range(0, 1000)], 'b') for j in range(0, 9000)]";
    assert!(worth(long).contains("steps"));
    let head = "[let]\na = \"b + 1\"\nb = \"a + 1\"";
    let report = check(&mut desk("classroom"), &lesson(head, "{= a}"));
    assert!(told(&report.problems).contains("is computed from itself"));
}

#[test]
fn a_lesson_is_read_again_when_its_file_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.md");
    let mut library = Library::default();
    library.add_folder(folder.path()).unwrap();
    assert!(library.entries().is_empty());
    fs::write(folder.path().join("notes.md"), "# No lesson").unwrap();
    fs::write(&path, small("", "Text.")).unwrap();
    assert_eq!(library.refresh(), ["own"]);
    assert_eq!(library.refresh(), Vec::<String>::new());
    fs::write(&path, small("", "Text {= )}.")).unwrap();
    assert_eq!(library.refresh(), ["own"]);
    let broken = library.find("own").unwrap().lesson.as_ref().unwrap_err();
    assert!(
        told(broken).contains("own.md:9:9: expected a value, not ')'"),
        "{}",
        told(broken)
    );
    fs::remove_file(&path).unwrap();
    assert_eq!(library.refresh(), ["own"]);
    assert!(library.find("own").is_none());
}

#[test]
fn a_place_has_a_lesson_that_explains_it() {
    let library = Library::carried();
    for (place, name) in [
        ("tokens", "tokens"),
        ("blocks.3.attn.hook_rot_q", "rope"),
        ("blocks.5.attn.hook_attn_scores[2]", "map-by-hand"),
        ("residual", "layers-add"),
        ("blocks.1.mlp.hook_post", "mlp"),
        ("weights", "small-big"),
        ("sample", "sampling"),
        ("unembed", "softmax"),
        ("blocks.0", "layers-add"),
        ("pass.2.kv-cache", "kv-cache"),
        ("experiments", "break-it"),
        ("compare", "crane"),
    ] {
        let address: Address = place.parse().unwrap();
        let (lesson, _) = library.step_about(&address).unwrap();
        assert_eq!(lesson.name, name, "{place}");
    }
}

/// A text with a few bytes changed, taken out, doubled, or replaced by signs that mean something.
fn mutated(text: &str, random: &mut Random) -> String {
    const SIGNS: [&str; 16] = [
        "(", ")", "[", "]", "{", "}", "{=", "{!", "'", "\"", "+++\n", "```\n", "## ", "\\", "é🦀",
        "..",
    ];
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1).min(bytes.len());
        match random.below(5) {
            0 if at < bytes.len() => bytes[at] = random.below(256) as u8,
            1 => bytes.truncate(at),
            2 => {
                let end = (at + random.below(40)).min(bytes.len());
                bytes.drain(at..end);
            }
            3 => {
                let end = (at + random.below(200)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            _ => {
                let sign = SIGNS[random.below(SIGNS.len())].repeat(1 + random.below(60));
                bytes.splice(at..at, sign.into_bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn a_hundred_thousand_broken_inputs_do_no_harm() {
    let library = Library::carried();
    let lessons: Vec<&Lesson> = library.lessons().collect();
    let small = small(
        "[let]\na = \"pos(' is')\"",
        "It is {= p(' Paris', a)}.{! a > 1}\n\n```go\nto = \"hook_embed[{a}]\"\n```\n",
    );
    let expressions = [
        "[f for f in [1, 2, [3, 4][0]] where f > 1][-1] + max([1, 2]) ^ 2",
        "if count(logits() > 0.5) == 3 then 'a{1 + 2}b' else share(' a', 'temperature=1')",
        "cosine([1, 2], [3, 4]) * percent(0.5) and not same('x', \"y\")",
    ];
    let (scope, answers) = (Scope::default(), Answers::default());
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let (start, mut n_read, mut slowest) = (Instant::now(), 0, Duration::ZERO);
    for round in 0..100_000 {
        let begun = Instant::now();
        if round % 4 == 0 {
            // Whole lessons now and then, a small one mostly: they are read as fast as they are long.
            let text = match round % 400 {
                0 => &lessons[random.below(lessons.len())].text,
                _ => small.as_str(),
            };
            n_read += usize::from(read("m", "m.md", &mutated(text, &mut random)).is_ok());
        } else {
            let source = mutated(expressions[random.below(expressions.len())], &mut random);
            if let Ok(expression) = parse(&source) {
                n_read += 1;
                let _: Result<Outcome<Value>, _> =
                    Evaluation::new(&scope, &answers).value(&expression);
            }
        }
        slowest = slowest.max(begun.elapsed());
    }
    assert!(
        n_read > 1_000,
        "only {n_read} were well formed: the test would prove little"
    );
    assert!(
        slowest < Duration::from_secs(5),
        "one took {slowest:?}, all {:?}",
        start.elapsed()
    );
}

/// A place that a lesson goes to, with a number for what stands in braces.
fn without_expressions(text: &str) -> String {
    let mut plain = String::new();
    let mut depth = 0;
    for letter in text.chars() {
        match letter {
            '{' if depth == 0 => {
                depth = 1;
                plain.push('0');
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            letter if depth == 0 => plain.push(letter),
            _ => {}
        }
    }
    plain
}

#[test]
fn every_tab_that_a_lesson_opens_is_there() {
    let mut n_tabs = 0;
    for lesson in Library::carried().lessons() {
        let goes = lesson.text.lines().filter_map(|line| {
            let to = line.strip_prefix("to = \"")?.strip_suffix('"')?;
            Some(without_expressions(to))
        });
        for to in goes {
            let goal: Goal = to.parse().unwrap();
            let Some(tab) = goal.tab else { continue };
            let kind = PictureKind::of(goal.address.place).unwrap();
            let tabs = pictures::create(kind).tabs();
            let is_there = tabs.iter().any(|name| name.to_lowercase() == tab);
            assert!(is_there, "{}: {to}: {tabs:?}", lesson.name);
            n_tabs += 1;
        }
    }
    assert!(n_tabs > 20, "{n_tabs}");
}
