//! A recorded run without its model: it answers as the engine did, in the window too, and says
//! plainly what was not recorded.

mod common;
#[path = "common/window.rs"]
mod window;

use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;

use egui_kittest::kittest::{NodeT as _, Queryable as _};
use serde::Serialize;
use serde_json::Value;
use vitrine::engine::client::Client;
use vitrine::engine::message::{
    Action, CancelToken, Event, OpenRequest, Prompt, Request, RequestId, SessionId,
};
use vitrine::engine::question::{ModelChoice, Question, Told};
use vitrine::engine::watch::Watch;
use vitrine::model::linear::Kernels;
use vitrine::recorded::RecordedRun;
use vitrine::trace::debug::{DebugCommand, RunState};
use vitrine::trace::file::Precision;
use vitrine::trace::measure::lens::LensRequest;
use vitrine::trace::measure::rope::Turned;
use vitrine::trace::measure::{At, Point};

const PROMPT: &str = "When Anna and Tom went to the park, Tom gave a book to";

/// Either side of the engine's messages.
trait Asked {
    fn end_of(&mut self, action: Action) -> Event;

    fn told(&mut self, question: &Question) -> Result<Told, String> {
        match self.end_of(Action::Ask(Box::new(question.clone()))) {
            Event::Told(told) => Ok(*told),
            Event::Failed(why) => Err(why),
            other => panic!("{other:?}"),
        }
    }

    fn go(&mut self, command: DebugCommand) -> Result<RunState, String> {
        match self.end_of(Action::Debug(command)) {
            Event::Run(state) => Ok(*state),
            Event::Failed(why) => Err(why),
            other => panic!("{other:?}"),
        }
    }
}

impl Asked for Client {
    fn end_of(&mut self, action: Action) -> Event {
        let events = self.ask(SessionId(0), action, &CancelToken::default());
        events.unwrap().find(Event::is_last).unwrap()
    }
}

impl Asked for RecordedRun {
    fn end_of(&mut self, action: Action) -> Event {
        let (events, inbox) = channel();
        self.send(Request {
            id: RequestId(1),
            session: SessionId(0),
            action,
            cancel: CancelToken::default(),
            events,
        })
        .unwrap();
        inbox.recv().unwrap().event
    }
}

fn request() -> OpenRequest {
    let model = ModelChoice {
        name: "classroom".into(),
        kernels: Kernels::Auto,
    };
    OpenRequest {
        seed: Some(7),
        watch: Watch::Everything,
        ..OpenRequest::new(model, Prompt::Raw(PROMPT.into()))
    }
}

/// A run of three tokens on the engine, and its trace in `folder`.
fn recorded(folder: &Path) -> (Client, RunState, PathBuf) {
    let mut engine = Client::start().unwrap();
    engine.end_of(Action::Open(Box::new(request())));
    let state = engine.go(DebugCommand::Tokens(3)).unwrap();
    let Event::Traced(trace) = engine.end_of(Action::Debug(DebugCommand::Trace { hooks: None }))
    else {
        panic!("no trace");
    };
    let path = folder.join("run.safetensors");
    trace.save(&path, Precision::F32).unwrap();
    (engine, state, path)
}

/// The same, but for the last bit of a number that went through JSON.
fn same(one: &impl Serialize, other: &impl Serialize) {
    fn compare(one: &Value, other: &Value) {
        match (one, other) {
            (Value::Array(one), Value::Array(other)) => {
                assert_eq!(one.len(), other.len());
                one.iter()
                    .zip(other)
                    .for_each(|(one, other)| compare(one, other));
            }
            (Value::Object(one), Value::Object(other)) => {
                assert_eq!(
                    one.keys().collect::<Vec<_>>(),
                    other.keys().collect::<Vec<_>>()
                );
                one.values()
                    .zip(other.values())
                    .for_each(|(one, other)| compare(one, other));
            }
            (Value::Number(one), Value::Number(other)) => {
                let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
                assert!((one - other).abs() <= 1e-14 * other.abs(), "{one} {other}");
            }
            (one, other) => assert_eq!(one, other),
        }
    }
    let (one, other) = (
        serde_json::to_value(one).unwrap(),
        serde_json::to_value(other).unwrap(),
    );
    compare(&one, &other);
}

#[test]
fn a_recorded_run_answers_as_the_engine_did() {
    let folder = tempfile::tempdir().unwrap();
    let (mut engine, live, path) = recorded(folder.path());
    let mut file = RecordedRun::start(&path).unwrap();
    let Event::Run(state) = file.end_of(Action::Open(Box::new(request()))) else {
        panic!("not opened");
    };
    assert_eq!((&state.ids, &state.texts), (&live.ids, &live.texts));
    assert_eq!((state.prompt_len, state.next), (live.prompt_len, live.next));
    assert_eq!(
        (state.n_layers, &state.end_tokens),
        (live.n_layers, &live.end_tokens)
    );
    assert_eq!(state.passes.len(), live.passes.len());
    for (one, other) in state.passes.iter().zip(&live.passes) {
        assert_eq!((one.start, one.n_pos), (other.start, other.n_pos));
        same(&one.draw, &other.draw);
        assert_eq!(
            (one.executed.len(), one.cache),
            (other.executed.len(), other.cache)
        );
    }
    let at = At {
        pass: 0,
        row: live.prompt_len - 1,
    };
    let lens = LensRequest {
        rows: vec![at],
        points: vec![Point::Embed, Point::AfterMlp(5)],
        top_k: 3,
        tokens: Vec::new(),
    };
    let values = [
        "blocks.2.attn.hook_pattern[3]",
        "hook_embed",
        "blocks.5",
        "pass.2.unembed.hook_out",
    ];
    let (pass, layer) = (0, 4);
    for question in [
        Question::Values(values.map(|value| value.parse().unwrap()).into()),
        Question::Histogram {
            at: "blocks.1.hook_resid_mid".parse().unwrap(),
            n_bins: 20,
        },
        Question::Heads { pass },
        Question::Lens(lens),
        Question::Paths {
            pass,
            rows: Vec::new(),
        },
        Question::Neurons { at, layer, k: 5 },
        Question::Writes {
            pass,
            rows: vec![2, 9],
        },
        Question::Cost { pass: 1 },
        Question::Ledger { pass: 2 },
        Question::Logits {
            at,
            k: 10,
            tokens: vec![3],
        },
        Question::Sampling {
            pass: 1,
            settings: None,
            limit: 12,
        },
        Question::Redraw {
            pass: 0,
            settings: None,
            n: 500,
            seed: 3,
        },
        Question::Patterns {
            pass: 2,
            layers: Vec::new(),
            size: 8,
        },
        Question::ScoreParts {
            pass: 2,
            layer,
            head: 1,
            row: 0,
            key: 3,
        },
        Question::Rope {
            pass: 1,
            layer,
            of: Turned::Keys,
            head: 1,
            rows: Vec::new(),
        },
        Question::Family { model: None },
    ] {
        let (mine, theirs) = (
            file.told(&question).unwrap(),
            engine.told(&question).unwrap(),
        );
        println!("{question:?}");
        same(&mine, &theirs);
    }
    let maps = Question::ScoreMaps {
        pass: 2,
        layer,
        head: 3,
    };
    let (Told::ScoreMaps(mine), Told::ScoreMaps(theirs)) =
        (file.told(&maps).unwrap(), engine.told(&maps).unwrap())
    else {
        panic!("no maps");
    };
    assert_eq!(
        (&mine.pattern, &mine.masked),
        (&theirs.pattern, &theirs.masked)
    );
    // MLX adds the products in another order.
    let apart = mine.dot.values().iter().zip(theirs.dot.values());
    assert!(
        apart
            .into_iter()
            .all(|(a, b)| (a - b).abs() <= 1e-5 * b.abs().max(1.0))
    );
}

#[test]
fn a_map_is_shown_though_only_its_shares_were_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let (mut engine, _live, path) = recorded(folder.path());
    let mut trace = vitrine::trace::file::Trace::open(&path).unwrap();
    trace.tensors.retain(|name, _| name.contains("pattern"));
    trace.save(&path, Precision::F32).unwrap();
    let mut file = RecordedRun::start(&path).unwrap();
    file.end_of(Action::Open(Box::new(request())));
    let maps = Question::ScoreMaps {
        pass: 0,
        layer: 2,
        head: 3,
    };
    let (Told::ScoreMaps(mine), Told::ScoreMaps(theirs)) =
        (file.told(&maps).unwrap(), engine.told(&maps).unwrap())
    else {
        panic!("no maps");
    };
    assert_eq!(mine.pattern, theirs.pattern);
    for lacking in [&mine.dot, &mine.scaled, &mine.masked] {
        assert_eq!(lacking.shape(), [0, 0]);
    }
}

#[test]
fn without_logits_the_draw_and_the_notes_still_tell_of_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let (mut engine, live, path) = recorded(folder.path());
    let mut trace = vitrine::trace::file::Trace::open(&path).unwrap();
    trace.tensors.clear();
    trace.save(&path, Precision::F32).unwrap();
    let mut file = RecordedRun::start(&path).unwrap();
    file.end_of(Action::Open(Box::new(request())));
    let row = live.prompt_len - 1;
    let drawn = Question::Lens(LensRequest {
        rows: vec![At { pass: 0, row }],
        points: vec![Point::AfterMlp(5)],
        top_k: 1,
        tokens: vec![live.ids[live.prompt_len]],
    });
    let (mine, theirs) = (file.told(&drawn).unwrap(), engine.told(&drawn).unwrap());
    let (Told::Lens(mine), Told::Lens(theirs)) = (mine, theirs) else {
        panic!("no lens");
    };
    let (mine, theirs) = (&mine[0].chosen[0], &theirs[0].chosen[0]);
    assert_eq!((&mine.token, mine.rank), (&theirs.token, theirs.rank));
    assert!((mine.probability - theirs.probability).abs() < 1e-6);

    let id = live.ids[live.prompt_len] as usize;
    let page = |page| Question::Vocabulary { model: None, page };
    let entry = page(id..id + 1);
    assert_eq!(entries(file.told(&entry)), entries(engine.told(&entry)));
    let why = file.told(&page(0..128)).unwrap_err();
    assert!(why.contains("the model's tokenizer"), "{why}");
}

/// The bytes and texts of the entries that were told.
fn entries(told: Result<Told, String>) -> Vec<(Vec<u8>, String)> {
    let Ok(Told::Vocabulary(found)) = told else {
        panic!("no entries");
    };
    let entries = found.entries.into_iter();
    entries.map(|entry| (entry.bytes, entry.text)).collect()
}

#[test]
fn a_recorded_run_is_stepped_through_and_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (_engine, live, path) = recorded(folder.path());
    let mut file = RecordedRun::start(&path).unwrap();
    file.end_of(Action::Open(Box::new(request())));
    let rewound = file
        .go(DebugCommand::Rewind("embed".parse().unwrap()))
        .unwrap();
    assert_eq!(
        (rewound.ids.len(), rewound.passes.len()),
        (live.prompt_len, 1)
    );
    assert!(rewound.passes[0].executed.is_empty());
    let inside = file
        .go(DebugCommand::To(
            "blocks.1.attn.hook_pattern".parse().unwrap(),
        ))
        .unwrap();
    assert_eq!(
        inside
            .cursor
            .map(|cursor| cursor.hook.to_string())
            .as_deref(),
        Some("blocks.1.attn.hook_pattern")
    );
    assert_eq!(inside.passes[0].executed.len(), 2);
    let logits = file.go(DebugCommand::Tokens(1)).unwrap();
    assert_eq!(logits.next, vitrine::trace::debug::Next::Sample);
    let end = file.go(DebugCommand::End { max_tokens: 64 }).unwrap();
    assert_eq!(end.ids, live.ids);
    let beyond = file.go(DebugCommand::Tokens(1)).unwrap_err();
    assert!(beyond.contains("the recording ends here"), "{beyond}");
    let edit = vitrine::trace::debug::EditChange::Add("hook_embed=zero".parse().unwrap());
    let changed = file
        .go(DebugCommand::Edit {
            change: edit,
            catch_up: true,
        })
        .unwrap_err();
    assert!(changed.contains("was recorded"), "{changed}");
    let weights = Question::Slice {
        model: None,
        path: "lm_head".into(),
        rows: None,
        columns: None,
    };
    assert!(
        file.told(&weights)
            .unwrap_err()
            .contains("the model's weights")
    );
}

/// Types a file's name into the field of the sheet and presses the button.
fn save_as(shown: &mut window::Window, file: &Path, button: &str) {
    let field = shown.get_by_label("File");
    field.focus();
    field.click();
    shown.step();
    window::press_with(shown, egui::Modifiers::COMMAND, egui::Key::A);
    shown
        .get_by_label("File")
        .type_text(&file.display().to_string());
    shown.step();
    window::click(shown, button);
    let failures = window::app(shown).failures();
    assert!(failures.is_empty(), "{failures:?}");
    let is_there = file.is_file();
    assert!(is_there, "{} was not written", file.display());
}

/// The size that the sheet tells, in bytes.
fn told_size(shown: &window::Window) -> f64 {
    let told = shown.get_by_label_contains("of values of");
    let node = told.accesskit_node();
    let text = node.value().or(node.label()).unwrap_or_default();
    let size = text.split(':').next().unwrap_or_default().to_owned();
    let words: Vec<&str> = size.split_whitespace().collect();
    let factor = if words[2] == "MB" { 1e6 } else { 1e3 };
    words[1].parse::<f64>().unwrap() * factor
}

#[test]
fn the_window_saves_a_run_a_page_and_values_and_opens_the_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let [run, page, values] =
        ["mine.safetensors", "mine.html", "mine.csv"].map(|name| folder.path().join(name));
    let mut shown = window::open_at("pass.1.unembed");
    window::press(&mut shown, egui::Key::S);
    let top = |shown: &window::Window| shown.get_by_label("Values").rect().top();
    let before = top(&shown);
    let told = told_size(&shown);
    save_as(&mut shown, &run, "Save the run");
    let size = std::fs::metadata(&run).unwrap().len() as f64;
    assert!(
        (told / size - 1.0).abs() < 0.15,
        "{told} was told, it has {size}"
    );

    window::press(&mut shown, egui::Key::S);
    window::click(&mut shown, "Page");
    assert_eq!(top(&shown), before, "the tabs stay where they are");
    save_as(&mut shown, &page, "Save the page");
    let text = std::fs::read_to_string(&page).unwrap();
    assert!(text.contains("blocks.5.attn.hook_pattern"));

    window::press(&mut shown, egui::Key::S);
    window::click(&mut shown, "Values");
    assert_eq!(top(&shown), before, "the tabs stay where they are");
    save_as(&mut shown, &values, "Save the values");
    assert!(std::fs::read_to_string(&values).unwrap().lines().count() > 1);

    window::press(&mut shown, egui::Key::S);
    window::click(&mut shown, "Open");
    save_as(&mut shown, &run, "Open the run");
    shown.get_by_label("Recorded run");
    for place in ["Attention", "Logits", "Residual stream", "KV cache"] {
        if shown.query_all_by_label(place).count() == 1 {
            window::click(&mut shown, place);
        }
    }
    let failures = window::app(&shown).failures();
    assert!(failures.is_empty(), "{failures:?}");
    window::click(&mut shown, "Recorded run");
    assert!(
        shown.query_by_label("Recorded run").is_none(),
        "the model runs again"
    );
}

#[test]
fn a_run_that_is_dropped_on_the_window_opens_and_a_broken_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (_engine, _live, whole) = recorded(folder.path());
    let cut = folder.path().join("cut.safetensors");
    let bytes = std::fs::read(&whole).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();

    let mut shown = window::open_at("blocks.2.attn.hook_pattern");
    window::drop_file(&mut shown, &cut);
    assert_eq!(window::place(&shown), "blocks.2.attn.hook_pattern");
    let failures = window::app(&shown).failures();
    assert!(failures[0].contains("cut.safetensors"), "{failures:?}");
    assert!(shown.query_by_label("Recorded run").is_none());

    window::drop_file(&mut shown, &whole);
    shown.get_by_label("Recorded run");
    assert_eq!(window::app(&shown).failures().len(), 1);
}
