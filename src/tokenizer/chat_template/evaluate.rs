//! Renders one template, on a thread of its own and within limits.

use std::sync::{Arc, Mutex};
use std::thread;

use minijinja::machinery::{CodeGenerator, eval, make_string_output, parse};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Rest, Serde};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, Value};
use serde_json::Map;

use super::ChatTemplateError;
use super::budget::{Budget, TOO_DEEP, TOO_LARGE, TOO_LONG, TOO_MUCH_WORK};
use super::{filters, guard, python};

/// What the template is called inside minijinja.
const TEMPLATE_NAME: &str = "chat_template";

/// Longest template; the longest in use has some 20 KB.
const MAX_SOURCE_BYTES: usize = 128 << 10;

/// Longest prompt: far beyond any model's context.
const MAX_OUTPUT_BYTES: usize = 8 << 20;

/// Instructions of one rendering; a real template needs about 100 for each message.
const MAX_INSTRUCTIONS: u64 = 2_000_000;

/// Stack of the rendering thread. It is reserved, not used: a parser that follows 128 KB of brackets needs it, a template does not.
const STACK_BYTES: usize = 256 << 20;

/// Renders `source` with `context`, as jinja2 with Hugging Face's settings.
pub(super) fn render(
    source: &str,
    context: &Map<String, serde_json::Value>,
) -> Result<String, ChatTemplateError> {
    if source.len() > MAX_SOURCE_BYTES {
        return Err(ChatTemplateError::Stopped(TOO_LARGE));
    }
    let source = without_generation_tags(source);
    thread::scope(|scope| {
        thread::Builder::new()
            .name("chat template".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || render_here(&source, context))
            .map_err(|e| ChatTemplateError::Broken(format!("no thread for it ({e})")))?
            .join()
            .unwrap_or_else(|_| {
                Err(ChatTemplateError::Broken(
                    "it cannot be evaluated".to_owned(),
                ))
            })
    })
}

fn render_here(
    source: &str,
    context: &Map<String, serde_json::Value>,
) -> Result<String, ChatTemplateError> {
    let budget = Arc::new(Budget::new());
    let refusal = Arc::new(Mutex::new(None));
    match run(source, context, &budget, &refusal) {
        Ok(text) if text.len() > MAX_OUTPUT_BYTES => Err(ChatTemplateError::Stopped(TOO_MUCH_WORK)),
        Ok(text) => Ok(text),
        Err(error) => Err(explain(&error, &budget, &refusal)),
    }
}

fn run(
    source: &str,
    context: &Map<String, serde_json::Value>,
    budget: &Arc<Budget>,
    refusal: &Arc<Mutex<Option<String>>>,
) -> Result<String, Error> {
    let env = environment(budget, refusal);
    let template = guard::rewrite(&parse(source, TEMPLATE_NAME, syntax())?, budget)?;
    let mut generator = CodeGenerator::new(TEMPLATE_NAME, source);
    generator.compile_stmt(&template);
    let (instructions, blocks) = generator.finish();
    let mut text = String::new();
    let mut out = make_string_output(&mut text);
    let variables = Value::from(Serde(context));
    eval(
        &env,
        &instructions,
        variables,
        &blocks,
        &mut out,
        AutoEscape::None,
    )?;
    Ok(text)
}

/// What a failed rendering means.
fn explain(error: &Error, budget: &Budget, refusal: &Mutex<Option<String>>) -> ChatTemplateError {
    if let Some(message) = refusal.lock().ok().and_then(|mut said| said.take()) {
        return ChatTemplateError::Refused(message);
    }
    if let Some(because) = budget.stopped_because() {
        return ChatTemplateError::Stopped(because);
    }
    let detail = error.detail().unwrap_or_default();
    if error.kind() == ErrorKind::OutOfFuel {
        return ChatTemplateError::Stopped(TOO_LONG);
    }
    if detail.contains("recursion limit") {
        return ChatTemplateError::Stopped(TOO_DEEP);
    }
    let place = error
        .line()
        .map_or(String::new(), |line| format!(" in line {line}"));
    ChatTemplateError::Broken(format!("{}{place}: {detail}", error.kind()))
}

/// jinja2 as `transformers` sets it up.
fn environment(budget: &Arc<Budget>, refusal: &Arc<Mutex<Option<String>>>) -> Environment<'static> {
    let mut env = Environment::empty();
    env.set_debug(false);
    env.set_fuel(Some(MAX_INSTRUCTIONS));
    env.set_syntax(syntax());
    filters::add_all(&mut env, budget);
    guard::add_functions(&mut env, budget);

    let paying = Arc::clone(budget);
    env.set_unknown_method_callback(move |state, value, method, args| {
        python::call_method(&paying, state, value, method, args)
    });
    let paying = Arc::clone(budget);
    env.set_formatter(move |out, _state, value| emit(&paying, out, value));

    let refusal = Arc::clone(refusal);
    env.add_function("raise_exception", move |message: Rest<Value>| {
        let message = message.first().map_or(String::new(), Value::to_string);
        if let Ok(mut said) = refusal.lock() {
            said.get_or_insert(message.clone());
        }
        Err::<Value, Error>(Error::new(ErrorKind::InvalidOperation, message))
    });
    let paying = Arc::clone(budget);
    env.add_function("strftime_now", move |_: &State, format: &str| {
        paying.pay(format.len().saturating_mul(64))?;
        let now = jiff::Zoned::now();
        jiff::fmt::strtime::format(format, &now)
            .map_err(|e| Error::new(ErrorKind::InvalidOperation, e.to_string()))
    });
    env
}

fn syntax() -> SyntaxConfig {
    SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
        .unwrap_or_default()
}

/// Writes a value to the output, or to the text of a `set` block or macro that is being captured.
fn emit(budget: &Budget, out: &mut Output, value: &Value) -> Result<(), Error> {
    budget.pay_deep(value)?;
    match value.as_str() {
        Some(text) => out.write_str(text)?,
        None => out.write_fmt(format_args!("{value}"))?,
    }
    Ok(())
}

/// Hugging Face marks what the assistant says with `{% generation %}` tags, for training. They become tags that do nothing.
fn without_generation_tags(source: &str) -> String {
    let mut result = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find("{%") {
        let (before, tag) = rest.split_at(start + 2);
        result.push_str(before);
        let end = tag.find("%}").unwrap_or(tag.len());
        let (inside, after) = tag.split_at(end);
        match inside.trim_matches(|c: char| c.is_whitespace() || c == '-' || c == '+') {
            "generation" => result.push_str(&inside.replace("generation", "with")),
            "endgeneration" => result.push_str(&inside.replace("endgeneration", "endwith")),
            _ => result.push_str(inside),
        }
        rest = after;
    }
    result.push_str(rest);
    result
}
