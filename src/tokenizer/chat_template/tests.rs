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

/// Templates that would hang the program, fill its memory or overflow its stack, each in its own way.
fn hostile_templates() -> Vec<(&'static str, String)> {
    let long_loop = "{% for a in range(99999) %}{% for b in range(99999) %}";
    let ends = "{% endfor %}{% endfor %}";
    let in_loop = |body: &str| {
        format!(
            "{{% set ns = namespace(x='ab', l=[1], d={{}}) %}}{{% for i in range(9999) %}}{body}{{% endfor %}}{{{{ ns.x }}}}"
        )
    };
    let nested = |open: &str, close: &str, n: usize| {
        format!("{{{{ {}1{} }}}}", open.repeat(n), close.repeat(n))
    };
    let big = "{% set s = 'a' * 1000000 %}";
    vec![
        ("endless loop", format!("{long_loop}{ends}")),
        ("endless output", format!("{long_loop}{}{ends}", "x".repeat(5000))),
        ("endless captured output", format!("{{% set s %}}{long_loop}{}{ends}{{% endset %}}", "x".repeat(5000))),
        ("endless captured values", format!("{{% set s %}}{long_loop}{{{{ messages }}}}{ends}{{% endset %}}")),
        ("huge range", "{% for i in range(10 ** 12) %}{% endfor %}".into()),
        ("macro that calls itself", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}".into()),
        ("macros that call each other", "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}".into()),
        ("macro tree", "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}".into()),
        ("caller that calls itself", "{% macro m() %}{% call m() %}{{ caller() }}{% endcall %}{% endmacro %}{{ m() }}".into()),
        ("recursive loop", "{% for x in [[1]] recursive %}{{ loop([x]) }}{% endfor %}".into()),
        ("block in itself", "{% block a %}{{ self.a() }}{% endblock %}".into()),
        ("repeated text", "{{ 'a' * 10 ** 9 }}".into()),
        ("repeated text, the other way", "{{ 10 ** 9 * 'a' }}".into()),
        ("repeated text, many times", in_loop("{% set ns.l = ns.l + ['a' * 9000000] %}")),
        ("repeated list", "{{ ([1] * 10 ** 9) | length }}".into()),
        ("repeated tuple", "{{ (1, 2) * 99999999 }}".into()),
        ("constants that fold", "{{ ('a' * 90000000) ~ ('a' * 90000000) ~ ('a' * 90000000) }}".into()),
        ("doubled text", in_loop("{% set ns.x = ns.x ~ ns.x %}")),
        ("doubled text with +", in_loop("{% set ns.x = ns.x + ns.x %}")),
        ("doubled list", in_loop("{% set ns.l = ns.l + ns.l %}")),
        ("list in itself", in_loop("{% set ns.l = [ns.l, ns.l] %}")),
        ("tuple in itself", in_loop("{% set ns.l = (ns.l, ns.l) %}")),
        ("mapping in itself", in_loop("{% set ns.d = {'a': ns.d, 'b': ns.d} %}")),
        ("mapping in itself by dict()", in_loop("{% set ns.d = dict(a=ns.d, b=ns.d) %}")),
        ("deep list", in_loop("{% set ns.l = [ns.l] %}")),
        ("namespace in itself", "{% set ns = namespace() %}{% set ns.a = [ns] %}{{ ns }}".into()),
        ("namespaces in each other", "{% set a = namespace() %}{% set b = namespace(a=a) %}{% set a.b = b %}{{ a }}".into()),
        ("doubled by joining", in_loop("{% set ns.x = [ns.x, ns.x] | join %}")),
        ("doubled by a method", in_loop("{% set ns.x = ns.x.join(['', '', '']) %}")),
        ("doubled by replacing", in_loop("{% set ns.x = ns.x | replace('a', 'aa') %}")),
        ("doubled by the method replace", in_loop("{% set ns.x = ns.x.replace('a', 'aa') %}")),
        ("doubled by format", in_loop("{% set ns.x = '%s%s' | format(ns.x, ns.x) %}")),
        ("doubled by the method format", in_loop("{% set ns.x = '{0}{0}'.format(ns.x) %}")),
        ("doubled by a capture", in_loop("{% set y %}{{ ns.x }}{{ ns.x }}{% endset %}{% set ns.x = y %}")),
        ("doubled by a macro", format!("{{% macro m(x) %}}{{{{ x }}}}{{{{ x }}}}{{% endmacro %}}{}", in_loop("{% set ns.x = m(ns.x) %}"))),
        ("doubled by tojson", in_loop("{% set ns.x = [ns.x, ns.x] | tojson %}")),
        ("escaped again and again", in_loop("{% set ns.x = ns.x ~ '&' | e | e | e | e %}{% set ns.x = ns.x | e %}")),
        ("joined with a long text", format!("{big}{{{{ range(99999) | join(s) }}}}")),
        ("joined with a long text by a method", format!("{big}{{{{ s.join(range(99999)) }}}}")),
        ("long text replaced by long text", format!("{big}{{{{ s | replace('a', s) }}}}")),
        ("nothing replaced by long text", format!("{big}{{{{ s.replace('', s) }}}}")),
        ("list of letters", "{% set s = 'a' * 30000000 %}{{ s | list | length }}".into()),
        ("split into letters", "{% set s = 'a ' * 15000000 %}{{ s.split() | length }}".into()),
        ("split into lines", "{% set s = '\n' * 30000000 %}{{ s.splitlines() | length }}".into()),
        ("huge indent", "{{ 'a\nb' | indent(10 ** 9) }}".into()),
        ("long indent of many lines", format!("{big}{{{{ ('a\n' * 100000) | indent(s) }}}}")),
        ("huge tojson indent", "{{ [1] | tojson(indent=10 ** 9) }}".into()),
        ("huge center", "{{ 'a'.center(10 ** 9) }}".into()),
        ("huge ljust", "{{ 'a'.ljust(10 ** 11) }}".into()),
        ("huge zfill", "{{ 'a'.zfill(10 ** 9) }}".into()),
        ("huge format width", "{{ '%1000000000d' | format(1) }}".into()),
        ("huge format width by argument", "{{ '%*d' | format(1000000000, 1) }}".into()),
        ("huge method format width", "{{ '{:>1000000000}'.format(1) }}".into()),
        ("huge batch", "{{ [1] | batch(10 ** 9, 'x') | list | length }}".into()),
        ("huge slice filter", "{{ [1] | slice(10 ** 9) | list | length }}".into()),
        ("huge strftime", format!("{big}{{{{ strftime_now('%c' * 10000000) }}}}")),
        ("huge splat", "{{ dict(*([1] * 99999999)) }}".into()),
        ("kept slices", in_loop("{% set ns.x = 'a' * 1000000 %}{% set ns.l = ns.l + [ns.x[1:]] %}")),
        ("slow slices", format!("{big}{{% for a in range(99999) %}}{{% set t = s[::-1] %}}{{% endfor %}}")),
        ("slow comparison", format!("{big}{{% set t = s ~ 'b' %}}{{% set u = s ~ 'c' %}}{{% for a in range(99999) %}}{{% if t == u %}}{{% endif %}}{{% endfor %}}")),
        ("slow chained comparison", format!("{big}{{% set t = s ~ 'b' %}}{{% for a in range(99999) %}}{{% if t < t <= t %}}{{% endif %}}{{% endfor %}}")),
        ("slow search", format!("{big}{{% for a in range(99999) %}}{{% if 'ab' in s %}}{{% endif %}}{{% endfor %}}")),
        ("slow count", format!("{big}{{% for a in range(99999) %}}{{% if s.count('ab') %}}{{% endif %}}{{% endfor %}}")),
        ("slow list search", "{% set l = ['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'] * 100000 %}{% for a in range(99999) %}{% if 'b' in l %}{% endif %}{% endfor %}".into()),
        ("slow loop.changed", "{% set l = range(90000) | list %}{% for a in range(99999) %}{% if loop.changed(l) %}{% endif %}{% endfor %}".into()),
        ("slow test", "{% set l = range(90000) | list %}{% for a in range(99999) %}{% if l is eq l %}{% endif %}{% endfor %}".into()),
        ("slow sort", "{% set l = range(90000) | list %}{% for a in range(99999) %}{% set m = l | sort %}{% endfor %}".into()),
        ("slow select", "{% set l = range(90000) | list %}{% for a in range(99999) %}{% set m = l | select('odd') | list %}{% endfor %}".into()),
        ("slow upper", format!("{big}{{% for a in range(99999) %}}{{% set t = s.upper() %}}{{% endfor %}}")),
        ("slow keys", "{% set d = {} %}{% set s = 'a' * 1000000 %}{% for a in range(99999) %}{% set t = d[s ~ a] %}{% endfor %}".into()),
        ("brackets", nested("(", ")", 20_000)),
        ("lists", nested("[", "]", 20_000)),
        ("signs", nested("- ", "", 60_000)),
        ("nots", nested("not ", "", 30_000)),
        ("sums", nested("1 + ", "", 30_000)),
        ("joins", nested("x ~ ", "", 30_000)),
        ("powers", nested("1 ** ", "", 25_000)),
        ("attributes", nested("", ".a", 60_000)),
        ("items", nested("", "[0]", 40_000)),
        ("filters", nested("", "|d", 60_000)),
        ("calls", nested("", "()", 60_000)),
        ("tests", nested("", " is string", 12_000)),
        ("conditions", nested("1 if 1 else ", "", 10_000)),
        ("ands", nested("1 and ", "", 20_000)),
        ("elifs", format!("{{% if x %}}{}{{% endif %}}", "{%elif x%}".repeat(12_000))),
        ("ifs", format!("{}{}", "{%if x%}".repeat(7_000), "{%endif%}".repeat(7_000))),
        ("long source", " ".repeat(1 << 20)),
    ]
}

#[test]
fn hostile_templates_are_stopped_in_time() {
    let mut wrong = Vec::new();
    for (name, template) in hostile_templates() {
        let started = std::time::Instant::now();
        let outcome = render_with_question(&template);
        let elapsed = started.elapsed();
        if outcome.is_ok() || elapsed.as_secs_f64() > 3.0 {
            wrong.push(format!(
                "{name}: {elapsed:?}, {:?}",
                outcome.map(|text| text.len())
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_long_chat_is_well_within_the_limits() {
    let turns = (0..1000).map(|turn| {
        let role = if turn % 2 == 0 { "user" } else { "assistant" };
        json!({"role": role, "content": "A sentence of a long chat, and 你好. ".repeat(50)})
    });
    let chat =
        json!({"messages": turns.collect::<Vec<_>>(), "args": {"add_generation_prompt": true}});
    for name in ["roles", "alternate", "namespace", "macros", "thinking"] {
        let template =
            std::fs::read_to_string(format!("{FIXTURES}/templates/{name}.jinja")).unwrap();
        let rendered = render(&template, &chat);
        assert!(
            rendered.is_ok(),
            "{name}: {:?}",
            rendered.map(|text| text.len())
        );
    }
}
