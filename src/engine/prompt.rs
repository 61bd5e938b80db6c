//! A prompt as the model reads it, and how a chat goes on where the cache ends.

use anyhow::Result;

use super::loaded::LoadedModel;
use super::message::{Event, Prompt};
use super::task::Outbox;
use crate::tokenizer::{Message, TemplateArgs, Tokenizer};
use crate::trace::debug::SourcePrompt;

/// What a model without a chat template would write to speak for the user: its answer ends there.
pub const PLAIN_STOP: &str = "\nUser:";

/// The prompt as ids.
///
/// # Errors
/// As [`text`], and if the tokenizer cannot split the text.
pub fn ids(
    loaded: &LoadedModel,
    tokenizer: &Tokenizer,
    prompt: &Prompt,
    out: &Outbox,
) -> Result<Vec<u32>> {
    match (prompt, text(loaded, tokenizer, prompt, out)?) {
        (Prompt::Ids(ids) | Prompt::Turn(ids), _) => Ok(ids.clone()),
        (_, None) => Ok(Vec::new()),
        // A template writes the begin token itself; text that went through none lacks it.
        (prompt, Some(text)) => {
            let is_templated = matches!(prompt, Prompt::Chat { .. }) && tokenizer.has_template();
            tokenizer.encode_ids(&text, !is_templated)
        }
    }
}

/// A prompt that patches copy from, as ids.
///
/// # Errors
/// As [`ids`].
pub fn ids_of_source(
    loaded: &LoadedModel,
    tokenizer: &Tokenizer,
    source: &SourcePrompt,
) -> Result<Vec<u32>> {
    let prompt = match source {
        SourcePrompt::Ids(ids) => Prompt::Ids(ids.clone()),
        SourcePrompt::Raw(text) => Prompt::Raw(text.clone()),
        SourcePrompt::Chat(text) => Prompt::Chat {
            messages: vec![Message::new("user", text)],
            prefill_response: None,
            args: TemplateArgs::for_answer(),
        },
    };
    ids(loaded, tokenizer, &prompt, &Outbox::nowhere())
}

/// The prompt as the model reads it, special tokens written out; `None` where it is given as ids.
///
/// # Errors
/// If the chat template refuses the messages.
pub fn text(
    loaded: &LoadedModel,
    tokenizer: &Tokenizer,
    prompt: &Prompt,
    out: &Outbox,
) -> Result<Option<String>> {
    let (messages, prefill_response, args) = match prompt {
        Prompt::Ids(_) | Prompt::Turn(_) => return Ok(None),
        Prompt::Raw(text) => return Ok(Some(text.clone())),
        Prompt::Chat {
            messages,
            prefill_response,
            args,
        } => (messages, prefill_response, args),
    };
    if !tokenizer.has_template() {
        out.send(Event::Notice(format!(
            "{} has no chat template: the plain form 'User: … Assistant:' is used",
            loaded.label
        )));
    }
    let rendered = match tokenizer.has_template() {
        true => tokenizer.render_chat(messages, args)?,
        false => tokenizer.render_chat(&trimmed(messages), args)?,
    };
    let mut text = rendered.text;
    text.push_str(prefill_response.as_deref().unwrap_or_default());
    Ok(Some(text))
}

/// Whether `prompt` is a chat for a model that has no template for it.
#[must_use]
pub fn is_plain_chat(tokenizer: &Tokenizer, prompt: &Prompt) -> bool {
    matches!(prompt, Prompt::Chat { .. } | Prompt::Turn(_)) && !tokenizer.has_template()
}

/// Messages for the plain form: it writes the space before an answer itself.
#[must_use]
fn trimmed(messages: &[Message]) -> Vec<Message> {
    let trim = |message: &Message| Message::new(message.role.clone(), message.text().trim());
    messages.iter().map(trim).collect()
}

/// `ids`, or the same text with the tokens that the cache has read, `held`.
///
/// A model does not always write a text with the tokens that the tokenizer would choose. Where the
/// text goes on as it was read, the tokens that were really written stay, and only what follows
/// is split anew: the model sees its own words, and nothing is read twice.
///
/// # Errors
/// If the tokenizer cannot split the text.
pub fn continued(tokenizer: &Tokenizer, ids: Vec<u32>, held: &[u32]) -> Result<Vec<u32>> {
    if ids.starts_with(held) {
        return Ok(ids);
    }
    let text = tokenizer.decode(&ids, false);
    let Some(rest) = text.strip_prefix(&tokenizer.decode(held, false)) else {
        return Ok(ids);
    };
    let joined = [held, &tokenizer.encode_ids(rest, false)?].concat();
    // A tokenizer may treat the start of a text in its own way.
    let is_same_text = tokenizer.decode(&joined, false) == text;
    Ok(if is_same_text { joined } else { ids })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::EmbeddedModel;
    use crate::tokenizer::TokenizerFiles;

    fn classroom() -> Tokenizer {
        let file = |name| EmbeddedModel::Classroom4.file(name);
        Tokenizer::from_files(&TokenizerFiles {
            tokenizer_json: file("tokenizer.json").unwrap().into(),
            ..TokenizerFiles::default()
        })
        .unwrap()
    }

    #[test]
    fn an_answer_written_with_unusual_tokens_is_not_read_again() {
        let tokenizer = classroom();
        let ids = |text| tokenizer.encode_ids(text, false).unwrap();
        let held = ["<|im_start|>", "H", "e", "l", "l", "o"].map(ids).concat();
        let usual = ids("<|im_start|>Hello<|im_end|>\n<|im_start|>user\nBye");
        assert!(!usual.starts_with(&held));
        let joined = continued(&tokenizer, usual.clone(), &held).unwrap();
        assert!(joined.starts_with(&held));
        assert_eq!(
            tokenizer.decode(&joined, false),
            tokenizer.decode(&usual, false)
        );
    }

    #[test]
    fn a_changed_conversation_is_split_as_usual() {
        let tokenizer = classroom();
        let ids = |text| tokenizer.encode_ids(text, false).unwrap();
        let (held, usual) = (ids("Hello there"), ids("Hello world"));
        assert_eq!(continued(&tokenizer, usual.clone(), &held).unwrap(), usual);
    }
}
