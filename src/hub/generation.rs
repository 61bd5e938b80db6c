//! How a model's makers would sample from it: `generation_config.json`.
//!
//! The file is advice. A field that makes no sense is left out with a warning, and the model still runs.

use serde_json::{Map, Value};

/// Sampling settings the model's makers recommend; what they leave open is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GenerationDefaults {
    /// Draw tokens at random (true) or always take the likeliest (false).
    pub do_sample: Option<bool>,
    /// Divides the logits before softmax; 0 means greedy.
    pub temperature: Option<f32>,
    /// Draw from the likeliest tokens that together have this probability.
    pub top_p: Option<f32>,
    /// Draw from this many likeliest tokens; 0 means from all.
    pub top_k: Option<usize>,
    /// Draw from tokens at least this likely relative to the likeliest.
    pub min_p: Option<f32>,
    /// Divides the logits of tokens that were used already; 1 changes nothing.
    pub repetition_penalty: Option<f32>,
    /// Ids of the tokens that end an answer.
    pub eos_token_id: Vec<u32>,
}

impl GenerationDefaults {
    /// Reads the file's bytes, if the model has the file; the second value is one warning per thing passed over.
    pub fn from_bytes(bytes: Option<&[u8]>) -> (Self, Vec<String>) {
        let mut warnings = Vec::new();
        let Some(bytes) = bytes else {
            return (Self::default(), warnings);
        };
        let map = match serde_json::from_slice(bytes) {
            Ok(Value::Object(map)) => map,
            Ok(_) => {
                warnings.push(
                    "generation_config.json is ignored: it is not an object of fields".to_owned(),
                );
                return (Self::default(), warnings);
            }
            Err(error) => {
                warnings.push(format!(
                    "generation_config.json is ignored: it is not valid JSON ({error})"
                ));
                return (Self::default(), warnings);
            }
        };
        let mut fields = Fields {
            map: &map,
            warnings: &mut warnings,
        };
        let defaults = Self {
            do_sample: fields.get("do_sample", "true or false", Value::as_bool),
            temperature: fields.number("temperature", 0.0, 100.0),
            top_p: fields
                .number("top_p", 0.0, 1.0)
                .filter(|top_p| *top_p > 0.0),
            top_k: fields.get("top_k", "a whole number", |value| {
                usize::try_from(value.as_u64()?).ok()
            }),
            min_p: fields.number("min_p", 0.0, 1.0),
            repetition_penalty: fields.number("repetition_penalty", 0.01, 100.0),
            eos_token_id: fields
                .get("eos_token_id", "a token id or a list of them", token_ids)
                .unwrap_or_default(),
        };
        (defaults, warnings)
    }

    /// The temperature to sample at: 0 (greedy) where `do_sample` is off or nothing is said, and 1, transformers'
    /// own default, where it is on and no temperature is named.
    pub fn effective_temperature(&self) -> f32 {
        match self.do_sample {
            Some(false) => 0.0,
            Some(true) => self.temperature.unwrap_or(1.0),
            None => self.temperature.unwrap_or(0.0),
        }
    }
}

fn token_ids(value: &Value) -> Option<Vec<u32>> {
    let id = |value: &Value| u32::try_from(value.as_u64()?).ok();
    match value {
        Value::Array(items) => items.iter().map(id).collect(),
        one => id(one).map(|id| vec![id]),
    }
}

/// The fields of the file, and the complaints so far.
struct Fields<'a> {
    map: &'a Map<String, Value>,
    warnings: &'a mut Vec<String>,
}

impl Fields<'_> {
    /// A field, unless absent or `null`; what does not convert is a warning.
    fn get<T>(
        &mut self,
        name: &str,
        expected: &str,
        convert: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.map.get(name).filter(|value| !value.is_null())?;
        let converted = convert(value);
        if converted.is_none() {
            let found: String = value.to_string().chars().take(40).collect();
            self.warnings.push(format!(
                "generation_config.json: \"{name}\" is ignored: it should be {expected}, but is {found}"
            ));
        }
        converted
    }

    fn number(&mut self, name: &str, low: f64, high: f64) -> Option<f32> {
        self.get(name, &format!("a number from {low} to {high}"), |value| {
            value
                .as_f64()
                .filter(|number| (low..=high).contains(number))
                .map(|number| number as f32)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (GenerationDefaults, Vec<String>) {
        GenerationDefaults::from_bytes(Some(text.as_bytes()))
    }

    #[test]
    fn the_makers_settings_are_read() {
        let (defaults, warnings) = read(
            r#"{"do_sample": true, "temperature": 0.5, "top_p": 0.75, "top_k": 20, "min_p": 0, "eos_token_id": [2, 0],
                "repetition_penalty": 1.5, "transformers_version": "4.51"}"#,
        );
        assert!(warnings.is_empty());
        let expected = GenerationDefaults {
            do_sample: Some(true),
            temperature: Some(0.5),
            top_p: Some(0.75),
            top_k: Some(20),
            min_p: Some(0.0),
            repetition_penalty: Some(1.5),
            eos_token_id: vec![2, 0],
        };
        assert_eq!(defaults, expected);
        assert_eq!(read(r#"{"eos_token_id": 7}"#).0.eos_token_id, [7]);
    }

    #[test]
    fn without_sampling_the_model_is_greedy() {
        assert_eq!(
            read(r#"{"do_sample": false, "temperature": 0.7}"#)
                .0
                .effective_temperature(),
            0.0
        );
        assert_eq!(
            read(r#"{"do_sample": true}"#).0.effective_temperature(),
            1.0
        );
        assert_eq!(
            read(r#"{"temperature": 0.5}"#).0.effective_temperature(),
            0.5
        );
        assert_eq!(
            GenerationDefaults::from_bytes(None)
                .0
                .effective_temperature(),
            0.0
        );
    }

    #[test]
    fn odd_fields_are_warnings_and_not_failures() {
        let (defaults, warnings) = read(
            r#"{"temperature": "hot", "top_p": 3, "top_k": -1, "eos_token_id": ["x"], "do_sample": 1, "min_p": null}"#,
        );
        assert_eq!(defaults, GenerationDefaults::default());
        assert_eq!(warnings.len(), 5);
        assert!(
            warnings
                .iter()
                .any(|warning| warning.contains("\"temperature\"") && warning.contains("\"hot\""))
        );
        for text in ["", "[]", "{\"top_p\":"] {
            assert_eq!(read(text).1.len(), 1, "{text:?}");
        }
    }
}
