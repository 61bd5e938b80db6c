//! Models by name.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::listing::is_gate;
use super::{Remote, RemoteError};
use crate::hub::message::SearchHit;

/// The parts of an answer of `/api/models` that are needed.
#[derive(Deserialize)]
struct RawHit {
    id: String,
    #[serde(default)]
    tags: Vec<String>,
    config: Option<Value>,
    safetensors: Option<RawWeights>,
    downloads: Option<u64>,
    likes: Option<u64>,
    /// `false`, `"auto"` or `"manual"`.
    gated: Option<Value>,
}

#[derive(Deserialize)]
struct RawWeights {
    /// Numbers by their type, e.g. `{"U32": 61702656, "F16": 15549696}`.
    #[serde(default)]
    parameters: BTreeMap<String, u64>,
}

impl Remote {
    /// Models in MLX format whose name holds `text`, the most downloaded first.
    ///
    /// # Errors
    /// If the hub cannot be reached, refuses, or answers what makes no sense.
    pub fn search(&self, text: &str, limit: usize) -> Result<Vec<SearchHit>, RemoteError> {
        const FIELDS: [&str; 6] = [
            "tags",
            "config",
            "safetensors",
            "downloads",
            "likes",
            "gated",
        ];
        let url = format!("{}/api/models", self.endpoint());
        let limit = limit.to_string();
        let mut query = vec![
            ("search", text),
            ("filter", "mlx"),
            ("sort", "downloads"),
            ("direction", "-1"),
            ("limit", &limit),
        ];
        query.extend(FIELDS.map(|field| ("expand[]", field)));
        let raw: Vec<RawHit> =
            self.run(self.ask(text, |api| api.client().get(url).query(&query)))?;
        Ok(raw.into_iter().map(|hit| self.hit(hit)).collect())
    }

    fn hit(&self, raw: RawHit) -> SearchHit {
        let family = raw.config.as_ref().and_then(|config| {
            let family = config.get("model_type")?.as_str()?;
            Some(family.to_owned())
        });
        let licence = raw.tags.iter().find_map(|tag| tag.strip_prefix("license:"));
        SearchHit {
            page: format!("{}/{}", self.endpoint(), raw.id),
            family,
            weight_bytes: raw.safetensors.as_ref().and_then(weight_bytes),
            downloads: raw.downloads,
            likes: raw.likes,
            licence: licence.map(str::to_owned),
            is_gated: raw.gated.as_ref().is_some_and(is_gate),
            id: raw.id,
        }
    }
}

/// Bytes of the weights; `None` if a type's size is not known.
fn weight_bytes(weights: &RawWeights) -> Option<u64> {
    let mut total = 0u64;
    for (kind, count) in &weights.parameters {
        let bits: u64 = match kind.as_str() {
            "F64" | "I64" | "U64" => 64,
            "F32" | "I32" | "U32" => 32,
            "F16" | "BF16" | "I16" | "U16" => 16,
            "F8_E4M3" | "F8_E5M2" | "I8" | "U8" | "BOOL" => 8,
            _ => return None,
        };
        total = total.saturating_add(count.saturating_mul(bits / 8));
    }
    (total > 0).then_some(total)
}
