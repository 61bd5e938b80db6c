//! A recorded run whose description says a number that cannot be, and everything that one may then
//! ask of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;

use serde_json::Value;
use vitrine::engine::client::Client;
use vitrine::engine::message::{
    Action, CancelToken, Event, OpenRequest, Prompt, Request, RequestId, SessionId,
};
use vitrine::engine::question::{ModelChoice, Question};
use vitrine::engine::watch::Watch;
use vitrine::export;
use vitrine::model::linear::Kernels;
use vitrine::recorded::RecordedRun;
use vitrine::trace::debug::DebugCommand;
use vitrine::trace::file::{KEY, Precision, Trace};
use vitrine::trace::measure::At;
use vitrine::trace::measure::lens::LensRequest;
use vitrine::trace::measure::rope::Turned;

/// What numbers become.
const HUGE: [&str; 2] = ["1099511627776", "1e300"];

fn request() -> OpenRequest {
    let model = ModelChoice {
        name: "classroom".into(),
        kernels: Kernels::Auto,
    };
    OpenRequest {
        watch: Watch::Everything,
        ..OpenRequest::new(model, Prompt::Raw("The capital of France is".into()))
    }
}

/// A run of two tokens, recorded into `path`: patterns, and little else.
pub fn recorded(path: &Path) -> PathBuf {
    let mut engine = Client::start().unwrap();
    let mut end_of = |action| {
        let events = engine.ask(SessionId(0), action, &CancelToken::default());
        events.unwrap().find(Event::is_last).unwrap()
    };
    end_of(Action::Open(Box::new(request())));
    end_of(Action::Debug(DebugCommand::Tokens(2)));
    let Event::Traced(mut trace) = end_of(Action::Debug(DebugCommand::Trace { hooks: None }))
    else {
        panic!("no trace");
    };
    let is_kept = |name: &String| name.contains("pattern") || name.contains("unembed");
    trace.tensors.retain(|name, _| is_kept(name));
    trace.save(path, Precision::F16).unwrap();
    path.to_owned()
}

/// The description in the file at `path`, and the rest of its header and values.
fn taken_apart(path: &Path) -> (Value, Value, Vec<u8>) {
    let bytes = std::fs::read(path).unwrap();
    let (length, rest) = bytes.split_at(8);
    let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&rest[..length]).unwrap();
    let meta = header["__metadata__"][KEY].as_str().unwrap();
    (
        serde_json::from_str(meta).unwrap(),
        header.clone(),
        rest[length..].to_vec(),
    )
}

fn put_together(meta: &str, mut header: Value, values: &[u8]) -> Vec<u8> {
    header["__metadata__"][KEY] = meta.into();
    let header = serde_json::to_vec(&header).unwrap();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    bytes.extend(values);
    bytes
}

/// The file at `path` with the number at the JSON pointer `at` replaced by `value`.
pub fn with(path: &Path, at: &str, value: &str) -> Vec<u8> {
    let (mut meta, header, values) = taken_apart(path);
    *meta.pointer_mut(at).unwrap() = "THE NUMBER".into();
    let text = serde_json::to_string(&meta).unwrap();
    put_together(&text.replace("\"THE NUMBER\"", value), header, &values)
}

/// The file at `path` with each kind of number made huge, one at a time.
pub fn variants(path: &Path) -> impl Iterator<Item = (String, Vec<u8>)> {
    let (meta, ..) = taken_apart(path);
    let mut found = Vec::new();
    numbers(&meta, String::new(), &mut found);
    // Of many alike, such as the candidates of a draw, the first one.
    let mut kinds = BTreeSet::new();
    found.retain(|at| {
        // What the model's own file says is shown as it is.
        if at.contains("/config/") {
            return false;
        }
        let parts = at.split('/').map(|part| match part.parse::<usize>() {
            Ok(_) => "#",
            Err(_) => part,
        });
        kinds.insert(parts.collect::<Vec<_>>().join("/"))
    });
    let path = path.to_owned();
    let all = found
        .into_iter()
        .flat_map(|at| HUGE.map(|value| (at.clone(), value)));
    all.map(move |(at, value)| (format!("{at} = {value}"), with(&path, &at, value)))
}

fn numbers(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Number(_) => found.push(at),
        Value::Array(values) => {
            for (place, value) in values.iter().enumerate().take(3) {
                numbers(value, format!("{at}/{place}"), found);
            }
        }
        Value::Object(fields) => {
            for (field, value) in fields {
                numbers(value, format!("{at}/{field}"), found);
            }
        }
        _ => {}
    }
}

/// Opens the recorded run, asks everything, walks through it, and makes its page. Returns why it
/// cannot be opened; nothing if it can.
pub fn used(path: &Path) -> String {
    let run = RecordedRun::start(path).unwrap();
    let end_of = |action| {
        let (events, inbox) = channel();
        let request = Request {
            id: RequestId(1),
            session: SessionId(0),
            action,
            cancel: CancelToken::default(),
            events,
        };
        run.send(request).unwrap();
        inbox.recv().expect("the thread lives").event
    };
    let state = match end_of(Action::Open(Box::new(request()))) {
        Event::Run(state) => state,
        Event::Failed(why) => return why,
        other => panic!("{other:?}"),
    };
    for pass in 0..state.passes.len().min(2) {
        for question in questions(pass) {
            end_of(Action::Ask(Box::new(question)));
        }
    }
    for command in [
        DebugCommand::Rewind("embed".parse().unwrap()),
        DebugCommand::Into(3),
        DebugCommand::Layer,
        DebugCommand::Tokens(1),
        DebugCommand::End { max_tokens: 9 },
        DebugCommand::Back,
    ] {
        end_of(Action::Debug(command));
    }
    // A page may refuse what the window shows, in words.
    let _ = Trace::open(path).and_then(|trace| export::page(&trace));
    String::new()
}

fn questions(pass: usize) -> Vec<Question> {
    let (at, layer, head) = (At { pass, row: 0 }, 2, 3);
    let rows = Vec::new;
    let values = [
        "hook_embed",
        "blocks.2.attn.hook_pattern",
        "unembed",
        "blocks.5",
    ];
    vec![
        Question::Values(values.map(|value| value.parse().unwrap()).into()),
        Question::Heads { pass },
        Question::Lens(LensRequest {
            rows: vec![at],
            points: Vec::new(),
            top_k: 9,
            tokens: Vec::new(),
        }),
        Question::Paths { pass, rows: rows() },
        Question::Norms { at },
        Question::Neurons { at, layer, k: 9 },
        Question::Writes { pass, rows: rows() },
        Question::Cost { pass },
        Question::Ledger { pass },
        Question::Parity,
        Question::Family { model: None },
        Question::Logits {
            at: At {
                pass,
                row: 4 * usize::from(pass == 0),
            },
            k: 9,
            tokens: vec![3],
        },
        Question::Sampling {
            pass,
            settings: None,
            limit: 40,
        },
        Question::Redraw {
            pass,
            settings: None,
            n: 50,
            seed: 1,
        },
        Question::Patterns {
            pass,
            layers: Vec::new(),
            size: 24,
        },
        Question::ScoreParts {
            pass,
            layer,
            head,
            row: 0,
            key: 0,
        },
        Question::ScoreMaps { pass, layer, head },
        Question::Rope {
            pass,
            layer,
            of: Turned::Queries,
            head,
            rows: rows(),
        },
        Question::Tokens {
            model: None,
            text: "The capital of France is".into(),
            with_begin: true,
        },
    ]
}
