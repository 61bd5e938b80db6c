//! Templates of our own, each using some constructs, against what `transformers` renders; and templates that want to harm.

use serde_json::json;

use super::*;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/text");

fn fixture(name: &str) -> Value {
    let text = std::fs::read_to_string(format!("{FIXTURES}/{name}")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn templates_from(config: Value) -> ChatTemplates {
    ChatTemplates::read(&TokenizerFiles::default(), &config).unwrap()
}

fn roles() -> Roles {
    Roles::read(
        &json!({"bos_token": "<s>", "eos_token": {"content": "</s>"}, "unk_token": "<unk>"}),
        &Value::Null,
    )
}

/// Renders `template` for a conversation of the fixtures.
fn render(template: &str, conversation: &Value) -> Result<String, ChatTemplateError> {
    let messages: Vec<Message> = serde_json::from_value(conversation["messages"].clone()).unwrap();
    let mut more = conversation["args"].as_object().unwrap().clone();
    let args = TemplateArgs {
        add_generation_prompt: more.remove("add_generation_prompt") == Some(json!(true)),
        tools: more.remove("tools"),
        template: None,
        more,
    };
    let templates = templates_from(json!({ "chat_template": template }));
    templates
        .render(&messages, &args, &roles(), &["<s>", "</s>"])
        .map(|rendered| rendered.text)
}

fn render_with_question(template: &str) -> Result<String, ChatTemplateError> {
    render(template, &fixture("conversations.json")["one question"])
}

#[test]
fn templates_render_as_in_transformers() {
    let conversations = fixture("conversations.json");
    let mut wrong = Vec::new();
    for (name, results) in fixture("rendered.json").as_object().unwrap() {
        let template = std::fs::read_to_string(format!("{FIXTURES}/templates/{name}")).unwrap();
        for (conversation, expected) in results.as_object().unwrap() {
            let ours = render(&template, &conversations[conversation]);
            let agrees = match &ours {
                Ok(text) => expected["text"] == **text,
                Err(ChatTemplateError::Refused(message)) => expected["refused"] == **message,
                Err(ChatTemplateError::Broken(_)) => expected["error"].is_string(),
                Err(_) => false,
            };
            if !agrees {
                wrong.push(format!(
                    "{name}, {conversation}:\nours {ours:?}\nwant {expected:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn files_win_over_tokenizer_config_and_names_are_chosen_as_in_transformers() {
    let config = json!({"chat_template": [
        {"name": "default", "template": "plain"},
        {"name": "tool_use", "template": "tools"}
    ]});
    let templates = templates_from(config.clone());
    let choose = |templates: &ChatTemplates, args: &TemplateArgs| {
        templates
            .render(&[], args, &roles(), &[])
            .map(|rendered| rendered.text)
    };
    let with_tools = TemplateArgs {
        tools: Some(json!([])),
        ..TemplateArgs::default()
    };
    let named = TemplateArgs {
        template: Some("rag".to_owned()),
        ..TemplateArgs::default()
    };
    assert_eq!(
        choose(&templates, &TemplateArgs::default()).unwrap(),
        "plain"
    );
    assert_eq!(choose(&templates, &with_tools).unwrap(), "tools");
    let said = choose(&templates, &named).unwrap_err().to_string();
    assert_eq!(
        said,
        "the model has no chat template named \"rag\"; it has default, tool_use"
    );

    let files = TokenizerFiles {
        chat_template_jinja: Some(b"from the file".as_slice().into()),
        named_templates: [("rag".to_owned(), b"with documents".as_slice().into())].into(),
        ..TokenizerFiles::default()
    };
    let templates = ChatTemplates::read(&files, &config).unwrap();
    assert_eq!(choose(&templates, &with_tools).unwrap(), "from the file");
    assert_eq!(choose(&templates, &named).unwrap(), "with documents");

    let files = TokenizerFiles {
        chat_template_json: Some(br#"{"chat_template": "from json"}"#.as_slice().into()),
        ..TokenizerFiles::default()
    };
    let templates = ChatTemplates::read(&files, &config).unwrap();
    assert_eq!(choose(&templates, &with_tools).unwrap(), "from json");
}

#[test]
fn a_model_without_a_template_gets_the_plain_form() {
    let templates = ChatTemplates::default();
    assert!(templates.is_empty());
    let messages = [Message::new("user", "Hi")];
    let rendered = templates
        .render(&messages, &TemplateArgs::for_answer(), &roles(), &[])
        .unwrap();
    assert_eq!(rendered.text, "User: Hi\nAssistant:");
}

#[test]
fn a_broken_template_says_where() {
    let said = render_with_question("a\n{% for x in %}")
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("does not work: syntax error in line 2"),
        "{said}"
    );
    let said = render_with_question("{{ raise_exception('no!') }}").unwrap_err();
    assert_eq!(said, ChatTemplateError::Refused("no!".to_owned()));
}
