//! Which special tokens begin and end a text.

use anyhow::{Result, bail};
use serde_json::Value;

use super::files::{DOWNLOAD_AGAIN, TokenizerFiles, parse_object};
use super::pieces::Frame;

/// The names under which `tokenizer_config.json` gives special tokens a role; templates see them as variables.
const NAMES: [&str; 7] = [
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
];

/// Special tokens by their role.
#[derive(Debug, Clone, Default)]
pub(super) struct Roles {
    /// `("eos_token", "<|im_end|>")` and so on, those that are set.
    pub tokens: Vec<(&'static str, String)>,
}

impl Roles {
    /// Reads the roles from `tokenizer_config.json`, and what it does not set from `special_tokens_map.json`.
    pub fn read(config: &Value, special_tokens_map: &Value) -> Self {
        let tokens = NAMES
            .into_iter()
            .filter_map(|name| {
                let value = config.get(name).or_else(|| special_tokens_map.get(name))?;
                Some((name, content(value)?.to_owned()))
            })
            .collect();
        Self { tokens }
    }

    /// The token with the role `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.tokens
            .iter()
            .find(|(role, _)| *role == name)
            .map(|(_, token)| token.as_str())
    }

    /// The frame that `add_bos_token` and `add_eos_token` ask for; `None` if `tokenizer.json`'s post-processor decides.
    ///
    /// The flags win where one is written down, and where there is no post-processor (transformers' `update_post_processor`).
    pub fn explicit_frame(
        &self,
        config: &Value,
        has_post_processor: bool,
        inner: &tokenizers::Tokenizer,
    ) -> Option<Frame> {
        let flag = |name: &str| config.get(name).and_then(Value::as_bool);
        let (bos, eos) = (flag("add_bos_token"), flag("add_eos_token"));
        if bos.is_none() && eos.is_none() && has_post_processor {
            return None;
        }
        let ids = |wanted: Option<bool>, role: &str| -> Vec<u32> {
            let token = self.get(role).filter(|_| wanted == Some(true));
            token
                .and_then(|t| inner.token_to_id(t))
                .into_iter()
                .collect()
        };
        Some(Frame {
            before: ids(bos, "bos_token"),
            after: ids(eos, "eos_token"),
        })
    }
}

/// A token as a configuration writes it: a string, or an object with `content`.
fn content(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("content")?.as_str())
}

/// The ids that end an answer, from all three places that may name them, each once.
///
/// # Errors
/// If `eos_token_id` is neither a number nor a list of numbers.
pub(super) fn eos_ids(
    files: &TokenizerFiles,
    roles: &Roles,
    inner: &tokenizers::Tokenizer,
) -> Result<Vec<u32>> {
    let mut ids = Vec::new();
    let sources = [
        ("generation_config.json", files.generation_config.as_deref()),
        ("config.json", files.config.as_deref()),
    ];
    for (name, bytes) in sources {
        let config = parse_object(name, bytes)?;
        ids.extend(ids_of(name, config.get("eos_token_id"))?);
    }
    ids.extend(
        roles
            .get("eos_token")
            .and_then(|token| inner.token_to_id(token)),
    );
    let mut unique = Vec::new();
    for id in ids {
        if !unique.contains(&id) {
            unique.push(id);
        }
    }
    Ok(unique)
}

/// One id, several, or none; -1 stands for none in older files.
fn ids_of(name: &str, value: Option<&Value>) -> Result<Vec<u32>> {
    let values = match value {
        None | Some(Value::Null) => &[],
        Some(Value::Array(values)) => values.as_slice(),
        Some(value) => std::slice::from_ref(value),
    };
    let mut ids = Vec::new();
    for value in values.iter().filter(|value| value.as_i64() != Some(-1)) {
        match value.as_u64().and_then(|id| u32::try_from(id).ok()) {
            Some(id) => ids.push(id),
            None => bail!(
                "{name} has an eos_token_id that is no token number ({value}); {DOWNLOAD_AGAIN}"
            ),
        }
    }
    Ok(ids)
}
