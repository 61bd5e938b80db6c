//! Before a room: stops show what they were kept on, and what is frozen stays.

#[path = "common/window.rs"]
mod window;

use egui::Key;
use egui_kittest::kittest::Queryable as _;
use vitrine::lesson::ShownKind;
use vitrine::ui::command::{Command, Pointing};
use vitrine::ui::lessons::LessonCommand;
use vitrine::ui::share::Share;
use window::{Window, app, open, place, press, settle, start};

fn send(window: &mut Window, command: Command) {
    window.state_mut().as_mut().unwrap().send(command);
    window.step();
    settle(window);
}

fn open_view(window: &mut Window, line: &str) {
    let line = line.parse().unwrap();
    send(window, Command::Share(Share::OpenView(Box::new(line))));
}

fn lies_in(window: &Window) -> (String, usize, usize, usize) {
    let view = app(window).view();
    let n_ids = app(window).run().unwrap().ids.len();
    (place(window), view.head, view.token, n_ids)
}

#[test]
fn a_stop_is_shown_again_as_it_was_kept() {
    let mut window = open(start());
    let line = "seed=7 raw=\"The capital of France is\" at=blocks.2.attn.hook_pattern head=1 pos=2";
    open_view(&mut window, line);
    press(&mut window, Key::F);
    press(&mut window, Key::M);
    let kept = lies_in(&window);
    assert_eq!(
        (kept.0.as_str(), kept.1, kept.2),
        ("blocks.2.attn.hook_pattern", 1, 2)
    );
    press(&mut window, Key::Num5);
    press(&mut window, Key::CloseBracket);
    press(&mut window, Key::PageDown);
    assert_eq!(lies_in(&window), kept);
    // A second one: another prompt, tokens written after it, another tab.
    let other = "seed=3 raw=\"I love eating\" at=sample#filters head=2 pos=4 steps=3";
    open_view(&mut window, other);
    press(&mut window, Key::M);
    let second = lies_in(&window);
    assert_eq!((second.1, second.2), (2, 4));
    let tab = app(&window).view().open_tab_name();
    assert_eq!(tab.as_deref(), Some("filters"));
    send(&mut window, Command::Tab("redraw".to_owned()));
    send(&mut window, Command::Point(Pointing::Head(0)));
    press(&mut window, Key::PageUp);
    assert_eq!(lies_in(&window), kept);
    press(&mut window, Key::PageDown);
    assert_eq!(lies_in(&window), second);
    assert_eq!(app(&window).view().open_tab_name(), tab);
}

#[test]
fn what_a_view_names_and_is_not_there_is_told() {
    let mut window = open(start());
    open_view(&mut window, "at=blocks.2.attn.hook_pattern head=99 pos=500");
    assert_eq!(
        (app(&window).view().head, app(&window).view().token),
        (5, 13)
    );
    window.get_by_label_contains("There is no head 99: heads go from 0 to 5");
    window.get_by_label_contains("There is no position 500: positions go from 0 to 13");
    open_view(&mut window, "tokens#nope");
    window.get_by_label_contains("tokens has no tab #nope: it has #");
}

/// Every text that is painted, in order.
fn painted(window: &Window) -> Vec<String> {
    fn texts(shape: &egui::Shape, into: &mut Vec<String>) {
        match shape {
            egui::Shape::Text(text) => into.push(text.galley.text().to_owned()),
            egui::Shape::Vec(shapes) => shapes.iter().for_each(|shape| texts(shape, into)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    let shapes = &window.output().shapes;
    shapes
        .iter()
        .for_each(|clipped| texts(&clipped.shape, &mut found));
    found
}

#[test]
fn a_frozen_room_sees_a_still_while_the_speaker_goes_on() {
    let mut start = start();
    start.target = Some("blocks.2.attn.hook_pattern".parse().unwrap());
    start.token = Some(10);
    let mut window = open(start);
    press(&mut window, Key::F);
    press(&mut window, Key::Num4);
    let foot = |text: &String| !text.contains("Frozen") && !text.contains("stop");
    let seen: Vec<String> = painted(&window).into_iter().filter(foot).collect();
    assert!(seen.iter().any(|text| text.contains("L2.H4")), "{seen:?}");
    press(&mut window, Key::F);
    window.get_by_label("Frozen: what you do is shown after F");
    // Another head, another token, another picture, and the run goes on.
    press(&mut window, Key::Num1);
    press(&mut window, Key::OpenBracket);
    press(&mut window, Key::ArrowRight);
    let (spot, head, token, _) = lies_in(&window);
    assert_eq!((spot.as_str(), head, token), ("unembed", 1, 9));
    let still = painted(&window);
    for text in &seen {
        assert!(still.contains(text), "{text} is not painted any more");
    }
    assert!(
        !still.iter().any(|text| text.contains("Logits")),
        "{still:?}"
    );
    press(&mut window, Key::F);
    assert!(!painted(&window).iter().any(|text| text.contains("L2.H4")));
    window.get_by_label_contains("Logits");
}

#[test]
fn a_question_is_shown_with_its_choices_and_the_answer_on_a_key() {
    let mut window = open(start());
    let open = LessonCommand::Open("crane".to_owned(), Some(0));
    send(&mut window, Command::Lesson(open));
    press(&mut window, Key::F);
    let lesson = |window: &Window| app(window).lessons().open.clone().unwrap();
    let question = lesson(&window).waiting().cloned().unwrap();
    let ShownKind::Choice(choices) = &question.kind else {
        panic!("{question:?}");
    };
    let texts = painted(&window);
    for [choice, _] in choices {
        let start: String = choice.text.chars().take(12).collect();
        assert!(
            texts.iter().any(|text| text.contains(&start)),
            "{start}: {texts:?}"
        );
    }
    assert!(question.is_prediction);
    window.get_by_label("Predict first");
    assert!(!texts.iter().any(|text| text.contains('✓')));
    press(&mut window, Key::A);
    assert!(window.query_by_label("Predict first").is_none());
    assert!(painted(&window).iter().any(|text| text.contains('✓')));
}

/// A long sentence for the room.
const SAYS: &str = "Every token of the vocabulary gets a number here, the largest ones stand on \
                    top, and none of them is a probability before the softmax has made them one.";

#[test]
fn nothing_that_is_said_to_the_room_is_cut() {
    let home = tempfile::tempdir().unwrap();
    let places = ["unembed", "blocks.2.attn.hook_pattern", "sample"];
    let stops = places.map(|place| format!("[[stop]]\nat = \"{place}\"\nsays = \"{SAYS}\"\n"));
    std::fs::write(home.path().join("stops.toml"), stops.concat()).unwrap();
    for (size, scale) in [
        ([1024.0, 700.0], 2.0),
        ([1024.0, 700.0], 3.0),
        ([1280.0, 800.0], 1.5),
        ([1920.0, 1080.0], 3.0),
    ] {
        let mut start = start();
        start.folder = Some(home.path().to_owned());
        start.settings.present_scale = scale;
        let mut window = window::open_sized(start, size.into());
        press(&mut window, Key::F);
        for place in places {
            press(&mut window, Key::PageDown);
            for is_grid in [false, true] {
                if is_grid {
                    press(&mut window, Key::H);
                }
                let what = format!("{place} at {size:?}, {scale}, {is_grid}");
                // The way out stands in the foot; at the largest sizes beside the tokens.
                let out = window.get_by_label("Leave").rect();
                let end = window.ctx.content_rect().bottom();
                let foot = [out.top(), end][usize::from(out.bottom() < end / 2.0)];
                let shapes = &window.output().shapes;
                let said = shapes.iter().find_map(|clipped| match &clipped.shape {
                    egui::Shape::Text(text) if text.galley.text() == SAYS => Some((text, clipped)),
                    _ => None,
                });
                let (said, clipped) = said.unwrap_or_else(|| panic!("{what}: nothing is said"));
                let rect = said.visual_bounding_rect();
                assert!(!said.galley.elided, "{what}");
                assert!(
                    clipped.clip_rect.expand(1.0).contains_rect(rect),
                    "{what}: {rect:?}"
                );
                assert!(rect.bottom() <= foot + 1.0, "{what}: {rect:?} {foot}");
            }
            press(&mut window, Key::H);
        }
    }
}

/// A window in a home of its own, with this file of stops.
fn open_with_stops(home: &std::path::Path, stops: &str) -> Window {
    std::fs::write(home.join("stops.toml"), stops).unwrap();
    let mut start = start();
    start.folder = Some(home.to_owned());
    open(start)
}

/// A lesson that needs nothing of the model.
const TWO: &str = r#"+++
title = "Two questions"
about = "a number, and its half"
minutes = 1
order = 0
prompt = "The crane lifted"
+++

## Numbers

Long ago this was found.

Six times seven is the **product** of both.

```question
ask = "How much is it?"
right = "6 * 7"
tolerance = 0.5
hint = "Multiply."
why = "42.0. It answers more than this."
```

```question
ask = "And half of it?"
right = "21"
hint = "Divide."
why = "Two times 21 is 42."
```

## Words

This step asks nothing.
"#;

#[test]
fn a_lesson_goes_on_question_by_question_and_nothing_counts_as_an_answer() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("own");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("two.md"), TWO).unwrap();
    let after = TWO.replace("order = 0", "order = 1");
    std::fs::write(folder.join("after.md"), after).unwrap();
    let mut start = start();
    start.folder = Some(home.path().to_owned());
    start.settings.lesson_folders = vec![folder];
    let mut window = open(start);
    // A learner leaves the other lesson in its middle.
    for (name, step) in [("after", Some(0)), ("after", Some(1)), ("two", Some(0))] {
        let command = match step.filter(|step| *step > 0) {
            Some(step) => LessonCommand::Step(step),
            None => LessonCommand::Open(name.to_owned(), step),
        };
        send(&mut window, Command::Lesson(command));
    }
    press(&mut window, Key::F);
    let lesson = |window: &Window| app(window).lessons().open.clone().unwrap();
    let asked = |window: &Window| {
        let lesson = lesson(window);
        let ask = lesson.waiting().map(|question| question.ask.text.clone());
        (lesson.step, ask.unwrap_or_default())
    };
    let n_painted = |window: &Window, what: &str| {
        let texts = painted(window);
        texts.iter().filter(|text| text.contains(what)).count()
    };
    // What the question speaks of stands with it, and its answer is told once.
    assert_eq!(
        n_painted(&window, "Six times seven is the product of both."),
        1
    );
    assert_eq!(n_painted(&window, "Long ago"), 0);
    press(&mut window, Key::A);
    assert_eq!(
        (n_painted(&window, "42.0"), n_painted(&window, "42")),
        (1, 1)
    );
    let mut seen = vec![asked(&window)];
    for _ in 0..2 {
        press(&mut window, Key::PageDown);
        seen.push(asked(&window));
    }
    let expected = [(0, "How much is it?"), (0, "And half of it?"), (1, "")];
    assert_eq!(seen, expected.map(|(step, ask)| (step, ask.to_owned())));
    assert_eq!(n_painted(&window, "This step asks nothing."), 1);
    press(&mut window, Key::PageDown);
    window.get_by_label("End of the lesson: Two questions");
    assert_eq!(lesson(&window).card.name, "two");
    for expected in seen.iter().rev() {
        press(&mut window, Key::PageUp);
        assert_eq!(asked(&window), *expected);
    }
    // The next lesson begins at its beginning; the learner finds it as it was left.
    for _ in 0..4 {
        press(&mut window, Key::PageDown);
    }
    assert_eq!(lesson(&window).card.name, "after");
    assert_eq!(asked(&window), seen[0]);
    let progress = &app(&window).lessons().progress;
    assert_eq!(progress.lessons["after"].step, 1);
    assert_eq!(progress.told("two", 2), "");
    assert_eq!(progress.n_settled("after"), 0);
}

#[test]
fn a_stop_that_cannot_be_saved_is_said_to_be_kept_until_the_window_is_closed() {
    let home = tempfile::tempdir().unwrap();
    let broken = "[[stop]]\nat = \"embed\"\nhead = \"fünf\"\n";
    let mut window = open_with_stops(home.path(), broken);
    window.get_by_label_contains("line 3, column 8: this is string \"fünf\", expected a whole");
    press(&mut window, Key::F);
    press(&mut window, Key::M);
    window.get_by_label_contains(
        "Stop 1 is kept until the window is closed: stops.toml has a mistake in line 3",
    );
    let left = std::fs::read_to_string(home.path().join("stops.toml")).unwrap();
    assert_eq!(left, broken);
}

#[test]
fn notes_are_for_the_speaker_and_written_in_the_speakers_window() {
    let home = tempfile::tempdir().unwrap();
    let stop = "[[stop]]\nat = \"embed\"\nsays = \"A row.\"\nnotes = \"wait for it\"\n";
    let mut window = open_with_stops(home.path(), stop);
    let notes = "notes, for you alone, stop 1";
    window::find(&mut window, "The stops of the talk");
    window.get_by_label(notes);
    press(&mut window, Key::Escape);
    press(&mut window, Key::F);
    press(&mut window, Key::T);
    window.get_by_label("the sentence for the room, stop 1");
    assert!(window.query_by_label(notes).is_none());
    window.get_by_label_contains("Notes stand in the speaker's window");
    press(&mut window, Key::Escape);
    press(&mut window, Key::PageDown);
    assert!(!painted(&window).iter().any(|text| text.contains("wait")));
    // A second window, drawn within this one: there is no screen here.
    window.ctx.set_embed_viewports(false);
    press(&mut window, Key::N);
    let field = window.get_by_role(egui::Role::MultilineTextInput);
    field.focus();
    window.step();
    let field = window.get_by_role(egui::Role::MultilineTextInput);
    field.type_text("and ");
    window.step();
    settle(&mut window);
    let saved = std::fs::read_to_string(home.path().join("stops.toml")).unwrap();
    assert!(
        saved.contains("wait for it") && saved.contains("and "),
        "{saved}"
    );
}

#[test]
fn the_clock_runs_from_the_first_frame() {
    let mut start = start();
    start.view.is_presenting = true;
    let mut window = open(start);
    window.ctx.set_embed_viewports(false);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    press(&mut window, Key::N);
    window.get_by_label("Freeze");
    let texts = painted(&window);
    let clock = texts.iter().find(|text| {
        let (minutes, seconds) = text.split_once(':').unwrap_or_default();
        minutes.parse::<u32>().is_ok() && seconds.len() == 2
    });
    assert_ne!(clock.expect("a clock"), "0:00");
}

#[test]
fn every_sheet_fits_before_the_room() {
    for size in [[1280.0, 800.0], [1024.0, 700.0]] {
        let mut start = start();
        start.settings.present_scale = 3.0;
        let mut window = window::open_sized(start, size.into());
        press(&mut window, Key::F);
        press(&mut window, Key::M);
        press(&mut window, Key::T);
        let room = window.ctx.content_rect();
        for label in [
            "Title of the talk",
            "place of stop 1",
            "Remove this stop",
            "Keep what is on view",
            "Close",
        ] {
            let rect = window.get_all_by_label(label).next().unwrap().rect();
            assert!(room.contains_rect(rect), "{label} at {size:?}: {rect:?}");
        }
        press(&mut window, Key::Escape);
        assert!((window.ctx.zoom_factor() - 3.0).abs() < 0.01);
    }
}
