//! Text through the front door: the embedded model's tokenizer, and everything again beside a live `transformers`.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use vitrine::tokenizer::{ChatTemplateError, Message, TemplateArgs, Tokenizer, TokenizerFiles};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/text");
const CLASSROOM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/classroom");

fn load(name: &str) -> Tokenizer {
    let folder = match name {
        "classroom" => CLASSROOM.to_owned(),
        other => format!("{FIXTURES}/{other}"),
    };
    Tokenizer::from_folder(folder).unwrap()
}

/// A tokenizer with a chat template of the fixtures, and the special tokens they are made with.
fn with_template(template: &str) -> Tokenizer {
    let config = json!({
        "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "chat_template": template,
    });
    let files = TokenizerFiles {
        tokenizer_json: fs::read(format!("{FIXTURES}/sentence/tokenizer.json"))
            .unwrap()
            .into(),
        tokenizer_config: Some(config.to_string().into_bytes().into()),
        ..TokenizerFiles::default()
    };
    Tokenizer::from_files(&files).unwrap()
}

/// Ours, in the form in which `make.py` writes what `transformers` renders.
fn rendered(template: &str, conversation: &Value) -> Value {
    let messages: Vec<Message> = serde_json::from_value(conversation["messages"].clone()).unwrap();
    let mut more = conversation["args"].as_object().unwrap().clone();
    let args = TemplateArgs {
        add_generation_prompt: more.remove("add_generation_prompt") == Some(json!(true)),
        tools: more.remove("tools"),
        template: None,
        more,
    };
    match with_template(template).render_chat(&messages, &args) {
        Ok(rendered) => json!({"text": rendered.text}),
        Err(ChatTemplateError::Refused(message)) => json!({"refused": message}),
        Err(_) => json!({"error": true}),
    }
}

#[test]
fn a_chat_with_the_embedded_model_becomes_ids_and_segments() {
    let tokenizer = load("classroom");
    let messages = [Message::new("user", "What is the capital of France?")];
    let prompt = tokenizer
        .render_chat(&messages, &TemplateArgs::for_answer())
        .unwrap();
    let pieces = tokenizer.encode(&prompt.text, false).unwrap();
    let shown: Vec<String> = pieces
        .iter()
        .map(|piece| tokenizer.token_text(piece.id).unwrap())
        .collect();
    assert_eq!(shown.concat(), prompt.text);
    let said = prompt.segments.iter().find(|segment| {
        segment.message == Some(0) && prompt.text[segment.bytes.clone()].starts_with("What")
    });
    assert!(said.is_some(), "{:?}", prompt.segments);
}

/// Compares with `transformers` as it is installed here, not with what was written down.
///
/// Runs where `VITRINE_FULL_TESTS=1`; a missing Python or package is a failure then. `VITRINE_PYTHON` names another Python.
#[test]
fn a_live_transformers_gives_the_same_ids_and_prompts() {
    if std::env::var("VITRINE_FULL_TESTS").as_deref() != Ok("1") {
        eprintln!("skipped: needs VITRINE_FULL_TESTS=1 and Python with transformers");
        return;
    }
    let python = std::env::var("VITRINE_PYTHON").unwrap_or("python3".to_owned());
    let output = Command::new(&python)
        .args([&format!("{FIXTURES}/make.py"), "--live"])
        .output()
        .unwrap_or_else(|e| panic!("cannot run {python}: {e}"));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let live: Value = serde_json::from_slice(&output.stdout).unwrap();

    for (name, cases) in live["encoded"].as_object().unwrap() {
        let tokenizer = load(name);
        for case in cases.as_array().unwrap() {
            let text = case["text"].as_str().unwrap();
            let ids = tokenizer.encode_ids(text, true).unwrap();
            assert_eq!(json!(ids), case["framed"], "{name} {text:?}");
            assert_eq!(
                tokenizer.decode(&ids, true),
                case["decoded_without_specials"],
                "{name} {text:?}"
            );
        }
    }
    let conversations = fs::read(format!("{FIXTURES}/conversations.json")).unwrap();
    let conversations: Value = serde_json::from_slice(&conversations).unwrap();
    for (name, results) in live["rendered"].as_object().unwrap() {
        let template = fs::read_to_string(format!("{FIXTURES}/templates/{name}")).unwrap();
        for (conversation, expected) in results.as_object().unwrap() {
            let ours = rendered(&template, &conversations[conversation]);
            let both_fail = ours["error"] == true && expected["error"].is_string();
            assert!(
                both_fail || ours == *expected,
                "{name}, {conversation}:\n{ours}\n{expected}"
            );
        }
    }
}
