//! Lessons in the window: every one to its end on the embedded model, answered wrong and right.
//!
//! No display and no graphics card: the app is drawn without being painted.

#[path = "common/window.rs"]
mod harness;

use std::fs;
use std::time::{Duration, Instant};

use egui::Key;
use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;
use harness::{Window, app, find, open, place, start, wait};
use vitrine::lesson::{Answer, Right, ShownKind, ShownPart, ShownQuestion};
use vitrine::ui::command::{Command, Pointing};
use vitrine::ui::lessons::{LessonCommand, OpenLesson};
use vitrine::ui::state::Mode;

/// A lesson may ask for the standard probe of all heads, which takes its time in a build that is
/// not optimised.
const PATIENCE: Duration = Duration::from_secs(400);

/// Draws frames until nothing is under way any more.
fn settle(window: &mut Window) {
    let begun = Instant::now();
    let mut n_calm = 0;
    while n_calm < 4 {
        window.step();
        n_calm = if app(window).is_settled() {
            n_calm + 1
        } else {
            0
        };
        let told = || format!("{:?}, {:?}", place(window), app(window).failures());
        assert!(
            begun.elapsed() < PATIENCE,
            "nothing more comes at {}",
            told()
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn click(window: &mut Window, label: &str) {
    window.get_by_label(label).click();
    window.step();
    settle(window);
}

fn press(window: &mut Window, key: Key) {
    window.key_press(key);
    window.step();
    settle(window);
}

fn send(window: &mut Window, command: Command) {
    window.state_mut().as_mut().unwrap().send(command);
    window.step();
    settle(window);
}

fn begin(window: &mut Window, name: &str, step: Option<usize>) {
    let open = LessonCommand::Open(name.to_owned(), step);
    send(window, Command::Lesson(open));
}

fn lesson(window: &Window) -> &OpenLesson {
    app(window).lessons().open.as_ref().unwrap()
}

fn waiting(window: &Window) -> Option<ShownQuestion> {
    lesson(window).waiting().cloned()
}

/// An answer that is right, and one that is wrong.
fn answers(right: &Right) -> (Answer, Answer) {
    match right {
        Right::Choices(truths) => {
            let at = |wanted| truths.iter().position(|truth| *truth == wanted).unwrap();
            (Answer::Choice(at(true)), Answer::Choice(at(false)))
        }
        Right::Number(number, tolerance) => {
            let wrong = number + tolerance * 1.5 + number.abs() * 0.1 + 0.1;
            (Answer::Number(*number), Answer::Number(wrong))
        }
        Right::Places(places) => {
            let wrong: Vec<usize> = (0..1_000)
                .map(|at| vec![at; places[0].len()])
                .find(|place| !places.contains(place))
                .unwrap();
            (Answer::Place(places[0].clone()), Answer::Place(wrong))
        }
    }
}

/// Answers as people do: a choice is clicked, a number typed and checked.
fn give(window: &mut Window, question: &ShownQuestion, answer: &Answer) {
    match (&question.kind, answer) {
        (ShownKind::Choice(choices), Answer::Choice(at)) => {
            let label = choices[*at][0]
                .text
                .trim()
                .replace("**", "")
                .replace('`', "");
            window
                .get_by_role_and_label(Role::RadioButton, &label)
                // It may have to be scrolled to.
                .click_accesskit();
        }
        (ShownKind::Number(_), Answer::Number(number)) => {
            // A question that has just come may still be scrolling into sight.
            for _ in 0..120 {
                if window.query_by_label("your answer").is_none() {
                    window.step();
                }
            }
            window.get_by_label("your answer").focus();
            // What was typed before is taken away.
            window.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
            window.step();
            window
                .get_by_label("your answer")
                .type_text(&number.to_string());
            window.step();
            window.get_by_label("Check").click_accesskit();
        }
        (ShownKind::Click(_), Answer::Place(_)) => {
            let answer = LessonCommand::Answer(answer.clone());
            window
                .state_mut()
                .as_mut()
                .unwrap()
                .send(Command::Lesson(answer));
        }
        other => panic!("{other:?}"),
    }
    window.step();
    settle(window);
}

/// Goes through the step on view, each question first wrong and then right. Returns how many.
fn through_step(window: &mut Window, name: &str) -> usize {
    let mut n_questions = 0;
    while let Some(question) = waiting(window) {
        n_questions += 1;
        let told = format!("{name}, {}", question.ask.text);
        assert_eq!(
            lesson(window).hides_picture(),
            question.is_prediction,
            "{told}"
        );
        let (right, wrong) = answers(&question.right);
        give(window, &question, &wrong);
        let attempt = lesson(window).attempts.get(&question.id);
        let attempt = attempt.unwrap_or_else(|| panic!("no attempt was counted: {told}"));
        assert_eq!((attempt.n_tries, attempt.is_done()), (1, false), "{told}");
        assert!(
            !question.hint_for(&wrong).unwrap().text.trim().is_empty(),
            "{told}"
        );
        give(window, &question, &right);
        let attempt = &lesson(window).attempts[&question.id];
        assert!(
            attempt.is_right && attempt.n_tries == 2,
            "{told}: {right:?}"
        );
    }
    let step = lesson(window).shown().unwrap();
    for part in &step.parts {
        assert!(!matches!(part, ShownPart::Failed(_)), "{name}: {part:?}");
    }
    n_questions
}

#[test]
fn every_lesson_runs_to_its_end_answered_wrong_and_right() {
    let mut window = open(start());
    let cards = app(&window).lessons().cards.clone();
    assert!(cards.len() >= 20);
    for card in &cards {
        begin(&mut window, &card.name, None);
        let mut n_questions = 0;
        loop {
            n_questions += through_step(&mut window, &card.name);
            assert_eq!(
                app(&window).failures(),
                Vec::<String>::new(),
                "{}",
                card.name
            );
            let is_last = lesson(&window).step + 1 == lesson(&window).titles.len();
            click(&mut window, if is_last { "Finish" } else { "Next step" });
            if is_last {
                break;
            }
        }
        // What the model lacks is said, and not asked about.
        let steps = lesson(&window).steps.iter().flatten();
        let parts = steps.flat_map(|step| &step.parts);
        let asked = parts.filter(|part| matches!(part, ShownPart::Question(_)));
        assert_eq!(n_questions, asked.count(), "{}", card.name);
        assert!(n_questions >= 3, "{}", card.name);
        assert!(app(&window).lessons().is_finished(&card.name));
        assert_eq!(
            app(&window).lessons().progress.n_right(&card.name),
            n_questions
        );
    }
}

#[test]
fn a_click_in_the_picture_is_the_answer() {
    let mut window = open(start());
    begin(&mut window, "tour", Some(1));
    assert_eq!(place(&window), "blocks.0.attn.hook_pattern");
    assert_eq!(
        (app(&window).view().layer, app(&window).view().head),
        (0, 0)
    );
    // What is pointed at from elsewhere, by keys or commands, answers nothing.
    let cell = "blocks.0.attn.hook_pattern[0, 3, 1]".parse().unwrap();
    send(&mut window, Command::Point(Pointing::Lock(Some(cell))));
    assert!(lesson(&window).attempts.is_empty());
    // A head is no token: the picture follows, nothing is answered.
    click(&mut window, "L0.H4");
    assert_eq!(app(&window).view().head, 4);
    let question = waiting(&window).unwrap();
    assert!(!lesson(&window).attempts.contains_key(&question.id));
    click(&mut window, "token 3: France");
    assert!(!lesson(&window).attempts[&question.id].is_done());
    click(&mut window, "token 0: The");
    assert!(lesson(&window).attempts[&question.id].is_right);
}

#[test]
fn the_explorer_is_as_it_was_left_and_a_lesson_can_be_taken_there() {
    let mut window = open(start());
    click(&mut window, "Logits, not computed yet");
    begin(&mut window, "tour", Some(0));
    assert_eq!(app(&window).run().unwrap().ids.len(), 5);
    assert_eq!(place(&window), "tokens");
    click(&mut window, "Explore");
    assert_eq!(place(&window), "unembed");
    assert_eq!(app(&window).run().unwrap().ids.len(), 14);
    click(&mut window, "Lessons");
    assert_eq!(lesson(&window).card.name, "tour");
    click(&mut window, "Next step");
    click(&mut window, "Open in Explore");
    assert_eq!(app(&window).view().mode, Mode::Explore);
    assert_eq!(app(&window).run().unwrap().ids.len(), 5);
    assert_eq!(place(&window), "blocks.0.attn.hook_pattern");
}

#[test]
fn why_opens_the_step_that_fits_the_place() {
    let mut window = open(start());
    send(&mut window, Command::Go("kv-cache".parse().unwrap()));
    click(&mut window, "Why? Open the lesson");
    assert_eq!(app(&window).view().mode, Mode::Lessons);
    let open = lesson(&window);
    let leads = open.shown().unwrap().parts.iter().any(|part| match part {
        ShownPart::Go(go) => go.to.to_string() == "kv-cache",
        _ => false,
    });
    assert!(leads, "{} {}", open.card.name, open.step);
}

#[test]
fn another_prompt_gives_other_right_answers() {
    let mut window = open(start());
    begin(&mut window, "tour", Some(0));
    assert_eq!(waiting(&window).unwrap().right, Right::Number(5.0, 0.0));
    let prompt = vitrine::settings::PromptSettings {
        text: "The capital of Japan is a big city".to_owned(),
        ..Default::default()
    };
    send(&mut window, Command::Open(prompt));
    let right = waiting(&window).unwrap().right;
    let n_tokens = app(&window).run().unwrap().ids.len();
    assert_eq!(right, Right::Number(n_tokens as f64, 0.0));
    assert!(n_tokens > 5);
    click(&mut window, "The lesson's own prompt");
    assert_eq!(waiting(&window).unwrap().right, Right::Number(5.0, 0.0));
}

#[test]
fn digits_go_to_the_question_that_waits_for_a_number() {
    let mut window = open(start());
    begin(&mut window, "tour", Some(0));
    // As a keyboard sends it: the key, and the letter that it writes.
    let typed = |window: &mut Window, key: Key, letter: &str| {
        window
            .input_mut()
            .events
            .push(egui::Event::Text(letter.to_owned()));
        press(window, key);
    };
    typed(&mut window, Key::Num1, "1");
    assert_eq!(app(&window).view().mode, Mode::Lessons);
    press(&mut window, Key::Enter);
    let question = waiting(&window).unwrap();
    let attempt = &lesson(&window).attempts[&question.id];
    assert_eq!(attempt.last, Some(Answer::Number(1.0)));
    // The field keeps the focus, and the next number takes the place of the last.
    typed(&mut window, Key::Num5, "5");
    press(&mut window, Key::Enter);
    assert!(lesson(&window).attempts[&question.id].is_right);
}

#[test]
fn going_through_without_an_answer_is_seen_and_not_done() {
    let mut window = open(start());
    begin(&mut window, "tour", Some(3));
    click(&mut window, "Finish");
    assert!(!app(&window).lessons().is_finished("tour"));
    let progress = &app(&window).lessons().progress;
    assert!(
        progress.told("tour", 3).starts_with("seen · 0 of 3"),
        "{}",
        progress.told("tour", 3)
    );
    window.get_by_label("Seen to its end");
}

#[test]
fn the_palette_opens_lessons_by_title_and_by_name() {
    let mut window = open(start());
    begin(&mut window, "tour", Some(0));
    for (typed, name, step) in [
        ("sampling: the", "sampling", 0),
        ("lesson:rope:2", "rope", 1),
    ] {
        find(&mut window, typed);
        assert_eq!(app(&window).view().mode, Mode::Lessons, "{typed}");
        let open = lesson(&window);
        assert_eq!(
            (open.card.name.as_str(), open.step),
            (name, step),
            "{typed}"
        );
    }
}

#[test]
fn an_instructor_can_hide_hints_and_answers() {
    let mut window = open(start());
    send(&mut window, Command::Mode(Mode::Lessons));
    for label in ["No hint", "Never shown"] {
        window.get_by_label(label);
    }
    send(&mut window, Command::Lesson(LessonCommand::Hints(false)));
    send(&mut window, Command::Lesson(LessonCommand::Answers(false)));
    begin(&mut window, "tour", Some(0));
    let question = waiting(&window).unwrap();
    let hint = question.hint.text.trim().to_owned();
    give(&mut window, &question, &Answer::Number(99.0));
    assert!(window.query_by_label(&hint).is_none());
    assert!(window.query_by_label("Show the answer").is_none());
    send(&mut window, Command::Lesson(LessonCommand::Hints(true)));
    send(&mut window, Command::Lesson(LessonCommand::Answers(true)));
    window.get_by_label(&hint);
    click(&mut window, "Show the answer");
    assert!(lesson(&window).attempts[&question.id].is_told);
}

const OWN: &str = "+++\ntitle = \"My lesson\"\nminutes = 1\norder = 500\nprompt = \"The capital of France is\"\n+++\n## First\nIt has {= n_prompt()} tokens.\n";

#[test]
fn own_lessons_are_read_again_when_they_are_saved_and_mistakes_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let home = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.md");
    fs::write(&file, OWN).unwrap();
    let mut start = start();
    start.folder = Some(home.path().to_owned());
    let mut window = open(start);
    let add = LessonCommand::AddFolder(folder.path().to_owned());
    send(&mut window, Command::Lesson(add));
    begin(&mut window, "mine", None);
    window.get_by_label("It has 5 tokens.");
    fs::write(&file, OWN.replace("It has", "There are")).unwrap();
    let text = |app: &vitrine::app::App| {
        let step = app.lessons().open.as_ref()?.shown()?;
        match step.parts.first()? {
            ShownPart::Text(text) => Some(text.text.trim().to_owned()),
            _ => None,
        }
    };
    wait(&mut window, "the file to be read again", |app| {
        text(app).as_deref() == Some("There are 5 tokens.")
    });
    fs::write(&file, OWN.replace("n_prompt()", "n_promt()")).unwrap();
    wait(&mut window, "the mistake to be told", |app| {
        app.lessons().problems.len() == 1
    });
    let told = &app(&window).lessons().problems[0];
    assert!(
        told.contains("mine.md:8:") && told.contains("n_prompt"),
        "{told}"
    );
    // The author keeps what was last good on view, and the mistake stands above it.
    assert_eq!(text(app(&window)).as_deref(), Some("There are 5 tokens."));
    window.get_by_label_contains("mine.md:8:");
    fs::write(&file, OWN.replace("It has", "Now")).unwrap();
    wait(&mut window, "the mended file to be read", |app| {
        text(app).as_deref() == Some("Now 5 tokens.")
    });
    assert!(lesson(&window).problems.is_empty());
    let saved = fs::read_to_string(home.path().join("settings.json")).unwrap();
    assert!(saved.contains(&folder.path().display().to_string()));
}

#[test]
fn progress_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let first = || {
        let mut start = start();
        start.folder = Some(home.path().to_owned());
        open(start)
    };
    let mut window = first();
    begin(&mut window, "tour", Some(0));
    through_step(&mut window, "tour");
    click(&mut window, "Next step");
    drop(window);
    let mut window = first();
    begin(&mut window, "tour", None);
    assert_eq!(lesson(&window).step, 1);
    assert_eq!(app(&window).lessons().progress.n_right("tour"), 1);
}

#[test]
fn before_a_room_the_picture_has_the_room() {
    let mut window = open(start());
    let map = "blocks.2.attn.hook_pattern[3, 10, 9]".parse().unwrap();
    send(&mut window, Command::Go(map));
    press(&mut window, Key::F);
    assert!(app(&window).view().is_presenting);
    // 1280 × 800 at 150 %.
    let map = window.get_by_label_contains("attention share of L2.H3");
    let height = map.rect().height() / (800.0 / 1.5);
    assert!(height >= 0.7, "{height}");
    window.get_by_label("“gave” reads the token before it.");
    let share = window.get_by_label_contains("of its attention in this head lies on “Tom₉”.");
    assert!(map.rect().right() <= share.rect().left() + 1.0);
    window.get_by_label("token 9: Tom₉");
    assert!(window.query_by_label("Edit prompt").is_none());
    // A digit picks the head, H shows them all, B is for black.
    press(&mut window, Key::Num4);
    assert_eq!(app(&window).view().head, 4);
    press(&mut window, Key::H);
    window.get_by_label("L5.H5");
    press(&mut window, Key::B);
    assert!(window.query_by_label("L5.H5").is_none());
    press(&mut window, Key::B);
    press(&mut window, Key::ArrowRight);
    assert_eq!(place(&window), "unembed");
    press(&mut window, Key::Escape);
    assert!(!app(&window).view().is_presenting);
    window.get_by_label("Edit prompt");
}

#[test]
fn at_the_largest_size_a_picture_is_drawn_smaller_and_not_cut() {
    let mut start = start();
    start.settings.present_scale = 3.0;
    let mut window = open(start);
    let map = "blocks.2.attn.hook_pattern[3, 10, 9]".parse().unwrap();
    send(&mut window, Command::Go(map));
    press(&mut window, Key::F);
    press(&mut window, Key::H);
    let whole = window.ctx.content_rect();
    assert!(whole.height() < 270.0, "{whole}");
    for head in ["L0.H0", "L5.H5"] {
        let rect = window.get_by_label(head).rect();
        assert!(whole.contains_rect(rect), "{head} at {rect}");
        assert!(rect.width() < 40.0, "{head} at {rect}");
    }
    click(&mut window, "L5.H5");
    assert_eq!(
        (app(&window).view().layer, app(&window).view().head),
        (5, 5)
    );
    // A still is of all of it.
    press(&mut window, Key::F);
    assert!(window.query_by_label("L5.H5").is_none());
    press(&mut window, Key::F);
    window.get_by_label("L5.H5");
}

#[test]
fn page_keys_go_from_stop_to_stop_and_the_stops_are_kept_in_a_file() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("stops.toml");
    let prepared = "title = \"A talk\"\n[[stop]]\nat = \"tokens\"\nsays = \"Text becomes tokens.\"\nnotes = \"Ask who counts letters.\"\n\
        [[stop]]\nat = \"unembed\"\nprompt = \"The capital of France is\"\nsays = \"One number per token.\"\n";
    fs::write(&file, prepared).unwrap();
    let mut start = start();
    start.folder = Some(home.path().to_owned());
    let mut window = open(start);
    press(&mut window, Key::F);
    press(&mut window, Key::PageDown);
    assert_eq!(place(&window), "tokens");
    window.get_by_label("Text becomes tokens.");
    window.get_by_label("Stop 1 of 2 · A talk");
    let notes = window.query_by_label_contains("Ask who counts letters.");
    assert!(notes.is_none(), "the room does not see the notes");
    press(&mut window, Key::PageDown);
    assert_eq!(place(&window), "unembed");
    assert_eq!(app(&window).run().unwrap().ids.len(), 5);
    press(&mut window, Key::PageDown);
    window.get_by_label("Stop 2 of 2 · A talk");
    press(&mut window, Key::PageUp);
    assert_eq!(place(&window), "tokens");
    press(&mut window, Key::M);
    let kept = fs::read_to_string(&file).unwrap();
    assert_eq!(kept.matches("[[stop]]").count(), 3);
    assert!(kept.contains("Ask who counts letters."));
    // The sheet stands before the room too: the notes are in the speaker's window.
    press(&mut window, Key::T);
    window.get_by_label("the sentence for the room, stop 1");
    assert!(
        window
            .query_by_label("notes, for you alone, stop 1")
            .is_none()
    );
    press(&mut window, Key::Escape);
    press(&mut window, Key::Plus);
    let saved = fs::read_to_string(home.path().join("settings.json")).unwrap();
    assert!(saved.contains("\"present_scale\": 1.75"), "{saved}");
}

#[test]
fn a_lesson_is_presented_step_by_step_and_hides_its_answers() {
    let mut window = open(start());
    begin(&mut window, "tour", Some(0));
    press(&mut window, Key::F);
    window.get_by_label("Stop 1 of 4 · The window in two minutes");
    let question = waiting(&window).unwrap();
    let ask = question
        .ask
        .text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let why = question
        .why
        .text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    window.get_by_label(&ask);
    assert!(window.query_by_label(&why).is_none());
    press(&mut window, Key::A);
    window.get_by_label(&why);
    press(&mut window, Key::PageDown);
    window.get_by_label("Stop 2 of 4 · The window in two minutes");
    assert_eq!(lesson(&window).step, 1);
    press(&mut window, Key::N);
    assert!(
        !app(&window).view().present.has_notes,
        "there is one window only"
    );
}
