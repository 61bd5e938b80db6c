//! Reading single fields of a JSON object, so that every complaint names the field and what was found.

use serde_json::{Map, Value};

use super::error::ConfigError;

/// One JSON object of a config, and what to call it in messages.
pub(super) struct Fields<'a> {
    label: &'a str,
    /// Name of the object within the file, empty for the file itself.
    prefix: &'a str,
    map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// The object in `value`; `prefix` is its name within the file.
    pub(super) fn new(
        label: &'a str,
        prefix: &'a str,
        value: &'a Value,
    ) -> Result<Self, ConfigError> {
        match value.as_object() {
            Some(map) => Ok(Self { label, prefix, map }),
            None if prefix.is_empty() => Err(ConfigError::NotAnObject {
                label: label.to_owned(),
                found: describe(value),
            }),
            None => Err(ConfigError::WrongField {
                label: label.to_owned(),
                field: prefix.to_owned(),
                why: format!(
                    "it should be an object of fields, but is {}",
                    describe(value)
                ),
            }),
        }
    }

    /// Name of the model in messages.
    pub(super) fn label(&self) -> &'a str {
        self.label
    }

    /// The field, unless absent or `null`.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// Whether the field is written at all, be it as `null`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    /// Every field in the order of the file.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.map.iter()
    }

    /// A text that must be there.
    pub(super) fn text(&self, name: &str) -> Result<String, ConfigError> {
        self.opt_text(name)?.ok_or_else(|| self.missing(name))
    }

    /// A text, where there is one.
    pub(super) fn opt_text(&self, name: &str) -> Result<Option<String>, ConfigError> {
        self.read(name, "a text", |value| value.as_str().map(str::to_owned))
    }

    /// A list of texts, where there is one.
    pub(super) fn opt_texts(&self, name: &str) -> Result<Option<Vec<String>>, ConfigError> {
        self.read(name, "a list of texts", |value| {
            value
                .as_array()?
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect()
        })
    }

    /// A number of things, at least 1 and at most `max`, that must be there.
    pub(super) fn size(&self, name: &str, max: usize) -> Result<usize, ConfigError> {
        self.opt_size(name, max)?.ok_or_else(|| self.missing(name))
    }

    /// A number of things, at least 1 and at most `max`, where there is one.
    pub(super) fn opt_size(&self, name: &str, max: usize) -> Result<Option<usize>, ConfigError> {
        self.read(name, &format!("a whole number from 1 to {max}"), |value| {
            let size = usize::try_from(value.as_u64()?).ok()?;
            (1..=max).contains(&size).then_some(size)
        })
    }

    /// A number of things that may be 0, where there is one.
    pub(super) fn opt_count(&self, name: &str) -> Result<Option<usize>, ConfigError> {
        self.read(name, "a whole number", |value| {
            usize::try_from(value.as_u64()?).ok()
        })
    }

    /// A finite number, where there is one.
    pub(super) fn opt_number(&self, name: &str) -> Result<Option<f64>, ConfigError> {
        self.read(name, "a number", |value| {
            value.as_f64().filter(|number| number.is_finite())
        })
    }

    /// A number above 0, where there is one.
    pub(super) fn opt_positive(&self, name: &str) -> Result<Option<f64>, ConfigError> {
        self.read(name, "a number above 0", |value| {
            value
                .as_f64()
                .filter(|number| number.is_finite() && *number > 0.0)
        })
    }

    /// The small number inside a norm, which must be there.
    pub(super) fn epsilon(&self, name: &str) -> Result<f64, ConfigError> {
        self.read(name, "a number from 0 to 1", |value| {
            value.as_f64().filter(|number| (0.0..=1.0).contains(number))
        })?
        .ok_or_else(|| self.missing(name))
    }

    /// True or false; `default` where absent.
    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool, ConfigError> {
        Ok(self
            .read(name, "true or false", Value::as_bool)?
            .unwrap_or(default))
    }

    /// One token id or a list of them; empty where absent.
    pub(super) fn opt_token_ids(&self, name: &str) -> Result<Vec<u32>, ConfigError> {
        let id = |value: &Value| u32::try_from(value.as_u64()?).ok();
        let ids = self.read(name, "a token id or a list of them", |value| match value {
            Value::Array(items) => items.iter().map(id).collect(),
            one => id(one).map(|id| vec![id]),
        });
        Ok(ids?.unwrap_or_default())
    }

    /// The complaint about a field that is not there.
    pub(super) fn missing(&self, name: &str) -> ConfigError {
        ConfigError::MissingField {
            label: self.label.to_owned(),
            field: self.full_name(name),
        }
    }

    /// The complaint about a field that holds something impossible.
    pub(super) fn wrong(&self, name: &str, why: String) -> ConfigError {
        ConfigError::WrongField {
            label: self.label.to_owned(),
            field: self.full_name(name),
            why,
        }
    }

    /// The complaint about a field that asks for what the program does not compute.
    pub(super) fn unsupported(&self, name: &str, what: &str) -> ConfigError {
        let field = self.full_name(name);
        ConfigError::Unsupported {
            label: self.label.to_owned(),
            field,
            what: what.to_owned(),
        }
    }

    fn full_name(&self, name: &str) -> String {
        if self.prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.prefix)
        }
    }

    /// The one place that decides between absent, right and wrong.
    fn read<T>(
        &self,
        name: &str,
        expected: &str,
        convert: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match convert(value) {
            Some(converted) => Ok(Some(converted)),
            None => Err(self.wrong(
                name,
                format!("it should be {expected}, but is {}", describe(value)),
            )),
        }
    }
}

/// A JSON value in a few words, shortened so that a message stays one line.
pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.chars().count() > 40 => {
            format!("the text {:?}…", text.chars().take(40).collect::<String>())
        }
        Value::String(text) => format!("the text {text:?}"),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// The parser's reason without the place, which the message gives in its own words.
pub(super) fn json_reason(error: &serde_json::Error) -> String {
    let full = error.to_string();
    full.split(" at line ").next().unwrap_or(&full).to_owned()
}
